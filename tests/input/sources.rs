//! How to name a source: every command takes the same ones, `--as` overrides what they look like, and what
//! `extract` prints of one is what `replay` sends of it.
//!
//! These tests compare commands with each other; `forms/` checks what each kind of input may contain.

use std::fs;

use crate::harness::paths::{fixture, standin};
use crate::harness::run::{Run, RunOutput, kreplay, report};
use crate::harness::verdict::readback::{LoggedRecord, read};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Topics of the fixtures, as far as the tests here send them.
const TOPICS: [&str; 3] = ["orders", "payments", "shipments"];

/// A cluster with two copies of each topic: one for each way to send.
fn mock() -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    for topic in TOPICS {
        for way in ["at-once", "piped"] {
            let created = cluster.create_topic(&format!("{way}-{topic}"), 6, 1);
            created.expect("a topic");
        }
    }
    cluster
}

/// The log of this copy of the topics, under the captured names. What the broker adds does not count.
fn log(brokers: &str, way: &str) -> Vec<LoggedRecord> {
    let read = |topic: &&str| read(brokers, &format!("{way}-{topic}")).expect("it is readable");
    let seen = TOPICS.iter().flat_map(read);
    seen.map(|record| LoggedRecord {
        topic: record.topic.replace(&format!("{way}-"), ""),
        ..record
    })
    .collect()
}

/// A replay of `source` to its copy of the topics, with original times.
fn replay(brokers: &str, way: &str, source: &str, flags: &[&str]) -> Run {
    let map = format!("*={way}-{{topic}}");
    let args = ["replay", source, "-b", brokers, "--map", &map];
    let comparable = ["--timestamps", "original", "--report", "json"];
    Run::new([&args[..], &comparable, flags].concat())
}

/// A rejects file: one record certainly not in the log, and one that may be there.
fn rejects(folder: &TempDir) -> String {
    let line = |offset: u64, outcome: &str| {
        json!({ "topic": "orders", "partition": 1, "offset": offset, "timestamp": 1_767_603_600_000_u64,
            "key": null, "value": format!("v{offset}"), "outcome": outcome, "reason": "r" })
    };
    let path = folder.path().join("rejects.jsonl");
    let lines = [
        line(0, "not_written"),
        line(1, "unknown"),
        line(2, "unsent"),
    ];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(&path, text).expect("the folder is writable");
    path.display().to_string()
}

#[test]
fn the_output_of_extract_is_replayed_as_the_source_itself() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let of = |name: &str| fixture(name).display().to_string();
    let value =
        "$.kafka.response.FetchResponse.topics[*].partitions[*].records.records[*].valueString";
    let cases: [(String, &[&str], usize); 8] = [
        (of("shop.jsonl"), &[], 49),
        (of("groups.jsonl"), &[], 14),
        (of("shop.jsonl"), &["--profile", "produce"], 0),
        (of("groups.jsonl"), &["--value", value], 0),
        (of("wide.csv"), &[], 8),
        (of("kcat.jsonl"), &[], 0),
        (rejects(&folder), &[], 2),
        (
            of("shop.jsonl"),
            &["--topics", "payments", "--skip", "3"],
            8,
        ),
    ];
    for (source, flags, count) in cases {
        let cluster = mock();
        let brokers = cluster.bootstrap_servers();
        let at_once = replay(&brokers, "at-once", &source, flags).output();
        let lines = kreplay([&["extract", "-q", &source], flags].concat());
        assert_eq!(lines.code, 0, "{source}: {lines:#?}");
        let piped = replay(&brokers, "piped", "-", &[])
            .stdin(lines.stdout)
            .output();
        assert_eq!(
            (at_once.code, piped.code),
            (0, 0),
            "{at_once:#?} {piped:#?}"
        );
        let [mut sent, mut expected] = ["piped", "at-once"].map(|way| log(&brokers, way));
        if flags.contains(&"--value") {
            // Such a path leads only to values: the records get the time of sending.
            let all = sent.iter_mut().chain(&mut expected);
            all.for_each(|record| record.timestamp_ms = 0);
        }
        assert_eq!(sent, expected, "{source} {flags:?}");
        assert!(!sent.is_empty(), "{source} {flags:?}");
        if count > 0 {
            assert_eq!(sent.len(), count, "{source} {flags:?}");
        }
    }
}

/// What a refused run prints on stderr.
fn refused(output: &RunOutput) -> &str {
    assert_eq!((output.code, &*output.stdout), (2, ""), "{output:#?}");
    &output.stderr
}

#[test]
fn flags_that_do_not_fit_the_kind_of_source_are_refused_before_anything_is_sent() {
    let (csv, lines, rrpairs) = (
        fixture("wide.csv"),
        fixture("kcat.jsonl"),
        fixture("shop.jsonl"),
    );
    let filter = ["--filter", r#"(command IS "Fetch")"#];
    let cases = [
        (
            &csv,
            &filter[..],
            "speedctl filtered the CSV when it wrote it: `--filter` cannot be applied\n",
        ),
        (
            &lines,
            &filter,
            "`--filter` selects RRPairs, but these are record lines\n",
        ),
        (
            &csv,
            &["--send-unknown"],
            "`--send-unknown` is for record lines, but the source is a CSV of speedctl\n",
        ),
        (
            &rrpairs,
            &["--send-unknown"],
            "`--send-unknown` is for record lines, but the source is RRPairs\n",
        ),
    ];
    let cluster = mock();
    let brokers = cluster.bootstrap_servers();
    for (source, flags, said) in cases {
        let content = fs::read(source).expect("the fixture is readable");
        let named = source.display().to_string();
        for run in [
            replay(&brokers, "at-once", &named, flags),
            replay(&brokers, "at-once", "-", flags).stdin(content),
        ] {
            let output = run.output();
            let expected = format!("kreplay: {said}");
            assert!(refused(&output).contains(&expected), "{output:#?}");
        }
    }
    assert_eq!(log(&brokers, "at-once"), []);
}

#[test]
fn a_kind_that_is_forced_is_checked_before_anything_is_read() {
    let filter = r#"(command IS "Fetch")"#;
    for (kind, flags, said) in [
        (
            "csv",
            ["--filter", filter],
            "speedctl filtered the CSV when",
        ),
        (
            "records",
            ["--filter", filter],
            "`--filter` selects RRPairs",
        ),
        (
            "records",
            ["--value", "$.a"],
            "`--value` is a path into RRPairs, but `--as records` reads none",
        ),
        ("rrpairs", ["--value", "$["], "`--value`"),
    ] {
        for command in ["replay", "extract", "inspect"] {
            let args = [&[command, "missing", "--as", kind][..], &flags].concat();
            let sending: &[&str] = if command == "replay" {
                &["--rehearse"]
            } else {
                &[]
            };
            let output = kreplay([&args[..], sending].concat());
            assert!(refused(&output).contains(said), "{output:#?}");
            assert!(!output.stderr.contains("missing"), "{output:#?}");
        }
    }
}

/// Rehearses `content`, from a file whose name shows nothing, into topic `t`.
fn rehearse(content: &str, flags: &[&str]) -> RunOutput {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    fs::write(folder.path().join("source"), content).expect("it is writable");
    let args = [
        "replay",
        "source",
        "-t",
        "t",
        "--rehearse",
        "--report",
        "json",
    ];
    Run::new([&args, flags].concat())
        .cwd(folder.path())
        .output()
}

#[test]
fn the_as_flag_overrides_the_detected_kind() {
    // The members `kafka` and `command` make a line an RRPair, and nothing makes the text a CSV.
    let line = "{\"topic\":\"o\",\"value\":\"v\",\"command\":\"c\",\"kafka\":{}}\n";
    let (csv, of_csv) = ("payload.x\none\ntwo\n", ["--value", "payload.x"]);
    assert_eq!(rehearse(line, &[]).code, 1);
    let seen = report(&rehearse(line, &["--as", "records"]));
    assert_eq!(
        (&seen["source"]["kind"], &seen["ledger"]["delivered"]),
        (&"records".into(), &1.into())
    );
    let looks = rehearse(csv, &of_csv);
    let said = "kreplay: source holds no RRPairs or record lines: it is text of another kind\n\
        hint: `kcat -C -J` prints record lines; `--as csv` reads any CSV\n";
    assert_eq!((looks.code, &*looks.stderr), (1, said));
    let seen = report(&rehearse(csv, &[&of_csv[..], &["--as", "csv"]].concat()));
    assert_eq!(
        (&seen["source"]["kind"], &seen["ledger"]["delivered"]),
        (&"csv".into(), &2.into())
    );
    let rrpairs = fs::read_to_string(fixture("demo.jsonl")).expect("the fixture is readable");
    let output = rehearse(&rrpairs, &["--as", "csv"]);
    let hint = "hint: this looks like JSON: without `--as csv`, kreplay decides by the content\n";
    assert!(
        output.code == 2 && output.stderr.ends_with(hint),
        "{output:#?}"
    );
}

#[test]
fn a_folder_holds_rrpairs_only() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let path = folder.path().display().to_string();
    let output = kreplay(["replay", &path, "--rehearse", "--as", "csv"]);
    let said = format!("kreplay: {path} is a folder, not a CSV of speedctl\n");
    assert!(refused(&output).starts_with(&said), "{output:#?}");
}

#[test]
fn flags_that_a_source_cannot_use_are_refused() {
    let demo = fixture("demo.jsonl").display().to_string();
    for (source, flags, said) in [
        (
            "snapshot:demo",
            &["--as", "csv"][..],
            "`--as` cannot be used with `snapshot:demo`\n",
        ),
        (
            "snapshot:demo",
            &["--send-unknown"],
            "`--send-unknown` is for record lines, but the source is a snapshot\n",
        ),
        (
            &demo,
            &["--via", "csv"],
            "`--via` is for snapshots, but no source is a snapshot\n",
        ),
        (
            &demo,
            &["--print-command"],
            "`--print-command` is for snapshots, but no source is a snapshot\n",
        ),
    ] {
        let output = kreplay([&["replay", source, "--rehearse"], flags].concat());
        assert!(
            refused(&output).starts_with(&format!("kreplay: {said}")),
            "{output:#?}"
        );
    }
}

#[test]
fn a_snapshot_is_a_source_like_any_other() {
    let run = |args: &[&str]| {
        let run = Run::new(args.iter().copied()).env("KREPLAY_SPEEDCTL", standin());
        let data = fixture("demo.jsonl");
        let data = data.parent().expect("it is in a folder");
        run.env("STANDIN_DATA", data).output()
    };
    let figures = |output: &RunOutput| -> Value {
        let report = report(output);
        json!([
            output.code,
            report["ledger"],
            report["topics"],
            report["source"]["via"]
        ])
    };
    for snapshot in ["demo", "shop", "guide"] {
        let source = format!("snapshot:{snapshot}");
        let flags = ["--rehearse", "--report", "json"];
        let step = run(&[&["snapshot", snapshot][..], &flags].concat());
        let expected = figures(&step);
        assert_eq!(
            figures(&run(&[&["replay", &source][..], &flags].concat())),
            expected
        );
        // The lines hold the same records, whichever way they came.
        for via in ["auto", "raw"] {
            let lines = run(&["extract", "-q", &source, "--via", via]);
            assert_eq!(lines.code, 0, "{lines:#?}");
            let piped = Run::new([&["replay", "-"][..], &flags].concat()).stdin(lines.stdout);
            let delivered = &report(&piped.output())["ledger"]["delivered"];
            assert_eq!(delivered, &expected[1]["delivered"], "{source} {via}");
        }
        let printed = run(&["replay", &source, "--print-command"]).stdout;
        assert_eq!(
            printed,
            run(&["snapshot", snapshot, "--print-command"]).stdout
        );
    }
}

#[test]
fn former_commands_name_the_one_that_takes_their_place() {
    for former in ["raw", "csv", "records"] {
        for words in [&["capture", "-b", "x:1"][..], &["--help"], &[]] {
            let output = kreplay([&[former], words].concat());
            let said = "kreplay: `raw`, `csv` and `records` are now a single command\n\
                hint: use `kreplay replay`: the content decides what a source is\n";
            assert_eq!(refused(&output), said, "{former} {words:?}");
        }
    }
}

#[test]
fn an_empty_rejects_file_is_record_lines_without_a_record() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let path = folder.path().join("rejects.jsonl");
    fs::write(&path, "").expect("the temporary folder is writable");
    let path = path.display().to_string();
    let words = [
        "replay",
        &path,
        "--send-unknown",
        "--rehearse",
        "--report",
        "json",
    ];
    for (flags, code) in [(&[][..], 1), (&["--allow-empty"], 0)] {
        let output = kreplay([&words[..], flags].concat());
        assert_eq!(output.code, code, "{output:#?}");
        assert_eq!(report(&output)["source"]["kind"], "records");
    }
}
