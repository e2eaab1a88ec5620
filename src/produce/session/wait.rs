//! The one wait of the sending thread: for input, for room in flight, for the cluster, for a due time.
//! Whatever it waits for, it wakes every few milliseconds, updates the journal, and checks whether the
//! cluster is silent or a record overdue. It measures what it waited for, so that the report can say what
//! limited a replay.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::watches::stall::{Stall, StallVerdict};
use crate::error::Error;
use crate::host::clock;
use crate::produce::connection::client::Connection;
use crate::produce::delivery::journal::JournalWriter;
use crate::produce::delivery::{Deliveries, Ending};
use crate::produce::job::Job;
use crate::produce::order::Ordered;
use crate::report::WaitTimes;

/// The longest wait without a check of everything else.
const STEP: Duration = Duration::from_millis(10);
/// How long to wait for room that nothing announces.
const MOMENT: Duration = Duration::from_millis(1);

/// Why sending stops before the source's end.
pub(in crate::produce) enum SendStop {
    Interrupted,
    /// The time for sending is over, as the user asked.
    TimeOver,
    Failed(Error),
}

impl From<Error> for SendStop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl SendStop {
    /// What this means for a record that was not sent.
    pub(in crate::produce) fn reason(&self) -> String {
        match self {
            Self::Interrupted => "the run was interrupted before it was sent".into(),
            Self::TimeOver => "the time for sending had passed".into(),
            Self::Failed(error) => format!("the run ended before it was sent: {error}"),
        }
    }
}

/// What the sending thread waits for.
pub(in crate::produce) enum WaitFor<'w, 'r> {
    /// The next records of the source.
    Input(&'w mut Ordered<'r>),
    /// The window of what may be in flight, until it has room again.
    Budget,
    /// Memory that batches in flight keep.
    Memory,
    /// Room in librdkafka's queue.
    Queue,
    /// The brokers' answers; meanwhile, what librdkafka holds is sent without lingering.
    Answers,
    /// The time at which the next record goes.
    Due(Instant),
}

/// Waits, and serves everything that does not send: the journal, the watch over a silent cluster and over
/// records that wait too long.
pub(in crate::produce) struct Waiter<'a> {
    job: &'a Job,
    connection: &'a Connection,
    deliveries: &'a Deliveries,
    pub(super) journal: Option<JournalWriter>,
    /// Why the journal could not be written, until the caller takes the error.
    pub(super) failure: Option<Error>,
    /// Records that librdkafka has accepted.
    pub(super) handed: u64,
    /// Whether the window was full after the last record.
    pub(super) is_full: bool,
    /// Whether a record has waited for too long.
    pub(super) is_overdue: bool,
    /// The span of time in which records are handed over now, and how many were in it.
    pub(super) span: u32,
    pub(super) in_span: u64,
    /// How long the cluster has been silent.
    stall: Stall,
    /// Whether a note about the silence was printed.
    is_silent: bool,
    /// Whether such a note was printed after kreplay last looked for what is missing.
    pub(super) is_unexplained: bool,
    pub(super) times: WaitTimes,
}

impl<'a> Waiter<'a> {
    pub(super) fn new(
        job: &'a Job,
        connection: &'a Connection,
        journal: Option<JournalWriter>,
    ) -> Self {
        Self {
            job,
            connection,
            deliveries: connection.deliveries(),
            journal,
            failure: None,
            handed: 0,
            is_full: false,
            is_overdue: false,
            span: 0,
            in_span: 0,
            stall: Stall::new(Instant::now(), job.give_up_after),
            is_silent: false,
            is_unexplained: false,
            times: WaitTimes::default(),
        }
    }

    /// Waits for `what`, a few milliseconds at most. The caller checks whether it has come.
    pub(in crate::produce) fn wait(&mut self, what: WaitFor<'_, '_>) {
        if let WaitFor::Due(_) = what {
            // Before the wait and not after it, because that would make the record late.
            self.update_journal();
            self.watch();
        }
        let began = Instant::now();
        let times = &mut self.times;
        let time = match what {
            WaitFor::Input(ordered) => {
                ordered.wait(STEP);
                &mut times.input
            }
            WaitFor::Budget => {
                self.is_full = !self.deliveries.budget.wait(STEP);
                &mut times.in_flight
            }
            WaitFor::Memory | WaitFor::Queue => {
                thread::sleep(MOMENT);
                &mut times.cluster
            }
            WaitFor::Answers => {
                self.connection.flush(STEP);
                &mut times.cluster
            }
            WaitFor::Due(due) => {
                clock::sleep_until(due.min(began + STEP));
                times.due += began.elapsed();
                return;
            }
        };
        *time += began.elapsed();
        self.update_journal();
        self.watch();
    }

    /// Waits for room in librdkafka's queue; `false` if the run has to end first.
    pub(super) fn has_room(&mut self) -> bool {
        self.wait(WaitFor::Queue);
        let is_stopping = self.job.control.is_stopping();
        !is_stopping && self.failure.is_none() && self.deliveries.ending().is_none()
    }

    /// Writes down what became of records.
    pub(super) fn update_journal(&mut self) {
        if let Some(journal) = &mut self.journal
            && let Err(error) = journal.update(self.deliveries)
        {
            self.failure.get_or_insert(error);
        }
    }

    /// Checks whether a record has waited, or the cluster been silent, for too long, and reports the
    /// silence.
    pub(super) fn watch(&mut self) {
        let now = Instant::now();
        let (heard, answered) = {
            let mut account = self.deliveries.account();
            if let Some(next) = account.ages.look(now, self.in_span) {
                self.span = next;
                self.in_span = 0;
            }
            self.is_overdue = account.ages.is_any_overdue();
            let failed = account.counts.not_written + account.counts.unknown;
            self.job.counters.failed.store(failed, Ordering::Relaxed);
            (account.heard, account.counts.answered())
        };
        let verdict = self.stall.look(now, heard, answered < self.handed);
        if self.is_silent && self.stall.quiet().is_none() {
            self.is_silent = false;
            self.job.counters.report_silence(None);
        }
        match verdict {
            StallVerdict::Fine => {}
            StallVerdict::Say(quiet) => {
                let why = self.deliveries.client_errors().why_silent();
                self.is_silent = true;
                self.is_unexplained = true;
                let since = now.checked_sub(quiet).unwrap_or(now);
                self.job.counters.report_silence(Some((since, why.clone())));
                let quiet = humantime::format_duration(quiet);
                let note = format!("no record was acknowledged for {quiet}: {why}");
                self.job.console.note(&note);
            }
            StallVerdict::GiveUp => self.deliveries.end(Ending::GivenUp),
        }
    }
}
