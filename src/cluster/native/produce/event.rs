//! Reads librdkafka's queue of events: deliveries, errors and its log.

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::time::Duration;

use rdkafka::bindings as c;

use super::lend::InFlightRecord;
use crate::cluster::native::ffi::code::Code;
use crate::cluster::native::ffi::owned::{Owned, text};
use crate::cluster::native::ffi::raw;

/// What librdkafka reports.
pub(crate) enum Event<'a> {
    Delivery(Delivery<'a>),
    /// An error about brokers, or about the whole producer.
    Error {
        code: Code,
        text: &'a str,
    },
    /// A line of its log, with the syslog level.
    Log {
        level: i32,
        facility: &'a str,
        text: &'a str,
    },
}

/// The delivery of one record.
pub(crate) struct Delivery<'a> {
    pub(crate) record: InFlightRecord,
    pub(crate) topic: Cow<'a, str>,
    pub(crate) partition: i32,
    /// The offset in the log; `None` if the broker does not say, as for a record that it had already.
    pub(crate) offset: Option<i64>,
    /// The size of key and value.
    pub(crate) bytes: usize,
    pub(crate) result: Result<(), DeliveryFailure>,
    /// The time from the produce call to the delivery.
    pub(crate) latency: Option<Duration>,
}

/// Why a record was not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeliveryFailure {
    pub(crate) code: Code,
    pub(crate) persisted: Persisted,
}

/// Whether a record whose delivery failed is in the log anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persisted {
    No,
    Possibly,
    Yes,
}

/// Passes on what `event` holds.
pub(in crate::cluster::native) fn read(
    event: &Owned<c::rd_kafka_event_t>,
    mut take: impl FnMut(Event<'_>),
) {
    // SAFETY: the event lives through the call.
    match unsafe { c::rd_kafka_event_type(event.ptr()) } {
        c::RD_KAFKA_EVENT_DR => loop {
            // SAFETY: the event is one of deliveries; each message comes out once, and is null after
            // the last. librdkafka.h, rd_kafka_event_message_next.
            let message = unsafe { c::rd_kafka_event_message_next(event.ptr()) };
            if message.is_null() {
                return;
            }
            // SAFETY: the message lives as long as the event, it was sent by `produce`, and this is
            // its one delivery.
            take(Event::Delivery(unsafe { delivery(message) }));
        },
        c::RD_KAFKA_EVENT_ERROR => {
            // SAFETY: the event lives through both calls; the text is copied.
            let (code, text) = unsafe {
                let code = raw::rd_kafka_event_error(event.ptr());
                (code, text(c::rd_kafka_event_error_string(event.ptr())))
            };
            let (code, text) = (Code::from_raw(code), text.trim());
            take(Event::Error { code, text });
        }
        c::RD_KAFKA_EVENT_LOG => log(event, take),
        // Statistics, which nobody asks for, and the request for a token: `cluster/token/` itself knows
        // when a new one is due.
        _ => {}
    }
}

/// # Safety
/// The message must live through `'a`, must be one that [`super::produce()`] gave to librdkafka, and
/// must be read here only once: reading takes back its share of the batch.
unsafe fn delivery<'a>(message: *const c::rd_kafka_message_t) -> Delivery<'a> {
    // Fields are read through the pointer: a reference would claim that the error code is one of the
    // bindings' enum.
    // SAFETY: as the caller promises. The topic's handle lives as long as the message, and its name
    // as long as the handle.
    let (code, partition, offset, bytes, record, topic, us) = unsafe {
        (
            Code::from_raw(raw::code_at(&raw const (*message).err)),
            (*message).partition,
            (*message).offset,
            (*message).len + (*message).key_len,
            InFlightRecord::from_opaque((*message)._private),
            CStr::from_ptr(c::rd_kafka_topic_name((*message).rkt)).to_string_lossy(),
            c::rd_kafka_message_latency(message),
        )
    };
    let failure = || DeliveryFailure {
        code,
        // SAFETY: as above.
        persisted: unsafe { persisted(message) },
    };
    Delivery {
        record,
        topic,
        partition,
        // RD_KAFKA_OFFSET_INVALID is below zero as well.
        offset: Some(offset).filter(|offset| *offset >= 0),
        bytes,
        result: match code.is_error() {
            true => Err(failure()),
            false => Ok(()),
        },
        // -1 if there is none.
        latency: u64::try_from(us).ok().map(Duration::from_micros),
    }
}

/// librdkafka.h, rd_kafka_message_status.
///
/// # Safety
/// The message must be alive.
unsafe fn persisted(message: *const c::rd_kafka_message_t) -> Persisted {
    use c::rd_kafka_msg_status_t as Status;
    // SAFETY: as the caller promises. The status is librdkafka's own, one of these three.
    match unsafe { c::rd_kafka_message_status(message) } {
        Status::RD_KAFKA_MSG_STATUS_NOT_PERSISTED => Persisted::No,
        Status::RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED => Persisted::Possibly,
        Status::RD_KAFKA_MSG_STATUS_PERSISTED => Persisted::Yes,
    }
}

fn log(event: &Owned<c::rd_kafka_event_t>, mut take: impl FnMut(Event<'_>)) {
    let mut facility: *const c_char = ptr::null();
    let mut line: *const c_char = ptr::null();
    let mut level: c_int = 0;
    // SAFETY: the event is one of the log; its texts live as long as it, and are copied.
    let (facility, line) = unsafe {
        let read = c::rd_kafka_event_log(
            event.ptr(),
            &raw mut facility,
            &raw mut line,
            &raw mut level,
        );
        if read != 0 {
            return;
        }
        (text(facility), text(line))
    };
    take(Event::Log {
        level,
        facility: facility.trim(),
        text: line.trim(),
    });
}
