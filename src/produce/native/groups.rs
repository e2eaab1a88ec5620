//! Questions about consumer groups: which there are, what their members read, and for which topics
//! they have committed offsets.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::ptr;
use std::time::Duration;

use rdkafka::bindings as c;

use super::Client;
use super::admin::{Answer, Desk, Owned, Refusal, owned, slice, unusable};

/// The names of all groups, of either protocol.
///
/// # Errors
/// That the cluster does not tell.
pub(in crate::produce) fn list(client: &Client, limit: Duration) -> Result<Vec<String>, Refusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS;
    let desk = Desk::new(client, kind, limit).ok_or_else(unusable)?;
    // SAFETY: all that is passed lives through the call.
    unsafe { c::rd_kafka_ListConsumerGroups(desk.native(), desk.options(), desk.queue()) };
    let answer = desk.answer()?;
    // SAFETY: everything read here is part of the answer, which lives to the end of the function.
    unsafe {
        let result = c::rd_kafka_event_ListConsumerGroups_result(answer.ptr());
        let mut count = 0;
        let groups = c::rd_kafka_ListConsumerGroups_result_valid(result, &raw mut count);
        let names = slice(groups, count).iter();
        Ok(names
            .map(|group| owned(c::rd_kafka_ConsumerGroupListing_group_id(*group)))
            .collect())
    }
}

/// The topics that members of `groups` are assigned to, by group.
///
/// # Errors
/// That the cluster does not tell.
pub(in crate::produce) fn assigned(
    client: &Client,
    groups: &[String],
    limit: Duration,
) -> Result<Vec<(String, BTreeSet<String>)>, Refusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS;
    let desk = Desk::new(client, kind, limit).ok_or_else(unusable)?;
    let names = groups.iter().map(|group| CString::new(group.as_str()));
    let names: Vec<CString> = names.collect::<Result<_, _>>().map_err(|_| unusable())?;
    let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    // SAFETY: all that is passed lives through the call, which copies it.
    unsafe {
        c::rd_kafka_DescribeConsumerGroups(
            desk.native(),
            pointers.as_mut_ptr(),
            pointers.len(),
            desk.options(),
            desk.queue(),
        );
    }
    let answer = desk.answer()?;
    let mut all = Vec::new();
    // SAFETY: everything read here is part of the answer, which lives to the end of the function;
    // members are asked for within their count.
    unsafe {
        let result = c::rd_kafka_event_DescribeConsumerGroups_result(answer.ptr());
        let mut count = 0;
        let groups = c::rd_kafka_DescribeConsumerGroups_result_groups(result, &raw mut count);
        for group in slice(groups, count) {
            let mut topics = BTreeSet::new();
            for i in 0..c::rd_kafka_ConsumerGroupDescription_member_count(*group) {
                let member = c::rd_kafka_ConsumerGroupDescription_member(*group, i);
                let assignment = c::rd_kafka_MemberDescription_assignment(member);
                if !assignment.is_null() {
                    let partitions = c::rd_kafka_MemberAssignment_partitions(assignment);
                    topics.extend(named(partitions, |_| true));
                }
            }
            let name = owned(c::rd_kafka_ConsumerGroupDescription_group_id(*group));
            all.push((name, topics));
        }
    }
    Ok(all)
}

/// The topics for which each of `groups` has committed offsets; those of which the cluster does not
/// tell are left out. All are asked for at once.
pub(in crate::produce) fn committed(
    client: &Client,
    groups: &[String],
    limit: Duration,
) -> Vec<(String, BTreeSet<String>)> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS;
    let Some(desk) = Desk::new(client, kind, limit) else {
        return Vec::new();
    };
    let mut asked = 0;
    for group in groups {
        let Ok(name) = CString::new(group.as_str()) else {
            continue;
        };
        // SAFETY: the name is copied; a null list asks for all partitions (librdkafka.h).
        let question =
            unsafe { c::rd_kafka_ListConsumerGroupOffsets_new(name.as_ptr(), ptr::null()) };
        let destroy = c::rd_kafka_ListConsumerGroupOffsets_destroy;
        let Some(question) = Owned::new(question, destroy) else {
            continue;
        };
        let mut questions = [question.ptr()];
        // SAFETY: all that is passed lives through the call, which copies it.
        unsafe {
            c::rd_kafka_ListConsumerGroupOffsets(
                desk.native(),
                questions.as_mut_ptr(),
                questions.len(),
                desk.options(),
                desk.queue(),
            );
        }
        asked += 1;
    }
    let answers = (0..asked).filter_map(|_| desk.answer().ok());
    answers.flat_map(|answer| committed_in(&answer)).collect()
}

fn committed_in(answer: &Answer) -> Vec<(String, BTreeSet<String>)> {
    // SAFETY: everything read here is part of the answer, which is borrowed.
    unsafe {
        let result = c::rd_kafka_event_ListConsumerGroupOffsets_result(answer.ptr());
        let mut count = 0;
        let groups = c::rd_kafka_ListConsumerGroupOffsets_result_groups(result, &raw mut count);
        let groups = slice(groups, count).iter();
        groups
            .map(|group| {
                let partitions = c::rd_kafka_group_result_partitions(*group);
                let topics = named(partitions, |partition| partition.offset >= 0);
                (owned(c::rd_kafka_group_result_name(*group)), topics)
            })
            .collect()
    }
}

/// The topics of a list of partitions.
///
/// # Safety
/// The list has to be null or live.
unsafe fn named(
    list: *const c::rd_kafka_topic_partition_list_t,
    wanted: impl Fn(&c::rd_kafka_topic_partition_t) -> bool,
) -> BTreeSet<String> {
    if list.is_null() {
        return BTreeSet::new();
    }
    // SAFETY: as the caller promises; the list has `cnt` elements, each with a topic's name.
    unsafe {
        let count = usize::try_from((*list).cnt).unwrap_or_default();
        if count == 0 {
            return BTreeSet::new();
        }
        let partitions = std::slice::from_raw_parts((*list).elems, count).iter();
        partitions
            .filter(|partition| wanted(partition))
            .map(|partition| owned(partition.topic))
            .collect()
    }
}
