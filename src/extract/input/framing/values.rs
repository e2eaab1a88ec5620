//! JSON values that take more than a line, or share one: the elements of an array, or values in a row. At
//! most one of them is in memory.
//!
//! Damage ends the reading: nothing shows where the next value begins, and a guess could take a part of one
//! for a whole one. `lines.rs` reads values on lines of their own, and continues after a damaged line.

use std::io::{self, Read};
use std::ops::Range;

use memchr::memchr_iter;

use super::scanner::{Scan, ValueScanner};
use super::text::{RrPairText, Unfinished};
use super::window::LONGEST_LINE;
use super::window::ReadWindow;

/// Finds values in what a reader yields.
#[derive(Debug)]
pub(super) struct ValueReader<R> {
    window: ReadWindow<R>,
    at: WindowStart,
    /// The line on which the array was opened whose elements are being read.
    array: Option<u64>,
    /// The line of the window's first byte, from 1.
    line: u64,
}

/// The state at the window's first byte.
#[derive(Debug)]
enum WindowStart {
    /// Before a value, or before what may come instead of it.
    Before,
    /// After an element of an array.
    Behind,
    /// In a value that began on `line`; `scanned` bytes of the window have been scanned.
    Inside {
        scanner: ValueScanner,
        line: u64,
        scanned: usize,
        skipping: bool,
    },
    /// After damage that began on `line`.
    Lost { line: u64 },
}

/// A value that has been found.
enum FoundValue {
    Whole(Range<usize>),
    TooLong,
    Broken(String),
}

impl<R: Read> ValueReader<R> {
    /// Continues with what `window` has already read.
    pub(super) fn over(window: ReadWindow<R>) -> Self {
        Self {
            window,
            at: WindowStart::Before,
            array: None,
            line: 1,
        }
    }

    /// The next whole value, with the line on which it begins.
    pub(super) fn next_buffered(&mut self) -> Option<(u64, RrPairText<'_>)> {
        let (line, found) = loop {
            match self.at {
                WindowStart::Before | WindowStart::Behind => {
                    if let Some(broken) = self.step_between()? {
                        break broken;
                    }
                }
                WindowStart::Inside { .. } => break self.step_inside()?,
                WindowStart::Lost { .. } => {
                    self.pass(self.window.bytes().len());
                    return None;
                }
            }
        };
        Some((line, self.text(found)))
    }

    /// Reads on; blocks until there is something. `false` at the end of the input.
    ///
    /// # Errors
    /// Returns the reader's error.
    pub(super) fn refill(&mut self) -> io::Result<bool> {
        let unread = self.window.bytes().len();
        if let WindowStart::Inside {
            skipping, scanned, ..
        } = &mut self.at
            && (unread > LONGEST_LINE || *skipping)
        {
            *skipping = true;
            *scanned = 0;
            self.pass(unread);
        }
        self.window.refill()
    }

    /// The value that the end of the input cuts off or, if it is a number or word, completes.
    pub(super) fn remainder(&mut self) -> Option<(u64, RrPairText<'_>)> {
        let WindowStart::Inside {
            scanner,
            line,
            skipping,
            ..
        } = &self.at
        else {
            return None;
        };
        let (line, skipping) = (*line, *skipping);
        if scanner.may_end() {
            self.at = WindowStart::Behind;
        }
        let rest = self.pass(self.window.bytes().len());
        Some((line, self.text(self.found(rest, skipping))))
    }

    /// What is missing at the end of the input, besides what [`ValueReader::remainder`] returned.
    pub(super) fn unfinished(&self) -> Option<Unfinished> {
        match (&self.at, self.array) {
            (WindowStart::Inside { line, .. }, _) => {
                Some(Unfinished::cut_off(*line, "the JSON is cut off"))
            }
            (WindowStart::Lost { line }, _) => Some(Unfinished {
                line: *line,
                why: "kreplay cannot separate what follows the damage".into(),
                lost: true,
            }),
            (_, None) => None,
            (_, Some(opened)) => {
                let why = match opened {
                    line if line == self.line => "the array is not closed".to_string(),
                    line => format!("the array of line {line} is not closed"),
                };
                Some(Unfinished::cut_off(self.line, why))
            }
        }
    }

    fn text(&self, found: FoundValue) -> RrPairText<'_> {
        match found {
            FoundValue::Whole(range) => RrPairText::Whole(self.window.taken(range)),
            FoundValue::TooLong => RrPairText::TooLong,
            FoundValue::Broken(why) => RrPairText::Broken(why),
        }
    }

    fn found(&self, value: Range<usize>, skipping: bool) -> FoundValue {
        match skipping || value.len() > LONGEST_LINE {
            true => FoundValue::TooLong,
            false => FoundValue::Whole(value),
        }
    }

    /// Takes `n` bytes and counts their lines.
    fn pass(&mut self, n: usize) -> Range<usize> {
        let range = self.window.take(n);
        let lines = memchr_iter(b'\n', self.window.taken(range.clone())).count();
        self.line += lines as u64;
        range
    }

    /// Passes one byte between values, or begins one. `None` if more has to be read.
    fn step_between(&mut self) -> Option<Option<(u64, FoundValue)>> {
        self.pass_blanks();
        let byte = *self.window.bytes().first()?;
        let behind = matches!(self.at, WindowStart::Behind);
        match (byte, self.array) {
            (b'[', None) => self.array = Some(self.line),
            (b']', Some(_)) => {
                self.array = None;
                self.at = WindowStart::Before;
            }
            (b',', Some(_)) if behind => self.at = WindowStart::Before,
            (b'{', None) => return self.begin(),
            (_, Some(_)) if !behind => return self.begin(),
            (_, array) => {
                let why = match array {
                    Some(_) => "expected `,` or `]`",
                    None => "expected `{` or `[`",
                };
                let line = self.line;
                self.at = WindowStart::Lost { line };
                return Some(Some((line, FoundValue::Broken(why.into()))));
            }
        }
        self.pass(1);
        Some(None)
    }

    fn begin(&mut self) -> Option<Option<(u64, FoundValue)>> {
        self.at = WindowStart::Inside {
            scanner: ValueScanner::new(),
            line: self.line,
            scanned: 0,
            skipping: false,
        };
        Some(None)
    }

    fn pass_blanks(&mut self) {
        let bytes = self.window.bytes();
        let blanks = bytes.iter().take_while(|b| b.is_ascii_whitespace()).count();
        self.pass(blanks);
    }

    fn step_inside(&mut self) -> Option<(u64, FoundValue)> {
        let WindowStart::Inside {
            scanner,
            line,
            scanned,
            skipping,
        } = &mut self.at
        else {
            return None;
        };
        let (line, skipping, before) = (*line, *skipping, *scanned);
        let bytes = self.window.bytes();
        match scanner.scan(&bytes[before..]) {
            Scan::More => {
                *scanned = bytes.len();
                None
            }
            Scan::Ended(end) => {
                self.at = if self.array.is_some() {
                    WindowStart::Behind
                } else {
                    WindowStart::Before
                };
                let value = self.pass(before + end);
                Some((line, self.found(value, skipping)))
            }
            Scan::Broken(end, why) => {
                let value = &bytes[..before + end];
                let lines = memchr_iter(b'\n', value).count() as u64;
                let why = match self.line + lines {
                    here if here == line => why.to_string(),
                    here => format!("{why} at line {here}"),
                };
                self.at = WindowStart::Lost { line };
                Some((line, FoundValue::Broken(why)))
            }
        }
    }
}
