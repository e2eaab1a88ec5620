//! A record and the batch in which it travels. Apart from both halves because it is what they hand
//! to each other: extraction fills batches, production empties them.
//!
//! All bytes of a batch stand in one buffer and records point into it, so that a record costs no
//! allocation of its own.

pub(crate) mod captured;
pub(crate) mod channel;
pub(crate) mod in_flight;
pub(crate) mod lines;
pub(crate) mod offsets;
pub(crate) mod select;
pub(crate) mod substitutes;
pub(crate) mod uuid;

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};

use self::captured::CaptureTimes;
use self::uuid::Uuid;

/// Where in the input something stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Origin {
    /// Index into the names of the run's inputs.
    pub input: u32,
    /// Line (RRPairs) or row's first line (CSV), counted from 1; 0 is the input as a whole.
    pub line: u64,
}

/// A run of bytes in the buffer of its [`Batch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

/// One captured record; its bytes stand in the batch.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Index into [`Batch::topics`]; none when the capture does not tell.
    pub(crate) topic: Option<u32>,
    pub(crate) partition: Option<i32>,
    pub(crate) offset: Option<i64>,
    /// Milliseconds since 1970, as Kafka's `CreateTime` or `LogAppendTime`.
    pub(crate) timestamp_ms: Option<i64>,
    pub(crate) key: Option<Span>,
    /// None is a tombstone (null value).
    pub(crate) value: Option<Span>,
    pub(crate) headers: Headers,
    pub(crate) origin: Origin,
    /// Which of the batch's capture times is the record's, see [`Batch::captured_ns`].
    pub(crate) capture: Option<u32>,
}

/// The headers of one record: a range of its batch's headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Headers {
    start: u32,
    end: u32,
}

/// One header; names may repeat and their order counts (Kafka protocol guide, Record Header).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) name: Span,
    pub(crate) value: Option<Span>,
}

/// The topic that a record was captured from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum CapturedTopic {
    Name(String),
    /// Fetch v13 and later carry only the id (KIP-516).
    Id(TopicId),
}

impl fmt::Display for CapturedTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// Why a text cannot be a topic's name (Apache Kafka, `Topic.validate`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameFault {
    Empty,
    TooLong,
    /// `.` and `..`, which are folders.
    Dots,
    Character,
}

impl NameFault {
    /// Kafka's `Topic.MAX_NAME_LENGTH`.
    const LONGEST: usize = 249;

    /// What is wrong with `name`; none when Kafka takes it.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        match name {
            "" => Some(Self::Empty),
            "." | ".." => Some(Self::Dots),
            name if name.len() > Self::LONGEST => Some(Self::TooLong),
            name if !name.bytes().all(is_allowed) => Some(Self::Character),
            _ => None,
        }
    }
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a topic's name is not empty",
            Self::TooLong => "a topic's name has at most 249 characters",
            Self::Dots => "no topic is called `.` or `..`",
            Self::Character => "a topic's name has only ASCII letters, digits, `.`, `_` and `-`",
        })
    }
}

/// Something by which the captured cluster is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CapturedFrom {
    /// The `host:port` of one of its brokers.
    Broker(String),
    /// Its id.
    Cluster(String),
}

impl CapturedFrom {
    fn weight(&self) -> usize {
        let (Self::Broker(text) | Self::Cluster(text)) = self;
        size_of::<Self>() + text.len()
    }
}

/// Records in the order of the input, with all their bytes.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) records: Vec<Record>,
    pub(crate) topics: Vec<CapturedTopic>,
    /// What the input told of the captured cluster and had not told before.
    pub(crate) captured_from: Vec<CapturedFrom>,
    /// Topics of records that are in the capture and not in any batch, once each in a run, and again with a
    /// higher partition: those that selection left out, and those that the service is expected to write.
    pub(crate) left_out: Vec<(CapturedTopic, Option<i32>)>,
    /// What the input cannot tell of any record in it.
    pub(crate) not_captured: MissingFields,
    headers: Vec<Header>,
    bytes: Vec<u8>,
    capture_times: CaptureTimes,
    topic_numbers: TopicNumbers,
}

/// Fields that an input has no place for: absent there does not mean null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct MissingFields {
    pub(crate) keys: bool,
    pub(crate) headers: bool,
}

/// The indices of a batch's topics.
#[derive(Debug, Default)]
struct TopicNumbers {
    names: HashMap<String, u32>,
    ids: HashMap<TopicId, u32>,
    /// Bytes of the names.
    bytes: usize,
}

impl TopicNumbers {
    fn get(&self, topic: &CapturedTopic) -> Option<u32> {
        match topic {
            CapturedTopic::Name(name) => self.names.get(name).copied(),
            CapturedTopic::Id(id) => self.ids.get(id).copied(),
        }
    }

    fn add(&mut self, topic: &CapturedTopic, index: u32) {
        match topic {
            CapturedTopic::Name(name) => {
                self.bytes += name.len();
                self.names.insert(name.clone(), index);
            }
            CapturedTopic::Id(id) => {
                self.ids.insert(*id, index);
            }
        }
    }
}

/// A state of a batch that it can be taken back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    records: usize,
    headers: usize,
    bytes: usize,
    capture_times: usize,
}

impl Mark {
    /// The records before it.
    pub(crate) fn records(self) -> usize {
        self.records
    }
}

impl Batch {
    /// What one record costs in memory besides its bytes; an estimate for the channel's bound.
    const RECORD_OVERHEAD: usize = size_of::<Record>();
    /// What one topic costs besides the bytes of its name: both entries, and a free slot of the index.
    const TOPIC_OVERHEAD: usize = 3 * size_of::<CapturedTopic>();

    /// Headers that one batch may hold. JSON of 64 MiB, which is the most that is read at once, can hold
    /// ten times as many; real ones are longer.
    pub(crate) const MOST_HEADERS: usize = 2_000_000;
    /// Room that a batch begins with at most; what is larger is rare.
    const MOST_ROOM: usize = 1 << 20;

    /// Copies `bytes` into the batch.
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) -> Span {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.span_from(start)
    }

    /// Appends what `text` decodes to from base64 (standard or URL-safe alphabet, padded or not).
    pub(crate) fn push_base64(&mut self, text: &str) -> Option<Span> {
        let start = self.bytes.len();
        let engine = if text.contains(['-', '_']) {
            &URL_SAFE
        } else {
            &STANDARD
        };
        match engine.decode_vec(text, &mut self.bytes) {
            Ok(()) => Some(self.span_from(start)),
            Err(_) => {
                self.bytes.truncate(start);
                None
            }
        }
    }

    /// Gives what there is away and begins anew, with room for about as much again.
    pub(crate) fn hand_over(&mut self) -> Self {
        let fits = |len: usize, size: usize| len.min(Self::MOST_ROOM / size);
        let next = Self {
            records: Vec::with_capacity(fits(self.records.len(), size_of::<Record>())),
            headers: Vec::with_capacity(fits(self.headers.len(), size_of::<Header>())),
            bytes: Vec::with_capacity(fits(self.bytes.len(), 1)),
            capture_times: CaptureTimes::with_room(fits(self.capture_times.len(), 16)),
            not_captured: self.not_captured,
            ..Self::default()
        };
        std::mem::replace(self, next)
    }

    fn span_from(&self, start: usize) -> Span {
        let to_u32 =
            |n: usize| u32::try_from(n).expect("a batch holds at most a few lines of 64 MiB");
        Span {
            start: to_u32(start),
            len: to_u32(self.bytes.len() - start),
        }
    }

    pub(crate) fn push_header(&mut self, header: Header) {
        self.headers.push(header);
    }

    /// Whether one more header may be pushed.
    pub(crate) fn has_room_for_headers(&self) -> bool {
        self.headers.len() < Self::MOST_HEADERS
    }

    /// Copies a record of another batch, with its bytes and topic.
    pub(crate) fn push_copy(&mut self, from: &Self, record: &Record) {
        let mark = self.mark();
        let key = record.key.map(|span| self.push_bytes(from.slice(span)));
        let value = record.value.map(|span| self.push_bytes(from.slice(span)));
        for header in from.headers(record) {
            let name = self.push_bytes(from.slice(header.name));
            let value = header.value.map(|span| self.push_bytes(from.slice(span)));
            self.push_header(Header { name, value });
        }
        let headers = self.headers_since(mark);
        let topic = from.topic(record).map(|topic| self.topic_index_of(topic));
        let capture = from
            .captured_ns(record)
            .map(|time| self.capture_index(time));
        self.records.push(Record {
            topic,
            key,
            value,
            headers,
            capture,
            ..record.clone()
        });
    }

    /// The headers pushed since `mark`, which become one record's.
    pub(crate) fn headers_since(&self, mark: Mark) -> Headers {
        let to_u32 =
            |n: usize| u32::try_from(n).expect("fewer headers than bytes, see `span_from`");
        Headers {
            start: to_u32(mark.headers),
            end: to_u32(self.headers.len()),
        }
    }

    /// Makes room for one more record of `bytes`, and for a quarter of what there is: where thousands of
    /// batches wait, twice of each would be too much.
    pub(crate) fn reserve_closely(&mut self, bytes: usize) {
        let records = &mut self.records;
        if records.len() == records.capacity() {
            records.reserve_exact((records.len() / 4).max(4));
        }
        let held = &mut self.bytes;
        if held.len() + bytes > held.capacity() {
            held.reserve_exact(bytes.max(held.len() / 4));
        }
    }

    /// The index of `topic` in [`Batch::topics`], which gains it when it is new.
    pub(crate) fn topic_index(&mut self, topic: &CapturedTopic) -> u32 {
        self.topic_numbers.get(topic).unwrap_or_else(|| {
            let index = u32::try_from(self.topics.len()).expect("fewer topics than records");
            self.topics.push(topic.clone());
            self.topic_numbers.add(topic, index);
            index
        })
    }

    /// The same, where it mostly is the topic of the record before.
    fn topic_index_of(&mut self, topic: &CapturedTopic) -> u32 {
        let last = self.records.last().and_then(|record| record.topic);
        match last.filter(|last| self.topics[*last as usize] == *topic) {
            Some(last) => last,
            None => self.topic_index(topic),
        }
    }

    /// The same for a name, without a copy of it when it is known.
    pub(crate) fn topic_index_of_name(&mut self, name: &str) -> u32 {
        // Mostly that of the record before, which costs no look-up.
        let last = self.records.last().and_then(|record| record.topic);
        let is_named = |index: &u32| matches!(&self.topics[*index as usize], CapturedTopic::Name(n) if n == name);
        if let Some(last) = last.filter(is_named) {
            return last;
        }
        match self.topic_numbers.names.get(name) {
            Some(index) => *index,
            None => self.topic_index(&CapturedTopic::Name(name.to_string())),
        }
    }

    /// The topic of `record`, where the capture names one.
    pub(crate) fn topic(&self, record: &Record) -> Option<&CapturedTopic> {
        record.topic.map(|index| &self.topics[index as usize])
    }

    /// The index by which a record refers to the time at which it was captured.
    pub(crate) fn capture_index(&mut self, time_ns: i64) -> u32 {
        self.capture_times.index(time_ns)
    }

    /// When the application was given the record, or gave it, in nanoseconds since 1970; none where the
    /// capture does not tell.
    pub(crate) fn captured_ns(&self, record: &Record) -> Option<i64> {
        record.capture.map(|index| self.capture_times.get(index))
    }

    /// Where Kafka had the record: `orders [0] @ 12`, as far as the capture says.
    pub(crate) fn captured_at(&self, record: &Record) -> String {
        let topic = self
            .topic(record)
            .map_or_else(|| "?".into(), ToString::to_string);
        let number = |n: Option<i64>| n.map_or_else(|| "?".into(), |n| n.to_string());
        let (partition, offset) = (
            number(record.partition.map(i64::from)),
            number(record.offset),
        );
        format!("{topic} [{partition}] @ {offset}")
    }

    pub(crate) fn slice(&self, span: Span) -> &[u8] {
        &self.bytes[span.start as usize..][..span.len as usize]
    }

    pub(crate) fn headers(&self, record: &Record) -> &[Header] {
        let Headers { start, end } = record.headers;
        &self.headers[Range {
            start: start as usize,
            end: end as usize,
        }]
    }

    /// Bytes of a record's key, value and headers.
    pub(crate) fn size(&self, record: &Record) -> usize {
        let len = |span: Option<Span>| span.map_or(0, |span| span.len as usize);
        let headers = self.headers(record).iter();
        let headers: usize = headers
            .map(|header| header.name.len as usize + len(header.value))
            .sum();
        len(record.key) + len(record.value) + headers
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            records: self.records.len(),
            headers: self.headers.len(),
            bytes: self.bytes.len(),
            capture_times: self.capture_times.len(),
        }
    }

    /// Takes back everything that came after `mark`. Topics stay: they are few and cost nothing.
    pub(crate) fn roll_back(&mut self, mark: Mark) {
        self.records.truncate(mark.records);
        self.headers.truncate(mark.headers);
        self.bytes.truncate(mark.bytes);
        self.capture_times.truncate(mark.capture_times);
    }

    /// Bytes of memory that the batch takes for records, with the room for more of them.
    pub(crate) fn room(&self) -> usize {
        self.bytes.capacity()
            + self.records.capacity() * Self::RECORD_OVERHEAD
            + self.headers.capacity() * size_of::<Header>()
            + self.capture_times.weight()
            + self.topics.len() * Self::TOPIC_OVERHEAD
            + self.topic_numbers.bytes * 2
    }

    /// Bytes of memory that the batch stands for in the channel.
    pub(crate) fn weight(&self) -> usize {
        self.bytes.len()
            + self.records.len() * Self::RECORD_OVERHEAD
            + self.headers.len() * size_of::<Header>()
            + self.topics.len() * Self::TOPIC_OVERHEAD
            + self.capture_times.weight()
            // Once in the list, once as the key of its index.
            + self.topic_numbers.bytes * 2
            + self
                .captured_from
                .iter()
                .map(CapturedFrom::weight)
                .sum::<usize>()
    }
}

/// Decoders that take padded and unpadded text alike: protobuf's JSON mapping asks readers to.
const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Appends `bytes` as base64, standard alphabet and padded, to `out`.
pub(crate) fn encode_base64(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    base64::engine::general_purpose::STANDARD
        .encode_slice(bytes, &mut out[start..])
        .expect("every 3 bytes begun become 4");
}

/// A topic's id (KIP-516), a UUID. Captures write it as base64, people as Kafka's tools print it
/// (URL-safe base64 without padding) or hyphenated: all of them are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TopicId(Uuid);

impl TopicId {
    /// Reads any of the spellings; none for what is no id, or the zero id that means "no id".
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let id = Uuid::parse(text)?;
        (id != Uuid::NIL).then_some(Self(id))
    }
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.kafka())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_id_is_shown_as_kafkas_tools_show_it_and_zero_is_none() {
        // Its bytes in base64, with both characters in which the alphabets differ.
        let kafka = "mgwtRnhK__sQERITFBUWFw";
        for text in [
            "9a0c2d46-784a-fffb-1011-121314151617",
            "mgwtRnhK//sQERITFBUWFw==",
            kafka,
        ] {
            let id = TopicId::parse(text).map(|id| id.to_string());
            assert_eq!(id.as_deref(), Some(kafka), "{text}");
        }
        assert_eq!(TopicId::parse("AAAAAAAAAAAAAAAAAAAAAA"), None);
        assert_eq!(TopicId::parse("00000000-0000-0000-0000-000000000000"), None);
    }

    #[test]
    fn a_topics_name_follows_kafkas_rules() {
        let (longest, longer) = ("a".repeat(249), "a".repeat(250));
        for name in ["orders", "a.b_c-D9", "...", "_", &longest] {
            assert_eq!(NameFault::of(name), None, "{name}");
        }
        for (name, fault) in [
            ("", NameFault::Empty),
            (".", NameFault::Dots),
            ("..", NameFault::Dots),
            (longer.as_str(), NameFault::TooLong),
            ("a b", NameFault::Character),
            ("a/b", NameFault::Character),
            ("ördrar", NameFault::Character),
            ("a\0", NameFault::Character),
        ] {
            assert_eq!(NameFault::of(name), Some(fault), "{name}");
        }
    }

    #[test]
    fn a_zero_topic_id_means_none() {
        for text in [
            "",
            "orders",
            "AAAAAAAAAAAAAAAAAAAAAA==",
            "00000000-0000-0000-0000-000000000000",
        ] {
            assert_eq!(TopicId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn base64_of_both_alphabets_decodes_and_anything_else_leaves_the_batch_as_it_was() {
        let mut batch = Batch::default();
        for text in ["+/+/", "-_-_", "YQ==", "YQ"] {
            assert!(batch.push_base64(text).is_some(), "{text}");
        }
        let before = batch.mark().bytes;
        assert!(batch.push_base64("no base64 at all").is_none());
        assert_eq!(batch.mark().bytes, before);
    }

    #[test]
    fn a_copy_of_a_record_keeps_its_capture_time() {
        let mut from = Batch::default();
        for time_ns in [Some(7), None, Some(9)] {
            let record = Record {
                topic: None,
                partition: None,
                offset: None,
                timestamp_ms: None,
                key: None,
                value: None,
                headers: Headers::default(),
                origin: Origin { input: 0, line: 1 },
                capture: time_ns.map(|time_ns| from.capture_index(time_ns)),
            };
            from.records.push(record);
        }
        let mut to = Batch::default();
        let mark = to.mark();
        to.capture_index(5);
        to.roll_back(mark);
        for record in from.records.iter().rev() {
            to.push_copy(&from, record);
        }
        let times: Vec<Option<i64>> = to.records.iter().map(|r| to.captured_ns(r)).collect();
        assert_eq!(times, [Some(9), None, Some(7)]);
    }

    #[test]
    fn rolling_back_forgets_what_came_after_the_mark() {
        let mut batch = Batch::default();
        let kept = batch.push_bytes(b"kept");
        let mark = batch.mark();
        let name = batch.push_bytes(b"name");
        batch.push_header(Header { name, value: None });
        batch.roll_back(mark);
        assert_eq!(batch.slice(kept), b"kept");
        assert_eq!(batch.headers_since(mark), Headers { start: 0, end: 0 });
        assert_eq!(batch.weight(), 4);
    }
}
