//! A line with far more records, headers, topics or columns than one has, and the highest of numbers.

use std::time::Duration;

use super::{fetch, folder, gzipped, measured, text, times, topic};
use crate::harness::report::ledger::ledger;
use crate::harness::run::{Run, report};
use serde_json::json;

/// A line of 200 bytes with the highest partition that Kafka's protocol has. Memory for each below it would be
/// 22 GB.
#[test]
fn one_high_number_of_a_partition_takes_no_memory() {
    let folder = folder();
    let path = folder.path().join("partition.jsonl");
    let partition = json!({ "partitionIndex": 2_147_483_646, "records": { "records": [{}] } });
    let topic = json!({ "name": "t", "partitions": [partition] }).to_string();
    std::fs::write(&path, fetch(&topic)).expect("the folder is writable");
    let path = text(&path);
    let refused = "kreplay: could not create topic `t`: the capture names partition 2147483646, but kreplay \
                   creates topics with at most 100000 partitions\n";
    for (args, code, said) in [
        (&["replay", &path, "--rehearse"][..], 3, refused),
        (&["plan", &path], 3, refused),
        (&["inspect", &path], 0, ""),
        (&["extract", &path, "-q"], 0, ""),
    ] {
        let (output, peak) = measured(|| Run::new(args));
        assert_eq!(
            (output.code, output.stderr.as_str()),
            (code, said),
            "{args:?}"
        );
        assert!(peak < 60, "{args:?}: {peak} MiB");
    }
}

/// An empty object is a record as well: a tombstone without a key. 20 million of them fit into a line
/// of 64 MiB, and into a gzip file of 58 KB.
#[test]
fn a_line_with_millions_of_records_is_named_and_not_read() {
    let many = fetch(&topic("t", &times(20_000_000, "{}")));
    assert!(many.len() < 64 << 20, "a longer line is not read at all");
    let sound = fetch(&topic("t", r#"{"valueString":"v"}"#));
    let (_folder, path) = gzipped([many, sound]);
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
    let (_folder, path) = gzipped([fetch(&topic("t", &times(1 << 19, "{}")))]);
    let (output, peak) = measured(|| Run::new(["replay", &path, "--rehearse", "--report", "json"]));
    let found = report(&output)["ledger"]["found"].clone();
    assert_eq!(found, 1 << 19, "{output:#?}");
    assert!(peak < 400, "{peak} MiB");
}

#[test]
fn a_record_with_millions_of_headers_is_named_and_not_read() {
    let record = format!(
        r#"{{"valueString":"v","headers":[{}]}}"#,
        times(4_000_000, r#"{"key":""}"#)
    );
    let (_folder, path) = gzipped([fetch(&topic("t", &record))]);
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
    let expected = "kreplay: stdin has 100001 columns, but kreplay reads at most 2000";
    assert_eq!(output.stderr.lines().next(), Some(expected));
    assert!(peak < 150, "{peak} MiB");
}

/// Comparing each with all others would be 13 billion comparisons.
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
