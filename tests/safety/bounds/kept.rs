//! Names, paths, gaps and duplicates: how much of them kreplay keeps.

use std::io::Write;

use super::{fetch, folder, gzipped, measured, text, topic};
use crate::harness::run::{Run, report};
use serde_json::json;

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
    let (_folder, path) = gzipped((0..1000).map(rrpair_of_long_names));
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
    let (_folder, path) = gzipped((0..30).map(object));
    let (output, peak) = measured(|| Run::new(["inspect", &path, "--paths", "--filter", ""]));
    assert_eq!(output.code, 0, "{output:?}");
    let longest = output.stdout.lines().map(str::len).max();
    assert!(
        longest.is_some_and(|longest| longest < 5_000),
        "{longest:?}"
    );
    assert!(peak < 100, "{peak} MiB");
}

/// 5 MB for each of 200 topics, as names that are not valid topics.
#[test]
fn names_that_no_topic_has_are_not_kept() {
    let line = |number: usize| {
        let name = format!("{number}-{}", "t".repeat(5_000_000));
        fetch(&topic(&name, r#"{"valueString":"v"}"#))
    };
    let (_folder, path) = gzipped((0..60).map(line));
    let (output, peak) = measured(|| Run::new(["inspect", &path, "--report", "json"]));
    assert_eq!(report(&output)["ledger"]["unreadable"], 60, "{output:?}");
    assert!(peak < 150, "{peak} MiB");
}

/// A partition costs about 400 bytes for as long as duplicates are looked for: 512 MiB are 1.34 million.
#[test]
fn deduplication_is_bounded_and_can_be_switched_off() {
    let line = |number: usize| {
        let one = |index| format!(r#"{{"partitionIndex":{index},"records":{{"records":[{{}}]}}}}"#);
        let all: Vec<String> = (number * 10_000..(number + 1) * 10_000).map(one).collect();
        fetch(&format!(
            r#"{{"name":"t","partitions":[{}]}}"#,
            all.join(",")
        ))
    };
    let (_folder, path) = gzipped((0..140).map(line));
    let run = |more: &[&str]| {
        let args = ["extract", &path, "-q"]
            .into_iter()
            .chain(more.iter().copied());
        Run::new(args).env("MIMALLOC_PURGE_DELAY", "0")
    };
    let (output, peak) = measured(|| run(&[]));
    assert_eq!(output.code, 2, "{:.2000}", output.stderr);
    let said = "kreplay: recognising further copies of records would take more than 512 MiB, for 1 topic, 1,3";
    assert!(output.stderr.contains(said), "{:.2000}", output.stderr);
    assert!(
        output.stderr.contains("hint: `--keep-duplicates`"),
        "{:.2000}",
        output.stderr
    );
    assert!(peak < 700, "{peak} MiB");
    let (output, peak) = measured(|| run(&["--keep-duplicates"]));
    assert_eq!(
        output.stdout.lines().count(),
        1_400_000,
        "{:.2000}",
        output.stderr
    );
    assert!(peak < 150, "{peak} MiB");
}

/// Every second offset, so that each record has a gap before it. kreplay keeps two million, whatever the
/// source.
#[test]
fn inspect_says_when_it_stops_counting_gaps() {
    let folder = folder();
    let path = folder.path().join("gaps.jsonl");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).expect("it is writable"));
    for number in 0..2_000_100 {
        writeln!(
            file,
            r#"{{"topic":"t","partition":0,"offset":{},"value":""}}"#,
            number * 2
        )
        .expect("there is room");
    }
    file.into_inner().expect("there is room");
    let path = text(&path);
    let (output, peak) = measured(|| {
        Run::new(["inspect", &path, "-q", "--report", "json"]).env("MIMALLOC_PURGE_DELAY", "0")
    });
    let report = report(&output);
    assert_eq!(
        (output.code, &report["topics"][0]["records"]),
        (0, &json!(2_000_100)),
        "{report:#}"
    );
    assert_eq!(report["topics"][0]["gaps"], 1_999_999, "{report:#}");
    let problem = &report["problems"][0];
    assert_eq!(problem["what"], "gaps_uncounted", "{report:#}");
    assert_eq!(
        (&problem["count"], &problem["first"]["line"]),
        (&json!(100), &json!(2_000_001))
    );
    assert!(peak < 200, "{peak} MiB");
}
