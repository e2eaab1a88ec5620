//! What a shard knows about the whole capture, of which it is a share: when the first record of all
//! machines is, and when the other machines have records. A timed replay uses it, so that all machines
//! share one schedule.

use std::collections::HashMap;
use std::time::Duration;

use super::shard::hash;

/// How much of the whole capture is searched for its first record: half of what is put in order, so that a
/// replay knows it before it sends anything (`produce/order/window/`).
const MOST_RECORDS: usize = 16 << 10;
/// The bytes of their keys, values and headers.
const MOST_BYTES: usize = 4 << 20;
/// How many stretches are reported at once. More occur only if times jump back and forth; the last one
/// then grows.
const MOST_SPANS: usize = 1024;

/// What other machines have of the capture, for one hand-over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OtherShards {
    /// The first record of all machines, as far as it is known by then.
    pub(crate) first: Option<FirstRecord>,
    /// Whether no later record changes that.
    pub(crate) is_first_certain: bool,
    /// The times between which others have records, in nanoseconds since 1970, without a pause that may be
    /// cut.
    pub(crate) spans: Vec<(i64, i64)>,
}

impl OtherShards {
    /// Bytes of memory besides its own size.
    pub(in crate::record) fn weight(&self) -> usize {
        self.spans.len() * size_of::<(i64, i64)>()
    }
}

/// The record that is sent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FirstRecord {
    /// Its time by the clock of the replay, in nanoseconds since 1970.
    pub(crate) time_ns: i64,
    /// Its own timestamp.
    pub(crate) timestamp_ms: Option<i64>,
}

/// A record of the whole capture, whichever machine sends it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WholeRecord<'a> {
    pub(crate) topic: Option<&'a str>,
    pub(crate) partition: Option<i32>,
    pub(crate) offset: Option<i64>,
    /// By the clock of the replay, in nanoseconds since 1970; `None` if it is not after 1970.
    pub(crate) time_ns: Option<i64>,
    pub(crate) timestamp_ms: Option<i64>,
    pub(crate) bytes: usize,
}

/// The record of a partition with the lowest offset.
#[derive(Debug, Clone, Copy)]
struct PartitionHead {
    offset: Option<i64>,
    /// `None` if it has no time.
    first: Option<FirstRecord>,
}

/// Observes the whole capture, record by record in the order of the source.
#[derive(Debug)]
pub(super) struct WholeCapture {
    /// Pauses up to this long are kept; `None` keeps all.
    longest_pause: Option<i64>,
    records: usize,
    bytes: usize,
    /// The first record of each partition, by its offset; keyed by a hash of the topic and the number.
    heads: HashMap<(u64, Option<i32>), PartitionHead>,
    first: Option<FirstRecord>,
    spans: Vec<(i64, i64)>,
}

impl WholeCapture {
    pub(super) fn new(longest_pause: Option<Duration>) -> Self {
        let nanoseconds = |pause: Duration| i64::try_from(pause.as_nanos()).unwrap_or(i64::MAX);
        Self {
            longest_pause: longest_pause.map(nanoseconds),
            records: 0,
            bytes: 0,
            heads: HashMap::new(),
            first: None,
            spans: Vec::new(),
        }
    }

    /// Notes a record of any machine.
    pub(super) fn add(&mut self, record: &WholeRecord<'_>) {
        if self.is_known() {
            return;
        }
        self.records += 1;
        self.bytes += record.bytes;
        let partition = (
            hash(record.topic.unwrap_or_default().as_bytes()),
            record.partition,
        );
        let first = record.time_ns.map(|time_ns| FirstRecord {
            time_ns,
            timestamp_ms: record.timestamp_ms,
        });
        let offset = record.offset;
        let new = PartitionHead { offset, first };
        let head = self.heads.entry(partition).or_insert(new);
        if let (Some(offset), Some(known)) = (offset, head.offset)
            && offset < known
        {
            *head = new;
        }
    }

    /// Notes the time of another machine's record.
    pub(super) fn add_other(&mut self, time_ns: i64) {
        let spans = &mut self.spans;
        let is_full = spans.len() >= MOST_SPANS;
        let join = self.longest_pause.unwrap_or(i64::MAX);
        match spans.last_mut() {
            Some((from, to))
                if is_full
                    || (time_ns >= from.saturating_sub(join)
                        && time_ns <= to.saturating_add(join)) =>
            {
                *from = time_ns.min(*from);
                *to = time_ns.max(*to);
            }
            _ => spans.push((time_ns, time_ns)),
        }
    }

    /// What is known by now; each stretch is reported once.
    pub(super) fn take(&mut self) -> OtherShards {
        let heads = self.heads.values().filter_map(|head| head.first);
        // Of records with the same time, the one with the earliest timestamp: the same on every machine.
        let first = heads.min_by_key(|first| (first.time_ns, first.timestamp_ms));
        self.first = first.or(self.first);
        if self.is_known() {
            self.heads = HashMap::new();
        }
        OtherShards {
            first: self.first,
            is_first_certain: self.is_known(),
            spans: std::mem::take(&mut self.spans),
        }
    }

    /// Whether the search for the first record has ended.
    fn is_known(&self) -> bool {
        self.records >= MOST_RECORDS || self.bytes >= MOST_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn record(topic: &str, partition: i32, offset: i64, time_s: i64) -> WholeRecord<'_> {
        WholeRecord {
            topic: Some(topic),
            partition: Some(partition),
            offset: Some(offset),
            time_ns: Some(time_s * SECOND),
            timestamp_ms: Some(time_s * 1000 + 7),
            bytes: 100,
        }
    }

    #[test]
    fn the_first_record_is_the_earliest_of_those_that_head_their_partitions() {
        let mut whole = WholeCapture::new(None);
        // Offset 3 is sent after offset 2, and so not before 20 s.
        for (partition, offset, time_s) in [(0, 3, 5), (1, 9, 30), (0, 2, 20), (1, 8, 12)] {
            whole.add(&record("t", partition, offset, time_s));
        }
        let first = FirstRecord {
            time_ns: 12 * SECOND,
            timestamp_ms: Some(12_007),
        };
        assert_eq!(whole.take().first, Some(first));
        whole.add(&record("u", 0, 1, 11));
        let first = whole.take().first.map(|first| first.time_ns);
        assert_eq!(first, Some(11 * SECOND));
    }

    #[test]
    fn what_comes_far_behind_is_not_the_first_whatever_its_time() {
        let of = |record: WholeRecord<'_>, records: usize| {
            let mut whole = WholeCapture::new(None);
            for _ in 0..records {
                whole.add(&record);
            }
            whole.add(&self::record("late", 0, 1, 1));
            let others = whole.take();
            let known = others.first.expect("some").time_ns;
            assert_eq!(others.is_first_certain, whole.heads.is_empty());
            assert!(others.is_first_certain || known == SECOND);
            known
        };
        let small = record("t", 0, 1, 50);
        assert_eq!(of(small, MOST_RECORDS - 1), SECOND);
        assert_eq!(of(small, MOST_RECORDS), 50 * SECOND);
        let large = WholeRecord {
            bytes: MOST_BYTES / 4,
            ..small
        };
        assert_eq!(of(large, 3), SECOND);
        assert_eq!(of(large, 4), 50 * SECOND);
    }

    #[test]
    fn times_of_others_are_stretches_without_a_pause_and_named_once() {
        let mut whole = WholeCapture::new(Some(Duration::from_secs(5)));
        for time_s in [100, 103, 99, 108, 114, 113, 200] {
            whole.add_other(time_s * SECOND);
        }
        let spans = whole.take().spans;
        let expected = [(99, 108), (113, 114), (200, 200)];
        let expected = expected.map(|(from, to)| (from * SECOND, to * SECOND));
        // 113 s is 5 s after 108, and 114 came first.
        assert_eq!(spans, expected);
        assert_eq!(whole.take().spans, []);
        let mut uncut = WholeCapture::new(None);
        for time_s in [7, 9_000, 1] {
            uncut.add_other(time_s * SECOND);
        }
        assert_eq!(uncut.take().spans, [(SECOND, 9_000 * SECOND)]);
    }

    #[test]
    fn times_that_leap_to_and_fro_take_a_bounded_memory() {
        let mut whole = WholeCapture::new(Some(Duration::from_secs(1)));
        for time_s in 0..10_000 {
            whole.add_other((time_s % 2) * 100 * SECOND);
        }
        let others = whole.take();
        assert_eq!(others.spans.len(), MOST_SPANS);
        assert_eq!(others.weight(), MOST_SPANS * 16);
    }
}
