//! The few calls of librdkafka's C API that the rdkafka crate does not offer, each behind a safe
//! function: those for records here, questions to the cluster in `admin.rs` and
//! `groups.rs`. The only folder in which
//! `unsafe` is allowed.
#![allow(unsafe_code, reason = "librdkafka's C API, see each call")]

pub(super) mod admin;
pub(super) mod groups;

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as c;
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::{BaseProducer, Producer as _};
use rdkafka::types::RDKafkaErrorCode;

use super::context::Context;
use super::in_flight::InFlightBatch;
use super::token::Token;

/// The producer that everything here works on.
pub(super) type Client = BaseProducer<Context>;

/// The partition number by which librdkafka's partitioner is asked to choose.
pub(super) const UNASSIGNED: i32 = -1;

/// A topic's handle: kept, so that records need no look-up by name. Lives no longer than its
/// client, and on one thread.
pub(super) struct TopicHandle {
    topic: *mut c::rd_kafka_topic_t,
    client: Arc<Client>,
}

impl TopicHandle {
    /// None when librdkafka refuses the name.
    pub(super) fn new(client: &Arc<Client>, name: &str) -> Option<Self> {
        let name = CString::new(name).ok()?;
        // SAFETY: the client and the string live through the call; a null configuration means the
        // client's default. librdkafka.h, rd_kafka_topic_new.
        let topic = unsafe {
            c::rd_kafka_topic_new(client.client().native_ptr(), name.as_ptr(), ptr::null_mut())
        };
        (!topic.is_null()).then(|| Self {
            topic,
            client: client.clone(),
        })
    }
}

impl Drop for TopicHandle {
    fn drop(&mut self) {
        // SAFETY: the handle came from rd_kafka_topic_new and is given up here and nowhere else.
        unsafe { c::rd_kafka_topic_destroy(self.topic) }
    }
}

/// One record as librdkafka is given it; all but the value is copied before the call returns.
pub(super) struct Outgoing<'a, H> {
    pub(super) partition: i32,
    /// Where key and value are: the value stays there until the delivery.
    pub(super) batch: &'a InFlightBatch,
    pub(super) index: usize,
    /// Milliseconds since 1970; 0 is the time of sending.
    pub(super) timestamp_ms: i64,
    /// Names and values, in order.
    pub(super) headers: H,
}

/// Hands a record to librdkafka; `full` is called as long as its queue is full, and gives up by
/// returning `false`.
///
/// # Errors
/// librdkafka's reason for refusing the record: it will get no delivery.
pub(super) fn produce<'a, H>(
    topic: &TopicHandle,
    record: Outgoing<'a, H>,
    mut full: impl FnMut() -> bool,
) -> Result<(), RDKafkaErrorCode>
where
    H: Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
{
    let headers = Headers::build(record.headers);
    let vus = arguments(
        topic,
        record.partition,
        record.batch,
        record.index,
        record.timestamp_ms,
    );
    let mut all = [vus[0]; 8];
    all[..7].copy_from_slice(&vus);
    let mut count = 7;
    if let Some(headers) = &headers {
        let u = c::rd_kafka_vu_s__bindgen_ty_1 { headers: headers.0 };
        all[count] = c::rd_kafka_vu_t {
            vtype: c::rd_kafka_vtype_t::RD_KAFKA_VTYPE_HEADERS,
            u,
        };
        count += 1;
    }
    let client = topic.client.client().native_ptr();
    loop {
        // SAFETY: `all` holds `count` arguments whose pointers live through the call. Without
        // RD_KAFKA_MSG_F_COPY librdkafka keeps the pointer to the value until it has told of the
        // delivery: until then the in-flight account holds the batch that the value stands in, and it
        // outlives the client, which holds it by its context. librdkafka.h, rd_kafka_produceva.
        let error = unsafe { c::rd_kafka_produceva(client, all.as_ptr(), count) };
        if error.is_null() {
            // librdkafka owns the headers from here on.
            std::mem::forget(headers);
            return Ok(());
        }
        // SAFETY: a non-null error is the caller's, to be read and destroyed once.
        let code = unsafe {
            let code = c::rd_kafka_error_code(error);
            c::rd_kafka_error_destroy(error);
            code
        };
        let code = RDKafkaErrorCode::from(code);
        if code != RDKafkaErrorCode::QueueFull || !full() {
            return Err(code);
        }
    }
}

fn arguments(
    topic: &TopicHandle,
    partition: i32,
    batch: &InFlightBatch,
    index: usize,
    timestamp_ms: i64,
) -> [c::rd_kafka_vu_t; 7] {
    use c::rd_kafka_vtype_t as Type;
    type Union = c::rd_kafka_vu_s__bindgen_ty_1;
    let record = &batch.batch().records[index];
    let key = record.key.map(|key| batch.batch().slice(key));
    let value = record.value.map(|value| batch.batch().slice(value));
    let tag = batch.tag(index).pack();
    let memory = |bytes: Option<&[u8]>| {
        // A null pointer is a null key or value; an empty slice has a pointer and no length.
        let (ptr, size) = bytes.map_or((ptr::null(), 0), |bytes| (bytes.as_ptr(), bytes.len()));
        Union {
            mem: c::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 {
                ptr: ptr as *mut c_void,
                size,
            },
        }
    };
    let argument = |vtype, u| c::rd_kafka_vu_t { vtype, u };
    [
        argument(Type::RD_KAFKA_VTYPE_RKT, Union { rkt: topic.topic }),
        argument(Type::RD_KAFKA_VTYPE_PARTITION, Union { i32_: partition }),
        // The value is neither copied nor freed by librdkafka.
        argument(Type::RD_KAFKA_VTYPE_MSGFLAGS, Union { i: 0 }),
        argument(Type::RD_KAFKA_VTYPE_VALUE, memory(value)),
        argument(Type::RD_KAFKA_VTYPE_KEY, memory(key)),
        argument(
            Type::RD_KAFKA_VTYPE_OPAQUE,
            Union {
                ptr: tag as *mut c_void,
            },
        ),
        argument(Type::RD_KAFKA_VTYPE_TIMESTAMP, Union { i64_: timestamp_ms }),
    ]
}

/// A list of headers that is still ours.
struct Headers(*mut c::rd_kafka_headers_t);

impl Headers {
    /// None for a record without headers.
    fn build<'a>(mut headers: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>) -> Option<Self> {
        let first = headers.next()?;
        // SAFETY: makes a list; librdkafka aborts when it has no memory.
        let list = Self(unsafe { c::rd_kafka_headers_new(4) });
        for (name, value) in std::iter::once(first).chain(headers) {
            let (ptr, size) = value.map_or((ptr::null(), 0), |value| (value.as_ptr(), value.len()));
            // SAFETY: names and values are copied within their lengths, which are given: a name may
            // hold NULs. A null value is a null header value. It fails only for read-only lists.
            unsafe {
                c::rd_kafka_header_add(
                    list.0,
                    name.as_ptr().cast(),
                    name.len() as isize,
                    ptr.cast(),
                    size as isize,
                )
            };
        }
        Some(list)
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        // SAFETY: the list is ours until a produce call that succeeded, which forgets this value.
        unsafe { c::rd_kafka_headers_destroy(self.0) }
    }
}

/// Whether a record whose delivery failed is in the log all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Persisted {
    No,
    Possibly,
    Yes,
}

/// librdkafka.h, rd_kafka_message_status.
pub(super) fn persisted(message: &BorrowedMessage<'_>) -> Persisted {
    use c::rd_kafka_msg_status_t as Status;
    // SAFETY: the message lives as long as its borrow.
    match unsafe { c::rd_kafka_message_status(message.ptr()) } {
        Status::RD_KAFKA_MSG_STATUS_NOT_PERSISTED => Persisted::No,
        Status::RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED => Persisted::Possibly,
        Status::RD_KAFKA_MSG_STATUS_PERSISTED => Persisted::Yes,
    }
}

/// Time from the produce call to the delivery.
pub(super) fn latency(message: &BorrowedMessage<'_>) -> Option<Duration> {
    // SAFETY: the message lives as long as its borrow; -1 means that there is no latency.
    let us = unsafe { c::rd_kafka_message_latency(message.ptr()) };
    u64::try_from(us).ok().map(Duration::from_micros)
}

/// Sends what is queued without lingering and waits up to `limit` for all deliveries.
/// The crate's own flush waits in steps of 100 ms.
pub(super) fn flush(client: &Client, limit: Duration) {
    let ms = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the client lives through the call. The result is not used: deliveries are counted.
    unsafe { c::rd_kafka_flush(client.client().native_ptr(), ms) };
}

/// Gives the client a token for SASL OAUTHBEARER.
///
/// # Errors
/// librdkafka's reason not to take it.
pub(super) fn set_token(client: &Client, token: &Token) -> Result<(), String> {
    let text = |text: &str| CString::new(text).map_err(|_| "it holds a NUL".to_string());
    let (value, principal) = (text(&token.text)?, text(&token.principal)?);
    let mut reason: [c_char; 512] = [0; 512];
    // SAFETY: the texts live through the call, which copies them; there are no extensions, and the
    // reason is written within its length, with a NUL at its end.
    unsafe {
        let code = c::rd_kafka_oauthbearer_set_token(
            client.client().native_ptr(),
            value.as_ptr(),
            token.expires_ms,
            principal.as_ptr(),
            ptr::null_mut(),
            0,
            reason.as_mut_ptr(),
            reason.len(),
        );
        match code {
            c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
            _ => Err(CStr::from_ptr(reason.as_ptr()).to_string_lossy().into()),
        }
    }
}

/// The partition that Java's client gives to `key` among `partitions`.
pub(super) fn murmur2_partition(key: &[u8], partitions: i32) -> i32 {
    // SAFETY: librdkafka hashes `key` within its length and looks at nothing else.
    unsafe {
        c::rd_kafka_msg_partitioner_murmur2(
            ptr::null(),
            key.as_ptr().cast(),
            key.len(),
            partitions,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_where_the_java_client_sends_them() {
        // Hashes from Apache Kafka's UtilsTest.testMurmur2, positive part modulo 100.
        let known: [(&str, i64); 3] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
        ];
        for (key, hash) in known {
            let expected = (hash & 0x7fff_ffff) % 100;
            assert_eq!(
                i64::from(murmur2_partition(key.as_bytes(), 100)),
                expected,
                "{key}"
            );
        }
    }
}
