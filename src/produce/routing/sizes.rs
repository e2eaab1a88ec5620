//! How large a record and a batch may be: the topic's `max.message.bytes` in librdkafka's properties, and the
//! user's wishes.

/// `message.max.bytes` of an unconfigured broker (Apache Kafka, ServerLogConfigs).
const KAFKA_DEFAULT: usize = 1_048_588;
/// librdkafka's own `batch.size`; larger batches gain nothing.
const LARGEST_BATCH: usize = 1_000_000;
/// Below `socket.request.max.bytes` of an unconfigured broker (100 MiB), which hangs up on larger requests
/// instead of answering.
const LARGEST_REQUEST: usize = 100_000_000;
/// The range that librdkafka accepts for `message.max.bytes` (CONFIGURATION.md).
const MESSAGE_MAX_BYTES: (usize, usize) = (1000, 1_000_000_000);

/// What one producer sends at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::produce) struct Sizes {
    /// A larger record is refused alone when it is handed over.
    pub(in crate::produce) message_max_bytes: usize,
    /// A record that does not fit into a batch begins the next one.
    pub(in crate::produce) batch_size: usize,
}

/// What the user has set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::produce) struct SizeWishes {
    message_max_bytes: Option<usize>,
    batch_size: Option<usize>,
    /// The most that may wait in librdkafka's queue: a larger record would wait for ever.
    queue_kbytes: Option<usize>,
}

impl SizeWishes {
    pub(in crate::produce) fn of(properties: &[(String, String)]) -> Self {
        let number = |name: &str| {
            let set = properties.iter().rev().find(|(known, _)| known == name);
            set.and_then(|(_, value)| value.trim().parse().ok())
        };
        Self {
            message_max_bytes: number("message.max.bytes"),
            batch_size: number("batch.size"),
            queue_kbytes: number("queue.buffering.max.kbytes"),
        }
    }

    /// The sizes for a topic with this `max.message.bytes`; `None` means Kafka's default. The user's
    /// `message.max.bytes` wins even if it is larger: brokers check the size after compression, so larger
    /// records may fit. They travel alone, because batches stay below.
    pub(in crate::produce) fn for_limit(self, limit: Option<usize>) -> Sizes {
        let limit = limit.unwrap_or(KAFKA_DEFAULT);
        let (least, most) = MESSAGE_MAX_BYTES;
        let batch_size = self.batch_size.unwrap_or(LARGEST_BATCH);
        let message_max_bytes = self.message_max_bytes.unwrap_or(limit.clamp(least, most));
        let queue = self.queue_bytes().unwrap_or(usize::MAX);
        Sizes {
            message_max_bytes: message_max_bytes.min(queue),
            batch_size: batch_size.min(limit).max(1),
        }
    }

    /// Sizes that leave the judgement of a large record to the brokers, unless the user has set one.
    pub(in crate::produce) fn for_offer(self, sizes: Sizes) -> Option<Sizes> {
        let offered = Sizes {
            message_max_bytes: LARGEST_REQUEST.min(self.queue_bytes().unwrap_or(usize::MAX)),
            ..sizes
        };
        (self.message_max_bytes.is_none() && sizes != offered).then_some(offered)
    }

    fn queue_bytes(self) -> Option<usize> {
        self.queue_kbytes.map(|kbytes| kbytes.saturating_mul(1024))
    }

    /// What limits the records of a topic, in words.
    pub(in crate::produce) fn describe(self, limit: Option<usize>) -> String {
        let others = self.message_max_bytes.or(limit).unwrap_or(KAFKA_DEFAULT);
        if let (Some(queue), Some(kbytes)) = (self.queue_bytes(), self.queue_kbytes)
            && queue < others
        {
            return format!("`queue.buffering.max.kbytes={kbytes}`, which the user set");
        }
        match (self.message_max_bytes, limit) {
            (Some(own), limit) if limit.is_none_or(|limit| own < limit) => {
                format!("`message.max.bytes={own}`, which the user set")
            }
            (_, Some(limit)) => format!("its max.message.bytes of {limit}"),
            (_, None) => format!("the default max.message.bytes of {KAFKA_DEFAULT}"),
        }
    }
}

/// Bytes that librdkafka counts for a record, besides key, value and headers (`rdkafka_proto.h`,
/// RD_KAFKAP_MESSAGE_V2_MAX_OVERHEAD).
const RECORD_OVERHEAD: usize = 36;

/// The size of a record by which librdkafka judges whether it is too large; of headers it counts the sizes of
/// names and values (`rdkafka_msg.h`, rd_kafka_msg_max_wire_size).
pub(in crate::produce) fn wire_size(
    key: usize,
    value: usize,
    headers: impl Iterator<Item = (usize, Option<usize>)>,
) -> usize {
    let headers = headers.map(|(name, value)| {
        let value = value.unwrap_or(0);
        varint_size(name) + name + varint_size(value) + value
    });
    RECORD_OVERHEAD + key + value + headers.sum::<usize>()
}

/// The number of bytes of a length as a varint, which has 7 bits in each byte and stores the sign as well
/// (Kafka protocol guide, varint).
fn varint_size(length: usize) -> usize {
    let bits = (length << 1 | 1).ilog2() as usize + 1;
    bits.div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(properties: &[(&str, &str)], limit: Option<usize>) -> (usize, usize) {
        let owned = properties.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        let sizes = SizeWishes::of(&owned.collect::<Vec<_>>()).for_limit(limit);
        (sizes.message_max_bytes, sizes.batch_size)
    }

    #[test]
    fn a_producer_follows_the_limit_of_its_topic() {
        assert_eq!(sizes(&[], None), (1_048_588, 1_000_000));
        assert_eq!(sizes(&[], Some(20_000)), (20_000, 20_000));
        assert_eq!(sizes(&[], Some(500)), (1000, 500));
        assert_eq!(sizes(&[], Some(50 << 20)), (50 << 20, 1_000_000));
        assert_eq!(sizes(&[], Some(2_147_483_647)), (1_000_000_000, 1_000_000));
    }

    #[test]
    fn a_record_that_librdkafkas_queue_cannot_hold_is_too_large() {
        let user = [
            ("queue.buffering.max.kbytes", "1000"),
            ("message.max.bytes", "3000000"),
        ];
        assert_eq!(sizes(&user, None), (1_024_000, 1_000_000));
        assert_eq!(sizes(&user[..1], Some(4 << 20)), (1_024_000, 1_000_000));
        assert_eq!(sizes(&user[..1], Some(20_000)), (20_000, 20_000));
    }

    #[test]
    fn the_users_settings_win_but_no_batch_exceeds_the_limit_of_its_topic() {
        let user = [("message.max.bytes", "5000000"), ("batch.size", "300000")];
        assert_eq!(sizes(&user, None), (5_000_000, 300_000));
        assert_eq!(sizes(&user, Some(20_000)), (5_000_000, 20_000));
    }

    #[test]
    fn the_size_of_a_record_is_computed_as_librdkafka_computes_it() {
        assert_eq!(wire_size(3, 10, std::iter::empty()), 49);
        // Lengths of up to 63 take one byte, up to 8,191 two.
        let headers = [(63, Some(64)), (5, None), (1, Some(8192))];
        let expected = 36 + (1 + 63 + 2 + 64) + (1 + 5 + 1) + (1 + 1 + 3 + 8192);
        assert_eq!(wire_size(0, 0, headers.into_iter()), expected);
    }
}
