//! What a capture, a cluster or a file can make kreplay hold in memory, whoever made it: each bound is
//! reached by a small input and measured by what the system says of the process.
#![cfg(target_os = "linux")]

mod harness;

#[path = "real_kafka/ledger.rs"]
mod ledger;

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use harness::run::{Output, Run, report};
use ledger::ledger;
use serde_json::json;
use tempfile::TempDir;

/// A run to its end, and the most memory that it was seen to hold, in MiB. One that is over before it
/// was looked at is run again.
fn measured(run: impl Fn() -> Run) -> (Output, u64) {
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

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// So many times the same, with commas between them.
fn times(count: usize, one: &str) -> String {
    vec![one; count].join(",")
}

/// An empty object is a record as well: a tombstone without a key. 20 million of them fit into a line
/// of 64 MiB, and into a gzip file of 58 KB.
#[test]
fn a_line_with_millions_of_records_is_named_and_not_read() {
    let folder = folder();
    let path = folder.path().join("records.jsonl.gz");
    let many = fetch(&topic("t", &times(20_000_000, "{}")));
    assert!(many.len() < 64 << 20, "a longer line is not read at all");
    let sound = fetch(&topic("t", r#"{"valueString":"v"}"#));
    gzip(&path, [many, sound]);
    let path = text(&path);
    let (output, peak) = measured(|| Run::new(["replay", &path, "--rehearse", "--report", "json"]));
    let report = report(&output);
    assert_eq!(ledger(&report), "2 = 1 unreadable + 1 delivered");
    let why = &report["problems"][0]["first"];
    assert_eq!(
        why["why"], "it holds more than 524,288 records",
        "{report:#}"
    );
    assert!(peak < 400, "{peak} MiB");
}

/// As many as are read.
#[test]
fn the_most_records_of_one_line_are_sent_in_bounded_memory() {
    let folder = folder();
    let path = folder.path().join("records.jsonl.gz");
    gzip(&path, [fetch(&topic("t", &times(1 << 19, "{}")))]);
    let path = text(&path);
    let (output, peak) = measured(|| Run::new(["replay", &path, "--rehearse", "--report", "json"]));
    let found = report(&output)["ledger"]["found"].clone();
    assert_eq!(found, 1 << 19, "{output:#?}");
    assert!(peak < 400, "{peak} MiB");
}

#[test]
fn a_record_with_millions_of_headers_is_named_and_not_read() {
    let folder = folder();
    let path = folder.path().join("headers.jsonl.gz");
    let record = format!(
        r#"{{"valueString":"v","headers":[{}]}}"#,
        times(4_000_000, r#"{"key":""}"#)
    );
    gzip(&path, [fetch(&topic("t", &record))]);
    let path = text(&path);
    let (output, peak) = measured(|| Run::new(["replay", &path, "--rehearse", "--report", "json"]));
    let report = report(&output);
    let why = report["problems"][0]["first"]["why"]
        .as_str()
        .unwrap_or_default();
    assert!(
        why.starts_with("it holds more than 2,000,000 headers"),
        "{report:#}"
    );
    assert!(peak < 400, "{peak} MiB");
}

/// A member of the RRPair for each of these names, all of them long.
fn rrpair_of_long_names(number: usize) -> String {
    let long = |what: &str| format!("{what}-{number}-{}", "x".repeat(100_000));
    let request =
        json!({ "clientId": long("client"), "JoinGroupRequest": { "groupId": long("group") } });
    json!({ "msgType": "rrpair", "l7protocol": "kafka", "command": long("command"),
        "network_address": long("broker"), "kafka": { "request": request } })
    .to_string()
}

#[test]
fn names_that_inspect_counts_are_cut_and_bounded() {
    let folder = folder();
    let path = folder.path().join("names.jsonl.gz");
    gzip(&path, (0..1000).map(rrpair_of_long_names));
    let path = text(&path);
    let args = ["inspect", &path, "--filter", "", "--report", "json"];
    let (output, peak) = measured(|| Run::new(args));
    let groups = report(&output)["groups"].clone();
    let longest = groups.to_string().split('"').map(str::len).max();
    assert!(
        longest.is_some_and(|longest| longest < 2_000),
        "{longest:?}"
    );
    assert!(peak < 100, "{peak} MiB");
}

/// 4,500 members with names of 40 KB each, and paths below them.
#[test]
fn paths_that_inspect_lists_are_bounded_in_length() {
    let folder = folder();
    let path = folder.path().join("names.jsonl.gz");
    let member = |outer: usize, inner: usize| {
        format!("\"{outer}-{inner}-{}\":{{\"a\":1}}", "x".repeat(40_000))
    };
    let object = |outer: usize| {
        let members: Vec<String> = (0..150).map(|inner| member(outer, inner)).collect();
        format!(
            "{{\"msgType\":\"rrpair\",\"m{outer}\":{{{}}}}}",
            members.join(",")
        )
    };
    gzip(&path, (0..30).map(object));
    let path = text(&path);
    let (output, peak) = measured(|| Run::new(["inspect", &path, "--paths", "--filter", ""]));
    assert_eq!(output.code, 0, "{output:?}");
    let longest = output.stdout.lines().map(str::len).max();
    assert!(
        longest.is_some_and(|longest| longest < 5_000),
        "{longest:?}"
    );
    assert!(peak < 100, "{peak} MiB");
}

/// 5 MB for each of 200 topics, as names that no topic has.
#[test]
fn names_that_no_topic_has_are_not_kept() {
    let folder = folder();
    let path = folder.path().join("topics.jsonl.gz");
    let line = |number: usize| {
        let name = format!("{number}-{}", "t".repeat(5_000_000));
        fetch(&topic(&name, r#"{"valueString":"v"}"#))
    };
    gzip(&path, (0..60).map(line));
    let path = text(&path);
    let (output, peak) = measured(|| Run::new(["inspect", &path, "--report", "json"]));
    assert_eq!(report(&output)["ledger"]["unreadable"], 60, "{output:?}");
    assert!(peak < 150, "{peak} MiB");
}

#[test]
fn files_of_settings_that_never_end_are_refused() {
    for (args, expected) in [
        (
            ["replay", "-", "-F", "/dev/zero"],
            "kreplay: cannot read /dev/zero: it is larger than 1 MiB",
        ),
        (
            ["replay", "-", "--profile", "/dev/zero"],
            "kreplay: cannot read the profile /dev/zero: it is larger than 1 MiB",
        ),
    ] {
        let args = args.into_iter().chain(["-b", "127.0.0.1:1"]);
        let (output, peak) = measured(|| Run::new(args.clone()));
        assert_eq!(output.code, 2, "{output:?}");
        assert_eq!(output.stderr.lines().next(), Some(expected));
        assert!(peak < 100, "{peak} MiB");
    }
}

#[test]
fn a_csv_with_a_hundred_thousand_columns_is_refused_at_once() {
    let header: Vec<String> = (0..100_000)
        .map(|i| {
            format!(
                "kafka.response.FetchResponse.topics.{i}.partitions.0.records.records.0.valueString"
            )
        })
        .collect();
    let csv = format!("{},RRPair UUID\n", header.join(","));
    let (output, peak) = measured(|| {
        Run::new(["replay", "-", "--as", "csv", "-t", "t", "--rehearse"])
            .stdin(csv.clone())
            .limit(Duration::from_secs(20))
    });
    assert_eq!(output.code, 2, "{output:?}");
    let expected = "kreplay: stdin has 100001 columns, and 2000 are read at most";
    assert_eq!(output.stderr.lines().next(), Some(expected));
    assert!(peak < 150, "{peak} MiB");
}

/// Looking each of them up among all others would be 13 billion comparisons.
#[test]
fn a_hundred_and_sixty_thousand_topics_in_one_line_are_read_in_moments() {
    let topics: Vec<String> = (0..160_000)
        .map(|i| topic(&format!("topic-{i}"), r#"{"valueString":"v"}"#))
        .collect();
    let line = fetch(&topics.join(",")) + "\n";
    let (output, peak) = measured(|| {
        Run::new(["extract", "-", "-q"])
            .stdin(line.clone())
            .limit(Duration::from_secs(30))
    });
    assert_eq!(output.stdout.lines().count(), 160_000, "{}", output.stderr);
    assert!(peak < 350, "{peak} MiB");
}
