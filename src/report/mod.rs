//! The report of a run: what was read, found, sent where, left out and why. This module is separate from
//! the halves because both fill it; `rendering/` shows it.

mod comparison;
mod groups;
mod inspection;
mod ledger;
mod pacing;
mod plan;
mod printout;
pub(crate) mod rendering;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::comparison::MOST_SHOWN;
pub(crate) use self::comparison::{Change, ComparedSide, ComparisonReport, DifferenceKind, Excuse};
pub use self::comparison::{
    Compared, CorrelationReport, Excused, ExcusedNoise, ExpectedReport, LearnedNoise, LearnedPath,
    NoiseKind, ShownDifference, UnmatchedPath,
};
pub(crate) use self::groups::{
    CapacityBound, Confirmation, Confirmed, LagControl, LagPoint, ServiceCapacity,
};
pub use self::groups::{
    ConsumptionRates, GroupReport, GroupVerdict, PartitionDrain, PartitionState,
};
pub(crate) use self::inspection::census::CensusReport;
pub(crate) use self::inspection::path_list::{PathList, PathSeen};
pub(crate) use self::inspection::{Inspection, PartitionContents, SizeSummary, TopicContents};
pub use self::ledger::exit::Signal;
use self::ledger::exit::exit_code;
pub use self::ledger::problems::{Problem, ProblemKind, Problems};
pub use self::ledger::unresolved::{UnresolvedId, UnresolvedIds};
pub use self::ledger::{Ledger, LedgerOf, Outcome, OutcomeCounts, Tally, Unselected};
pub use self::pacing::{Achieved, Latency, Pacing, SlowedBy};
pub(crate) use self::plan::ASSUMED_SETTINGS;
pub(crate) use self::plan::{
    HottestKey, PeakSpan, PlanForecast, PlanReach, PlanReport, PlannedPartition, PlannedSchedule,
    PlannedTopic, RefusedRecords, TopicStanding,
};
pub(crate) use self::printout::{Printout, StdoutReader};
pub(crate) use self::rendering::nothing::{is_nothing_read, no_path_found, nothing_found};
pub(crate) use self::rendering::text::problems_text;

use crate::error::{Error, ExitCode};
use crate::record::Origin;

/// What was read.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct SourceReport {
    /// `snapshot`, `csv`, `rrpairs` or `records`; `None` if nothing has shown it.
    pub kind: Option<&'static str>,
    /// For a snapshot, how it was read in the end: `csv` or `raw`.
    pub via: Option<&'static str>,
    /// The inputs as the user named them.
    pub inputs: Vec<String>,
    /// Names of what was read for them; an [`Origin`] refers to them by index.
    pub names: Arc<[String]>,
    /// Whether every input was read to a proper end.
    pub complete: bool,
}

impl SourceReport {
    /// The kind of record lines: the only source without RRPairs.
    pub const RECORDS: &str = "records";
    /// The kind of a topic: names are those of its partitions, and lines are offsets.
    pub const TOPIC: &str = "topic";

    /// How to name places in it.
    pub(crate) fn places(&self) -> PlaceNames<'_> {
        match self.kind {
            Some(Self::TOPIC) => PlaceNames::Partitions(&self.names),
            _ => PlaceNames::Inputs(&self.names),
        }
    }
}

/// How to name places of records.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PlaceNames<'a> {
    /// By inputs of these names, and lines.
    Inputs(&'a [String]),
    /// By partitions of these names, and offsets.
    Partitions(&'a [String]),
}

impl PlaceNames<'_> {
    /// `input:line`, or `topic [partition] @ offset`.
    pub(crate) fn name(self, origin: Origin) -> String {
        match self {
            Self::Inputs(names) => place(names, origin),
            Self::Partitions(names) => {
                let name = names.get(origin.input as usize);
                let name = name.map_or("?", String::as_str);
                format!("{name} @ {}", origin.line)
            }
        }
    }
}

/// Where records went.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct DestinationReport {
    /// The bootstrap servers; for a rehearsal, those of the brokers in the process.
    pub brokers: String,
    /// Whether the brokers were in this process.
    pub rehearsal: bool,
    /// Whether retries could neither duplicate nor reorder.
    pub idempotence: bool,
    /// Settings that switch off a part of TLS's check of the brokers.
    pub unchecked: Vec<String>,
}

/// One topic of the destination.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicReport {
    /// Its name.
    pub name: String,
    /// How many partitions it has before the first record.
    pub partitions: u32,
    /// How many it has at the end, if some were added meanwhile.
    pub partitions_at_end: Option<u32>,
    /// Its `max.message.bytes` before the first record and at the end, if kreplay has met a lower one.
    pub lowered_limit: Option<(usize, usize)>,
    /// Records delivered to it.
    pub delivered: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// The partitions with deliveries.
    pub per_partition: Vec<PartitionDelivery>,
}

/// What was delivered to one partition of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionDelivery {
    /// Its number.
    pub partition: u32,
    /// The lowest offset of a record of this run; `None` if no broker has named one.
    pub first_offset: Option<i64>,
    /// The highest one.
    pub last_offset: Option<i64>,
    /// How many records were delivered to it. Others may have written between them.
    pub delivered: u64,
}

/// How delivered records were placed in partitions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Placement {
    /// Records in the partition that they were captured in.
    pub kept: u64,
    /// Records placed by their key.
    pub by_key: u64,
    /// Records without a key, or placed by librdkafka's choice.
    pub spread: u64,
}

/// What the sending thread waited for until the last record was handed over: what limited its speed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitTimes {
    /// For the source.
    pub input: Duration,
    /// For room among the records in flight.
    pub in_flight: Duration,
    /// For brokers that accept nothing: librdkafka's queue, or the memory behind it, is full.
    pub cluster: Duration,
    /// For the time at which a record is due.
    pub due: Duration,
}

/// What a rejects file contains.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RejectsReport {
    /// The file.
    pub file: String,
    /// Records in it.
    pub records: u64,
}

/// Where a run has continued.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resume {
    /// The journal's file.
    pub journal: String,
    /// Records that earlier runs have delivered.
    pub skipped: u64,
    /// How many of the records sent by this run may have been put into the log by earlier runs; `None` if
    /// nobody knows, because the journal was damaged.
    pub may_repeat: Option<u64>,
    /// How many the next run may send twice.
    pub uncertain: Option<u64>,
}

/// What became of the records that librdkafka held when a run was interrupted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drain {
    /// Answered by the broker in time.
    pub answered: u64,
    /// Given up by librdkafka, because their time had passed or it cannot continue.
    pub given_up: u64,
    /// Taken back from librdkafka's queue: not written.
    pub purged_from_queue: u64,
    /// Given up in flight, or while waiting for the broker's answer: unknown.
    pub purged_in_flight: u64,
    /// Never reported by librdkafka: unknown.
    pub unanswered: u64,
}

/// What it means if records could not be put in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reordered {
    /// The run is incomplete.
    #[default]
    Fails,
    /// `--allow-reordered`: nothing.
    Allowed,
}

/// What it means if a source has no records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum EmptySource {
    /// The run is incomplete.
    #[default]
    Fails,
    /// `--allow-empty`: nothing.
    Allowed,
}

/// Everything that is reported about a run.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Report {
    /// What was read.
    pub source: SourceReport,
    /// Where it went.
    pub destination: DestinationReport,
    /// What extraction counted.
    pub tally: Tally,
    /// What became of every record.
    pub ledger: Ledger,
    /// The destination's topics, in the order of their first record.
    pub topics: Vec<TopicReport>,
    /// How records were placed.
    pub placement: Placement,
    /// `None` if the user asked for no rejects file.
    pub rejects: Option<RejectsReport>,
    /// `None` if the run keeps no journal.
    pub resume: Option<Resume>,
    /// `None` if nothing stopped the run while librdkafka held records.
    pub drain: Option<Drain>,
    /// What went wrong with records.
    pub problems: Problems,
    /// What it means if records are out of order.
    pub reordered: Reordered,
    /// The indices of the files among the names of the source, in the order of their records; empty if they
    /// were read in that order.
    pub better_order: Vec<u32>,
    /// From handing a record to librdkafka to its delivery; `None` if nothing was delivered.
    pub latency: Option<Latency>,
    /// What the sending thread waited for.
    pub waits: WaitTimes,
    /// How often the source was read and sent to its end; `None` if the user asked for one pass.
    pub passes: Option<u64>,
    /// `None` if nothing was expected of the output.
    pub expected: Option<ExpectedReport>,
    /// `None` if records went as fast as the cluster took them.
    pub pacing: Option<Pacing>,
    /// The results of the awaited consumer groups.
    pub groups: Vec<GroupReport>,
    /// What was measured of the service; `None` if no lag was held.
    pub lag_control: Option<LagControl>,
    /// From the start of the run to its end, without the wait for groups.
    pub elapsed: Duration,
    /// The signal, if it kept something from being sent.
    pub signal: Option<Signal>,
    /// What ended the run early, the most severe first.
    pub failures: Vec<Error>,
}

impl Reordered {
    /// What records out of order among `problems` mean for the exit code.
    fn exit(self, problems: &Problems) -> ExitCode {
        let mut kinds = problems.iter().map(|problem| problem.what);
        match self {
            Self::Fails if kinds.any(|kind| kind == ProblemKind::OutOfOrder) => {
                ExitCode::Incomplete
            }
            Self::Fails | Self::Allowed => ExitCode::Success,
        }
    }
}

impl Report {
    /// The exit code that follows from all of this; the most severe reason wins.
    #[must_use]
    pub fn exit(&self) -> ExitCode {
        let reordered = self.reordered.exit(&self.problems);
        let groups = match self.groups.iter().all(GroupReport::is_drained) {
            true => ExitCode::Success,
            false => ExitCode::Incomplete,
        };
        let expected = match self.expected.as_ref().is_none_or(ExpectedReport::is_met) {
            true => ExitCode::Success,
            false => ExitCode::Incomplete,
        };
        let found = [
            reordered,
            groups,
            expected,
            self.problems.exit(),
            self.ledger.exit(),
        ];
        exit_code(self.signal, &self.failures, found)
    }

    /// `input:line`, or the input alone.
    #[must_use]
    pub fn place(&self, origin: Origin) -> String {
        place(&self.source.names, origin)
    }
}

/// `input:line`, or the input alone for line 0.
pub(crate) fn place(names: &[String], origin: Origin) -> String {
    let name = names
        .get(origin.input as usize)
        .map_or("input", String::as_str);
    match origin.line {
        0 => name.to_string(),
        line => format!("{name}:{line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(failure: Error) -> Report {
        Report {
            failures: vec![failure],
            ..Report::default()
        }
    }

    #[test]
    fn the_gravest_reason_gives_the_exit_code() {
        let cut = Error::CutOff {
            place: "a:1".into(),
            why: "no".into(),
        };
        let defect = Error::Defect { what: "no".into() };
        let unreachable = Error::Unreachable {
            brokers: "b".into(),
            reason: "no".into(),
            hint: None,
        };

        assert_eq!(Report::default().exit(), ExitCode::Success);
        assert_eq!(failed(unreachable.clone()).exit(), ExitCode::Kafka);
        let mut report = failed(cut);
        report.failures.push(unreachable);
        assert_eq!(report.exit(), ExitCode::Source);
        report.signal = Some(Signal::Terminate);
        assert_eq!(report.exit(), ExitCode::Terminated);
        report.failures.push(defect);
        assert_eq!(report.exit(), ExitCode::Defect);
    }

    #[test]
    fn a_ledger_that_does_not_balance_is_a_defect_whatever_else_happened() {
        let mut report = Report {
            signal: Some(Signal::Interrupt),
            ..Report::default()
        };
        assert_eq!(report.exit(), ExitCode::Interrupted);
        report.ledger.found = 1;
        assert_eq!(report.exit(), ExitCode::Defect);
    }

    #[test]
    fn records_that_failed_make_the_run_incomplete() {
        let mut report = Report::default();
        report.ledger.found = 1;
        report.ledger[Outcome::Unknown] = 1;
        assert_eq!(report.exit(), ExitCode::Incomplete);
    }
}
