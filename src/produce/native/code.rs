//! Error codes of Kafka and librdkafka, as the integers that they are. The bindings have a Rust enum,
//! and a code that it lacks (a newer broker's, a proxy's) would be undefined behaviour: it must never
//! become one, so the calls that give a code are declared in `raw.rs` with an integer.

use std::ffi::CStr;
use std::fmt;

use rdkafka::bindings::rd_kafka_resp_err_t as Known;

use super::raw;

/// An error code: positive ones come from a broker, negative ones from librdkafka itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::produce) struct Code(i32);

impl Code {
    pub(in crate::produce) const NONE: Self = Self::of(Known::RD_KAFKA_RESP_ERR_NO_ERROR);
    pub(in crate::produce) const INVALID_ARGUMENT: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR__INVALID_ARG);
    pub(in crate::produce) const TIMED_OUT: Self = Self::of(Known::RD_KAFKA_RESP_ERR__TIMED_OUT);
    /// A record has waited for longer than `message.timeout.ms`.
    pub(in crate::produce) const MESSAGE_TIMED_OUT: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
    pub(in crate::produce) const QUEUE_FULL: Self = Self::of(Known::RD_KAFKA_RESP_ERR__QUEUE_FULL);
    pub(in crate::produce) const FATAL: Self = Self::of(Known::RD_KAFKA_RESP_ERR__FATAL);
    pub(in crate::produce) const PURGED_FROM_QUEUE: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR__PURGE_QUEUE);
    pub(in crate::produce) const PURGED_IN_FLIGHT: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR__PURGE_INFLIGHT);
    pub(in crate::produce) const ALL_BROKERS_DOWN: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN);
    /// librdkafka could not authenticate.
    pub(in crate::produce) const AUTHENTICATION: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR__AUTHENTICATION);
    /// The broker says so.
    pub(in crate::produce) const SASL_AUTHENTICATION_FAILED: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED);
    pub(in crate::produce) const UNKNOWN_TOPIC: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC);
    pub(in crate::produce) const UNKNOWN_TOPIC_OR_PARTITION: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    pub(in crate::produce) const INVALID_TOPIC: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION);
    pub(in crate::produce) const TOPIC_AUTHORIZATION_FAILED: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    pub(in crate::produce) const CLUSTER_AUTHORIZATION_FAILED: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
    pub(in crate::produce) const TOPIC_ALREADY_EXISTS: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS);
    pub(in crate::produce) const LEADER_NOT_AVAILABLE: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
    pub(in crate::produce) const INVALID_RECORD: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_INVALID_RECORD);
    pub(in crate::produce) const INVALID_TIMESTAMP: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
    pub(in crate::produce) const INVALID_DIFFERENT_RECORD: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR__INVALID_DIFFERENT_RECORD);
    pub(in crate::produce) const RECORD_LIST_TOO_LARGE: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE);
    pub(in crate::produce) const MESSAGE_SIZE_TOO_LARGE: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);

    const fn of(known: Known) -> Self {
        Self(known as i32)
    }

    /// A code as librdkafka or a broker gave it, whatever it is.
    pub(in crate::produce) const fn from_raw(code: i32) -> Self {
        Self(code)
    }

    /// Whether librdkafka has made it, and no broker.
    pub(in crate::produce) fn is_local(self) -> bool {
        self.0 < 0
    }

    /// Whether librdkafka was told to give the record up.
    pub(in crate::produce) fn is_purge(self) -> bool {
        [Self::PURGED_FROM_QUEUE, Self::PURGED_IN_FLIGHT].contains(&self)
    }

    pub(in crate::produce) fn is_error(self) -> bool {
        self != Self::NONE
    }

    /// Whether a broker gave it, and not librdkafka.
    pub(in crate::produce) fn is_brokers(self) -> bool {
        self.0 > 0
    }

    /// librdkafka's own text, and ours for a code that it does not know.
    pub(in crate::produce) fn words(self) -> String {
        // SAFETY: the call takes any integer and returns a static or thread-local text that ends with
        // a NUL; it is copied before this thread calls it again. librdkafka, rd_kafka_err2str.
        let text = unsafe { CStr::from_ptr(raw::rd_kafka_err2str(self.0)) };
        let text = text.to_string_lossy();
        // What librdkafka makes of a code for which it has no text.
        if text != format!("Err-{}?", self.0) {
            return text.into_owned();
        }
        match self.0 {
            0.. => format!(
                "the broker answers with error code {}, which kreplay does not know",
                self.0
            ),
            _ => format!("librdkafka's error code {} has no text", self.0),
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_librdkafka_lacks_have_a_text_of_our_own() {
        let unknown =
            |n| format!("the broker answers with error code {n}, which kreplay does not know");
        // 108 and 120 are Kafka's NEW_LEADER_ELECTED and TRANSACTION_ABORTABLE.
        for code in [108, 120, 9999, i32::MAX] {
            assert_eq!(Code::from_raw(code).words(), unknown(code));
        }
        let text = Code::from_raw(i32::MIN).words();
        assert_eq!(text, "librdkafka's error code -2147483648 has no text");
    }

    #[test]
    fn known_codes_have_librdkafkas_text() {
        // Kafka protocol guide, "Error Codes": 10 and 29.
        let text = |code| Code::from_raw(code).words();
        assert_eq!(text(10), "Broker: Message size too large");
        assert_eq!(text(29), "Broker: Topic authorization failed");
        assert_eq!(Code::QUEUE_FULL.words(), "Local: Queue full");
    }
}
