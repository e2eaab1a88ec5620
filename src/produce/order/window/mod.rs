//! The window in which records wait for others that belong before them.
//!
//! Batches go through as they are as long as nothing in the window belongs before their records; only what is
//! disturbed is copied (`release.rs`). If records go to hundreds of partitions, they are gathered by partition
//! (`gathered.rs`).

mod release;

use std::collections::VecDeque;
use std::time::Duration;

use super::batch::{MOST_BYTES, MOST_RECORDS, Order, OrderedBatch};
use super::by_time::{TimeRange, WaitingTimes};
use super::files::FileRanges;
use super::gathered::GatheredRecords;
use super::partitions::{KnownPartitions, PartitionRun};
use crate::config::Clock;
use crate::record::Batch;
use crate::record::channel::SourceBatch;
use crate::record::in_flight::{NumberedBatch, Positions};
use crate::report::{Problems, Tally};

/// How long a batch waits for more if the source is slower than the broker. Only time spent waiting for the
/// source counts: a slow broker must not narrow the window.
pub(super) const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// From this many partitions of the destination on, records are sent partition by partition. With fewer, a request
/// costs no more than its records.
pub(super) const MANY_PARTITIONS: usize = 500;

/// A waiting batch.
#[derive(Debug)]
struct WaitingBatch {
    numbered: NumberedBatch,
    tally: Tally,
    runs: Vec<PartitionRun>,
    /// The time spent waiting for the source until it came.
    since: Duration,
    /// Later ones have higher numbers.
    number: u64,
    /// The times of its records, if these are sent by time.
    times: Option<TimeRange>,
}

/// The records that wait to be put in order.
#[derive(Debug, Default)]
pub(super) struct OrderWindow {
    waiting: VecDeque<WaitingBatch>,
    records: usize,
    bytes: usize,
    partitions: KnownPartitions,
    files: FileRanges,
    /// The number of the next batch that begins to wait.
    next: u64,
    /// The number of partitions of the destination; 0 if records are sent as they were captured.
    destinations: usize,
    /// Records gathered by partition; they came before all that are in `waiting`.
    gathered: GatheredRecords,
    /// Whether nothing more comes.
    is_complete: bool,
    /// Batches below this number are merged by time.
    merged: u64,
    /// The time by which records of different partitions are merged; `None` if they keep the captured order.
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

    /// Notes that nothing more comes, so that nothing has to wait.
    pub(super) fn complete(&mut self) {
        self.is_complete = true;
    }

    /// Lets records be sent by time across partitions.
    pub(super) fn merge_by(&mut self, clock: Clock) {
        self.clock = Some(clock);
    }

    /// Sends records partition by partition if the destination has many of them.
    pub(super) fn gather_for(&mut self, destinations: usize) {
        self.destinations = destinations;
    }

    /// The number of captured partitions seen so far.
    pub(super) fn known_partitions(&self) -> usize {
        self.partitions.len()
    }

    /// Whether records that wait are sent partition by partition. If there are more captured partitions than
    /// destinations, several of them become one, and their records would be torn apart.
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

    /// Whether all gathered records have to go before anything else does.
    fn ends_gathering(&self) -> bool {
        self.is_complete || !self.gathers() || !self.waiting.is_empty()
    }

    pub(super) fn is_due(&self, waited: Duration) -> bool {
        let first = self.waiting.front();
        let is_first_due =
            |first: &WaitingBatch| waited.saturating_sub(first.since) >= LONGEST_WAIT;
        self.gathered.is_due(waited) || first.is_some_and(is_first_due)
    }

    /// See [`FileRanges::better_order`].
    pub(super) fn better_order(&self) -> Vec<u32> {
        self.files.better_order()
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
        // A batch is mostly of one file, and a batch of two files says nothing about either.
        if let (Some((input, last)), Some(waiting)) = (inputs, self.waiting.back())
            && input == last
        {
            let runs = waiting.runs.iter();
            runs.for_each(|run| self.files.note(input, run));
        }
        self.gather_waiting();
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
            // Without a run, a batch stays as it is.
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

    /// Gathers what waits, as soon as it may be gathered.
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
}

/// A batch about which nothing else is known.
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
