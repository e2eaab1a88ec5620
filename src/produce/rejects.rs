//! The rejects file: what was found and not delivered, as record lines with the reason. Written as
//! it happens, so that it is complete whatever ends the run.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use crate::error::{self, Error};
use crate::record::{Batch, Record};
use crate::record_line;

/// What became of a record that was not delivered, by the names of the report's ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    NotWritten,
    Unknown,
    Unsent,
    Unreadable,
}

impl Fate {
    fn name(self) -> &'static str {
        match self {
            Self::NotWritten => "not_written",
            Self::Unknown => "unknown",
            Self::Unsent => "unsent",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Where rejects go; nowhere when no file was asked for.
#[derive(Debug, Default)]
pub(super) struct Rejects {
    file: Option<Arc<File>>,
    line: Vec<u8>,
    failure: Option<Error>,
}

impl Rejects {
    pub(super) fn into(file: Option<Arc<File>>) -> Self {
        Self {
            file,
            ..Self::default()
        }
    }

    /// Writes a record down; a failure is kept for the report, and the replay goes on.
    pub(super) fn add(&mut self, batch: &Batch, record: &Record, fate: Fate, reason: &str) {
        let Some(file) = &self.file else {
            return;
        };
        self.line.clear();
        record_line::write_reject(batch, record, fate.name(), reason, &mut self.line);
        if let Err(e) = (&**file).write_all(&self.line) {
            // What has failed once would leave gaps that nobody sees.
            self.file = None;
            self.failure = Some(Error::RejectsNotWritten {
                reason: error::reason(&e),
            });
        }
    }

    /// Why the file is not complete.
    pub(super) fn failure(&self) -> Option<Error> {
        self.failure.clone()
    }
}
