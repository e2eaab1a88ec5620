//! RRPairs as proxymock writes them for people: sections of Markdown, of which the last one,
//! `### INTERNAL - DO NOT MODIFY ###`, holds the whole RRPair on one line that begins with `json: `.

use std::io::{self, Read};
use std::ops::Range;

use super::form::is_heading;
use super::{Text, Unfinished};
use crate::extract::lines::{Line, Lines, Place};

/// The section that holds the RRPair.
const SECTION: &[u8] = b"### INTERNAL";
/// What stands before the RRPair on its line.
const LABEL: &[u8] = b"json: ";

/// Finds the RRPair's line in each document.
#[derive(Debug)]
pub(super) struct Markdown<R> {
    lines: Lines<R>,
    at: At,
    /// The heading that begins a document: several may stand one after another.
    first: Vec<u8>,
    line: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In a document, before the section.
    Before,
    /// In the section, before the RRPair.
    Section,
    /// Behind a document's RRPair.
    Behind,
}

impl<R: Read> Markdown<R> {
    pub(super) fn over(lines: Lines<R>) -> Self {
        Self {
            lines,
            at: At::Behind,
            first: Vec::new(),
            line: 0,
        }
    }

    pub(super) fn unread(&self) -> &[u8] {
        self.lines.unread()
    }

    pub(super) fn next_buffered(&mut self) -> Option<(u64, Text<'_>)> {
        loop {
            let (number, place) = self.lines.next_place()?;
            if let Some(place) = self.look(number, place) {
                return Some((number, self.lines.at(place).into()));
            }
        }
    }

    /// Reads on; blocks until there is something. `false` at the end of the input.
    ///
    /// # Errors
    /// The reader's.
    pub(super) fn refill(&mut self) -> io::Result<bool> {
        self.lines.refill()
    }

    pub(super) fn remainder(&mut self) -> Option<(u64, Text<'_>)> {
        let (number, place) = self.lines.remaining_place()?;
        let place = self.look(number, place)?;
        Some((number, self.lines.at(place).into()))
    }

    pub(super) fn unfinished(&self) -> Option<Unfinished> {
        let why = "no line `json: ` under `### INTERNAL`";
        (self.at != At::Behind).then(|| Unfinished::cut_off(self.line, why))
    }

    /// Where on the line at `place` an RRPair is.
    fn look(&mut self, number: u64, place: Place) -> Option<Place> {
        self.line = number;
        let Line::Whole(line) = self.lines.at(place.clone()) else {
            // Only the RRPair can be that long.
            let found = self.at == At::Section;
            self.at = if found { At::Behind } else { self.at };
            return found.then_some(None);
        };
        if is_heading(line) {
            if self.first.is_empty() {
                self.first = line.to_vec();
            }
            if line.starts_with(SECTION) {
                self.at = At::Section;
            } else if line == self.first {
                self.at = At::Before;
            }
        } else if self.at == At::Section && line.starts_with(LABEL) {
            self.at = At::Behind;
            let Range { start, end } = place?;
            return Some(Some(start + LABEL.len()..end));
        }
        None
    }
}
