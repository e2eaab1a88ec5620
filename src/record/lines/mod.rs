//! Record lines: a record as one JSON object on one line. This module is separate from both halves
//! because one prints them and the other reads them; `write.rs` and `read.rs` (with `fields.rs` and
//! `parts.rs`) are each other's inverse.
//!
//! ```text
//! {"topic":"orders","partition":0,"offset":12,"timestamp":1764787375659,"key":"k1","value":"..",
//!  "headers":[["trace","abc"],["empty",null]]}
//! ```
//!
//! | member | what it is |
//! |---|---|
//! | `topic` | the topic's name; left out when it is not known |
//! | `topic_id` | its id in place of a name that the capture does not contain, as Kafka's tools print it (KIP-516) |
//! | `partition`, `offset` | integers, left out when they are not known; an offset below 0 is unknown |
//! | `timestamp` | milliseconds since 1970, left out when it is not known |
//! | `captured` | when the application received the record (RFC 3339), left out when it is not known |
//! | `key`, `value` | a string, or null |
//! | `key_base64`, `value_base64` | instead, for bytes that are not UTF-8 |
//! | `headers` | pairs of name and value, each a string or `{"base64":".."}`; a value may be null |
//! | `captured_from` | in a rejects file: brokers and clusters that the capture names and no earlier line does |
//! | `outcome`, `reason` | in a rejects file: what became of a record that was not delivered, and why |

mod fields;
mod foreign;
mod parts;
pub(crate) mod read;
pub(crate) mod write;

pub(crate) use self::fields::Earlier;
pub(crate) use self::foreign::{is_foreign, read_foreign};
pub(crate) use self::read::read;
pub(crate) use self::write::{write, write_reject};

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::read::RecordLineError;
    use super::*;
    use crate::record::{Batch, CapturedTopic, Header, Origin, Record, TopicId};

    const ORIGIN: Origin = Origin { input: 0, line: 1 };

    /// A record with its bytes outside a batch.
    #[derive(Debug, Clone, PartialEq)]
    struct Whole {
        topic: Option<CapturedTopic>,
        partition: Option<i32>,
        offset: Option<i64>,
        timestamp_ms: Option<i64>,
        captured_ns: Option<i64>,
        key: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
        headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    }

    impl Whole {
        fn line(&self) -> Vec<u8> {
            let mut batch = Batch::default();
            let mark = batch.mark();
            for (name, value) in &self.headers {
                let name = batch.push_bytes(name);
                let value = value.as_ref().map(|value| batch.push_bytes(value));
                batch.push_header(Header { name, value });
            }
            let record = Record {
                topic: self.topic.as_ref().map(|topic| batch.topic_index(topic)),
                partition: self.partition,
                offset: self.offset,
                timestamp_ms: self.timestamp_ms,
                key: self.key.as_ref().map(|key| batch.push_bytes(key)),
                value: self.value.as_ref().map(|value| batch.push_bytes(value)),
                headers: batch.headers_since(mark),
                origin: ORIGIN,
                capture: self.captured_ns.map(|time| batch.capture_index(time)),
            };
            let mut line = Vec::new();
            write(&batch, &record, &mut line);
            assert_eq!(line.pop(), Some(b'\n'));
            line
        }

        fn read(line: &[u8]) -> Result<Self, RecordLineError> {
            let mut batch = Batch::default();
            batch.push_bytes(b"of the record before");
            read(line, ORIGIN, &mut batch)?;
            let record = &batch.records[0];
            let bytes = |span| batch.slice(span).to_vec();
            let headers = batch.headers(record).iter();
            Ok(Self {
                topic: batch.topic(record).cloned(),
                partition: record.partition,
                offset: record.offset,
                timestamp_ms: record.timestamp_ms,
                captured_ns: batch.captured_ns(record),
                key: record.key.map(bytes),
                value: record.value.map(bytes),
                headers: headers
                    .map(|header| (bytes(header.name), header.value.map(bytes)))
                    .collect(),
            })
        }
    }

    /// Bytes of all sorts: text with everything that JSON or a terminal finds special, and anything.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let special = "[\"\\\\/{}\\[\\],:\u{0}\u{1}\u{1f}\u{7f}\u{85}\n\r\t\u{2028}\u{2029}\u{feff}\u{fffd}\u{e000}\u{10ffff}aé🚚]{0,12}";
        prop_oneof![
            special.prop_map(String::into_bytes),
            any::<String>().prop_map(String::into_bytes),
            vec(any::<u8>(), 0..12),
        ]
    }

    fn topic() -> impl Strategy<Value = CapturedTopic> {
        let id = any::<[u8; 16]>().prop_filter_map("the zero id is none", |id| {
            let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
            TopicId::parse(&hex).map(CapturedTopic::Id)
        });
        prop_oneof!["[a-zA-Z0-9_-]{1,9}".prop_map(CapturedTopic::Name), id]
    }

    fn whole() -> impl Strategy<Value = Whole> {
        (
            option::of(topic()),
            option::of(0..=i32::MAX),
            option::of(0..=i64::MAX),
            option::of(0..=i64::MAX),
            option::of(any::<i64>()),
            option::of(bytes()),
            option::of(bytes()),
            vec((bytes(), option::of(bytes())), 0..4),
        )
            .prop_map(
                |(topic, partition, offset, timestamp_ms, captured_ns, key, value, headers)| {
                    Whole {
                        topic,
                        partition,
                        offset,
                        timestamp_ms,
                        captured_ns,
                        key,
                        value,
                        headers,
                    }
                },
            )
    }

    proptest! {
        #[test]
        fn a_round_trip_changes_nothing(record in whole()) {
            let line = record.line();
            prop_assert!(!line.contains(&b'\n'), "a record is one line");
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&line).is_ok());
            prop_assert_eq!(Whole::read(&line), Ok(record));
        }

        #[test]
        fn a_line_that_is_cut_anywhere_is_seen_as_cut_off(record in whole()) {
            let line = record.line();
            for end in 1..line.len() {
                let error = Whole::read(&line[..end]).expect_err("a part is no record");
                prop_assert!(error.ends_early, "{} at {end}: {}", String::from_utf8_lossy(&line), error);
            }
        }

        #[test]
        fn a_line_of_kcat_gives_the_bytes_of_any_record(record in whole(), kind in 0..3_usize) {
            let record = Whole {
                topic: Some(CapturedTopic::Name("orders".into())),
                partition: Some(record.partition.unwrap_or(0)),
                offset: Some(record.offset.unwrap_or(0)),
                timestamp_ms: (kind < 2).then_some(record.timestamp_ms.unwrap_or(0)),
                captured_ns: None,
                ..record
            };
            let kind = ["create", "logappend", "unknown"][kind];
            let line = kcat_line(&record, kind);
            for end in 1..line.len() {
                let error = Whole::read(&line[..end]).expect_err("a part is no record");
                prop_assert!(error.ends_early, "{} at {end}: {}", String::from_utf8_lossy(&line), error);
            }
            prop_assert_eq!(Whole::read(&line), Ok(record));
        }
    }

    #[test]
    fn a_record_printed_by_kcat_is_read_back_as_it_was_sent() {
        let sent = include_bytes!("../../../fixtures/shop.expected.jsonl");
        let printed = include_bytes!("../../../fixtures/kcat.jsonl");
        // A replay gives records new offsets.
        let read = |line| Whole {
            offset: None,
            ..Whole::read(line).expect("it is a record line")
        };
        let lines = |text: &'static [u8]| text.trim_ascii().split(|byte| *byte == b'\n');
        let sent: Vec<Whole> = lines(sent).map(read).collect();
        let printed: Vec<Whole> = lines(printed).map(read).collect();
        assert_eq!((sent.len(), printed.len()), (49, 10));
        for record in &printed {
            assert!(sent.contains(record), "{record:?}");
        }
    }

    /// What `kcat -J` of version 1.7 prints (json.c), by way of yajl, which copies every byte that
    /// it does not have to escape, UTF-8 or not.
    fn kcat_line(record: &Whole, time_kind: &str) -> Vec<u8> {
        let mut line = format!(
            r#"{{"topic":"orders","partition":{},"offset":{},"tstype":"{time_kind}","ts":{},"broker":1"#,
            record.partition.unwrap_or(0),
            record.offset.unwrap_or(0),
            record.timestamp_ms.unwrap_or(-1),
        )
        .into_bytes();
        if !record.headers.is_empty() {
            line.extend_from_slice(b",\"headers\":[");
            for (i, (name, value)) in record.headers.iter().enumerate() {
                line.extend_from_slice(if i > 0 { b"," } else { b"" });
                push_yajl(&mut line, Some(name));
                line.push(b',');
                push_yajl(&mut line, value.as_deref());
            }
            line.push(b']');
        }
        line.extend_from_slice(b",\"key\":");
        push_yajl(&mut line, record.key.as_deref());
        line.extend_from_slice(b",\"payload\":");
        push_yajl(&mut line, record.value.as_deref());
        line.push(b'}');
        line
    }

    fn push_yajl(line: &mut Vec<u8>, bytes: Option<&[u8]>) {
        let Some(bytes) = bytes else {
            return line.extend_from_slice(b"null");
        };
        line.push(b'"');
        for byte in bytes {
            match byte {
                b'"' | b'\\' => line.extend_from_slice(&[b'\\', *byte]),
                b'\n' => line.extend_from_slice(b"\\n"),
                b'\r' => line.extend_from_slice(b"\\r"),
                b'\t' => line.extend_from_slice(b"\\t"),
                0x0c => line.extend_from_slice(b"\\f"),
                0x08 => line.extend_from_slice(b"\\b"),
                0..0x20 => line.extend_from_slice(format!("\\u{byte:04X}").as_bytes()),
                _ => line.push(*byte),
            }
        }
        line.push(b'"');
    }
}
