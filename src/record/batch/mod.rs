//! A batch of records: how records get into it, and how they are read from it.
//!
//! All bytes of a batch are in one buffer and records point into it, so that a record costs no allocation of its
//! own.

pub(crate) mod captured;
pub(crate) mod in_flight;
mod topics;
mod weight;

use std::ops::Range;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use self::captured::CaptureTimes;
use self::topics::TopicNumbers;
use super::{CapturedFrom, CapturedTopic, Header, Headers, Record, Span};

/// Records in the order of the input, with all their bytes.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) records: Vec<Record>,
    pub(crate) topics: Vec<CapturedTopic>,
    /// What the input says about the captured cluster, and has not said before.
    pub(crate) captured_from: Vec<CapturedFrom>,
    /// Topics of records that are in the capture and not in any batch, once each in a run, and again with a
    /// higher partition: those that selection left out, and those that the service is expected to write.
    pub(crate) left_out: Vec<(CapturedTopic, Option<i32>)>,
    /// Fields that the input has for none of its records.
    pub(crate) not_captured: MissingFields,
    pub(super) headers: Vec<Header>,
    pub(super) bytes: Vec<u8>,
    capture_times: CaptureTimes,
    topic_numbers: TopicNumbers,
}

/// Fields that an input has no place for: absent there does not mean null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct MissingFields {
    pub(crate) keys: bool,
    pub(crate) headers: bool,
}

/// A state of a batch, to which it can be rolled back.
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
    /// Headers that one batch may hold. JSON of 64 MiB, which is the most that is read at once, can hold
    /// ten times as many; real ones are longer.
    pub(crate) const MOST_HEADERS: usize = 2_000_000;

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

    /// The headers pushed since `mark`, which become one record's.
    pub(crate) fn headers_since(&self, mark: Mark) -> Headers {
        let to_u32 =
            |n: usize| u32::try_from(n).expect("fewer headers than bytes, see `span_from`");
        Headers {
            start: to_u32(mark.headers),
            end: to_u32(self.headers.len()),
        }
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

    /// The index of `topic` in [`Batch::topics`], which gains it when it is new.
    pub(crate) fn topic_index(&mut self, topic: &CapturedTopic) -> u32 {
        self.topic_numbers.get(topic).unwrap_or_else(|| {
            let index = u32::try_from(self.topics.len()).expect("fewer topics than records");
            self.topics.push(topic.clone());
            self.topic_numbers.add(topic, index);
            index
        })
    }

    /// The index of a topic by its name, which is not copied when it is known.
    pub(crate) fn topic_index_of_name(&mut self, name: &str) -> u32 {
        // Mostly it is that of the record before, which costs no look-up.
        let last = self.records.last().and_then(|record| record.topic);
        let is_named = |index: &u32| matches!(&self.topics[*index as usize], CapturedTopic::Name(n) if n == name);
        if let Some(last) = last.filter(is_named) {
            return last;
        }
        match self.topic_numbers.of_name(name) {
            Some(index) => index,
            None => self.topic_index(&CapturedTopic::Name(name.to_string())),
        }
    }

    /// The index of `topic`, which mostly is the topic of the record before.
    fn topic_index_of(&mut self, topic: &CapturedTopic) -> u32 {
        let last = self.records.last().and_then(|record| record.topic);
        match last.filter(|last| self.topics[*last as usize] == *topic) {
            Some(last) => last,
            None => self.topic_index(topic),
        }
    }

    /// The topic of `record`, if the capture names one.
    pub(crate) fn topic(&self, record: &Record) -> Option<&CapturedTopic> {
        record.topic.map(|index| &self.topics[index as usize])
    }

    /// The index by which a record refers to the time at which it was captured.
    pub(crate) fn capture_index(&mut self, time_ns: i64) -> u32 {
        self.capture_times.index(time_ns)
    }

    /// When the application received or sent the record, in nanoseconds since 1970; `None` if the capture
    /// does not say.
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

    /// Removes everything that was added after `mark`. Topics stay: they are few and cost nothing.
    pub(crate) fn roll_back(&mut self, mark: Mark) {
        self.records.truncate(mark.records);
        self.headers.truncate(mark.headers);
        self.bytes.truncate(mark.bytes);
        self.capture_times.truncate(mark.capture_times);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;

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
