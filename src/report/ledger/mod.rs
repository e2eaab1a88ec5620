//! The counts that must balance. Extraction fills a [`Tally`], production the rest; the two sides
//! are counted apart, so that a record lost between them shows.

pub(super) mod exit;
mod outcome;
pub(super) mod problems;
mod tally;
pub(super) mod unresolved;
mod unselected;

use std::fmt;
use std::ops::{Index, IndexMut};

use serde_json::{Map, Value};

use self::outcome::Meaning;
use crate::error::ExitCode;
use crate::report::rendering::figures::HumanCount;

pub use self::outcome::{LedgerOf, Outcome, OutcomeCounts};
pub use self::tally::Tally;
pub use self::unselected::Unselected;

/// What became of every record of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Records found in the source.
    pub found: u64,
    of: LedgerOf,
    counts: OutcomeCounts,
}

impl Ledger {
    /// What extraction counted of the records that a command found; the command adds what it did with the
    /// others.
    #[must_use]
    pub fn new(of: LedgerOf, tally: &Tally) -> Self {
        let mut counts = tally.outcomes;
        counts[Outcome::Unselected] += tally.unselected.total();
        Self {
            found: tally.found,
            of,
            counts,
        }
    }

    /// The counts of the outcomes that the command knows.
    pub fn entries(&self) -> impl Iterator<Item = (Outcome, u64)> + '_ {
        let known = Outcome::ALL.into_iter();
        let known = known.filter(|outcome| outcome.is_of(self.of));
        known.map(|outcome| (outcome, self.counts[outcome]))
    }

    /// Whether every record found is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.found == self.counts.total()
    }

    /// Records that had to be delivered: all except for those left out on purpose.
    #[must_use]
    pub fn wanted(&self) -> u64 {
        self.sum(Meaning::Done) + self.missing()
    }

    /// Records that should have been delivered, or printed, and were not.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.sum(Meaning::Missing)
    }

    /// What the ledger means for the exit code.
    pub(super) fn exit(&self) -> ExitCode {
        match self.missing() {
            _ if !self.balances() => ExitCode::Defect,
            0 => ExitCode::Success,
            _ => ExitCode::Incomplete,
        }
    }

    fn sum(&self, meaning: Meaning) -> u64 {
        let meant = self
            .entries()
            .filter(|(outcome, _)| outcome.meaning() == meaning);
        meant.map(|(_, n)| n).sum()
    }

    /// `found` and the outcomes, for the JSON report.
    pub(super) fn to_json(self) -> Map<String, Value> {
        let entries = self.entries().map(|(outcome, n)| (outcome.name(), n));
        let all = std::iter::once(("found", self.found)).chain(entries);
        all.map(|(name, n)| (name.to_owned(), n.into())).collect()
    }
}

impl Index<Outcome> for Ledger {
    type Output = u64;

    fn index(&self, outcome: Outcome) -> &u64 {
        &self.counts[outcome]
    }
}

impl IndexMut<Outcome> for Ledger {
    fn index_mut(&mut self, outcome: Outcome) -> &mut u64 {
        &mut self.counts[outcome]
    }
}

impl fmt::Display for Ledger {
    /// Writes a line of the text report. It shows the purpose of the command even if the count is 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_shown = |(outcome, n): &(Outcome, u64)| *n > 0 || outcome.meaning() == Meaning::Done;
        let shown = self.entries().filter(is_shown);
        let parts: Vec<String> = shown
            .map(|(outcome, n)| format!("{} {}", HumanCount(n), outcome.shown()))
            .collect();
        let check = match self.balances() {
            true => "",
            false => "  DOES NOT BALANCE",
        };
        let (found, parts) = (HumanCount(self.found), parts.join(" + "));
        writeln!(f, "found      {found} = {parts}{check}")
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
        ledger[Outcome::Delivered] = 5;
        ledger[Outcome::Control] = 2;
        ledger[Outcome::Unsent] = 4;
        ledger[Outcome::Unknown] = 1;
        assert!(ledger.balances());
        assert_eq!((ledger.wanted(), ledger.missing()), (10, 5));
        ledger[Outcome::Delivered] = 6;
        assert!(!ledger.balances());
    }

    #[test]
    fn each_command_shows_its_own_outcomes() {
        let mut tally = Tally {
            found: 1004,
            ..Tally::default()
        };
        tally.outcomes[Outcome::Control] = 1;
        tally.unselected.skip = 3;
        for (of, done, members, text) in [
            (
                LedgerOf::Replay,
                Outcome::Delivered,
                "found duplicates filtered control aborted unreadable unselected delivered not_written unknown unsent",
                "found      1,004 = 1 control + 3 unselected + 1,000 delivered\n",
            ),
            (
                LedgerOf::Extract,
                Outcome::Printed,
                "found duplicates filtered control aborted unreadable unselected printed unprinted",
                "found      1,004 = 1 control + 3 unselected + 1,000 printed\n",
            ),
            (
                LedgerOf::Inspect,
                Outcome::Replayable,
                "found duplicates filtered control aborted unreadable unselected records",
                "found      1,004 = 1 control + 3 unselected + 1,000 to replay\n",
            ),
            (
                LedgerOf::Plan,
                Outcome::ToSend,
                "found duplicates filtered control aborted unreadable unselected to_send not_written unsent",
                "found      1,004 = 1 control + 3 unselected + 1,000 to send\n",
            ),
        ] {
            let mut ledger = Ledger::new(of, &tally);
            assert!(!ledger.balances());
            ledger[done] = 1000;
            assert_eq!(ledger.to_string(), text);
            let json = ledger.to_json();
            let found: Vec<&str> = json.keys().map(String::as_str).collect();
            assert_eq!(found.join(" "), members);
            assert_eq!(
                (&json["unselected"], &json["control"]),
                (&3.into(), &1.into())
            );
        }
    }
}
