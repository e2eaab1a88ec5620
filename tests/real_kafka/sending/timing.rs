//! When records reach the log, by the broker's own clock: a topic with `LogAppendTime`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::harness::kafka::Kafka;
use crate::harness::report::ledger::ledger;
use crate::harness::topics::{create, unique};
use crate::harness::verdict::readback::{LoggedRecord, TimestampType, read};
use crate::{KafkaTrial, replay, report_of};

pub(crate) const CASES: &[KafkaTrial] = &[
    (
        "at_1x_the_brokers_clock_sees_the_distances_of_the_capture",
        original_rhythm,
    ),
    ("the_brokers_clock_sees_the_rate_that_was_asked_for", rate),
];

/// How far a busy machine may be off, beyond what kreplay itself reports: a broker that collects garbage, a
/// disk that is busy.
const BUSY_MS: f64 = 1500.0;

/// Record lines of two partitions in turn, one record each `every_ms`; the value is the planned time.
fn capture(topic: &str, records: i64, every_ms: i64) -> String {
    let mut lines = String::new();
    for i in 0..records {
        let line = json!({
            "topic": topic, "partition": i % 2, "offset": i / 2,
            "timestamp": 1_764_787_375_000_i64 + i * every_ms, "value": (i * every_ms).to_string(),
        });
        writeln!(lines, "{line}").expect("writing to a string cannot fail");
    }
    lines
}

/// The report of a replay of `capture` with these flags, and what is in the log by the time at which it
/// was appended.
fn replayed(
    kafka: &Kafka,
    flags: &[&str],
    capture: fn(&str) -> String,
) -> (Value, Vec<LoggedRecord>) {
    let topic = unique("timed");
    let by_broker = [("message.timestamp.type", "LogAppendTime")];
    create(&kafka.brokers(), &topic, 2, &by_broker).expect("a topic");
    let args = [&["replay", "-"], flags].concat();
    let report = report_of(&replay(kafka, &args).stdin(capture(&topic)).output(), 0);
    let mut seen = read(&kafka.brokers(), &topic).expect("the topic is readable");
    assert!(
        seen.iter()
            .all(|seen| seen.timestamp_type == TimestampType::LogAppendTime)
    );
    seen.sort_by_key(|seen| seen.timestamp_ms);
    (report, seen)
}

fn original_rhythm(kafka: &Kafka) {
    let flags = ["--speed", "1x", "--clock", "record"];
    let (report, seen) = replayed(kafka, &flags, |topic| capture(topic, 101, 30));
    assert_eq!(ledger(&report), "101 = 101 delivered");
    let late = report["timing"]["response_ms"]["max"]
        .as_f64()
        .expect("a response");
    // The first record may be late itself, because of everything that opens a connection.
    let first = seen[0].timestamp_ms;
    for seen in &seen {
        let planned: i64 = seen.text().parse().expect("a number");
        let off = (seen.timestamp_ms - first - planned) as f64;
        assert!(
            off.abs() <= late + BUSY_MS,
            "{planned} is {off} ms off: {report:#}"
        );
    }
    let span = seen[100].timestamp_ms - first;
    assert!(
        (1500..=3000 + 1500).contains(&span),
        "3 s became {span} ms: {report:#}"
    );
}

fn rate(kafka: &Kafka) {
    let (report, seen) = replayed(kafka, &["--rate", "400/s"], |topic| capture(topic, 1001, 0));
    assert_eq!(ledger(&report), "1001 = 1001 delivered");
    // 1,000 distances of 2.5 ms. The clock counts from the first append, which may be late.
    let span = (seen[1000].timestamp_ms - seen[0].timestamp_ms) as f64;
    let late = report["timing"]["response_ms"]["max"]
        .as_f64()
        .expect("a response");
    assert!(span >= 2500.0 - late - 12.0, "{span} ms: {report:#}");
    let reached = report["timing"]["rate"]["reached"]
        .as_f64()
        .expect("a rate");
    assert!(reached <= 400.0 * 1.005, "{report:#}");
}
