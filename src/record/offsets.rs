//! A set of offsets. They arrive nearly in order per partition, so it keeps them as ranges: dense offsets
//! cost nothing, a gap costs one range. This file is separate because several parts use it: duplicates,
//! the gaps that `kreplay inspect` shows, and the journal's delivered records.

use std::collections::BTreeMap;

/// An offset as a capture writes it. Kafka counts from 0 and writes -1 for an offset that it does not know
/// (Kafka protocol guide): an offset below 0 identifies no record.
pub(crate) fn known(offset: i64) -> Option<i64> {
    Some(offset).filter(|offset| *offset >= 0)
}

/// Offsets as ranges that do not touch: first offset -> the offset after the last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Offsets(BTreeMap<i64, i64>);

impl Offsets {
    /// Adds `offset`; `false` if it was there already.
    pub(crate) fn insert(&mut self, offset: i64) -> bool {
        let next = offset.saturating_add(1);
        let before = self.0.range_mut(..=offset).next_back();
        if let Some((_, end)) = before {
            if offset < *end {
                return false;
            }
            if offset == *end {
                *end = next;
                // The range now may reach the one after it.
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

    /// Adds the offsets from `start` to before `end`.
    pub(crate) fn insert_range(&mut self, start: i64, end: i64) {
        if start >= end {
            return;
        }
        let (mut first, mut behind) = (start, end);
        // Ranges that touch the new one become part of it.
        while let Some((&start, &end)) = self.0.range(..=behind).next_back() {
            if end < first {
                break;
            }
            self.0.remove(&start);
            first = first.min(start);
            behind = behind.max(end);
        }
        self.0.insert(first, behind);
    }

    /// Removes the offsets from `start` to before `end`.
    pub(crate) fn remove_range(&mut self, start: i64, end: i64) {
        if start >= end {
            return;
        }
        while let Some((&first, &behind)) = self.0.range(..end).next_back() {
            if behind <= start {
                break;
            }
            self.0.remove(&first);
            if end < behind {
                self.0.insert(end, behind);
            }
            if first < start {
                self.0.insert(first, start);
                break;
            }
        }
    }

    pub(crate) fn contains(&self, offset: i64) -> bool {
        self.0
            .range(..=offset)
            .next_back()
            .is_some_and(|(_, end)| offset < *end)
    }

    /// Removes `offset`; `false` if it was not there.
    pub(crate) fn remove(&mut self, offset: i64) -> bool {
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

    pub(crate) fn len(&self) -> u64 {
        self.0.iter().map(|(start, end)| end.abs_diff(*start)).sum()
    }

    /// All offsets as ranges, from the first offset to before the second, in order.
    pub(crate) fn ranges(&self) -> Vec<(i64, i64)> {
        self.0.iter().map(|(start, end)| (*start, *end)).collect()
    }

    /// The number of runs of consecutive offsets.
    pub(crate) fn runs(&self) -> usize {
        self.0.len()
    }

    /// The first and the last one.
    pub(crate) fn ends(&self) -> Option<(i64, i64)> {
        let (first, _) = self.0.first_key_value()?;
        let (_, behind) = self.0.last_key_value()?;
        Some((*first, behind - 1))
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

    proptest! {
        #[test]
        fn whole_ranges_are_added_and_taken_away_as_one_by_one(steps in prop::collection::vec((0_i64..60, 0_i64..12, prop::bool::weighted(0.6)), 0..80)) {
            let (mut offsets, mut set) = (Offsets::default(), BTreeSet::new());
            for (start, length, adds) in steps {
                let range = start..start + length;
                match adds {
                    true => {
                        offsets.insert_range(range.start, range.end);
                        set.extend(range);
                    }
                    false => {
                        offsets.remove_range(range.start, range.end);
                        set.retain(|offset| !range.contains(offset));
                    }
                }
                let there: Vec<i64> = offsets.0.iter().flat_map(|(start, end)| *start..*end).collect();
                prop_assert_eq!(there, set.iter().copied().collect::<Vec<_>>());
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
        assert_eq!((offsets.runs(), offsets.ends()), (1, Some((0, 999))));
        assert_eq!(offsets.0.into_iter().collect::<Vec<_>>(), [(0, 1000)]);
    }
}
