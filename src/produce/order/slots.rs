//! The records of several batches by their positions, in the order in which they have to be sent. This file
//! is separate from the window because nothing here waits.

use super::by_time::{TimeRange, WaitingRecord, in_order};
use super::partitions::{KnownPartitions, PartitionIndex};
use crate::config::Clock;
use crate::record::Batch;
use crate::record::in_flight::{NumberedBatch, Positions};

/// A record among those that wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordSlot {
    source: usize,
    index: usize,
    /// The time that counts, if records go by time.
    time: Option<i64>,
}

/// The records that wait, by the slot in which each came.
pub(super) struct RecordSlots {
    places: Vec<RecordSlot>,
    /// Slots of records that have a partition and an offset, as they came.
    came: Vec<(PartitionIndex, usize)>,
    /// The same slots, in order.
    belong: Vec<(PartitionIndex, i64, usize)>,
}

impl RecordSlots {
    pub(super) fn of(batches: &[&NumberedBatch], partitions: &mut KnownPartitions) -> Self {
        let records = batches.iter().map(|batch| batch.batch.records.len()).sum();
        let mut places = Vec::with_capacity(records);
        let mut came = Vec::with_capacity(records);
        let mut belong = Vec::with_capacity(records);
        for (source, numbered) in batches.iter().enumerate() {
            let mut finder = partitions.finder(&numbered.batch);
            for (index, record) in numbered.batch.records.iter().enumerate() {
                if let Some((partition, offset)) = partitions.place(&mut finder, record) {
                    came.push((partition, places.len()));
                    belong.push((partition, offset, places.len()));
                }
                places.push(RecordSlot {
                    source,
                    index,
                    time: None,
                });
            }
        }
        belong.sort_unstable();
        Self {
            places,
            came,
            belong,
        }
    }

    /// The records in order. Those of a partition take the slots that records of that partition had, so
    /// that partitions stay interleaved as they were captured.
    pub(super) fn in_order(&mut self) -> Vec<RecordSlot> {
        self.came.sort_unstable();
        let mut ordered = self.places.clone();
        for ((_, to), (_, _, from)) in self.came.iter().zip(&self.belong) {
            ordered[*to] = self.places[*from];
        }
        ordered
    }

    /// The records by their times, and within a partition by offset. Records without a partition or offset
    /// keep the order in which they came.
    pub(super) fn by_time(&self, batches: &[&NumberedBatch], clock: Clock) -> Vec<RecordSlot> {
        let mut records: Vec<WaitingRecord> =
            (0..self.places.len()).map(|slot| (None, 0, slot)).collect();
        for (partition, offset, slot) in &self.belong {
            records[*slot] = (Some(*partition), *offset, *slot);
        }
        let times = self.places.iter().map(|place| {
            let batch: &Batch = &batches[place.source].batch;
            clock.time_ns(batch, &batch.records[place.index])
        });
        let ordered = in_order(records, &times.collect::<Vec<_>>()).into_iter();
        ordered
            .map(|(time, slot)| RecordSlot {
                time: Some(time),
                ..self.places[slot]
            })
            .collect()
    }
}

/// The earliest and the latest time of the records at `places`, if they go by time.
pub(super) fn times_of(places: &[RecordSlot]) -> Option<TimeRange> {
    TimeRange::of(places.iter().filter_map(|place| place.time))
}

/// The records at `places` as a batch of their own.
pub(super) fn copy(batches: &[&NumberedBatch], places: &[RecordSlot]) -> NumberedBatch {
    let mut batch = Batch::default();
    let mut positions = Vec::with_capacity(places.len());
    for place in places {
        let source = batches[place.source];
        batch.push_copy(&source.batch, &source.batch.records[place.index]);
        positions.push(source.positions.of(place.index));
    }
    let positions = Positions::Listed(positions);
    NumberedBatch::new(batch, positions)
}
