//! Requests to the cluster besides those that carry records, sent over the producer's own connections: a
//! separate admin client would connect and authenticate again, and would get no tokens. That rules out
//! rdkafka's `AdminClient`, which always creates a client of its own.

pub(crate) mod groups;
pub(crate) mod offsets;
mod request;
pub(crate) mod topic_ids;

use std::collections::HashMap;
use std::ffi::CString;
use std::time::Duration;

use rdkafka::bindings as c;

pub(crate) use self::request::AdminRefusal;
pub(super) use self::request::{AdminRequest, AdminResponse};
use super::client::{Client, ErrorBuffer};
use super::ffi::code::Code;
use super::ffi::owned::{Owned, slice, text};
use super::ffi::raw;
use crate::host::control::Control;

/// The settings of a topic, or why the cluster does not say.
pub(crate) type Settings = Result<Vec<(String, String)>, String>;

/// The settings of topics, by the topics' names: names and values, or why the cluster does not say, such as a
/// missing right to describe configurations. Asks `broker`, which may be any broker of the cluster: librdkafka
/// would wait for the controller, but any broker can answer, and mock clusters have no controller.
///
/// # Errors
/// Returns an error if the cluster does not answer.
pub(crate) fn topic_settings(
    client: &Client,
    control: &Control,
    broker: Option<i32>,
    topics: &[&str],
    limit: Duration,
) -> Result<HashMap<String, Settings>, AdminRefusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS;
    let request = AdminRequest::new(client, control, kind, limit)?;
    if let Some(broker) = broker {
        request.to_broker(broker);
    }
    let resources = topics.iter().map(|topic| {
        let name = CString::new(*topic).map_err(|_| AdminRefusal::unusable())?;
        // SAFETY: the name is copied; the resource is ours.
        let resource = unsafe {
            let kind = c::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_TOPIC;
            let resource = c::rd_kafka_ConfigResource_new(kind, name.as_ptr());
            Owned::new(resource, c::rd_kafka_ConfigResource_destroy)
        };
        resource.ok_or_else(AdminRefusal::unusable)
    });
    let owned = resources.collect::<Result<Vec<_>, AdminRefusal>>()?;
    let mut resources: Vec<_> = owned.iter().map(Owned::ptr).collect();
    // SAFETY: all arguments outlive the call, which copies them.
    unsafe {
        c::rd_kafka_DescribeConfigs(
            request.native(),
            resources.as_mut_ptr(),
            resources.len(),
            request.options(),
            request.queue(),
        );
    }
    let answer = request.poll()?;
    // SAFETY: everything read here is part of the answer, which lives to the end of the function.
    unsafe {
        let result = c::rd_kafka_event_DescribeConfigs_result(answer.ptr());
        let mut count = 0;
        let described = c::rd_kafka_DescribeConfigs_result_resources(result, &raw mut count);
        let described = slice(described, count).iter();
        let described = described.map(|resource| {
            let name = text(c::rd_kafka_ConfigResource_name(*resource));
            (name, settings_in(*resource))
        });
        Ok(described.collect())
    }
}

/// # Safety
/// `resource` must be part of an answer that is still alive.
unsafe fn settings_in(resource: *const c::rd_kafka_ConfigResource_t) -> Settings {
    let mut settings = Vec::new();
    // SAFETY: as the caller promises; texts are copied.
    unsafe {
        let code = Code::from_raw(raw::rd_kafka_ConfigResource_error(resource));
        if code.is_error() {
            let words = text(c::rd_kafka_ConfigResource_error_string(resource));
            return Err(AdminRefusal::new(code, words).text);
        }
        let mut count = 0;
        let entries = c::rd_kafka_ConfigResource_configs(resource, &raw mut count);
        for entry in slice(entries, count) {
            let value = c::rd_kafka_ConfigEntry_value(*entry);
            if !value.is_null() {
                settings.push((text(c::rd_kafka_ConfigEntry_name(*entry)), text(value)));
            }
        }
    }
    Ok(settings)
}

/// Creates a topic with the cluster's default replication.
///
/// # Errors
/// Returns the cluster's reason for refusing.
pub(crate) fn create_topic(
    client: &Client,
    control: &Control,
    topic: &str,
    partitions: i32,
    limit: Duration,
) -> Result<(), AdminRefusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_CREATETOPICS;
    let request = AdminRequest::new(client, control, kind, limit)?;
    let name = CString::new(topic).map_err(|_| AdminRefusal::unusable())?;
    let mut reason = ErrorBuffer::default();
    // SAFETY: the name is copied, the reason is written within its length, and the result is ours.
    let new = unsafe {
        let (start, size) = (reason.start(), reason.size());
        let new = c::rd_kafka_NewTopic_new(name.as_ptr(), partitions, -1, start, size);
        Owned::new(new, c::rd_kafka_NewTopic_destroy)
    };
    // Such as for more than 100,000 partitions (librdkafka, RD_KAFKAP_PARTITIONS_MAX).
    let new = new.ok_or_else(|| AdminRefusal::new(Code::INVALID_ARGUMENT, reason.text()))?;
    let mut all = [new.ptr()];
    // SAFETY: all arguments outlive the call, which copies them.
    unsafe {
        c::rd_kafka_CreateTopics(
            request.native(),
            all.as_mut_ptr(),
            all.len(),
            request.options(),
            request.queue(),
        );
    }
    let answer = request.poll()?;
    // SAFETY: everything read here is part of the answer, which lives to the end of the function.
    unsafe {
        let result = c::rd_kafka_event_CreateTopics_result(answer.ptr());
        let mut count = 0;
        let topics = c::rd_kafka_CreateTopics_result_topics(result, &raw mut count);
        slice(topics, count)
            .iter()
            .try_for_each(|topic| checked(*topic))
    }
}

/// Gives a topic more partitions, up to `partitions` in all.
///
/// # Errors
/// Returns the cluster's reason for refusing.
pub(crate) fn grow_topic(
    client: &Client,
    control: &Control,
    topic: &str,
    partitions: i32,
    limit: Duration,
) -> Result<(), AdminRefusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_CREATEPARTITIONS;
    let request = AdminRequest::new(client, control, kind, limit)?;
    let name = CString::new(topic).map_err(|_| AdminRefusal::unusable())?;
    let total = usize::try_from(partitions).map_err(|_| AdminRefusal::unusable())?;
    let mut reason = ErrorBuffer::default();
    // SAFETY: the name is copied, the reason is written within its length, and the result is ours.
    let new = unsafe {
        let (start, size) = (reason.start(), reason.size());
        let new = c::rd_kafka_NewPartitions_new(name.as_ptr(), total, start, size);
        Owned::new(new, c::rd_kafka_NewPartitions_destroy)
    };
    let new = new.ok_or_else(|| AdminRefusal::new(Code::INVALID_ARGUMENT, reason.text()))?;
    let mut all = [new.ptr()];
    // SAFETY: all arguments outlive the call, which copies them.
    unsafe {
        c::rd_kafka_CreatePartitions(
            request.native(),
            all.as_mut_ptr(),
            all.len(),
            request.options(),
            request.queue(),
        );
    }
    let answer = request.poll()?;
    // SAFETY: everything read here is part of the answer, which lives to the end of the function.
    unsafe {
        let result = c::rd_kafka_event_CreatePartitions_result(answer.ptr());
        let mut count = 0;
        let topics = c::rd_kafka_CreatePartitions_result_topics(result, &raw mut count);
        slice(topics, count)
            .iter()
            .try_for_each(|topic| checked(*topic))
    }
}

/// # Safety
/// `topic` must be part of an answer that is still alive.
unsafe fn checked(topic: *const c::rd_kafka_topic_result_t) -> Result<(), AdminRefusal> {
    // SAFETY: as the caller promises; the text is copied.
    let (code, words) = unsafe {
        (
            Code::from_raw(raw::rd_kafka_topic_result_error(topic)),
            text(c::rd_kafka_topic_result_error_string(topic)),
        )
    };
    match code.is_error() {
        true => Err(AdminRefusal::new(code, words)),
        false => Ok(()),
    }
}
