//! The counts of a comparison, and the differences. This file is a leaf of the imports, which comparisons
//! and reports share.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::config::nearest;
use crate::host::visible::visible;
use crate::report::rendering::figures::HumanCount;

/// How many differences the page shows; the file of `--expect-diff` has all of them.
pub(crate) const MOST_SHOWN: usize = 5;
/// How many characters of a key, a path and a value are shown.
const LONGEST_SHOWN: usize = 120;
/// How many changes of one pair are shown.
const MOST_CHANGES: usize = 5;

/// The counts of a comparison. An observed record is equal, reordered, repeated, extra or one half of a
/// changed pair; an expected one is equal, reordered, missing or the other half.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compared {
    /// The same on both sides, and in order.
    pub equal: u64,
    /// One record whose content differs.
    pub changed: u64,
    /// Expected, and not observed.
    pub missing: u64,
    /// Observed, and not expected.
    pub extra: u64,
    /// Equal to an expected record that was already matched.
    pub repeated: u64,
    /// Equal, but after a record of its key that was expected later.
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

    /// The counts by their names.
    pub(super) fn named(&self) -> [(&'static str, u64); 6] {
        [
            ("equal", self.equal),
            ("changed", self.changed),
            ("missing", self.missing),
            ("extra", self.extra),
            ("repeated", self.repeated),
            ("reordered", self.reordered),
        ]
    }

    /// Records that are not simply equal.
    pub(super) fn different(&self) -> u64 {
        self.named()[1..].iter().map(|(_, n)| n).sum()
    }

    /// Records that make the sides differ, unless `excused`.
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

/// The counts by their names.
pub(super) fn counts_json(counts: &Compared) -> Map<String, Value> {
    let named = counts.named().into_iter();
    named.map(|(name, n)| (name.to_owned(), n.into())).collect()
}

/// Which differences the user accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Excused {
    /// A record that occurs more than once.
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
    /// The difference is accepted.
    Allowed,
}

/// In which way a record differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// One record whose content differs.
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

/// One place where two records differ. Both texts are JSON, or bytes as text; `None` if there is nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// A JSONPath from the value's root `$`, or `header NAME`.
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
    /// The key of both; `None` if they have none.
    pub key: Option<String>,
    /// Where the expected record is.
    pub expected: Option<String>,
    /// Where the observed record is.
    pub observed: Option<String>,
    /// What changed in a pair: the first thousand changes.
    pub changes: Vec<Change>,
    /// How many more there are.
    pub more_changes: u64,
}

impl ShownDifference {
    /// The difference as one JSON object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let changes = self.changes.iter().map(|change| {
            json!({ "path": change.path, "expected": change.expected, "observed": change.observed })
        });
        let mut json = json!({
            "kind": self.kind.name(),
            "topic": self.topic,
            "key": self.key,
            "expected": self.expected,
            "observed": self.observed,
            "changes": changes.collect::<Vec<_>>(),
        });
        if self.more_changes > 0 {
            json["more_changes"] = self.more_changes.into();
        }
        json
    }
}

impl fmt::Display for ShownDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", visible(&self.topic), self.kind.name())?;
        if let Some(key) = &self.key {
            write!(f, ", key {}", cut(key))?;
        }
        let sides = [&self.expected, &self.observed];
        let sides: Vec<&str> = sides.into_iter().flatten().map(String::as_str).collect();
        writeln!(f, ": {}", visible(&sides.join(" -> ")))?;
        for change in self.changes.iter().take(MOST_CHANGES) {
            let text = |text: &Option<String>| text.as_ref().map_or("nothing".into(), |t| cut(t));
            let (expected, observed) = (text(&change.expected), text(&change.observed));
            writeln!(f, "  {}: {expected} -> {observed}", cut(&change.path))?;
        }
        let more = self.changes.len().saturating_sub(MOST_CHANGES) as u64 + self.more_changes;
        match more {
            0 => Ok(()),
            more => writeln!(f, "  and {} more changes", HumanCount(more)),
        }
    }
}

/// A text that fits into a line.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        None => visible(text).into_owned(),
        Some((end, _)) => format!("{}...", visible(&text[..end])),
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
        let path = visible(&self.path);
        let text = format!("`--ignore {path}` matches nothing in the values compared");
        let nearest = self.nearest.as_deref().map(visible);
        f.write_str(&nearest::with_nearest(text, nearest.as_deref()))
    }
}
