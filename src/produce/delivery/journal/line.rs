//! The lines of a journal: how one is written, and what all of them say together.
//!
//! ```text
//! 5f0c2a91 {"kreplay_journal":3,"input":{...},...}
//! 1b6d9e30 {"n":1}
//! 1b6d9e30 {"n":1}
//! 90ab12cd {"n":2,"sending":[[0,512]],"topics":{"orders":"9aG2..."}}
//! 7c0e55f2 {"n":3,"delivered":[[0,400]],"sending":[[512,1024]],"read":[[400,81000,3735928559]]}
//! ```
//!
//! A line begins with the CRC-32 of the rest. Lines add up, and their numbers show whether one is lost. The
//! first one, which holds everything that was known when the file was begun, is there twice: it is the only
//! line that must not get lost.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use super::Identity;
use super::checksum::{Checkpoint, push};
use crate::record::offsets::Offsets;

/// Positions from the first to before the second.
pub(super) type PositionRange = (i64, i64);

/// Bytes of a checksum in hexadecimal digits, and the space behind it.
const PREFIX: usize = 9;

/// What happened since the line before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JournalLine {
    /// Rises by 1 from line to line.
    pub(super) n: u64,
    /// Delivered positions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) delivered: Vec<PositionRange>,
    /// Certain not to be in the log, although an earlier line announced them as `sending`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) not_written: Vec<PositionRange>,
    /// Sent from here on: they may be in the log until another line says what became of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) sending: Vec<PositionRange>,
    /// Checksums of the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) read: Vec<Checkpoint>,
    /// The ids of the destination's topics.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) topics: BTreeMap<String, String>,
    /// The rejects file of this run and of the runs after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rejects: Option<String>,
}

impl JournalLine {
    /// Whether there is nothing to write down.
    pub(super) fn says_nothing(&self) -> bool {
        let empty = Self {
            n: self.n,
            ..Self::default()
        };
        *self == empty
    }
}

/// The state that all lines add up to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct JournalState {
    pub(super) delivered: Offsets,
    /// Not known to be delivered, and possibly in the log.
    pub(super) uncertain: Offsets,
    /// In ascending order of the number of records.
    pub(super) read: Vec<Checkpoint>,
    pub(super) topics: BTreeMap<String, String>,
    pub(super) rejects: Option<String>,
}

impl JournalState {
    pub(super) fn apply(&mut self, line: &JournalLine) {
        for (start, end) in line.delivered.iter().copied() {
            self.delivered.insert_range(start, end);
            self.uncertain.remove_range(start, end);
        }
        for (start, end) in line.not_written.iter().copied() {
            self.uncertain.remove_range(start, end);
        }
        for (start, end) in line.sending.iter().copied() {
            self.uncertain.insert_range(start, end);
        }
        line.read.iter().for_each(|at| push(&mut self.read, *at));
        self.topics.extend(line.topics.clone());
        if line.rejects.is_some() {
            self.rejects.clone_from(&line.rejects);
        }
    }

    /// Counts everything that is not delivered as possibly in the log, because a line is lost.
    fn doubt_all(&mut self) {
        self.uncertain.insert_range(0, i64::MAX);
        for (start, end) in self.delivered.ranges() {
            self.uncertain.remove_range(start, end);
        }
    }

    /// How many records are uncertain; `None` if a line is lost, so that nobody knows.
    pub(super) fn count_uncertain(&self) -> Option<u64> {
        let is_bounded = self.uncertain.ends().is_none_or(|(_, last)| last < LAST);
        is_bounded.then(|| self.uncertain.len())
    }

    /// The text of a journal that begins with this.
    pub(super) fn text(&self, identity: &Identity) -> Vec<u8> {
        let all = JournalLine {
            n: FIRST,
            delivered: self.delivered.ranges(),
            not_written: Vec::new(),
            sending: self.uncertain.ranges(),
            read: self.read.clone(),
            topics: self.topics.clone(),
            rejects: self.rejects.clone(),
        };
        let first = encode(&all);
        [encode(identity), first.clone(), first].concat()
    }
}

/// The number of the first line.
pub(super) const FIRST: u64 = 1;
/// The highest possible position.
const LAST: i64 = i64::MAX - 1;

/// What a journal contains.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ParsedJournal {
    pub(super) state: JournalState,
    /// The number of the last line.
    pub(super) n: u64,
    /// Bytes up to the end of the last whole line: what follows was cut off.
    pub(super) length: u64,
    /// The first line of the file that cannot be read, counted from 1.
    pub(super) damaged: Option<usize>,
    /// Whether the last line is whole except for its end.
    pub(super) lacks_newline: bool,
}

/// Why a journal cannot be continued.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    NoJournal,
    AnotherVersion,
    /// How it differs, in words.
    OfAnother(String),
    /// A line is damaged, and nothing is known without it.
    Damaged(usize),
}

/// Reads a journal of `identity`.
///
/// # Errors
/// Returns why this run cannot continue with it.
pub(super) fn read(text: &[u8], identity: &Identity) -> Result<ParsedJournal, Unusable> {
    let mut lines = text.split_inclusive(|byte| *byte == b'\n').enumerate();
    let header = lines.next().map_or(&[][..], |(_, line)| line);
    if header.is_empty() {
        return Ok(ParsedJournal::default());
    }
    check_header(header, identity)?;
    let mut found = ParsedJournal {
        length: header.len() as u64,
        ..ParsedJournal::default()
    };
    for (index, line) in lines {
        let is_whole = line.ends_with(b"\n");
        match decode::<JournalLine>(line) {
            Some(line) if line.n == found.n => {}
            Some(line) if line.n == found.n + 1 => {
                found.n = line.n;
                found.state.apply(&line);
            }
            Some(_) if found.n == 0 => return Err(Unusable::Damaged(2)),
            Some(line) => {
                found.damaged = found.damaged.or(Some(index));
                found.n = line.n;
                found.state.apply(&line);
            }
            None if !is_whole && is_cut(line) => break,
            None if found.n == 0 => {}
            // The second copy of the first line.
            None if index == 2 && found.n == FIRST => {}
            None => found.damaged = found.damaged.or(Some(index + 1)),
        }
        found.length += line.len() as u64;
        found.lacks_newline = !is_whole;
    }
    if found.n == 0 {
        return Err(Unusable::Damaged(2));
    }
    if found.damaged.is_some() {
        found.state.doubt_all();
    }
    Ok(found)
}

fn check_header(line: &[u8], identity: &Identity) -> Result<(), Unusable> {
    let Some(found) = decode::<Identity>(line) else {
        let rest = line.get(PREFIX..).unwrap_or_default();
        return Err(match (is_header(line), is_header(rest)) {
            // The first version had no checksums.
            (true, _) => Unusable::AnotherVersion,
            (_, true) if decode::<serde_json::Value>(line).is_some() => Unusable::AnotherVersion,
            (_, true) => Unusable::Damaged(1),
            _ => Unusable::NoJournal,
        });
    };
    if !found.is_of_this_version() {
        return Err(Unusable::AnotherVersion);
    }
    match found.differs_from(identity) {
        Some(how) => Err(Unusable::OfAnother(how)),
        None => Ok(()),
    }
}

/// Whether this is the beginning of a journal, of whatever version.
pub(super) fn looks_like_a_journal(start: &[u8]) -> bool {
    let rest = start.get(PREFIX..).unwrap_or_default();
    is_header(start) || is_header(rest)
}

fn is_header(json: &[u8]) -> bool {
    json.starts_with(br#"{"kreplay_journal":"#)
}

/// Whether this is the beginning of a line, as a full disk or a kill leaves it.
fn is_cut(line: &[u8]) -> bool {
    let Some((sum, json)) = line.split_at_checked(PREFIX) else {
        return line.iter().all(u8::is_ascii_hexdigit);
    };
    let digits = &sum[..PREFIX - 1];
    digits.iter().all(u8::is_ascii_hexdigit)
        && sum.ends_with(b" ")
        && serde_json::from_slice::<serde::de::IgnoredAny>(json)
            .is_err_and(|e| e.classify() == Category::Eof)
}

/// A value as a line.
pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    checked(&serde_json::to_vec(value).expect("no map of it has keys that are not strings"))
}

/// JSON as a line.
fn checked(json: &[u8]) -> Vec<u8> {
    let mut line = format!("{:08x} ", crc32fast::hash(json)).into_bytes();
    line.extend_from_slice(json);
    line.push(b'\n');
    line
}

/// Reads `input` as the lines of a journal after its header, for `fuzz/`. Each line gets its checksum, which
/// no fuzzer finds; what follows a `!` stays as it is.
///
/// # Panics
/// Panics if a journal says something else after it was written again.
pub(crate) fn try_journal(input: &[u8]) {
    const IDENTITY: &str = r#"{"kreplay_journal":2,"input":{"kind":"stream","inputs":["-"]},"extraction":{"profile":"","flags":[],"duplicates":"","aborted":""},"cluster":"c","destination":{"map":[]}}"#;
    let identity: Identity = serde_json::from_str(IDENTITY).expect("this is one of this version");
    let mut text = encode(&identity);
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_prefix(b"!") {
            Some(raw) => text.extend_from_slice(raw),
            None => text.extend(checked(line.strip_suffix(b"\n").unwrap_or(line))),
        }
    }
    let Ok(ParsedJournal { state, .. }) = read(&text, &identity) else {
        return;
    };
    let again = read(&state.text(&identity), &identity).expect("what was written can be read");
    assert_eq!((again.state, again.damaged), (state, None));
}

/// The value of a line; `None` if the line is not as it was written.
fn decode<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Option<T> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let (sum, json) = line.split_at_checked(PREFIX)?;
    let expected = format!("{:08x} ", crc32fast::hash(json));
    (sum == expected.as_bytes())
        .then(|| serde_json::from_slice(json).ok())
        .flatten()
}
