//! Hands records to librdkafka, each through the handle of its topic.

pub(super) mod event;
pub(super) mod lend;

use std::ffi::{CString, c_void};
use std::ptr;
use std::sync::Arc;

use rdkafka::bindings as c;

use self::lend::InFlightRecord;
use super::client::Client;
use super::ffi::code::Code;
use super::ffi::owned::Owned;
use super::ffi::raw;

/// The partition number that asks librdkafka's partitioner to choose.
pub(crate) const UNASSIGNED: i32 = -1;

/// The handle of a topic, kept so that records need no look-up by name. It stays on one thread.
pub(crate) struct TopicHandle {
    // Before the client, which has to outlive it: fields are dropped in this order.
    topic: Owned<c::rd_kafka_topic_t>,
    client: Arc<Client>,
}

impl TopicHandle {
    /// `None` if librdkafka refuses the name.
    pub(crate) fn new(client: &Arc<Client>, name: &str) -> Option<Self> {
        let name = CString::new(name).ok()?;
        // SAFETY: the client and the string live through the call; a null configuration means the
        // client's default. The handle is ours. librdkafka.h, rd_kafka_topic_new.
        let topic = unsafe {
            let topic = c::rd_kafka_topic_new(client.native(), name.as_ptr(), ptr::null_mut());
            Owned::new(topic, c::rd_kafka_topic_destroy)
        };
        Some(Self {
            topic: topic?,
            client: client.clone(),
        })
    }
}

/// One record as librdkafka receives it.
pub(crate) struct Outgoing<H> {
    pub(crate) partition: i32,
    /// Key and value, and the share of their batch that librdkafka keeps until the delivery.
    pub(crate) record: InFlightRecord,
    /// Milliseconds since 1970; 0 is the time of sending.
    pub(crate) timestamp_ms: i64,
    /// Names and values, in order; librdkafka copies them.
    pub(crate) headers: H,
}

/// Hands a record to librdkafka. While librdkafka's queue is full, calls `full`, which returns `false` to
/// give up.
///
/// # Errors
/// Returns librdkafka's reason for refusing the record, which then gets no delivery.
pub(crate) fn produce<'a, H>(
    topic: &TopicHandle,
    outgoing: Outgoing<H>,
    mut full: impl FnMut() -> bool,
) -> Result<(), Code>
where
    H: Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
{
    let headers = NativeHeaders::build(outgoing.headers);
    let (partition, timestamp_ms) = (outgoing.partition, outgoing.timestamp_ms);
    let (record, count) = (outgoing.record, 7 + usize::from(headers.is_some()));
    let arguments = arguments(topic, partition, record, timestamp_ms, headers.as_ref());
    loop {
        // SAFETY: the first `count` arguments are set, and their pointers live through the call. Without
        // RD_KAFKA_MSG_F_COPY librdkafka keeps the pointer to the value until the delivery: until then the
        // opaque pointer is a share of the batch, whose bytes never change. It comes back with that delivery
        // (see `event.rs`), or never. librdkafka.h, rd_kafka_produceva.
        let error = unsafe {
            let error = c::rd_kafka_produceva(topic.client.native(), arguments.as_ptr(), count);
            Owned::new(error, c::rd_kafka_error_destroy)
        };
        let Some(error) = error else {
            // librdkafka owns the headers from here on.
            std::mem::forget(headers);
            return Ok(());
        };
        // SAFETY: the error lives through the call.
        let code = Code::from_raw(unsafe { raw::rd_kafka_error_code(error.ptr()) });
        if code != Code::QUEUE_FULL || !full() {
            // SAFETY: the pointer is the one of `arguments`, and librdkafka has not taken it.
            drop(unsafe { InFlightRecord::from_opaque(arguments[OPAQUE].u.ptr) });
            return Err(code);
        }
    }
}

/// The index of the opaque pointer among the arguments.
const OPAQUE: usize = 0;

/// The arguments for a record; its address goes into the first one. The last one is for headers, and is not
/// used without any.
fn arguments(
    topic: &TopicHandle,
    partition: i32,
    record: InFlightRecord,
    timestamp_ms: i64,
    headers: Option<&NativeHeaders>,
) -> [c::rd_kafka_vu_t; 8] {
    use c::rd_kafka_vtype_t as Type;
    type Union = c::rd_kafka_vu_s__bindgen_ty_1;
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
    let key = record.record().key.map(|key| record.batch().slice(key));
    let value = record
        .record()
        .value
        .map(|value| record.batch().slice(value));
    let (key, value) = (memory(key), memory(value));
    let (topic, ptr) = (topic.topic.ptr(), record.into_opaque());
    let headers = headers.map_or(ptr::null_mut(), |headers| headers.0.ptr());
    let argument = |vtype, u| c::rd_kafka_vu_t { vtype, u };
    [
        argument(Type::RD_KAFKA_VTYPE_OPAQUE, Union { ptr }),
        argument(Type::RD_KAFKA_VTYPE_RKT, Union { rkt: topic }),
        argument(Type::RD_KAFKA_VTYPE_PARTITION, Union { i32_: partition }),
        // The value is neither copied nor freed by librdkafka.
        argument(Type::RD_KAFKA_VTYPE_MSGFLAGS, Union { i: 0 }),
        argument(Type::RD_KAFKA_VTYPE_VALUE, value),
        argument(Type::RD_KAFKA_VTYPE_KEY, key),
        argument(Type::RD_KAFKA_VTYPE_TIMESTAMP, Union { i64_: timestamp_ms }),
        argument(Type::RD_KAFKA_VTYPE_HEADERS, Union { headers }),
    ]
}

/// A list of headers that we still own.
struct NativeHeaders(Owned<c::rd_kafka_headers_t>);

impl NativeHeaders {
    /// `None` for a record without headers.
    fn build<'a>(mut headers: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>) -> Option<Self> {
        let first = headers.next()?;
        // SAFETY: makes a list, which is ours; librdkafka aborts when it has no memory.
        let list = unsafe { Owned::new(c::rd_kafka_headers_new(4), c::rd_kafka_headers_destroy) }?;
        for (name, value) in std::iter::once(first).chain(headers) {
            let (ptr, size) = value.map_or((ptr::null(), 0), |value| (value.as_ptr(), value.len()));
            // SAFETY: names and values are copied within their lengths, which are given: a name may
            // hold NULs. A null value is a null header value. It fails only for read-only lists.
            unsafe {
                raw::rd_kafka_header_add(
                    list.ptr(),
                    name.as_ptr().cast(),
                    name.len().cast_signed(),
                    ptr.cast(),
                    size.cast_signed(),
                )
            };
        }
        Some(Self(list))
    }
}

/// The partition that Java's client chooses for `key` among `partitions`.
pub(crate) fn murmur2_partition(key: &[u8], partitions: i32) -> i32 {
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
