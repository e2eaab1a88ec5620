//! `kreplay inspect` shows what is in a capture, `kreplay profile` shows what kreplay looks for there, and a path
//! that matches nothing is named with the one that was meant.

use std::fs;

use crate::harness::paths::{fixture, standin};
use crate::harness::run::{Run, RunOutput, kreplay, report};
use serde_json::{Value, json};

fn inspect(name: &str, flags: &[&str]) -> RunOutput {
    let file = fixture(name).display().to_string();
    kreplay([&["inspect", &file], flags].concat())
}

/// The text without the folder of the fixtures, which differs from machine to machine.
fn text(output: &RunOutput) -> String {
    let folder = fixture("demo.jsonl").with_file_name("");
    output.stdout.replace(&folder.display().to_string(), "")
}

#[test]
fn inspect_describes_a_capture_on_one_screen() {
    let output = inspect("shop.jsonl", &[]);
    assert_eq!(
        text(&output),
        "\
49 records in 3 topics, 8.25 KiB of keys and values

read       rrpairs shop.jsonl: 69.37 KiB, 34 RRPairs, 21 Fetches (6 empty)
found      51 = 2 control + 49 to replay
time       2026-01-05T09:00:00.639Z to 2026-01-05T09:00:04.443Z
several    11 Fetches hold more than one record: 46 in all, of which a CSV loses 35
gaps       12 offsets are missing, in 5 gaps; compaction and transactions leave gaps
commands   Fetch 21, Produce 3, Heartbeat 2, Metadata 2, ApiVersions 1 and 5 more
brokers    kafka-0.kafka:9092 21
clients    fulfilment-1 21
groups     fulfilment 5
isolation  read_uncommitted 18, read_committed 3

topic      parts  records     bytes  no key  keys  value p50    p99    max  tombstones
orders         3       28  6.02 KiB     4 %    24      268 B  279 B  279 B           2
payments       2       11  1.42 KiB     0 %    11      125 B  126 B  126 B           0
shipments      2       10     824 B     0 %    10       99 B  135 B  135 B           0
"
    );
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
}

#[test]
fn a_capture_without_anything_unusual_takes_fewer_lines() {
    let output = inspect("demo.jsonl", &[]);
    assert_eq!(
        text(&output),
        "\
21 records in 2 topics, 3.93 KiB of keys and values

read       rrpairs demo.jsonl: 62.57 KiB, 38 RRPairs, 27 Fetches (6 empty)
found      21 = 21 to replay
time       2026-01-05T09:00:00.654Z to 2026-01-05T09:00:04.795Z
commands   Fetch 27, Heartbeat 3, ApiVersions 2, Metadata 2, FindCoordinator 1 and 3 more
brokers    kafka-0.kafka:9092 27
clients    fulfilment-1 27
groups     fulfilment 6
isolation  read_uncommitted 27

topic     parts  records     bytes  no key  keys  value p50    p99    max  tombstones
orders        3       13  2.90 KiB     0 %     7      195 B  268 B  268 B           0
payments      2        8  1.03 KiB     0 %     6      124 B  126 B  126 B           0
"
    );
}

#[test]
fn the_json_of_inspect_has_every_partition() {
    let output = inspect("shop.jsonl", &["--report", "json"]);
    let seen = report(&output);
    assert_eq!(seen["ledger"]["records"], 49);
    assert_eq!(seen["several"], json!({"fetches": 11, "records": 46}));
    assert_eq!(
        seen["isolation"],
        json!([{"name": "read_uncommitted", "count": 18}, {"name": "read_committed", "count": 3}])
    );
    let topics = seen["topics"].as_array().expect("a list of topics");
    assert_eq!(topics[2]["topic"], "shipments");
    let of_partitions = |member: &str| -> u64 {
        let partitions = topics.iter().flat_map(|t| t["by_partition"].as_array());
        let counts = partitions.flatten().map(|p| p[member].as_u64());
        counts.map(|n| n.expect("a count")).sum()
    };
    assert_eq!(of_partitions("records"), 49);
    assert_eq!(
        (of_partitions("missing_offsets"), of_partitions("gaps")),
        (12, 5)
    );
}

#[test]
fn copies_are_counted_and_change_nothing_else() {
    let file = fixture("shop.jsonl").display().to_string();
    let twice = report(&kreplay(["inspect", &file, &file, "--report", "json"]));
    let once = report(&inspect("shop.jsonl", &["--report", "json"]));
    assert_eq!(twice["ledger"]["duplicates"], 49);
    assert_eq!(twice["topics"], once["topics"]);
    assert_eq!(twice["exit_code"], 0);
    // The printed figures balance, too.
    assert_eq!(kreplay(["extract", &file, &file]).code, 0);
}

#[test]
fn a_truncated_source_is_described_up_to_the_cut() {
    let output = inspect("cut.jsonl", &["--report", "json"]);
    let seen = report(&output);
    assert_eq!((output.code, &seen["exit_code"]), (4, &json!(4)));
    assert_eq!(seen["ledger"]["records"], 3);
    assert_eq!(seen["source"]["complete"], false);
    assert_eq!(seen["problems"][0]["what"], "unreadable");
}

#[test]
fn a_filter_that_nothing_passes_is_reported_with_the_commands_that_occur() {
    let output = inspect("http.jsonl", &[]);
    assert!(
        text(&output).contains(
            "\nnote       the filter passed none of 4 RRPairs\n           \
             hint: `kreplay inspect --paths` lists what they hold, `--filter` and `--value` select from it\n\
             found      0 = 0 to replay\n\
             commands   GET 1, POST 1, Query 1, SSL Request 1\n"
        ),
        "{output:?}"
    );
    assert_eq!(output.code, 1);
}

/// Lines and columns that a terminal shows without being made larger.
const SCREEN: (usize, usize) = (30, 100);

#[test]
fn inspect_describes_every_fixture_on_one_screen() {
    let folder = fixture("demo.jsonl").with_file_name("");
    let mut fixtures = 0;
    for entry in fs::read_dir(&folder).expect("the fixtures are in a folder") {
        let name = entry.expect("the folder can be read").file_name();
        let name = name.to_string_lossy();
        // Without a value column there is nothing to inspect; the others are not captures.
        if ["no-value.csv", "own-profile.toml", "README.md"].contains(&&*name) {
            continue;
        }
        let text = text(&inspect(&name, &[]));
        // Problems and hints may wrap: each counts as the lines that it fills on a screen.
        let rows = text
            .lines()
            .map(|line| line.chars().count().div_ceil(SCREEN.1).max(1));
        assert!(rows.sum::<usize>() <= SCREEN.0, "{name}: {text}");
        let mut table = text
            .lines()
            .filter(|line| !line.starts_with("problem ") && !line.starts_with("  "));
        assert!(
            table.all(|line| line.chars().count() <= SCREEN.1),
            "{name}: {text}"
        );
        fixtures += 1;
    }
    assert!(fixtures >= 25, "{fixtures} fixtures");
}

#[test]
fn an_unresolved_topic_is_reported_with_the_flag_that_names_it() {
    let shown = text(&inspect("topic-id-unknown.jsonl", &[]));
    let expected = "\nunnamed    nothing in the capture names 1 topic id\n           \
                    --topic-id 4jfhP0BF2SmV6Nl7qrdn9Q=NAME   1 record\n";
    assert!(shown.ends_with(expected), "{shown}");
}

#[test]
fn inspect_detects_the_kind_of_a_file_from_its_content() {
    for (name, read) in [
        (
            "shop.expected.jsonl",
            "read       records shop.expected.jsonl: 15.04 KiB, 49 lines\nfound      49 = 49 to replay\n",
        ),
        (
            "kcat.jsonl",
            "read       records kcat.jsonl: 2.29 KiB, 10 lines\nfound      10 = 10 to replay\n",
        ),
        (
            "wide.csv",
            "read       csv wide.csv: 3.04 KiB, 8 RRPairs, 8 Fetches (2 empty)\nfound      8 = 8 to replay\n",
        ),
        (
            "guide.csv",
            "read       csv guide.csv: 1.54 KiB, 8 RRPairs, 8 Fetches (2 empty)\nfound      6 = 6 to replay\n",
        ),
    ] {
        let output = inspect(name, &[]);
        assert!(text(&output).contains(&format!("\n{read}")), "{output:?}");
        assert_eq!(output.code, 0, "{output:?}");
    }
    // `extract` prints the same records as it receives.
    let lines = fixture("shop.expected.jsonl");
    let printed = kreplay(["extract", &lines.display().to_string()]);
    let expected = fs::read_to_string(&lines).expect("the fixture can be read");
    assert_eq!(printed.stdout, expected);
    // A path makes records of any JSON, also of record lines.
    let values = report(&inspect(
        "kcat.jsonl",
        &[
            "--value",
            "$.payload",
            "--filter",
            "command NOT x",
            "--report",
            "json",
        ],
    ));
    assert_eq!(values["source"]["kind"], "rrpairs");
}

#[test]
fn the_paths_of_a_csv_cannot_be_listed_and_several_csvs_are_read() {
    let output = inspect("guide.csv", &["--paths"]);
    let named = fixture("guide.csv").display().to_string();
    let expected = format!(
        "kreplay: {named} is a CSV, which has columns instead of paths\n\
         hint: its first line names the columns; without `--paths`, kreplay shows its records\n"
    );
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (2, expected.as_str())
    );
    let twice = report(&inspect("guide.csv", &[&named, "--report", "json"]));
    // Six rows of each have a value, and nothing in them shows a copy.
    assert_eq!(twice["ledger"]["records"], 12);
}

#[test]
fn extract_prints_no_report_when_a_path_does_not_parse() {
    let file = fixture("shop.jsonl").display().to_string();
    let output = kreplay(["extract", &file, "--value", "a..b"]);
    let expected = "kreplay: `--value`: the path does not parse: expected a name or an index\n    a..b\n      ^\n";
    assert_eq!((output.code, output.stderr.as_str()), (2, expected));
}

fn listed(output: &RunOutput) -> Vec<(String, u64)> {
    let list = report(output);
    let paths = list["paths"].as_array().expect("a list of paths").iter();
    let pair = |seen: &Value| Some((seen["path"].as_str()?.to_string(), seen["count"].as_u64()?));
    paths
        .map(|seen| pair(seen).expect("a path and a count"))
        .collect()
}

#[test]
fn a_listed_path_used_as_value_matches_as_often_as_it_was_counted() {
    let paths = listed(&inspect("http.jsonl", &["--paths", "--report", "json"]));
    assert_eq!(paths.len(), 47);
    for (path, count) in paths {
        let everything = ["--filter", "direction NOT none", "--report", "json"];
        let flags = [&["--value", &path], &everything[..]].concat();
        let seen = report(&inspect("http.jsonl", &flags));
        // Objects that lie around others are read as JSON text like everything else.
        assert_eq!(seen["ledger"]["records"], count, "{path}");
        assert_eq!(seen["exit_code"], 0, "{path}");
    }
}

#[test]
fn the_list_has_types_and_samples_and_keeps_to_the_filter() {
    let output = inspect(
        "http.jsonl",
        &["--paths", "--filter", "l7protocol IS postgres"],
    );
    let stdout = text(&output);
    assert!(
        stdout.starts_with("29 paths in 4 RRPairs (1.76 KiB), of which 2 passed the filter\n\n"),
        "{stdout}"
    );
    let row = "\n        3  string|null  $.postgres.response.rows[*].columns[*]    \"7\"\n";
    assert!(stdout.contains(row), "{stdout}");
    assert!(!stdout.contains("$.http"), "{stdout}");
}

#[test]
fn the_paths_of_the_fetch_profile_are_in_a_list() {
    let paths = listed(&inspect("shop.jsonl", &["--paths", "--report", "json"]));
    let value =
        "$.kafka.response.FetchResponse.topics[*].partitions[*].records.records[*].valueString";
    assert!(paths.iter().any(|(path, _)| path == value), "{paths:?}");
}

#[test]
fn a_path_that_matches_nothing_is_named_with_the_nearest_that_does() {
    let value =
        "$.kafka.response.FetchResponse.topics[*].partitions[*].records.records[*].valuestring";
    let output = inspect(
        "guide.jsonl",
        &["--value", value, "--key", "$.http.req.url"],
    );
    let problem = format!(
        "problem    path unmatched: 2, first guide.jsonl: `--value {value}` matches nothing \
         (did you mean `$.kafka.response.FetchResponse.topics[*].partitions[*].records.records[*].valueString`?); \
         `--key $.http.req.url` matches nothing\n           \
         hint: `kreplay inspect --paths` lists every path that occurs\n"
    );
    assert!(text(&output).ends_with(&problem), "{output:?}");
    assert_eq!(output.code, 1);
}

#[test]
fn a_path_hidden_by_the_filter_is_explained_without_reading_stdin_twice() {
    let flags = [
        "--value",
        "$.http.req.url",
        "--filter",
        "command IS Query",
        "--report",
        "json",
    ];
    let seen = report(&inspect("http.jsonl", &flags));
    assert_eq!(
        seen["problems"][0]["first"]["why"],
        "`--value $.http.req.url` matches nothing: it occurs only in RRPairs that the filter leaves out"
    );
    let text = fs::read(fixture("http.jsonl")).expect("the fixture can be read");
    let output = Run::new([&["inspect", "-"], &flags[..]].concat())
        .stdin(text)
        .output();
    assert_eq!(
        report(&output)["problems"][0]["first"]["why"],
        "`--value $.http.req.url` matches nothing"
    );
    assert_eq!(output.code, 1);
}

#[test]
fn a_snapshot_is_pulled_and_looked_at() {
    for command in ["inspect", "extract"] {
        let output = Run::new([command, "snapshot:shop"])
            .env("KREPLAY_SPEEDCTL", standin())
            .env("STANDIN_DATA", fixture("shop.jsonl").with_file_name(""))
            .output();
        let shown = [output.stdout.as_str(), output.stderr.as_str()].concat();
        assert_eq!(output.code, 0, "{command}: {shown}");
        assert!(
            shown.contains("34 RRPairs, 21 Fetches (6 empty)"),
            "{command}: {shown}"
        );
    }
    let mixed = kreplay(["inspect", "snapshot:shop", "x.jsonl"]);
    assert_eq!(mixed.code, 2);
    assert!(
        mixed.stderr.contains("together with other sources"),
        "{mixed:?}"
    );
}

#[test]
fn a_built_in_profile_is_printed_and_works_as_a_file() {
    let printed = kreplay(["profile", "fetch"]);
    assert_eq!(printed.code, 0);
    assert_eq!(
        printed.stdout,
        include_str!("../../src/extract/profile/profiles/fetch.toml")
    );
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let file = folder.path().join("mine.toml");
    fs::write(&file, &printed.stdout).expect("the folder is writable");
    let flags = ["--profile", &file.display().to_string(), "--report", "json"];
    assert_eq!(
        report(&inspect("shop.jsonl", &flags))["ledger"]["records"],
        49
    );
    let unknown = kreplay(["profile", "fetsch"]);
    assert_eq!(
        (unknown.code, unknown.stderr.as_str()),
        (
            2,
            "kreplay: `fetsch` is not a built-in profile\nhint: the built-in profiles are `fetch`, `produce` and `byoc`\n"
        )
    );
}
