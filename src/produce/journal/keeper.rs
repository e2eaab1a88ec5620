//! Keeps the journal of a run: what deliveries tell, written down at the right time.

use std::path::Path;

use super::{Identity, Journal, State};
use crate::error::{self, Error, count};
use crate::offsets::Offsets;
use crate::produce::delivery::Deliveries;
use crate::record::Batch;
use crate::report::Resume;

/// A journal and what earlier runs have left in it.
#[derive(Debug)]
pub(in crate::produce) struct Keeper {
    journal: Journal,
    /// Positions that earlier runs have delivered.
    earlier: Offsets,
}

impl Keeper {
    /// Opens the journal; deliveries are noted from now on.
    ///
    /// # Errors
    /// As of [`Journal::open`].
    pub(in crate::produce) fn open(
        path: &Path,
        identity: Identity,
        deliveries: &Deliveries,
    ) -> Result<Self, Error> {
        let journal = Journal::open(path, identity)?;
        let earlier = journal.delivered();
        deliveries.account().delivered = Some(journal.delivered());
        Ok(Self { journal, earlier })
    }

    /// What the user should know before it goes on.
    pub(in crate::produce) fn note(&self) -> Option<String> {
        let (delivered, uncertain) = (self.earlier.len(), self.journal.may_repeat());
        if delivered == 0 && uncertain == 0 {
            return None;
        }
        let twice = match uncertain {
            0 => "nothing is sent twice".into(),
            n => format!("at most {} may be sent twice", count(n, "record")),
        };
        let records = count(delivered, "record");
        let journal = self.journal.path().display();
        Some(format!(
            "going on after {journal}: {records} are delivered already, {twice}"
        ))
    }

    pub(in crate::produce) fn has_delivered(&self, position: u64) -> bool {
        i64::try_from(position).is_ok_and(|position| self.earlier.contains(position))
    }

    /// As [`Journal::saw`].
    pub(in crate::produce) fn saw(&mut self, batch: &Batch) -> Result<(), Error> {
        self.journal.saw(batch)
    }

    /// As [`Journal::saw_end`].
    pub(in crate::produce) fn saw_end(&self) -> Result<(), Error> {
        self.journal.saw_end()
    }

    /// Makes sure that the journal covers `records` more, beside the `handed` that librdkafka has got.
    ///
    /// # Errors
    /// [`Error::CannotWrite`]: they must not be sent.
    pub(in crate::produce) fn reserve(
        &mut self,
        records: u64,
        handed: u64,
        deliveries: &Deliveries,
    ) -> Result<(), Error> {
        self.write(handed, deliveries, |journal, state| {
            journal.reserve(records, state)
        })
    }

    /// Writes down how things are.
    ///
    /// # Errors
    /// [`Error::CannotWrite`].
    pub(in crate::produce) fn update(
        &mut self,
        handed: u64,
        deliveries: &Deliveries,
    ) -> Result<(), Error> {
        self.write(handed, deliveries, Journal::update)
    }

    fn write(
        &mut self,
        handed: u64,
        deliveries: &Deliveries,
        write: impl FnOnce(&mut Journal, State<'_>) -> std::io::Result<()>,
    ) -> Result<(), Error> {
        let account = deliveries.account();
        let Some(delivered) = &account.delivered else {
            return Ok(());
        };
        let unanswered = handed.saturating_sub(account.counts.answered());
        let state = State {
            delivered,
            uncertain: unanswered + account.counts.unknown,
        };
        write(&mut self.journal, state).map_err(|e| Error::CannotWrite {
            what: "the journal",
            reason: error::reason(&e),
        })
    }

    /// What the report tells of it.
    pub(in crate::produce) fn resume(&self, skipped: u64) -> Resume {
        Resume {
            journal: self.journal.path().display().to_string(),
            skipped,
            may_repeat: self.journal.may_repeat(),
        }
    }
}
