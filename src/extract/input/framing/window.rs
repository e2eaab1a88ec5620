//! The part of an input that is in memory: what has been read and not yet taken. This file is separate
//! from the readers of lines and values, because both need the same bounded, sliding buffer.

use std::io::{self, Read};
use std::ops::Range;

/// The longest line that is read. A Fetch response is at most `fetch.max.bytes`, 50 MiB by default.
pub(in crate::extract) const LONGEST_LINE: usize = 64 << 20;
/// How many bytes to request from the reader at once; also about the size of a batch in the channel.
pub(in crate::extract) const CHUNK: usize = 256 << 10;
/// From this size on, a buffer grows to the size of the longest line at once.
const LARGE: usize = 4 << 20;
/// How many bytes to request as long as a reader yields less than that at once: a folder may hold 100,000
/// small files, and clearing a whole chunk for each takes longer than reading them.
const FIRST: usize = 32 << 10;

/// A reader with the bytes that it has yielded and nobody has taken yet.
#[derive(Debug)]
pub(in crate::extract) struct ReadWindow<R> {
    reader: R,
    buffer: Vec<u8>,
    filled: Range<usize>,
    /// Bytes to ask for next.
    step: usize,
    /// A failure that came too early to be reported.
    failure: Option<io::Error>,
}

impl<R> ReadWindow<R> {
    pub(in crate::extract) fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
            filled: 0..0,
            step: FIRST,
            failure: None,
        }
    }

    /// What has been read and not yet taken.
    pub(in crate::extract) fn bytes(&self) -> &[u8] {
        &self.buffer[self.filled.clone()]
    }

    /// Takes the first `n` bytes. They are in [`ReadWindow::taken`] until the next refill.
    pub(in crate::extract) fn take(&mut self, n: usize) -> Range<usize> {
        let start = self.filled.start;
        self.filled.start += n;
        start..start + n
    }

    /// Bytes that [`ReadWindow::take`] has taken.
    pub(in crate::extract) fn taken(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// Keeps `failure` for the next refill.
    pub(in crate::extract) fn fail_later(&mut self, failure: io::Error) {
        self.failure = Some(failure);
    }
}

impl<R: Read> ReadWindow<R> {
    /// Reads on; blocks until there is something. `false` at the end of the input.
    ///
    /// # Errors
    /// Returns the reader's error.
    pub(in crate::extract) fn refill(&mut self) -> io::Result<bool> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.make_room();
        loop {
            match self.reader.read(&mut self.buffer[self.filled.end..]) {
                Ok(n) => {
                    self.filled.end += n;
                    if self.filled.end == self.buffer.len() {
                        self.step = CHUNK;
                    }
                    return Ok(n > 0);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Doubles a small buffer. A larger one grows to the size of the longest line at once: fresh zeroed
    /// memory costs nothing until it is written to, and copying large buffers into larger ones would need
    /// both at a time.
    fn grow(&mut self, wanted: usize) {
        let double = wanted.max(self.buffer.len() * 2);
        let size = match double > LARGE {
            true => wanted.max(LONGEST_LINE + 2 * CHUNK),
            false => double,
        };
        let mut larger = vec![0; size];
        larger[..self.filled.len()].copy_from_slice(&self.buffer[self.filled.clone()]);
        self.filled = 0..self.filled.len();
        self.buffer = larger;
    }

    fn make_room(&mut self) {
        if self.filled.start > 0 {
            self.buffer.copy_within(self.filled.clone(), 0);
            self.filled = 0..self.filled.len();
        }
        let wanted = self.filled.len() + self.step;
        if self.buffer.len() < wanted {
            self.grow(wanted);
        } else if self.buffer.len() > 16 * CHUNK && self.filled.is_empty() {
            self.buffer.truncate(CHUNK);
            self.buffer.shrink_to_fit();
        }
    }
}
