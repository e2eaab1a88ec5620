//! The journal of `--resume`: which records of the source are delivered and which may be. It is written
//! during the run, so that the same command continues where a run has ended, however it ended.
//!
//! Records are identified by their positions (`order/`), not by counts: what one run leaves uncertain stays
//! so, whatever the next one does, until a run has delivered it. The same input yields the same positions,
//! so everything that changes them is part of what a journal belongs to. Checksums show that the records up
//! to the last one delivered are the same, before any of them is skipped or sent.
//!
//! The system keeps what was written when the process is killed; after a crash of the machine, lines may be
//! missing.

mod checksum;
mod disk;
mod file;
mod identity;
mod line;
mod rejects_file;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use self::identity::Identity;
pub(crate) use self::line::try_journal;
pub(in crate::produce) use self::writer::JournalWriter;

/// What became of records since the journal was last written. Only the final outcome of a record belongs
/// here: one that may still be sent again is neither delivered nor not written.
#[derive(Debug, Default)]
pub(in crate::produce) struct NewOutcomes {
    delivered: Vec<i64>,
    not_written: Vec<i64>,
}

impl NewOutcomes {
    /// The record at `position` is in the log.
    pub(in crate::produce) fn delivered(&mut self, position: u64) {
        self.delivered.extend(i64::try_from(position));
    }

    /// This run has not put the record at `position` into the log, and never will.
    pub(in crate::produce) fn not_written(&mut self, position: u64) {
        self.not_written.extend(i64::try_from(position));
    }
}
