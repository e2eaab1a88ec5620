//! Captures made by tests, in the shape that Speedscale documents, and what a replay must deliver of them.
//!
//! It shares no code with kreplay's own reading on purpose: the two must agree.

pub(crate) mod seed;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The time of a generated record with number 0; the number is added to it.
pub(crate) const FIRST_MS: i64 = 1_767_603_600_000;

/// What is in the log of one record, apart from its offset there.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ExpectedRecord {
    pub(crate) timestamp_ms: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

impl fmt::Debug for ExpectedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &Option<Vec<u8>>| {
            let bytes = bytes.as_ref();
            bytes.map(|bytes| bytes.escape_ascii().to_string())
        };
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| (name, text(value)));
        f.debug_struct("Wanted")
            .field("timestamp_ms", &self.timestamp_ms)
            .field("key", &text(&self.key))
            .field("value", &text(&self.value))
            .field("headers", &headers.collect::<Vec<_>>())
            .finish()
    }
}

/// Records by topic and partition, in order.
pub(crate) type Partitions = BTreeMap<(String, i32), Vec<ExpectedRecord>>;

/// Reads record lines, as in `fixtures/shop.expected.jsonl`.
pub(crate) fn record_lines(path: &Path) -> Partitions {
    let mut partitions = Partitions::new();
    for line in lines(path) {
        let headers = line["headers"].as_array().expect("a list of headers");
        let headers = headers.iter().map(|header| {
            let name = header[0].as_str().expect("a header's name").to_owned();
            (name, bytes(&header[1], &header[1]["base64"]))
        });
        let wanted = ExpectedRecord {
            timestamp_ms: line["timestamp"].as_i64().expect("a timestamp"),
            key: bytes(&line["key"], &line["key_base64"]),
            value: bytes(&line["value"], &line["value_base64"]),
            headers: headers.collect(),
        };
        let place = (
            line["topic"].as_str().expect("a topic").to_owned(),
            number(&line["partition"]),
        );
        partitions.entry(place).or_default().push(wanted);
    }
    partitions
}

/// Reads the Fetch responses of a capture that holds only text and topic names.
pub(crate) fn plain_fetches(path: &Path) -> Partitions {
    let mut partitions = Partitions::new();
    for line in lines(path) {
        let topics = &line["kafka"]["response"]["FetchResponse"]["topics"];
        for topic in topics.as_array().into_iter().flatten() {
            let name = topic["name"].as_str().expect("a topic's name");
            for partition in topic["partitions"].as_array().into_iter().flatten() {
                let place = (name.to_owned(), number(&partition["partitionIndex"]));
                let batch = &partition["records"];
                let records = batch["records"].as_array().into_iter().flatten();
                let records = records.map(|record| ExpectedRecord {
                    timestamp_ms: long(&batch["baseTimestamp"]) + long(&record["timestampDelta"]),
                    key: bytes(&record["keyString"], &Value::Null),
                    value: bytes(&record["valueString"], &Value::Null),
                    headers: Vec::new(),
                });
                let known = partitions.entry(place).or_default();
                known.extend(records);
            }
        }
    }
    partitions.retain(|_, records| !records.is_empty());
    partitions
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("the fixture is readable text");
    let lines = text.split('\n').filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_str(line).expect("every line is JSON"))
        .collect()
}

fn bytes(text: &Value, base64: &Value) -> Option<Vec<u8>> {
    match (text.as_str(), base64.as_str()) {
        (Some(text), _) => Some(text.as_bytes().to_vec()),
        (None, Some(base64)) => Some(STANDARD.decode(base64).expect("base64")),
        (None, None) => None,
    }
}

/// An `int32` of protobuf's JSON mapping: absent is 0.
fn number(value: &Value) -> i32 {
    i32::try_from(value.as_i64().unwrap_or(0)).expect("an int32")
}

/// An `int64` of protobuf's JSON mapping: a string, absent is 0.
fn long(value: &Value) -> i64 {
    value
        .as_str()
        .map_or(0, |text| text.parse().expect("an int64"))
}

/// A record of a generated capture.
#[derive(Clone, Debug)]
pub(crate) struct GeneratedRecord {
    pub(crate) key: Option<String>,
    pub(crate) value: String,
}

/// Record number `n` without a key; the value holds the number, see [`number_of`].
pub(crate) fn numbered(n: u64) -> GeneratedRecord {
    GeneratedRecord {
        key: None,
        value: format!(r#"{{"id":{n},"note":"record {n} of a test, \"quoted\""}}"#),
    }
}

/// The number of a record made by [`numbered`].
pub(crate) fn number_of(value: &str) -> u64 {
    let value: Value = serde_json::from_str(value).expect("a numbered value is JSON");
    value["id"].as_u64().expect("a numbered value has an id")
}

/// One line: a Fetch response with one batch for each given partition of a topic, as (partition, first
/// offset, records).
pub(crate) fn fetch(topic: &str, batches: &[(i32, u64, Vec<GeneratedRecord>)]) -> String {
    let partitions = batches.iter().map(|(partition, first, records)| {
        let records = records
            .iter()
            .zip(0..)
            .map(|(record, i)| record_json(record, i));
        let mut partition_json = json!({
            "highWatermark": "1000000000",
            "records": {
                "attributes": ["ATTRIBUTE_NO_COMPRESSION"],
                "baseTimestamp": (FIRST_MS + first.cast_signed()).to_string(),
                "magic": 2,
                "producerId": "-1",
                "records": records.collect::<Vec<_>>(),
            },
        });
        if *partition > 0 {
            partition_json["partitionIndex"] = json!(partition);
        }
        if *first > 0 {
            partition_json["records"]["baseOffset"] = json!(first.to_string());
        }
        partition_json
    });
    let topic = json!({ "name": topic, "partitions": partitions.collect::<Vec<_>>() });
    let line = json!({
        "msgType": "rrpair",
        "ts": "2026-01-05T09:00:00.026253927Z",
        "l7protocol": "kafka",
        "duration": 5,
        "uuid": "KMf+9fX3TB+3Elc9lOTw/Q==",
        "direction": "OUT",
        "tech": "Kafka",
        "command": "Fetch",
        "kafka": { "response": { "FetchResponse": { "topics": [topic] } } },
    });
    format!("{line}\n")
}

fn record_json(record: &GeneratedRecord, i: u64) -> Value {
    let mut json = json!({ "valueString": record.value });
    if i > 0 {
        json["offsetDelta"] = json!(i);
        json["timestampDelta"] = json!(i.to_string());
    }
    if let Some(key) = &record.key {
        json["keyString"] = json!(key);
    }
    json
}

/// Lines with these numbered records in partition 0 of a topic, up to 50 in a Fetch.
pub(crate) fn numbered_lines(topic: &str, numbers: Range<u64>) -> String {
    let mut lines = String::new();
    let mut first = numbers.start;
    while first < numbers.end {
        let end = numbers.end.min(first + 50);
        let records = (first..end).map(numbered).collect();
        write!(lines, "{}", fetch(topic, &[(0, first, records)])).expect("a string takes all");
        first = end;
    }
    lines
}
