//! Questions about consumer groups: which there are, what their members read, and for which topics
//! they have committed offsets.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::ptr;
use std::time::Duration;

use rdkafka::bindings as c;

use super::{AdminRefusal, AdminRequest, AdminResponse};
use crate::cluster::native::client::{Client, whole_ms};
use crate::cluster::native::ffi::code::Code;
use crate::cluster::native::ffi::owned::{Owned, slice, text};
use crate::cluster::native::ffi::raw;
use crate::host::control::Control;

/// The groups that a cluster names. It leaves out those that the user may not see, without a word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GroupListing {
    pub(crate) names: Vec<String>,
    /// Of brokers that did not answer: their groups are missing.
    pub(crate) refusals: Vec<AdminRefusal>,
}

/// What a group reads, or why the cluster does not say.
pub(crate) type TopicsOfGroup = Result<BTreeSet<String>, AdminRefusal>;

/// All groups, of either protocol, that the cluster names.
///
/// # Errors
/// That no broker answers.
pub(crate) fn list(
    client: &Client,
    control: &Control,
    limit: Duration,
) -> Result<GroupListing, AdminRefusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS;
    let request = AdminRequest::new(client, control, kind, limit)?;
    // SAFETY: all that is passed lives through the call.
    unsafe { c::rd_kafka_ListConsumerGroups(request.native(), request.options(), request.queue()) };
    let answer = request.poll()?;
    // SAFETY: everything read here is part of the answer, which lives to the end of the function.
    unsafe {
        let result = c::rd_kafka_event_ListConsumerGroups_result(answer.ptr());
        let mut count = 0;
        let groups = c::rd_kafka_ListConsumerGroups_result_valid(result, &raw mut count);
        let names = slice(groups, count).iter();
        let names = names.map(|group| text(c::rd_kafka_ConsumerGroupListing_group_id(*group)));
        let errors = c::rd_kafka_ListConsumerGroups_result_errors(result, &raw mut count);
        let refusals = slice(errors, count).iter();
        Ok(GroupListing {
            names: names.collect(),
            refusals: refusals.filter_map(|error| refusal(*error)).collect(),
        })
    }
}

/// Whether there is a group of this name, of any kind: librdkafka's newer calls leave out share groups
/// (KIP-932). Blocks up to `limit`.
///
/// # Errors
/// That no broker answers.
pub(crate) fn is_there(
    client: &Client,
    group: &str,
    limit: Duration,
) -> Result<bool, AdminRefusal> {
    let name = CString::new(group).map_err(|_| AdminRefusal::unusable())?;
    let mut list = ptr::null();
    // SAFETY: all that is passed lives through the call. The list is ours, and its count is read through the
    // pointer: a reference to a group would claim that its error code is one of the bindings' enum.
    unsafe {
        let limit = whole_ms(limit);
        let code = raw::rd_kafka_list_groups(client.native(), name.as_ptr(), &raw mut list, limit);
        if list.is_null() {
            return Err(AdminRefusal::new(Code::from_raw(code), String::new()));
        }
        let count = (*list).group_cnt;
        c::rd_kafka_group_list_destroy(list);
        Ok(count > 0)
    }
}

/// Whether the user may see every group: who may describe the cluster may.
///
/// # Errors
/// That the cluster does not say.
pub(crate) fn all_are_visible(
    client: &Client,
    control: &Control,
    limit: Duration,
) -> Result<bool, AdminRefusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER;
    let request = AdminRequest::new(client, control, kind, limit)?;
    request.with_operations();
    // SAFETY: all that is passed lives through the call.
    unsafe { c::rd_kafka_DescribeCluster(request.native(), request.options(), request.queue()) };
    let answer = request.poll()?;
    let wanted = [
        c::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_ALL,
        c::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_DESCRIBE,
    ];
    let wanted = wanted.map(|operation| operation as u32);
    // SAFETY: everything read here is part of the answer, which lives to the end of the function. The
    // operations are read as integers: a broker may name one that the bindings' enum lacks.
    unsafe {
        let result = c::rd_kafka_event_DescribeCluster_result(answer.ptr());
        let mut count = 0;
        let operations =
            c::rd_kafka_DescribeCluster_result_authorized_operations(result, &raw mut count);
        let operation = |i| *operations.cast::<u32>().add(i);
        Ok(!operations.is_null() && (0..count).any(|i| wanted.contains(&operation(i))))
    }
}

/// What the cluster says of a group's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupMembers {
    /// No consumer group has that name: there is none, or it is of another kind.
    NoGroup,
    /// The group has so many members.
    Count(usize),
}

/// A group as the cluster describes it.
type GroupDescription = c::rd_kafka_ConsumerGroupDescription_t;

/// `RD_KAFKA_CONSUMER_GROUP_STATE_DEAD` (librdkafka.h): how a classic group that is not there is
/// described.
const DEAD: i32 = 4;

/// The members of a group, of either protocol.
///
/// # Errors
/// The cluster's reason not to say.
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
/// The group has to be part of an answer that lives.
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

/// The topics that members of `groups` are assigned to, by group.
///
/// # Errors
/// That no broker answers.
pub(crate) fn assigned(
    client: &Client,
    control: &Control,
    groups: &[String],
    limit: Duration,
) -> Result<Vec<(String, TopicsOfGroup)>, AdminRefusal> {
    describe(client, control, groups, limit, topics_of_members)
}

/// Has `groups` described, of either protocol, and gives what `read` makes of each, by group.
///
/// # Errors
/// That no broker answers.
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
    // SAFETY: all that is passed lives through the call, which copies it.
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
/// The group has to be part of an answer that lives.
unsafe fn topics_of_members(group: *const GroupDescription) -> TopicsOfGroup {
    let mut topics = BTreeSet::new();
    // SAFETY: as the caller promises; members are asked for within their count.
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

/// The topics for which each of `groups` has committed offsets. All are asked for at once.
pub(crate) fn committed(
    client: &Client,
    control: &Control,
    groups: &[String],
    limit: Duration,
) -> Result<Vec<(String, TopicsOfGroup)>, AdminRefusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS;
    let request = AdminRequest::new(client, control, kind, limit)?;
    for group in groups {
        ask_committed(&request, group, None)?;
    }
    let mut all = Vec::new();
    for _ in groups {
        match request.poll() {
            Ok(answer) => all.extend(committed_in(&answer)),
            // The answer to a question that failed does not name its group.
            Err(refusal) => all.push((String::new(), Err(refusal))),
        }
    }
    Ok(all)
}

/// Asks what `group` has committed for each of `partitions`, or for all that it has.
///
/// # Errors
/// That the name cannot be passed to C.
pub(super) fn ask_committed(
    request: &AdminRequest<'_>,
    group: &str,
    partitions: Option<&Owned<c::rd_kafka_topic_partition_list_t>>,
) -> Result<(), AdminRefusal> {
    let name = CString::new(group).map_err(|_| AdminRefusal::unusable())?;
    let partitions = partitions.map_or(ptr::null(), |list| list.ptr().cast_const());
    // SAFETY: name and list are copied; a null list asks for all partitions (librdkafka.h). What is made is
    // ours.
    let question = unsafe {
        let question = c::rd_kafka_ListConsumerGroupOffsets_new(name.as_ptr(), partitions);
        Owned::new(question, c::rd_kafka_ListConsumerGroupOffsets_destroy)
    };
    let question = question.ok_or_else(AdminRefusal::unusable)?;
    let mut questions = [question.ptr()];
    // SAFETY: all that is passed lives through the call, which copies it.
    unsafe {
        c::rd_kafka_ListConsumerGroupOffsets(
            request.native(),
            questions.as_mut_ptr(),
            questions.len(),
            request.options(),
            request.queue(),
        );
    }
    Ok(())
}

fn committed_in(answer: &AdminResponse) -> Vec<(String, TopicsOfGroup)> {
    // SAFETY: everything read here is part of the answer, which is borrowed.
    unsafe {
        let result = c::rd_kafka_event_ListConsumerGroupOffsets_result(answer.ptr());
        let mut count = 0;
        let groups = c::rd_kafka_ListConsumerGroupOffsets_result_groups(result, &raw mut count);
        let groups = slice(groups, count).iter();
        groups
            .map(|group| {
                let partitions = c::rd_kafka_group_result_partitions(*group);
                let reads = match refusal(c::rd_kafka_group_result_error(*group)) {
                    Some(refusal) => Err(refusal),
                    None => Ok(named(partitions, |offset| offset >= 0)),
                };
                (text(c::rd_kafka_group_result_name(*group)), reads)
            })
            .collect()
    }
}

/// What an error says; none for a null pointer, or when it says that all is well.
///
/// # Safety
/// The error has to be null or part of an answer that lives.
pub(super) unsafe fn refusal(error: *const c::rd_kafka_error_t) -> Option<AdminRefusal> {
    if error.is_null() {
        return None;
    }
    // SAFETY: as the caller promises; the text is copied.
    let (code, words) = unsafe {
        (
            Code::from_raw(raw::rd_kafka_error_code(error)),
            text(c::rd_kafka_error_string(error)),
        )
    };
    code.is_error().then(|| AdminRefusal::new(code, words))
}

/// The topics of a list of partitions, of those whose offset is `wanted`.
///
/// # Safety
/// The list has to be null or live.
unsafe fn named(
    list: *const c::rd_kafka_topic_partition_list_t,
    wanted: impl Fn(i64) -> bool,
) -> BTreeSet<String> {
    if list.is_null() {
        return BTreeSet::new();
    }
    // Fields are read through the pointer: a reference would claim that the error code of each is one
    // of the bindings' enum.
    // SAFETY: as the caller promises; the list has `cnt` elements, each with a topic's name.
    unsafe {
        let count = usize::try_from((*list).cnt).unwrap_or_default();
        let partitions = (0..count).map(|i| (*list).elems.add(i));
        partitions
            .filter(|partition| wanted((**partition).offset))
            .map(|partition| text((*partition).topic))
            .collect()
    }
}
