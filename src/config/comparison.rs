//! What counts as the same when records are compared.

use std::path::PathBuf;

use super::Source;
pub use crate::report::{Excuse, Excused};

/// Where the records of one side are.
#[derive(Debug, Clone)]
pub enum ComparedSource {
    /// In whatever a replay reads.
    Source(Source),
    /// In this topic of the destination.
    Topic(String),
}

/// How two sets of records are compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ComparisonRules {
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
pub enum NewMembers {
    /// It makes records differ.
    #[default]
    Differ,
    /// It may be there.
    Allowed,
}

/// Whether headers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeaderRule {
    /// They may differ.
    #[default]
    Ignored,
    /// Names, values and their order are compared.
    Compared,
}

/// How closely records are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// Each record.
    #[default]
    Records,
    /// The last record of each key.
    Last,
    /// The number of records of each topic.
    Counts,
}
