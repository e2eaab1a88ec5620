//! Sending: from a batch to librdkafka, record by record. What is not sent is counted and named.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::drain::STEP;
use super::replay::{Replay, Stop, contain};
use crate::cluster::native;
use crate::cluster::native::{Code, InFlightBatch, InFlightRecord, Outgoing};
use crate::config::Timestamps;
use crate::error::Error;
use crate::produce::delivery::Ending;
use crate::produce::delivery::rejects::Fate;
use crate::produce::order::OrderedBatch;
use crate::produce::routing::acceptance::{Objection, now_ms};
use crate::produce::routing::originals::expired;
use crate::produce::routing::route::Route;
use crate::record::in_flight::NumberedBatch;
use crate::record::{Batch, Header, Record};
use crate::report::What;

/// Records that the journal is told of at once, before the first of them is sent.
const SLICE: usize = 512;

impl Replay<'_> {
    /// Sends a batch; what is not sent of it is counted.
    pub(in crate::produce) fn send_batch(&mut self, ordered: OrderedBatch) -> Result<(), Stop> {
        let counters = &self.job.counters;
        let OrderedBatch {
            mut numbered,
            tally,
            problems,
        } = ordered;
        counters.bytes.fetch_add(tally.bytes, Ordering::Relaxed);
        counters.found.fetch_add(tally.found, Ordering::Relaxed);
        self.tally.merge(tally);
        self.problems.merge(problems);
        numbered.pin = Some(self.deliveries.budget.pin(numbered.weight()));
        let in_flight = InFlightBatch::new(numbered);
        self.remember(&in_flight);
        self.index = 0;
        contain(|| self.send_records(&in_flight)).inspect_err(|stop| {
            self.leave_unsent(in_flight.numbered(), self.index, &stop.reason());
        })
    }

    /// Sends the records of a batch; after an error `index` is the first that was not sent.
    fn send_records(&mut self, in_flight: &Arc<InFlightBatch>) -> Result<(), Stop> {
        let NumberedBatch {
            batch, positions, ..
        } = in_flight.numbered();
        let records = batch.records.len();
        let mut routes = vec![None; batch.topics.len()];
        let mut announced = 0;
        for index in 0..records {
            self.index = index;
            if index == announced
                && let Some(journal) = &mut self.journal
            {
                announced = records.min(index + SLICE);
                let slice = (index..announced).map(|index| positions.of(index));
                journal.announce(slice, self.deliveries)?;
            }
            if self.is_delivered(positions.of(index)) {
                self.skipped += 1;
                continue;
            }
            if let Err(stop) = self.send(in_flight, index, &mut routes) {
                (index..announced).for_each(|index| self.is_not_written(positions.of(index)));
                return Err(stop);
            }
        }
        Ok(())
    }

    fn is_delivered(&self, position: u64) -> bool {
        let journal = self.journal.as_ref();
        journal.is_some_and(|journal| journal.has_delivered(position))
    }

    /// Tells the journal of a record that it was told of and that is not handed to librdkafka.
    fn is_not_written(&self, position: u64) {
        if let Some(answers) = &mut self.deliveries.account().answers {
            answers.not_written(position);
        }
    }

    /// Tells the journal the ids of topics that nothing was sent to yet.
    fn identify_topics(&mut self) -> Result<(), Error> {
        let Some(journal) = &mut self.journal else {
            return Ok(());
        };
        let new = &self.router.targets[self.identified..];
        let names: Vec<&str> = new.iter().map(|target| target.name.as_str()).collect();
        self.identified = self.router.targets.len();
        journal.meet(self.connection.topic_ids(&names))?;
        journal.update(self.deliveries)
    }

    /// Counts the records from `first` on, which will not be sent.
    pub(in crate::produce) fn leave_unsent(
        &mut self,
        numbered: &NumberedBatch,
        first: usize,
        why: &str,
    ) {
        let NumberedBatch {
            batch, positions, ..
        } = numbered;
        for (index, record) in batch.records.iter().enumerate().skip(first) {
            if self.is_delivered(positions.of(index)) {
                self.skipped += 1;
                continue;
            }
            self.unsent += 1;
            let rejects = &mut self.deliveries.account().rejects;
            rejects.add(batch, record, Fate::Unsent, why);
        }
    }

    fn send(
        &mut self,
        in_flight: &Arc<InFlightBatch>,
        index: usize,
        routes: &mut [Option<Route>],
    ) -> Result<(), Stop> {
        self.wait_for_budget()?;
        let batch = in_flight.batch();
        let record = &batch.records[index];
        let Some(target) = self.target(batch, record, routes)? else {
            self.is_not_written(in_flight.numbered().positions.of(index));
            return Ok(());
        };
        if target >= self.identified {
            self.identify_topics()?;
        }
        let key = record.key.map(|key| batch.slice(key));
        let timestamp_ms = self.timestamp_ms(record);
        if let Some(objection) = self.objection(target, key, timestamp_ms)? {
            let topic = &self.router.targets[target].name;
            let record = InFlightRecord::new(in_flight, index);
            self.deliveries.withhold(&record, topic, objection);
            return Ok(());
        }
        let place = || self.job.counters.place(record.origin);
        let partition = self
            .router
            .partition(target, record.partition, key, place)?;
        let alone = self.keep_alone(in_flight, index);
        let (in_flight, index) = alone.as_ref().map_or((in_flight, index), |a| (a, 0));
        self.full = self.deliveries.acquire(batch, record);
        let in_flight = InFlightRecord::new(in_flight, index);
        in_flight.begin();
        let mut given = self.hand_over(in_flight.clone(), target, partition, timestamp_ms);
        if given == Err(Code::MESSAGE_SIZE_TOO_LARGE) && self.offer_larger(target)? {
            given = self.hand_over(in_flight.clone(), target, partition, timestamp_ms);
        }
        let Err(code) = given else {
            self.handed += 1;
            return Ok(());
        };
        in_flight.end();
        self.deliveries.release(batch, record);
        match code {
            Code::QUEUE_FULL => Err(self.check_alive().err().unwrap_or(Stop::Told)),
            Code::FATAL => Err(Stop::Failed(self.ended(Ending::Fatal))),
            code => {
                // With a fatal error librdkafka refuses every record, by the code of that error.
                if let Some(fatal) = self.connection.fatal_error() {
                    return Err(Stop::Failed(fatal));
                }
                let topic = &self.router.targets[target].name;
                self.deliveries.refused(&in_flight, topic, code);
                Ok(())
            }
        }
    }

    /// A batch of one record, where records are to be kept alone: a partition that stalls would else keep
    /// all that was read beside its records.
    fn keep_alone(
        &mut self,
        in_flight: &InFlightBatch,
        index: usize,
    ) -> Option<Arc<InFlightBatch>> {
        let budget = &self.deliveries.budget;
        if !budget.is_pinned_full() {
            return None;
        }
        let mut alone = in_flight.numbered().alone(index);
        alone.pin = Some(budget.pin(alone.weight()));
        let alone = InFlightBatch::new(alone);
        self.remember(&alone);
        Some(alone)
    }

    /// Gives a record to librdkafka.
    ///
    /// # Errors
    /// librdkafka's reason for refusing the record; `QueueFull` when the run is told to stop.
    pub(in crate::produce) fn hand_over(
        &self,
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
        let wait = || {
            thread::sleep(Duration::from_millis(1));
            self.watch();
            !self.job.control.is_stopping() && self.deliveries.ending().is_none()
        };
        shared.set_span(self.span.get());
        let given = native::produce(&self.router.targets[target].handle, outgoing, wait);
        self.in_span
            .set(self.in_span.get() + u64::from(given.is_ok()));
        given
    }

    /// The target of `record`; none when it cannot be told, which is counted.
    fn target(
        &mut self,
        batch: &Batch,
        record: &Record,
        routes: &mut [Option<Route>],
    ) -> Result<Option<usize>, Stop> {
        let (Some(index), Some(topic)) = (record.topic, batch.topic(record)) else {
            let target = self.router.route_untold()?;
            if target.is_none() {
                let place = self.job.counters.place(record.origin);
                if self.handed == 0 {
                    return Err(Stop::Failed(Error::TopicUntold { place }));
                }
                let why = "the capture does not tell the record's topic";
                self.unplaceable(batch, record, why);
            }
            return Ok(target);
        };
        let route = match routes[index as usize] {
            Some(route) => route,
            None => *routes[index as usize].insert(self.router.route(topic)?),
        };
        Ok(match route {
            Route::To(target) => Some(target),
            Route::Unknown => {
                self.unplaceable(batch, record, "nothing in the capture names the topic's id");
                None
            }
        })
    }

    fn unplaceable(&mut self, batch: &Batch, record: &Record, why: &str) {
        self.unreadable += 1;
        let rejects = &mut self.deliveries.account().rejects;
        rejects.add(batch, record, Fate::Unreadable, why);
        let why = || format!("{why}: {}", batch.captured_at(record));
        self.problems.add(What::TopicUnknown, record.origin, why);
    }

    /// What the topic's settings say against a record.
    ///
    /// # Errors
    /// [`Error::OriginalsExpired`] when its time is too old and nothing was sent before.
    fn objection(
        &self,
        target: usize,
        key: Option<&[u8]>,
        timestamp_ms: i64,
    ) -> Result<Option<Objection>, Error> {
        let target = &self.router.targets[target];
        let (timestamp_ms, now_ms) = match timestamp_ms {
            0 => (None, 0),
            ms => (Some(ms), now_ms()),
        };
        match target.rules.objection(key, timestamp_ms, now_ms) {
            Some(Objection::Expired {
                timestamp_ms,
                limit_ms,
            }) if self.handed == 0 => {
                let age_ms = now_ms.saturating_sub(timestamp_ms);
                Err(expired(&target.name, age_ms, limit_ms, (1, 1)))
            }
            objection => Ok(objection),
        }
    }

    /// 0 makes librdkafka take the time of sending.
    fn timestamp_ms(&mut self, record: &Record) -> i64 {
        let kept = self.kept_timestamp_ms(record);
        if kept == 0 && self.job.destination.timestamps == Timestamps::Original {
            let why = "it was captured without a time, or with 1970's first millisecond";
            self.problems
                .add(What::TimestampLost, record.origin, || why.into());
        }
        kept
    }

    pub(in crate::produce) fn kept_timestamp_ms(&self, record: &Record) -> i64 {
        match self.job.destination.timestamps {
            Timestamps::Now => 0,
            Timestamps::Original => record.timestamp_ms.filter(|ms| *ms > 0).unwrap_or(0),
        }
    }

    fn wait_for_budget(&mut self) -> Result<(), Stop> {
        loop {
            if self.job.control.is_stopping() {
                return Err(Stop::Told);
            }
            if self.deliveries.is_forbidden() {
                self.check_alive()?;
            }
            self.isolate()?;
            let is_over_full = self.deliveries.budget.is_pinned_over_full();
            if !self.full && !is_over_full {
                return Ok(());
            }
            self.check_alive()?;
            if is_over_full {
                thread::sleep(Duration::from_millis(1));
            }
            self.full = self.full && !self.deliveries.budget.wait(STEP);
            self.write_progress()?;
        }
    }
}
