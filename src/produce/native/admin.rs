//! Questions to the cluster beside the records, asked through the producer's own connections: an
//! admin client of its own would connect and authenticate once more, and would not hear of tokens.

use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::time::Duration;

use rdkafka::bindings as c;
use rdkafka::producer::Producer as _;
use rdkafka::types::RDKafkaErrorCode;

use super::Client;
use crate::produce::client::code_words;

/// What the cluster says against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::produce) struct Refusal {
    pub(in crate::produce) code: RDKafkaErrorCode,
    /// The cluster's words, or librdkafka's.
    pub(in crate::produce) text: String,
}

impl Refusal {
    fn new(code: c::rd_kafka_resp_err_t, text: *const c_char) -> Self {
        let code = RDKafkaErrorCode::from(code);
        let words = match text.is_null() {
            true => String::new(),
            false => owned(text),
        };
        let text = match words.is_empty() {
            true => code_words(code),
            false => words,
        };
        Self { code, text }
    }
}

/// Something of librdkafka's that is given back at the end.
pub(super) struct Owned<T> {
    ptr: *mut T,
    destroy: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// None for a null pointer. `destroy` has to be the function that librdkafka names for `ptr`.
    pub(super) fn new(ptr: *mut T, destroy: unsafe extern "C" fn(*mut T)) -> Option<Self> {
        (!ptr.is_null()).then_some(Self { ptr, destroy })
    }

    pub(super) fn ptr(&self) -> *mut T {
        self.ptr
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from librdkafka with this destructor and is given up here only.
        unsafe { (self.destroy)(self.ptr) }
    }
}

/// Where answers arrive, and how long they may take.
pub(super) struct Desk<'a> {
    client: &'a Client,
    queue: Owned<c::rd_kafka_queue_t>,
    options: Owned<c::rd_kafka_AdminOptions_t>,
    limit_ms: i32,
}

/// The answer to one question.
pub(super) type Answer = Owned<c::rd_kafka_event_t>;

impl<'a> Desk<'a> {
    pub(super) fn new(
        client: &'a Client,
        kind: c::rd_kafka_admin_op_t,
        limit: Duration,
    ) -> Option<Self> {
        let limit_ms = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
        let native = client.client().native_ptr();
        // SAFETY: the client lives longer than the queue and the options, by the borrow.
        let (queue, options) = unsafe {
            (
                c::rd_kafka_queue_new(native),
                c::rd_kafka_AdminOptions_new(native, kind),
            )
        };
        let queue = Owned::new(queue, c::rd_kafka_queue_destroy)?;
        let options = Owned::new(options, c::rd_kafka_AdminOptions_destroy)?;
        let mut reason: [c_char; 256] = [0; 256];
        // SAFETY: the reason is written within its length; a refused limit leaves the default.
        unsafe {
            c::rd_kafka_AdminOptions_set_request_timeout(
                options.ptr,
                limit_ms,
                reason.as_mut_ptr(),
                reason.len(),
            )
        };
        Some(Self {
            client,
            queue,
            options,
            limit_ms,
        })
    }

    /// Asks this broker.
    fn ask(&self, broker: i32) {
        let mut reason: [c_char; 256] = [0; 256];
        // SAFETY: the reason is written within its length; a refused broker leaves the default.
        unsafe {
            c::rd_kafka_AdminOptions_set_broker(
                self.options.ptr,
                broker,
                reason.as_mut_ptr(),
                reason.len(),
            )
        };
    }

    pub(super) fn native(&self) -> *mut c::rd_kafka_t {
        self.client.client().native_ptr()
    }

    pub(super) fn options(&self) -> *const c::rd_kafka_AdminOptions_t {
        self.options.ptr
    }

    pub(super) fn queue(&self) -> *mut c::rd_kafka_queue_t {
        self.queue.ptr
    }

    /// Waits for the next answer.
    pub(super) fn answer(&self) -> Result<Answer, Refusal> {
        // librdkafka answers by itself when its limit has passed; the rest is for its own way.
        let patience = self.limit_ms.saturating_add(500);
        // SAFETY: the queue is ours, and so is the event that it gives.
        let event = unsafe { c::rd_kafka_queue_poll(self.queue.ptr, patience) };
        let timed_out = c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__TIMED_OUT;
        let event = Owned::new(event, c::rd_kafka_event_destroy)
            .ok_or_else(|| Refusal::new(timed_out, ptr::null()))?;
        // SAFETY: the event lives through both calls; its text is copied at once.
        let (code, text) = unsafe {
            (
                c::rd_kafka_event_error(event.ptr),
                c::rd_kafka_event_error_string(event.ptr),
            )
        };
        match code {
            c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(event),
            code => Err(Refusal::new(code, text)),
        }
    }
}

pub(super) fn unusable() -> Refusal {
    Refusal::new(
        c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__INVALID_ARG,
        ptr::null(),
    )
}

/// A copy of a text of librdkafka's, which must not be null.
pub(super) fn owned(text: *const c_char) -> String {
    // SAFETY: librdkafka's texts end with a NUL and live as long as what they were asked of.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// A list of librdkafka's as a slice: it gives a null pointer for an empty one.
///
/// # Safety
/// `list` has to be null or the beginning of `count` pointers that live through `'a`.
pub(super) unsafe fn slice<'a, T>(list: *mut *const T, count: usize) -> &'a [*const T] {
    match list.is_null() {
        true => &[],
        // SAFETY: as the caller promises.
        false => unsafe { std::slice::from_raw_parts(list, count) },
    }
}

/// The settings of a topic, as names and values. `broker` is asked, any of the cluster: librdkafka
/// would wait for the controller, which every broker stands in for, and mock clusters have none.
///
/// # Errors
/// That the cluster does not tell, such as without the right to describe configurations.
pub(in crate::produce) fn topic_settings(
    client: &Client,
    broker: Option<i32>,
    topic: &str,
    limit: Duration,
) -> Result<Vec<(String, String)>, Refusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS;
    let desk = Desk::new(client, kind, limit).ok_or_else(unusable)?;
    if let Some(broker) = broker {
        desk.ask(broker);
    }
    let name = CString::new(topic).map_err(|_| unusable())?;
    // SAFETY: the name is copied.
    let resource = unsafe {
        c::rd_kafka_ConfigResource_new(
            c::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_TOPIC,
            name.as_ptr(),
        )
    };
    let resource = Owned::new(resource, c::rd_kafka_ConfigResource_destroy).ok_or_else(unusable)?;
    let mut resources = [resource.ptr];
    // SAFETY: all that is passed lives through the call, which copies it.
    unsafe {
        c::rd_kafka_DescribeConfigs(
            desk.native(),
            resources.as_mut_ptr(),
            resources.len(),
            desk.options(),
            desk.queue(),
        );
    }
    let answer = desk.answer()?;
    let mut settings = Vec::new();
    // SAFETY: everything read here is part of the answer, which lives to the end of the function.
    unsafe {
        let result = c::rd_kafka_event_DescribeConfigs_result(answer.ptr());
        let mut count = 0;
        let described = c::rd_kafka_DescribeConfigs_result_resources(result, &raw mut count);
        for resource in slice(described, count) {
            let code = c::rd_kafka_ConfigResource_error(*resource);
            if code != c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                let text = c::rd_kafka_ConfigResource_error_string(*resource);
                return Err(Refusal::new(code, text));
            }
            let entries = c::rd_kafka_ConfigResource_configs(*resource, &raw mut count);
            for entry in slice(entries, count) {
                let value = c::rd_kafka_ConfigEntry_value(*entry);
                if !value.is_null() {
                    settings.push((owned(c::rd_kafka_ConfigEntry_name(*entry)), owned(value)));
                }
            }
        }
    }
    Ok(settings)
}

/// Creates a topic with the cluster's default replication.
///
/// # Errors
/// The cluster's reason.
pub(in crate::produce) fn create_topic(
    client: &Client,
    topic: &str,
    partitions: i32,
    limit: Duration,
) -> Result<(), Refusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_CREATETOPICS;
    let desk = Desk::new(client, kind, limit).ok_or_else(unusable)?;
    let name = CString::new(topic).map_err(|_| unusable())?;
    // SAFETY: the name is copied; no reason is asked for.
    let new =
        unsafe { c::rd_kafka_NewTopic_new(name.as_ptr(), partitions, -1, ptr::null_mut(), 0) };
    let new = Owned::new(new, c::rd_kafka_NewTopic_destroy).ok_or_else(unusable)?;
    let mut all = [new.ptr];
    // SAFETY: all that is passed lives through the call, which copies it.
    unsafe {
        c::rd_kafka_CreateTopics(
            desk.native(),
            all.as_mut_ptr(),
            all.len(),
            desk.options(),
            desk.queue(),
        );
    }
    let answer = desk.answer()?;
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

/// Gives a topic more partitions: as many as `partitions` in all.
///
/// # Errors
/// The cluster's reason.
pub(in crate::produce) fn grow_topic(
    client: &Client,
    topic: &str,
    partitions: i32,
    limit: Duration,
) -> Result<(), Refusal> {
    let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_CREATEPARTITIONS;
    let desk = Desk::new(client, kind, limit).ok_or_else(unusable)?;
    let name = CString::new(topic).map_err(|_| unusable())?;
    let total = usize::try_from(partitions).map_err(|_| unusable())?;
    // SAFETY: the name is copied; no reason is asked for.
    let new = unsafe { c::rd_kafka_NewPartitions_new(name.as_ptr(), total, ptr::null_mut(), 0) };
    let new = Owned::new(new, c::rd_kafka_NewPartitions_destroy).ok_or_else(unusable)?;
    let mut all = [new.ptr];
    // SAFETY: all that is passed lives through the call, which copies it.
    unsafe {
        c::rd_kafka_CreatePartitions(
            desk.native(),
            all.as_mut_ptr(),
            all.len(),
            desk.options(),
            desk.queue(),
        );
    }
    let answer = desk.answer()?;
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
/// The result has to be part of an answer that lives.
unsafe fn checked(topic: *const c::rd_kafka_topic_result_t) -> Result<(), Refusal> {
    // SAFETY: as the caller promises; the text is copied at once.
    let (code, text) = unsafe {
        (
            c::rd_kafka_topic_result_error(topic),
            c::rd_kafka_topic_result_error_string(topic),
        )
    };
    match code {
        c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        code => Err(Refusal::new(code, text)),
    }
}
