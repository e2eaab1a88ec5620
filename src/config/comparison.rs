//! What counts as the same when records are compared.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::Source;
pub(crate) use crate::report::{Excuse, Excused};

/// Where the records of one side are.
#[derive(Debug, Clone)]
pub(crate) enum ComparedSource {
    /// In any source that a replay reads.
    Source(Source),
    /// In this topic of the destination.
    Topic(String),
}

/// What kreplay expects the service behind the destination to write, and how it compares that.
#[derive(Debug, Clone)]
pub(crate) struct OutputExpectation {
    /// Where the expected records come from.
    pub source: ExpectationSource,
    /// What counts as the same.
    pub rules: ComparisonRules,
    /// Where to write what differs from run to run.
    pub learn: Option<PathBuf>,
    /// Where to read what may differ from run to run.
    pub noise: Option<PathBuf>,
    /// What an input and its output have in common.
    pub correlate: Option<CorrelateBy>,
    /// How long nothing must arrive before the output counts as complete.
    pub quiet: Duration,
    /// How long kreplay waits for the output, at most.
    pub limit: Duration,
}

/// What an input record and the output record that answers it have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CorrelateBy {
    /// The key.
    Key,
    /// A header of this name.
    Header(String),
    /// The node at a JSONPath of the value.
    Value(String),
}

impl FromStr for CorrelateBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "key" => Ok(Self::Key),
            Some(("header", name)) if !name.is_empty() => Ok(Self::Header(name.to_owned())),
            Some(("value", path)) if !path.is_empty() => Ok(Self::Value(path.to_owned())),
            _ => Err("it is `key`, `header:NAME` or `value:PATH`".into()),
        }
    }
}

impl fmt::Display for CorrelateBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("key"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Value(path) => write!(f, "value:{path}"),
        }
    }
}

/// Where the expected records come from.
#[derive(Debug, Clone)]
pub(crate) enum ExpectationSource {
    /// The Produce requests of the capture that is replayed.
    Capture,
    /// Another source.
    Other(Source),
}

/// How to compare two sets of records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ComparisonRules {
    /// JSONPaths within a value whose nodes are left out of the comparison.
    pub ignore: Vec<String>,
    /// What to do with a member that the expectation lacks.
    pub members: NewMembers,
    /// Whether headers are compared.
    pub headers: HeaderRule,
    /// How closely records are compared.
    pub depth: Depth,
    /// Which differences are accepted.
    pub excused: Excused,
    /// Where to write all differences, one per line.
    pub differences: Option<PathBuf>,
}

/// What to do with a member of a JSON object that the expectation lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum NewMembers {
    /// The records differ.
    #[default]
    Differ,
    /// The member is accepted.
    Allowed,
}

/// Whether headers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum HeaderRule {
    /// They may differ.
    #[default]
    Ignored,
    /// Names, values and their order are compared.
    Compared,
}

/// How closely records are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Depth {
    /// Each record.
    #[default]
    Records,
    /// The last record of each key.
    Last,
    /// The number of records of each topic.
    Counts,
}
