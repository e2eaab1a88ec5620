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
    /// In whatever a replay reads.
    Source(Source),
    /// In this topic of the destination.
    Topic(String),
}

/// What the service behind the destination is expected to write, and how that is compared.
#[derive(Debug, Clone)]
pub(crate) struct OutputExpectation {
    /// Where it is said.
    pub source: ExpectationSource,
    /// What counts as the same.
    pub rules: ComparisonRules,
    /// Where what differs from run to run is learned into.
    pub learn: Option<PathBuf>,
    /// Where that is read from.
    pub noise: Option<PathBuf>,
    /// What an input and its output have in common.
    pub correlate: Option<CorrelateBy>,
    /// How long nothing must have come before the output is taken for whole.
    pub quiet: Duration,
    /// How long the output is waited for at most.
    pub limit: Duration,
}

/// What a record sent and the record that answers it have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CorrelateBy {
    /// The key.
    Key,
    /// A header of this name.
    Header(String),
    /// What is at a JSONPath of the value.
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

/// What says what is expected.
#[derive(Debug, Clone)]
pub(crate) enum ExpectationSource {
    /// The capture that is replayed, by its Produce requests.
    Capture,
    /// Another source.
    Other(Source),
}

/// How two sets of records are compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ComparisonRules {
    /// JSONPaths below a value whose parts are not compared.
    pub ignore: Vec<String>,
    /// What a member means that the expectation lacks.
    pub members: NewMembers,
    /// Whether headers are compared.
    pub headers: HeaderRule,
    /// How closely records are compared.
    pub depth: Depth,
    /// Which differences are none.
    pub excused: Excused,
    /// Where all differences are written, a line each.
    pub differences: Option<PathBuf>,
}

/// What a member of a JSON object means that the expectation lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum NewMembers {
    /// It makes records differ.
    #[default]
    Differ,
    /// It may be there.
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
