//! The sending loop: batches from the channel to librdkafka, in order, each record counted, and at
//! the end the wait for all deliveries.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::producer::PurgeConfig;
use rdkafka::types::RDKafkaErrorCode;
use tokio::sync::oneshot;

use super::Job;
use super::client::Connection;
use super::control::Pace;
use super::delivery::{Deliveries, Ticket};
use super::native::{self, Outgoing};
use super::route::{Route, Router};
use crate::channel::Receiver;
use crate::config::Timestamps;
use crate::error::Error;
use crate::record::{Batch, Header, Record};
use crate::report::{Latency, Placement};
use crate::report::{Ledger, Problems, Tally, Topic, What};

/// How long a first interruption waits for what librdkafka holds.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// How long purged records may take to be told as such.
const PURGE_LIMIT: Duration = Duration::from_secs(2);
/// How often a wait looks whether it was told to stop.
const STEP: Duration = Duration::from_millis(50);

/// What came of a replay.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) brokers: String,
    pub(crate) tally: Tally,
    pub(crate) ledger: Ledger,
    pub(crate) topics: Vec<Topic>,
    pub(crate) placement: Placement,
    pub(crate) problems: Problems,
    pub(crate) latency: Option<Latency>,
    /// How the source ended; none when it was not read to its end.
    pub(crate) source_end: Option<Result<(), Error>>,
    /// What ended the sending before its time.
    pub(crate) failure: Option<Error>,
}

/// Why sending stops before the source's end.
enum Stop {
    Told,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Looks at the destination, says `ready`, and sends everything that `receiver` gives.
pub(super) fn run(job: &Job, receiver: Receiver, ready: oneshot::Sender<()>) -> Outcome {
    let connection = match Connection::open(job) {
        Ok(connection) => connection,
        Err(error) => return failed(error, String::new()),
    };
    let mut router = Router::new(&connection, &job.destination, &job.control);
    let looked_at = connection
        .check_reachable(&job.control)
        .and_then(|()| router.check_named_topic());
    if let Err(error) = looked_at {
        return failed(error, connection.brokers.clone());
    }
    // Nobody waits for it only when the run is ending.
    _ = ready.send(());
    let mut replay = Replay {
        job,
        connection: &connection,
        deliveries: connection.deliveries(),
        router,
        tally: Tally::default(),
        problems: Problems::default(),
        unreadable: 0,
        unsent: 0,
        handed: 0,
        full: false,
    };
    let stop = replay.send_all(&receiver).err();
    let (source_end, rest) = receiver.into_rest();
    for portion in rest {
        replay.unsent += portion.batch.records.len() as u64;
        replay.tally.merge(portion.tally);
    }
    replay.drain();
    for unused in replay.router.unused_renamings() {
        let note = format!("`--map {unused}=...` was not used: no topic `{unused}` was captured");
        job.console.note(&note);
    }
    replay.into_outcome(&connection, source_end, stop)
}

fn failed(error: Error, brokers: String) -> Outcome {
    Outcome {
        failure: Some(error),
        brokers,
        ..Outcome::default()
    }
}

struct Replay<'a> {
    job: &'a Job,
    connection: &'a Connection,
    deliveries: &'a Deliveries,
    router: Router<'a>,
    tally: Tally,
    /// Of records that were found readable and could not be placed.
    problems: Problems,
    unreadable: u64,
    unsent: u64,
    /// Records that librdkafka has taken.
    handed: u64,
    /// Whether the window was full after the last record.
    full: bool,
}

impl Replay<'_> {
    fn send_all(&mut self, receiver: &Receiver) -> Result<(), Stop> {
        receiver.survey(|batch| self.router.survey(batch));
        self.router.check_surveyed_topics()?;
        while let Some(portion) = receiver.recv() {
            let counters = &self.job.counters;
            counters
                .bytes
                .fetch_add(portion.tally.bytes, Ordering::Relaxed);
            counters
                .found
                .fetch_add(portion.tally.found, Ordering::Relaxed);
            self.tally.merge(portion.tally);
            self.send_batch(&portion.batch)?;
        }
        Ok(())
    }

    /// Sends a batch; what is not sent of it is counted.
    fn send_batch(&mut self, batch: &Batch) -> Result<(), Stop> {
        let mut routes = vec![None; batch.topics.len()];
        for (i, record) in batch.records.iter().enumerate() {
            if let Err(stop) = self.send(batch, record, &mut routes) {
                self.unsent += (batch.records.len() - i) as u64;
                return Err(stop);
            }
        }
        Ok(())
    }

    fn send(
        &mut self,
        batch: &Batch,
        record: &Record,
        routes: &mut [Option<Route>],
    ) -> Result<(), Stop> {
        self.wait_for_room()?;
        let Some(target) = self.target(batch, record, routes)? else {
            return Ok(());
        };
        let key = record.key.map(|key| batch.slice(key));
        let value = record.value.map(|value| batch.slice(value));
        let place = || self.job.counters.place(record.origin);
        let (partition, placed) = self
            .router
            .partition(target, record.partition, key, place)?;
        let timestamp_ms = self.timestamp_ms(record);
        let captured = batch.headers(record).iter();
        let captured = captured
            .map(|Header { name, value }| (batch.slice(*name), value.map(|v| batch.slice(v))));
        let added = self.job.destination.headers.iter();
        let added = added.map(|(name, value)| (name.as_bytes(), Some(value.as_bytes())));
        let header_bytes: usize = captured
            .clone()
            .chain(added.clone())
            .map(|(name, value)| name.len() + value.map_or(0, <[u8]>::len))
            .sum();
        let bytes = header_bytes + key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len);
        let ticket = Ticket::new(record.origin, bytes);
        self.full = self.deliveries.enter(ticket);
        let headers = captured.chain(added);
        let outgoing = Outgoing {
            partition,
            key,
            value,
            timestamp_ms,
            headers,
            ticket: ticket.pack(),
        };
        let target = &self.router.targets[target];
        let wait = || {
            thread::sleep(Duration::from_millis(1));
            !self.job.control.is_stopping()
        };
        match native::produce(&target.handle, outgoing, wait) {
            Ok(()) => {
                self.handed += 1;
                self.router.count(placed);
            }
            Err(code) => {
                self.deliveries.leave(ticket);
                match code {
                    RDKafkaErrorCode::QueueFull => return Err(Stop::Told),
                    RDKafkaErrorCode::Fatal => return Err(Stop::Failed(self.fatal())),
                    code => {
                        let from = batch.captured_at(record);
                        self.deliveries
                            .refused(record.origin, &target.name, code, bytes, &from);
                    }
                }
            }
        }
        Ok(())
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
        let why = || format!("{why}: {}", batch.captured_at(record));
        self.problems.add(What::TopicUnknown, record.origin, why);
    }

    /// 0 makes librdkafka take the time of sending.
    fn timestamp_ms(&mut self, record: &Record) -> i64 {
        if self.job.destination.timestamps == Timestamps::Now {
            return 0;
        }
        record.timestamp_ms.filter(|ms| *ms > 0).unwrap_or_else(|| {
            let why = "it was captured without a time, or with 1970's first millisecond";
            self.problems
                .add(What::TimestampLost, record.origin, || why.into());
            0
        })
    }

    fn wait_for_room(&mut self) -> Result<(), Stop> {
        loop {
            if self.job.control.is_stopping() {
                return Err(Stop::Told);
            }
            if !self.full {
                return Ok(());
            }
            if self.deliveries.troubles().fatal {
                return Err(Stop::Failed(self.fatal()));
            }
            self.full = !self.deliveries.wait_for_room(STEP);
        }
    }

    fn fatal(&self) -> Error {
        Error::ProducerFatal {
            reason: self.connection.fatal_reason(),
        }
    }

    fn answered(&self) -> u64 {
        let counts = self.deliveries.counts();
        counts.delivered + counts.not_written + counts.unknown - counts.refused
    }

    /// Waits for all deliveries; when told to stop, no longer than it was told.
    fn drain(&self) {
        self.job.counters.complete.store(true, Ordering::Relaxed);
        let mut told = None;
        while self.answered() < self.handed {
            self.connection.flush(STEP);
            let waited = match self.job.control.pace() {
                Pace::Running if !self.deliveries.troubles().fatal => continue,
                Pace::Running | Pace::Draining => told.get_or_insert_with(Instant::now).elapsed(),
                Pace::Leaving => DRAIN_LIMIT,
            };
            if waited >= DRAIN_LIMIT {
                self.purge();
                return;
            }
        }
    }

    /// Gives up what librdkafka holds: it tells of each record how far that came.
    fn purge(&self) {
        self.connection
            .purge(&PurgeConfig::default().queue().inflight());
        let started = Instant::now();
        while self.answered() < self.handed && started.elapsed() < PURGE_LIMIT {
            self.connection.flush(STEP);
        }
    }

    fn into_outcome(
        self,
        connection: &Connection,
        source_end: Option<Result<(), Error>>,
        stop: Option<Stop>,
    ) -> Outcome {
        // A record that never got an answer may be in the log.
        let unanswered = self.handed.saturating_sub(self.answered());
        let counts = self.deliveries.counts();
        let ledger = Ledger {
            found: self.tally.found,
            duplicates: self.tally.duplicates,
            filtered: self.tally.filtered,
            aborted: self.tally.aborted,
            control: self.tally.control,
            unreadable: self.tally.unreadable + self.unreadable,
            delivered: counts.delivered,
            not_written: counts.not_written,
            unknown: counts.unknown + unanswered,
            unsent: self.unsent,
        };
        let mut problems = self.tally.problems.clone();
        problems.merge(self.problems);
        problems.merge(counts.problems.clone());
        let topics = self.router.targets.iter().map(|target| {
            let count = counts
                .topics
                .iter()
                .find(|count| count.topic == target.name);
            Topic {
                name: target.name.clone(),
                partitions: target.partitions.unsigned_abs(),
                delivered: count.map_or(0, |count| count.delivered),
                bytes: count.map_or(0, |count| count.bytes),
            }
        });
        Outcome {
            brokers: connection.brokers.clone(),
            ledger,
            topics: topics.collect(),
            placement: self.router.placement,
            problems,
            latency: counts.latency(),
            source_end,
            failure: match stop {
                Some(Stop::Failed(error)) => Some(error),
                Some(Stop::Told) | None => None,
            },
            tally: self.tally,
        }
    }
}
