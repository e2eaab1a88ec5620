//! Which records were seen: (topic, partition, offset) identifies a record, and the same one is
//! fetched by several consumers and again after a rebalance. Offsets arrive nearly in order per
//! partition, so they are kept as ranges: dense offsets cost nothing, a gap costs one range.

use std::collections::{BTreeMap, HashMap};

use crate::record::CapturedTopic;

/// Offsets as ranges that do not touch: first offset -> the one behind the last.
#[derive(Debug, Default, PartialEq, Eq)]
struct Offsets(BTreeMap<i64, i64>);

impl Offsets {
    /// Adds `offset`; `false` when it was there already.
    fn insert(&mut self, offset: i64) -> bool {
        let next = offset.saturating_add(1);
        let before = self.0.range_mut(..=offset).next_back();
        if let Some((_, end)) = before {
            if offset < *end {
                return false;
            }
            if offset == *end {
                *end = next;
                // The range behind may now be reached.
                if let Some(end_behind) = self.0.remove(&next)
                    && let Some((_, end)) = self.0.range_mut(..=offset).next_back()
                {
                    *end = end_behind;
                }
                return true;
            }
        }
        let end = self.0.remove(&next).unwrap_or(next);
        self.0.insert(offset, end);
        true
    }

    fn contains(&self, offset: i64) -> bool {
        self.0
            .range(..=offset)
            .next_back()
            .is_some_and(|(_, end)| offset < *end)
    }

    /// Takes `offset` away; `false` when it was not there.
    fn remove(&mut self, offset: i64) -> bool {
        let Some((&start, &end)) = self
            .0
            .range(..=offset)
            .next_back()
            .filter(|(_, end)| offset < **end)
        else {
            return false;
        };
        self.0.remove(&start);
        if start < offset {
            self.0.insert(start, offset);
        }
        if offset + 1 < end {
            self.0.insert(offset + 1, end);
        }
        true
    }

    fn len(&self) -> u64 {
        self.0.iter().map(|(start, end)| end.abs_diff(*start)).sum()
    }
}

/// What is known of the records of one partition.
#[derive(Debug, Default)]
struct Partition {
    given: Offsets,
    /// Seen only as part of aborted transactions, by consumers that were not given them.
    withheld: Offsets,
}

/// What to do with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
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
pub(super) struct Seen(HashMap<CapturedTopic, HashMap<i32, Partition>>);

impl Seen {
    /// Notes a record that an application was given.
    pub(super) fn given(&mut self, topic: &CapturedTopic, partition: i32, offset: i64) -> Verdict {
        let partition = self.partition(topic, partition);
        if !partition.given.insert(offset) {
            return Verdict::Duplicate;
        }
        match partition.withheld.remove(offset) {
            true => Verdict::GivenAfterAll,
            false => Verdict::First,
        }
    }

    /// Notes a record that its consumer was not given, because its transaction was aborted.
    pub(super) fn withheld(
        &mut self,
        topic: &CapturedTopic,
        partition: i32,
        offset: i64,
    ) -> Verdict {
        let partition = self.partition(topic, partition);
        match !partition.given.contains(offset) && partition.withheld.insert(offset) {
            true => Verdict::Withheld,
            false => Verdict::Duplicate,
        }
    }

    /// How many records are withheld for good, once everything was read.
    pub(super) fn withheld_count(&self) -> u64 {
        self.0
            .values()
            .flat_map(HashMap::values)
            .map(|partition| partition.withheld.len())
            .sum()
    }

    fn partition(&mut self, topic: &CapturedTopic, partition: i32) -> &mut Partition {
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
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn ranges_hold_what_a_plain_set_holds(steps in prop::collection::vec((0_i64..60, prop::bool::weighted(0.7)), 0..300)) {
            let (mut offsets, mut set) = (Offsets::default(), BTreeSet::new());
            for (offset, adds) in steps {
                match adds {
                    true => prop_assert_eq!(offsets.insert(offset), set.insert(offset)),
                    false => prop_assert_eq!(offsets.remove(offset), set.remove(&offset)),
                }
                prop_assert_eq!(offsets.len(), set.len() as u64);
                let ranges: Vec<_> = offsets.0.iter().collect();
                prop_assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0), "{:?}", ranges);
            }
        }
    }

    #[test]
    fn dense_offsets_are_one_range_however_they_arrive() {
        let mut offsets = Offsets::default();
        for offset in (0..1000).step_by(2).chain((1..1000).step_by(2)) {
            assert!(offsets.insert(offset));
        }
        assert_eq!(offsets.0.into_iter().collect::<Vec<_>>(), [(0, 1000)]);
    }

    #[test]
    fn a_record_is_withheld_only_as_long_as_no_application_was_given_it() {
        let topic = CapturedTopic::Name("t".into());
        let mut seen = Seen::default();
        assert_eq!(seen.withheld(&topic, 0, 7), Verdict::Withheld);
        assert_eq!(seen.withheld(&topic, 0, 7), Verdict::Duplicate);
        assert_eq!(seen.withheld_count(), 1);
        assert_eq!(seen.given(&topic, 0, 7), Verdict::GivenAfterAll);
        assert_eq!(seen.withheld(&topic, 0, 7), Verdict::Duplicate);
        assert_eq!(seen.given(&topic, 0, 7), Verdict::Duplicate);
        assert_eq!(seen.given(&topic, 1, 7), Verdict::First);
        assert_eq!(seen.withheld_count(), 0);
    }
}
