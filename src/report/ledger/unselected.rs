//! Records that the selection leaves out, by the flag that leaves them out.

use crate::report::rendering::figures::HumanCount;
use std::fmt;

use serde_json::{Map, Value};

/// Records that the selection leaves out, by the first test that each failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unselected {
    /// Of topics that `--topics` does not select.
    pub topics: u64,
    /// Before `--from`.
    pub from: u64,
    /// At `--to` or after.
    pub to: u64,
    /// Without a time, if one of the two was given.
    pub no_time: u64,
    /// Not in the `--sample`.
    pub sample: u64,
    /// The first ones, by `--skip`.
    pub skip: u64,
    /// Read after those of `--limit`.
    pub limit: u64,
    /// Of another `--shard`.
    pub shard: u64,
    /// Whether reading ended at `--limit`: there may be more records, and something that was not found may
    /// still exist.
    pub ended_early: bool,
}

impl Unselected {
    /// The counts by the names of the flags.
    #[must_use]
    pub fn reasons(&self) -> [(&'static str, u64); 8] {
        [
            ("topics", self.topics),
            ("from", self.from),
            ("to", self.to),
            ("no_time", self.no_time),
            ("sample", self.sample),
            ("skip", self.skip),
            ("limit", self.limit),
            ("shard", self.shard),
        ]
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.reasons().iter().map(|(_, n)| n).sum()
    }

    /// The counts for the JSON report; `None` if nothing is left out.
    pub(in crate::report) fn to_json(self) -> Option<Value> {
        let reasons = self.reasons().into_iter();
        let counts: Map<String, Value> = reasons
            .map(|(name, n)| (name.to_string(), n.into()))
            .collect();
        (self.total() > 0).then_some(Value::Object(counts))
    }

    pub(super) fn merge(&mut self, later: Self) {
        self.topics += later.topics;
        self.from += later.from;
        self.to += later.to;
        self.no_time += later.no_time;
        self.sample += later.sample;
        self.skip += later.skip;
        self.limit += later.limit;
        self.shard += later.shard;
        self.ended_early |= later.ended_early;
    }
}

impl fmt::Display for Unselected {
    /// Writes a line of the text report; nothing if nothing is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = self.reasons().into_iter().filter(|(_, n)| *n > 0);
        let parts: Vec<String> = reasons
            .map(|(name, n)| match name {
                "no_time" => format!("{} without a time", HumanCount(n)),
                flag => format!("{} by --{flag}", HumanCount(n)),
            })
            .collect();
        match parts.is_empty() {
            true => Ok(()),
            false => writeln!(f, "unselected {}", parts.join(", ")),
        }
    }
}
