//! What leaves the window, and in which order.

use std::collections::HashMap;
use std::time::Duration;

use super::{OrderWindow, WaitingBatch, nothing, waits};
use crate::produce::order::batch::{Order, OrderedBatch};
use crate::produce::order::by_time::TimeRange;
use crate::produce::order::gathered::{Release, ReleasedRecords};
use crate::produce::order::partitions::{PartitionIndex, PartitionRun};
use crate::produce::order::slots::{RecordSlots, copy, times_of};
use crate::record::Batch;
use crate::record::in_flight::NumberedBatch;
use crate::report::{ProblemKind, Problems, Tally};

impl OrderWindow {
    /// The next records, after this much time spent waiting for the source.
    pub(in crate::produce::order) fn take_first(
        &mut self,
        waited: Duration,
    ) -> Option<OrderedBatch> {
        if let Some(batch) = self.take_gathered(waited) {
            return Some(batch);
        }
        if self.is_first_disturbed() || self.is_first_early() {
            self.put_in_order();
        }
        let first = self.waiting.pop_front()?;
        let partitions = self.partitions_of(&first.numbered.batch);
        self.records -= first.numbered.batch.records.len();
        self.bytes -= first.numbered.batch.weight();
        let problems = self.note_sent(&first.numbered.batch, &first.runs);
        Some(OrderedBatch {
            numbered: first.numbered,
            tally: first.tally,
            problems,
            partitions,
        })
    }

    /// The next of the gathered records, and what was counted of the source, with them or alone.
    fn take_gathered(&mut self, waited: Duration) -> Option<OrderedBatch> {
        let release = match (self.ends_gathering(), self.gathered.is_due(waited)) {
            (true, _) => Release::All,
            (false, true) => Release::Waited(waited),
            (false, false) => Release::Room(waited),
        };
        let released = self.gathered.take(release);
        let tally = self.gathered.take_tally();
        let Some(ReleasedRecords { partition, chunk }) = released else {
            return (tally != Tally::default()).then(|| waits(nothing(), tally));
        };
        let (lowest, highest) = chunk.ends();
        let run = PartitionRun::in_order(partition, lowest, highest);
        if let Some(input) = chunk.input() {
            self.files.note(input, &run);
        }
        let numbered = chunk.into_numbered();
        let problems = self.note_sent(&numbered.batch, &[run]);
        Some(OrderedBatch {
            problems,
            ..waits(numbered, tally)
        })
    }

    /// The partition of each record of `batch`, as a number of its own, if records are timed; 0 is an unknown
    /// partition.
    fn partitions_of(&mut self, batch: &Batch) -> Vec<u32> {
        if self.clock.is_none() {
            return Vec::new();
        }
        let mut finder = self.partitions.finder(batch);
        let records = batch.records.iter();
        let places = records.map(|record| self.partitions.place(&mut finder, record));
        places
            .map(|place| place.map_or(0, |(partition, _)| partition + 1))
            .collect()
    }

    /// Whether records of the first batch go before others that are due earlier.
    fn is_first_early(&mut self) -> bool {
        let Some((number, times)) = self
            .waiting
            .front()
            .and_then(|w| Some((w.number, w.times?)))
        else {
            return false;
        };
        let is_unsorted = number >= self.merged && !times.is_sorted;
        is_unsorted || self.times.is_disturbed(number, times)
    }

    /// Whether something that waits belongs before records of the first batch.
    fn is_first_disturbed(&mut self) -> bool {
        let Some(first) = self.waiting.front() else {
            return false;
        };
        let partitions = &mut self.partitions;
        let mut runs = first.runs.iter();
        runs.any(|run| partitions.is_disturbed(first.number, run))
    }

    /// Puts all that waits in order, in two batches: while the first is sent, records may still arrive that belong
    /// before one of the second. At least one record waits, because a batch without records is not disturbed.
    fn put_in_order(&mut self) {
        let all: Vec<WaitingBatch> = self.waiting.drain(..).collect();
        let batches: Vec<&NumberedBatch> = all.iter().map(|waiting| &waiting.numbered).collect();
        let mut places = RecordSlots::of(&batches, &mut self.partitions);
        let places = match self.clock {
            None => places.in_order(),
            Some(clock) => places.by_time(&batches, clock),
        };
        (self.records, self.bytes) = (0, 0);
        self.times.clear();
        let mut tally = Tally::default();
        let since = all.last().map_or(Duration::ZERO, |last| last.since);
        let parts = places.chunks(places.len().div_ceil(2));
        let parts: Vec<(NumberedBatch, Option<TimeRange>)> = parts
            .map(|places| (copy(&batches, places), times_of(places)))
            .collect();
        for waiting in all {
            let runs = waiting.runs.iter();
            runs.for_each(|run| self.partitions.clear(run));
            tally.merge(waiting.tally);
        }
        for (numbered, times) in parts {
            let order = (Order::ByOffset, times);
            self.wait(numbered, std::mem::take(&mut tally), since, order);
        }
        self.merged = self.next;
    }

    /// Notes what leaves, and counts the records that come too late.
    fn note_sent(&mut self, batch: &Batch, runs: &[PartitionRun]) -> Problems {
        let late: HashMap<PartitionIndex, i64> = runs
            .iter()
            .filter_map(|run| Some((run.partition, self.partitions.send(run)?)))
            .collect();
        let mut problems = Problems::default();
        if late.is_empty() {
            return problems;
        }
        let mut finder = self.partitions.finder(batch);
        for record in &batch.records {
            let place = self.partitions.place(&mut finder, record);
            let before = place.and_then(|(of, offset)| late.get(&of).filter(|b| offset < **b));
            if let Some(before) = before {
                let why = || {
                    let captured = batch.captured_at(record);
                    format!("{captured} arrived after offset {before} had been sent")
                };
                problems.add(ProblemKind::OutOfOrder, record.origin, why);
            }
        }
        problems
    }

    /// All that waits, as it is.
    pub(in crate::produce::order) fn into_batches(mut self) -> impl Iterator<Item = OrderedBatch> {
        self.is_complete = true;
        let gathered = std::iter::from_fn(move || {
            let released = self.gathered.take(Release::All);
            let numbered = released.map(|released| released.chunk.into_numbered());
            let tally = self.gathered.take_tally();
            let is_something = numbered.is_some() || tally != Tally::default();
            is_something.then(|| waits(numbered.unwrap_or_else(nothing), tally))
        });
        let waiting = self.waiting.into_iter();
        gathered.chain(waiting.map(|waiting| waits(waiting.numbered, waiting.tally)))
    }
}
