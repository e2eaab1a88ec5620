//! The window in which records wait for others that belong before them.
//!
//! Portions go through as they are as long as nothing in the window belongs before their records;
//! only what is disturbed is copied.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::{Order, OrderedBatch, Positions};
use crate::channel::SourceBatch;
use crate::produce::in_flight::NumberedBatch;
use crate::record::{Batch, CapturedTopic, Record};
use crate::report::{Problems, Tally, What};

/// Records that may wait for others to come before them: some Fetches of several consumers.
pub(super) const MOST_RECORDS: usize = 32 << 10;
/// Bytes of them.
const MOST_BYTES: usize = 8 << 20;
/// How long a portion waits for more where the source is slower than the broker. Only time spent
/// waiting for the source counts: a slow broker must not narrow the window.
pub(super) const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// Index into [`Window::last_sent`].
type PartitionIndex = u32;

/// The records of one partition in one waiting portion.
#[derive(Debug, Clone, Copy)]
struct Run {
    partition: PartitionIndex,
    lowest: i64,
    highest: i64,
    is_sorted: bool,
}

/// A portion that waits.
#[derive(Debug)]
struct Waiting {
    numbered: NumberedBatch,
    tally: Tally,
    runs: Vec<Run>,
    /// The time spent waiting for the source when it came.
    since: Duration,
}

/// What is held to be put in order.
#[derive(Debug, Default)]
pub(super) struct Window {
    waiting: VecDeque<Waiting>,
    records: usize,
    bytes: usize,
    partitions: HashMap<CapturedTopic, HashMap<i32, PartitionIndex>>,
    /// The highest offset sent of each partition.
    last_sent: Vec<Option<i64>>,
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

    pub(super) fn add(&mut self, portion: SourceBatch, first: u64, waited: Duration, order: Order) {
        let SourceBatch { batch, tally } = portion;
        self.records += batch.records.len();
        self.bytes += batch.weight();
        let runs = match order {
            Order::ByOffset => self.runs(&batch),
            // What belongs to no run is left as it is.
            Order::AsCaptured => Vec::new(),
        };
        let positions = Positions::From(first);
        self.waiting.push_back(Waiting {
            numbered: NumberedBatch { batch, positions },
            tally,
            runs,
            since: waited,
        });
    }

    fn runs(&mut self, batch: &Batch) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let mut known = Known::default();
        // The one that the last record was of.
        let mut current = 0;
        for record in &batch.records {
            let Some((partition, offset)) = self.place(batch, record, &mut known) else {
                continue;
            };
            if runs
                .get(current)
                .is_none_or(|run| run.partition != partition)
            {
                let met = runs.iter().position(|run| run.partition == partition);
                current = met.unwrap_or(runs.len());
            }
            match runs.get_mut(current) {
                Some(run) => {
                    run.is_sorted &= offset >= run.highest;
                    run.lowest = run.lowest.min(offset);
                    run.highest = run.highest.max(offset);
                }
                None => runs.push(Run {
                    partition,
                    lowest: offset,
                    highest: offset,
                    is_sorted: true,
                }),
            }
        }
        runs
    }

    /// The partition and offset of a record that has both.
    fn place(
        &mut self,
        batch: &Batch,
        record: &Record,
        known: &mut Known,
    ) -> Option<(PartitionIndex, i64)> {
        let (topic, partition, offset) = (record.topic?, record.partition?, record.offset?);
        if known.of == Some((topic, partition)) {
            return Some((known.index, offset));
        }
        let name = &batch.topics[topic as usize];
        if !self.partitions.contains_key(name) {
            self.partitions.insert(name.clone(), HashMap::new());
        }
        let partitions = self.partitions.get_mut(name).expect("it was put in above");
        let index = *partitions.entry(partition).or_insert_with(|| {
            self.last_sent.push(None);
            PartitionIndex::try_from(self.last_sent.len() - 1)
                .expect("fewer partitions than records")
        });
        *known = Known {
            of: Some((topic, partition)),
            index,
        };
        Some((index, offset))
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

    /// Whether something that waits belongs before records of the first portion.
    fn is_first_disturbed(&self) -> bool {
        let mut waiting = self.waiting.iter();
        let Some(first) = waiting.next() else {
            return false;
        };
        let later: Vec<&Run> = waiting.flat_map(|waiting| &waiting.runs).collect();
        first.runs.iter().any(|run| {
            let before =
                |other: &&Run| other.partition == run.partition && other.lowest < run.highest;
            !run.is_sorted || later.iter().any(before)
        })
    }

    /// Puts all that waits in order, as two portions. A partition's records take the places that
    /// records of the partition had, so that partitions stay interleaved as they were captured.
    fn put_in_order(&mut self) {
        let all: Vec<Waiting> = self.waiting.drain(..).collect();
        let mut places: Vec<Place> = Vec::with_capacity(self.records);
        let mut of_partition: HashMap<PartitionIndex, Vec<usize>> = HashMap::new();
        for (source, waiting) in all.iter().enumerate() {
            let mut known = Known::default();
            let batch = &waiting.numbered.batch;
            for (index, record) in batch.records.iter().enumerate() {
                let place = self.place(batch, record, &mut known);
                if let Some((partition, _)) = place {
                    of_partition
                        .entry(partition)
                        .or_default()
                        .push(places.len());
                }
                let offset = place.map_or(0, |(_, offset)| offset);
                places.push(Place {
                    source,
                    index,
                    offset,
                });
            }
        }
        for slots in of_partition.values() {
            let mut sorted: Vec<Place> = slots.iter().map(|slot| places[*slot]).collect();
            sorted.sort_by_key(|place| place.offset);
            for (slot, place) in slots.iter().zip(sorted) {
                places[*slot] = place;
            }
        }
        let (now, later) = places.split_at(places.len().div_ceil(2));
        (self.records, self.bytes) = (0, 0);
        let mut tally = Tally::default();
        let since = all.last().map_or(Duration::ZERO, |last| last.since);
        let portions = [now, later].map(|places| copy(&all, places));
        all.into_iter()
            .for_each(|waiting| tally.merge(waiting.tally));
        for numbered in portions {
            self.records += numbered.batch.records.len();
            self.bytes += numbered.batch.weight();
            let runs = self.runs(&numbered.batch);
            self.waiting.push_back(Waiting {
                numbered,
                tally: std::mem::take(&mut tally),
                runs,
                since,
            });
        }
    }

    /// Takes note of what goes out, and counts what comes too late.
    fn note_sent(&mut self, waiting: &Waiting) -> Problems {
        let mut problems = Problems::default();
        for run in &waiting.runs {
            let sent = &mut self.last_sent[run.partition as usize];
            let before = sent.replace(sent.map_or(run.highest, |sent| sent.max(run.highest)));
            if let Some(before) = before.filter(|before| run.lowest < *before) {
                self.count_late(waiting, run.partition, before, &mut problems);
            }
        }
        problems
    }

    fn count_late(
        &mut self,
        waiting: &Waiting,
        partition: PartitionIndex,
        before: i64,
        problems: &mut Problems,
    ) {
        let batch = &waiting.numbered.batch;
        let mut known = Known::default();
        for record in &batch.records {
            let place = self.place(batch, record, &mut known);
            if place.is_some_and(|(of, offset)| of == partition && offset < before) {
                let why = || {
                    format!(
                        "{} came after offset {before} was sent",
                        batch.captured_at(record)
                    )
                };
                problems.add(What::OutOfOrder, record.origin, why);
            }
        }
    }
}

/// The partition that was looked up last: the next record is mostly of the same.
#[derive(Debug, Default)]
struct Known {
    /// Topic's index in the batch, and partition.
    of: Option<(u32, i32)>,
    index: PartitionIndex,
}

/// A record among those that wait.
#[derive(Debug, Clone, Copy)]
struct Place {
    source: usize,
    index: usize,
    offset: i64,
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
    NumberedBatch { batch, positions }
}
