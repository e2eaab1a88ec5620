//! Requests about consumer groups: which exist, and which of them the user may see. The files beside this one ask
//! what the members of groups read, and for which topics groups have committed offsets.

mod commits;
mod membership;

use std::collections::BTreeSet;
use std::ffi::CString;
use std::ptr;
use std::time::Duration;

use rdkafka::bindings as c;

pub(super) use self::commits::ask_committed;
pub(crate) use self::commits::committed;
pub(crate) use self::membership::{GroupMembers, assigned, members};
use super::{AdminRefusal, AdminRequest};
use crate::cluster::native::client::{Client, whole_ms};
use crate::cluster::native::ffi::code::Code;
use crate::cluster::native::ffi::owned::{slice, text};
use crate::cluster::native::ffi::raw;
use crate::host::control::Control;

/// The groups that a cluster names. It silently leaves out those that the user may not see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GroupListing {
    pub(crate) names: Vec<String>,
    /// The refusals of brokers that did not answer: their groups are missing.
    pub(crate) refusals: Vec<AdminRefusal>,
}

/// What a group reads, or why the cluster does not say.
pub(crate) type TopicsOfGroup = Result<BTreeSet<String>, AdminRefusal>;

/// All groups, of either protocol, that the cluster names.
///
/// # Errors
/// Returns the refusal if no broker answers.
pub(crate) fn list(
    client: &Client,
    control: &Control,
    limit: Duration,
) -> Result<GroupListing, AdminRefusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS;
    let request = AdminRequest::new(client, control, kind, limit)?;
    // SAFETY: all arguments outlive the call.
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

/// Whether a group of this name exists, of any kind: librdkafka's newer calls leave out share groups
/// (KIP-932). Blocks up to `limit`.
///
/// # Errors
/// Returns the refusal if no broker answers.
pub(crate) fn exists(client: &Client, group: &str, limit: Duration) -> Result<bool, AdminRefusal> {
    let name = CString::new(group).map_err(|_| AdminRefusal::unusable())?;
    let mut list = ptr::null();
    // SAFETY: all arguments outlive the call. The list is ours, and its count is read through the pointer: a
    // reference to a group would claim that its error code is one of the bindings' enum.
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

/// Whether the user may see every group, which requires the right to describe the cluster.
///
/// # Errors
/// Returns the cluster's reason for not answering.
pub(crate) fn all_are_visible(
    client: &Client,
    control: &Control,
    limit: Duration,
) -> Result<bool, AdminRefusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER;
    let request = AdminRequest::new(client, control, kind, limit)?;
    request.with_operations();
    // SAFETY: all arguments outlive the call.
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

/// The refusal in an error; `None` for a null pointer, and for an error that means success.
///
/// # Safety
/// `error` must be null or part of an answer that is still alive.
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

/// The topics of those partitions in a list whose offset is `wanted`.
///
/// # Safety
/// `list` must be null or point to a live list.
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
