//! The forecast of a replay, as `kreplay plan` makes it. This module is separate from the report of a
//! replay because nothing was sent; `text.rs` and `json.rs` render it.

mod json;
mod text;

use std::time::Duration;

use super::{
    Ledger, LedgerOf, Outcome, Pacing, Placement, Problems, Reordered, Signal, SourceReport, Tally,
};
use crate::error::{Error, ExitCode};
use crate::report::ledger::exit::exit_code;

/// The settings that a topic is assumed to have if no cluster is asked: Apache Kafka's defaults (4.2, topic
/// configs).
pub(crate) const ASSUMED_SETTINGS: [(&str, &str); 4] = [
    ("cleanup.policy", "delete"),
    ("max.message.bytes", "1048588"),
    ("message.timestamp.after.max.ms", "3600000"),
    ("retention.ms", "604800000"),
];

/// Everything that is reported about a planned replay.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlanReport {
    /// What was read.
    pub source: SourceReport,
    /// What extraction counted.
    pub tally: Tally,
    /// What would become of the records.
    pub forecast: PlanForecast,
    /// What it means if records are out of order.
    pub reordered: Reordered,
    /// From the start of the planning to its end.
    pub elapsed: Duration,
    /// The signal, if it kept something from being planned.
    pub signal: Option<Signal>,
    /// What speaks against the replay, or ended the planning.
    pub failures: Vec<Error>,
}

/// What would become of the records.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlanForecast {
    /// The brokers that were asked; `None` if the destination is assumed.
    pub brokers: Option<String>,
    /// The topics that records go to, in the order of their first record.
    pub topics: Vec<PlannedTopic>,
    /// How records are placed in partitions.
    pub placement: Placement,
    /// Records whose topic is not known.
    pub unplaced: u64,
    /// Records that would be sent and accepted.
    pub to_send: u64,
    /// Records that their topic would refuse, or delete at once.
    pub not_written: u64,
    /// Records that have to keep a partition which their topic lacks.
    pub lacking: u64,
    /// Records that were read and are beyond the forecast.
    pub left: u64,
    /// When records go; `None` if they go as fast as the cluster takes them.
    pub schedule: Option<PlannedSchedule>,
    /// How often the source was read to its end.
    pub passes: u64,
    /// How far the forecast goes.
    pub reach: PlanReach,
    /// What is wrong with records.
    pub problems: Problems,
}

/// How far a forecast goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum PlanReach {
    /// To the end of the replay.
    #[default]
    Whole,
    /// To the end of the time for sending (`--for`).
    UntilTimeIsOver,
    /// Over one pass of a replay that goes on until it is stopped.
    OnePass,
    /// To the end of the source; how much of it there is time for depends on the cluster.
    TimeUnknown,
}

/// The state of a topic at the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopicStanding {
    /// It exists.
    Present,
    /// It does not exist, and would be created.
    Created,
    /// It does not exist, and the replay would not begin.
    Missing,
    /// The cluster does not say.
    Refused,
    /// No cluster was asked: it is assumed to exist with the captured partitions.
    Assumed,
}

/// What would be sent to one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlannedTopic {
    /// Its name at the destination.
    pub name: String,
    /// Its state there.
    pub standing: TopicStanding,
    /// How many partitions it has, or would have.
    pub partitions: u32,
    /// Its `max.message.bytes`, if known.
    pub limit: Option<usize>,
    /// Records that would be sent to it.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// The partitions that records go to, as far as kreplay chooses them.
    pub per_partition: Vec<PlannedPartition>,
    /// The key with the most records; `None` if none has a key.
    pub hottest_key: Option<HottestKey>,
    /// Records that it would refuse.
    pub refused: RefusedRecords,
    /// Records that go to another partition than the captured one, which it lacks.
    pub displaced: u64,
    /// Captured partitions that records have to keep and the topic lacks.
    pub missing_partitions: Vec<u32>,
}

/// What would be sent to one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlannedPartition {
    /// Its number.
    pub partition: u32,
    /// Records that go there.
    pub records: u64,
}

/// The key that most records of a topic have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HottestKey {
    /// As text, shortened.
    pub key: String,
    /// The least number of records that have it.
    pub at_least: u64,
    /// The most records that may have it: the same number if there are few keys.
    pub at_most: u64,
}

/// Records that a topic would refuse, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RefusedRecords {
    /// Larger than the topic allows.
    pub too_large: u64,
    /// Without a key, in a compacted topic.
    pub no_key: u64,
    /// With a timestamp that is too early for it.
    pub too_early: u64,
    /// With a timestamp that is too late for it.
    pub too_late: u64,
    /// With a timestamp that its retention would delete at once.
    pub expired: u64,
}

impl RefusedRecords {
    /// The counts by the names of the JSON report, each with what it is in words.
    #[must_use]
    pub(crate) fn reasons(&self) -> [(&'static str, u64, &'static str); 5] {
        [
            (
                "too_large",
                self.too_large,
                "larger than their topic allows",
            ),
            (
                "no_key",
                self.no_key,
                "without the key that their topic requires",
            ),
            (
                "too_early",
                self.too_early,
                "earlier than their topic allows",
            ),
            ("too_late", self.too_late, "later than their topic allows"),
            (
                "expired",
                self.expired,
                "so old that retention would delete them",
            ),
        ]
    }

    fn add(&mut self, other: Self) {
        self.too_large += other.too_large;
        self.no_key += other.no_key;
        self.too_early += other.too_early;
        self.too_late += other.too_late;
        self.expired += other.expired;
    }
}

/// When records would go.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PlannedSchedule {
    /// From the first record to the last one.
    pub duration: Duration,
    /// The second in which most is due.
    pub busiest_second: PeakSpan,
    /// The 10 ms in which most is due.
    pub busiest_ten_ms: PeakSpan,
    /// The speed and the rates, and what the capture's times turned out to be.
    pub pacing: Pacing,
}

/// The most that is due in a span of some length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PeakSpan {
    /// The most records.
    pub records: u64,
    /// The most bytes of keys, values and headers; maybe of another span.
    pub bytes: u64,
    /// When the span with the most records begins, after the first record.
    pub at: Duration,
}

impl PlanReport {
    /// The exit code that follows from all of this; the most severe reason wins, as for a replay.
    #[must_use]
    pub(crate) fn exit(&self) -> ExitCode {
        let problems = &self.forecast.problems;
        let reordered = self.reordered.exit(problems);
        let found = [reordered, problems.exit(), self.ledger().exit()];
        exit_code(self.signal, &self.failures, found)
    }

    /// What would become of the records that the forecast is of.
    #[must_use]
    pub(crate) fn ledger(&self) -> Ledger {
        let forecast = &self.forecast;
        let mut ledger = Ledger::new(LedgerOf::Plan, &self.tally);
        ledger.found = ledger.found.saturating_sub(forecast.left);
        ledger[Outcome::Unreadable] += forecast.unplaced;
        ledger[Outcome::ToSend] = forecast.to_send;
        ledger[Outcome::NotWritten] = forecast.not_written;
        ledger[Outcome::Unsent] = forecast.lacking;
        ledger
    }

    fn refused(&self) -> RefusedRecords {
        let mut all = RefusedRecords::default();
        for topic in &self.forecast.topics {
            all.add(topic.refused);
        }
        all
    }
}

impl PlannedTopic {
    /// The partition that gets the most records; the first of several that get equally many.
    fn hottest_partition(&self) -> Option<PlannedPartition> {
        let partitions = self.per_partition.iter().rev();
        partitions
            .max_by_key(|partition| partition.records)
            .copied()
    }

    /// Which part of its records `n` are.
    fn share(&self, n: u64) -> f64 {
        n as f64 / self.records.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;
    use crate::report::ProblemKind;

    fn of_one(what: ProblemKind) -> PlanReport {
        let mut report = PlanReport::default();
        let origin = Origin { input: 0, line: 1 };
        report.forecast.problems.add(what, origin, String::new);
        report
    }

    #[test]
    fn forecast_losses_and_misplacements_decide_the_exit_code() {
        assert_eq!(PlanReport::default().exit(), ExitCode::Success);
        let displaced = of_one(ProblemKind::Displaced);
        assert_eq!(displaced.exit(), ExitCode::Incomplete);
        let mut late = of_one(ProblemKind::OutOfOrder);
        assert_eq!(late.exit(), ExitCode::Incomplete);
        late.reordered = Reordered::Allowed;
        assert_eq!(late.exit(), ExitCode::Success);
        late.tally.found = 1;
        assert_eq!(late.exit(), ExitCode::Defect);
        late.forecast.not_written = 1;
        assert_eq!(late.exit(), ExitCode::Incomplete);
        let missing = Error::TopicsMissing {
            topics: Vec::new(),
            brokers: "b".into(),
        };
        late.failures.push(missing);
        assert_eq!(late.exit(), ExitCode::Kafka);
    }

    #[test]
    fn of_equally_hot_partitions_the_first_is_named() {
        let partition = |partition, records| PlannedPartition { partition, records };
        let topic = PlannedTopic {
            name: "t".into(),
            standing: TopicStanding::Assumed,
            partitions: 3,
            limit: None,
            records: 10,
            bytes: 0,
            per_partition: vec![partition(0, 2), partition(1, 4), partition(2, 4)],
            hottest_key: None,
            refused: RefusedRecords::default(),
            displaced: 0,
            missing_partitions: Vec::new(),
        };
        assert_eq!(topic.hottest_partition(), Some(partition(1, 4)));
        assert!((topic.share(4) - 0.4).abs() < 1e-12);
    }
}
