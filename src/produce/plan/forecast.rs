//! What each record adds to the forecast.

use std::time::{Duration, Instant};

use super::keys::KeyCounters;
use super::outcome::PlanOutcome;
use super::peaks::Peaks;
use super::topics::{PlannedTarget, PlannedTopics};
use crate::config::{PartitionChoice, Repetition, Timestamps};
use crate::error::Error;
use crate::produce::delivery::counts::count_placement;
use crate::produce::job::Job;
use crate::produce::order::{NextBatch, Ordered, OrderedBatch};
use crate::produce::routing::acceptance::{Objection, now_ms};
use crate::produce::routing::originals::OriginalTimes;
use crate::produce::routing::placement::ChosenPartition;
use crate::produce::routing::sizes::wire_size;
use crate::produce::schedule::{
    Shifts, Turn, Turns, kept_timestamp_ms, known_timestamp_ms, moment_of, time_oddity,
};
use crate::produce::session::pass::{first_look, substitutes};
use crate::produce::session::send::{ID_UNNAMED, TIMELESS, TOPIC_UNNAMED};
use crate::record::channel::Receiver;
use crate::record::{Batch, Header, Record};
use crate::report::{
    HottestKey, Placement, PlanForecast, PlanReach, PlannedPartition, PlannedSchedule,
    PlannedTopic, ProblemKind, Problems, SlowedBy, Tally, WaitTimes,
};

/// How long the source is waited for at once.
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

/// The time of the replay, which jumps to when the next record is due.
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

/// A replay as it would be.
pub(super) struct Planner<'a> {
    job: &'a Job,
    topics: PlannedTopics<'a>,
    turns: Option<Turns>,
    shifts: Option<Shifts>,
    clock: PlanClock,
    /// When the time for sending would be over.
    ends_at: Option<Instant>,
    /// When the first record goes.
    first: Option<Instant>,
    keys: KeyCounters,
    peaks: Peaks,
    tally: Tally,
    problems: Problems,
    placement: Placement,
    /// Records that the forecast says nothing of.
    left: u64,
    unplaced: u64,
    to_send: u64,
    not_written: u64,
    lacking: u64,
    position: u64,
    passes: u64,
    /// That a record holds what is not to be sent as it is.
    refused: Option<Error>,
    /// That topics would delete records at once.
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
            ends_at: None,
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
    pub(super) fn plan(
        mut self,
        repetition: Repetition,
        mut passes: impl FnMut() -> Option<Receiver>,
    ) -> PlanOutcome {
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
                    // Nothing says how many passes there is time for.
                    let is_endless = repetition.passes.is_none();
                    if is_endless && (self.ends_at.is_none() || self.clock.now == before) {
                        reach = PlanReach::OnePass;
                        break;
                    }
                    if self.turns.is_none() && self.ends_at.is_some() {
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
                refused,
                ..
            } = self;
            let next = ordered.next(|source_batch| {
                topics.meet(&source_batch.batch);
                if let Some(turns) = turns {
                    turns.note_others(&source_batch.others);
                }
                // The forecast goes on: it says also what else speaks against the replay.
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

    /// Ends the reading: how the source has ended, and what was not planned.
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

    /// Looks at the destination by what is known of the source before the first record, and begins.
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
        if let (Some(first), Some(turns)) = (first, &mut self.turns) {
            turns.share(first);
        }
        if let (Some(first), Some(shifts)) = (first, &mut self.shifts) {
            shifts.share(first);
        }
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
        self.ends_at = self.job.sends_for.and_then(|time| now.checked_add(time));
        Ok(())
    }

    fn plan_batch(&mut self, ordered: OrderedBatch) -> Result<(), PlanStop> {
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
            if let Some(what) = turns.oddity() {
                let place = batch.captured_at(record);
                let why = || format!("{place}: {}", time_oddity(what));
                self.problems.add(what, record.origin, why);
            }
            match turn {
                Turn::Now(_) => return Ok(()),
                Turn::At(due) if self.ends_at.is_some_and(|end| due >= end) => {
                    return Err(PlanStop::TimeOver);
                }
                Turn::At(due) => self.clock.now = due,
            }
        }
    }

    /// Where a record goes, and what speaks against it.
    fn plan_record(&mut self, batch: &Batch, index: usize, position: u64) -> Result<(), Error> {
        let record = &batch.records[index];
        let Some(target) = self.topics.route(batch.topic(record))? else {
            return self.unplaceable(batch, record);
        };
        let key = record.key.map(|key| batch.slice(key));
        let timestamp_ms = self.timestamp_ms(record, position);
        let rules = &self.topics.targets[target].rules;
        if let Some(objection) = rules.objection(key, timestamp_ms, self.clock.now_ms()) {
            self.refuse(target, batch, record, objection);
            return Ok(());
        }
        let how = self.job.destination.partition;
        if let Some(partition) = self.topics.targets[target]
            .partitions
            .lacks(how, record.partition)
        {
            self.topics.grow(target, partition)?;
        }
        let planned = &mut self.topics.targets[target];
        let placed = planned.partitions.choose(how, record.partition, key);
        let added = self.job.destination.headers.iter();
        let added = added.map(|(name, value)| (name.len(), Some(value.len())));
        let headers = batch.headers(record).iter();
        let headers = headers.map(|Header { name, value }| {
            (
                batch.slice(*name).len(),
                value.map(|value| batch.slice(value).len()),
            )
        });
        let value = record.value.map_or(0, |value| batch.slice(value).len());
        let key_bytes = key.map_or(0, <[u8]>::len);
        let bytes = wire_size(key_bytes, value, headers.chain(added));
        if let ChosenPartition::Lacking(partition) = placed {
            planned.lack(partition, record.origin);
            self.lacking += 1;
            return Ok(());
        }
        if bytes > planned.sizes.message_max_bytes {
            self.too_large(target, batch, record, bytes);
            return Ok(());
        }
        planned.records += 1;
        planned.bytes += (key_bytes + value) as u64;
        self.place(target, batch, record, placed);
        if let Some(key) = key {
            self.keys.add(target, key);
        }
        self.to_send += 1;
        let (now, size) = (self.clock.now, batch.size(record) as u64);
        let shared = self.turns.as_ref().and_then(Turns::shared_start);
        let first = *self.first.get_or_insert(shared.unwrap_or(now));
        self.peaks.add(now.saturating_duration_since(first), size);
        Ok(())
    }

    /// Counts where a record goes, and whether that is where it was captured.
    fn place(&mut self, target: usize, batch: &Batch, record: &Record, placed: ChosenPartition) {
        let partition = match placed {
            ChosenPartition::Captured(partition)
            | ChosenPartition::ByKey(partition)
            | ChosenPartition::InTurn(partition) => Some(partition),
            ChosenPartition::ByLibrdkafka | ChosenPartition::Lacking(_) => None,
        };
        let how = self.job.destination.partition;
        count_placement(&mut self.placement, how, record, partition);
        let planned = &mut self.topics.targets[target];
        if let Some(partition) = partition {
            *planned.per_partition.entry(partition).or_default() += 1;
        }
        let was_to_be_kept = how == PartitionChoice::Auto;
        if was_to_be_kept && record.partition.is_some() && record.partition != partition {
            planned.displaced += 1;
            let (topic, has) = (&planned.name, planned.partitions.count);
            let why = || {
                let place = batch.captured_at(record);
                format!("{place}: topic `{topic}` has {has} partitions, so it goes to another one")
            };
            self.problems
                .add(ProblemKind::Displaced, record.origin, why);
        }
    }

    fn unplaceable(&mut self, batch: &Batch, record: &Record) -> Result<(), Error> {
        let why = match batch.topic(record) {
            None if self.to_send == 0 => {
                let place = self.job.counters.place(record.origin);
                return Err(Error::NoTopic { place });
            }
            None => TOPIC_UNNAMED,
            Some(_) => ID_UNNAMED,
        };
        self.unplaced += 1;
        let place = batch.captured_at(record);
        let why = || format!("{why}: {place}");
        self.problems
            .add(ProblemKind::TopicUnknown, record.origin, why);
        Ok(())
    }

    /// The timestamp that a record keeps; none where it gets that of its sending.
    fn timestamp_ms(&mut self, record: &Record, position: u64) -> Option<i64> {
        let which = self.job.destination.timestamps;
        let shared = self.turns.as_ref().and_then(Turns::shared_start);
        let clock = PlanClock {
            now: shared.unwrap_or(self.clock.now),
            ..self.clock
        };
        if let Some(shifts) = &mut self.shifts {
            shifts.note(known_timestamp_ms(record), || clock.now_ms());
        }
        let kept = kept_timestamp_ms(which, self.shifts.as_ref(), record, position);
        if kept.is_none() && which != Timestamps::Now {
            let problems = &mut self.problems;
            problems.add(ProblemKind::TimestampLost, record.origin, || {
                TIMELESS.into()
            });
        }
        kept
    }

    fn refuse(&mut self, target: usize, batch: &Batch, record: &Record, objection: Objection) {
        let planned = &mut self.topics.targets[target];
        let refused = &mut planned.refused;
        let (count, about) = match objection {
            Objection::NoKey => (&mut refused.no_key, "no_key"),
            Objection::TooEarly { .. } => (&mut refused.too_early, "too_early"),
            Objection::TooLate { .. } => (&mut refused.too_late, "too_late"),
            Objection::Expired { .. } => (&mut refused.expired, "expired"),
        };
        *count += 1;
        let topic = &planned.name;
        let why = || {
            format!(
                "{}: topic `{topic}`: {objection}",
                batch.captured_at(record)
            )
        };
        let problems = &mut self.problems;
        problems.add_about(ProblemKind::NotWritten, about, record.origin, why);
        self.not_written += 1;
    }

    fn too_large(&mut self, target: usize, batch: &Batch, record: &Record, bytes: usize) {
        let limit = self.topics.describe_limit(target);
        let planned = &mut self.topics.targets[target];
        planned.refused.too_large += 1;
        let topic = &planned.name;
        let why = || {
            let place = batch.captured_at(record);
            format!("{place}: topic `{topic}`: the record of {bytes} bytes is larger than {limit}")
        };
        let problems = &mut self.problems;
        problems.add_about(ProblemKind::NotWritten, "too_large", record.origin, why);
        self.not_written += 1;
    }

    fn outcome(
        mut self,
        source_end: Option<Result<(), Error>>,
        mut failures: Vec<Error>,
        reach: PlanReach,
    ) -> PlanOutcome {
        let job = self.job;
        let place = |origin| job.counters.place(origin);
        failures.extend(self.refused.take());
        failures.extend(self.topics.take_failures(place));
        failures.extend(self.expired.take());
        let is_whole = source_end == Some(Ok(())) && !self.tally.unselected.ended_early;
        if is_whole {
            _ = self.topics.renamings.name_unmatched(&mut self.problems);
        }
        let mut problems = self.tally.problems.clone();
        problems.merge(self.problems);
        let schedule = self.turns.as_ref().map(|turns| {
            let first = self.first.unwrap_or(self.clock.now);
            let (second, ten_ms) = self.peaks.peaks();
            PlannedSchedule {
                duration: self.clock.now.saturating_duration_since(first),
                busiest_second: second,
                busiest_ten_ms: ten_ms,
                pacing: turns.pacing(WaitTimes::default(), SlowedBy::Rate, None, None),
            }
        });
        let mut hottest = self.keys.hottest();
        let topics = self.topics.targets.iter().enumerate();
        let topics = topics.map(|(index, target)| {
            let hottest = hottest.remove(&index);
            planned_topic(target, hottest)
        });
        PlanOutcome {
            forecast: PlanForecast {
                brokers: None,
                topics: topics.collect(),
                placement: self.placement,
                unplaced: self.unplaced,
                to_send: self.to_send,
                not_written: self.not_written,
                lacking: self.lacking,
                left: self.left,
                schedule,
                passes: self.passes,
                reach,
                problems,
            },
            tally: self.tally,
            source_end,
            failures,
        }
    }
}

fn planned_topic(target: &PlannedTarget, hottest_key: Option<HottestKey>) -> PlannedTopic {
    let per_partition = target.per_partition.iter();
    let per_partition = per_partition.map(|(partition, records)| PlannedPartition {
        partition: partition.unsigned_abs(),
        records: *records,
    });
    PlannedTopic {
        name: target.name.clone(),
        standing: target.standing,
        partitions: target.partitions.count.unsigned_abs(),
        limit: target.limit,
        records: target.records,
        bytes: target.bytes,
        per_partition: per_partition.collect(),
        hottest_key,
        refused: target.refused,
        displaced: target.displaced,
        missing_partitions: target.lacking().map(i32::unsigned_abs).collect(),
    }
}
