//! The counts that must balance. Extraction fills a [`Tally`], production the rest; the two sides
//! are counted apart, so that a record lost between them shows.

use std::fmt;

use serde_json::{Map, Value};

use super::problems::Problems;
use super::text::HumanCount;
use super::unresolved::UnresolvedIds;

/// What extraction saw in a part of the input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Bytes of input read; of a compressed RRPair input, its compressed bytes.
    pub bytes: u64,
    /// Files of a folder that were left out because they hold no RRPairs.
    pub skipped_files: u64,
    /// Lines of kcat about itself (`% ...`) among record lines.
    pub skipped_lines: u64,
    /// Record lines read, whole or not.
    pub lines: u64,
    /// RRPairs (or rows) read.
    pub rrpairs: u64,
    /// Fetches among them.
    pub fetches: u64,
    /// Fetches that held nothing: long polls that timed out.
    pub empty_fetches: u64,
    /// Records found, whatever became of them.
    pub found: u64,
    /// Control records (transaction markers, KIP-98): never replayed.
    pub control: u64,
    /// Records that the filter leaves out.
    pub filtered: u64,
    /// Further copies of records that were found before.
    pub duplicates: u64,
    /// Records of aborted transactions.
    pub aborted: u64,
    /// Records that selection leaves out.
    pub unselected: Unselected,
    /// Records that cannot be read.
    pub unreadable: u64,
    /// Topics that are known only by ids which nothing names.
    pub unresolved: UnresolvedIds,
    /// What went wrong.
    pub problems: Problems,
}

impl Tally {
    /// Bytes of memory that it takes beside its own size.
    pub(crate) fn weight(&self) -> usize {
        self.problems.weight() + self.unresolved.weight()
    }

    /// Adds a later part's counts.
    pub fn merge(&mut self, later: Self) {
        self.bytes += later.bytes;
        self.lines += later.lines;
        self.skipped_lines += later.skipped_lines;
        self.skipped_files += later.skipped_files;
        self.rrpairs += later.rrpairs;
        self.fetches += later.fetches;
        self.empty_fetches += later.empty_fetches;
        self.found += later.found;
        self.control += later.control;
        self.filtered += later.filtered;
        self.duplicates += later.duplicates;
        self.aborted += later.aborted;
        self.unselected.merge(later.unselected);
        self.unreadable += later.unreadable;
        self.unresolved.merge(later.unresolved);
        self.problems.merge(later.problems);
    }
}

/// Records that selection leaves out, by the question that each failed first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unselected {
    /// Of topics that `--topics` does not take.
    pub topics: u64,
    /// Before `--from`.
    pub from: u64,
    /// At `--to` or after.
    pub to: u64,
    /// Without a time, where one of the two was given.
    pub no_time: u64,
    /// Not in the `--sample`.
    pub sample: u64,
    /// The first ones, by `--skip`.
    pub skip: u64,
    /// Read after those of `--limit`.
    pub limit: u64,
    /// Of another `--shard`.
    pub shard: u64,
    /// Whether reading ended at `--limit`: there may be more records, and what was not found yet may exist.
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

    /// The counts for the JSON report; none when nothing is left out.
    pub(super) fn to_json(self) -> Option<Value> {
        let reasons = self.reasons().into_iter();
        let counts: Map<String, Value> = reasons
            .map(|(name, n)| (name.to_string(), n.into()))
            .collect();
        (self.total() > 0).then_some(Value::Object(counts))
    }

    fn merge(&mut self, later: Self) {
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
    /// Writes a line of the text report; nothing when nothing is left out.
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

/// What became of every record of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Records found in the source.
    pub found: u64,
    /// Further copies of a record.
    pub duplicates: u64,
    /// Left out by the filter.
    pub filtered: u64,
    /// Control records.
    pub control: u64,
    /// Records of aborted transactions.
    pub aborted: u64,
    /// Left out by selection.
    pub unselected: u64,
    /// Records that could not be read or placed.
    pub unreadable: u64,
    /// Acknowledged by the broker.
    pub delivered: u64,
    /// Certain not to be in the log.
    pub not_written: u64,
    /// May or may not be in the log.
    pub unknown: u64,
    /// Never left kreplay.
    pub unsent: u64,
}

impl Ledger {
    /// The entries besides `found`, by the names of the JSON report.
    #[must_use]
    pub fn outcomes(&self) -> [(&'static str, u64); 10] {
        [
            ("duplicates", self.duplicates),
            ("filtered", self.filtered),
            ("control", self.control),
            ("aborted", self.aborted),
            ("unreadable", self.unreadable),
            ("unselected", self.unselected),
            ("delivered", self.delivered),
            ("not_written", self.not_written),
            ("unknown", self.unknown),
            ("unsent", self.unsent),
        ]
    }

    /// Whether every record found is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.found == self.outcomes().iter().map(|(_, n)| n).sum::<u64>()
    }

    /// Records that were to be delivered: all but those left out on purpose.
    #[must_use]
    pub fn wanted(&self) -> u64 {
        self.delivered + self.missing()
    }

    /// Records that should have been delivered and were not.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.unreadable + self.not_written + self.unknown + self.unsent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_balances_only_when_every_record_is_somewhere() {
        let mut ledger = Ledger {
            found: 12,
            ..Ledger::default()
        };
        assert!(!ledger.balances());
        ledger.delivered = 5;
        ledger.control = 2;
        ledger.unsent = 4;
        ledger.unknown = 1;
        assert!(ledger.balances());
        ledger.delivered = 6;
        assert!(!ledger.balances());
    }
}
