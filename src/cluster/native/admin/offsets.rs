//! Requests for offsets: what a group has committed, and how far a log reaches.

use std::ffi::CString;
use std::ptr;
use std::time::Duration;

use rdkafka::bindings as c;

use super::groups::{ask_committed, refusal};
use super::{AdminRefusal, AdminRequest};
use crate::cluster::native::client::Client;
use crate::cluster::native::ffi::owned::{Owned, slice, text};
use crate::host::control::Control;

/// A partition and an offset in it; `None` if the cluster does not name one.
pub(crate) type PartitionOffset = (String, i32, Option<i64>);

/// Which end of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogEnd {
    /// The first offset that still exists.
    Start,
    /// The last stable offset: where a reader of committed records stops.
    LastStable,
    /// The high watermark: where any reader stops.
    High,
}

/// What `group` has committed for each of `partitions`. librdkafka asks again while a transaction that
/// commits offsets is open, because an unstable offset may still be withdrawn.
///
/// # Errors
/// Returns the cluster's reason for not answering.
pub(crate) fn committed(
    client: &Client,
    control: &Control,
    group: &str,
    partitions: &[(String, i32)],
    limit: Duration,
) -> Result<Vec<PartitionOffset>, AdminRefusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS;
    let request = AdminRequest::new(client, control, kind, limit)?;
    let list = partition_list(partitions, None)?;
    ask_committed(&request, group, Some(&list))?;
    let answer = request.poll()?;
    // SAFETY: everything read here is part of the answer, which lives to the end of the function.
    unsafe {
        let result = c::rd_kafka_event_ListConsumerGroupOffsets_result(answer.ptr());
        let mut count = 0;
        let groups = c::rd_kafka_ListConsumerGroupOffsets_result_groups(result, &raw mut count);
        let Some(group) = slice(groups, count).first() else {
            return Ok(Vec::new());
        };
        match refusal(c::rd_kafka_group_result_error(*group)) {
            Some(refusal) => Err(refusal),
            None => Ok(offsets_in(c::rd_kafka_group_result_partitions(*group))),
        }
    }
}

/// Where the logs of `partitions` begin or end.
///
/// # Errors
/// Returns the cluster's reason for not answering.
pub(crate) fn log_ends(
    client: &Client,
    control: &Control,
    partitions: &[(String, i32)],
    end: LogEnd,
    limit: Duration,
) -> Result<Vec<PartitionOffset>, AdminRefusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTOFFSETS;
    let request = AdminRequest::new(client, control, kind, limit)?;
    if end == LogEnd::LastStable {
        request.read_committed();
    }
    let wanted = match end {
        LogEnd::Start => c::rd_kafka_OffsetSpec_t::RD_KAFKA_OFFSET_SPEC_EARLIEST,
        LogEnd::LastStable | LogEnd::High => c::rd_kafka_OffsetSpec_t::RD_KAFKA_OFFSET_SPEC_LATEST,
    };
    let list = partition_list(partitions, Some(wanted as i64))?;
    // SAFETY: all arguments outlive the call, which copies them.
    unsafe {
        c::rd_kafka_ListOffsets(
            request.native(),
            list.ptr(),
            request.options(),
            request.queue(),
        );
    }
    let answer = request.poll()?;
    // SAFETY: everything read here is part of the answer, which lives to the end of the function.
    unsafe {
        let result = c::rd_kafka_event_ListOffsets_result(answer.ptr());
        let mut count = 0;
        let infos = c::rd_kafka_ListOffsets_result_infos(result, &raw mut count);
        let partitions = slice(infos.cast(), count).iter();
        let partitions =
            partitions.map(|info| c::rd_kafka_ListOffsetsResultInfo_topic_partition(*info));
        Ok(partitions.map(|partition| offset_in(partition)).collect())
    }
}

/// # Errors
/// Returns an error if a name cannot be passed to C.
fn partition_list(
    partitions: &[(String, i32)],
    offset: Option<i64>,
) -> Result<Owned<c::rd_kafka_topic_partition_list_t>, AdminRefusal> {
    let size = i32::try_from(partitions.len()).map_err(|_| AdminRefusal::unusable())?;
    // SAFETY: the list is ours, and grows by itself.
    let list = unsafe {
        let list = c::rd_kafka_topic_partition_list_new(size);
        Owned::new(list, c::rd_kafka_topic_partition_list_destroy)
    };
    let list = list.ok_or_else(AdminRefusal::unusable)?;
    for (topic, partition) in partitions {
        let topic = CString::new(topic.as_str()).map_err(|_| AdminRefusal::unusable())?;
        // SAFETY: the list is ours, the name is copied, and the returned element is part of the list.
        unsafe {
            let element =
                c::rd_kafka_topic_partition_list_add(list.ptr(), topic.as_ptr(), *partition);
            if let Some(offset) = offset {
                ptr::addr_of_mut!((*element).offset).write(offset);
            }
        }
    }
    Ok(list)
}

/// # Safety
/// `list` must be null or point to a live list.
unsafe fn offsets_in(list: *const c::rd_kafka_topic_partition_list_t) -> Vec<PartitionOffset> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: as the caller promises; the list has `cnt` elements.
    unsafe {
        let count = usize::try_from((*list).cnt).unwrap_or_default();
        (0..count)
            .map(|i| offset_in((*list).elems.add(i)))
            .collect()
    }
}

/// # Safety
/// `partition` must be part of a list or answer that is still alive, and have its topic's name.
unsafe fn offset_in(partition: *const c::rd_kafka_topic_partition_t) -> PartitionOffset {
    // Fields are read through the pointer: a reference would claim that the error code is one of the
    // bindings' enum.
    // SAFETY: as the caller promises.
    unsafe {
        let offset = (*partition).offset;
        let name = text((*partition).topic);
        (
            name,
            (*partition).partition,
            (offset >= 0).then_some(offset),
        )
    }
}
