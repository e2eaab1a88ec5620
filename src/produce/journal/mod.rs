//! The journal of `--resume`: which records of the source are delivered, written down while it
//! happens, so that the same command goes on where a run has ended, however it ended.
//!
//! ```text
//! {"kreplay_journal":1,"source":"raw","inputs":["/captures/raw.jsonl"],...}
//! {"delivered":[[0,4096]],"uncertain":512,"checked":4000,"crc":3735928559}
//! ```
//!
//! The first line tells what the journal belongs to. Of the others the last whole one holds: the
//! positions (`order/`) of the records delivered, as ranges without their ends; how many more may be
//! in the log by then; and a checksum over the first so many records of the source, by which another
//! input is told. A line is written before the records that make it untrue are sent. The system keeps
//! what was written when the process is killed; after a crash of the machine lines may be missing.

mod checksum;
mod identity;
mod keeper;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use checksum::Checksum;
pub(crate) use identity::Identity;
pub(super) use keeper::Keeper;

use crate::error::{self, Error};
use crate::offsets::Offsets;
use crate::record::Batch;

/// Bytes at which the journal is written anew with its last line only.
const LONGEST: u64 = 4 << 20;
/// Bytes of a line that have to be worth one record sent: long lines are written less often.
const BYTES_PER_RECORD: usize = 16;

/// A line of the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    delivered: Vec<(i64, i64)>,
    uncertain: u64,
    checked: u64,
    crc: u32,
}

/// What is known at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct State<'a> {
    pub(super) delivered: &'a Offsets,
    /// Records handed to librdkafka that are not answered, or answered as unknown.
    pub(super) uncertain: u64,
}

/// An open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    identity: Identity,
    /// What the last run left.
    earlier: Entry,
    checksum: Checksum,
    /// The last line.
    last: Entry,
    length: u64,
    /// Records that may still be sent under the last line.
    reserved: u64,
}

impl Journal {
    /// Opens the journal at `path`, or makes it, and reads what is in it.
    ///
    /// # Errors
    /// [`Error::Config`] for a file that is no journal, belongs to something else than `identity`, or
    /// is in use.
    pub(crate) fn open(path: &Path, identity: Identity) -> Result<Self, Error> {
        let refused = |why: String| Error::config(format!("the journal {}: {why}", path.display()));
        let failed = |e: &io::Error| refused(error::reason(e));
        let mut options = OpenOptions::new();
        let opened = options.read(true).append(true).create(true).open(path);
        let mut file = opened.map_err(|e| failed(&e))?;
        if file.try_lock().is_err() {
            return Err(refused("another run is using it".into()));
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(|e| failed(&e))?;
        let earlier = match text.is_empty() {
            true => Entry::default(),
            false => parse(&text, &identity).map_err(|refusal| Error::Config {
                message: format!("the journal {} {}", path.display(), refusal.why),
                hint: refusal.hint.map(Into::into),
            })?,
        };
        let mut journal = Self {
            path: path.into(),
            file,
            identity,
            checksum: Checksum::upto(earlier.checked, earlier.crc),
            last: earlier.clone(),
            earlier,
            length: text.len() as u64,
            reserved: 0,
        };
        // A line that was cut would otherwise spoil the next one.
        journal.rewrite().map_err(|e| failed(&e))?;
        Ok(journal)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The positions that earlier runs have delivered.
    pub(super) fn delivered(&self) -> Offsets {
        Offsets::of_ranges(&self.earlier.delivered)
    }

    /// How many more records earlier runs may have put into the log.
    pub(super) fn may_repeat(&self) -> u64 {
        self.earlier.uncertain
    }

    /// Takes note of the next records of the source, before any of them is sent.
    ///
    /// # Errors
    /// [`Error::Config`] when they are not those of the run that has written the journal.
    pub(super) fn saw(&mut self, batch: &Batch) -> Result<(), Error> {
        match self.checksum.add(batch) {
            true => Ok(()),
            false => Err(self.other_input()),
        }
    }

    /// The source has ended.
    ///
    /// # Errors
    /// As of [`Journal::saw`].
    pub(super) fn saw_end(&self) -> Result<(), Error> {
        match self.checksum.seen < self.earlier.checked {
            true => Err(self.other_input()),
            false => Ok(()),
        }
    }

    fn other_input(&self) -> Error {
        Error::Config {
            message: format!(
                "the journal {} belongs to another input: the first {} records differ",
                self.path.display(),
                self.earlier.checked
            ),
            hint: Some(ANOTHER.into()),
        }
    }

    /// Makes sure that the journal covers `records` more that are about to be sent.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn reserve(&mut self, records: u64, state: State<'_>) -> io::Result<()> {
        if let Some(rest) = self.reserved.checked_sub(records) {
            self.reserved = rest;
            return Ok(());
        }
        let more = self.last.delivered.len() * 8 / BYTES_PER_RECORD;
        self.reserved = more as u64;
        self.write(State {
            uncertain: state.uncertain + records + self.reserved,
            ..state
        })
    }

    /// Writes down how things are, when they have changed.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn update(&mut self, state: State<'_>) -> io::Result<()> {
        self.reserved = 0;
        self.write(state)
    }

    fn write(&mut self, state: State<'_>) -> io::Result<()> {
        let delivered = state.delivered.ranges();
        let low = match delivered.first() {
            Some((0, end)) => end.unsigned_abs(),
            _ => 0,
        };
        let (checked, crc) = self.checksum.at(low);
        let entry = Entry {
            delivered,
            uncertain: state.uncertain,
            checked,
            crc,
        };
        if entry == self.last {
            return Ok(());
        }
        self.last = entry;
        if self.length > LONGEST {
            return self.rewrite();
        }
        let line = line(&self.last);
        self.length += line.len() as u64;
        self.file.write_all(&line)
    }

    /// Replaces the file by one with the last line only.
    fn rewrite(&mut self) -> io::Result<()> {
        let mut text = line(&self.identity);
        text.extend_from_slice(&line(&self.last));
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        let mut file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&name)
            .or_else(|e| {
                // Left by a run that was killed at this very place.
                fs::remove_file(&name).map_err(|_| e)?;
                OpenOptions::new().append(true).create_new(true).open(&name)
            })?;
        file.write_all(&text)?;
        // Fails only when somebody else has found the new file within this moment.
        file.try_lock().map_err(io::Error::from)?;
        fs::rename(&name, &self.path)?;
        self.length = text.len() as u64;
        self.file = file;
        Ok(())
    }
}

/// What to do about a journal of something else.
const ANOTHER: &str = "use another file for `--resume`, or remove this one to begin anew";

struct Refusal {
    why: String,
    hint: Option<&'static str>,
}

/// The last whole line of a journal of `identity`.
fn parse(text: &[u8], identity: &Identity) -> Result<Entry, Refusal> {
    let refusal = |why: &str, hint| Refusal {
        why: why.into(),
        hint,
    };
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let Ok(found) = serde_json::from_slice::<Identity>(first) else {
        return Err(refusal(
            "is no journal of kreplay",
            Some("name a file that `--resume` may make"),
        ));
    };
    if !found.is_of_this_version() {
        return Err(refusal(
            "was written by another version of kreplay",
            Some(ANOTHER),
        ));
    }
    if let Some(how) = found.differs_from(identity) {
        return Err(refusal(&format!("belongs to another {how}"), Some(ANOTHER)));
    }
    let last = lines.rfind(|line| line.ends_with(b"\n"));
    match last.map(serde_json::from_slice::<Entry>) {
        None => Ok(Entry::default()),
        Some(Ok(entry)) if is_sound(&entry.delivered) => Ok(entry),
        Some(_) => Err(refusal(
            "is damaged: its last line cannot be read",
            Some(ANOTHER),
        )),
    }
}

/// Ranges that rise and do not touch.
fn is_sound(ranges: &[(i64, i64)]) -> bool {
    ranges.iter().all(|(start, end)| 0 <= *start && start < end)
        && ranges.is_sorted_by(|before, after| before.1 < after.0)
}

fn line<T: Serialize>(value: &T) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("no map of it has keys that are not strings");
    line.push(b'\n');
    line
}
