//! The captured partitions that the window has seen, by number: which records of each wait, and what was
//! sent. This file is separate because every question about one partition is answered here without a look
//! at the others, however many there are.

use std::collections::{HashMap, VecDeque};

use crate::record::{Batch, CapturedTopic, Record};

/// Index into [`KnownPartitions::known`].
pub(super) type PartitionIndex = u32;

/// The records of one partition in one waiting batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartitionRun {
    pub(super) partition: PartitionIndex,
    pub(super) lowest: i64,
    pub(super) highest: i64,
    is_sorted: bool,
}

impl PartitionRun {
    /// Records of a partition in their order.
    pub(super) fn in_order(partition: PartitionIndex, lowest: i64, highest: i64) -> Self {
        Self {
            partition,
            lowest,
            highest,
            is_sorted: true,
        }
    }
}

/// What is known about one partition.
#[derive(Debug, Default)]
struct KnownPartition {
    /// The highest offset sent.
    sent: Option<i64>,
    /// The last batch that had records of it, and the index of its run in that batch.
    last_run: Option<(u64, usize)>,
    /// Waiting batches, by number, with the lowest offset of each. Only those after which no lower offset
    /// comes are kept, so that offsets rise and the first is the lowest of all.
    lowest: VecDeque<(u64, i64)>,
}

/// All partitions seen.
#[derive(Debug, Default)]
pub(super) struct KnownPartitions {
    topics: HashMap<CapturedTopic, u32>,
    indices: HashMap<(u32, i32), PartitionIndex>,
    known: Vec<KnownPartition>,
    /// How many look-ups were made, for the test of how that grows.
    #[cfg(test)]
    looks: u64,
}

/// Finds the partitions of one batch's records.
#[derive(Debug)]
pub(super) struct PartitionFinder {
    /// The number of each of the batch's topics.
    topics: Vec<u32>,
    /// The topic and partition of the last look-up: the next record mostly has the same.
    last: Option<((u32, i32), PartitionIndex)>,
}

impl KnownPartitions {
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Begins to find the partitions of `batch`.
    pub(super) fn finder(&mut self, batch: &Batch) -> PartitionFinder {
        let number = |topic: &CapturedTopic| match self.topics.get(topic) {
            Some(number) => *number,
            None => {
                let next = u32::try_from(self.topics.len()).expect("fewer topics than records");
                self.topics.insert(topic.clone(), next);
                next
            }
        };
        PartitionFinder {
            topics: batch.topics.iter().map(number).collect(),
            last: None,
        }
    }

    /// The partition and offset of a record that has both.
    pub(super) fn place(
        &mut self,
        finder: &mut PartitionFinder,
        record: &Record,
    ) -> Option<(PartitionIndex, i64)> {
        self.count_look();
        let (topic, partition, offset) = (record.topic?, record.partition?, record.offset?);
        let wanted = (topic, partition);
        if let Some((last, index)) = finder.last
            && last == wanted
        {
            return Some((index, offset));
        }
        let known = &mut self.known;
        let key = (finder.topics[topic as usize], partition);
        let index = *self.indices.entry(key).or_insert_with(|| {
            known.push(KnownPartition::default());
            PartitionIndex::try_from(known.len() - 1).expect("fewer partitions than records")
        });
        finder.last = Some((wanted, index));
        Some((index, offset))
    }

    /// The runs of `batch`, which begins to wait under `number`; numbers rise.
    pub(super) fn add(&mut self, number: u64, batch: &Batch) -> Vec<PartitionRun> {
        let mut runs: Vec<PartitionRun> = Vec::new();
        let mut finder = self.finder(batch);
        for record in &batch.records {
            let Some((partition, offset)) = self.place(&mut finder, record) else {
                continue;
            };
            let last = &mut self.known[partition as usize].last_run;
            match *last {
                Some((of, index)) if of == number => {
                    let run = &mut runs[index];
                    run.is_sorted &= offset >= run.highest;
                    run.lowest = run.lowest.min(offset);
                    run.highest = run.highest.max(offset);
                }
                _ => {
                    *last = Some((number, runs.len()));
                    runs.push(PartitionRun {
                        partition,
                        lowest: offset,
                        highest: offset,
                        is_sorted: true,
                    });
                }
            }
        }
        for run in &runs {
            self.count_look();
            let waiting = &mut self.known[run.partition as usize].lowest;
            while waiting.back().is_some_and(|(_, low)| *low >= run.lowest) {
                waiting.pop_back();
            }
            waiting.push_back((number, run.lowest));
        }
        runs
    }

    fn count_look(&mut self) {
        #[cfg(test)]
        {
            self.looks += 1;
        }
    }

    /// Whether a batch after that of `number`, the first that waits, has something that belongs before
    /// records of `run`, or the run itself is out of order.
    pub(super) fn is_disturbed(&mut self, number: u64, run: &PartitionRun) -> bool {
        self.count_look();
        let waiting = &mut self.known[run.partition as usize].lowest;
        while waiting.front().is_some_and(|(of, _)| *of <= number) {
            waiting.pop_front();
        }
        let later = waiting.front();
        !run.is_sorted || later.is_some_and(|(_, lowest)| *lowest < run.highest)
    }

    /// Forgets what waits of the partition of `run`: all of it is put in order.
    pub(super) fn clear(&mut self, run: &PartitionRun) {
        self.known[run.partition as usize].lowest.clear();
    }

    /// Notes that `run` goes out; returns the highest offset sent before if that is beyond some of it.
    pub(super) fn send(&mut self, run: &PartitionRun) -> Option<i64> {
        let sent = &mut self.known[run.partition as usize].sent;
        let before = sent.replace(sent.map_or(run.highest, |sent| sent.max(run.highest)));
        before.filter(|before| run.lowest < *before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;
    use crate::record::lines;

    /// A batch with one record of each of this many partitions.
    fn one_of_each(partitions: i32, offset: i64) -> Batch {
        let mut batch = Batch::default();
        for partition in 0..partitions {
            let text =
                format!(r#"{{"topic":"t","partition":{partition},"offset":{offset},"value":"v"}}"#);
            let origin = Origin { input: 0, line: 1 };
            lines::read(text.as_bytes(), origin, &mut batch).expect("a record line");
        }
        batch
    }

    #[test]
    fn a_record_costs_as_many_lookups_among_ten_thousand_partitions_as_among_ten() {
        for partitions in [10, 10_000] {
            let mut known = KnownPartitions::default();
            let waiting: Vec<Vec<PartitionRun>> = (0..20_i64)
                .map(|offset| known.add(offset.unsigned_abs(), &one_of_each(partitions, offset)))
                .collect();
            for (number, runs) in waiting.iter().enumerate() {
                let number = number as u64;
                assert!(!runs.iter().any(|run| known.is_disturbed(number, run)));
                assert!(runs.iter().all(|run| known.send(run).is_none()));
            }
            // One to find its partition, one to wait, one to be sent.
            let records = 20 * u64::from(partitions.unsigned_abs());
            assert_eq!(known.looks, 3 * records, "{partitions} partitions");
        }
    }

    #[test]
    fn a_run_is_disturbed_only_by_records_still_waiting_behind_it() {
        let mut known = KnownPartitions::default();
        let offsets = [5, 9, 7, 8, 2];
        let runs: Vec<PartitionRun> = (0..)
            .zip(offsets)
            .flat_map(|(number, offset)| known.add(number, &one_of_each(1, offset)))
            .collect();
        let disturbed: Vec<bool> = (0..)
            .zip(&runs)
            .map(|(number, run)| known.is_disturbed(number, run))
            .collect();
        assert_eq!(disturbed, [true, true, true, true, false]);
        let mut known = KnownPartitions::default();
        let runs: Vec<PartitionRun> = (0..)
            .zip([2, 9, 7, 8, 10])
            .flat_map(|(number, offset)| known.add(number, &one_of_each(1, offset)))
            .collect();
        let disturbed: Vec<bool> = (0..)
            .zip(&runs)
            .map(|(number, run)| known.is_disturbed(number, run))
            .collect();
        assert_eq!(disturbed, [false, true, false, false, false]);
    }
}
