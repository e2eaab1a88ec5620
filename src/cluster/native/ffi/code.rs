//! Error codes of Kafka and librdkafka, as integers. The bindings have a Rust enum, and a code that it lacks
//! (from a newer broker or a proxy) would be undefined behaviour. A code must never become such an enum, so
//! `raw.rs` declares the calls that return a code with an integer.

use std::ffi::CStr;
use std::fmt;

use rdkafka::bindings::rd_kafka_resp_err_t as Known;

use super::raw;

/// An error code: positive ones come from a broker, negative ones from librdkafka itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Code(i32);

impl Code {
    pub(crate) const NONE: Self = Self::of(Known::RD_KAFKA_RESP_ERR_NO_ERROR);
    pub(crate) const INVALID_ARGUMENT: Self = Self::of(Known::RD_KAFKA_RESP_ERR__INVALID_ARG);
    pub(crate) const TIMED_OUT: Self = Self::of(Known::RD_KAFKA_RESP_ERR__TIMED_OUT);
    /// A record has waited for longer than `message.timeout.ms`.
    pub(crate) const MESSAGE_TIMED_OUT: Self = Self::of(Known::RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
    pub(crate) const QUEUE_FULL: Self = Self::of(Known::RD_KAFKA_RESP_ERR__QUEUE_FULL);
    pub(crate) const FATAL: Self = Self::of(Known::RD_KAFKA_RESP_ERR__FATAL);
    pub(crate) const PURGED_FROM_QUEUE: Self = Self::of(Known::RD_KAFKA_RESP_ERR__PURGE_QUEUE);
    pub(crate) const PURGED_IN_FLIGHT: Self = Self::of(Known::RD_KAFKA_RESP_ERR__PURGE_INFLIGHT);
    pub(crate) const ALL_BROKERS_DOWN: Self = Self::of(Known::RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN);
    /// librdkafka could not authenticate.
    pub(crate) const AUTHENTICATION: Self = Self::of(Known::RD_KAFKA_RESP_ERR__AUTHENTICATION);
    /// The broker refused the authentication.
    pub(crate) const SASL_AUTHENTICATION_FAILED: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED);
    pub(crate) const UNKNOWN_TOPIC: Self = Self::of(Known::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC);
    pub(crate) const UNKNOWN_TOPIC_OR_PARTITION: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    pub(crate) const UNKNOWN_TOPIC_ID: Self = Self::of(Known::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_ID);
    pub(crate) const UNKNOWN_PARTITION: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION);
    /// The topic or partition that librdkafka kept a record for no longer exists.
    pub(crate) const DESTROYED: Self = Self::of(Known::RD_KAFKA_RESP_ERR__DESTROY);
    pub(crate) const INVALID_TOPIC: Self = Self::of(Known::RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION);
    pub(crate) const TOPIC_AUTHORIZATION_FAILED: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    pub(crate) const CLUSTER_AUTHORIZATION_FAILED: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
    pub(crate) const TOPIC_ALREADY_EXISTS: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS);
    pub(crate) const LEADER_NOT_AVAILABLE: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
    /// A reader has reached the end of a partition.
    pub(in crate::cluster::native) const PARTITION_EOF: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR__PARTITION_EOF);
    pub(crate) const GROUP_ID_NOT_FOUND: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND);
    pub(crate) const INVALID_RECORD: Self = Self::of(Known::RD_KAFKA_RESP_ERR_INVALID_RECORD);
    pub(crate) const INVALID_TIMESTAMP: Self = Self::of(Known::RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
    pub(crate) const INVALID_DIFFERENT_RECORD: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR__INVALID_DIFFERENT_RECORD);
    pub(crate) const RECORD_LIST_TOO_LARGE: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE);
    pub(crate) const MESSAGE_SIZE_TOO_LARGE: Self =
        Self::of(Known::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);

    const fn of(known: Known) -> Self {
        Self(known as i32)
    }

    /// A code as librdkafka or a broker returned it, whatever it is.
    pub(crate) const fn from_raw(code: i32) -> Self {
        Self(code)
    }

    /// Whether the code comes from librdkafka, and not from a broker.
    pub(crate) fn is_local(self) -> bool {
        self.0 < 0
    }

    /// Whether the record was given up at our request.
    pub(crate) fn is_purge(self) -> bool {
        [Self::PURGED_FROM_QUEUE, Self::PURGED_IN_FLIGHT].contains(&self)
    }

    /// Whether this is the answer to a request for a topic that does not exist.
    pub(crate) fn is_missing_topic(self) -> bool {
        [Self::UNKNOWN_TOPIC_OR_PARTITION, Self::UNKNOWN_TOPIC].contains(&self)
    }

    pub(crate) fn is_error(self) -> bool {
        self != Self::NONE
    }

    /// Whether the code comes from a broker, and not from librdkafka.
    pub(crate) fn is_brokers(self) -> bool {
        self.0 > 0
    }

    /// librdkafka's own text, or ours for a code that it does not know.
    pub(crate) fn words(self) -> String {
        // SAFETY: the call takes any integer and returns a static or thread-local text that ends with
        // a NUL; it is copied before this thread calls it again. librdkafka, rd_kafka_err2str.
        let text = unsafe { CStr::from_ptr(raw::rd_kafka_err2str(self.0)) };
        let text = text.to_string_lossy();
        // librdkafka's text for a code that it does not know.
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
    fn error_codes_unknown_to_librdkafka_have_our_own_text() {
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
    fn known_error_codes_have_librdkafkas_text() {
        // Kafka protocol guide, "Error Codes": 10 and 29.
        let text = |code| Code::from_raw(code).words();
        assert_eq!(text(10), "Broker: Message size too large");
        assert_eq!(text(29), "Broker: Topic authorization failed");
        assert_eq!(Code::QUEUE_FULL.words(), "Local: Queue full");
    }
}
