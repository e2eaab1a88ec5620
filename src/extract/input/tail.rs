//! What the csv crate does not show about its input: whether it ends with a line end, whether a quote is open
//! there, whether text follows a closing quote, how long a row gets, and whether another whole row is
//! available without waiting. It is a reader that passes the bytes through and watches them.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::ops::Range;
use std::rc::Rc;

use memchr::{memchr, memrchr};

use crate::report::rendering::figures::whole_mib;

/// The longest row that is read: one record and a few fields of its Fetch.
pub(in crate::extract) const LONGEST_ROW: usize = 16 << 20;

/// What was seen, for the code above the csv crate.
#[derive(Debug)]
pub(in crate::extract) struct TailWatch {
    /// Bytes read since the caller last took this count.
    pub(in crate::extract) read: Cell<u64>,
    /// Bytes passed on since the last row.
    pub(in crate::extract) since_row: Cell<usize>,
    /// Bytes of the input passed on so far, without the end mark.
    pub(in crate::extract) given: Cell<u64>,
    /// Where the last whole row that was passed on ends.
    pub(in crate::extract) whole_until: Cell<u64>,
    /// Offsets of text after a closing quote.
    misquoted: RefCell<VecDeque<u64>>,
    /// A row that no input holds, added after the end of the input: it arrives as a row of its own only if no
    /// quote is open.
    pub(in crate::extract) end_mark: Vec<u8>,
}

impl TailWatch {
    fn new() -> Self {
        let random = || RandomState::new().hash_one(0);
        Self {
            read: Cell::new(0),
            since_row: Cell::new(0),
            given: Cell::new(0),
            whole_until: Cell::new(0),
            misquoted: RefCell::default(),
            end_mark: format!("\0{:x}{:x}", random(), random()).into_bytes(),
        }
    }

    /// Whether a row that ends before `end` is misquoted; the caller has to ask about rows in order.
    pub(in crate::extract) fn is_misquoted(&self, end: u64) -> bool {
        let mut misquoted = self.misquoted.borrow_mut();
        let before = misquoted.len();
        while misquoted.pop_front_if(|at| *at < end).is_some() {}
        misquoted.len() < before
    }
}

/// The state of the quotes, by the rules of Go's encoding/csv.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    Outside,
    Inside,
    /// After a quote that either closes a field or is the first of two.
    Behind,
}

/// Passes bytes through and adds the end mark after them.
pub(in crate::extract) struct Tail<R> {
    reader: R,
    watch: Rc<TailWatch>,
    quotes: Quotes,
    last: u8,
    given: u64,
    /// What remains of the mark to pass on, once the reader has ended.
    end: Option<Vec<u8>>,
}

impl<R: Read> Tail<R> {
    pub(in crate::extract) fn of(reader: R) -> (Self, Rc<TailWatch>) {
        let watch = Rc::new(TailWatch::new());
        let tail = Self {
            reader,
            watch: watch.clone(),
            quotes: Quotes::Outside,
            last: b'\n',
            given: 0,
            end: None,
        };
        (tail, watch)
    }

    fn look_at(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while at < bytes.len() {
            match self.quotes {
                Quotes::Outside => {
                    let quote = memchr(b'"', &bytes[at..]);
                    self.note_rows(bytes, at..quote.map_or(bytes.len(), |quote| at + quote));
                    let Some(quote) = quote else { break };
                    at += quote;
                    let before = at.checked_sub(1).map_or(self.last, |i| bytes[i]);
                    // Elsewhere in a field, a quote is an ordinary character.
                    if matches!(before, b',' | b'\n') {
                        self.quotes = Quotes::Inside;
                    }
                    at += 1;
                }
                Quotes::Inside => {
                    let Some(quote) = memchr(b'"', &bytes[at..]) else {
                        break;
                    };
                    at += quote + 1;
                    self.quotes = Quotes::Behind;
                }
                Quotes::Behind => {
                    self.quotes = match bytes[at] {
                        b'"' => Quotes::Inside,
                        _ => Quotes::Outside,
                    };
                    if !matches!(bytes[at], b'"' | b',' | b'\n' | b'\r') {
                        self.watch
                            .misquoted
                            .borrow_mut()
                            .push_back(self.given + at as u64);
                    }
                    at += usize::from(self.quotes == Quotes::Inside);
                }
            }
        }
        self.last = bytes.last().copied().unwrap_or(self.last);
        self.given += bytes.len() as u64;
    }

    /// Notes the last row that ends in `bytes[among]`, which is outside quotes. A blank line does not count.
    fn note_rows(&self, bytes: &[u8], among: Range<usize>) {
        let mut until = among.end;
        while let Some(end) = memrchr(b'\n', &bytes[among.start..until]) {
            until = among.start + end;
            if until.checked_sub(1).map_or(self.last, |i| bytes[i]) != b'\n' {
                let end = self.given + until as u64 + 1;
                return self.watch.whole_until.set(end);
            }
        }
    }

    fn give_end(&mut self, buffer: &mut [u8]) -> usize {
        let end = self.end.get_or_insert_with(|| {
            let line_end: &[u8] = if self.last == b'\n' { b"" } else { b"\n" };
            [line_end, &self.watch.end_mark, b"\n"].concat()
        });
        let n = end.len().min(buffer.len());
        buffer[..n].copy_from_slice(&end[..n]);
        end.drain(..n);
        n
    }
}

impl<R: Read> Read for Tail<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.watch.since_row.get() > LONGEST_ROW {
            let most = whole_mib(LONGEST_ROW as u64);
            return Err(io::Error::other(format!(
                "a row is longer than {most}, or a quote is not closed"
            )));
        }
        let n = match self.end {
            None => self.reader.read(buffer)?,
            Some(_) => 0,
        };
        if n == 0 {
            return Ok(self.give_end(buffer));
        }
        self.look_at(&buffer[..n]);
        let watch = &self.watch;
        watch.given.set(self.given);
        watch.read.set(watch.read.get() + n as u64);
        watch.since_row.set(watch.since_row.get() + n);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Yields at most `.1` bytes at once.
    struct RowsInSteps<'a>(&'a [u8], usize);

    impl Read for RowsInSteps<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.0.len().min(self.1).min(buffer.len());
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[test]
    fn text_after_a_closing_quote_is_found_however_the_reads_are_split() {
        let cases: [(&str, &[u64]); 6] = [
            ("a,\"b\",c\n\"d\"\"e\"\n", &[]),
            ("\"a\"\r\n\"b\"\r\n", &[]),
            ("a\"b,c\n", &[]),
            ("\"a\"b,c\n", &[3]),
            ("\"b,2\nc,3\n\"d\",4\n", &[10]),
            ("\"\"\"\"x\n\"y\"z\n", &[4, 9]),
        ];
        for (text, expected) in cases {
            for step in [1, 2, 3, 100] {
                let (mut tail, watch) = Tail::of(RowsInSteps(text.as_bytes(), step));
                let mut all = Vec::new();
                tail.read_to_end(&mut all).expect("a slice can be read");
                let seen: Vec<u64> = watch.misquoted.borrow().iter().copied().collect();
                assert_eq!(seen, expected, "{text:?} in steps of {step}");
                assert!(all.ends_with(&[&watch.end_mark[..], b"\n"].concat()));
            }
        }
    }

    #[test]
    fn the_end_of_the_last_whole_row_is_known_however_the_reads_are_split() {
        let cases = [
            ("", 0),
            ("a", 0),
            ("\n\n", 0),
            ("a\n", 2),
            ("a\nb", 2),
            ("a\n\n\n", 2),
            ("a\n\n\nb\n", 6),
            ("\"a\nb", 0),
            ("\"a\n\"\nb", 5),
            ("a\n\"b\"\"\n", 2),
            ("a\n\"b\n\"\"\n\"\n", 10),
        ];
        for (text, expected) in cases {
            for step in [1, 2, 3, 100] {
                let (mut tail, watch) = Tail::of(RowsInSteps(text.as_bytes(), step));
                let mut all = Vec::new();
                tail.read_to_end(&mut all).expect("a slice can be read");
                let known = watch.whole_until.get();
                assert_eq!(known, expected, "{text:?} in steps of {step}");
            }
        }
    }

    #[test]
    fn the_end_marker_is_recognised_only_at_the_start_of_a_line() {
        for (text, open) in [("a\n", false), ("a", true), ("", false)] {
            let (mut tail, watch) = Tail::of(text.as_bytes());
            let mut all = Vec::new();
            tail.read_to_end(&mut all).expect("a slice can be read");
            let line_end: &[u8] = if open { b"\n" } else { b"" };
            assert_eq!(
                all,
                [text.as_bytes(), line_end, &watch.end_mark, b"\n"].concat()
            );
            assert_eq!(watch.given.get(), text.len() as u64);
        }
    }
}
