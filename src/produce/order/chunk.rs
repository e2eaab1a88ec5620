//! The waiting records of one partition, in chunks that are batches of their own. This file is separate from
//! the others because nothing here decides when they go.

use crate::record::in_flight::{NumberedBatch, Positions};
use crate::record::{Batch, Record};

/// How many bytes of records make a chunk: a request with more of them is hardly cheaper per record.
const FULL: usize = 256 << 10;
/// What a chunk costs besides its records: its buffers, and the name of its topic.
const OVERHEAD: usize = 1 << 10;

/// Some records of one partition, each with its position in the source.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    batch: Batch,
    positions: Vec<u64>,
}

impl Chunk {
    /// Bytes of memory.
    pub(super) fn weight(&self) -> usize {
        self.batch.room() + self.positions.capacity() * size_of::<u64>() + OVERHEAD
    }

    pub(super) fn records(&self) -> usize {
        self.positions.len()
    }

    /// The offsets of the first and the last record; a chunk has at least one.
    pub(super) fn ends(&self) -> (i64, i64) {
        let records = &self.batch.records;
        let offset = |record: Option<&Record>| record.and_then(|r| r.offset).unwrap_or_default();
        (offset(records.first()), offset(records.last()))
    }

    /// The input of all records; `None` if they come from several.
    pub(super) fn input(&self) -> Option<u32> {
        let mut inputs = self.batch.records.iter().map(|record| record.origin.input);
        let first = inputs.next()?;
        inputs.all(|input| input == first).then_some(first)
    }

    pub(super) fn into_numbered(self) -> NumberedBatch {
        NumberedBatch::new(self.batch, Positions::Listed(self.positions))
    }

    fn push(&mut self, from: &Batch, record: &Record, position: u64) {
        self.batch.reserve_closely(from.size(record));
        self.batch.push_copy(from, record);
        if self.positions.len() == self.positions.capacity() {
            self.positions
                .reserve_exact(self.batch.records.capacity() - self.positions.len());
        }
        self.positions.push(position);
    }

    /// Takes out the records from `index` on.
    fn split_off(&mut self, index: usize) -> Self {
        let mut behind = Self::default();
        let records = self.batch.records.iter().zip(&self.positions);
        for (record, position) in records.skip(index) {
            behind.push(&self.batch, record, *position);
        }
        self.batch.records.truncate(index);
        self.positions.truncate(index);
        behind
    }
}

/// The waiting records of one partition, as they came.
#[derive(Debug, Default)]
pub(super) struct PartitionRecords {
    chunks: Vec<Chunk>,
    /// The sum over the chunks before the last one.
    weight: usize,
    /// The highest offset.
    highest: Option<i64>,
    /// Whether an offset is below one that came before it.
    is_disturbed: bool,
}

impl PartitionRecords {
    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Bytes of memory.
    pub(super) fn weight(&self) -> usize {
        self.weight + self.chunks.last().map_or(0, Chunk::weight)
    }

    /// The position of the record that came first.
    pub(super) fn first(&self) -> Option<u64> {
        self.chunks.first()?.positions.first().copied()
    }

    /// Adds a record, and returns the position of the last one before it if it begins another chunk after the
    /// first.
    pub(super) fn push(&mut self, from: &Batch, record: &Record, position: u64) -> Option<u64> {
        self.is_disturbed |= record.offset < self.highest;
        self.highest = self.highest.max(record.offset);
        let mut behind = None;
        match self.chunks.last() {
            Some(last) if last.weight() < FULL => {}
            None => self.chunks.reserve_exact(1),
            Some(last) => {
                self.weight += last.weight();
                behind = last.positions.last().copied();
            }
        }
        if behind.is_some() || self.chunks.is_empty() {
            self.chunks.push(Chunk::default());
        }
        let last = self.chunks.last_mut().expect("one was added above");
        last.push(from, record, position);
        behind
    }

    /// Takes out the records below the position `settled`, by offset, and what belongs before them. The rest
    /// stays as it came.
    pub(super) fn release(&mut self, settled: u64) -> Vec<Chunk> {
        let all = std::mem::take(self);
        let (mut gone, mut left) = (Self::default(), Self::default());
        if all.is_disturbed {
            let mut order: Vec<(Option<i64>, u64, usize, usize)> = Vec::new();
            for (of, chunk) in all.chunks.iter().enumerate() {
                let records = chunk.batch.records.iter().zip(&chunk.positions);
                let places = records.enumerate();
                order.extend(places.map(|(at, (record, p))| (record.offset, *p, of, at)));
            }
            order.sort_unstable();
            let last = order.iter().rposition(|(_, p, ..)| *p < settled);
            let mut stays = order.split_off(last.map_or(0, |last| last + 1));
            stays.sort_unstable_by_key(|(_, position, ..)| *position);
            for (to, places) in [(&mut gone, order), (&mut left, stays)] {
                for (_, position, of, at) in places {
                    let from = &all.chunks[of].batch;
                    to.push(from, &from.records[at], position);
                }
            }
        } else {
            for mut chunk in all.chunks {
                let goes = chunk.positions.partition_point(|p| *p < settled);
                if goes == 0 {
                    left.append(chunk);
                    continue;
                }
                if goes < chunk.records() {
                    left.append(chunk.split_off(goes));
                }
                gone.chunks.push(chunk);
            }
        }
        *self = left;
        gone.chunks
    }

    /// Adds a chunk with ascending offsets, made from the existing ones.
    fn append(&mut self, chunk: Chunk) {
        self.weight = self.weight();
        self.highest = self.highest.max(Some(chunk.ends().1));
        self.chunks.push(chunk);
    }
}
