//! The ids of topics (KIP-516): by its id a topic that was deleted and created again is told from the
//! one before it.

use std::ffi::CString;
use std::time::Duration;

use rdkafka::bindings as c;

use super::admin::{AdminRequest, Refusal};
use super::client::Client;
use super::code::Code;
use super::owned::{Owned, slice, text};
use super::raw;
use crate::produce::control::Control;
use crate::record::TopicId;

/// What the cluster says of a topic's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::produce) enum FoundTopic {
    Id(TopicId),
    Missing,
    /// The cluster has no ids, or does not show this user the topic.
    Untold,
}

/// The ids of the topics called `names`; `broker` is asked, any of the cluster.
///
/// # Errors
/// That the cluster does not say, such as one that is too old to have ids.
pub(in crate::produce) fn find(
    client: &Client,
    control: &Control,
    broker: Option<i32>,
    names: &[&str],
    limit: Duration,
) -> Result<Vec<(String, FoundTopic)>, Refusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
    let request = AdminRequest::new(client, control, kind, limit)?;
    if let Some(broker) = broker {
        request.to_broker(broker);
    }
    let names: Vec<CString> = names
        .iter()
        .map(|name| CString::new(*name).map_err(|_| Refusal::unusable()))
        .collect::<Result<_, _>>()?;
    let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    // SAFETY: the names live through the call, which copies them; the collection is ours.
    let topics = unsafe {
        let topics =
            c::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        Owned::new(topics, c::rd_kafka_TopicCollection_destroy)
    };
    let topics = topics.ok_or_else(Refusal::unusable)?;
    // SAFETY: all that is passed lives through the call, which copies it.
    unsafe {
        c::rd_kafka_DescribeTopics(
            request.native(),
            topics.ptr(),
            request.options(),
            request.queue(),
        );
    }
    let answer = request.poll()?;
    // SAFETY: everything read here is part of the answer, which lives to the end of the function.
    unsafe {
        let result = c::rd_kafka_event_DescribeTopics_result(answer.ptr());
        let mut count = 0;
        let described = c::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        let described = slice(described, count).iter();
        Ok(described
            .map(|topic| {
                let name = text(c::rd_kafka_TopicDescription_name(*topic));
                let error = c::rd_kafka_TopicDescription_error(*topic);
                let code = match error.is_null() {
                    true => return (name, id_of(*topic)),
                    false => Code::from_raw(raw::rd_kafka_error_code(error)),
                };
                let found = match code {
                    Code::UNKNOWN_TOPIC_OR_PARTITION => FoundTopic::Missing,
                    _ => FoundTopic::Untold,
                };
                (name, found)
            })
            .collect())
    }
}

/// # Safety
/// `topic` has to be part of an answer that lives.
unsafe fn id_of(topic: *const c::rd_kafka_TopicDescription_t) -> FoundTopic {
    // SAFETY: as the caller promises; the text lives as long as the id and is copied at once.
    let id = unsafe {
        let id = c::rd_kafka_TopicDescription_topic_id(topic);
        match id.is_null() {
            true => return FoundTopic::Untold,
            false => text(c::rd_kafka_Uuid_base64str(id)),
        }
    };
    TopicId::parse(&id).map_or(FoundTopic::Untold, FoundTopic::Id)
}
