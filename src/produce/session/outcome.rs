//! What came of a replay: everything that was counted on the way, added up for the report.

use std::sync::atomic::{AtomicU64, Ordering};

use super::replay::Replay;
use crate::error::Error;
use crate::produce::delivery::Account;
use crate::produce::journal::JournalWriter;
use crate::produce::progress::Counters;
use crate::report::{Drain, Latency, Ledger, Placement, Problems, Rejects, Resume, Tally, Topic};

/// What came of a replay.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) brokers: String,
    pub(crate) tally: Tally,
    pub(crate) ledger: Ledger,
    pub(crate) topics: Vec<Topic>,
    pub(crate) placement: Placement,
    pub(crate) rejects: Option<Rejects>,
    pub(crate) resume: Option<Resume>,
    pub(crate) drain: Option<Drain>,
    pub(crate) problems: Problems,
    /// The files in the order of their records, where they were read in another one.
    pub(crate) better_order: Vec<u32>,
    pub(crate) latency: Option<Latency>,
    /// How the source ended; none when it was not read to its end.
    pub(crate) source_end: Option<Result<(), Error>>,
    /// What ended the sending before its time, the gravest first.
    pub(crate) failures: Vec<Error>,
}

impl Outcome {
    /// Of a run that ended before anything was read.
    pub(in crate::produce) fn failed(error: Error, brokers: String) -> Self {
        Self {
            failures: vec![error],
            brokers,
            ..Self::default()
        }
    }

    /// Of a run whose sending thread ended in a panic: what is known is what was counted for whoever
    /// looked on.
    pub(crate) fn panicked(counters: &Counters, brokers: String) -> Self {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let what = "the sending thread ended in a panic".into();
        let mut outcome = Self::failed(Error::Defect { what }, brokers);
        outcome.tally.found = count(&counters.found);
        outcome.tally.bytes = count(&counters.bytes);
        outcome.ledger.found = outcome.tally.found;
        outcome.ledger.delivered = count(&counters.delivered);
        outcome
    }

    pub(in crate::produce) fn of(
        replay: Replay<'_>,
        source_end: Option<Result<(), Error>>,
        drain: Option<Drain>,
        mut failures: Vec<Error>,
    ) -> Self {
        let mut account = replay.deliveries.account();
        close(&mut account, &replay);
        failures.extend(account.rejects.failure());
        let counts = &account.counts;
        let mut problems = replay.tally.problems.clone();
        problems.merge(replay.problems);
        problems.merge(counts.problems.clone());
        let topics = replay.router.targets.iter().map(|target| {
            let count = counts.topics.get(&target.name);
            Topic {
                name: target.name.clone(),
                partitions: target.partitions.unsigned_abs(),
                partitions_at_end: target.partitions_at_end.map(i32::unsigned_abs),
                lowered_limit: target.former_limit.zip(target.limit),
                delivered: count.map_or(0, |count| count.delivered),
                bytes: count.map_or(0, |count| count.bytes),
            }
        });
        let tally = &replay.tally;
        let found = subtract(tally.found, replay.skipped, "skipped", "found");
        let unanswered = subtract(replay.handed, counts.answered(), "answered", "handed over");
        let (found, unanswered) = match (found, unanswered) {
            (Ok(found), Ok(unanswered)) => (found, unanswered),
            (found, unanswered) => {
                failures.extend(found.clone().err());
                failures.extend(unanswered.clone().err());
                (found.unwrap_or_default(), unanswered.unwrap_or_default())
            }
        };
        Self {
            brokers: replay.connection.brokers.clone(),
            ledger: Ledger {
                // What earlier runs have delivered is not this run's.
                found,
                duplicates: tally.duplicates,
                filtered: tally.filtered,
                aborted: tally.aborted,
                control: tally.control,
                unreadable: tally.unreadable + replay.unreadable,
                delivered: counts.delivered,
                not_written: counts.not_written,
                // A record that never got an answer may be in the log.
                unknown: counts.unknown + unanswered,
                unsent: replay.unsent,
            },
            topics: topics.collect(),
            placement: counts.placement,
            rejects: replay.job.rejects.as_ref().map(|file| Rejects {
                file: file.display().to_string(),
                records: account.rejects.written(),
            }),
            resume: replay.journal.map(|journal| journal.resume(replay.skipped)),
            drain,
            problems,
            better_order: replay.better_order,
            latency: counts.latency(),
            source_end,
            failures,
            tally: replay.tally,
        }
    }
}

/// Ends the account of a run: what comes later changes nothing.
fn close(account: &mut Account, replay: &Replay<'_>) {
    account.close(replay.open_records());
    if replay
        .journal
        .as_ref()
        .is_some_and(JournalWriter::is_refuted)
    {
        account.rejects.keep_former();
    }
    account.rejects.finish();
}

/// What is left of `all` when a part of it is done; a larger part than all is an imbalance to show.
///
/// # Errors
/// [`Error::Defect`].
fn subtract(all: u64, part: u64, done: &str, what: &str) -> Result<u64, Error> {
    all.checked_sub(part).ok_or_else(|| Error::Defect {
        what: format!("more records are {done} than {what}: {part} of {all}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ExitCode;

    #[test]
    fn an_imbalance_is_a_defect_and_no_zero() {
        assert_eq!(subtract(7, 3, "skipped", "found"), Ok(4));
        let error = subtract(3, 7, "answered", "handed over").expect_err("more than all");
        assert_eq!(error.exit(), ExitCode::Defect);
        let said = "more records are answered than handed over: 7 of 3";
        assert_eq!(error.to_string(), said);
    }
}
