//! Writes down what is sent and what becomes of it, at the right time: a line is in the file before
//! the records that it announces are sent.

mod resume;

use std::path::{Path, PathBuf};

use super::checksum::Checksum;
use super::disk::Disk;
use super::file::{JournalFile, JournalRefusal};
use super::line::{FIRST, JournalLine, JournalState, PositionRange, Unusable};
use super::{Identity, NewOutcomes, line};
use crate::error;
use crate::error::Error;
use crate::host::control::Control;
use crate::produce::delivery::Deliveries;
use crate::record::Batch;
use crate::record::offsets::Offsets;
use crate::report::rendering::figures::count;

/// Bytes at which the journal is written anew with what all of its lines add up to.
const LONGEST: u64 = 4 << 20;
/// What to do about a journal of something else.
const ANOTHER: &str = "use another file for `--resume`, or remove this one to begin anew";

/// An open journal.
#[derive(Debug)]
pub(in crate::produce) struct JournalWriter {
    /// As the user names it.
    pub(super) path: PathBuf,
    file: Disk,
    identity: Identity,
    pub(super) state: JournalState,
    /// What earlier runs have left uncertain: what this run does not write may be in the log all the
    /// same.
    inherited: Offsets,
    /// How many records that are; none when nobody knows.
    may_repeat: Option<u64>,
    /// The line of the file that could not be read.
    damaged: Option<usize>,
    checksum: Checksum,
    /// Whether the source was found to be another one.
    is_refuted: bool,
    /// What is not written down yet.
    pub(super) next: JournalLine,
    /// Bytes at which the file is written anew.
    longest: u64,
}

impl JournalWriter {
    /// Opens the journal at `path`, or creates it, and reads what is in it.
    ///
    /// # Errors
    /// [`Error::Config`] for a file that is not a journal, belongs to something else than `identity`,
    /// or is in use.
    pub(in crate::produce) fn open(
        path: &Path,
        identity: Identity,
        control: &Control,
    ) -> Result<Self, Error> {
        let (mut file, text) = JournalFile::open(path).map_err(|e| refused(path, &e))?;
        let found = line::read(&text, &identity).map_err(|why| unusable(path, why))?;
        file.cut_off_at(found.length);
        let state = found.state;
        let mut journal = Self {
            path: path.into(),
            file: Disk::new(file, control.clone()),
            identity,
            inherited: state.uncertain.clone(),
            may_repeat: state.count_uncertain(),
            damaged: found.damaged,
            checksum: Checksum::expecting(&state.read),
            is_refuted: false,
            next: JournalLine {
                n: found.n + 1,
                ..JournalLine::default()
            },
            longest: LONGEST,
            state,
        };
        if found.n < FIRST {
            journal.begin().map_err(|e| refused(path, &e.into()))?;
        } else if found.damaged.is_some() || found.lacks_newline {
            journal.rewrite().map_err(|e| refused(path, &e.into()))?;
        }
        Ok(journal)
    }

    /// The first lines of a new journal: all of them are there, or none.
    fn begin(&mut self) -> std::io::Result<()> {
        self.rewrite().or_else(|_| {
            // A folder that takes no new file may hold one that is writable.
            self.file.append(self.state.text(&self.identity))?;
            self.next.n = FIRST + 1;
            Ok(())
        })
    }

    /// What the user should know before it goes on.
    pub(in crate::produce) fn note(&self) -> Option<String> {
        let delivered = self.state.delivered.len();
        if delivered == 0 && self.may_repeat == Some(0) {
            return None;
        }
        let twice = match (self.may_repeat, self.damaged) {
            (Some(0), _) => "nothing is sent twice".into(),
            (Some(n), _) => format!("at most {} may be sent twice", count(n, "record")),
            (None, Some(line)) => format!(
                "how many may be sent twice is not known, because line {line} of the journal is damaged"
            ),
            (None, None) => {
                "how many may be sent twice is not known, because the journal was damaged".into()
            }
        };
        let records = count(delivered, "record");
        let journal = self.path.display();
        let are = if delivered == 1 { "is" } else { "are" };
        Some(format!(
            "going on after {journal}: {records} {are} delivered already, {twice}"
        ))
    }

    /// Whether an earlier run has delivered the record at `position`. Never of a record that is not
    /// known to be the one that the earlier run has read.
    pub(in crate::produce) fn has_delivered(&self, position: u64) -> bool {
        !self.is_refuted && self.state.delivered.contains(signed(position))
    }

    /// Whether an earlier run has delivered something.
    pub(in crate::produce) fn goes_on(&self) -> bool {
        self.state.delivered.len() > 0
    }

    /// Takes note of the next records of the source, and says how many from its beginning may be sent
    /// or skipped: those that are found to be the ones that the journal was written over.
    ///
    /// # Errors
    /// [`Error::Config`] when they are not.
    pub(in crate::produce) fn observe(&mut self, batch: &Batch) -> Result<u64, Error> {
        match self.checksum.add(batch) {
            true => Ok(self.checksum.confirmed()),
            false => Err(self.other_input()),
        }
    }

    /// Whether the source was found to be another one.
    pub(in crate::produce) fn is_refuted(&self) -> bool {
        self.is_refuted
    }

    /// Writes down that the records at `positions` are about to be sent, but for those delivered
    /// before.
    ///
    /// # Errors
    /// [`Error::CannotWrite`]: they must not be sent.
    pub(in crate::produce) fn announce(
        &mut self,
        positions: impl Iterator<Item = u64>,
        deliveries: &Deliveries,
    ) -> Result<(), Error> {
        let positions = positions.map(signed);
        let new = positions.filter(|position| !self.state.delivered.contains(*position));
        let sending = ranges(new.collect());
        if sending.is_empty() {
            return Ok(());
        }
        self.next.sending = sending;
        let written = self.update(deliveries);
        if written.is_err() {
            self.next.sending.clear();
        }
        written
    }

    /// Writes down what is new.
    ///
    /// # Errors
    /// [`Error::CannotWrite`]; what was to be written is tried again with the next line.
    pub(in crate::produce) fn update(&mut self, deliveries: &Deliveries) -> Result<(), Error> {
        let answers = deliveries.account().answers.as_mut().map(std::mem::take);
        let NewOutcomes {
            delivered,
            not_written,
        } = answers.unwrap_or_default();
        self.next.delivered.extend(ranges(delivered));
        let inherited = &self.inherited;
        let of_this_run = not_written.into_iter().filter(|p| !inherited.contains(*p));
        self.next.not_written.extend(ranges(of_this_run.collect()));
        if self.next.says_nothing() {
            return Ok(());
        }
        self.write().map_err(|e| Error::CannotWrite {
            what: "the journal",
            reason: error::reason(&e),
        })
    }

    fn write(&mut self) -> std::io::Result<()> {
        let highest = self.next.delivered.iter().map(|(_, end)| *end).max();
        let highest = highest.max(self.state.delivered.ends().map(|(_, last)| last + 1));
        let known = self.state.read.last().map_or(0, |last| last.0);
        let reached = highest.and_then(|end| self.checksum.at(end.unsigned_abs()));
        self.next.read = reached.filter(|at| at.0 > known).into_iter().collect();
        self.file.append(line::encode(&self.next))?;
        let n = self.next.n;
        let line = std::mem::take(&mut self.next);
        self.state.apply(&line);
        self.next.n = n + 1;
        if self.file.length() > self.longest && self.rewrite().is_err() {
            // It goes on growing: that is no reason to stop.
            self.longest *= 2;
        }
        Ok(())
    }

    /// Replaces the file by one with what all lines add up to.
    fn rewrite(&mut self) -> std::io::Result<()> {
        let text = self.state.text(&self.identity);
        let length = text.len() as u64;
        self.file.replace(text)?;
        // Many gaps make long lines, which are worth some time between them.
        self.longest = LONGEST.max(4 * length);
        self.next.n = FIRST + 1;
        Ok(())
    }
}

fn signed(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// Positions as ranges that rise and do not touch.
fn ranges(mut positions: Vec<i64>) -> Vec<PositionRange> {
    positions.sort_unstable();
    let mut ranges: Vec<PositionRange> = Vec::new();
    for position in positions {
        match ranges.last_mut() {
            Some((_, end)) if *end == position => *end += 1,
            _ => ranges.push((position, position + 1)),
        }
    }
    ranges
}

fn refused(path: &Path, refusal: &JournalRefusal) -> Error {
    let journal = path.display();
    let name_another = "name a file that `--resume` may create";
    let (why, hint) = match refusal {
        JournalRefusal::NotRegular => (" is not a regular file".to_string(), Some(name_another)),
        JournalRefusal::NoJournal => (" is not a journal of kreplay".into(), Some(name_another)),
        JournalRefusal::HardLinked => (
            " has another name, a hard link, which would keep its old content".into(),
            Some("use a copy of it, or a symbolic link"),
        ),
        JournalRefusal::InUse => (": another run is using it".into(), None),
        JournalRefusal::Failed(e) => (format!(": {}", error::reason(e)), None),
    };
    Error::Config {
        message: format!("the journal {journal}{why}"),
        hint: hint.map(Into::into),
    }
}

fn unusable(path: &Path, why: Unusable) -> Error {
    let why = match why {
        Unusable::NoJournal => return refused(path, &JournalRefusal::NoJournal),
        Unusable::AnotherVersion => "was written by another version of kreplay".to_string(),
        Unusable::OfAnother(what) => format!("belongs to another {what}"),
        Unusable::Damaged(line) => {
            format!("is damaged in line {line}, without which it says nothing")
        }
    };
    Error::Config {
        message: format!("the journal {} {why}", path.display()),
        hint: Some(ANOTHER.into()),
    }
}
