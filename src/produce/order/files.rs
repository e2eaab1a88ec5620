//! Finds the order in which the files of a capture belong: the order of a shell's glob may not be that in
//! which they were written (`part.10` comes before `part.2`).

use std::collections::{BTreeSet, HashMap};

use super::partitions::{PartitionIndex, PartitionRun};

/// How many partitions of files are compared; with more, nothing is said.
const MOST_RANGES: usize = 64 << 10;
/// Files that are compared with each other.
const MOST_FILES: usize = 256;

/// The offsets that each file has of each partition.
#[derive(Debug, Default)]
pub(super) struct FileRanges(HashMap<(PartitionIndex, u32), (i64, i64)>);

impl FileRanges {
    /// Notes a part of the file `input`.
    pub(super) fn note(&mut self, input: u32, run: &PartitionRun) {
        let key = (run.partition, input);
        if self.0.len() >= MOST_RANGES && !self.0.contains_key(&key) {
            return;
        }
        let range = self.0.entry(key).or_insert((run.lowest, run.highest));
        *range = (range.0.min(run.lowest), range.1.max(run.highest));
    }

    /// The files in ascending order of their offsets; empty if they were read in that order, or if no order
    /// fits.
    pub(super) fn better_order(&self) -> Vec<u32> {
        let files: BTreeSet<u32> = self.0.keys().map(|(_, input)| *input).collect();
        if files.len() > MOST_FILES || self.0.len() >= MOST_RANGES {
            return Vec::new();
        }
        let before = self.before();
        let mut left: Vec<u32> = files.iter().copied().collect();
        let mut order = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let is_first = |file: &&u32| {
                let mut others = left.iter().filter(|other| other != file);
                !others.any(|other| before.get(&(*other, **file)).is_some_and(|n| *n > 0))
            };
            let Some(first) = left.iter().find(is_first).copied() else {
                return Vec::new();
            };
            left.retain(|file| *file != first);
            order.push(first);
        }
        match order.is_sorted() {
            true => Vec::new(),
            false => order,
        }
    }

    /// In how many more partitions the first of two files comes before the second than the other way round.
    fn before(&self) -> HashMap<(u32, u32), i64> {
        let mut of_partition: HashMap<PartitionIndex, Vec<(u32, i64, i64)>> = HashMap::new();
        for ((partition, input), (lowest, highest)) in &self.0 {
            let ranges = of_partition.entry(*partition).or_default();
            ranges.push((*input, *lowest, *highest));
        }
        let mut before = HashMap::new();
        for ranges in of_partition.values() {
            for (one, lowest, highest) in ranges {
                let later = |(_, low, high): &&(u32, i64, i64)| lowest < low && highest < high;
                for (other, ..) in ranges.iter().filter(later) {
                    *before.entry((*one, *other)).or_default() += 1;
                    *before.entry((*other, *one)).or_default() -= 1;
                }
            }
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn better(ranges: &[(PartitionIndex, u32, i64, i64)]) -> Vec<u32> {
        let ranges = ranges.iter();
        let ranges =
            ranges.map(|(partition, input, low, high)| ((*partition, *input), (*low, *high)));
        FileRanges(ranges.collect()).better_order()
    }

    #[test]
    fn files_are_put_in_the_order_of_their_offsets_where_there_is_one() {
        // part.0, part.10, part.2 as a glob sorts them, over two partitions.
        let parts = [
            (0, 0, 0, 9),
            (1, 0, 0, 5),
            (0, 1, 20, 29),
            (1, 1, 11, 14),
            (0, 2, 10, 19),
        ];
        assert_eq!(better(&parts), [0, 2, 1]);
        let rotated = [(0, 0, 5, 20), (0, 1, 0, 7)];
        assert_eq!(better(&rotated), [1, 0], "neighbours may overlap");
        for fine in [
            &[(0, 0, 0, 9), (0, 1, 10, 19)][..],
            &[(0, 0, 0, 9), (0, 1, 0, 9)],
            &[(0, 0, 0, 9), (1, 1, 0, 9)],
            &[(0, 0, 0, 9)],
            // Two consumers, each ahead of the other somewhere.
            &[(0, 0, 0, 9), (0, 1, 10, 19), (1, 0, 10, 19), (1, 1, 0, 9)],
            &[],
        ] {
            assert_eq!(better(fine), [0; 0], "{fine:?}");
        }
    }
}
