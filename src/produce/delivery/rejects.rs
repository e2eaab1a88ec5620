//! The rejects file: what was found and not delivered, as record lines with the reason. It is written
//! during the run, so that it is complete whatever ends the run.

use std::fs::{self, File, TryLockError};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::error;
use crate::error::Error;
use crate::host::control::Control;
use crate::host::outputs::{LineFile, append, is_regular};
use crate::record::lines;
use crate::record::{Batch, CapturedFrom, Record};
use crate::report::Outcome;
use crate::report::rendering::figures::count;

/// The most bytes of rejects that wait until the source is known to be the same.
const MOST_WAITING: usize = 16 << 20;
/// How much of a file to read to see whether it holds rejects: a line, unless it is longer.
const MOST_LOOKED_AT: u64 = 128 << 20;

/// How many brokers and clusters a file names; no capture shows more.
const MOST_PLACES: usize = 512;

/// Where rejects go; nowhere if the user asked for no file.
#[derive(Debug, Default)]
pub(in crate::produce) struct Rejects {
    control: Control,
    file: Option<File>,
    /// Whether the content of the file is removed when the run begins.
    is_replaced: bool,
    /// Rejects of this run, until it is certain that the content of the file may be removed.
    waiting: Option<Vec<u8>>,
    lines: Option<LineFile>,
    line: Vec<u8>,
    /// What is known about the captured cluster, and how much of it the file names by now.
    captured_from: Vec<CapturedFrom>,
    named: usize,
    added: u64,
    failure: Option<Error>,
}

/// What to do with rejects that are in the file already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::produce) enum Former<'a> {
    /// They may not have been sent again yet.
    Keep,
    /// This run sends all of them again, because it continues after the one that has left them.
    Replace,
    /// This run keeps a new journal, which does not know them.
    KeepBeside(&'a Path),
}

/// Whether a record with this outcome is a reject: found, not left out on purpose, and not certain to be in the
/// log.
fn is_reject(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Unreadable | Outcome::NotWritten | Outcome::Unknown | Outcome::Unsent => true,
        Outcome::Duplicate
        | Outcome::Filtered
        | Outcome::Control
        | Outcome::Aborted
        | Outcome::Unselected
        | Outcome::Delivered
        | Outcome::ToSend
        | Outcome::Printed
        | Outcome::Unprinted
        | Outcome::Replayable => false,
    }
}

impl Rejects {
    /// Opens the file for rejects, and locks it against other runs.
    ///
    /// # Errors
    /// Returns [`Error::Config`] if the file cannot be written, is in use, or holds something that must be
    /// kept.
    pub(in crate::produce) fn open(
        path: Option<&Path>,
        former: Former<'_>,
        control: &Control,
    ) -> Result<Self, Error> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let name = path.display();
        let failed =
            |why: String| Error::config(format!("cannot write the rejects to {name}: {why}"));
        let file = append(path, || control.is_stopping());
        let file = file.map_err(|e| failed(error::reason(&e)))?;
        // A file system without locks has none to respect.
        if is_regular(&file) && matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(failed("another run is using it".into()));
        }
        let metadata = file.metadata().map_err(|e| failed(error::reason(&e)))?;
        let holds_some = metadata.is_file() && metadata.len() > 0;
        if holds_some {
            check_former(path, former)?;
        }
        Ok(Self {
            control: control.clone(),
            file: Some(file),
            is_replaced: holds_some,
            ..Self::default()
        })
    }

    /// Whether this run replaces rejects of earlier runs in the file.
    pub(in crate::produce) fn are_replaced(&self) -> bool {
        self.is_replaced
    }

    /// Notes that the run begins.
    pub(in crate::produce) fn begin(&mut self) {
        match self.is_replaced {
            true => self.waiting = Some(Vec::new()),
            false => self.start_writing(),
        }
    }

    /// Notes that the run sends again what earlier ones have rejected, so that those are no longer rejects.
    pub(in crate::produce) fn replace_former(&mut self) {
        if self.waiting.is_some() {
            self.start_writing();
        }
    }

    /// Notes that the run is refused: what earlier ones have rejected stays.
    pub(in crate::produce) fn keep_former(&mut self) {
        if self.waiting.take().is_some() {
            self.file = None;
        }
    }

    fn start_writing(&mut self) {
        let waiting = self.waiting.take().unwrap_or_default();
        let Some(file) = self.file.take() else {
            return;
        };
        if let Some(Err(e)) = self.is_replaced.then(|| file.set_len(0)) {
            self.failure = Some(cannot_write(&error::reason(&e)));
            return;
        }
        let lines = self.lines.insert(LineFile::to(file));
        lines.add(&waiting, || self.control.patience());
    }

    /// Notes where records come from, so that rejects that are sent again are not sent there.
    pub(in crate::produce) fn note(&mut self, captured_from: &CapturedFrom) {
        let known = &mut self.captured_from;
        if known.len() < MOST_PLACES && !known.contains(captured_from) {
            known.push(captured_from.clone());
        }
    }

    /// Writes a record if its outcome makes it a reject; a failure is kept for the report, and the replay
    /// continues.
    pub(in crate::produce) fn add(
        &mut self,
        batch: &Batch,
        record: &Record,
        outcome: Outcome,
        reason: &str,
    ) {
        let is_open = self.lines.is_some() || self.waiting.is_some();
        if !is_open || !is_reject(outcome) {
            return;
        }
        self.line.clear();
        let not_named = &self.captured_from[self.named..];
        let outcome = (outcome.name(), reason);
        lines::write_reject(batch, record, not_named, outcome, &mut self.line);
        self.named = self.captured_from.len();
        self.added += 1;
        if let Some(lines) = &self.lines {
            lines.add(&self.line, || self.control.patience());
        } else if let Some(waiting) = &mut self.waiting {
            waiting.extend_from_slice(&self.line);
            if waiting.len() > MOST_WAITING {
                self.start_writing();
            }
        }
    }

    /// Waits until everything that was added is written, as long as the run may take.
    pub(in crate::produce) fn finish(&mut self) {
        self.replace_former();
        let Some(lines) = &self.lines else {
            return;
        };
        lines.finish(|| self.control.patience());
        if let Some(why) = lines.failure() {
            let missing = count(self.added.saturating_sub(lines.written()), "record");
            self.failure = Some(cannot_write(&format!("{why} ({missing} missing)")));
        }
    }

    /// The number of records in the file.
    pub(in crate::produce) fn written(&self) -> u64 {
        self.lines.as_ref().map_or(0, LineFile::written)
    }

    /// Why the file is incomplete.
    pub(in crate::produce) fn failure(&self) -> Option<Error> {
        self.failure.clone()
    }
}

fn cannot_write(reason: &str) -> Error {
    Error::CannotWrite {
        what: "all rejects",
        reason: reason.into(),
    }
}

/// # Errors
/// Returns [`Error::Config`] if this run must not remove the content of the file.
fn check_former(path: &Path, former: Former<'_>) -> Result<(), Error> {
    let name = path.display();
    let held = |message: String, send: String| Error::Config {
        message,
        hint: Some(format!("{send}name another file, or remove it")),
    };
    let send = format!("send them with `kreplay replay {name}`, ");
    match former {
        Former::Keep => {
            let message = format!("the rejects file {name} already holds rejects");
            Err(held(message, send))
        }
        Former::KeepBeside(journal) => Err(unknown_to("new journal", journal, path)),
        Former::Replace if !holds_rejects(path) => {
            let message = format!("the rejects file {name} holds something that is not a reject");
            Err(held(message, String::new()))
        }
        Former::Replace => Ok(()),
    }
}

/// The error that the rejects in `path` are another replay's.
pub(in crate::produce) fn unknown_to(what: &str, journal: &Path, path: &Path) -> Error {
    let (name, journal) = (path.display(), journal.display());
    Error::Config {
        message: format!(
            "the rejects file {name} already holds rejects that the {what} {journal} does not know"
        ),
        hint: Some(format!(
            "send them with `kreplay replay {name}`, name another file, or remove it"
        )),
    }
}

/// Whether the first line of a file is a reject.
fn holds_rejects(path: &Path) -> bool {
    let mut line = String::new();
    let Ok(file) = fs::File::open(path) else {
        return false;
    };
    let read = BufReader::new(file.take(MOST_LOOKED_AT)).read_line(&mut line);
    let line: Option<serde_json::Value> = read.ok().and_then(|_| serde_json::from_str(&line).ok());
    line.is_some_and(|line| line["outcome"].is_string() && line["reason"].is_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;

    #[test]
    fn what_is_missing_from_the_log_or_may_be_is_a_reject_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("rejects.jsonl");
        let control = Control::default();
        let mut rejects = Rejects::open(Some(&path), Former::Keep, &control).expect("a new file");
        rejects.begin();
        let mut batch = Batch::default();
        let origin = Origin { input: 0, line: 1 };
        let line = br#"{"topic":"orders","partition":0,"offset":7,"value":"v"}"#;
        lines::read(line, origin, &mut batch).expect("a record line");
        for outcome in Outcome::ALL {
            rejects.add(&batch, &batch.records[0], outcome, "a test");
        }
        rejects.finish();
        assert_eq!(rejects.failure(), None);
        let text = fs::read_to_string(&path).expect("it is written");
        let outcomes = text.lines().map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("a record line");
            line["outcome"].as_str().expect("a word").to_owned()
        });
        let outcomes: Vec<String> = outcomes.collect();
        assert_eq!(outcomes, ["unreadable", "not_written", "unknown", "unsent"]);
    }
}
