//! Reads partitions from given offsets, with librdkafka's simple consumer, which knows no groups: it joins
//! none, commits nothing and needs no right on a group.

use std::ffi::{CStr, CString, c_void};
use std::ptr;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as c;

use super::client::{Client, whole_ms};
use super::ffi::code::Code;
use super::ffi::owned::{Owned, text};
use super::ffi::raw;

/// What a read yields.
pub(crate) enum Fetched<'a> {
    Record(FetchedRecord<'a>),
    /// The partition has been read to its end.
    AtEnd {
        topic: &'a str,
        partition: i32,
        /// The offset of the record that comes next.
        offset: i64,
    },
    /// A partition cannot be read any further.
    Failed {
        topic: &'a str,
        why: String,
    },
}

/// A record as a broker returned it.
pub(crate) struct FetchedRecord<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// `None` if the broker does not name one.
    pub(crate) timestamp_ms: Option<i64>,
    pub(crate) key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) headers: Vec<(&'a [u8], Option<&'a [u8]>)>,
}

/// Partitions that are read as one stream.
pub(crate) struct FetchQueue {
    reading: Vec<(Owned<c::rd_kafka_topic_t>, i32)>,
    // After the topics that use it, and before the client: fields are dropped in this order.
    queue: Owned<c::rd_kafka_queue_t>,
    client: Arc<Client>,
}

// SAFETY: as for the client: librdkafka's handles may be used by any thread.
unsafe impl Send for FetchQueue {}

impl FetchQueue {
    /// Creates a queue for `client`, which must be a consumer. `None` if librdkafka has no memory.
    pub(crate) fn new(client: Arc<Client>) -> Option<Self> {
        // SAFETY: the client lives as long as the queue, which is ours.
        let queue = unsafe {
            let queue = c::rd_kafka_queue_new(client.native());
            Owned::new(queue, c::rd_kafka_queue_destroy)
        };
        Some(Self {
            reading: Vec::new(),
            queue: queue?,
            client,
        })
    }

    /// Begins to read a partition at `offset`.
    ///
    /// # Errors
    /// Returns an error if the partition is already being read, or if librdkafka does not accept the name.
    pub(crate) fn start(&mut self, topic: &str, partition: i32, offset: i64) -> Result<(), Code> {
        let name = CString::new(topic).map_err(|_| Code::INVALID_ARGUMENT)?;
        // SAFETY: client, queue and name live through the calls; the topic's handle is ours, and is kept
        // until reading is stopped. A null configuration is the default.
        unsafe {
            let topic = c::rd_kafka_topic_new(self.client.native(), name.as_ptr(), ptr::null_mut());
            let topic = Owned::new(topic, c::rd_kafka_topic_destroy);
            let topic = topic.ok_or(Code::INVALID_ARGUMENT)?;
            let (handle, queue) = (topic.ptr(), self.queue.ptr());
            if c::rd_kafka_consume_start_queue(handle, partition, offset, queue) != 0 {
                return Err(Code::from_raw(raw::rd_kafka_last_error()));
            }
            self.reading.push((topic, partition));
        }
        Ok(())
    }

    /// Waits up to `limit` for what comes next and passes it on. Returns whether something came.
    pub(crate) fn poll(&self, limit: Duration, take: impl FnOnce(Fetched<'_>)) -> bool {
        // SAFETY: the queue lives through the call, and the message that it returns is ours.
        let message = unsafe {
            let message = c::rd_kafka_consume_queue(self.queue.ptr(), whole_ms(limit));
            Owned::new(message, c::rd_kafka_message_destroy)
        };
        let Some(message) = message else {
            return false;
        };
        // SAFETY: the message lives to the end of the function.
        unsafe { hand_over(message.ptr(), take) };
        true
    }

    /// Where a partition ended at the last read, open transactions included; below zero before that.
    pub(crate) fn high_watermark(&self, topic: &str, partition: i32) -> i64 {
        let (mut start, mut end) = (-1, -1);
        let Ok(name) = CString::new(topic) else {
            return end;
        };
        // SAFETY: client and name live through the call, which writes both offsets and asks no broker. If it
        // fails, it leaves them unchanged.
        unsafe {
            raw::rd_kafka_get_watermark_offsets(
                self.client.native(),
                name.as_ptr(),
                partition,
                &raw mut start,
                &raw mut end,
            );
        }
        end
    }
}

impl Drop for FetchQueue {
    fn drop(&mut self) {
        for (topic, partition) in &self.reading {
            // SAFETY: the topic's handle lives through the call; what is left of the partition is dropped
            // with the queue.
            unsafe { c::rd_kafka_consume_stop(topic.ptr(), *partition) };
        }
    }
}

/// # Safety
/// `message` must be one that librdkafka returned for reading, and must outlive the call.
unsafe fn hand_over(message: *mut c::rd_kafka_message_t, take: impl FnOnce(Fetched<'_>)) {
    // Fields are read through the pointer: a reference would claim that the error code is one of the
    // bindings' enum.
    // SAFETY: as the caller promises. The topic's handle lives as long as the message, and its name as long
    // as the handle; key and value have the lengths beside them.
    unsafe {
        let topic = CStr::from_ptr(c::rd_kafka_topic_name((*message).rkt)).to_string_lossy();
        let topic = topic.as_ref();
        let (partition, offset) = ((*message).partition, (*message).offset);
        let code = Code::from_raw(raw::code_at(&raw const (*message).err));
        take(match code {
            Code::NONE => {
                let timestamp = c::rd_kafka_message_timestamp(message, ptr::null_mut());
                Fetched::Record(FetchedRecord {
                    topic,
                    partition,
                    offset,
                    timestamp_ms: (timestamp >= 0).then_some(timestamp),
                    key: bytes((*message).key, (*message).key_len),
                    value: bytes((*message).payload, (*message).len),
                    headers: headers(message),
                })
            }
            Code::PARTITION_EOF => Fetched::AtEnd {
                topic,
                partition,
                offset,
            },
            code => {
                let why = text(c::rd_kafka_message_errstr(message));
                let why = match why.is_empty() {
                    true => code.words(),
                    false => why,
                };
                Fetched::Failed { topic, why }
            }
        });
    }
}

/// # Safety
/// `message` must live through `'a`.
unsafe fn headers<'a>(message: *const c::rd_kafka_message_t) -> Vec<(&'a [u8], Option<&'a [u8]>)> {
    let mut list = ptr::null_mut();
    let mut headers = Vec::new();
    // SAFETY: as the caller promises. The headers belong to the message; each name ends with a NUL, and each
    // value has the size beside it. librdkafka.h, rd_kafka_message_headers, rd_kafka_header_get_all.
    unsafe {
        if Code::from_raw(raw::rd_kafka_message_headers(message, &raw mut list)).is_error() {
            return headers;
        }
        for index in 0.. {
            let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
            let code = raw::rd_kafka_header_get_all(
                list,
                index,
                &raw mut name,
                &raw mut value,
                &raw mut size,
            );
            if Code::from_raw(code).is_error() {
                break;
            }
            let name = CStr::from_ptr(name).to_bytes();
            headers.push((name, bytes(value, size)));
        }
    }
    headers
}

/// # Safety
/// `start` must be null or point to `len` bytes that live through `'a`.
unsafe fn bytes<'a>(start: *const c_void, len: usize) -> Option<&'a [u8]> {
    match start.is_null() {
        true => None,
        // SAFETY: as the caller promises.
        false => Some(unsafe { slice::from_raw_parts(start.cast::<u8>(), len) }),
    }
}
