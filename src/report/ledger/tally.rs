//! What extraction counted, and what became of the records.

use super::outcome::OutcomeCounts;
use super::unselected::Unselected;
use crate::report::inspection::census::NameCounts;
use crate::report::ledger::problems::Problems;
use crate::report::ledger::unresolved::UnresolvedIds;

/// What extraction counted in a part of the input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
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
    /// Fetches without records: long polls that timed out.
    pub empty_fetches: u64,
    /// Records found, whatever became of them.
    pub found: u64,
    /// The number of those in transactions, as far as the source shows that.
    pub transactional: u64,
    /// The outcomes of records that are not passed on. The selection counts for itself.
    pub outcomes: OutcomeCounts,
    /// Records that selection leaves out.
    pub unselected: Unselected,
    /// Topics that are known only by ids without a name.
    pub unresolved: UnresolvedIds,
    /// Records with texts that data-loss prevention has replaced, by their captured topics.
    pub redacted: NameCounts,
    /// Records with dates that are still to be resolved, by their captured topics.
    pub date_placeholders: NameCounts,
    /// What went wrong.
    pub problems: Problems,
}

impl Tally {
    /// Bytes of memory besides its own size.
    pub(crate) fn weight(&self) -> usize {
        self.problems.weight()
            + self.unresolved.weight()
            + self.redacted.weight()
            + self.date_placeholders.weight()
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
        self.transactional += later.transactional;
        self.outcomes.merge(&later.outcomes);
        self.unselected.merge(later.unselected);
        self.unresolved.merge(later.unresolved);
        self.redacted.merge(later.redacted);
        self.date_placeholders.merge(later.date_placeholders);
        self.problems.merge(later.problems);
    }
}
