//! Sends a record: finds where it goes, checks it against the topic's settings, and hands it to librdkafka.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::open::Session;
use super::pass::Pass;
use super::wait::SendStop;
use crate::cluster::native;
use crate::cluster::native::{Code, InFlightBatch, InFlightRecord, Outgoing};
use crate::config::Timestamps;
use crate::error::Error;
use crate::produce::delivery::Ending;
use crate::produce::delivery::refusals::Cause;
use crate::produce::routing::acceptance::{Objection, now_ms};
use crate::produce::routing::originals::OriginalTimes;
use crate::produce::routing::placement::Renamings;
use crate::produce::routing::route::Route;
use crate::produce::schedule::{Turns, kept_timestamp_ms};
use crate::record::select::known_timestamp_ms;
use crate::record::{Batch, Header, Record};
use crate::report::{Outcome, ProblemKind};

/// Why a record does not keep its timestamp.
pub(in crate::produce) const TIMELESS: &str =
    "it was captured without a timestamp, or with the timestamp 0";

impl Pass<'_, '_> {
    /// Sends the next record, or counts why it is not sent.
    ///
    /// # Errors
    /// Returns [`SendStop`] if the run ends; the record is not counted.
    pub(super) fn send(
        &mut self,
        in_flight: &Arc<InFlightBatch>,
        index: usize,
        routes: &mut [Option<Route>],
        due: Option<Instant>,
    ) -> Result<(), SendStop> {
        let batch = in_flight.batch();
        let record = &batch.records[index];
        let Some(target) = self.target(batch, record, routes)? else {
            self.is_not_written(in_flight.numbered().positions.of(index));
            return Ok(());
        };
        if target >= self.session.identified {
            self.session.identify_topics()?;
        }
        let key = record.key.map(|key| batch.slice(key));
        let position = in_flight.numbered().positions.of(index);
        let timestamp_ms = self.timestamp_ms(record, position);
        if let Some(objection) = self.objection(target, key, timestamp_ms)? {
            let topic = &self.session.router.targets[target].name;
            let record = InFlightRecord::new(in_flight, index);
            self.session.deliveries.withhold(&record, topic, objection);
            return Ok(());
        }
        let place = || self.session.job.counters.place(record.origin);
        let partition = self
            .session
            .router
            .partition(target, record.partition, key, place)?;
        if let Some(why) = self.session.given_up(target, partition) {
            let topic = &self.session.router.targets[target].name;
            let record = InFlightRecord::new(in_flight, index);
            self.session.deliveries.withhold(&record, topic, why);
            return Ok(());
        }
        let alone = self.keep_alone(in_flight, index);
        let (in_flight, index) = alone.as_ref().map_or((in_flight, index), |a| (a, 0));
        self.session.waiter.is_full = self.session.deliveries.acquire(batch, record);
        let in_flight = InFlightRecord::new(in_flight, index);
        if let Some(due) = due {
            self.session.deliveries.note_due(&in_flight, due);
        }
        if let Some(notify) = &self.session.job.sending {
            notify(batch, record);
        }
        in_flight.begin();
        let mut given = self
            .session
            .hand_over(in_flight.clone(), target, partition, timestamp_ms);
        if given == Err(Code::MESSAGE_SIZE_TOO_LARGE) && self.session.offer_larger(target)? {
            given = self
                .session
                .hand_over(in_flight.clone(), target, partition, timestamp_ms);
        }
        match given {
            Ok(()) => {
                self.session.waiter.handed += 1;
                Ok(())
            }
            Err(code) => self.is_not_taken(&in_flight, (target, partition), code),
        }
    }

    /// Handles a record that librdkafka has not taken.
    ///
    /// # Errors
    /// Returns [`SendStop`] if the run ends; the record is not counted.
    fn is_not_taken(
        &mut self,
        in_flight: &InFlightRecord,
        (target, partition): (usize, i32),
        code: Code,
    ) -> Result<(), SendStop> {
        if Cause::of(code) == Some(Cause::Absent) {
            // It counts as handed over, and as held until its place is there again.
            self.session.waiter.handed += 1;
            let topic = &self.session.router.targets[target].name;
            let place = (topic.as_str(), partition);
            self.session.deliveries.hold_absent(in_flight, place);
            return Ok(());
        }
        in_flight.end();
        let (batch, record) = (in_flight.batch(), in_flight.record());
        self.session.deliveries.release(batch, record);
        match code {
            Code::QUEUE_FULL => Err(self.session.full_for_good()),
            Code::FATAL => Err(SendStop::Failed(self.session.ended(Ending::Fatal))),
            code => {
                // After a fatal error, librdkafka refuses every record with the code of that error.
                if let Some(fatal) = self.session.connection.fatal_error() {
                    return Err(SendStop::Failed(fatal));
                }
                let topic = &self.session.router.targets[target].name;
                self.session.deliveries.refused(in_flight, topic, code);
                Ok(())
            }
        }
    }

    /// A batch of one record, if records have to be kept alone: a partition that stalls would otherwise keep
    /// everything that was read beside its records.
    fn keep_alone(
        &mut self,
        in_flight: &InFlightBatch,
        index: usize,
    ) -> Option<Arc<InFlightBatch>> {
        let budget = &self.session.deliveries.budget;
        if !budget.is_pinned_full() {
            return None;
        }
        let mut alone = in_flight.numbered().alone(index);
        alone.pin = Some(budget.pin(alone.weight()));
        Some(self.session.in_flight(alone))
    }

    /// The target of `record`; `None` if there is none, which is counted.
    fn target(
        &mut self,
        batch: &Batch,
        record: &Record,
        routes: &mut [Option<Route>],
    ) -> Result<Option<usize>, SendStop> {
        let (Some(index), Some(topic)) = (record.topic, batch.topic(record)) else {
            let target = self.session.router.route_without_topic()?;
            if target.is_none() {
                self.unplaceable(batch, record)?;
            }
            return Ok(target);
        };
        let route = match routes[index as usize] {
            Some(route) => route,
            None => *routes[index as usize].insert(self.session.router.route(topic)?),
        };
        Ok(match route {
            Route::To(target) => Some(target),
            Route::Unknown => {
                self.unplaceable(batch, record)?;
                None
            }
        })
    }

    fn unplaceable(&mut self, batch: &Batch, record: &Record) -> Result<(), Error> {
        let place = self.session.job.counters.place(record.origin);
        let sent = self.session.waiter.handed;
        let why = Renamings::why_unplaceable(batch.topic(record), sent, place)?;
        self.counts.unreadable += 1;
        let rejects = &mut self.session.deliveries.account().rejects;
        rejects.add(batch, record, Outcome::Unreadable, why);
        let why = || format!("{why}: {}", batch.captured_at(record));
        self.counts
            .problems
            .add(ProblemKind::TopicUnknown, record.origin, why);
        Ok(())
    }

    /// What the topic's settings say against a record.
    ///
    /// # Errors
    /// Returns [`Error::OriginalsExpired`] if its time is too old and nothing was sent before.
    fn objection(
        &self,
        target: usize,
        key: Option<&[u8]>,
        timestamp_ms: i64,
    ) -> Result<Option<Objection>, Error> {
        let target = &self.session.router.targets[target];
        let (timestamp_ms, now_ms) = match timestamp_ms {
            0 => (None, 0),
            ms => (Some(ms), now_ms()),
        };
        let objection = target.rules.objection(key, timestamp_ms, now_ms);
        if let Some(Objection::Expired { timestamp_ms, .. }) = objection
            && self.session.waiter.handed == 0
        {
            let mut originals = OriginalTimes::at(now_ms);
            originals.look_at(&target.name, &target.rules, timestamp_ms);
            originals.check()?;
        }
        Ok(objection)
    }

    /// The timestamp for a record; 0 makes librdkafka take the time of sending.
    fn timestamp_ms(&mut self, record: &Record, position: u64) -> i64 {
        if let Some(shifts) = &mut self.session.shifts {
            let shared = self.session.turns.as_ref().and_then(Turns::shared_start);
            let start_ms = || {
                let since = shared.map_or(Duration::ZERO, |start| start.elapsed());
                now_ms().saturating_sub(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            };
            shifts.note(known_timestamp_ms(record), start_ms);
        }
        let kept = self.session.kept_timestamp_ms(record, position);
        if kept == 0 && self.session.job.destination.timestamps != Timestamps::Now {
            let problems = &mut self.counts.problems;
            problems.add(ProblemKind::TimestampLost, record.origin, || {
                TIMELESS.into()
            });
        }
        kept
    }
}

impl Session<'_> {
    /// Hands a record to librdkafka.
    ///
    /// # Errors
    /// Returns librdkafka's reason for refusing the record; `QUEUE_FULL` if the run has to end.
    pub(super) fn hand_over(
        &mut self,
        in_flight: InFlightRecord,
        target: usize,
        partition: i32,
        timestamp_ms: i64,
    ) -> Result<(), Code> {
        let shared = in_flight.clone();
        let (batch, record) = (shared.batch(), shared.record());
        let captured = batch.headers(record).iter();
        let captured = captured
            .map(|Header { name, value }| (batch.slice(*name), value.map(|v| batch.slice(v))));
        let added = self.job.destination.headers.iter();
        let added = added.map(|(name, value)| (name.as_bytes(), Some(value.as_bytes())));
        let outgoing = Outgoing {
            partition,
            record: in_flight,
            timestamp_ms,
            headers: captured.chain(added),
        };
        let waiter = &mut self.waiter;
        shared.address(waiter.span, target);
        let handle = &self.router.targets[target].handle;
        let given = native::produce(handle, outgoing, || waiter.has_room());
        waiter.in_span += u64::from(given.is_ok());
        given
    }

    /// Why sending stops when librdkafka's queue stays full.
    pub(super) fn full_for_good(&mut self) -> SendStop {
        self.check_alive().err().unwrap_or(SendStop::Interrupted)
    }

    /// Gives the journal the ids of topics that nothing was sent to yet.
    fn identify_topics(&mut self) -> Result<(), Error> {
        let Some(journal) = &mut self.waiter.journal else {
            return Ok(());
        };
        let new = &self.router.targets[self.identified..];
        let names: Vec<&str> = new.iter().map(|target| target.name.as_str()).collect();
        self.identified = self.router.targets.len();
        journal.meet(self.connection.topic_ids(&names))?;
        journal.update(self.deliveries)
    }

    /// The time that the record at `position` keeps, or whose distances it keeps; 0 if it gets the time of
    /// sending.
    pub(super) fn kept_timestamp_ms(&self, record: &Record, position: u64) -> i64 {
        let which = self.job.destination.timestamps;
        let kept = kept_timestamp_ms(which, self.shifts.as_ref(), record, position);
        kept.unwrap_or(0)
    }
}
