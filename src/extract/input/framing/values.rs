//! JSON values that take more than a line, or share one: the elements of an array, or values one
//! after another. At most one of them is in memory.
//!
//! After damage, reading goes on at the next line that begins as the first value's line did: the
//! same blanks, then `{`. Where values do not begin lines there is no such place, and the rest of
//! the input is given up.

use std::io::{self, Read};
use std::ops::Range;

use memchr::{memchr, memchr_iter, memrchr};

use super::lines::BOM;
use super::scanner::{Scan, ValueScanner};
use super::text::{RrPairText, Unfinished};
use super::window::LONGEST_LINE;
use super::window::ReadWindow;

/// Blanks before the first value beyond which they are no indentation.
const WIDEST_MARGIN: usize = 256;

/// Finds values in what a reader gives.
#[derive(Debug)]
pub(super) struct ValueReader<R> {
    window: ReadWindow<R>,
    at: WindowStart,
    /// The line on which the array was opened whose elements are being read.
    array: Option<u64>,
    /// The line of the window's first byte, from 1.
    line: u64,
    /// Blanks since the line's beginning; none when something else stands before.
    margin: Option<Vec<u8>>,
    /// The margin of the first value; the outer none before there is one.
    indent: Option<Option<Vec<u8>>>,
}

/// Where the window's first byte stands.
#[derive(Debug)]
enum WindowStart {
    /// Before a value, or what may stand instead of it.
    Before,
    /// Behind an element of an array.
    Behind,
    /// In a value that began on `line`; `scanned` bytes of the window have been gone over.
    Inside {
        scanner: ValueScanner,
        line: u64,
        scanned: usize,
        skipping: bool,
    },
    /// Behind damage that began on `line`; `last` is the last byte passed that is not blank.
    Lost { line: u64, last: u8 },
}

/// A value that has been found.
enum FoundValue {
    Whole(Range<usize>),
    TooLong,
    Broken(String),
}

impl<R: Read> ValueReader<R> {
    /// Goes on with what `window` has read already.
    pub(super) fn over(mut window: ReadWindow<R>) -> Self {
        if window.bytes().starts_with(BOM) {
            window.take(BOM.len());
        }
        Self {
            window,
            at: WindowStart::Before,
            array: None,
            line: 1,
            margin: Some(Vec::new()),
            indent: None,
        }
    }

    /// The next value that is there as a whole, with the line on which it begins.
    pub(super) fn next_buffered(&mut self) -> Option<(u64, RrPairText<'_>)> {
        let (line, found) = loop {
            match self.at {
                WindowStart::Before | WindowStart::Behind => {
                    if let Some(broken) = self.step_between()? {
                        break broken;
                    }
                }
                WindowStart::Inside { .. } => break self.step_inside()?,
                WindowStart::Lost { .. } => self.seek()?,
            }
        };
        Some((line, self.text(found)))
    }

    /// Reads on; blocks until there is something. `false` at the end of the input.
    ///
    /// # Errors
    /// The reader's.
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

    /// The value that the input's end cuts off or, if it is a number or word, completes.
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

    /// What is missing at the input's end, besides what [`ValueReader::remainder`] gave.
    pub(super) fn unfinished(&self) -> Option<Unfinished> {
        match (&self.at, self.array) {
            (WindowStart::Inside { line, .. }, _) => {
                Some(Unfinished::cut_off(*line, "the JSON breaks off"))
            }
            (WindowStart::Lost { line, .. }, Some(_)) if !matches!(self.indent, Some(Some(_))) => {
                Some(Unfinished {
                    line: *line,
                    why: "what follows the damage cannot be told apart".into(),
                    lost: true,
                })
            }
            // A damaged last element may have swallowed the array's end.
            (WindowStart::Lost { last: b']', .. }, _) | (_, None) => None,
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

    /// Passes one byte between values, or begins one. None when more has to be read.
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
                self.at = WindowStart::Lost { line, last: byte };
                return Some(Some((line, FoundValue::Broken(why.into()))));
            }
        }
        self.margin = None;
        self.pass(1);
        Some(None)
    }

    fn begin(&mut self) -> Option<Option<(u64, FoundValue)>> {
        let margin = self.margin.take();
        self.indent.get_or_insert(margin);
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
        let blanks = self.pass(blanks);
        for &blank in self.window.taken(blanks) {
            match (&mut self.margin, blank) {
                (margin, b'\n') => *margin = Some(Vec::new()),
                (Some(margin), blank) if margin.len() < WIDEST_MARGIN => margin.push(blank),
                (margin, _) => *margin = None,
            }
        }
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
                // The line on which it breaks may be the next value's first one.
                let keep = memrchr(b'\n', value).unwrap_or(value.len());
                self.at = WindowStart::Lost { line, last: b'{' };
                self.pass(keep);
                Some((line, FoundValue::Broken(why)))
            }
        }
    }

    /// Goes on to the next line on which a value begins. None when more has to be read.
    fn seek(&mut self) -> Option<()> {
        let WindowStart::Lost { line, mut last } = self.at else {
            return None;
        };
        loop {
            let bytes = self.window.bytes();
            let end = memchr(b'\n', bytes).unwrap_or(bytes.len());
            let visible = |byte: &&u8| !byte.is_ascii_whitespace();
            last = *bytes[..end].iter().rfind(visible).unwrap_or(&last);
            self.at = WindowStart::Lost { line, last };
            let Some(Some(indent)) = &self.indent else {
                self.pass(bytes.len());
                return None;
            };
            let next = &bytes[end..];
            if next.len() < indent.len() + 2 {
                self.pass(end);
                return None;
            }
            if next[1..].starts_with(indent) && next[indent.len() + 1] == b'{' {
                let margin = indent.clone();
                self.pass(end + 1 + margin.len());
                self.margin = Some(margin);
                self.at = WindowStart::Before;
                return Some(());
            }
            self.pass(end + 1);
        }
    }
}
