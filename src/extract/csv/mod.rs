//! The CSV of `speedctl extract data`: a row per RRPair, as Go's encoding/csv writes it. This file finds rows
//! and whether the input is whole; `rows/` decides what a row holds.

pub(super) mod columns;
mod header;
pub(super) mod rows;

use std::cell::RefCell;
use std::io::Read;
use std::rc::Rc;

use ::csv::{ByteRecord, ReaderBuilder, Terminator};
use memchr::memchr_iter;

use self::rows::{OnLoss, RowKind, Rows, Wishes};
use super::context::ReadStop;
use super::input::encoding::open;
use super::input::tail::{Tail, TailWatch};
use super::keep::deduplicator::Deduplicator;
use super::keep::sink::{Outlet, Sink};
use crate::config::{Extraction, TopicNames};
use crate::error::Error;
use crate::record::Origin;
use crate::report::ProblemKind;

/// A CSV and how to read it.
pub(super) struct CsvSource<'a, R> {
    pub(super) bytes: R,
    /// What reports and errors call it.
    pub(super) name: &'a str,
    /// Its number among the inputs of the run.
    pub(super) input: u32,
    pub(super) options: &'a Extraction,
    pub(super) topics: &'a TopicNames,
    pub(super) on_loss: OnLoss,
    /// What leaves records out; one instance for all CSVs of a run.
    pub(super) deduplicator: &'a RefCell<Deduplicator>,
}

/// Reads a CSV with its header row.
///
/// # Errors
/// Returns [`ReadStop::Failed`] for a CSV without a usable value column, one without a topic, and one that is
/// cut off or cannot be read, after everything before was sent; [`ReadStop::NeedsRaw`] if the source's
/// [`OnLoss`] allows it.
pub(super) fn read<R: Read>(source: CsvSource<'_, R>, sender: &Outlet) -> Result<(), ReadStop> {
    let CsvSource {
        bytes, name, input, ..
    } = source;
    let at = |line| Origin { input, line };
    let wishes = Wishes {
        options: source.options,
        topics: source.topics,
        on_loss: source.on_loss,
        deduplicator: source.deduplicator,
    };
    let mut reader = CsvReader::of(bytes, name);
    let under = |header: &ByteRecord| Rows::under(header, name, wishes, sender);
    let mut rows = reader.read_header(under)?;
    let end = loop {
        if reader.has_to_wait() && rows.sink.tally.rrpairs > 0 {
            rows.sink.flush()?;
        }
        let read = match reader.advance() {
            CsvStep::Row(RowPlace {
                misquoted: true,
                line,
            }) => {
                let why = || "text follows a closing quote".into();
                rows.sink.unreadable(ProblemKind::Unreadable, at(line), why);
                Ok(())
            }
            CsvStep::Row(place) => match rows.kind_of(&reader.row) {
                RowKind::Records => rows.read(&reader.row, at(place.line)),
                RowKind::Header => {
                    rows.note_header(at(place.line));
                    Ok(())
                }
                RowKind::OtherHeader => break Err(reader.other_header(place)),
            },
            CsvStep::Blank => Ok(()),
            CsvStep::End => break Ok(()),
            CsvStep::CutOff(place, why) => {
                rows.sink
                    .unreadable(ProblemKind::Unreadable, at(place.line), || why.into());
                break Err(reader.cut_off(place, why));
            }
            CsvStep::Failed(line, error) => {
                rows.sink
                    .unreadable(ProblemKind::Unreadable, at(line), || error.to_string());
                break Err(ReadStop::Failed(error));
            }
        };
        rows.sink.tally.bytes += reader.watch.read.take();
        let bound = source.deduplicator.borrow().check_bound();
        if let Err(stop) = read.and(bound.map_err(ReadStop::Failed)) {
            break Err(stop);
        }
    };
    rows.sink.tally.bytes += reader.watch.read.take();
    if !matches!(end, Err(ReadStop::NeedsRaw(_))) {
        rows.finish()?;
    }
    end
}

/// Reports what is known about all CSVs of a run once they have been read.
///
/// # Errors
/// Returns [`ReadStop::Closed`] if production accepts no more records.
pub(super) fn finish(
    deduplicator: &RefCell<Deduplicator>,
    sender: &Outlet,
) -> Result<(), ReadStop> {
    let mut sink = Sink::new(sender);
    deduplicator.borrow().finish(&mut sink.tally);
    sink.flush()
}

/// Where a row is, and whether its quotes are sound.
#[derive(Debug, Clone, Copy)]
struct RowPlace {
    /// Its first line.
    line: u64,
    misquoted: bool,
}

/// What comes next in the input.
enum CsvStep {
    /// A whole row, which is in [`CsvReader::row`].
    Row(RowPlace),
    /// An empty line.
    Blank,
    End,
    /// A row that is not whole, the last one.
    CutOff(RowPlace, &'static str),
    /// The line at which reading failed.
    Failed(u64, Error),
}

/// Reads row by row. A row is whole if its line end comes from the input.
struct CsvReader<'a, R> {
    csv: ::csv::Reader<Tail<R>>,
    watch: Rc<TailWatch>,
    name: &'a str,
    row: ByteRecord,
    /// Columns of the header, once it is read.
    width: Option<usize>,
    /// Whether rows end with `\r\n`, as the header does.
    crlf: Option<bool>,
}

impl<'a, R: Read> CsvReader<'a, R> {
    fn of(bytes: R, name: &'a str) -> Self {
        let (tail, watch) = Tail::of(bytes);
        let csv = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // Needed to know a row's line; a `\r` before the `\n` is removed here.
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(256 << 10)
            .from_reader(tail);
        Self {
            csv,
            watch,
            name,
            row: ByteRecord::new(),
            width: None,
            crlf: None,
        }
    }

    /// Reads the header row and creates the reader of the other rows from it.
    fn read_header<'r>(
        &mut self,
        under: impl Fn(&ByteRecord) -> Result<Rows<'r>, ReadStop>,
    ) -> Result<Rows<'r>, ReadStop> {
        let mut step = self.advance();
        while matches!(step, CsvStep::Blank) {
            step = self.advance();
        }
        match step {
            CsvStep::Row(_) => {
                self.width = Some(self.row.len());
                under(&self.row)
            }
            CsvStep::Blank | CsvStep::End => {
                let reason = "it is empty, without even a header row".into();
                Err(ReadStop::Failed(Error::Unreadable {
                    place: self.name.into(),
                    reason,
                }))
            }
            // A header without a value column is an error, however it ends.
            CsvStep::CutOff(place, why) => match under(&self.row) {
                Err(ReadStop::Failed(error @ Error::NoValueColumn { .. })) => {
                    Err(ReadStop::Failed(error))
                }
                _ => Err(self.cut_off(place, why)),
            },
            CsvStep::Failed(_, error) => Err(ReadStop::Failed(error)),
        }
    }

    /// Whether the next row is not whole yet: reading it may take any amount of time.
    fn has_to_wait(&self) -> bool {
        self.csv.position().byte() >= self.watch.whole_until.get()
    }

    /// Reads the next row into `row`.
    fn advance(&mut self) -> CsvStep {
        let line = self.csv.position().line();
        let read = self.csv.read_byte_record(&mut self.row);
        self.watch.since_row.set(0);
        match read {
            Ok(true) => {}
            Ok(false) => return CsvStep::End,
            Err(e) => return CsvStep::Failed(line, self.failed(&e, line)),
        }
        let mark = &self.watch.end_mark[..];
        if self.row.len() == 1 && &self.row[0] == mark {
            return CsvStep::End;
        }
        let place = self.place();
        // An open quote continues beyond the end of the input.
        let open = |cell: &[u8]| {
            cell.strip_suffix(b"\n")
                .is_some_and(|cell| cell.ends_with(mark))
        };
        if self.row.iter().next_back().is_some_and(open) {
            // Its last line end is within the row, so that none ends it.
            let place = RowPlace {
                line: place.line + 1,
                ..place
            };
            return CsvStep::CutOff(place, "a quote is not closed");
        }
        self.strip_carriage_return();
        if self.row.len() == 1 && self.row[0].is_empty() {
            return CsvStep::Blank;
        }
        // With all columns, a row is whole without a line end.
        let is_whole = self.width == Some(self.row.len());
        if self.csv.position().byte() > self.watch.given.get() && !is_whole {
            return CsvStep::CutOff(place, "the last row lacks columns and a line end");
        }
        CsvStep::Row(place)
    }

    /// Where the row in `row` is. The crate's position of a row is before the blank lines that it skips, so
    /// the line is counted from the row's end.
    fn place(&self) -> RowPlace {
        let inside = memchr_iter(b'\n', self.row.as_slice()).count() as u64;
        let end = self.csv.position();
        let line = end.line().saturating_sub(1 + inside).max(1);
        RowPlace {
            line,
            misquoted: self.watch.is_misquoted(end.byte()),
        }
    }

    fn strip_carriage_return(&mut self) {
        let ends = |row: &ByteRecord| {
            row.iter()
                .next_back()
                .is_some_and(|cell| cell.ends_with(b"\r"))
        };
        let crlf = *self.crlf.get_or_insert_with(|| ends(&self.row));
        if crlf && ends(&self.row) {
            let last = self.row.len() - 1;
            let cell = self.row[last]
                .strip_suffix(b"\r")
                .unwrap_or_default()
                .to_vec();
            self.row.truncate(last);
            self.row.push_field(&cell);
        }
    }

    fn other_header(&self, place: RowPlace) -> ReadStop {
        ReadStop::Failed(Error::Unreadable {
            place: format!("{}:{}", self.name, place.line),
            reason: "another header begins here: these are two CSVs; give them as separate files"
                .into(),
        })
    }

    fn cut_off(&self, place: RowPlace, why: &str) -> ReadStop {
        let place = format!("{}:{}", self.name, place.line);
        ReadStop::Failed(Error::CutOff {
            place,
            why: why.into(),
        })
    }

    fn failed(&self, error: &::csv::Error, line: u64) -> Error {
        let reason = match error.kind() {
            ::csv::ErrorKind::Io(e) => open::reason(e),
            _ => error.to_string(),
        };
        Error::Unreadable {
            place: format!("{}:{line}", self.name),
            reason,
        }
    }
}
