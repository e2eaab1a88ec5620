//! What a comparison of two sets of records has found, for people and for programs.

use crate::report::rendering::figures::{HumanCount, plural, records, seconds};
use std::fmt::{self, Write};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::ledger::exit::exit_code;
use super::rendering::json::{problem_json, round_ms, source_json};
use super::rendering::text::{write_problem, write_source};
use super::{Outcome, Signal, SourceReport, Tally};
use crate::config::nearest;
use crate::error::{Error, ExitCode};

/// Differences that the page shows; all of them are in the file of `--expect-diff`.
pub(crate) const MOST_SHOWN: usize = 5;
/// Characters of a value that are shown.
const LONGEST_SHOWN: usize = 120;
/// Changes of one pair that are shown.
const MOST_CHANGES: usize = 5;

/// How many records came out how. An observed record is equal, reordered, repeated, extra or one half
/// of a changed pair; an expected one equal, reordered, missing or the other half.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compared {
    /// The same on both sides, and in order.
    pub equal: u64,
    /// One record with another content.
    pub changed: u64,
    /// Expected, and not observed.
    pub missing: u64,
    /// Observed, and not expected.
    pub extra: u64,
    /// Equal to an expected record that another one was equal to already.
    pub repeated: u64,
    /// Equal, but behind a record of its key that it was expected before.
    pub reordered: u64,
}

impl Compared {
    /// Adds the counts of another set of records.
    pub(crate) fn add(&mut self, other: &Self) {
        self.equal += other.equal;
        self.changed += other.changed;
        self.missing += other.missing;
        self.extra += other.extra;
        self.repeated += other.repeated;
        self.reordered += other.reordered;
    }

    fn named(&self) -> [(&'static str, u64); 6] {
        [
            ("equal", self.equal),
            ("changed", self.changed),
            ("missing", self.missing),
            ("extra", self.extra),
            ("repeated", self.repeated),
            ("reordered", self.reordered),
        ]
    }

    /// Records that make the sides differ by `excused`.
    #[must_use]
    pub fn differing(&self, excused: Excused) -> u64 {
        let repeated = match excused.repeated {
            Excuse::Differs => self.repeated,
            Excuse::Allowed => 0,
        };
        let reordered = match excused.reordered {
            Excuse::Differs => self.reordered,
            Excuse::Allowed => 0,
        };
        self.changed + self.missing + self.extra + repeated + reordered
    }
}

/// Which differences are none by the user's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Excused {
    /// A record more than once.
    pub repeated: Excuse,
    /// Records of a key in another order.
    pub reordered: Excuse,
}

/// What a kind of difference means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Excuse {
    /// The sides differ.
    #[default]
    Differs,
    /// They are the same all the same.
    Allowed,
}

/// In which way a record differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// One record with another content.
    Changed,
    /// Expected, and not observed.
    Missing,
    /// Observed, and not expected.
    Extra,
    /// Observed again.
    Repeated,
    /// Observed later than expected.
    Reordered,
}

impl DifferenceKind {
    /// The word for it in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Repeated => "repeated",
            Self::Reordered => "reordered",
        }
    }
}

/// One place where two records differ. Both texts are JSON, or bytes as text; none where there is
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// A JSONPath below the value's root `$`, or `header NAME`.
    pub path: String,
    /// What was expected there.
    pub expected: Option<String>,
    /// What was observed there.
    pub observed: Option<String>,
}

/// A difference as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownDifference {
    /// In which way the records differ.
    pub kind: DifferenceKind,
    /// The topic of both.
    pub topic: String,
    /// The key of both; none when they have none.
    pub key: Option<String>,
    /// Where the expected record is.
    pub expected: Option<String>,
    /// Where the observed record is.
    pub observed: Option<String>,
    /// What changed in a pair.
    pub changes: Vec<Change>,
}

impl ShownDifference {
    /// As one JSON object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let changes = self.changes.iter().map(|change| {
            json!({ "path": change.path, "expected": change.expected, "observed": change.observed })
        });
        json!({
            "kind": self.kind.name(),
            "topic": self.topic,
            "key": self.key,
            "expected": self.expected,
            "observed": self.observed,
            "changes": changes.collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for ShownDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.topic, self.kind.name())?;
        if let Some(key) = &self.key {
            write!(f, ", key {}", cut(key))?;
        }
        let sides = [&self.expected, &self.observed];
        let sides: Vec<&str> = sides.into_iter().flatten().map(String::as_str).collect();
        writeln!(f, ": {}", sides.join(" -> "))?;
        for change in self.changes.iter().take(MOST_CHANGES) {
            let text = |text: &Option<String>| text.as_ref().map_or("nothing".into(), |t| cut(t));
            let (expected, observed) = (text(&change.expected), text(&change.observed));
            writeln!(f, "  {}: {expected} -> {observed}", change.path)?;
        }
        match self.changes.len().saturating_sub(MOST_CHANGES) {
            0 => Ok(()),
            more => writeln!(f, "  and {more} more changes"),
        }
    }
}

/// A text that fits into a line.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

/// A path of `--ignore` that matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmatchedPath {
    /// As it was given.
    pub path: String,
    /// The nearest path in the values compared.
    pub nearest: Option<String>,
}

impl UnmatchedPath {
    pub(super) fn to_json(&self) -> Value {
        json!({ "path": self.path, "nearest": self.nearest })
    }
}

impl fmt::Display for UnmatchedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        let text = format!("`--ignore {path}` matches nothing in the values compared");
        f.write_str(&nearest::told(text, self.nearest.as_deref()))
    }
}

/// One side of a comparison.
#[derive(Debug, Clone, Default)]
pub struct ComparedSide {
    /// What was read.
    pub source: SourceReport,
    /// What extraction saw.
    pub tally: Tally,
    /// Records that were compared.
    pub records: u64,
}

impl ComparedSide {
    fn write_topic(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.source.inputs.join(", ");
        let partitions = plural(self.source.names.len() as u64, "partition", "partitions");
        let end = match self.source.complete {
            true => "",
            false => "; not read to its end",
        };
        let records = records(self.records);
        writeln!(f, "read       topic {name}: {records} of {partitions}{end}")
    }
}

/// Everything there is to say about a comparison.
#[derive(Debug, Clone, Default)]
pub struct ComparisonReport {
    /// What was expected.
    pub expected: ComparedSide,
    /// What was observed.
    pub observed: ComparedSide,
    /// The counts of each topic, by name.
    pub topics: Vec<(String, Compared)>,
    /// Which differences are none.
    pub excused: Excused,
    /// The first differences.
    pub shown: Vec<ShownDifference>,
    /// Paths of `--ignore` that match nothing.
    pub unmatched: Vec<UnmatchedPath>,
    /// From the start of the run to its end.
    pub elapsed: Duration,
    /// The signal, when it ended the comparison.
    pub signal: Option<Signal>,
    /// What ended the run before its time.
    pub failures: Vec<Error>,
}

impl ComparisonReport {
    /// The counts of all topics.
    #[must_use]
    pub fn total(&self) -> Compared {
        let mut total = Compared::default();
        self.topics.iter().for_each(|(_, counts)| total.add(counts));
        total
    }

    /// The exit code that follows from all of this; the gravest reason wins.
    #[must_use]
    pub fn exit(&self) -> ExitCode {
        let mut sides = [&self.expected, &self.observed].into_iter();
        let unreadable = sides.any(|side| side.tally.outcomes[Outcome::Unreadable] > 0);
        let differs = self.total().differing(self.excused) > 0;
        let is_incomplete = differs || unreadable || !self.unmatched.is_empty();
        let found = is_incomplete.then_some(ExitCode::Incomplete);
        exit_code(self.signal, &self.failures, found)
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
    pub fn to_json(&self) -> String {
        let side = |side: &ComparedSide| {
            let problems = side.tally.problems.iter();
            let problems = problems.map(|problem| problem_json(&side.source.names, problem));
            json!({
                "source": source_json(&side.source, &side.tally),
                "records": side.records,
                "problems": problems.collect::<Vec<_>>(),
            })
        };
        let counts = |counts: &Compared| -> Map<String, Value> {
            let named = counts.named().into_iter();
            named.map(|(name, n)| (name.to_owned(), n.into())).collect()
        };
        let topics = self.topics.iter().map(|(name, of_topic)| {
            let mut topic = Map::from_iter([("name".to_owned(), name.clone().into())]);
            topic.extend(counts(of_topic));
            topic
        });
        json!({
            "kreplay": env!("CARGO_PKG_VERSION"),
            "exit_code": self.exit().code(),
            "interrupted": self.signal.is_some(),
            "elapsed_s": round_ms(self.elapsed.as_secs_f64()),
            "verdict": self.verdict(),
            "expected": side(&self.expected),
            "observed": side(&self.observed),
            "total": counts(&self.total()),
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
        let verdict = match (self.signal, self.verdict()) {
            (Some(Signal::Interrupt), _) => "interrupted",
            (Some(Signal::Terminate), _) => "terminated",
            (None, "same") => "the same",
            (None, "differs") => "different",
            (None, verdict) => verdict,
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
                // Interrupted before its turn.
                None if side.source.inputs.is_empty() => {}
                _ => write_source(f, &side.source, &side.tally)?,
            }
        }
        for (name, counts) in &self.topics {
            let named = counts.named().into_iter();
            let told = named.filter(|(name, n)| *n > 0 || *name == "equal");
            let told: Vec<String> = told
                .map(|(name, n)| format!("{} {name}", HumanCount(n)))
                .collect();
            writeln!(f, "topic      {name}: {}", told.join(", "))?;
        }
        if !self.shown.is_empty() {
            f.write_char('\n')?;
        }
        for difference in self.shown.iter().take(MOST_SHOWN) {
            difference.fmt(f)?;
        }
        let all: u64 = self.total().named()[1..].iter().map(|(_, n)| n).sum();
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
