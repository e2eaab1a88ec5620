//! Which records were seen: (topic, partition, offset) identifies a record, and the same one is
//! fetched by several consumers and again after a rebalance. Offsets arrive nearly in order per
//! partition, so they are kept as ranges: dense offsets cost nothing, a gap costs one range.

use std::collections::HashMap;

use crate::record::CapturedTopic;
use crate::record::offsets::Offsets;

/// What is known of the records of one partition.
#[derive(Debug, Default)]
struct SeenPartition {
    given: Offsets,
    /// Seen only as part of aborted transactions, by consumers that were not given them.
    withheld: Offsets,
}

/// What to do with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum CopyVerdict {
    First,
    /// A further copy of one that is replayed or withheld.
    Duplicate,
    /// Of an aborted transaction, as far as is known by now: it is counted at the end.
    Withheld,
    /// Withheld before, and now seen to have been given to an application: it is replayed, and the
    /// copy from before is the duplicate.
    GivenAfterAll,
}

/// All records seen so far.
#[derive(Debug, Default)]
pub(in crate::extract) struct SeenOffsets(HashMap<CapturedTopic, HashMap<i32, SeenPartition>>);

impl SeenOffsets {
    /// Notes a record that an application was given.
    pub(in crate::extract) fn given(
        &mut self,
        topic: &CapturedTopic,
        partition: i32,
        offset: i64,
    ) -> CopyVerdict {
        let partition = self.partition(topic, partition);
        if !partition.given.insert(offset) {
            return CopyVerdict::Duplicate;
        }
        match partition.withheld.remove(offset) {
            true => CopyVerdict::GivenAfterAll,
            false => CopyVerdict::First,
        }
    }

    /// Notes a record that its consumer was not given, because its transaction was aborted.
    pub(in crate::extract) fn withheld(
        &mut self,
        topic: &CapturedTopic,
        partition: i32,
        offset: i64,
    ) -> CopyVerdict {
        let partition = self.partition(topic, partition);
        match !partition.given.contains(offset) && partition.withheld.insert(offset) {
            true => CopyVerdict::Withheld,
            false => CopyVerdict::Duplicate,
        }
    }

    /// How many records are withheld for good, once everything was read.
    pub(in crate::extract) fn withheld_count(&self) -> u64 {
        self.0
            .values()
            .flat_map(HashMap::values)
            .map(|partition| partition.withheld.len())
            .sum()
    }

    fn partition(&mut self, topic: &CapturedTopic, partition: i32) -> &mut SeenPartition {
        if !self.0.contains_key(topic) {
            self.0.insert(topic.clone(), HashMap::new());
        }
        let partitions = self.0.get_mut(topic).expect("it was put in above");
        partitions.entry(partition).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_withheld_only_as_long_as_no_application_was_given_it() {
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
                    let known = seen.partition(&topic, partition);
                    most_runs = most_runs.max(known.given.runs() + known.withheld.runs());
                }
            }
        }
        assert_eq!((first, most_runs), (10_000_000, 2));
        assert_eq!(seen.0.values().map(HashMap::len).sum::<usize>(), 4);
    }
}
