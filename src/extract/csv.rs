//! The CSV of `speedctl extract data`: a row per RRPair, as Go's encoding/csv writes it. This file
//! finds where a row ends and whether the input does; what a row holds is the matter of `rows.rs`.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use ::csv::{ByteRecord, ReaderBuilder};

use super::Stop;
use super::lines::LONGEST_LINE;
use super::open;
use super::rows::{OnLoss, Rows};
use crate::channel::Sender;
use crate::config::{Extraction, TopicNames};
use crate::error::Error;
use crate::record::Origin;
use crate::report::What;

/// A CSV and how it is to be read.
pub(super) struct Source<'a, R> {
    pub(super) bytes: R,
    /// What reports and errors call it.
    pub(super) name: &'a str,
    pub(super) options: &'a Extraction,
    pub(super) topics: &'a TopicNames,
    pub(super) on_loss: OnLoss,
}

/// Reads a CSV with its header row.
///
/// # Errors
/// [`Stop::Failed`] for a CSV without a usable value column, one whose topic nothing tells, and one
/// that is cut off or cannot be read, after everything before was sent; [`Stop::NeedsRaw`] where
/// the source's [`OnLoss`] allows it.
pub(super) fn read<R: Read>(source: Source<'_, R>, sender: &Sender) -> Result<(), Stop> {
    let Source {
        bytes,
        name,
        options,
        topics,
        on_loss,
    } = source;
    let watch = Rc::new(Watch::default());
    let tail = Tail {
        reader: bytes,
        watch: watch.clone(),
        end: None,
    };
    let mut csv = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(256 << 10)
        .from_reader(tail);
    let mut row = ByteRecord::new();
    let rows = match csv.read_byte_record(&mut row) {
        Ok(true) if !is_end(&row) => Rows::under(&row, name, options, topics, on_loss, sender)?,
        Ok(_) => {
            let reason = "it is empty, without even a header row".into();
            return Err(Stop::Failed(Error::Unreadable {
                place: name.into(),
                reason,
            }));
        }
        Err(e) => return Err(unreadable(name, &e)),
    };
    let mut reader = Reader {
        rows,
        watch: &watch,
    };
    let end = reader.read_all(&mut csv, name);
    if !matches!(end, Err(Stop::NeedsRaw(_))) {
        reader.rows.finish()?;
    }
    end
}

fn unreadable(input: &str, error: &::csv::Error) -> Stop {
    let reason = match error.kind() {
        ::csv::ErrorKind::Io(e) => open::reason(e),
        _ => error.to_string(),
    };
    Stop::Failed(Error::Unreadable {
        place: input.into(),
        reason,
    })
}

struct Reader<'a> {
    rows: Rows<'a>,
    watch: &'a Watch,
}

impl Reader<'_> {
    /// Reads row by row, one behind, because only the next one shows that a row was whole.
    fn read_all<R: Read>(
        &mut self,
        csv: &mut ::csv::Reader<Tail<R>>,
        input: &str,
    ) -> Result<(), Stop> {
        let (mut row, mut next) = (ByteRecord::new(), ByteRecord::new());
        let mut pending = false;
        loop {
            let more = csv
                .read_byte_record(&mut next)
                .map_err(|e| unreadable(input, &e));
            self.watch.since_row.set(0);
            self.rows.sink.tally.bytes += self.watch.read.take();
            let ended = match &more {
                Ok(true) => is_end(&next),
                Ok(false) | Err(_) => true,
            };
            if !ended {
                if pending {
                    self.rows.read(&row, origin(&row))?;
                }
                std::mem::swap(&mut row, &mut next);
                pending = true;
                if self.watch.refilled.take() {
                    self.rows.sink.flush()?;
                }
                continue;
            }
            return match more {
                Err(stop) if pending => self.rows.read(&row, origin(&row)).and(Err(stop)),
                Err(stop) => Err(stop),
                Ok(_) => self.read_last_row(pending.then_some(&row), &next, input),
            };
        }
    }

    /// `end` is the mark behind the input's end, unless an open quote has swallowed it.
    fn read_last_row(
        &mut self,
        row: Option<&ByteRecord>,
        end: &ByteRecord,
        input: &str,
    ) -> Result<(), Stop> {
        let Some(row) = row else { return Ok(()) };
        let why = if !is_end(end) {
            "a quote is not closed"
        } else if self.watch.open_line.get() {
            "the last row does not end with a line end"
        } else {
            return self.rows.read(row, origin(row));
        };
        let origin = origin(row);
        self.rows.sink.tally.rrpairs += 1;
        self.rows
            .sink
            .unreadable(What::Unreadable, origin, || why.into());
        let place = format!("{input}:{}", origin.line);
        Err(Stop::Failed(Error::CutOff {
            place,
            why: why.into(),
        }))
    }
}

/// A row's first line.
fn origin(row: &ByteRecord) -> Origin {
    Origin {
        input: 0,
        line: row.position().map_or(0, ::csv::Position::line),
    }
}

/// A row that no speedctl writes, put behind the input's end: it arrives as a row of its own only
/// when no quote is open, which the csv crate does not tell.
const END: &[u8] = b"\x00kreplay: end of input\x00";

fn is_end(row: &ByteRecord) -> bool {
    row.len() == 1 && &row[0] == END
}

/// What the reader below the csv crate sees, for the loop above it.
#[derive(Debug, Default)]
struct Watch {
    read: Cell<u64>,
    /// Bytes given since the last row, for the bound on a row's length.
    since_row: Cell<usize>,
    refilled: Cell<bool>,
    /// Whether the input does not end with a line end.
    open_line: Cell<bool>,
}

/// Passes bytes through and puts [`END`] behind them.
struct Tail<R> {
    reader: R,
    watch: Rc<Watch>,
    /// What remains to be given of the mark, once the reader has ended.
    end: Option<Vec<u8>>,
}

impl<R: Read> Read for Tail<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.watch.since_row.get() > LONGEST_LINE {
            let text = format!(
                "a row is longer than {} MiB, or a quote is not closed",
                LONGEST_LINE >> 20
            );
            return Err(io::Error::other(text));
        }
        if self.end.is_none() {
            let n = self.reader.read(buffer)?;
            if let Some(last) = buffer[..n].last() {
                self.watch.open_line.set(*last != b'\n');
                self.watch.read.set(self.watch.read.get() + n as u64);
                self.watch.since_row.set(self.watch.since_row.get() + n);
                self.watch.refilled.set(true);
                return Ok(n);
            }
            let line_end: &[u8] = if self.watch.open_line.get() {
                b"\n"
            } else {
                b""
            };
            self.end = Some([line_end, END, b"\n"].concat());
        }
        let Some(end) = &mut self.end else {
            return Ok(0);
        };
        let n = end.len().min(buffer.len());
        buffer[..n].copy_from_slice(&end[..n]);
        end.drain(..n);
        Ok(n)
    }
}
