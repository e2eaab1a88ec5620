//! The sending loop: records from the channel to librdkafka, in order, each one counted.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use rdkafka::types::RDKafkaErrorCode;
use tokio::sync::oneshot;

use super::Job;
use super::client::Connection;
use super::delivery::Deliveries;
use super::drain::{Draining, STEP};
use super::in_flight::{Contents, Kept};
use super::journal::Keeper;
use super::native::{self, Outgoing};
use super::order::{Next, Ordered, Parcel};
use super::outcome::Outcome;
use super::rejects::{Fate, Former, Rejects};
use super::route::{Route, Router};
use crate::channel::Receiver;
use crate::config::Timestamps;
use crate::error::Error;
use crate::record::{Batch, Header, Record};
use crate::report::{Problems, Tally, What};

/// Records that the journal is told of at once, before the first of them is sent.
const SLICE: usize = 512;

/// Why sending stops before the source's end.
pub(super) enum Stop {
    Told,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Stop {
    /// What that means for a record that was not sent.
    fn reason(&self) -> String {
        match self {
            Self::Told => "the run was interrupted before it was sent".into(),
            Self::Failed(error) => format!("the run ended before it was sent: {error}"),
        }
    }
}

/// Looks at the destination, says `ready`, and sends everything that `receiver` gives.
pub(super) fn run(job: &Job, receiver: Receiver, ready: oneshot::Sender<()>) -> Outcome {
    let former = match job.journal {
        Some(_) => Former::Replace,
        None => Former::Keep,
    };
    let rejects = Rejects::open(job.rejects.as_deref(), former);
    let connection = match rejects.and_then(|rejects| Connection::open(job, rejects)) {
        Ok(connection) => connection,
        Err(error) => return Outcome::failed(error, String::new()),
    };
    let mut router = Router::new(&connection, &job.destination, &job.control);
    let looked_at = connection
        .check_reachable(&job.control)
        .and_then(|()| router.check_named_topic())
        .and_then(|()| open_journal(job, &connection));
    let keeper = match looked_at {
        Ok(keeper) => keeper,
        Err(error) => return Outcome::failed(error, connection.brokers.clone()),
    };
    // Nobody waits for it only when the run is ending.
    _ = ready.send(());
    let mut replay = Replay::new(job, &connection, router, keeper);
    let mut ordered = Ordered::new(&receiver, job.order);
    let mut stop = replay.send_all(&receiver, &mut ordered).err();
    let (source_end, queued) = receiver.close();
    if let (Some(Ok(())), None, Some(keeper)) = (&source_end, &stop, &replay.keeper) {
        stop = keeper.saw_end().err().map(Stop::Failed);
    }
    let why = match (&stop, &source_end) {
        (Some(stop), _) => stop.reason(),
        (None, Some(Err(error))) => format!("the source failed before it was sent: {error}"),
        (None, _) => Stop::Told.reason(),
    };
    for Parcel {
        contents, tally, ..
    } in ordered.into_rest(queued)
    {
        replay.tally.merge(tally);
        replay.leave_unsent(&contents, 0, &why);
    }
    job.counters.complete.store(true, Ordering::Relaxed);
    replay.finish(source_end, stop)
}

/// Reads the journal, once the cluster is known.
fn open_journal(job: &Job, connection: &Connection) -> Result<Option<Keeper>, Error> {
    let Some((path, identity)) = &job.journal else {
        return Ok(None);
    };
    let id = connection.known().and_then(|known| known.cluster_id());
    let cluster = id.unwrap_or(&connection.brokers).to_string();
    let identity = identity.clone().of_cluster(cluster);
    let keeper = Keeper::open(path, identity, connection.deliveries())?;
    if let Some(note) = keeper.note() {
        job.console.note(&note);
    }
    Ok(Some(keeper))
}

pub(super) struct Replay<'a> {
    pub(super) job: &'a Job,
    pub(super) connection: &'a Connection,
    pub(super) deliveries: &'a Deliveries,
    pub(super) router: Router<'a>,
    pub(super) keeper: Option<Keeper>,
    pub(super) tally: Tally,
    /// Of records that were found readable and could not be placed.
    pub(super) problems: Problems,
    pub(super) unreadable: u64,
    pub(super) unsent: u64,
    /// Records that earlier runs have delivered.
    pub(super) skipped: u64,
    /// Records that librdkafka has taken.
    pub(super) handed: u64,
    /// Whether the window was full after the last record.
    full: bool,
}

impl<'a> Replay<'a> {
    fn new(
        job: &'a Job,
        connection: &'a Connection,
        router: Router<'a>,
        keeper: Option<Keeper>,
    ) -> Self {
        Self {
            job,
            connection,
            deliveries: connection.deliveries(),
            router,
            keeper,
            tally: Tally::default(),
            problems: Problems::default(),
            unreadable: 0,
            unsent: 0,
            skipped: 0,
            handed: 0,
            full: false,
        }
    }

    fn send_all(&mut self, receiver: &Receiver, ordered: &mut Ordered<'_>) -> Result<(), Stop> {
        receiver.survey(|batch| self.router.survey(batch));
        self.router.check_surveyed_topics()?;
        loop {
            let (keeper, router) = (&mut self.keeper, &mut self.router);
            let note = |batch: &Batch| {
                router.check_source(batch)?;
                keeper.as_mut().map_or(Ok(()), |keeper| keeper.saw(batch))
            };
            match ordered.next(STEP, note)? {
                Next::Parcel(parcel) => self.send_parcel(parcel)?,
                Next::Nothing => self.write_progress()?,
                Next::End => return Ok(()),
            }
        }
    }

    /// Sends a parcel; what is not sent of it is counted.
    fn send_parcel(&mut self, parcel: Parcel) -> Result<(), Stop> {
        let counters = &self.job.counters;
        let Parcel {
            contents,
            tally,
            problems,
        } = parcel;
        counters.bytes.fetch_add(tally.bytes, Ordering::Relaxed);
        counters.found.fetch_add(tally.found, Ordering::Relaxed);
        self.tally.merge(tally);
        self.problems.merge(problems);
        let records = contents.batch.records.len();
        let kept = self.deliveries.account().in_flight.hold(contents);
        let before = self.handed;
        let sent = self.send_records(&kept);
        let handed = usize::try_from(self.handed - before).unwrap_or(records);
        let mut account = self.deliveries.account();
        account.in_flight.give_up(&kept, records - handed);
        drop(account);
        sent.map_err(|(index, stop)| {
            self.leave_unsent(kept.contents(), index, &stop.reason());
            stop
        })
    }

    /// Sends the records of a parcel; an error tells the first that was not sent.
    fn send_records(&mut self, kept: &Kept) -> Result<(), (usize, Stop)> {
        let Contents { batch, positions } = kept.contents();
        let records = batch.records.len();
        let mut routes = vec![None; batch.topics.len()];
        for index in 0..records {
            if index.is_multiple_of(SLICE)
                && let Some(keeper) = &mut self.keeper
            {
                let next = SLICE.min(records - index) as u64;
                let reserved = keeper.reserve(next, self.handed, self.deliveries);
                reserved.map_err(|error| (index, error.into()))?;
            }
            if self.is_delivered(positions.of(index)) {
                self.skipped += 1;
                continue;
            }
            self.send(kept, index, &mut routes)
                .map_err(|stop| (index, stop))?;
        }
        Ok(())
    }

    fn is_delivered(&self, position: u64) -> bool {
        let keeper = self.keeper.as_ref();
        keeper.is_some_and(|keeper| keeper.has_delivered(position))
    }

    /// Counts the records from `first` on, which will not be sent.
    fn leave_unsent(&mut self, contents: &Contents, first: usize, why: &str) {
        let Contents { batch, positions } = contents;
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
        kept: &Kept,
        index: usize,
        routes: &mut [Option<Route>],
    ) -> Result<(), Stop> {
        self.wait_for_room()?;
        let batch = kept.batch();
        let record = &batch.records[index];
        let Some(target) = self.target(batch, record, routes)? else {
            return Ok(());
        };
        let key = record.key.map(|key| batch.slice(key));
        let place = || self.job.counters.place(record.origin);
        let (partition, placed) = self
            .router
            .partition(target, record.partition, key, place)?;
        let captured = batch.headers(record).iter();
        let captured = captured
            .map(|Header { name, value }| (batch.slice(*name), value.map(|v| batch.slice(v))));
        let added = self.job.destination.headers.iter();
        let added = added.map(|(name, value)| (name.as_bytes(), Some(value.as_bytes())));
        let outgoing = Outgoing {
            partition,
            parcel: kept,
            index,
            timestamp_ms: self.timestamp_ms(record),
            headers: captured.chain(added),
        };
        self.full = self.deliveries.enter(batch, record);
        let target = &self.router.targets[target];
        let wait = || {
            thread::sleep(Duration::from_millis(1));
            !self.job.control.is_stopping()
        };
        let Err(code) = native::produce(&target.handle, outgoing, wait) else {
            self.handed += 1;
            self.router.count(placed);
            return Ok(());
        };
        self.deliveries.leave(batch, record);
        match code {
            RDKafkaErrorCode::QueueFull => Err(Stop::Told),
            RDKafkaErrorCode::Fatal => Err(Stop::Failed(self.fatal())),
            code => {
                let ticket = kept.ticket(index);
                self.deliveries.refused(ticket, &target.name, code);
                Ok(())
            }
        }
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
            self.full = !self.deliveries.room.wait(STEP);
            self.write_progress()?;
        }
    }

    fn fatal(&self) -> Error {
        Error::ProducerFatal {
            reason: self.connection.fatal_reason(),
        }
    }

    fn write_progress(&mut self) -> Result<(), Error> {
        let (handed, deliveries) = (self.handed, self.deliveries);
        let keeper = self.keeper.as_mut();
        keeper.map_or(Ok(()), |keeper| keeper.update(handed, deliveries))
    }

    /// Waits for all deliveries and adds everything up.
    fn finish(mut self, source_end: Option<Result<(), Error>>, stop: Option<Stop>) -> Outcome {
        let draining = Draining {
            connection: self.connection,
            deliveries: self.deliveries,
            control: &self.job.control,
            handed: self.handed,
        };
        let mut failure = None;
        let drain = draining.run(|| failure = failure.take().or(self.write_progress().err()));
        let failure = failure.or(self.write_progress().err());
        for unused in self.router.unused_renamings() {
            let note =
                format!("`--map {unused}=...` was not used: no topic `{unused}` was captured");
            self.job.console.note(&note);
        }
        let failures = stop
            .and_then(|stop| match stop {
                Stop::Failed(error) => Some(error),
                Stop::Told => None,
            })
            .into_iter()
            .chain(failure);
        Outcome::of(self, source_end, drain, failures.collect())
    }
}
