//! When records are sent: speed, rates, ramp and start, by the times at which they reach a topic.
//!
//! These tests take time by nature: each runs for one to three seconds. None requires more speed than a busy
//! machine has. The unit tests of `schedule/` check the exact times, with a clock of their own, and
//! `tests/real_kafka/` uses the clock of a real broker.

mod clocks;
mod flags;
mod pauses;
mod rates;
mod shards;
mod speed;
mod start;

use std::fmt::Write as _;
use std::time::Duration;

use crate::harness::run::{Run, RunOutput, report};
use crate::harness::verdict::readback::{LoggedRecord, read};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use serde_json::{Value, json};

const TOPIC: &str = "orders";

/// The time of the first record of most captures here.
const START_MS: i64 = 1_764_787_375_000;

/// How long an end may take that waits for nobody.
const AT_ONCE: Duration = Duration::from_secs(3);

fn mock(partitions: i32) -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    let created = cluster.create_topic(TOPIC, partitions, 1);
    created.expect("a topic");
    cluster
}

/// Record lines of these partitions, offsets and times after the start; the value is the time.
fn lines(records: impl IntoIterator<Item = (i32, i64, i64)>) -> String {
    let mut lines = String::new();
    for (partition, offset, ms) in records {
        let line = json!({
            "topic": TOPIC, "partition": partition, "offset": offset,
            "timestamp": START_MS + ms, "value": ms.to_string(),
        });
        writeln!(lines, "{line}").expect("writing to a string cannot fail");
    }
    lines
}

/// This many records in partition 0, all of one time.
fn at_once(records: i64) -> String {
    lines((0..records).map(|offset| (0, offset, 0)))
}

fn replay(brokers: &str, flags: &[&str], input: impl Into<Vec<u8>>) -> RunOutput {
    run(brokers, flags).stdin(input).output()
}

fn run(brokers: &str, flags: &[&str]) -> Run {
    let args = ["replay", "-", "-b", brokers, "--report", "json"];
    Run::new(args.iter().chain(flags).map(|arg| (*arg).to_owned()))
}

/// The report of a run that ended with this code.
fn report_of(output: &RunOutput, code: i32) -> Value {
    assert_eq!(output.code, code, "{output:#?}");
    report(output)
}

/// The records in the log by the time of their sending, which is the timestamp that they have.
fn sent(brokers: &str) -> Vec<LoggedRecord> {
    let mut seen = read(brokers, TOPIC).expect("the topic is readable");
    seen.sort_by_key(|seen| seen.timestamp_ms);
    seen
}

/// The planned time of a record, by its value.
fn planned(seen: &LoggedRecord) -> i64 {
    seen.text().parse().expect("a number")
}

/// Milliseconds from the first sending on.
fn after_first(sent: &[LoggedRecord]) -> Vec<i64> {
    let first = sent[0].timestamp_ms;
    sent.iter().map(|seen| seen.timestamp_ms - first).collect()
}

/// Checks that no record was sent before its time, which is the value divided by `speed`. The first one may
/// have been late itself.
fn assert_kept(sent: &[LoggedRecord], speed: i64, lateness_of_first_ms: i64) {
    for (seen, after) in sent.iter().zip(after_first(sent)) {
        let due = planned(seen) / speed - lateness_of_first_ms - 1;
        assert!(after >= due, "{} was sent after {after} ms", seen.text());
    }
}

/// The greatest lateness in whole milliseconds.
fn latest_ms(report: &Value) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "some milliseconds")]
    let latest = lateness_ms(report, "max").ceil() as i64;
    latest
}

fn lateness_ms(report: &Value, of: &str) -> f64 {
    let lateness = report["timing"]["lateness_ms"][of].as_f64();
    lateness.unwrap_or_else(|| panic!("a lateness: {report:#}"))
}
