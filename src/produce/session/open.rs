//! A session: the connection and everything that outlives a pass over the source. It is opened once, with the
//! check of the destination and the journal; `pass/` has what happens to each record, `outcome.rs` the end.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::recovery::absence::Absences;
use super::wait::{SendStop, WaitFor, Waiter};
use super::watches::groups;
use crate::cluster::native::{InFlightBatch, InFlightRecord};
use crate::error::Error;
use crate::host::patience;
use crate::produce::connection::client::Connection;
use crate::produce::delivery::journal::{JournalWriter, NewOutcomes};
use crate::produce::delivery::rejects::{Former, Rejects};
use crate::produce::delivery::{Deliveries, Ending};
use crate::produce::job::Job;
use crate::produce::routing::route::Router;
use crate::produce::schedule::{Forecast, SendingEnd, Shifts, Turns};
use crate::record::in_flight::NumberedBatch;
use crate::record::select::FirstRecord;
use crate::report::{Problems, Tally};
use crate::verify::group::observer::GroupObserver;

/// What was counted of the records that were read, apart from their deliveries.
#[derive(Debug, Default)]
pub(in crate::produce) struct PassTally {
    /// What extraction counted.
    pub(in crate::produce) tally: Tally,
    /// Problems of readable records that could not be placed.
    pub(in crate::produce) problems: Problems,
    pub(in crate::produce) unreadable: u64,
    pub(in crate::produce) unsent: u64,
    /// Records that earlier runs have delivered.
    pub(in crate::produce) skipped: u64,
    /// Records that were read when the time for sending had passed: they do not count.
    pub(in crate::produce) read_ahead: u64,
    /// See [`Ordered::better_order`](crate::produce::order::Ordered::better_order).
    pub(in crate::produce) better_order: Vec<u32>,
}

impl PassTally {
    /// Adds what a later pass has counted.
    pub(super) fn merge(&mut self, later: Self) {
        self.tally.merge(later.tally);
        self.problems.merge(later.problems);
        self.unreadable += later.unreadable;
        self.unsent += later.unsent;
        self.skipped += later.skipped;
        self.read_ahead += later.read_ahead;
        if self.better_order.is_empty() {
            self.better_order = later.better_order;
        }
    }
}

/// Whether the destination was checked by what is known about the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstLook {
    Pending,
    Done,
}

pub(in crate::produce) struct Session<'a> {
    pub(in crate::produce) job: &'a Job,
    pub(in crate::produce) connection: &'a Connection,
    pub(in crate::produce) deliveries: &'a Deliveries,
    pub(in crate::produce) router: Router<'a>,
    pub(in crate::produce) waiter: Waiter<'a>,
    /// When records go; `None` if they go as fast as the cluster takes them.
    pub(super) turns: Option<Turns>,
    /// How timestamps are shifted, if they are.
    pub(super) shifts: Option<Shifts>,
    /// Watches the awaited consumer groups; `None` if there are none.
    pub(super) observer: Option<GroupObserver>,
    pub(super) first_look: FirstLook,
    /// The first record of all machines, if other machines send a share as well.
    first_of_all: Option<FirstRecord>,
    /// Targets of the router whose ids the journal has.
    pub(in crate::produce) identified: usize,
    /// The counts of all passes that are over.
    pub(in crate::produce) totals: PassTally,
    /// How often the source was read and sent to its end.
    pub(super) passes: u64,
    /// When the time for sending is over.
    ends_at: SendingEnd,
    /// Records of all passes that are over: where the next one begins to number its own.
    pub(super) position: u64,
    /// Batches that were sent from, as far as they still exist.
    batches: Vec<Weak<InFlightBatch>>,
    /// Topics and partitions that the cluster's metadata lacks by now.
    pub(in crate::produce) absences: Absences,
    /// Whether the user knows that records time out.
    pub(in crate::produce) reported_time_outs: bool,
}

/// The connection for `job`, and the rejects file that deliveries are noted in.
///
/// # Errors
/// Fails as [`Rejects::open`] and [`Connection::open`] do.
pub(super) fn connect(job: &Job) -> Result<Connection, Error> {
    let former = match &job.journal {
        Some((path, _)) if holds_something(path) => Former::Replace,
        Some((path, _)) => Former::KeepBeside(path),
        None => Former::Keep,
    };
    let rejects = Rejects::open(job.rejects.as_deref(), former, &job.control)?;
    Connection::open(job, rejects)
}

impl<'a> Session<'a> {
    /// Checks the destination and opens the journal: after that the source may be touched.
    ///
    /// # Errors
    /// Returns what is wrong with the destination or the journal.
    pub(super) fn open(job: &'a Job, connection: &'a Connection) -> Result<Self, Error> {
        let mut router = Router::new(connection, &job.destination, &job.control);
        connection.check_reachable(&job.control)?;
        router.check_named_topic()?;
        let observer = groups::observe(job, connection)?;
        let journal = open_journal(job, connection)?;
        let mut account = connection.deliveries().account();
        account.rejects.begin();
        account.counts.partition = job.destination.partition;
        drop(account);
        Ok(Self {
            job,
            connection,
            deliveries: connection.deliveries(),
            router,
            waiter: Waiter::new(job, connection, journal),
            turns: Turns::new(&job.timing),
            shifts: Shifts::of(job.destination.timestamps, job.timing.speed),
            observer,
            first_look: FirstLook::Pending,
            first_of_all: None,
            identified: 0,
            totals: PassTally::default(),
            passes: 0,
            ends_at: SendingEnd::default(),
            position: 0,
            batches: Vec::new(),
            absences: Absences::default(),
            reported_time_outs: false,
        })
    }

    /// Uses the times of the whole capture, whose first record is `first` and of which this machine has a
    /// share; the first such record that was reported counts. A run that continues after an earlier one
    /// begins with what that has left.
    pub(super) fn share(&mut self, first: FirstRecord) {
        let journal = self.waiter.journal.as_ref();
        if self.first_of_all.is_some() || journal.is_some_and(JournalWriter::goes_on) {
            return;
        }
        self.first_of_all = Some(first);
        if let Some(turns) = &mut self.turns {
            turns.share(first);
        }
        if let Some(shifts) = &mut self.shifts {
            shifts.share(first);
        }
    }

    /// Starts the time for sending.
    pub(super) fn start_clock(&mut self) {
        let now = Instant::now();
        self.ends_at = SendingEnd::of(now, self.job.repetition.sends_for);
        self.note_forecast(Forecast::beginning(now));
    }

    /// Notes how far the schedule is, for the progress.
    pub(super) fn note_forecast(&self, forecast: Forecast) {
        let counters = &self.job.counters;
        counters.forecast(forecast.ending_by(self.ends_at));
    }

    /// Ends the sending if the run has to stop, or its time is over.
    pub(super) fn check_not_over(&self) -> Result<(), SendStop> {
        if self.job.control.is_stopping() {
            return Err(SendStop::Interrupted);
        }
        match self.ends_at.is_over(Instant::now()) {
            true => Err(SendStop::TimeOver),
            false => Ok(()),
        }
    }

    /// Waits for `what`, a few milliseconds at most, and sends again what brokers refused or what has waited
    /// too long. The caller checks whether `what` has come.
    ///
    /// # Errors
    /// Returns [`SendStop`] if the run ends.
    pub(super) fn wait(&mut self, what: WaitFor<'_, '_>) -> Result<(), SendStop> {
        self.waiter.wait(what);
        self.check_alive()?;
        self.isolate()
    }

    /// Notes a batch of which records are about to be sent.
    pub(super) fn in_flight(&mut self, numbered: NumberedBatch) -> Arc<InFlightBatch> {
        let batch = match self.turns {
            Some(_) => InFlightBatch::timed(numbered),
            None => InFlightBatch::new(numbered),
        };
        self.remember(&batch);
        batch
    }

    /// Keeps a weak handle on a batch of which records are about to be sent.
    fn remember(&mut self, batch: &Arc<InFlightBatch>) {
        // Cleaned up once for each doubling: what is gone is a small part of the work.
        if self.batches.len() == self.batches.capacity() {
            self.batches.retain(|batch| batch.strong_count() > 0);
            self.batches.reserve(self.batches.len() + 64);
        }
        self.batches.push(Arc::downgrade(batch));
    }

    /// The records that were sent and whose outcomes are unknown.
    pub(in crate::produce) fn open_records(&self) -> impl Iterator<Item = InFlightRecord> {
        let batches = self.batches.iter().filter_map(Weak::upgrade);
        batches.flat_map(|batch| batch.open().collect::<Vec<_>>())
    }

    /// The error that says why no more answers will come.
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
                reason: self.deliveries.client_errors().why_silent(),
            },
            Ending::PollingPanicked => Error::Defect {
                what: "the thread that takes the brokers' answers ended in a panic".into(),
            },
        }
    }

    /// Ends the sending if the journal cannot be written, or no more answers will come.
    pub(in crate::produce) fn check_alive(&mut self) -> Result<(), SendStop> {
        self.waiter.watch();
        let failure = self.waiter.failure.take();
        let ended = failure.or_else(|| self.deliveries.ending().map(|why| self.ended(why)));
        let ended = ended.or_else(|| self.connection.fatal_error());
        let ended = ended.or_else(|| self.forbidden());
        ended.map_or(Ok(()), |error| Err(SendStop::Failed(error)))
    }

    /// The error for a topic that the user may not write to: a broker has refused records for that reason,
    /// and will refuse all others as well.
    pub(in crate::produce) fn forbidden(&self) -> Option<Error> {
        let topic = self.deliveries.forbidden()?;
        Some(self.connection.writing_refused(vec![topic]))
    }
}

/// Whether there is a journal; opening it shows whose it is.
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
    let (path, identity) = (path.clone(), identity.clone().of_cluster(cluster));
    let control = job.control.clone();
    // A disk that hangs must not keep the run from being interrupted.
    let open = move || JournalWriter::open(&path, identity, &control);
    let opened = patience::unless_stopping(&job.control, open);
    let mut journal = opened.unwrap_or_else(|| Err(not_opened(job)))?;
    let topics = connection.topic_ids(&journal.topics());
    journal.meet(topics)?;
    let rejects = {
        let account = connection.deliveries().account();
        journal.keep_rejects(job.rejects.as_deref(), &account.rejects)?
    };
    for note in journal.note().into_iter().chain(rejects) {
        job.console.note(&note);
    }
    connection.deliveries().account().answers = Some(NewOutcomes::default());
    Ok(Some(journal))
}

/// Why the opening of the journal did not complete.
fn not_opened(job: &Job) -> Error {
    match job.control.is_stopping() {
        true => Error::CannotWrite {
            what: "the journal",
            reason: "the run was interrupted while the file was being opened".into(),
        },
        false => Error::Defect {
            what: "the thread that opens the journal ended in a panic".into(),
        },
    }
}
