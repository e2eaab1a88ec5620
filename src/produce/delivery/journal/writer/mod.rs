//! Writes down what is sent and what becomes of it, at the right time: a line is in the file before the
//! records that it announces are sent.

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

/// The size at which the journal is rewritten with the state that its lines add up to.
const LONGEST: u64 = 4 << 20;
/// What to do about a journal of something else.
const ANOTHER: &str = "use another file for `--resume`, or remove this one to start over";

/// An open journal.
#[derive(Debug)]
pub(in crate::produce) struct JournalWriter {
    /// As the user names it.
    pub(super) path: PathBuf,
    file: Disk,
    identity: Identity,
    pub(super) state: JournalState,
    /// What earlier runs have left uncertain: even records that this run does not write may be in the log.
    inherited: Offsets,
    /// How many records those are; `None` if nobody knows.
    may_repeat: Option<u64>,
    /// The line of the file that could not be read.
    damaged: Option<usize>,
    checksum: Checksum,
    /// Whether the source turned out to be another one.
    is_refuted: bool,
    /// What is not written down yet.
    pub(super) next: JournalLine,
    /// The size in bytes at which the file is rewritten.
    longest: u64,
}

impl JournalWriter {
    /// Opens the journal at `path`, or creates it, and reads what is in it.
    ///
    /// # Errors
    /// Returns [`Error::Config`] for a file that is not a journal, belongs to something other than
    /// `identity`, or is in use.
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

    /// Writes the first lines of a new journal, either all of them or none.
    fn begin(&mut self) -> std::io::Result<()> {
        self.rewrite().or_else(|_| {
            // A folder that takes no new file may still hold one that is writable.
            self.file.append(self.state.text(&self.identity))?;
            self.next.n = FIRST + 1;
            Ok(())
        })
    }

    /// What the user should know before the run continues.
    pub(in crate::produce) fn note(&self) -> Option<String> {
        let delivered = self.state.delivered.len();
        if delivered == 0 && self.may_repeat == Some(0) {
            return None;
        }
        let twice = match (self.may_repeat, self.damaged) {
            (Some(0), _) => "nothing is sent twice".into(),
            (Some(n), _) => format!("at most {} may be sent twice", count(n, "record")),
            (None, Some(line)) => format!(
                "it is unknown how many may be sent twice, because line {line} of the journal is damaged"
            ),
            (None, None) => {
                "it is unknown how many may be sent twice, because the journal was damaged".into()
            }
        };
        let records = count(delivered, "record");
        let journal = self.path.display();
        let are = if delivered == 1 { "is" } else { "are" };
        Some(format!(
            "continuing after {journal}: {records} {are} already delivered, {twice}"
        ))
    }

    /// Whether an earlier run has delivered the record at `position`. Always `false` for a record that is not
    /// known to be the one that the earlier run has read.
    pub(in crate::produce) fn has_delivered(&self, position: u64) -> bool {
        !self.is_refuted && self.state.delivered.contains(signed(position))
    }

    /// Whether an earlier run has delivered anything.
    pub(in crate::produce) fn goes_on(&self) -> bool {
        self.state.delivered.len() > 0
    }

    /// Notes the next records of the source, and returns how many from its beginning may be sent or skipped:
    /// those that are known to be the ones that the journal was written for.
    ///
    /// # Errors
    /// Returns [`Error::Config`] if they are not.
    pub(in crate::produce) fn observe(&mut self, batch: &Batch) -> Result<u64, Error> {
        match self.checksum.add(batch) {
            true => Ok(self.checksum.confirmed()),
            false => Err(self.other_input()),
        }
    }

    /// Whether the source turned out to be another one.
    pub(in crate::produce) fn is_refuted(&self) -> bool {
        self.is_refuted
    }

    /// Writes down that the records at `positions` are about to be sent, except for those delivered before.
    ///
    /// # Errors
    /// Returns [`Error::CannotWrite`]; the records must then not be sent.
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
    /// Returns [`Error::CannotWrite`]; the next line then tries to write it again.
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
            // The file keeps growing, which is no reason to stop.
            self.longest *= 2;
        }
        Ok(())
    }

    /// Replaces the file with one that holds the state that all lines add up to.
    fn rewrite(&mut self) -> std::io::Result<()> {
        let text = self.state.text(&self.identity);
        let length = text.len() as u64;
        self.file.replace(text)?;
        // Many gaps make long lines, which justify more time between them.
        self.longest = LONGEST.max(4 * length);
        self.next.n = FIRST + 1;
        Ok(())
    }
}

fn signed(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// Positions as ascending ranges that do not touch.
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
    let name_another = "name a file that `--resume` can create";
    let (why, hint) = match refusal {
        JournalRefusal::NotRegular => (" is not a regular file".to_string(), Some(name_another)),
        JournalRefusal::NoJournal => (" is not a journal of kreplay".into(), Some(name_another)),
        JournalRefusal::HardLinked => (
            " has a second name (a hard link), which would keep its old content".into(),
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
            format!("is damaged in line {line}, without which kreplay cannot use it")
        }
    };
    Error::Config {
        message: format!("the journal {} {why}", path.display()),
        hint: Some(ANOTHER.into()),
    }
}
