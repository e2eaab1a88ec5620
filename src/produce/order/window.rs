//! The window in which records wait for others that belong before them.
//!
//! Batches go through as they are as long as nothing in the window belongs before their records;
//! only what is disturbed is copied. Where records go to hundreds of partitions, more of them wait, and
//! they are sent partition by partition: librdkafka makes a request for each partition and looks at all
//! partitions of a broker before each request, so that what counts is how many records a request has.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::batch::{Order, OrderedBatch};
use super::by_time::{TimeRange, WaitingTimes};
use super::files::FileRanges;
use super::partitions::{KnownPartitions, PartitionIndex, PartitionRun};
use super::slots::{RecordSlots, copy, times_of};
use crate::config::Clock;
use crate::record::Batch;
use crate::record::channel::SourceBatch;
use crate::record::in_flight::{NumberedBatch, Positions};
use crate::report::{ProblemKind, Problems, Tally};

/// Records that may wait for others to come before them: some Fetches of several consumers.
pub(super) const MOST_RECORDS: usize = 32 << 10;
/// Bytes of them.
const MOST_BYTES: usize = 8 << 20;
/// How long a batch waits for more where the source is slower than the broker. Only time spent
/// waiting for the source counts: a slow broker must not narrow the window.
pub(super) const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// Partitions of the destination from which on records are sent partition by partition. With fewer the
/// cost of a request is that of its records.
pub(super) const MANY_PARTITIONS: usize = 500;
/// Bytes that may wait for each of many partitions: some 60 small records, of which a batch is made.
const FOR_PARTITION: usize = 12 << 10;
/// Bytes that may wait for all of them.
const MOST_GATHERED: usize = 64 << 20;
/// Batches that those become. Each is free again when its records are answered.
const GATHERED_BATCHES: usize = 16;

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
    /// Batches below this number are gathered by partition, or merged by time.
    gathered: u64,
    /// By which time of theirs records of different partitions are merged; none where they stay as they
    /// were captured.
    clock: Option<Clock>,
    times: WaitingTimes,
}

impl OrderWindow {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many records wait.
    pub(super) fn records(&self) -> usize {
        self.records
    }

    /// What waits, as it is.
    pub(super) fn into_batches(self) -> impl Iterator<Item = OrderedBatch> {
        self.waiting.into_iter().map(|waiting| OrderedBatch {
            numbered: waiting.numbered,
            tally: waiting.tally,
            problems: Problems::default(),
            partitions: Vec::new(),
        })
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

    pub(super) fn is_over_full(&self) -> bool {
        if self.gathers() {
            let bytes = self.partitions.len().saturating_mul(FOR_PARTITION);
            return self.bytes > bytes.clamp(MOST_BYTES, MOST_GATHERED);
        }
        self.records > MOST_RECORDS || self.bytes > MOST_BYTES
    }

    pub(super) fn is_due(&self, waited: Duration) -> bool {
        let first = self.waiting.front();
        first.is_some_and(|first| waited.saturating_sub(first.since) >= LONGEST_WAIT)
    }

    pub(super) fn add(&mut self, source: SourceBatch, first: u64, waited: Duration, order: Order) {
        let SourceBatch { batch, tally, .. } = source;
        let positions = Positions::From(first);
        let ends = batch.records.first().zip(batch.records.last());
        let inputs = ends.map(|(first, last)| (first.origin.input, last.origin.input));
        let clock = self.clock.filter(|_| order == Order::ByOffset);
        let times = clock.and_then(|clock| TimeRange::of_batch(&batch, clock));
        let numbered = NumberedBatch::new(batch, positions);
        self.wait(numbered, tally, waited, (order, times));
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

    pub(super) fn take_first(&mut self) -> Option<OrderedBatch> {
        if self.is_first_disturbed() || self.is_first_to_gather() || self.is_first_early() {
            self.put_in_order();
        }
        let first = self.waiting.pop_front()?;
        let partitions = self.partitions_of(&first.numbered.batch);
        self.records -= first.numbered.batch.records.len();
        self.bytes -= first.numbered.batch.weight();
        let problems = self.note_sent(&first);
        Some(OrderedBatch {
            numbered: first.numbered,
            tally: first.tally,
            problems,
            partitions,
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
        let is_unsorted = number >= self.gathered && !times.is_sorted;
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

    fn is_first_to_gather(&self) -> bool {
        let first = self.waiting.front();
        let waits = |first: &WaitingBatch| first.number >= self.gathered && !first.runs.is_empty();
        self.gathers() && first.is_some_and(waits)
    }

    /// Puts all that waits in order, in as many batches as go out before the next ones are looked at.
    /// There is a record: what has none is neither disturbed nor gathered.
    fn put_in_order(&mut self) {
        let all: Vec<WaitingBatch> = self.waiting.drain(..).collect();
        let batches: Vec<&NumberedBatch> = all.iter().map(|waiting| &waiting.numbered).collect();
        let mut places = RecordSlots::of(&batches, &mut self.partitions);
        let (places, parts) = match self.clock {
            _ if self.gathers() => (places.by_partition(), GATHERED_BATCHES),
            None => (places.in_order(), 2),
            Some(clock) => (places.by_time(&batches, clock), 2),
        };
        (self.records, self.bytes) = (0, 0);
        self.times.clear();
        let mut tally = Tally::default();
        let since = all.last().map_or(Duration::ZERO, |last| last.since);
        let parts = places.chunks(places.len().div_ceil(parts));
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
        self.gathered = self.next;
    }

    /// Takes note of what goes out, and counts what comes too late.
    fn note_sent(&mut self, waiting: &WaitingBatch) -> Problems {
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
                problems.add(ProblemKind::OutOfOrder, record.origin, why);
            }
        }
        problems
    }
}
