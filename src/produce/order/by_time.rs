//! The order of timed replays: across partitions by time, within each by offset. This file is separate
//! because it is about times alone; `window/` moves the records.

use std::collections::VecDeque;

use super::partitions::PartitionIndex;
use crate::config::Clock;
use crate::record::Batch;

/// The earliest and the latest time in a waiting batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeRange {
    pub(super) earliest: i64,
    pub(super) latest: i64,
    /// Whether times rise from record to record.
    pub(super) is_sorted: bool,
}

impl TimeRange {
    /// The range of `times`, in their order; `None` if there are none.
    pub(super) fn of(times: impl IntoIterator<Item = i64>) -> Option<Self> {
        let mut times = times.into_iter();
        let first = times.next()?;
        let start = Self {
            earliest: first,
            latest: first,
            is_sorted: true,
        };
        Some(times.fold(start, |range, time| Self {
            earliest: range.earliest.min(time),
            latest: range.latest.max(time),
            is_sorted: range.is_sorted && time >= range.latest,
        }))
    }

    /// The range of the records of `batch` that have a time.
    pub(super) fn of_batch(batch: &Batch, clock: Clock) -> Option<Self> {
        let records = batch.records.iter();
        Self::of(records.filter_map(|record| clock.time_ns(batch, record)))
    }
}

/// The times of waiting batches.
#[derive(Debug, Default)]
pub(super) struct WaitingTimes {
    /// By number, with the earliest time of each. Only those after which no earlier time comes are kept, so
    /// that times rise and the first is the earliest of all.
    earliest: VecDeque<(u64, i64)>,
}

impl WaitingTimes {
    pub(super) fn add(&mut self, number: u64, range: TimeRange) {
        while self
            .earliest
            .back()
            .is_some_and(|(_, time)| *time >= range.earliest)
        {
            self.earliest.pop_back();
        }
        self.earliest.push_back((number, range.earliest));
    }

    /// Whether something after the batch of `number`, the first that waits, belongs before its records.
    pub(super) fn is_disturbed(&mut self, number: u64, range: TimeRange) -> bool {
        while self.earliest.front().is_some_and(|(of, _)| *of <= number) {
            self.earliest.pop_front();
        }
        let later = self.earliest.front();
        later.is_some_and(|(_, earliest)| *earliest < range.latest)
    }

    pub(super) fn clear(&mut self) {
        self.earliest.clear();
    }
}

/// A waiting record: its partition, its offset, and the slot in which it came. Records without an offset form
/// a partition of their own, in the order in which they came.
pub(super) type WaitingRecord = (Option<PartitionIndex>, i64, usize);

/// The slots of `records` in the order in which they have to go, each with the time that counts: its own, or
/// that of an earlier record of its partition if that is later. `times` are those of the slots; a record
/// without a time goes with the one that came before it.
pub(super) fn in_order(
    mut records: Vec<WaitingRecord>,
    times: &[Option<i64>],
) -> Vec<(i64, usize)> {
    let known = times.iter().flatten().next().copied().unwrap_or(0);
    let times: Vec<i64> = times
        .iter()
        .scan(known, |last, time| {
            *last = time.unwrap_or(*last);
            Some(*last)
        })
        .collect();
    records.sort_unstable();
    let mut last: Option<(Option<PartitionIndex>, i64)> = None;
    let mut keyed: Vec<(i64, usize)> = Vec::with_capacity(records.len());
    for (place, (partition, _, slot)) in records.iter().enumerate() {
        let before = last.filter(|(of, _)| of == partition);
        let key = before.map_or(times[*slot], |(_, before)| before.max(times[*slot]));
        last = Some((*partition, key));
        keyed.push((key, place));
    }
    // Positions break ties between offsets with the same time.
    keyed.sort_unstable();
    let slots = keyed.into_iter();
    slots.map(|(key, place)| (key, records[place].2)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn partitions_are_merged_by_time_and_each_keeps_its_order() {
        let records = vec![
            (Some(0), 1, 0),
            (Some(0), 2, 1),
            (Some(0), 3, 2),
            (Some(1), 7, 3),
            (Some(1), 8, 4),
            (None, 0, 5),
        ];
        // The second record of partition 0 has an earlier time than the first; the last record has none.
        let times = [Some(10), Some(5), Some(20), Some(8), Some(15), None];
        let expected = [(8, 3), (10, 0), (10, 1), (15, 5), (15, 4), (20, 2)];
        assert_eq!(in_order(records, &times), expected);
    }

    #[test]
    fn a_batch_is_disturbed_by_an_earlier_one_behind_it() {
        let range = |times: &[i64]| TimeRange::of(times.iter().copied()).expect("some times");
        let mut waiting = WaitingTimes::default();
        let batches = [range(&[1, 2]), range(&[3, 9]), range(&[4, 5]), range(&[9])];
        for (number, range) in (0..).zip(batches) {
            waiting.add(number, range);
        }
        let disturbed: Vec<bool> = (0..)
            .zip(batches)
            .map(|(number, range)| waiting.is_disturbed(number, range))
            .collect();
        assert_eq!(disturbed, [false, true, false, false]);
        assert!(!range(&[1, 3, 2]).is_sorted && range(&[1, 1, 2]).is_sorted);
    }

    proptest! {
        #[test]
        fn every_record_goes_once_by_its_time_and_behind_those_of_its_partition(
            records in prop::collection::vec(
                (prop::option::of(0u32..3), 0i64..50, prop::option::of(0i64..100)), 0..100),
        ) {
            let times: Vec<Option<i64>> = records.iter().map(|(.., time)| *time).collect();
            let waiting = (0..).zip(&records).map(|(slot, (partition, offset, _))| {
                let offset = if partition.is_some() { *offset } else { 0 };
                (*partition, offset, slot)
            });
            let ordered = in_order(waiting.collect(), &times);
            prop_assert!(ordered.is_sorted_by_key(|(key, _)| *key));
            let mut slots: Vec<usize> = ordered.iter().map(|(_, slot)| *slot).collect();
            for partition in [Some(0), Some(1), Some(2)] {
                let offsets = slots.iter().filter(|slot| records[**slot].0 == partition);
                prop_assert!(offsets.map(|slot| records[*slot].1).is_sorted());
            }
            prop_assert!(slots.iter().filter(|slot| records[**slot].0.is_none()).is_sorted());
            slots.sort_unstable();
            prop_assert_eq!(slots, (0..records.len()).collect::<Vec<_>>());
        }
    }
}
