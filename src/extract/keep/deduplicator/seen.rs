//! Remembers which records were seen: (topic, partition, offset) identifies a record, and several consumers
//! fetch the same one, and fetch it again after a rebalance. Offsets arrive nearly in order per partition, so
//! they are kept as ranges: dense offsets cost nothing, a gap costs one range.

use std::collections::HashMap;
use std::fmt;

use crate::record::CapturedTopic;
use crate::record::offsets::Offsets;
use crate::report::rendering::figures::count;

/// What is known about the records of one partition.
#[derive(Debug, Default)]
struct SeenPartition {
    given: Offsets,
    /// Seen only as part of aborted transactions, by consumers that did not receive them.
    withheld: Offsets,
}

impl SeenPartition {
    fn ranges(&self) -> usize {
        self.given.runs() + self.withheld.runs()
    }
}

/// What to do with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum CopyVerdict {
    First,
    /// Count it: it is a copy of one that is replayed or withheld.
    Duplicate,
    /// Withhold it: it belongs to an aborted transaction, as far as is known by now. It is counted at the
    /// end.
    Withheld,
    /// Replay it: it was withheld before, and now an application is seen to have received it. The copy from
    /// before is the duplicate.
    GivenAfterAll,
}

/// All records seen so far.
#[derive(Debug, Default)]
pub(in crate::extract) struct SeenOffsets {
    topics: HashMap<CapturedTopic, HashMap<i32, SeenPartition>>,
    partitions: usize,
    /// Ranges of offsets in all of them: one more for each gap.
    ranges: usize,
}

/// What is kept to recognise further copies takes more memory than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) struct TooManySeen {
    topics: usize,
    partitions: usize,
    ranges: usize,
}

impl fmt::Display for TooManySeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topics = count(self.topics as u64, "topic");
        let partitions = count(self.partitions as u64, "partition");
        let ranges = count(self.ranges as u64, "range");
        let most = SeenOffsets::MOST_BYTES >> 20;
        write!(
            f,
            "recognising further copies of records would take more than {most} MiB, for {topics}, \
             {partitions} and {ranges} of offsets"
        )
    }
}

impl SeenOffsets {
    /// The most that is kept: 13 million gaps, or a million partitions. Captures of compacted topics and of
    /// transactions have a gap every few records.
    const MOST_BYTES: usize = 512 << 20;
    /// What a range of offsets takes, in bytes: 36 as measured with 4 million of them, and room to grow.
    const RANGE: usize = 40;
    /// What a partition takes without its ranges: 365 as measured with a million of them.
    const PARTITION: usize = 360;
    /// What a topic takes besides: 500 as measured with 200,000 of them, each with a partition.
    const TOPIC: usize = 160;

    fn bytes(&self) -> usize {
        self.topics.len() * Self::TOPIC
            + self.partitions * Self::PARTITION
            + self.ranges * Self::RANGE
    }

    /// Checks that no more is kept than allowed.
    ///
    /// # Errors
    /// Returns how much is kept if that is too much.
    pub(in crate::extract) fn check(&self) -> Result<(), TooManySeen> {
        match self.bytes() > Self::MOST_BYTES {
            true => Err(TooManySeen {
                topics: self.topics.len(),
                partitions: self.partitions,
                ranges: self.ranges,
            }),
            false => Ok(()),
        }
    }

    /// Notes a record that an application received.
    pub(in crate::extract) fn given(
        &mut self,
        topic: &CapturedTopic,
        partition: i32,
        offset: i64,
    ) -> CopyVerdict {
        self.noting(topic, partition, |partition| {
            if !partition.given.insert(offset) {
                return CopyVerdict::Duplicate;
            }
            match partition.withheld.remove(offset) {
                true => CopyVerdict::GivenAfterAll,
                false => CopyVerdict::First,
            }
        })
    }

    /// Notes a record that its consumer did not receive, because its transaction was aborted.
    pub(in crate::extract) fn withheld(
        &mut self,
        topic: &CapturedTopic,
        partition: i32,
        offset: i64,
    ) -> CopyVerdict {
        self.noting(topic, partition, |partition| {
            match !partition.given.contains(offset) && partition.withheld.insert(offset) {
                true => CopyVerdict::Withheld,
                false => CopyVerdict::Duplicate,
            }
        })
    }

    /// How many records stay withheld, once everything was read.
    pub(in crate::extract) fn withheld_count(&self) -> u64 {
        self.topics
            .values()
            .flat_map(HashMap::values)
            .map(|partition| partition.withheld.len())
            .sum()
    }

    /// Returns what `note` says about a partition, and counts the ranges that it adds or joins.
    fn noting(
        &mut self,
        topic: &CapturedTopic,
        partition: i32,
        note: impl FnOnce(&mut SeenPartition) -> CopyVerdict,
    ) -> CopyVerdict {
        if !self.topics.contains_key(topic) {
            self.topics.insert(topic.clone(), HashMap::new());
        }
        let partitions = self.topics.get_mut(topic).expect("it was put in above");
        let known = partitions.len();
        let partition = partitions.entry(partition).or_default();
        let before = partition.ranges();
        let verdict = note(partition);
        self.ranges = self.ranges + partition.ranges() - before;
        self.partitions += partitions.len() - known;
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aborted_record_is_withheld_until_an_application_has_received_it() {
        let topic = CapturedTopic::Name("t".into());
        let mut seen = SeenOffsets::default();
        assert_eq!(seen.withheld(&topic, 0, 7), CopyVerdict::Withheld);
        assert_eq!(seen.withheld(&topic, 0, 7), CopyVerdict::Duplicate);
        assert_eq!(seen.withheld_count(), 1);
        assert_eq!(seen.given(&topic, 0, 7), CopyVerdict::GivenAfterAll);
        assert_eq!(seen.withheld(&topic, 0, 7), CopyVerdict::Duplicate);
        assert_eq!(seen.given(&topic, 0, 7), CopyVerdict::Duplicate);
        assert_eq!(seen.given(&topic, 1, 7), CopyVerdict::First);
        assert_eq!(seen.withheld_count(), 0);
    }

    #[test]
    fn ten_million_records_with_dense_offsets_are_kept_as_a_few_ranges() {
        const FETCHES: i64 = 125_000;
        const RECORDS: i64 = 20;
        let topic = CapturedTopic::Name("t".into());
        let mut seen = SeenOffsets::default();
        let (mut first, mut most_runs) = (0, 0);
        // Two groups read four partitions: the first one's Fetches change places by twos.
        for i in 0..FETCHES {
            for partition in 0..4 {
                for fetch in [i ^ 1, i] {
                    for offset in fetch * RECORDS..(fetch + 1) * RECORDS {
                        let verdict = seen.given(&topic, partition, offset);
                        first += u64::from(verdict == CopyVerdict::First);
                    }
                    let known = &seen.topics[&topic][&partition];
                    most_runs = most_runs.max(known.ranges());
                }
            }
        }
        assert_eq!((first, most_runs), (10_000_000, 2));
        assert_eq!((seen.partitions, seen.ranges, seen.check()), (4, 4, Ok(())));
    }

    /// 512 MiB are 13,421,772 ranges of 40 bytes, less what the topic and its partition take.
    #[test]
    fn gaps_are_counted_and_bounded() {
        const MOST: i64 = ((512 << 20) - 160 - 360) / 40;
        let topic = CapturedTopic::Name("t".into());
        let mut seen = SeenOffsets::default();
        for number in 0..MOST {
            seen.given(&topic, 0, number * 2);
        }
        assert_eq!(seen.check(), Ok(()));
        seen.given(&topic, 0, MOST * 2);
        let said = seen.check().map_err(|full| full.to_string());
        let expected = "recognising further copies of records would take more than 512 MiB, for 1 topic, \
                        1 partition and 13,421,760 ranges of offsets";
        assert_eq!(said, Err(expected.into()));
        // What fills a gap joins two ranges.
        seen.given(&topic, 0, 1);
        assert_eq!((seen.ranges, seen.check()), (13_421_759, Ok(())));
    }
}
