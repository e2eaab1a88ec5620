//! Turns a row of a CSV into records. Sentinels show what a row cannot carry, and it is never lost silently:
//! it is counted, or makes the run change to the RRPairs while it still can.

mod cells;
mod losses;

use std::cell::RefCell;
use std::collections::HashSet;

use ::csv::ByteRecord;

use self::cells::fields;
use super::columns::Columns;
use super::header::{HeaderRow, Unmatched, check_width};
use crate::config::small_file::unmarked;
use crate::config::{Extraction, TopicNames};
use crate::error::Error;
use crate::extract::census::LONGEST_PLACE;
use crate::extract::context::ReadStop;
use crate::extract::input::kind::UUID_COLUMN;
use crate::extract::keep::aborted::Visibility;
use crate::extract::keep::deduplicator::Deduplicator;
use crate::extract::keep::identities::BatchMark;
use crate::extract::keep::sink::{Outlet, Sink};
use crate::extract::profile::Profile;
use crate::extract::profile::capture::CapturePaths;
use crate::extract::profile::filter::Filter;
use crate::extract::rrpair::engine::Engine;
use crate::extract::rrpair::fields::{Attributes, FieldSet, Slot};
use crate::record::{CapturedFrom, Headers, MissingFields, Origin, Record};
use crate::report::{Outcome, ProblemKind};

/// How many brokers are noted; no cluster has more.
const MOST_BROKERS: usize = 256;

/// What to do about records that a row cannot carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum OnLoss {
    /// Count and name them.
    Count,
    /// Change to the RRPairs if nothing has been sent yet; otherwise count.
    ChangeToRaw,
}

/// What a run needs from the rows.
#[derive(Clone, Copy)]
pub(in crate::extract) struct Wishes<'a> {
    pub(in crate::extract) options: &'a Extraction,
    pub(in crate::extract) topics: &'a TopicNames,
    pub(in crate::extract) on_loss: OnLoss,
    pub(in crate::extract) deduplicator: &'a RefCell<Deduplicator>,
}

/// The kind of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum RowKind {
    Records,
    /// The header again: several CSVs were concatenated.
    Header,
    /// A header with other columns.
    OtherHeader,
}

/// Rows under one header.
pub(in crate::extract) struct Rows<'a> {
    header: ByteRecord,
    columns: Columns,
    capture: CapturePaths,
    partition_default: Option<i32>,
    offset_base_default: Option<i64>,
    wishes: Wishes<'a>,
    sender: &'a Outlet,
    /// The user's paths that head no column; empty after the first row.
    unmatched: Vec<Unmatched>,
    /// Brokers that were noted.
    brokers: HashSet<String>,
    pub(in crate::extract) sink: Sink<'a>,
}

impl<'a> Rows<'a> {
    /// Finds out from `header` what the rows will hold.
    ///
    /// # Errors
    /// Returns [`Error::NoValueColumn`] or [`Error::NoTopic`], or [`Error::Config`] for paths that do not
    /// parse.
    pub(in crate::extract) fn under(
        header: &ByteRecord,
        name: &str,
        wishes: Wishes<'a>,
        sender: &'a Outlet,
    ) -> Result<Self, ReadStop> {
        check_width(header, name).map_err(ReadStop::Failed)?;
        let engine = engine(wishes.options).map_err(ReadStop::Failed)?;
        let first = header.clone();
        let header = HeaderRow::of(header, &engine, &wishes.options.overrides);
        header
            .check(name, wishes.topics)
            .map_err(ReadStop::Failed)?;
        let mut sink = Sink::new(sender);
        let records = &header.columns.records;
        sink.batch.not_captured = MissingFields {
            keys: !records.iter().any(|record| record.has(Slot::Key)),
            headers: true,
        };
        Ok(Self {
            header: first,
            columns: header.columns,
            unmatched: header.unmatched,
            capture: engine.capture_paths().clone(),
            partition_default: engine.partition_default,
            offset_base_default: engine.offset_base_default,
            wishes,
            sender,
            brokers: HashSet::new(),
            sink,
        })
    }

    /// Says whether a row is a header between the rows.
    pub(in crate::extract) fn kind_of(&self, row: &ByteRecord) -> RowKind {
        // A file that was appended brings its own byte order mark and line ends.
        let bare = |cell: &[u8]| {
            let cell = unmarked(cell);
            cell.strip_suffix(b"\r").unwrap_or(cell) == UUID_COLUMN.as_bytes()
        };
        let same = |(row, header): (&[u8], &[u8])| {
            let row = unmarked(row);
            row.strip_suffix(b"\r").unwrap_or(row) == header
        };
        match row.len() == self.header.len() && row.iter().zip(&self.header).all(same) {
            true => RowKind::Header,
            false if row.iter().any(bare) => RowKind::OtherHeader,
            false => RowKind::Records,
        }
    }

    /// Names a header between the rows.
    pub(in crate::extract) fn note_header(&mut self, origin: Origin) {
        let problems = &mut self.sink.tally.problems;
        problems.add(ProblemKind::HeaderAgain, origin, || {
            "the row repeats the header and is not a record: several CSVs were concatenated".into()
        });
    }

    /// Reads one row.
    ///
    /// # Errors
    /// Returns [`ReadStop::NeedsRaw`] if the row cannot carry everything and it is not too late.
    pub(in crate::extract) fn read(
        &mut self,
        row: &ByteRecord,
        origin: Origin,
    ) -> Result<(), ReadStop> {
        self.sink.tally.rrpairs += 1;
        self.name_unmatched();
        self.name_unseen(origin);
        if row.len() != self.columns.width {
            let (has, wanted) = (row.len(), self.columns.width);
            self.sink.unreadable(ProblemKind::Unreadable, origin, || {
                format!("the row has {has} columns, the header has {wanted}")
            });
            return self.sink.flush_if_full();
        }
        self.sink.tally.fetches += 1;
        self.note_broker(row);
        let before = self.sink.tally.found;
        self.watch_sentinels(row, origin)?;
        let capture = self.capture_index(row);
        for record in 0..self.columns.records.len() {
            self.read_record(row, record, (origin, capture))?;
        }
        self.sink.tally.empty_fetches += u64::from(self.sink.tally.found == before);
        self.sink.flush_if_full()
    }

    /// Passes on the last records after all rows have been read.
    ///
    /// # Errors
    /// Returns [`ReadStop::Closed`] if production accepts no more records.
    pub(in crate::extract) fn finish(&mut self) -> Result<(), ReadStop> {
        self.sink.flush()
    }

    /// Notes the broker that a row was captured at, once for each.
    fn note_broker(&mut self, row: &ByteRecord) {
        let Some(broker) = self.columns.broker.map(|column| &row[column]) else {
            return;
        };
        // Rows of one broker follow each other, and the number of brokers is limited.
        if let Ok(broker) = std::str::from_utf8(broker)
            && !broker.is_empty()
            && broker.len() <= LONGEST_PLACE
            && self.brokers.len() < MOST_BROKERS
            && !self.brokers.contains(broker)
        {
            self.brokers.insert(broker.into());
            let captured_from = &mut self.sink.batch.captured_from;
            captured_from.push(CapturedFrom::Broker(broker.into()));
        }
    }

    /// Notes when the row was captured, if it says so.
    fn capture_index(&mut self, row: &ByteRecord) -> Option<u32> {
        let cell = |index: usize| std::str::from_utf8(&row[self.columns.capture[index]?]).ok();
        let time_ns = self.capture.captured_ns(cell)?;
        Some(self.sink.batch.capture_index(time_ns))
    }

    /// The record whose columns have the index `index`, if the row has one.
    fn read_record(
        &mut self,
        row: &ByteRecord,
        index: usize,
        (origin, capture): (Origin, Option<u32>),
    ) -> Result<(), ReadStop> {
        let columns = &self.columns.records[index];
        let values = columns
            .fields
            .iter()
            .filter(|column| column.slot == Slot::Value);
        let has_value = values.clone().any(|column| !row[column.column].is_empty());
        if !has_value && columns.traces.iter().all(|column| row[*column].is_empty()) {
            return Ok(());
        }
        let mark = self.sink.batch.mark();
        let fields = match fields(row, columns, &mut self.sink.batch) {
            Ok(fields) => fields,
            Err(why) => {
                self.sink.batch.roll_back(mark);
                self.sink
                    .unreadable(ProblemKind::Unreadable, origin, || why);
                return Ok(());
            }
        };
        if fields.attributes().has(Attributes::CONTROL) {
            self.loses("a Fetch holds transaction markers")?;
            self.sink.batch.roll_back(mark);
            self.sink.tally.found += 1;
            self.sink.tally.outcomes[Outcome::Control] += 1;
            return Ok(());
        }
        if !has_value {
            let why = "a record's value cell is empty: a CSV does not distinguish null from an empty string";
            return self.lose(mark, why, origin);
        }
        if self.has_no_name(&fields) {
            let why = "a topic is known only by its id, which a CSV row does not resolve";
            self.loses(why)?;
            self.note_unnamed(&fields);
            return self.lose(mark, why, origin);
        }
        self.check_doubts(row, index, &fields, origin)?;
        self.push(index, &fields, (origin, capture));
        Ok(())
    }

    fn push(&mut self, index: usize, fields: &FieldSet, (origin, capture): (Origin, Option<u32>)) {
        let columns = &self.columns.records[index];
        // If there is a column for it, an empty cell is the default that protobuf's JSON leaves out.
        let partition_default = self
            .partition_default
            .filter(|_| columns.has(Slot::Partition));
        let offset_base_default = self
            .offset_base_default
            .filter(|_| columns.has(Slot::OffsetBase));
        // Without its delta, only the first record of a batch has the batch's own offset.
        let knows_offset =
            columns.is_first || columns.has(Slot::OffsetDelta) || columns.has(Slot::Offset);
        let offset = fields.offset(offset_base_default).filter(|_| knows_offset);
        let partition = fields
            .number(Slot::Partition)
            .and_then(|n| i32::try_from(n).ok());
        let mut record = Record {
            topic: fields.topic(Slot::Topic).or(fields.topic(Slot::TopicId)),
            partition: partition.or(partition_default),
            offset,
            timestamp_ms: fields.timestamp_ms(),
            key: fields.bytes(Slot::Key),
            value: fields.bytes(Slot::Value),
            headers: Headers::default(),
            origin,
            capture,
        };
        let Sink { batch, tally, .. } = &mut self.sink;
        let mut deduplicator = self.wishes.deduplicator.borrow_mut();
        let identities = &mut deduplicator.identities;
        identities.name(batch, &mut record);
        let mark = BatchMark {
            base_offset: fields.offset_base(offset_base_default),
            crc: fields.number(Slot::Crc),
        };
        identities.observe(batch, &record, mark);
        if deduplicator.try_claim(batch.topic(&record), &record, Visibility::Visible, tally) {
            batch.records.push(record);
        }
    }
}

/// The engine of the chosen profile; speedctl has filtered the CSV.
pub(in crate::extract) fn engine(options: &Extraction) -> Result<Engine, Error> {
    let profile = Profile::chosen(options)?;
    let engine = Engine::of(&profile, &Filter::everything())?;
    profile.check_values()?;
    Ok(engine)
}
