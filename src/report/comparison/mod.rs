//! The result of comparing two sets of records, for people and for programs.

mod counts;
mod expected;
mod noise;
mod text;

use std::fmt::{self, Write};
use std::time::Duration;

use serde_json::{Map, json};

use crate::error::{Error, ExitCode};
use crate::host::visible::visible;
use crate::report::ledger::exit::exit_code;
use crate::report::rendering::figures::{HumanCount, plural, records, seconds};
use crate::report::rendering::headline::RunEnding;
use crate::report::rendering::json::{SCHEMA, problem_json, round_ms, source_json};
use crate::report::rendering::text::{write_problem, write_source};
use crate::report::{Outcome, Signal, SourceReport, Tally};

pub(crate) use self::counts::MOST_SHOWN;
use self::counts::counts_json;
pub(crate) use self::counts::{Change, DifferenceKind, Excuse};
pub use self::counts::{Compared, Excused, ShownDifference, UnmatchedPath};
pub use self::expected::{CorrelationReport, ExcusedNoise, ExpectedReport, LearnedNoise};
pub use self::noise::{LearnedPath, NoiseKind};
use self::text::summary;

/// How many topics the page names.
const MOST_TOPICS: usize = 50;

/// One side of a comparison.
#[derive(Debug, Clone, Default)]
pub(crate) struct ComparedSide {
    /// What was read.
    pub source: SourceReport,
    /// What extraction counted.
    pub tally: Tally,
    /// Records that were compared.
    pub records: u64,
}

impl ComparedSide {
    fn write_topic(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.source.inputs.join(", ");
        let name = visible(&name);
        let partitions = plural(self.source.names.len() as u64, "partition", "partitions");
        let end = match self.source.complete {
            true => "",
            false => "; not read to its end",
        };
        let records = records(self.records);
        writeln!(f, "read       topic {name}: {records} of {partitions}{end}")
    }
}

/// Everything that a comparison reports.
#[derive(Debug, Clone, Default)]
pub(crate) struct ComparisonReport {
    /// What was expected.
    pub expected: ComparedSide,
    /// What was observed.
    pub observed: ComparedSide,
    /// The counts of each topic, by name.
    pub topics: Vec<(String, Compared)>,
    /// Which differences are accepted.
    pub excused: Excused,
    /// The first differences.
    pub shown: Vec<ShownDifference>,
    /// Paths of `--ignore` that match nothing.
    pub unmatched: Vec<UnmatchedPath>,
    /// From the start of the run to its end.
    pub elapsed: Duration,
    /// The signal, if it ended the comparison.
    pub signal: Option<Signal>,
    /// What ended the run early.
    pub failures: Vec<Error>,
}

impl ComparisonReport {
    /// The counts of all topics.
    #[must_use]
    pub(crate) fn total(&self) -> Compared {
        let mut total = Compared::default();
        self.topics.iter().for_each(|(_, counts)| total.add(counts));
        total
    }

    /// The exit code that follows from all of this; the most severe reason wins.
    #[must_use]
    pub(crate) fn exit(&self) -> ExitCode {
        let mut sides = [&self.expected, &self.observed].into_iter();
        let unreadable = sides.any(|side| side.tally.outcomes[Outcome::Unreadable] > 0);
        let differs = self.total().differing(self.excused) > 0;
        let is_incomplete = differs || unreadable || !self.unmatched.is_empty();
        let found = is_incomplete.then_some(ExitCode::Incomplete);
        exit_code(self.signal, &self.failures, found)
    }

    /// All topics, or if they are many, those that differ.
    fn write_topics(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_shown =
            |counts: &Compared| self.topics.len() <= MOST_TOPICS || counts.different() > 0;
        let shown = self.topics.iter().filter(|(_, counts)| is_shown(counts));
        let mut left = self.topics.len();
        for (name, counts) in shown.take(MOST_TOPICS) {
            writeln!(f, "topic      {}: {}", visible(name), summary(counts))?;
            left -= 1;
        }
        match left {
            0 => Ok(()),
            more => writeln!(f, "topic      {} more", HumanCount(more as u64)),
        }
    }

    fn verdict(&self) -> &'static str {
        let is_whole = self.failures.is_empty() && self.signal.is_none();
        match self.total().differing(self.excused) {
            _ if !is_whole => "incomplete",
            0 => "same",
            _ => "differs",
        }
    }

    /// The comparison as one line of JSON, without a line end.
    #[must_use]
    pub(crate) fn to_json(&self) -> String {
        let side = |side: &ComparedSide| {
            let problems = side.tally.problems.iter();
            let problems = problems.map(|problem| problem_json(&side.source.names, problem));
            json!({
                "source": source_json(&side.source, &side.tally),
                "records": side.records,
                "problems": problems.collect::<Vec<_>>(),
            })
        };
        let topics = self.topics.iter().map(|(name, of_topic)| {
            let mut topic = Map::from_iter([("name".to_owned(), name.clone().into())]);
            topic.extend(counts_json(of_topic));
            topic
        });
        json!({
            "kreplay": env!("CARGO_PKG_VERSION"),
            "schema": SCHEMA,
            "exit_code": self.exit().code(),
            "interrupted": self.signal.is_some(),
            "elapsed_s": round_ms(self.elapsed.as_secs_f64()),
            "verdict": self.verdict(),
            "expected": side(&self.expected),
            "observed": side(&self.observed),
            "total": counts_json(&self.total()),
            "topics": topics.collect::<Vec<_>>(),
            "differences": self.shown.iter().map(ShownDifference::to_json).collect::<Vec<_>>(),
            "ignored_unmatched":
                self.unmatched.iter().map(UnmatchedPath::to_json).collect::<Vec<_>>(),
            "errors": self.failures.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
        .to_string()
    }
}

impl fmt::Display for ComparisonReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = RunEnding::of(self.signal, &self.failures);
        let verdict = match (ending, self.verdict()) {
            (RunEnding::Signal(signal), _) => signal.participle(),
            (_, "same") => "the same",
            (_, "differs") => "different",
            (_, verdict) => verdict,
        };
        writeln!(
            f,
            "{verdict}: compared {} with {} in {}\n",
            records(self.expected.records),
            records(self.observed.records),
            seconds(self.elapsed),
        )?;
        for side in [&self.expected, &self.observed] {
            match side.source.kind {
                Some(SourceReport::TOPIC) => side.write_topic(f)?,
                // The run was interrupted before this side's turn.
                None if side.source.inputs.is_empty() => {}
                _ => write_source(f, &side.source, &side.tally)?,
            }
        }
        self.write_topics(f)?;
        if !self.shown.is_empty() {
            f.write_char('\n')?;
        }
        for difference in self.shown.iter().take(MOST_SHOWN) {
            difference.fmt(f)?;
        }
        let all = self.total().different();
        if let more @ 1.. = all.saturating_sub(self.shown.len().min(MOST_SHOWN) as u64)
            && !self.shown.is_empty()
        {
            let more = HumanCount(more);
            writeln!(
                f,
                "and {more} more: `--expect-diff FILE` writes all of them"
            )?;
        }
        for path in &self.unmatched {
            writeln!(f, "{path}")?;
        }
        for side in [&self.expected, &self.observed] {
            for problem in side.tally.problems.iter() {
                write_problem(f, &side.source.names, problem)?;
            }
        }
        Ok(())
    }
}
