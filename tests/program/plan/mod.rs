//! `kreplay plan`: every figure of a forecast over generated captures, against what the test itself counts;
//! what speaks against a replay; and that a replay then does what was forecast.
//!
//! Rights and topic settings of a real broker are in `tests/real_kafka/`.

mod destination;
mod figures;
mod obstacles;
mod output;
mod schedule;

use std::fmt::Write as _;
use std::fs;

use crate::harness::run::{Run, RunOutput, report};
use serde_json::{Value, json};

/// 2025-12-03T18:42:55Z.
const START_MS: u64 = 1_764_787_375_000;

/// A record line.
#[derive(Debug, Clone, Default)]
struct SourceRecord {
    topic: &'static str,
    partition: Option<i32>,
    offset: Option<u64>,
    time_ms: Option<u64>,
    key: Option<String>,
    value: String,
}

fn lines(records: &[SourceRecord]) -> String {
    let mut lines = String::new();
    for record in records {
        let mut line = json!({ "topic": record.topic, "value": record.value });
        for (name, number) in [
            ("offset", record.offset),
            ("timestamp", record.time_ms),
            (
                "partition",
                record
                    .partition
                    .map(|p| u64::try_from(p).expect("not negative")),
            ),
        ] {
            if let Some(number) = number {
                line[name] = number.into();
            }
        }
        if let Some(key) = &record.key {
            line["key"] = key.as_str().into();
        }
        writeln!(lines, "{line}").expect("a string takes all");
    }
    lines
}

/// Runs a command over record lines in a file.
fn run(command: &str, text: &str, flags: &[&str]) -> RunOutput {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("lines"), text).expect("the folder is writable");
    let args = [&[command, "lines", "--report", "json"][..], flags].concat();
    Run::new(args).cwd(folder.path()).output()
}

#[track_caller]
fn plan(text: &str, flags: &[&str], code: i32) -> Value {
    let output = run("plan", text, flags);
    assert_eq!(output.code, code, "{flags:?} {output:#?}");
    let report = report(&output);
    assert_eq!(report["exit_code"], code);
    report
}

/// Records of `orders`, one at each interval of this many milliseconds, in one partition.
fn every(ms: u64, records: u64) -> Vec<SourceRecord> {
    let line = |n| SourceRecord {
        topic: "orders",
        partition: Some(0),
        offset: Some(n),
        time_ms: Some(START_MS + n * ms),
        value: "v".into(),
        ..SourceRecord::default()
    };
    (0..records).map(line).collect()
}
