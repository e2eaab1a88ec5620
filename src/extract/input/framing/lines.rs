//! Reads lines of any length from any reader, in bounded memory. Only `\n` ends a line: captures may hold raw
//! U+2028 and U+0085. The caller decides when to read on, so that it can send what it has before it waits for
//! more.

use std::io::{self, Read};
use std::ops::Range;

use memchr::memchr;

use super::window::{LONGEST_LINE, ReadWindow};

/// One line, without its `\n`.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::extract) enum SourceLine<'a> {
    Whole(&'a [u8]),
    /// Longer than [`LONGEST_LINE`], and skipped.
    TooLong,
}

/// Splits what a reader yields into lines.
#[derive(Debug)]
pub(in crate::extract) struct LineReader<R> {
    window: ReadWindow<R>,
    /// Bytes of the window known to hold no line end.
    searched: usize,
    skipping: bool,
    /// The number of the last line that was returned, from 1.
    number: u64,
}

impl<R: Read> LineReader<R> {
    /// Continues with what `window` has already read.
    pub(in crate::extract) fn over(window: ReadWindow<R>) -> Self {
        Self {
            window,
            searched: 0,
            skipping: false,
            number: 0,
        }
    }

    /// The next whole line, with its number; `None` if more has to be read first.
    pub(in crate::extract) fn next_buffered(&mut self) -> Option<(u64, SourceLine<'_>)> {
        let (number, place) = self.next_place()?;
        Some((number, self.at(place)))
    }

    /// The same line as a place for [`LineReader::at`], for callers that check a line before they pass it on.
    pub(in crate::extract) fn next_place(&mut self) -> Option<(u64, LineRange)> {
        let bytes = self.window.bytes();
        let Some(end) = memchr(b'\n', &bytes[self.searched..]) else {
            self.searched = bytes.len();
            return None;
        };
        let line = self.window.take(self.searched + end);
        self.window.take(1);
        self.searched = 0;
        self.number += 1;
        Some((self.number, self.place(line)))
    }

    /// Reads on; blocks until there is something. `false` at the end of the input.
    ///
    /// # Errors
    /// Returns the reader's error.
    pub(in crate::extract) fn refill(&mut self) -> io::Result<bool> {
        let unread = self.window.bytes().len();
        if unread > LONGEST_LINE || self.skipping {
            self.skipping = true;
            self.searched = 0;
            self.window.take(unread);
        }
        self.window.refill()
    }

    /// What follows the last line end, once the input has ended.
    pub(in crate::extract) fn remainder(&mut self) -> Option<(u64, SourceLine<'_>)> {
        let (number, place) = self.remaining_place()?;
        Some((number, self.at(place)))
    }

    /// The same as a place for [`LineReader::at`].
    pub(in crate::extract) fn remaining_place(&mut self) -> Option<(u64, LineRange)> {
        let rest = self.window.take(self.window.bytes().len());
        if rest.is_empty() && !self.skipping {
            return None;
        }
        self.number += 1;
        Some((self.number, self.place(rest)))
    }

    /// The line at `place`, which the last call has returned.
    pub(in crate::extract) fn at(&self, place: LineRange) -> SourceLine<'_> {
        place.map_or(SourceLine::TooLong, |line| {
            SourceLine::Whole(self.window.taken(line))
        })
    }

    fn place(&mut self, line: Range<usize>) -> LineRange {
        if std::mem::take(&mut self.skipping) || line.len() > LONGEST_LINE {
            return None;
        }
        Some(line)
    }
}

/// Where in memory a line is; `None` for a line that is too long.
pub(in crate::extract) type LineRange = Option<Range<usize>>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::input::framing::window::CHUNK;

    /// Yields at most `step` bytes at once.
    struct LinesInSteps<'a>(&'a [u8], usize);

    impl Read for LinesInSteps<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.0.len().min(self.1).min(buffer.len());
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn all(text: &[u8], step: usize) -> (Vec<Vec<u8>>, Option<Vec<u8>>) {
        let owned = |(_, line): (u64, SourceLine<'_>)| match line {
            SourceLine::Whole(bytes) => bytes.to_vec(),
            SourceLine::TooLong => b"TOO LONG".to_vec(),
        };
        let mut lines = LineReader::over(ReadWindow::new(LinesInSteps(text, step)));
        let mut seen = Vec::new();
        loop {
            while let Some(line) = lines.next_buffered() {
                seen.push(owned(line));
            }
            if !lines.refill().expect("a slice can be read") {
                return (seen, lines.remainder().map(owned));
            }
        }
    }

    #[test]
    fn lines_are_the_same_however_the_reads_are_split() {
        let text = "one\n\ntwo\u{2028}half\r\nlast".as_bytes();
        let expected = vec![
            b"one".to_vec(),
            b"".to_vec(),
            "two\u{2028}half\r".as_bytes().to_vec(),
        ];
        for step in [1, 2, 3, 7, 1000] {
            assert_eq!(
                all(text, step),
                (expected.clone(), Some(b"last".to_vec())),
                "{step}"
            );
        }
        assert_eq!(all(b"", 1), (vec![], None));
        assert_eq!(all(b"a\n", 1), (vec![b"a".to_vec()], None));
    }

    #[test]
    fn a_line_beyond_the_bound_is_skipped_and_the_next_one_is_whole() {
        let mut text = vec![b'x'; LONGEST_LINE + 2 * CHUNK];
        text.extend_from_slice(b"\nnext\n");
        let (lines, rest) = all(&text, 1 << 20);
        // Compared without showing 64 MiB when it fails.
        assert!(lines == [&b"TOO LONG"[..], b"next"] && rest.is_none());
    }
}
