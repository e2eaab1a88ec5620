//! The possible outcomes of a record: the entries of every ledger. A new one is a line here; the code that
//! shows a ledger, checks it or writes it as JSON iterates over all of them.

use std::ops::{Index, IndexMut};

/// The commands that have a ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LedgerOf {
    /// `kreplay replay`, and a snapshot that is replayed.
    #[default]
    Replay,
    /// `kreplay extract`.
    Extract,
    /// `kreplay inspect`.
    Inspect,
    /// `kreplay plan`.
    Plan,
}

/// What an outcome means for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Left out on purpose.
    LeftOut,
    /// The purpose of the command.
    Done,
    /// It should have been done but was not.
    Missing,
}

/// Writes the enum and what is known about each variant: its name in JSON, what it means, and which ledgers
/// have it (none given: all of them).
macro_rules! outcomes {
    ($($(#[$doc:meta])+ $outcome:ident = $name:literal, $meaning:ident $(, of $($command:ident)|+)?;)+) => {
        /// What became of a record that was found.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Outcome {
            $($(#[$doc])+ $outcome,)+
        }

        impl Outcome {
            /// All of them, in the order in which they are shown.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$outcome),+];

            /// The member of the JSON report's ledger.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$outcome => $name,)+
                }
            }

            pub(super) fn meaning(self) -> Meaning {
                match self {
                    $(Self::$outcome => Meaning::$meaning,)+
                }
            }

            /// The commands whose ledgers have it; empty if all have it.
            fn commands(self) -> &'static [LedgerOf] {
                match self {
                    $(Self::$outcome => &[$($(LedgerOf::$command),+)?],)+
                }
            }
        }
    };
}

outcomes! {
    /// A further copy of a record that was found before.
    Duplicate = "duplicates", LeftOut;
    /// The filter leaves it out.
    Filtered = "filtered", LeftOut;
    /// A control record (transaction marker, KIP-98).
    Control = "control", LeftOut;
    /// Of an aborted transaction.
    Aborted = "aborted", LeftOut;
    /// It could not be read, or its destination is unknown.
    Unreadable = "unreadable", Missing;
    /// The selection leaves it out.
    Unselected = "unselected", LeftOut;
    /// Acknowledged by the broker.
    Delivered = "delivered", Done, of Replay;
    /// It would be sent, and its topic would accept it.
    ToSend = "to_send", Done, of Plan;
    /// Certain not to be in the log.
    NotWritten = "not_written", Missing, of Replay | Plan;
    /// May or may not be in the log.
    Unknown = "unknown", Missing, of Replay;
    /// Never left kreplay.
    Unsent = "unsent", Missing, of Replay | Plan;
    /// Written to stdout.
    Printed = "printed", Done, of Extract;
    /// Ready, but not written any more.
    Unprinted = "unprinted", Missing, of Extract;
    /// A replay would send it.
    Replayable = "records", Done, of Inspect;
}

impl Outcome {
    /// Whether the ledger of a command has it.
    pub(super) fn is_of(self, ledger: LedgerOf) -> bool {
        let commands = self.commands();
        commands.is_empty() || commands.contains(&ledger)
    }

    /// Its name in a report for people.
    pub(super) fn shown(self) -> String {
        match self {
            Self::Replayable => "to replay".into(),
            other => other.name().replace('_', " "),
        }
    }
}

/// The number of records with each outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutcomeCounts([u64; Outcome::ALL.len()]);

impl OutcomeCounts {
    /// The records of all outcomes.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(super) fn merge(&mut self, later: &Self) {
        for (count, more) in self.0.iter_mut().zip(later.0) {
            *count += more;
        }
    }
}

impl Index<Outcome> for OutcomeCounts {
    type Output = u64;

    fn index(&self, outcome: Outcome) -> &u64 {
        &self.0[outcome as usize]
    }
}

impl IndexMut<Outcome> for OutcomeCounts {
    fn index_mut(&mut self, outcome: Outcome) -> &mut u64 {
        &mut self.0[outcome as usize]
    }
}
