//! What a capture contains, as `kreplay inspect` shows it. This module is separate from the report of a
//! replay because nothing was sent; `text.rs` and `json.rs` render it.

pub(super) mod census;
mod json;
pub(super) mod path_list;
mod text;

use std::time::Duration;

use super::{CensusReport, Ledger, LedgerOf, Outcome, Signal, SourceReport, Tally};
use crate::error::{Error, ExitCode};
use crate::report::ledger::exit::exit_code;

/// Everything that is reported about a capture.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inspection {
    /// What was read.
    pub source: SourceReport,
    /// What extraction counted.
    pub tally: Tally,
    /// What else the RRPairs show.
    pub census: CensusReport,
    /// The captured topics, the one with the most records first.
    pub topics: Vec<TopicContents>,
    /// Records that a replay would send.
    pub records: u64,
    /// Records of topics that are not kept in `topics`.
    pub other_records: u64,
    /// From the start of the run to its end.
    pub elapsed: Duration,
    /// The signal, if it kept something from being read.
    pub signal: Option<Signal>,
    /// What ended the run early.
    pub failures: Vec<Error>,
}

/// What one topic holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct TopicContents {
    /// Its name, or its id if the capture contains no name, or neither.
    pub name: Option<String>,
    /// Whether `name` is an id, for which a replay asks the user to give a name.
    pub is_id: bool,
    /// Its partitions, in order.
    pub partitions: Vec<PartitionContents>,
    /// Its records.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// The first and the last time, in milliseconds since 1970.
    pub times_ms: Option<(i64, i64)>,
    /// Records without a key.
    pub null_keys: u64,
    /// About how many different keys there are.
    pub distinct_keys: u64,
    /// Sizes of the values; `None` if all records are tombstones.
    pub sizes: Option<SizeSummary>,
    /// Records without a value.
    pub tombstones: u64,
}

impl TopicContents {
    /// How many offsets between the first and the last of each partition did not occur, and how many ranges
    /// of them.
    #[must_use]
    pub(crate) fn gaps(&self) -> (u64, u64) {
        let partitions = self.partitions.iter();
        partitions.fold((0, 0), |(missing, gaps), partition| {
            (missing + partition.missing, gaps + partition.gaps)
        })
    }
}

/// Bytes of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SizeSummary {
    /// The median, within 1 %.
    pub p50: u64,
    /// 99th percentile, within 1 %.
    pub p99: u64,
    /// The largest.
    pub max: u64,
}

/// What one partition of a topic holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PartitionContents {
    /// Its number; `None` for records whose partition the capture does not contain.
    pub partition: Option<i32>,
    /// Its records.
    pub records: u64,
    /// The first and the last offset.
    pub offsets: Option<(i64, i64)>,
    /// Offsets between them that did not occur. Compaction and transactions leave such gaps.
    pub missing: u64,
    /// Ranges of missing offsets.
    pub gaps: u64,
}

impl Inspection {
    /// The exit code that follows from all of this; the most severe reason wins, as for a replay.
    #[must_use]
    pub(crate) fn exit(&self) -> ExitCode {
        let found = [self.tally.problems.exit(), self.ledger().exit()];
        exit_code(self.signal, &self.failures, found)
    }

    /// The ledger of the records found.
    #[must_use]
    pub(crate) fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::new(LedgerOf::Inspect, &self.tally);
        ledger[Outcome::Replayable] = self.records;
        ledger
    }

    /// The first and the last time of any record, in milliseconds since 1970.
    fn times_ms(&self) -> Option<(i64, i64)> {
        let times = self.topics.iter().filter_map(|topic| topic.times_ms);
        times.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;
    use crate::report::ProblemKind;

    #[test]
    fn the_gravest_reason_gives_the_exit_code() {
        let mut inspection = Inspection::default();
        assert_eq!(inspection.exit(), ExitCode::Success);
        let origin = Origin { input: 0, line: 3 };
        inspection.tally.found = 1;
        inspection.tally.outcomes[Outcome::Unreadable] = 1;
        let problems = &mut inspection.tally.problems;
        problems.add(ProblemKind::Unreadable, origin, String::new);
        assert_eq!(inspection.exit(), ExitCode::Incomplete);
        inspection.failures.push(Error::CutOff {
            place: "a:1".into(),
            why: "no".into(),
        });
        assert_eq!(inspection.exit(), ExitCode::Source);
        inspection.signal = Some(Signal::Interrupt);
        assert_eq!(inspection.exit(), ExitCode::Interrupted);
        inspection.records = 1;
        assert_eq!(inspection.exit(), ExitCode::Defect);
    }
}
