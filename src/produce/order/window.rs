//! The window in which records wait for others that belong before them.
//!
//! Batches go through as they are as long as nothing in the window belongs before their records;
//! only what is disturbed is copied. Where records go to hundreds of partitions, they are gathered by
//! partition (`gathered.rs`).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::batch::{MOST_BYTES, MOST_RECORDS, Order, OrderedBatch};
use super::by_time::{TimeRange, WaitingTimes};
use super::files::FileRanges;
use super::gathered::{GatheredRecords, Release, ReleasedRecords};
use super::partitions::{KnownPartitions, PartitionIndex, PartitionRun};
use super::slots::{RecordSlots, copy, times_of};
use crate::config::Clock;
use crate::record::Batch;
use crate::record::channel::SourceBatch;
use crate::record::in_flight::{NumberedBatch, Positions};
use crate::report::{ProblemKind, Problems, Tally};

/// How long a batch waits for more where the source is slower than the broker. Only time spent
/// waiting for the source counts: a slow broker must not narrow the window.
pub(super) const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// Partitions of the destination from which on records are sent partition by partition. With fewer the
/// cost of a request is that of its records.
pub(super) const MANY_PARTITIONS: usize = 500;
/// A batch that waits.
#[derive(Debug)]
struct WaitingBatch {
    numbered: NumberedBatch,
    tally: Tally,
    runs: Vec<PartitionRun>,
    /// The time spent waiting for the source when it came.
    since: Duration,
    /// Later ones have higher numbers.
    number: u64,
    /// From when to when its records are, where they go by time.
    times: Option<TimeRange>,
}

/// What is held to be put in order.
#[derive(Debug, Default)]
pub(super) struct OrderWindow {
    waiting: VecDeque<WaitingBatch>,
    records: usize,
    bytes: usize,
    partitions: KnownPartitions,
    files: FileRanges,
    /// The number of the next batch that begins to wait.
    next: u64,
    /// Partitions that the destination has; 0 where records are sent as they were captured.
    destinations: usize,
    /// What is gathered by partition; it came before all that is in `waiting`.
    gathered: GatheredRecords,
    /// Whether nothing more comes.
    is_complete: bool,
    /// Batches below this number are merged by time.
    merged: u64,
    /// By which time of theirs records of different partitions are merged; none where they stay as they
    /// were captured.
    clock: Option<Clock>,
    times: WaitingTimes,
}

impl OrderWindow {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.gathered.is_empty()
    }

    /// How many records wait.
    pub(super) fn records(&self) -> usize {
        self.records + self.gathered.records()
    }

    /// What waits, as it is.
    pub(super) fn into_batches(mut self) -> impl Iterator<Item = OrderedBatch> {
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

    /// Nothing more comes: nothing has to be waited for.
    pub(super) fn complete(&mut self) {
        self.is_complete = true;
    }

    /// Lets records be sent by time across partitions.
    pub(super) fn merge_by(&mut self, clock: Clock) {
        self.clock = Some(clock);
    }

    /// Lets records be sent partition by partition, where the destination has many of them.
    pub(super) fn gather_for(&mut self, destinations: usize) {
        self.destinations = destinations;
    }

    /// Captured partitions met so far.
    pub(super) fn known_partitions(&self) -> usize {
        self.partitions.len()
    }

    /// Whether what waits is sent partition by partition. Where there are more captured partitions than
    /// destinations, several of them become one, which would be taken apart.
    fn gathers(&self) -> bool {
        let captured = self.partitions.len();
        self.clock.is_none() && captured >= MANY_PARTITIONS && captured <= self.destinations
    }

    pub(super) fn is_over_full(&mut self) -> bool {
        if !self.gathered.is_empty() {
            return self.ends_gathering() || self.gathered.is_over_full(self.partitions.len());
        }
        self.records > MOST_RECORDS || self.bytes > MOST_BYTES
    }

    /// Whether all that is gathered has to go before anything else does.
    fn ends_gathering(&self) -> bool {
        self.is_complete || !self.gathers() || !self.waiting.is_empty()
    }

    pub(super) fn is_due(&self, waited: Duration) -> bool {
        let first = self.waiting.front();
        let is_first_due =
            |first: &WaitingBatch| waited.saturating_sub(first.since) >= LONGEST_WAIT;
        self.gathered.is_due(waited) || first.is_some_and(is_first_due)
    }

    pub(super) fn add(&mut self, source: SourceBatch, first: u64, waited: Duration, order: Order) {
        let SourceBatch { batch, tally, .. } = source;
        let positions = Positions::From(first);
        let ends = batch.records.first().zip(batch.records.last());
        let inputs = ends.map(|(first, last)| (first.origin.input, last.origin.input));
        let clock = self.clock.filter(|_| order == Order::ByOffset);
        let times = clock.and_then(|clock| TimeRange::of_batch(&batch, clock));
        let numbered = NumberedBatch::new(batch, positions);
        if self.gathers() && self.waiting.is_empty() && GatheredRecords::takes(&numbered) {
            let partitions = &mut self.partitions;
            return self.gathered.add(&numbered, tally, waited, partitions);
        }
        self.wait(numbered, tally, waited, (order, times));
        // A batch is mostly of one file, and one of two says nothing of either.
        if let (Some((input, last)), Some(waiting)) = (inputs, self.waiting.back())
            && input == last
        {
            let runs = waiting.runs.iter();
            runs.for_each(|run| self.files.note(input, run));
        }
        self.gather_waiting();
    }

    /// Gathers what waits, from when on it may be.
    fn gather_waiting(&mut self) {
        while self.gathers()
            && let Some(first) = self.waiting.front()
            && GatheredRecords::takes(&first.numbered)
            && let Some(first) = self.waiting.pop_front()
        {
            self.records -= first.numbered.batch.records.len();
            self.bytes -= first.numbered.batch.weight();
            let runs = first.runs.iter();
            runs.for_each(|run| self.partitions.clear(run));
            let WaitingBatch {
                numbered,
                tally,
                since,
                ..
            } = first;
            let partitions = &mut self.partitions;
            self.gathered.add(&numbered, tally, since, partitions);
        }
    }

    /// As of [`FileRanges::better_order`].
    pub(super) fn better_order(&self) -> Vec<u32> {
        self.files.better_order()
    }

    fn wait(
        &mut self,
        numbered: NumberedBatch,
        tally: Tally,
        since: Duration,
        (order, times): (Order, Option<TimeRange>),
    ) {
        let number = self.next;
        self.next += 1;
        if let Some(times) = times {
            self.times.add(number, times);
        }
        let batch = &numbered.batch;
        self.records += batch.records.len();
        self.bytes += batch.weight();
        let runs = match order {
            Order::ByOffset => self.partitions.add(number, batch),
            // What belongs to no run is left as it is.
            Order::AsCaptured => Vec::new(),
        };
        self.waiting.push_back(WaitingBatch {
            numbered,
            tally,
            runs,
            since,
            number,
            times,
        });
    }

    /// The next records, now that so much time was spent waiting for the source.
    pub(super) fn take_first(&mut self, waited: Duration) -> Option<OrderedBatch> {
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

    /// The next ones of what is gathered, and what was counted of the source with them or without.
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

    /// Of each record of `batch` the partition, by a number of its own, where records are timed; 0 is
    /// for those of which it is not known.
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

    /// Puts all that waits in order, in two batches: what belongs before a record of the second may come
    /// while the first one goes. There is a record: what has none is not disturbed.
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

    /// Takes note of what goes out, and counts what comes too late.
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
                    format!("{captured} came after offset {before} was sent")
                };
                problems.add(ProblemKind::OutOfOrder, record.origin, why);
            }
        }
        problems
    }
}

/// Records that nothing was found out about.
fn waits(numbered: NumberedBatch, tally: Tally) -> OrderedBatch {
    OrderedBatch {
        numbered,
        tally,
        problems: Problems::default(),
        partitions: Vec::new(),
    }
}

fn nothing() -> NumberedBatch {
    NumberedBatch::new(Batch::default(), Positions::Listed(Vec::new()))
}
