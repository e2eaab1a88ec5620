//! A replay from the look at the destination to the last delivery; `send.rs` has what happens to each
//! record.

use std::cell::{Cell, RefCell};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Instant;

use tokio::sync::oneshot;

use super::drain::{Draining, STEP};
use super::outcome::Outcome;
use super::pause::PauseWatch;
use super::stall::{Stall, Verdict};
use crate::cluster::native::{InFlightBatch, InFlightRecord};
use crate::config::Timestamps;
use crate::error::Error;
use crate::produce::Job;
use crate::produce::connection::client::Connection;
use crate::produce::delivery::rejects::{Former, Rejects};
use crate::produce::delivery::{Deliveries, Ending};
use crate::produce::journal::{Answers, Identity, JournalWriter};
use crate::produce::order::{Next, Ordered, OrderedBatch};
use crate::produce::routing::originals::Originals;
use crate::produce::routing::route::Router;
use crate::record::channel::{Extent, Receiver, SourceBatch};
use crate::record::{Batch, Origin};
use crate::report::{Problems, Tally, What};

/// Why sending stops before the source's end.
pub(in crate::produce) enum Stop {
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
    pub(in crate::produce) fn reason(&self) -> String {
        match self {
            Self::Told => "the run was interrupted before it was sent".into(),
            Self::Failed(error) => format!("the run ended before it was sent: {error}"),
        }
    }
}

/// What `sending` gives, or the defect that a panic in it is: what was delivered until then is known, and
/// the rest can be drained and named.
pub(in crate::produce) fn contain(sending: impl FnOnce() -> Result<(), Stop>) -> Result<(), Stop> {
    // Counts are changed by single statements, so none of them is half done after a panic.
    catch_unwind(AssertUnwindSafe(sending)).unwrap_or_else(|_| {
        let what = "the sending thread met a panic".into();
        Err(Error::Defect { what }.into())
    })
}

/// Looks at the destination, says `ready`, and sends everything that `receiver` gives.
pub(in crate::produce) fn run(
    job: &Job,
    receiver: Receiver,
    ready: oneshot::Sender<()>,
) -> Outcome {
    let former = match &job.journal {
        Some((path, _)) if holds_something(path) => Former::Replace,
        Some((path, _)) => Former::KeepBeside(path),
        None => Former::Keep,
    };
    let rejects = Rejects::open(job.rejects.as_deref(), former, &job.control);
    let connection = match rejects.and_then(|rejects| Connection::open(job, rejects)) {
        Ok(connection) => connection,
        Err(error) => {
            let brokers = job.destination.cluster.bootstrap_servers();
            return Outcome::failed(error, brokers.to_string());
        }
    };
    let _watch = PauseWatch::start(job.console.clone(), &job.destination);
    let mut router = Router::new(&connection, &job.destination, &job.control);
    let looked_at = connection
        .check_reachable(&job.control)
        .and_then(|()| router.check_named_topic())
        .and_then(|()| open_journal(job, &connection));
    let journal = match looked_at {
        Ok(journal) => journal,
        Err(error) => return Outcome::failed(error, connection.brokers.clone()),
    };
    let mut account = connection.deliveries().account();
    account.rejects.begin();
    account.counts.partition = job.destination.partition;
    drop(account);
    // Nobody waits for it only when the run is ending.
    _ = ready.send(());
    let mut replay = Replay::new(job, &connection, router, journal);
    let mut ordered = Ordered::new(&receiver, job.order);
    let mut stop = contain(|| replay.send_all(&receiver, &mut ordered)).err();
    replay.better_order = ordered.better_order();
    let (source_end, queued) = receiver.close();
    if let (Some(Ok(())), None, Some(journal)) = (&source_end, &stop, &mut replay.journal) {
        stop = journal.saw_end().err().map(Stop::Failed);
    }
    let why = match (&stop, &source_end) {
        (Some(stop), _) => stop.reason(),
        (None, Some(Err(error))) => format!("the source failed before it was sent: {error}"),
        (None, _) => Stop::Told.reason(),
    };
    for OrderedBatch {
        numbered, tally, ..
    } in ordered.into_rest(queued)
    {
        replay.tally.merge(tally);
        replay.leave_unsent(&numbered, 0, &why);
    }
    job.counters.complete.store(true, Ordering::Relaxed);
    replay.finish(source_end, stop)
}

/// Whether there is a journal; whose it is will be found when it is opened.
fn holds_something(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0)
}

/// Reads the journal, once the cluster is known; deliveries are noted from now on.
fn open_journal(job: &Job, connection: &Connection) -> Result<Option<JournalWriter>, Error> {
    let Some((path, identity)) = &job.journal else {
        return Ok(None);
    };
    let id = connection.known().and_then(|known| known.cluster_id());
    let cluster = id.unwrap_or(&connection.brokers).to_string();
    let identity = identity.clone().of_cluster(cluster);
    let mut journal = open_interruptibly(job, path.clone(), identity)?;
    let topics = connection.topic_ids(&journal.topics());
    journal.meet(topics)?;
    let rejects = {
        let account = connection.deliveries().account();
        journal.keep_rejects(job.rejects.as_deref(), &account.rejects)?
    };
    for note in journal.note().into_iter().chain(rejects) {
        job.console.note(&note);
    }
    connection.deliveries().account().answers = Some(Answers::default());
    Ok(Some(journal))
}

/// Opens the journal on a thread of its own: a disk that hangs must not keep the run from being
/// interrupted.
fn open_interruptibly(
    job: &Job,
    path: PathBuf,
    identity: Identity,
) -> Result<JournalWriter, Error> {
    let (tell, opened) = mpsc::channel();
    let control = job.control.clone();
    thread::spawn(move || {
        // Nobody listens any more when the run was interrupted meanwhile.
        tell.send(JournalWriter::open(&path, identity, &control))
            .ok();
    });
    loop {
        match opened.recv_timeout(STEP) {
            Ok(opened) => return opened,
            Err(RecvTimeoutError::Timeout) if job.control.is_stopping() => {
                return Err(Error::CannotWrite {
                    what: "the journal",
                    reason: "the run was interrupted while the file was being opened".into(),
                });
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let what = "the thread that opens the journal ended in a panic".into();
                return Err(Error::Defect { what });
            }
        }
    }
}

pub(in crate::produce) struct Replay<'a> {
    pub(in crate::produce) job: &'a Job,
    pub(in crate::produce) connection: &'a Connection,
    pub(in crate::produce) deliveries: &'a Deliveries,
    pub(in crate::produce) router: Router<'a>,
    pub(in crate::produce) journal: Option<JournalWriter>,
    /// Targets of the router of which the journal has the ids.
    pub(in crate::produce) identified: usize,
    pub(in crate::produce) tally: Tally,
    /// Of records that were found readable and could not be placed.
    pub(in crate::produce) problems: Problems,
    pub(in crate::produce) unreadable: u64,
    pub(in crate::produce) unsent: u64,
    /// As of [`Ordered::better_order`].
    pub(in crate::produce) better_order: Vec<u32>,
    /// Records that earlier runs have delivered.
    pub(in crate::produce) skipped: u64,
    /// Records that librdkafka has taken.
    pub(in crate::produce) handed: u64,
    /// Whether the window was full after the last record.
    pub(in crate::produce) full: bool,
    /// Which record of its batch is being sent.
    pub(in crate::produce) index: usize,
    /// What was sent from, as far as it is still there.
    batches: Vec<Weak<InFlightBatch>>,
    /// The span of time in which records are handed over now, and how many were in it.
    pub(in crate::produce) span: Cell<u32>,
    pub(in crate::produce) in_span: Cell<u64>,
    /// Whether a record has waited for too long.
    pub(in crate::produce) is_overdue: Cell<bool>,
    /// Whether the user knows that this happens.
    pub(in crate::produce) told_of_time_outs: bool,
    /// How long the cluster is silent.
    stall: RefCell<Stall>,
}

impl<'a> Replay<'a> {
    fn new(
        job: &'a Job,
        connection: &'a Connection,
        router: Router<'a>,
        journal: Option<JournalWriter>,
    ) -> Self {
        Self {
            job,
            connection,
            deliveries: connection.deliveries(),
            router,
            journal,
            identified: 0,
            tally: Tally::default(),
            problems: Problems::default(),
            unreadable: 0,
            unsent: 0,
            better_order: Vec::new(),
            skipped: 0,
            handed: 0,
            full: false,
            index: 0,
            batches: Vec::new(),
            span: Cell::new(0),
            in_span: Cell::new(0),
            is_overdue: Cell::new(false),
            told_of_time_outs: false,
            stall: RefCell::new(Stall::new(Instant::now(), job.give_up_after)),
        }
    }

    fn send_all(&mut self, receiver: &Receiver, ordered: &mut Ordered<'_>) -> Result<(), Stop> {
        let mut unmatched_id = None;
        let extent = receiver.survey(|portion| {
            self.router.survey(&portion.batch);
            let mut problems = portion.tally.problems.iter();
            let unmatched = problems.find(|problem| problem.what == What::TopicIdUnmatched);
            unmatched_id = unmatched_id.take().or(unmatched.map(|p| p.why.clone()));
        });
        // Extraction says so at the source's end: nothing is sent under a name that is misspelt.
        if let Some(message) = unmatched_id.filter(|_| extent == Extent::Whole) {
            let hint = What::TopicIdUnmatched.hint().map(str::to_owned);
            return Err(Error::Config { message, hint }.into());
        }
        let place = |origin| self.job.counters.place(origin);
        self.router.look(extent, place)?;
        // InitProducerId may be refused by now.
        self.check_alive()?;
        if self.job.destination.timestamps == Timestamps::Original {
            let mut originals = Originals::new();
            let look = |portion: &SourceBatch| {
                self.router.look_at_times(&portion.batch, &mut originals);
            };
            receiver.survey(look);
            originals.check()?;
        }
        loop {
            self.check_alive()?;
            // A journal is short as long as what is delivered has few gaps: with one, records are sent
            // as they come.
            if self.journal.is_none() {
                ordered.gather_for(self.router.partitions());
            }
            let (journal, router) = (&mut self.journal, &mut self.router);
            let deliveries = self.deliveries;
            let note = |batch: &Batch| {
                router.check_source(batch)?;
                let journal = journal.as_mut();
                let confirmed = journal.map_or(Ok(u64::MAX), |journal| journal.saw(batch))?;
                if confirmed == u64::MAX {
                    deliveries.account().rejects.replace_former();
                }
                Ok::<u64, Error>(confirmed)
            };
            match ordered.next(STEP, note)? {
                Next::Batch(batch) => self.send_batch(batch)?,
                Next::Nothing => {
                    self.isolate()?;
                    self.write_progress()?;
                }
                Next::End => return Ok(()),
            }
        }
    }

    /// Keeps a look at a batch of which records are about to be sent.
    pub(in crate::produce) fn remember(&mut self, batch: &Arc<InFlightBatch>) {
        // Looked through once for each doubling: what is gone is a small part of the work.
        if self.batches.len() == self.batches.capacity() {
            self.batches.retain(|batch| batch.strong_count() > 0);
            self.batches.reserve(self.batches.len() + 64);
        }
        self.batches.push(Arc::downgrade(batch));
    }

    /// The records that were sent and whose outcomes are not known.
    pub(in crate::produce) fn open_records(&self) -> impl Iterator<Item = InFlightRecord> {
        let batches = self.batches.iter().filter_map(Weak::upgrade);
        batches.flat_map(|batch| batch.open().collect::<Vec<_>>())
    }

    /// What it means that no more answers will come.
    pub(in crate::produce) fn ended(&self, why: Ending) -> Error {
        match why {
            Ending::Fatal => {
                let unknown = || Error::ProducerFatal {
                    reason: "librdkafka gives no reason".into(),
                };
                self.connection.fatal_error().unwrap_or_else(unknown)
            }
            Ending::GivenUp => Error::GaveUp {
                after: self.job.give_up_after,
                reason: self.why_silent(),
            },
            Ending::PollingPanicked => Error::Defect {
                what: "the thread that takes the brokers' answers ended in a panic".into(),
            },
        }
    }

    /// Ends the sending when no more answers will come.
    pub(in crate::produce) fn check_alive(&self) -> Result<(), Stop> {
        self.watch();
        let ended = self.deliveries.ending().map(|why| self.ended(why));
        let ended = ended.or_else(|| self.connection.fatal_error());
        let ended = ended.or_else(|| self.forbidden());
        ended.map_or(Ok(()), |error| Err(Stop::Failed(error)))
    }

    /// That a broker has refused records because the user may not write to their topic: it will refuse
    /// all others, too.
    pub(in crate::produce) fn forbidden(&self) -> Option<Error> {
        let topic = self.deliveries.forbidden()?;
        Some(self.connection.writing_refused(vec![topic]))
    }

    /// Looks whether a record waits, or the cluster is silent, for too long, and says the latter.
    pub(in crate::produce) fn watch(&self) {
        let now = Instant::now();
        let (heard, answered) = {
            let mut account = self.deliveries.account();
            if let Some(next) = account.ages.look(now, self.in_span.get()) {
                self.span.set(next);
                self.in_span.set(0);
            }
            self.is_overdue.set(account.ages.is_any_overdue());
            (account.heard, account.counts.answered())
        };
        let mut stall = self.stall.borrow_mut();
        match stall.look(now, heard, answered < self.handed) {
            Verdict::Fine => {}
            Verdict::Say(quiet) => {
                let quiet = humantime::format_duration(quiet);
                let why = self.why_silent();
                let note = format!("no record was acknowledged for {quiet}: {why}");
                self.job.console.note(&note);
            }
            Verdict::GiveUp => self.deliveries.end(Ending::GivenUp),
        }
    }

    fn why_silent(&self) -> String {
        let troubles = self.deliveries.troubles();
        let reason = troubles.authentication.or(troubles.latest);
        reason.map_or_else(|| "the brokers do not answer".into(), |reason| reason.text)
    }

    pub(in crate::produce) fn write_progress(&mut self) -> Result<(), Error> {
        let deliveries = self.deliveries;
        let journal = self.journal.as_mut();
        journal.map_or(Ok(()), |journal| journal.update(deliveries))
    }

    /// Waits for all deliveries and adds everything up.
    fn finish(mut self, source_end: Option<Result<(), Error>>, stop: Option<Stop>) -> Outcome {
        let targets = self.router.targets.iter();
        let topics = targets.map(|target| (target.name.clone(), target.partitions));
        let topics = topics.collect();
        let draining = Draining {
            topics,
            connection: self.connection,
            deliveries: self.deliveries,
            control: &self.job.control,
            handed: self.handed,
        };
        let mut failure = None;
        let drain = draining.run(|| {
            let isolated = match self.isolate() {
                Err(Stop::Failed(error)) if self.deliveries.ending().is_none() => Some(error),
                _ => None,
            };
            let written = self.write_progress().err();
            failure = failure.take().or(isolated).or(written);
            self.watch();
        });
        let failure = failure.or(self.write_progress().err());
        if self.deliveries.ending().is_none() && !self.job.control.is_stopping() {
            self.router.count_partitions_again();
        }
        // Only at the source's end is it known what did not come.
        if source_end == Some(Ok(()))
            && stop.is_none()
            && let Some(why) = self.router.renamings.unmatched()
        {
            self.job.console.note(&why);
            let whole = Origin { input: 0, line: 0 };
            for _ in 0..self.router.renamings.unmatched_count() {
                self.problems.add(What::MapUnmatched, whole, || why.clone());
            }
        }
        let stopped = stop.and_then(|stop| match stop {
            Stop::Failed(error) => Some(error),
            Stop::Told => None,
        });
        // It may have come when everything was handed over.
        let ended = || self.deliveries.ending().map(|why| self.ended(why));
        let stopped = stopped.or_else(ended).or_else(|| self.forbidden());
        let stopped = stopped.or_else(|| self.connection.fatal_error());
        let failure = failure.filter(|failure| stopped.as_ref() != Some(failure));
        let failures = stopped.into_iter().chain(failure);
        Outcome::of(self, source_end, drain, failures.collect())
    }
}
