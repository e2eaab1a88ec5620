//! Records whose texts differ from what the application received: values that data-loss prevention has
//! replaced, and dates that are to be resolved. What kreplay reports about them, what it refuses and what it
//! sends.

mod dates;
mod redacted;

use std::fs;

use crate::harness::run::{Run, RunOutput, report};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use serde_json::{Value, json};
use tempfile::TempDir;

fn mock(topics: &[&str]) -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    for topic in topics {
        cluster.create_topic(topic, 1, 1).expect("a topic");
    }
    cluster
}

/// An RRPair of a Fetch of one topic: records from offset 0, each of these members.
fn fetch(topic: &str, records: &[Value]) -> String {
    let with_delta = |(delta, record): (usize, &Value)| {
        let mut record = record.clone();
        record["offsetDelta"] = delta.into();
        record
    };
    let records: Vec<Value> = records.iter().enumerate().map(with_delta).collect();
    let partitions =
        json!([{ "partitionIndex": 0, "records": { "baseOffset": "0", "records": records } }]);
    let topics = json!([{ "name": topic, "partitions": partitions }]);
    let response = json!({ "FetchResponse": { "topics": topics } });
    let pair =
        json!({ "msgType": "rrpair", "command": "Fetch", "kafka": { "response": response } });
    format!("{pair}\n")
}

/// Three topics: one with redacted texts in a value, in the JSON of a value, in a key and in a header, one
/// with dates, and one with texts that only look alike.
fn capture() -> String {
    let orders = [
        json!({ "valueString": "plain" }),
        json!({ "valueString": "REDACTED-7f3a" }),
        json!({ "valueString": r#"{"card":"REDACTED-1","n":2}"# }),
        json!({ "keyString": "REDACTED-k", "valueString": "v" }),
        json!({ "valueString": "v", "headers": [{ "key": "auth", "valueString": "REDACTED-h" }] }),
        // The same in base64: `REDACTED-b`.
        json!({ "valueBytes": "UkVEQUNURUQtYg==" }),
    ];
    let payments = [
        json!({ "valueString": r#"{"due":"{speedscale_date(-744h0m0s)}"}"# }),
        json!({ "keyString": "at {speedscale_date(24h0m0s)}", "valueString": "v",
            "headers": [{ "key": "h", "valueString": "{speedscale_date(0s)}" }] }),
    ];
    let alike = [
        json!({ "valueString": "not REDACTED-1" }),
        json!({ "valueString": "speedscale_date(1h)" }),
    ];
    fetch("orders", &orders) + &fetch("payments", &payments) + &fetch("alike", &alike)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("the system's temporary folder is writable")
}

fn written(folder: &TempDir, text: &str) -> String {
    let path = folder.path().join("capture.jsonl");
    fs::write(&path, text).expect("the folder is writable");
    path.display().to_string()
}

fn json_of(args: &[&str]) -> (RunOutput, Value) {
    let output = Run::new(args.iter().chain(&["--report", "json"])).output();
    let report = report(&output);
    assert_eq!(report["exit_code"], output.code, "{output:#?}");
    (output, report)
}

/// A replay of a file to these brokers, with more flags.
fn replay_to<'a>(brokers: &'a str, path: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["replay", path, "-b", brokers, "-F", "none"], more].concat()
}
