//! What a cluster says about topics besides their partitions: their ids (KIP-516), which distinguish a topic
//! that was deleted and created again from the one before it, and what the user may do with them (KIP-430).

use std::ffi::CString;
use std::time::Duration;

use rdkafka::bindings as c;

use super::{AdminRefusal, AdminRequest};
use crate::cluster::native::client::Client;
use crate::cluster::native::ffi::code::Code;
use crate::cluster::native::ffi::owned::{Owned, slice, text};
use crate::cluster::native::ffi::raw;
use crate::host::control::Control;
use crate::record::TopicId;

/// What the cluster says about a topic's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FoundTopic {
    Id(TopicId),
    Missing,
    /// The cluster has no ids, or does not show this user the topic.
    Unknown,
}

/// A right on a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopicRight {
    Read,
    Write,
}

/// Whether the user has a right on a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopicAccess {
    Allowed,
    Refused,
    /// The cluster does not say: those before Apache Kafka 2.3 do not.
    Unknown,
}

/// What to ask about topics besides what the cluster always says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Besides {
    Nothing,
    /// What the user may do.
    Operations,
}

/// What the cluster answers about one topic: its description, or why there is none.
type Described = Result<*const c::rd_kafka_TopicDescription_t, Code>;

/// The ids of the topics called `names`. Asks `broker`, any broker of the cluster.
///
/// # Errors
/// Returns an error if the cluster does not say: some are too old to have ids.
pub(crate) fn find(
    client: &Client,
    control: &Control,
    broker: Option<i32>,
    names: &[&str],
    limit: Duration,
) -> Result<Vec<(String, FoundTopic)>, AdminRefusal> {
    let request = request(client, control, (broker, Besides::Nothing), limit)?;
    describe(&request, names, |described| match described {
        // SAFETY: the description is part of the answer, which lives until this returns.
        Ok(topic) => unsafe { id_of(topic) },
        Err(Code::UNKNOWN_TOPIC_OR_PARTITION) => FoundTopic::Missing,
        Err(_) => FoundTopic::Unknown,
    })
}

/// Whether the user has `right` on the topics called `names`. Asks `broker`, any broker of the cluster.
///
/// # Errors
/// Returns an error if the cluster does not say.
pub(crate) fn access(
    client: &Client,
    control: &Control,
    (broker, right): (Option<i32>, TopicRight),
    names: &[&str],
    limit: Duration,
) -> Result<Vec<(String, TopicAccess)>, AdminRefusal> {
    let request = request(client, control, (broker, Besides::Operations), limit)?;
    describe(&request, names, |described| match described {
        // SAFETY: the description is part of the answer, which lives until this returns.
        Ok(topic) => unsafe { access_of(topic, right) },
        Err(_) => TopicAccess::Unknown,
    })
}

fn request<'a>(
    client: &'a Client,
    control: &'a Control,
    (broker, besides): (Option<i32>, Besides),
    limit: Duration,
) -> Result<AdminRequest<'a>, AdminRefusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
    let request = AdminRequest::new(client, control, kind, limit)?;
    if let Some(broker) = broker {
        request.to_broker(broker);
    }
    if besides == Besides::Operations {
        request.with_operations();
    }
    Ok(request)
}

/// Asks about the topics called `names`, and passes the answer for each of them to `read`; it lives until
/// `read` returns.
fn describe<T>(
    request: &AdminRequest<'_>,
    names: &[&str],
    read: impl Fn(Described) -> T,
) -> Result<Vec<(String, T)>, AdminRefusal> {
    let names: Vec<CString> = names
        .iter()
        .map(|name| CString::new(*name).map_err(|_| AdminRefusal::unusable()))
        .collect::<Result<_, _>>()?;
    let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    // SAFETY: the names live through the call, which copies them; the collection is ours.
    let topics = unsafe {
        let topics =
            c::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        Owned::new(topics, c::rd_kafka_TopicCollection_destroy)
    };
    let topics = topics.ok_or_else(AdminRefusal::unusable)?;
    // SAFETY: all arguments outlive the call, which copies them.
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
                let described = match error.is_null() {
                    true => Ok(*topic),
                    false => Err(Code::from_raw(raw::rd_kafka_error_code(error))),
                };
                (name, read(described))
            })
            .collect())
    }
}

/// # Safety
/// `topic` must be part of an answer that is still alive.
unsafe fn id_of(topic: *const c::rd_kafka_TopicDescription_t) -> FoundTopic {
    // SAFETY: as the caller promises; the text lives as long as the id and is copied at once.
    let id = unsafe {
        let id = c::rd_kafka_TopicDescription_topic_id(topic);
        match id.is_null() {
            true => return FoundTopic::Unknown,
            false => text(c::rd_kafka_Uuid_base64str(id)),
        }
    };
    TopicId::parse(&id).map_or(FoundTopic::Unknown, FoundTopic::Id)
}

/// # Safety
/// `topic` must be part of an answer that is still alive.
unsafe fn access_of(
    topic: *const c::rd_kafka_TopicDescription_t,
    right: TopicRight,
) -> TopicAccess {
    let wanted = [
        c::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_ALL,
        match right {
            TopicRight::Read => c::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_READ,
            TopicRight::Write => c::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_WRITE,
        },
    ];
    let wanted = wanted.map(|operation| operation as u32);
    // SAFETY: as the caller promises. The operations are read as integers: a broker may name one that the
    // bindings' enum lacks. Null means that the broker does not list them (librdkafka,
    // rd_kafka_AuthorizedOperations_parse).
    unsafe {
        let mut count = 0;
        let operations = c::rd_kafka_TopicDescription_authorized_operations(topic, &raw mut count);
        if operations.is_null() {
            return TopicAccess::Unknown;
        }
        let operation = |i| *operations.cast::<u32>().add(i);
        match (0..count).any(|i| wanted.contains(&operation(i))) {
            true => TopicAccess::Allowed,
            false => TopicAccess::Refused,
        }
    }
}
