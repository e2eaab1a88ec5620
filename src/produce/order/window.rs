//! The window in which records wait for others that belong before them.
//!
//! Batches go through as they are as long as nothing in the window belongs before their records;
//! only what is disturbed is copied.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::files::FileRanges;
use super::partitions::{PartitionIndex, Partitions, Run};
use super::{Order, OrderedBatch};
use crate::channel::SourceBatch;
use crate::produce::in_flight::{NumberedBatch, Positions};
use crate::record::Batch;
use crate::report::{Problems, Tally, What};

/// Records that may wait for others to come before them: some Fetches of several consumers.
pub(super) const MOST_RECORDS: usize = 32 << 10;
/// Bytes of them.
const MOST_BYTES: usize = 8 << 20;
/// How long a batch waits for more where the source is slower than the broker. Only time spent
/// waiting for the source counts: a slow broker must not narrow the window.
pub(super) const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// A batch that waits.
#[derive(Debug)]
struct Waiting {
    numbered: NumberedBatch,
    tally: Tally,
    runs: Vec<Run>,
    /// The time spent waiting for the source when it came.
    since: Duration,
    /// Later ones have higher numbers.
    number: u64,
}

/// What is held to be put in order.
#[derive(Debug, Default)]
pub(super) struct Window {
    waiting: VecDeque<Waiting>,
    records: usize,
    bytes: usize,
    partitions: Partitions,
    files: FileRanges,
    /// The number of the next batch that begins to wait.
    next: u64,
}

impl Window {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What waits, as it is.
    pub(super) fn into_batches(self) -> impl Iterator<Item = OrderedBatch> {
        self.waiting.into_iter().map(|waiting| OrderedBatch {
            numbered: waiting.numbered,
            tally: waiting.tally,
            problems: Problems::default(),
        })
    }

    pub(super) fn is_over_full(&self) -> bool {
        self.records > MOST_RECORDS || self.bytes > MOST_BYTES
    }

    pub(super) fn is_due(&self, waited: Duration) -> bool {
        let first = self.waiting.front();
        first.is_some_and(|first| waited.saturating_sub(first.since) >= LONGEST_WAIT)
    }

    pub(super) fn add(&mut self, source: SourceBatch, first: u64, waited: Duration, order: Order) {
        let SourceBatch { batch, tally } = source;
        let positions = Positions::From(first);
        let ends = batch.records.first().zip(batch.records.last());
        let inputs = ends.map(|(first, last)| (first.origin.input, last.origin.input));
        self.wait(NumberedBatch::new(batch, positions), tally, waited, order);
        // A batch is mostly of one file, and one of two says nothing of either.
        if let (Some((input, last)), Some(waiting)) = (inputs, self.waiting.back())
            && input == last
        {
            let runs = waiting.runs.iter();
            runs.for_each(|run| self.files.note(input, run));
        }
    }

    /// As of [`FileRanges::better_order`].
    pub(super) fn better_order(&self) -> Vec<u32> {
        self.files.better_order()
    }

    fn wait(&mut self, numbered: NumberedBatch, tally: Tally, since: Duration, order: Order) {
        let number = self.next;
        self.next += 1;
        let batch = &numbered.batch;
        self.records += batch.records.len();
        self.bytes += batch.weight();
        let runs = match order {
            Order::ByOffset => self.partitions.add(number, batch),
            // What belongs to no run is left as it is.
            Order::AsCaptured => Vec::new(),
        };
        self.waiting.push_back(Waiting {
            numbered,
            tally,
            runs,
            since,
            number,
        });
    }

    pub(super) fn take_first(&mut self) -> Option<OrderedBatch> {
        if self.is_first_disturbed() {
            self.put_in_order();
        }
        let first = self.waiting.pop_front()?;
        self.records -= first.numbered.batch.records.len();
        self.bytes -= first.numbered.batch.weight();
        let problems = self.note_sent(&first);
        Some(OrderedBatch {
            numbered: first.numbered,
            tally: first.tally,
            problems,
        })
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

    /// Puts all that waits in order, as two batches. A partition's records take the places that
    /// records of the partition had, so that partitions stay interleaved as they were captured.
    fn put_in_order(&mut self) {
        let all: Vec<Waiting> = self.waiting.drain(..).collect();
        let places = self.places_in_order(&all);
        let (now, later) = places.split_at(places.len().div_ceil(2));
        (self.records, self.bytes) = (0, 0);
        let mut tally = Tally::default();
        let since = all.last().map_or(Duration::ZERO, |last| last.since);
        let halves = [now, later].map(|places| copy(&all, places));
        for waiting in all {
            let runs = waiting.runs.iter();
            runs.for_each(|run| self.partitions.clear(run));
            tally.merge(waiting.tally);
        }
        for numbered in halves {
            self.wait(numbered, std::mem::take(&mut tally), since, Order::ByOffset);
        }
    }

    /// Where the records of `all` are, in the order in which they are to be sent.
    fn places_in_order(&mut self, all: &[Waiting]) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::with_capacity(self.records);
        // Slots of records that have a partition and an offset: as they came, and as they belong.
        let mut came: Vec<(PartitionIndex, usize)> = Vec::with_capacity(self.records);
        let mut belong: Vec<(PartitionIndex, i64, usize)> = Vec::with_capacity(self.records);
        for (source, waiting) in all.iter().enumerate() {
            let batch = &waiting.numbered.batch;
            let mut finder = self.partitions.finder(batch);
            for (index, record) in batch.records.iter().enumerate() {
                if let Some((partition, offset)) = self.partitions.place(&mut finder, record) {
                    came.push((partition, places.len()));
                    belong.push((partition, offset, places.len()));
                }
                places.push(Place { source, index });
            }
        }
        came.sort_unstable();
        belong.sort_unstable();
        let mut ordered = places.clone();
        for ((_, to), (_, _, from)) in came.iter().zip(&belong) {
            ordered[*to] = places[*from];
        }
        ordered
    }

    /// Takes note of what goes out, and counts what comes too late.
    fn note_sent(&mut self, waiting: &Waiting) -> Problems {
        let late: HashMap<PartitionIndex, i64> = waiting
            .runs
            .iter()
            .filter_map(|run| Some((run.partition, self.partitions.send(run)?)))
            .collect();
        let mut problems = Problems::default();
        if late.is_empty() {
            return problems;
        }
        let batch = &waiting.numbered.batch;
        let mut finder = self.partitions.finder(batch);
        for record in &batch.records {
            let place = self.partitions.place(&mut finder, record);
            let before = place.and_then(|(of, offset)| late.get(&of).filter(|b| offset < **b));
            if let Some(before) = before {
                let why = || {
                    let captured = batch.captured_at(record);
                    format!("{captured} came after offset {before} was sent")
                };
                problems.add(What::OutOfOrder, record.origin, why);
            }
        }
        problems
    }
}

/// A record among those that wait.
#[derive(Debug, Clone, Copy)]
struct Place {
    source: usize,
    index: usize,
}

fn copy(all: &[Waiting], places: &[Place]) -> NumberedBatch {
    let mut batch = Batch::default();
    let mut positions = Vec::with_capacity(places.len());
    for place in places {
        let source = &all[place.source].numbered;
        batch.push_copy(&source.batch, &source.batch.records[place.index]);
        positions.push(source.positions.of(place.index));
    }
    let positions = Positions::Listed(positions);
    NumberedBatch::new(batch, positions)
}
