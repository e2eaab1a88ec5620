//! The rejects file: what was found and not delivered, as record lines with the reason. Written as
//! it happens, so that it is complete whatever ends the run.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::error::{self, Error};
use crate::record::{Batch, CapturedFrom, Record};
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

/// Brokers and clusters that are told of; no capture has more to tell.
const MOST_PLACES: usize = 512;

/// Where rejects go; nowhere when no file was asked for.
#[derive(Debug, Default)]
pub(super) struct Rejects {
    file: Option<File>,
    /// What is in the file when the run begins goes.
    is_replaced: bool,
    line: Vec<u8>,
    /// What is known of the captured cluster, and how much of it the file tells by now.
    captured_from: Vec<CapturedFrom>,
    told: usize,
    written: u64,
    failure: Option<Error>,
}

/// What becomes of rejects that are in the file already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Former {
    /// They may not have been sent again yet.
    Keep,
    /// This run tries all of them again.
    Replace,
}

impl Rejects {
    /// Opens the file for rejects.
    ///
    /// # Errors
    /// [`Error::Config`] when it cannot be written, or has rejects that are to be kept.
    pub(super) fn open(path: Option<&Path>, former: Former) -> Result<Self, Error> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let name = path.display();
        let failed = |e| {
            Error::config(format!(
                "cannot write the rejects to {name}: {}",
                error::reason(&e)
            ))
        };
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let holds_some = metadata.is_file() && metadata.len() > 0;
        if holds_some && former == Former::Keep {
            return Err(Error::Config {
                message: format!("the rejects file {name} holds rejects already"),
                hint: Some(format!(
                    "send them with `kreplay records {name}`, name another file, or remove it"
                )),
            });
        }
        Ok(Self {
            file: Some(file),
            is_replaced: holds_some,
            ..Self::default()
        })
    }

    /// The run begins: what it tries again is no reject any more.
    pub(super) fn begin(&mut self) {
        if self.is_replaced
            && let Some(Err(e)) = self.file.as_ref().map(|file| file.set_len(0))
        {
            self.fail(&e);
        }
    }

    /// Takes note of where records are from, so that rejects that are sent again are not sent there.
    pub(super) fn note(&mut self, captured_from: &CapturedFrom) {
        let known = &mut self.captured_from;
        if known.len() < MOST_PLACES && !known.contains(captured_from) {
            known.push(captured_from.clone());
        }
    }

    /// Writes a record down; a failure is kept for the report, and the replay goes on.
    pub(super) fn add(&mut self, batch: &Batch, record: &Record, fate: Fate, reason: &str) {
        let Some(file) = &mut self.file else {
            return;
        };
        self.line.clear();
        let untold = &self.captured_from[self.told..];
        let fate = (fate.name(), reason);
        record_line::write_reject(batch, record, untold, fate, &mut self.line);
        self.told = self.captured_from.len();
        self.written += 1;
        if let Err(e) = file.write_all(&self.line) {
            self.written -= 1;
            self.fail(&e);
        }
    }

    /// What has failed once would leave gaps that nobody sees.
    fn fail(&mut self, error: &io::Error) {
        self.file = None;
        self.failure = Some(Error::CannotWrite {
            what: "all rejects",
            reason: error::reason(error),
        });
    }

    /// Records in the file.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Why the file is not complete.
    pub(super) fn failure(&self) -> Option<Error> {
        self.failure.clone()
    }
}
