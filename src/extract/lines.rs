//! Lines of any length from any reader, in bounded memory. Only `\n` ends a line: captures may hold
//! raw U+2028 and U+0085. The caller decides when to read on, so that it can hand over what it has
//! before it waits for more.

use std::io::{self, Read};

use memchr::memchr;

/// The longest line that is read. A Fetch response is at most `fetch.max.bytes`, 50 MiB by default.
pub(super) const LONGEST_LINE: usize = 64 << 20;
/// Bytes asked of the reader at once; also about what becomes one portion of the channel.
const CHUNK: usize = 256 << 10;

/// One line, without its `\n`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Whole(&'a [u8]),
    /// Longer than [`LONGEST_LINE`], and skipped.
    TooLong,
}

/// Splits what a reader gives into lines.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    /// The part of `buffer` that is filled and not yet taken.
    filled: std::ops::Range<usize>,
    /// Bytes of `filled` known to hold no line end.
    searched: usize,
    skipping: bool,
    /// The number of the last line given, from 1.
    number: u64,
    /// Bytes read so far.
    read: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: vec![0; CHUNK],
            filled: 0..0,
            searched: 0,
            skipping: false,
            number: 0,
            read: 0,
        }
    }

    /// Bytes read since the last call.
    pub(super) fn take_read(&mut self) -> u64 {
        std::mem::take(&mut self.read)
    }

    /// The next line that is there as a whole, with its number; none when more has to be read first.
    pub(super) fn next_buffered(&mut self) -> Option<(u64, Line<'_>)> {
        let start = self.filled.start;
        let unsearched = &self.buffer[start + self.searched..self.filled.end];
        let Some(end) = memchr(b'\n', unsearched).map(|at| start + self.searched + at) else {
            self.searched = self.filled.len();
            return None;
        };
        self.filled.start = end + 1;
        self.searched = 0;
        self.number += 1;
        Some(self.line(start..end))
    }

    /// Reads on; blocks until there is something. `false` at the end of the input.
    ///
    /// # Errors
    /// The reader's.
    pub(super) fn refill(&mut self) -> io::Result<bool> {
        self.make_room();
        loop {
            match self.reader.read(&mut self.buffer[self.filled.end..]) {
                Ok(n) => {
                    self.filled.end += n;
                    self.read += n as u64;
                    return Ok(n > 0);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// What stands after the last line end, once the input has ended.
    pub(super) fn remainder(&mut self) -> Option<(u64, Line<'_>)> {
        let rest = std::mem::replace(&mut self.filled, 0..0);
        if rest.is_empty() && !self.skipping {
            return None;
        }
        self.number += 1;
        Some(self.line(rest))
    }

    fn line(&mut self, bytes: std::ops::Range<usize>) -> (u64, Line<'_>) {
        let skipped = std::mem::take(&mut self.skipping);
        match skipped || bytes.len() > LONGEST_LINE {
            true => (self.number, Line::TooLong),
            false => (self.number, Line::Whole(self.without_bom(bytes))),
        }
    }

    fn make_room(&mut self) {
        if self.filled.len() > LONGEST_LINE || self.skipping {
            self.skipping = true;
            self.filled = 0..0;
            self.searched = 0;
        }
        if self.filled.start > 0 {
            self.buffer.copy_within(self.filled.clone(), 0);
            self.filled = 0..self.filled.len();
        }
        let wanted = (self.filled.len() + CHUNK).max(CHUNK);
        if self.buffer.len() < wanted {
            // Doubling keeps the copying linear in the line's length.
            self.buffer.resize(wanted.max(self.buffer.len() * 2), 0);
        } else if self.buffer.len() > 16 * CHUNK && wanted == CHUNK {
            self.buffer.truncate(CHUNK);
            self.buffer.shrink_to_fit();
        }
    }

    /// A byte order mark may stand before the first line.
    fn without_bom(&self, line: std::ops::Range<usize>) -> &[u8] {
        let line = &self.buffer[line];
        match self.number {
            1 => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
            _ => line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives at most `step` bytes at once.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.0.len().min(self.1).min(buffer.len());
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn all(text: &[u8], step: usize) -> (Vec<Vec<u8>>, Option<Vec<u8>>) {
        let owned = |(_, line): (u64, Line<'_>)| match line {
            Line::Whole(bytes) => bytes.to_vec(),
            Line::TooLong => b"TOO LONG".to_vec(),
        };
        let mut lines = Lines::new(Dribble(text, step));
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
    fn lines_are_the_same_however_they_arrive() {
        let text = "\u{feff}one\n\ntwo\u{2028}half\r\nlast".as_bytes();
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
