//! The result of a replay: everything that was counted, added up for the report.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::drain::Drained;
use super::open::Session;
use super::pass::PassEnd;
use super::wait::SendStop;
use super::watches::groups;
use crate::error::Error;
use crate::produce::delivery::Account;
use crate::produce::delivery::counts::{DeliveryCounts, TopicCount};
use crate::produce::delivery::journal::JournalWriter;
use crate::produce::job::Counters;
use crate::produce::routing::route::Router;
use crate::report::{
    Drain, GroupReport, LagControl, Latency, Ledger, LedgerOf, Outcome, Pacing, Placement,
    Problems, RejectsReport, Resume, SlowedBy, Tally, TopicReport, WaitTimes,
};

/// The result of a replay.
#[derive(Debug, Default)]
pub(crate) struct ReplayOutcome {
    pub(crate) brokers: String,
    pub(crate) tally: Tally,
    pub(crate) ledger: Ledger,
    pub(crate) topics: Vec<TopicReport>,
    pub(crate) placement: Placement,
    pub(crate) rejects: Option<RejectsReport>,
    pub(crate) resume: Option<Resume>,
    pub(crate) drain: Option<Drain>,
    pub(crate) problems: Problems,
    /// The files in the order of their records, if they were read in another one.
    pub(crate) better_order: Vec<u32>,
    pub(crate) latency: Option<Latency>,
    /// `None` if records were not timed.
    pub(crate) pacing: Option<Pacing>,
    /// The results of the awaited consumer groups.
    pub(crate) groups: Vec<GroupReport>,
    /// What was measured of the service; `None` if no lag was held.
    pub(crate) lag_control: Option<LagControl>,
    /// How long the wait for the groups took.
    pub(crate) group_wait: Duration,
    /// What the sending thread has waited for.
    pub(crate) waits: WaitTimes,
    /// How often the source was read and sent to its end.
    pub(crate) passes: u64,
    /// How the source ended; `None` if it was not read to its end.
    pub(crate) source_end: Option<Result<(), Error>>,
    /// What ended the sending early, the most severe first.
    pub(crate) failures: Vec<Error>,
}

impl ReplayOutcome {
    /// The result of a run that ended before anything was read.
    pub(in crate::produce) fn failed(error: Error, brokers: String) -> Self {
        Self {
            failures: vec![error],
            brokers,
            ..Self::default()
        }
    }

    /// The result of a run whose sending thread panicked: only the counts for the progress are known.
    pub(crate) fn panicked(counters: &Counters, brokers: String) -> Self {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let what = "the sending thread ended in a panic".into();
        let mut outcome = Self::failed(Error::Defect { what }, brokers);
        outcome.tally.found = count(&counters.found);
        outcome.tally.bytes = count(&counters.bytes);
        outcome.ledger.found = outcome.tally.found;
        outcome.ledger[Outcome::Delivered] = count(&counters.delivered);
        outcome
    }

    fn of(
        session: Session<'_>,
        source_end: Option<Result<(), Error>>,
        drain: Option<Drain>,
        waits: WaitTimes,
        mut failures: Vec<Error>,
    ) -> Self {
        let mut account = session.deliveries.account();
        close(&mut account, &session);
        failures.extend(account.rejects.failure());
        let counts = &account.counts;
        let pacing = pacing(&session, waits, counts);
        let turns = session.turns.as_ref();
        let lag_control = turns.and_then(|turns| turns.lag_control(waits));
        let totals = session.totals;
        let mut problems = totals.tally.problems.clone();
        problems.merge(totals.problems);
        problems.merge(counts.problems.clone());
        let topics = topics(&session.router, counts);
        let tally = &totals.tally;
        let handed = session.waiter.handed;
        let left_out = totals.skipped + totals.read_ahead;
        let found = subtract(tally.found, left_out, "skipped", "found");
        let unanswered = subtract(handed, counts.answered(), "answered", "handed over");
        let (found, unanswered) = match (found, unanswered) {
            (Ok(found), Ok(unanswered)) => (found, unanswered),
            (found, unanswered) => {
                failures.extend(found.clone().err());
                failures.extend(unanswered.clone().err());
                (found.unwrap_or_default(), unanswered.unwrap_or_default())
            }
        };
        let mut ledger = Ledger::new(LedgerOf::Replay, tally);
        // Deliveries of earlier runs do not belong to this run, nor do records read for later.
        ledger.found = found;
        ledger[Outcome::Unreadable] += totals.unreadable;
        ledger[Outcome::Delivered] = counts.delivered;
        ledger[Outcome::NotWritten] = counts.not_written;
        // A record that never got an answer may be in the log.
        ledger[Outcome::Unknown] = counts.unknown + unanswered;
        ledger[Outcome::Unsent] = totals.unsent;
        let journal = session.waiter.journal;
        Self {
            brokers: session.connection.brokers.clone(),
            ledger,
            topics,
            placement: counts.placement,
            rejects: session.job.rejects.as_ref().map(|file| RejectsReport {
                file: file.display().to_string(),
                records: account.rejects.written(),
            }),
            resume: journal.map(|journal| journal.resume(totals.skipped)),
            drain,
            problems,
            better_order: totals.better_order,
            latency: counts.latency(),
            pacing,
            groups: Vec::new(),
            lag_control,
            group_wait: Duration::ZERO,
            waits,
            passes: session.passes,
            source_end,
            failures,
            tally: totals.tally,
        }
    }
}

/// How the schedule was kept, if there is one.
fn pacing(session: &Session<'_>, waits: WaitTimes, counts: &DeliveryCounts) -> Option<Pacing> {
    let in_flight = match session.deliveries.budget.is_widest() {
        true => SlowedBy::InFlight,
        false => SlowedBy::Cluster,
    };
    let turns = session.turns.as_ref()?;
    Some(turns.pacing(waits, in_flight, counts.lateness(), counts.response()))
}

impl Session<'_> {
    /// Waits for all deliveries and adds everything up. `end` is that of the last pass.
    pub(super) fn close(mut self, end: PassEnd) -> ReplayOutcome {
        let PassEnd { source_end, stop } = end;
        // Waits from here on limit nothing.
        let waits = self.waiter.times;
        let Drained { drain, failure } = self.drain();
        let observer = self.observer.take();
        let groups = observer.map(|observer| groups::wait(&observer, self.job, self.deliveries));
        self.waiter.update_journal();
        let failure = failure.or(self.waiter.failure.take());
        if self.deliveries.ending().is_none() && !self.job.control.is_stopping() {
            self.router.count_partitions_again();
        }
        // Only the end of the source shows what did not come.
        if source_end == Some(Ok(()))
            && !self.totals.tally.unselected.ended_early
            && stop.is_none()
            && let Some(why) = self
                .router
                .renamings
                .name_unmatched(&mut self.totals.problems)
        {
            self.job.console.note(&why);
        }
        let stopped = stop.and_then(|stop| match stop {
            SendStop::Failed(error) => Some(error),
            SendStop::Interrupted | SendStop::TimeOver => None,
        });
        // The signal may have come when everything was handed over.
        let ended = || self.deliveries.ending().map(|why| self.ended(why));
        let stopped = stopped.or_else(ended).or_else(|| self.forbidden());
        let stopped = stopped.or_else(|| self.connection.fatal_error());
        let failure = failure.filter(|failure| stopped.as_ref() != Some(failure));
        let failures = stopped.into_iter().chain(failure).collect();
        let mut outcome = ReplayOutcome::of(self, source_end, drain, waits, failures);
        (outcome.groups, outcome.group_wait) = groups.unwrap_or_default();
        outcome
    }
}

/// The topics of the destination, with what was delivered to each.
fn topics(router: &Router<'_>, counts: &DeliveryCounts) -> Vec<TopicReport> {
    let topics = router.targets.iter().enumerate();
    let topics = topics.map(|(index, target)| {
        let count = counts.topics.get(index);
        TopicReport {
            name: target.name.clone(),
            partitions: target.partitions.count.unsigned_abs(),
            partitions_at_end: target.partitions_at_end.map(i32::unsigned_abs),
            lowered_limit: target.former_limit.zip(target.limit),
            delivered: count.map_or(0, |count| count.delivered),
            bytes: count.map_or(0, |count| count.bytes),
            per_partition: count.map_or_else(Vec::new, TopicCount::per_partition),
        }
    });
    topics.collect()
}

/// Closes the account of a run: what comes later changes nothing.
fn close(account: &mut Account, session: &Session<'_>) {
    account.close(session.open_records());
    if session
        .waiter
        .journal
        .as_ref()
        .is_some_and(JournalWriter::is_refuted)
    {
        account.rejects.keep_former();
    }
    account.rejects.finish();
}

/// What is left of `all` when a part of it is done; a part larger than all is an imbalance to report.
///
/// # Errors
/// Returns [`Error::Defect`] if `part` is larger than `all`.
fn subtract(all: u64, part: u64, done: &str, what: &str) -> Result<u64, Error> {
    all.checked_sub(part).ok_or_else(|| Error::Defect {
        what: format!("more records were {done} than {what}: {part} {done}, {all} {what}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ExitCode;

    #[test]
    fn an_unbalanced_ledger_is_reported_as_a_defect() {
        assert_eq!(subtract(7, 3, "skipped", "found"), Ok(4));
        let error = subtract(3, 7, "answered", "handed over").expect_err("more than all");
        assert_eq!(error.exit(), ExitCode::Defect);
        let said = "more records were answered than handed over: 7 answered, 3 handed over";
        assert_eq!(error.to_string(), said);
    }
}
