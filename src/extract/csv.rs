//! The CSV of `speedctl extract data`: a row per RRPair, as Go's encoding/csv writes it. Columns
//! are found by header. What a row cannot carry is seen by sentinels and never lost in silence.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use ::csv::{ByteRecord, ReaderBuilder};

use super::Stop;
use super::columns::{Columns, RecordColumns};
use super::draft::{Attributes, Draft};
use super::lines::LONGEST_LINE;
use super::open;
use super::profile::Encoding;
use super::sink::Sink;
use crate::channel::Sender;
use crate::config::TopicNames;
use crate::error::Error;
use crate::record::{CapturedTopic, Origin, Record, Span, TopicId};
use crate::report::What;

/// What to do about records that a row cannot carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnLoss {
    /// Count and name them.
    Count,
    /// Change to the RRPairs where nothing has been sent yet; else count.
    ChangeToRaw,
}

/// Reads a CSV with its header row.
///
/// # Errors
/// [`Stop::Failed`] for a CSV without a usable value column, one whose topic nothing tells, and one
/// that is cut off or cannot be read, after everything before was sent; [`Stop::NeedsRaw`] as
/// `on_loss` allows.
pub(super) fn read(
    bytes: impl Read,
    input: &str,
    on_loss: OnLoss,
    topics: &TopicNames,
    sender: &Sender,
) -> Result<(), Stop> {
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
    let columns = match csv.read_byte_record(&mut row) {
        Ok(true) if !is_end(&row) => usable_columns(&row, input, topics)?,
        Ok(_) => {
            let reason = "it is empty, without even a header row".into();
            return Err(Stop::Failed(Error::Unreadable {
                place: input.into(),
                reason,
            }));
        }
        Err(e) => return Err(unreadable(input, &e)),
    };
    let mut rows = Rows {
        columns,
        on_loss,
        topics,
        sender,
        sink: Sink::new(sender),
        watch: &watch,
    };
    let end = rows.read_all(&mut csv, input);
    if !matches!(end, Err(Stop::NeedsRaw(_))) {
        rows.sink.flush()?;
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

fn usable_columns(header: &ByteRecord, input: &str, topics: &TopicNames) -> Result<Columns, Stop> {
    const MOST_NAMED: usize = 20;
    const LONGEST_NAME: usize = 120;
    let headers: Vec<String> = header
        .iter()
        .map(|cell| String::from_utf8_lossy(cell).into_owned())
        .collect();
    let columns = Columns::of(&headers);
    if columns.records.is_empty() {
        let shorten = |name: &String| name.chars().take(LONGEST_NAME).collect();
        let columns = headers.iter().take(MOST_NAMED).map(shorten).collect();
        return Err(Stop::Failed(Error::NoValueColumn {
            input: input.into(),
            columns,
        }));
    }
    let untold = columns
        .records
        .iter()
        .any(|r| r.topics.is_empty() && r.topic_id.is_none());
    if untold && matches!(topics, TopicNames::Mapped(_)) {
        return Err(Stop::Failed(Error::TopicUntold {
            place: input.into(),
        }));
    }
    Ok(columns)
}

struct Rows<'a> {
    columns: Columns,
    on_loss: OnLoss,
    topics: &'a TopicNames,
    sender: &'a Sender,
    sink: Sink<'a>,
    watch: &'a Watch,
}

impl Rows<'_> {
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
            self.sink.tally.bytes += self.watch.read.take();
            let ended = match &more {
                Ok(true) => is_end(&next),
                Ok(false) | Err(_) => true,
            };
            if !ended {
                if pending {
                    self.read_row(&row)?;
                }
                std::mem::swap(&mut row, &mut next);
                pending = true;
                if self.watch.refilled.take() {
                    self.sink.flush()?;
                }
                continue;
            }
            return match more {
                Err(stop) if pending => self.read_row(&row).and(Err(stop)),
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
            return self.read_row(row);
        };
        let origin = origin(row);
        self.sink.tally.rrpairs += 1;
        self.sink
            .unreadable(What::Unreadable, origin, || why.into());
        let place = format!("{input}:{}", origin.line);
        Err(Stop::Failed(Error::CutOff {
            place,
            why: why.into(),
        }))
    }

    fn read_row(&mut self, row: &ByteRecord) -> Result<(), Stop> {
        let origin = origin(row);
        self.sink.tally.rrpairs += 1;
        if row.len() != self.columns.width {
            let (has, wanted) = (row.len(), self.columns.width);
            self.sink.unreadable(What::Unreadable, origin, || {
                format!("the row has {has} columns, the header has {wanted}")
            });
            return Ok(self.sink.flush_if_full()?);
        }
        self.sink.tally.fetches += 1;
        let before = self.sink.tally.found;
        self.watch_sentinels(row, origin)?;
        for record in 0..self.columns.records.len() {
            self.read_record(row, record, origin)?;
        }
        self.sink.tally.empty_fetches += u64::from(self.sink.tally.found == before);
        Ok(self.sink.flush_if_full()?)
    }

    fn watch_sentinels(&mut self, row: &ByteRecord, origin: Origin) -> Result<(), Stop> {
        let mut lost: Vec<String> = Vec::new();
        for sentinel in &self.columns.sentinels {
            if !row[sentinel.column].is_empty() && !lost.contains(&sentinel.array) {
                lost.push(sentinel.array.clone());
            }
        }
        for array in lost {
            let why =
                format!("a Fetch has more than one element of `{array}`, a CSV row carries one");
            self.loses(&why)?;
            self.sink.unreadable(What::LostByCsv, origin, || why);
        }
        Ok(())
    }

    /// Something cannot be carried: the last chance to change to the RRPairs.
    fn loses(&self, why: &str) -> Result<(), Stop> {
        if self.on_loss == OnLoss::ChangeToRaw && self.sender.take_back() {
            return Err(Stop::NeedsRaw(why.into()));
        }
        Ok(())
    }

    /// The record whose columns are those of index `index`, where the row has one.
    fn read_record(&mut self, row: &ByteRecord, index: usize, origin: Origin) -> Result<(), Stop> {
        let columns = &self.columns.records[index];
        let exists = columns
            .values
            .iter()
            .map(|(i, _)| i)
            .chain(&columns.traces)
            .any(|i| !row[*i].is_empty());
        if !exists {
            return Ok(());
        }
        let draft = match draft(row, columns) {
            Ok(draft) => draft,
            Err(why) => {
                self.sink.unreadable(What::Unreadable, origin, || why);
                return Ok(());
            }
        };
        if draft.shared.attributes.has(Attributes::CONTROL) {
            self.loses("a Fetch holds transaction markers")?;
            self.sink.tally.found += 1;
            self.sink.tally.control += 1;
            return Ok(());
        }
        if columns.values.iter().all(|(i, _)| row[*i].is_empty()) {
            let why = "a record's value cell is empty: null or an empty string, which a CSV does not tell apart";
            self.loses(why)?;
            self.sink.unreadable(What::LostByCsv, origin, || why.into());
            return Ok(());
        }
        self.check_doubts(row, index, &draft, origin)?;
        self.push_record(row, index, &draft, origin)
    }

    /// What a row tells of a record that it can carry only in part.
    fn check_doubts(
        &mut self,
        row: &ByteRecord,
        index: usize,
        draft: &Draft,
        origin: Origin,
    ) -> Result<(), Stop> {
        let columns = &self.columns.records[index];
        if columns
            .headers
            .iter()
            .any(|sentinel| !row[sentinel.column].is_empty())
        {
            let why = "a record has headers, which a CSV row does not carry";
            self.loses(why)?;
            self.sink
                .tally
                .problems
                .add(What::HeadersLost, origin, || why.into());
        }
        if draft.shared.attributes.has(Attributes::TRANSACTIONAL) {
            let why = "a record is part of a transaction, and a CSV row does not tell whether it was aborted";
            self.loses(why)?;
            self.sink
                .tally
                .problems
                .add(What::Transactional, origin, || why.into());
        }
        Ok(())
    }

    fn push_record(
        &mut self,
        row: &ByteRecord,
        index: usize,
        draft: &Draft,
        origin: Origin,
    ) -> Result<(), Stop> {
        let columns = &self.columns.records[index];
        let topic = captured_topic(row, columns);
        if let Some(CapturedTopic::Id(id)) = topic
            && !self.topics.name_id(id)
        {
            self.loses("a topic is known only by its id")?;
        }
        let columns = &self.columns.records[index];
        let Sink { batch, tally, .. } = &mut self.sink;
        let mark = batch.mark();
        let mut span = |spellings: &[(usize, Encoding)]| -> Result<Option<Span>, String> {
            let Some((i, encoding)) = spellings.iter().find(|(i, _)| !row[*i].is_empty()) else {
                return Ok(None);
            };
            match encoding {
                Encoding::Text => Ok(Some(batch.push_bytes(&row[*i]))),
                Encoding::Base64 => {
                    let text = std::str::from_utf8(&row[*i]).ok();
                    let bytes = text.and_then(|text| batch.push_base64(text));
                    bytes
                        .map(Some)
                        .ok_or_else(|| format!("column {} should be base64 and is not", i + 1))
                }
            }
        };
        match span(&columns.values).and_then(|value| Ok((value, span(&columns.keys)?))) {
            Ok((value, key)) => {
                tally.found += 1;
                let topic = topic.map(|topic| batch.topic_index(&topic));
                let (partition, timestamp_ms) = (draft.shared.partition, draft.timestamp_ms());
                let offset = columns.offset_base.and_then(|_| draft.offset());
                let headers = batch.headers_since(mark);
                batch.records.push(Record {
                    topic,
                    partition,
                    offset,
                    timestamp_ms,
                    key,
                    value,
                    headers,
                    origin,
                });
            }
            Err(why) => {
                batch.roll_back(mark);
                self.sink.unreadable(What::Unreadable, origin, || why);
            }
        }
        Ok(())
    }
}

/// The numbers of a record; an error says which cell is none.
fn draft(row: &ByteRecord, columns: &RecordColumns) -> Result<Draft, String> {
    let number = |column: Option<usize>| -> Result<Option<i64>, String> {
        let Some(column) = column.filter(|i| !row[*i].is_empty()) else {
            return Ok(None);
        };
        let cell = String::from_utf8_lossy(&row[column]);
        cell.parse()
            .map(Some)
            .map_err(|_| format!("column {}: `{cell:.40}` is not an integer", column + 1))
    };
    let mut draft = Draft {
        offset_delta: number(columns.offset_delta)?.unwrap_or(0),
        time_delta_ms: number(columns.time_delta)?.unwrap_or(0),
        ..Draft::default()
    };
    let shared = &mut draft.shared;
    shared.offset_base = number(columns.offset_base)?;
    shared.time_base_ms = number(columns.time_base)?;
    shared.time_max_ms = number(columns.time_max)?;
    let partition = number(
        columns
            .partitions
            .iter()
            .copied()
            .find(|i| !row[*i].is_empty()),
    )?;
    // With a column for it, an empty cell is the default that protobuf's JSON leaves out.
    let partition = partition.or((!columns.partitions.is_empty()).then_some(0));
    shared.partition = partition
        .map(|partition| {
            i32::try_from(partition)
                .ok()
                .filter(|p| *p >= 0)
                .ok_or(partition)
        })
        .transpose()
        .map_err(|partition| format!("{partition} is no partition's index"))?;
    for column in &columns.attributes {
        shared.attributes = shared.attributes.with(attributes(&row[*column]));
    }
    Ok(draft)
}

/// A cell of attributes: a bit mask, a name, or the JSON text of a list of names.
fn attributes(cell: &[u8]) -> Attributes {
    let text = String::from_utf8_lossy(cell);
    text.parse()
        .map_or_else(|_| Attributes::from_name(&text), Attributes::from_bits)
}

fn captured_topic(row: &ByteRecord, columns: &RecordColumns) -> Option<CapturedTopic> {
    let name = columns
        .topics
        .iter()
        .map(|i| &row[*i])
        .find(|cell| !cell.is_empty());
    if let Some(name) = name {
        return Some(CapturedTopic::Name(
            String::from_utf8_lossy(name).into_owned(),
        ));
    }
    let id = columns.topic_id.map(|i| String::from_utf8_lossy(&row[i]))?;
    TopicId::parse(&id).map(CapturedTopic::Id)
}

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
