//! The members of consumer groups: how many a group has, and which topics are assigned to them.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::time::Duration;

use rdkafka::bindings as c;

use super::{TopicsOfGroup, named, refusal};
use crate::cluster::native::admin::{AdminRefusal, AdminRequest};
use crate::cluster::native::client::Client;
use crate::cluster::native::ffi::code::Code;
use crate::cluster::native::ffi::owned::{slice, text};
use crate::cluster::native::ffi::raw;
use crate::host::control::Control;

/// What the cluster says about a group's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupMembers {
    /// No consumer group has that name: no group has it, or a group of another kind does.
    NoGroup,
    /// The group has this many members.
    Count(usize),
}

/// A group as the cluster describes it.
type GroupDescription = c::rd_kafka_ConsumerGroupDescription_t;

/// `RD_KAFKA_CONSUMER_GROUP_STATE_DEAD` (librdkafka.h): the state that the cluster reports for a missing
/// classic group.
const DEAD: i32 = 4;

/// The members of a group, of either protocol.
///
/// # Errors
/// Returns the cluster's reason for not answering.
pub(crate) fn members(
    client: &Client,
    control: &Control,
    group: &str,
    limit: Duration,
) -> Result<GroupMembers, AdminRefusal> {
    let groups = [group.to_owned()];
    let described = describe(client, control, &groups, limit, member_count)?;
    let first = described.into_iter().next();
    first.map_or(Ok(GroupMembers::NoGroup), |(_, members)| members)
}

/// # Safety
/// `group` must be part of an answer that is still alive.
unsafe fn member_count(group: *const GroupDescription) -> Result<GroupMembers, AdminRefusal> {
    // SAFETY: as the caller promises; the state is read as an integer.
    unsafe {
        match refusal(c::rd_kafka_ConsumerGroupDescription_error(group)) {
            Some(refusal) if refusal.code == Code::GROUP_ID_NOT_FOUND => Ok(GroupMembers::NoGroup),
            Some(refusal) => Err(refusal),
            None if raw::rd_kafka_ConsumerGroupDescription_state(group) == DEAD => {
                Ok(GroupMembers::NoGroup)
            }
            None => Ok(GroupMembers::Count(
                c::rd_kafka_ConsumerGroupDescription_member_count(group),
            )),
        }
    }
}

/// The topics assigned to the members of each of `groups`.
///
/// # Errors
/// Returns the refusal if no broker answers.
pub(crate) fn assigned(
    client: &Client,
    control: &Control,
    groups: &[String],
    limit: Duration,
) -> Result<Vec<(String, TopicsOfGroup)>, AdminRefusal> {
    describe(client, control, groups, limit, topics_of_members)
}

/// Asks the cluster to describe `groups`, of either protocol, and returns what `read` finds in each, by
/// group.
///
/// # Errors
/// Returns the refusal if no broker answers.
fn describe<T>(
    client: &Client,
    control: &Control,
    groups: &[String],
    limit: Duration,
    read: unsafe fn(*const GroupDescription) -> T,
) -> Result<Vec<(String, T)>, AdminRefusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS;
    let request = AdminRequest::new(client, control, kind, limit)?;
    let names = groups.iter().map(|group| CString::new(group.as_str()));
    let names: Vec<CString> = names
        .collect::<Result<_, _>>()
        .map_err(|_| AdminRefusal::unusable())?;
    let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    // SAFETY: all arguments outlive the call, which copies them.
    unsafe {
        c::rd_kafka_DescribeConsumerGroups(
            request.native(),
            pointers.as_mut_ptr(),
            pointers.len(),
            request.options(),
            request.queue(),
        );
    }
    let answer = request.poll()?;
    // SAFETY: everything read here is part of the answer, which lives to the end of the function.
    unsafe {
        let result = c::rd_kafka_event_DescribeConsumerGroups_result(answer.ptr());
        let mut count = 0;
        let groups = c::rd_kafka_DescribeConsumerGroups_result_groups(result, &raw mut count);
        let groups = slice(groups, count).iter();
        Ok(groups
            .map(|group| {
                let name = text(c::rd_kafka_ConsumerGroupDescription_group_id(*group));
                (name, read(*group))
            })
            .collect())
    }
}

/// # Safety
/// `group` must be part of an answer that is still alive.
unsafe fn topics_of_members(group: *const GroupDescription) -> TopicsOfGroup {
    let mut topics = BTreeSet::new();
    // SAFETY: as the caller promises; only members within their count are requested.
    unsafe {
        if let Some(refusal) = refusal(c::rd_kafka_ConsumerGroupDescription_error(group)) {
            return Err(refusal);
        }
        for i in 0..c::rd_kafka_ConsumerGroupDescription_member_count(group) {
            let member = c::rd_kafka_ConsumerGroupDescription_member(group, i);
            let assignment = c::rd_kafka_MemberDescription_assignment(member);
            if !assignment.is_null() {
                let partitions = c::rd_kafka_MemberAssignment_partitions(assignment);
                topics.extend(named(partitions, |_| true));
            }
        }
    }
    Ok(topics)
}
