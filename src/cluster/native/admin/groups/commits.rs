//! The committed offsets of consumer groups: the topics for which each group has committed some.

use std::ffi::CString;
use std::ptr;
use std::time::Duration;

use rdkafka::bindings as c;

use super::{TopicsOfGroup, named, refusal};
use crate::cluster::native::admin::{AdminRefusal, AdminRequest, AdminResponse};
use crate::cluster::native::client::Client;
use crate::cluster::native::ffi::owned::{Owned, slice, text};
use crate::host::control::Control;

/// The topics for which each of `groups` has committed offsets. One request per group, all at once.
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

/// Asks for the committed offsets of `group`: for each of `partitions`, or for all.
///
/// # Errors
/// Returns a refusal if a name cannot be passed to C.
pub(in crate::cluster::native::admin) fn ask_committed(
    request: &AdminRequest<'_>,
    group: &str,
    partitions: Option<&Owned<c::rd_kafka_topic_partition_list_t>>,
) -> Result<(), AdminRefusal> {
    let name = CString::new(group).map_err(|_| AdminRefusal::unusable())?;
    let partitions = partitions.map_or(ptr::null(), |list| list.ptr().cast_const());
    // SAFETY: name and list are copied; a null list asks for all partitions (librdkafka.h). The result is
    // ours.
    let question = unsafe {
        let question = c::rd_kafka_ListConsumerGroupOffsets_new(name.as_ptr(), partitions);
        Owned::new(question, c::rd_kafka_ListConsumerGroupOffsets_destroy)
    };
    let question = question.ok_or_else(AdminRefusal::unusable)?;
    let mut questions = [question.ptr()];
    // SAFETY: all arguments outlive the call, which copies them.
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
