//! Remembers when which offset of the destination was sent, so that the lag of a group is known in records
//! and in seconds without reading anything. Deliveries fill it, the observer asks it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A partition of the destination: the index of its topic, and its number.
pub(crate) type PartitionId = (u32, i32);

/// How precisely send times are remembered at first.
const FINEST_GRAIN: Duration = Duration::from_millis(1);
/// How many marks all partitions have, 32 bytes each: 8 MiB. When there are more, the grain doubles, and
/// marks that are closer than that are dropped.
const MOST_MARKS: usize = 1 << 18;

/// What was delivered to one partition so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeliveredRange {
    pub(crate) partition: PartitionId,
    /// The first delivered offset.
    pub(crate) first: i64,
    /// The last delivered offset + 1.
    pub(crate) target: i64,
    /// Records, which are fewer than the offsets if others write as well.
    pub(crate) delivered: u64,
}

/// What a committed offset means for the records of this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReadSoFar {
    /// Delivered records before it.
    pub(crate) done: u64,
    /// When the first record at or after it was sent; `None` if there is none.
    pub(crate) waiting_since: Option<Duration>,
}

/// What was delivered when, shared by the threads that take deliveries and the one that watches groups.
#[derive(Debug)]
pub(crate) struct SentTimes {
    /// What all times are counted from.
    began: Instant,
    index: Mutex<SentIndex>,
}

impl SentTimes {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            index: Mutex::default(),
        }
    }

    pub(crate) fn index(&self) -> MutexGuard<'_, SentIndex> {
        // Counts only grow: they are useful even after a panic.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Notes a record that is delivered now, `latency` after it was sent.
    pub(crate) fn deliver(&self, place: (usize, i32), offset: i64, latency: Duration) {
        let now = self.now();
        let sent = now.saturating_sub(latency);
        self.index().deliver(place, offset, sent, now);
    }
}

/// Offsets and send times of what was delivered, in bounded memory. Times are counted from an arbitrary
/// moment.
#[derive(Debug)]
pub(crate) struct SentIndex {
    topics: Vec<SentTopic>,
    grain: Duration,
    marks: usize,
    most_marks: usize,
    last_delivery: Duration,
}

#[derive(Debug)]
struct SentTopic {
    name: String,
    /// By the number of the partition.
    partitions: Vec<Option<SentPartition>>,
}

#[derive(Debug)]
struct SentPartition {
    first: i64,
    last: i64,
    delivered: u64,
    marks: VecDeque<SentMark>,
}

/// The records from `offset` on were sent at `sent` or within a grain of it, until the next mark.
#[derive(Debug, Clone, Copy)]
struct SentMark {
    offset: i64,
    /// Delivered records before it.
    before: u64,
    sent: Duration,
}

impl Default for SentIndex {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            grain: FINEST_GRAIN,
            marks: 0,
            most_marks: MOST_MARKS,
            last_delivery: Duration::ZERO,
        }
    }
}

impl SentIndex {
    /// Adds the next topic; topics are numbered in this order.
    pub(crate) fn add_topic(&mut self, name: &str) {
        self.topics.push(SentTopic {
            name: name.into(),
            partitions: Vec::new(),
        });
    }

    pub(crate) fn topic_name(&self, topic: u32) -> &str {
        let topic = self.topics.get(topic as usize);
        topic.map_or("", |topic| &topic.name)
    }

    /// When the last record was delivered.
    pub(crate) fn last_delivery(&self) -> Duration {
        self.last_delivery
    }

    /// Notes that a record is delivered at `now` that was sent at `sent`.
    pub(crate) fn deliver(
        &mut self,
        (topic, partition): (usize, i32),
        offset: i64,
        sent: Duration,
        now: Duration,
    ) {
        self.last_delivery = self.last_delivery.max(now);
        let Ok(number) = usize::try_from(partition) else {
            return;
        };
        let Some(topic) = self.topics.get_mut(topic) else {
            return;
        };
        if number >= topic.partitions.len() {
            topic.partitions.resize_with(number + 1, || None);
        }
        let partition = topic.partitions[number].get_or_insert_with(|| SentPartition {
            first: offset,
            last: offset,
            delivered: 0,
            marks: VecDeque::new(),
        });
        if partition.deliver(offset, sent, self.grain) {
            self.marks += 1;
            if self.marks > self.most_marks {
                self.thin();
            }
        }
    }

    fn partitions_mut(&mut self) -> impl Iterator<Item = &mut SentPartition> {
        let topics = self.topics.iter_mut();
        topics.flat_map(|topic| topic.partitions.iter_mut().flatten())
    }

    fn thin(&mut self) {
        self.grain *= 2;
        let grain = self.grain;
        self.partitions_mut()
            .for_each(|partition| partition.thin(grain));
        self.marks = self
            .partitions_mut()
            .map(|partition| partition.marks.len())
            .sum();
        // Each partition keeps one, however many there are.
        self.most_marks = self.most_marks.max(2 * self.marks);
    }

    /// What was delivered to each partition.
    pub(crate) fn ranges(&self) -> Vec<DeliveredRange> {
        let mut ranges = Vec::new();
        for (topic, SentTopic { partitions, .. }) in (0_u32..).zip(&self.topics) {
            for (number, partition) in (0_i32..).zip(partitions) {
                ranges.extend(partition.as_ref().map(|partition| DeliveredRange {
                    partition: (topic, number),
                    first: partition.first,
                    target: partition.last + 1,
                    delivered: partition.delivered,
                }));
            }
        }
        ranges
    }

    fn partition(&self, (topic, partition): PartitionId) -> Option<&SentPartition> {
        let topic = self.topics.get(topic as usize)?;
        let number = usize::try_from(partition).ok()?;
        topic.partitions.get(number)?.as_ref()
    }

    /// What it means that everything before `committed` was read.
    pub(crate) fn reached(&self, partition: PartitionId, committed: Option<i64>) -> ReadSoFar {
        let partition = self.partition(partition);
        partition.map_or(
            ReadSoFar {
                done: 0,
                waiting_since: None,
            },
            |partition| partition.reached(committed),
        )
    }

    /// Forgets when records before `committed` were sent: every group has read them.
    pub(crate) fn forget(&mut self, (topic, partition): PartitionId, committed: i64) {
        let partitions = self.topics.get_mut(topic as usize);
        let partitions = partitions.map(|topic| &mut topic.partitions);
        let partition = usize::try_from(partition)
            .ok()
            .and_then(|number| partitions?.get_mut(number)?.as_mut());
        if let Some(partition) = partition {
            self.marks -= partition.forget(committed);
        }
    }
}

impl SentPartition {
    /// Notes a delivery; returns whether a mark was added.
    fn deliver(&mut self, offset: i64, sent: Duration, grain: Duration) -> bool {
        let before = self.delivered;
        self.delivered += 1;
        self.first = self.first.min(offset);
        // A late record is counted, but has no time of its own.
        if offset < self.last {
            return false;
        }
        self.last = offset;
        let is_near = |mark: &SentMark| sent < mark.sent + grain;
        if self.marks.back().is_some_and(is_near) {
            return false;
        }
        self.marks.push_back(SentMark {
            offset,
            before,
            sent,
        });
        true
    }

    fn thin(&mut self, grain: Duration) {
        let mut kept: Option<Duration> = None;
        self.marks.retain(|mark| {
            let stays = kept.is_none_or(|kept| mark.sent >= kept + grain);
            if stays {
                kept = Some(mark.sent);
            }
            stays
        });
    }

    /// The mark of the record at `offset`: the last one that begins at or before it.
    fn mark_of(&self, offset: i64) -> usize {
        let behind = self.marks.partition_point(|mark| mark.offset <= offset);
        behind.saturating_sub(1)
    }

    fn reached(&self, committed: Option<i64>) -> ReadSoFar {
        let committed = committed.unwrap_or(self.first).max(self.first);
        if committed > self.last {
            return ReadSoFar {
                done: self.delivered,
                waiting_since: None,
            };
        }
        let index = self.mark_of(committed);
        let Some(mark) = self.marks.get(index) else {
            return ReadSoFar {
                done: 0,
                waiting_since: None,
            };
        };
        let next = self.marks.get(index + 1);
        let most = next.map_or(self.delivered, |next| next.before);
        let within = committed.saturating_sub(mark.offset).max(0).unsigned_abs();
        ReadSoFar {
            done: (mark.before + within).min(most),
            waiting_since: Some(mark.sent),
        }
    }

    /// Drops the marks before `committed`; returns how many.
    fn forget(&mut self, committed: i64) -> usize {
        let gone = self.mark_of(committed);
        self.marks.drain(..gone);
        gone
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn index() -> SentIndex {
        let mut index = SentIndex::default();
        index.add_topic("orders");
        index
    }

    #[test]
    fn a_committed_offset_gives_the_lag_in_records_and_in_time() {
        let mut index = index();
        // Another producer has written 13 to 19.
        for (offset, sent) in [(10, 100), (11, 150), (12, 200), (20, 300), (21, 400)] {
            index.deliver((0, 2), offset, ms(sent), ms(sent + 5));
        }
        let reached = |committed| {
            let ReadSoFar {
                done,
                waiting_since,
            } = index.reached((0, 2), committed);
            (done, waiting_since)
        };
        assert_eq!(reached(None), (0, Some(ms(100))));
        assert_eq!(reached(Some(3)), (0, Some(ms(100))));
        assert_eq!(reached(Some(10)), (0, Some(ms(100))));
        assert_eq!(reached(Some(11)), (1, Some(ms(150))));
        assert_eq!(reached(Some(20)), (3, Some(ms(300))));
        assert_eq!(reached(Some(21)), (4, Some(ms(400))));
        for past in [22, 23, 900] {
            assert_eq!(reached(Some(past)), (5, None));
        }
        assert_eq!(index.last_delivery(), ms(405));
        let range = DeliveredRange {
            partition: (0, 2),
            first: 10,
            target: 22,
            delivered: 5,
        };
        assert_eq!(index.ranges(), [range]);
        assert_eq!(index.topic_name(0), "orders");
    }

    #[test]
    fn memory_is_bounded_and_send_times_stay_within_the_resolution() {
        let mut index = index();
        index.most_marks = 1000;
        // A record each millisecond, for a hundred seconds; nobody reads.
        for n in 0..100_000_u32 {
            index.deliver((0, 0), n.into(), ms(n.into()), ms(n.into()));
        }
        assert!(index.marks <= 1000, "{}", index.marks);
        assert!(index.grain <= ms(256), "{:?}", index.grain);
        for committed in [1, 17, 4_711, 50_000, 99_998] {
            let reached = index.reached((0, 0), Some(committed));
            assert_eq!(reached.done, committed.unsigned_abs());
            let since = reached.waiting_since.expect("the last record waits");
            let sent = ms(committed.unsigned_abs());
            assert!(since <= sent && since + index.grain >= sent, "{committed}");
        }
        // What was read is forgotten.
        index.forget((0, 0), 99_000);
        assert!(index.marks <= 12, "{}", index.marks);
        assert_eq!(index.reached((0, 0), Some(99_500)).done, 99_500);
    }

    proptest! {
        #[test]
        fn thinned_out_send_times_change_no_later_answer(
            steps in prop::collection::vec((1_i64..4, 0_u64..5), 1..60),
            forgotten in 0_i64..100,
            asked in 0_i64..200,
        ) {
            let (mut whole, mut pruned) = (index(), index());
            let (mut offset, mut sent) = (0, 0);
            for (gap, later) in steps {
                whole.deliver((0, 0), offset, ms(sent), ms(sent));
                pruned.deliver((0, 0), offset, ms(sent), ms(sent));
                offset += gap;
                sent += later;
            }
            pruned.forget((0, 0), forgotten);
            let asked = Some(asked.max(forgotten));
            prop_assert_eq!(whole.reached((0, 0), asked), pruned.reached((0, 0), asked));
        }
    }
}
