//! What a capture, a cluster or a file can make kreplay hold in memory, whoever made it: a small input
//! reaches each bound, and the system's figures measure the process.
#![cfg(target_os = "linux")]

mod brokers;
mod clusters;
mod comparisons;
mod files;
mod kept;
mod lines;
mod queries;

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crate::harness::run::{Run, RunOutput};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tempfile::TempDir;

/// A run to its end, and the most memory that it was measured to hold, in MiB. A run that is over before it
/// was measured runs again.
fn measured(run: impl Fn() -> Run) -> (RunOutput, u64) {
    let mut runs = (0..10).map(|_| {
        let running = run().limit(Duration::from_secs(120)).spawn();
        running.wait_measured()
    });
    let (output, peak) = runs
        .find(|(_, peak)| *peak > 0)
        .expect("a run was looked at");
    (output, peak >> 20)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("the system's temporary folder is writable")
}

/// An RRPair with these elements of the list of topics of a Fetch.
fn fetch(topics: &str) -> String {
    let shape = json!({ "msgType": "rrpair", "command": "Fetch", "l7protocol": "kafka", "network_address": "b:9092",
        "kafka": { "response": { "FetchResponse": { "topics": ["@"] } } } });
    shape.to_string().replace("\"@\"", topics)
}

/// An element of the list of topics: records of one partition.
fn topic(name: &str, records: &str) -> String {
    let partition = json!({ "records": { "baseOffset": "0", "records": ["@"] } });
    let topic = json!({ "name": name, "partitions": [partition] });
    topic.to_string().replace("\"@\"", records)
}

/// Writes lines into a gzip file, which is small where they repeat themselves.
fn gzip(path: &Path, lines: impl IntoIterator<Item = String>) {
    let file = std::fs::File::create(path).expect("the folder is writable");
    let mut gzip = GzEncoder::new(file, Compression::new(1));
    for line in lines {
        gzip.write_all(line.as_bytes()).expect("the disk has room");
        gzip.write_all(b"\n").expect("the disk has room");
    }
    gzip.finish().expect("the disk has room");
}

/// A gzip file of these lines, and the folder that it is in.
fn gzipped(lines: impl IntoIterator<Item = String>) -> (TempDir, String) {
    let folder = folder();
    let path = folder.path().join("input.jsonl.gz");
    gzip(&path, lines);
    let path = text(&path);
    (folder, path)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// The same text this many times, with commas between.
fn times(count: usize, one: &str) -> String {
    vec![one; count].join(",")
}

/// Record lines of topic `t` with these keys and values.
fn record_lines(path: &Path, records: impl IntoIterator<Item = (String, String)>) -> String {
    let line = |(key, value)| json!({ "topic": "t", "key": key, "value": value }).to_string();
    gzip(path, records.into_iter().map(line));
    text(path)
}
