//! The replay as it would be: every pass of the source, but in no time. A clock jumps to when the next record is
//! due.

mod record;
mod summary;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::keys::KeyCounters;
use super::outcome::PlanOutcome;
use super::peaks::Peaks;
use super::topics::PlannedTopics;
use crate::config::Timestamps;
use crate::error::Error;
use crate::produce::job::Job;
use crate::produce::order::{NextBatch, Ordered, OrderedBatch};
use crate::produce::routing::acceptance::now_ms;
use crate::produce::routing::originals::OriginalTimes;
use crate::produce::schedule::{SendingEnd, Shifts, Turn, Turns, moment_of};
use crate::produce::session::pass::{first_look, substitutes};
use crate::record::Batch;
use crate::record::channel::Receiver;
use crate::record::select::FirstRecord;
use crate::report::{Placement, PlanReach, Problems, Tally, WaitTimes};

/// How long planning waits for the source at once.
const STEP: Duration = Duration::from_millis(10);

/// Why planning stops before the source's end.
enum PlanStop {
    Interrupted,
    /// The time for sending would be over.
    TimeOver,
    Failed(Error),
}

impl From<Error> for PlanStop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The time in the replay, which jumps to when the next record is due.
#[derive(Debug, Clone, Copy)]
struct PlanClock {
    began: Instant,
    began_ms: i64,
    now: Instant,
}

impl PlanClock {
    fn now_ms(&self) -> i64 {
        let since = self.now.saturating_duration_since(self.began).as_millis();
        self.began_ms
            .saturating_add(i64::try_from(since).unwrap_or(i64::MAX))
    }
}

/// A replay, while it is planned.
pub(super) struct Planner<'a> {
    job: &'a Job,
    topics: PlannedTopics<'a>,
    turns: Option<Turns>,
    shifts: Option<Shifts>,
    clock: PlanClock,
    /// The first record of all machines, if others send shares as well.
    first_of_all: Option<FirstRecord>,
    /// When the time for sending would be over.
    ends_at: SendingEnd,
    /// When the first record goes.
    first: Option<Instant>,
    keys: KeyCounters,
    peaks: Peaks,
    tally: Tally,
    problems: Problems,
    placement: Placement,
    /// Records that the forecast leaves out.
    left: u64,
    unplaced: u64,
    to_send: u64,
    not_written: u64,
    lacking: u64,
    position: u64,
    passes: u64,
    /// The error for the first record whose contents must not be sent as they are.
    refused: Option<Error>,
    /// The error for topics that would delete records at once.
    expired: Option<Error>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(job: &'a Job, topics: PlannedTopics<'a>) -> Self {
        let now = Instant::now();
        Self {
            job,
            topics,
            turns: Turns::new(&job.timing),
            shifts: Shifts::of(job.destination.timestamps, job.timing.speed),
            clock: PlanClock {
                began: now,
                began_ms: now_ms(),
                now,
            },
            first_of_all: None,
            ends_at: SendingEnd::default(),
            first: None,
            keys: KeyCounters::default(),
            peaks: Peaks::new(),
            tally: Tally::default(),
            problems: Problems::default(),
            placement: Placement::default(),
            left: 0,
            unplaced: 0,
            to_send: 0,
            not_written: 0,
            lacking: 0,
            position: 0,
            passes: 0,
            refused: None,
            expired: None,
        }
    }

    /// Plans all passes.
    pub(super) fn plan(mut self, mut passes: impl FnMut() -> Option<Receiver>) -> PlanOutcome {
        let (mut source_end, mut failures, mut reach) = (None, Vec::new(), PlanReach::Whole);
        while let Some(receiver) = passes() {
            let (before, sent) = (self.clock.now, self.to_send);
            let stop = self.pass(&receiver).err();
            let end = self.end_pass(&receiver);
            source_end = end.clone();
            match stop {
                Some(PlanStop::Failed(error)) => failures.push(error),
                Some(PlanStop::TimeOver) => reach = PlanReach::UntilTimeIsOver,
                Some(PlanStop::Interrupted) => {}
                None if end == Some(Ok(())) => {
                    self.passes += 1;
                    if self.to_send == sent {
                        break;
                    }
                    // The number of passes is unknown.
                    let is_endless = self.job.repetition.passes.is_none();
                    let is_limited = self.ends_at.moment().is_some();
                    if is_endless && (!is_limited || self.clock.now == before) {
                        reach = PlanReach::OnePass;
                        break;
                    }
                    if self.turns.is_none() && is_limited {
                        reach = PlanReach::TimeUnknown;
                    }
                    continue;
                }
                None => {}
            }
            break;
        }
        self.outcome(source_end, failures, reach)
    }

    /// Plans one reading of the source.
    fn pass(&mut self, receiver: &Receiver) -> Result<(), PlanStop> {
        let mut ordered = Ordered::new(receiver, self.job.order).numbered_from(self.position);
        if let Some(clock) = self.turns.as_ref().and_then(Turns::clock) {
            ordered.merge_by(clock);
        }
        if let Some(shifts) = &mut self.shifts {
            shifts.begin_pass(self.position);
        }
        if self.passes == 0 {
            self.look(receiver)?;
        }
        let planned = self.plan_all(&mut ordered);
        self.position = ordered.received();
        for OrderedBatch {
            numbered, tally, ..
        } in ordered.take_rest(Vec::new())
        {
            self.tally.merge(tally);
            self.left += numbered.batch.records.len() as u64;
        }
        planned
    }

    fn plan_all(&mut self, ordered: &mut Ordered<'_>) -> Result<(), PlanStop> {
        loop {
            ordered.gather_for(self.topics.partitions());
            let Self {
                job,
                topics,
                turns,
                shifts,
                first_of_all,
                refused,
                ..
            } = self;
            let next = ordered.next(|source_batch| {
                topics.meet(&source_batch.batch);
                share(first_of_all, source_batch.others.first, (turns, shifts));
                if let Some(turns) = turns {
                    turns.note_others(&source_batch.others);
                }
                // The forecast goes on: it also says what else is wrong with the replay.
                let found = substitutes::check(job, source_batch).err();
                *refused = refused.take().or(found);
                // Dates are part of a key's hash and of a record's size.
                substitutes::resolve(job, source_batch)?;
                Ok::<_, Error>(u64::MAX)
            })?;
            match next {
                NextBatch::Batch(batch) => self.plan_batch(batch)?,
                NextBatch::Nothing => ordered.wait(STEP),
                NextBatch::End => return Ok(()),
            }
        }
    }

    /// Ends the reading: counts what was not planned, and returns how the source has ended.
    fn end_pass(&mut self, receiver: &Receiver) -> Option<Result<(), Error>> {
        if let Some(turns) = &mut self.turns {
            turns.end_pass();
        }
        let (source_end, queued) = receiver.close();
        for source_batch in queued {
            self.left += source_batch.batch.records.len() as u64;
            self.tally.merge(source_batch.tally);
        }
        source_end
    }

    /// Checks the destination by what is known about the source before the first record, and begins.
    fn look(&mut self, receiver: &Receiver) -> Result<(), Error> {
        let (topics, turns) = (&mut self.topics, &mut self.turns);
        let mut first = None;
        let extent = first_look(receiver, |source_batch| {
            first = source_batch.others.first.or(first);
            topics.observe(&source_batch.batch);
            if let Some(turns) = turns {
                turns.look_at(&source_batch.batch);
            }
        })?;
        self.topics.look(extent)?;
        let timed = (&mut self.turns, &mut self.shifts);
        share(&mut self.first_of_all, first, timed);
        if self.job.destination.timestamps == Timestamps::Original {
            let mut originals = OriginalTimes::new();
            let topics = &self.topics;
            receiver.look_ahead(|source_batch| {
                topics.look_at_times(&source_batch.batch, &mut originals)
            });
            self.expired = originals.check().err();
        }
        if let Some(start) = self.job.timing.start_at {
            let start = moment_of(start);
            self.clock.now = self.clock.now.max(start);
            if let Some(turns) = &mut self.turns {
                turns.begin(start, WaitTimes::default());
            }
        }
        let now = self.clock.now;
        self.ends_at = SendingEnd::of(now, self.job.repetition.sends_for);
        Ok(())
    }

    fn plan_batch(&mut self, ordered: OrderedBatch) -> Result<(), PlanStop> {
        let counters = &self.job.counters;
        let (bytes, records) = (ordered.tally.bytes, ordered.numbered.batch.records.len());
        counters.bytes.fetch_add(bytes, Ordering::Relaxed);
        let planned = &counters.planned;
        planned.fetch_add(records as u64, Ordering::Relaxed);
        self.tally.merge(ordered.tally);
        self.problems.merge(ordered.problems);
        let numbered = &ordered.numbered;
        for index in 0..numbered.batch.records.len() {
            let partition = ordered.partitions.get(index).copied().unwrap_or(0);
            let position = numbered.positions.of(index);
            let planned = self
                .await_turn(&numbered.batch, index, partition)
                .and_then(|()| Ok(self.plan_record(&numbered.batch, index, position)?));
            if let Err(stop) = planned {
                self.left += (numbered.batch.records.len() - index) as u64;
                return Err(stop);
            }
        }
        Ok(())
    }

    /// Lets time pass until the record may go.
    fn await_turn(&mut self, batch: &Batch, index: usize, partition: u32) -> Result<(), PlanStop> {
        let record = &batch.records[index];
        if self.job.control.is_stopping() {
            return Err(PlanStop::Interrupted);
        }
        let Some(turns) = &mut self.turns else {
            return Ok(());
        };
        let job = self.job;
        turns.check_times(batch, record, || job.counters.place(record.origin))?;
        turns.begin(self.clock.now, WaitTimes::default());
        loop {
            let turn = turns.next((batch, record), partition as usize, self.clock.now);
            if let Some(odd) = turns.oddity() {
                let place = batch.captured_at(record);
                let why = || format!("{place}: {}", odd.words());
                self.problems.add(odd.kind(), record.origin, why);
            }
            match turn {
                Turn::Now(_) => return Ok(()),
                Turn::At(due) if self.ends_at.is_over(due) => {
                    return Err(PlanStop::TimeOver);
                }
                Turn::At(due) => self.clock.now = due,
            }
        }
    }
}

/// Goes by the times of the whole capture whose first record is `first`, as `Session::share` does in a replay:
/// the first such record that was reported counts.
fn share(
    first_of_all: &mut Option<FirstRecord>,
    first: Option<FirstRecord>,
    (turns, shifts): (&mut Option<Turns>, &mut Option<Shifts>),
) {
    let Some(first) = first.filter(|_| first_of_all.is_none()) else {
        return;
    };
    *first_of_all = Some(first);
    if let Some(turns) = turns {
        turns.share(first);
    }
    if let Some(shifts) = shifts {
        shifts.share(first);
    }
}
