//! The report, as text and as JSON, on stdout and in a file.

use std::time::Duration;

use super::{fixtures, rehearse, rehearse_json};
use crate::harness::report::ledger::ledger;
use crate::harness::run::{Run, report};
use rdkafka::mocking::MockCluster;
use serde_json::{Value, json};

/// Puts a mark in place of times, which differ from run to run.
fn mask_times(report: &str) -> String {
    let mask = |line: &str| match line.split_once(" in ") {
        Some((start, time)) if time.ends_with(" s") => format!("{start} in TIME\n"),
        _ if line.starts_with("latency    p50 ") => "latency    TIMES\n".to_owned(),
        _ => format!("{line}\n"),
    };
    report.lines().map(mask).collect()
}

#[test]
fn the_text_report_of_the_demo_is_the_documented_one() {
    let output = rehearse("replay demo.jsonl").output();
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert_eq!(
        mask_times(&output.stdout),
        "delivered 21 of 21 records to a rehearsal broker in TIME\n\
         \n\
         read       rrpairs demo.jsonl: 62.57 KiB, 38 RRPairs, 27 Fetches (6 empty)\n\
         found      21 = 21 delivered\n\
         sent to    orders    3 partitions, 13 records, 2.90 KiB\n           \
                    payments  2 partitions, 8 records, 1.03 KiB\n\
         latency    TIMES\n"
    );
}

#[test]
fn the_text_report_of_a_cut_file_says_what_is_missing() {
    let output = rehearse("replay cut.jsonl").output();
    assert_eq!(output.code, 4);
    assert_eq!(
        mask_times(&output.stdout),
        "failed: delivered 3 of 4 records to a rehearsal broker in TIME\n\
         \n\
         read       rrpairs cut.jsonl: 7.42 KiB, 3 RRPairs, 3 Fetches (0 empty); not read to its end\n\
         found      4 = 1 unreadable + 3 delivered\n\
         sent to    orders  1 partition, 3 records, 837 B\n\
         latency    TIMES\n\
         problem    unreadable: 1, first cut.jsonl:4: the JSON is cut off after 1357 bytes\n"
    );
    assert_eq!(
        output.stderr,
        "kreplay: cut.jsonl:4: the input is cut off: the JSON is cut off after 1357 bytes\n"
    );
}

/// The names of an object's members, sorted.
fn members(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("an object");
    let mut names: Vec<&str> = object.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Names the documented members that are missing.
fn assert_has(value: &Value, documented: &[&str]) {
    let found = members(value);
    for name in documented {
        assert!(found.contains(name), "there is no `{name}` in {value:#}");
    }
}

#[test]
fn the_json_report_has_every_documented_member() {
    let (output, report) = rehearse_json("replay bad-middle.jsonl");
    assert_eq!(output.stdout.lines().count(), 1, "a report is one line");
    let top = [
        "kreplay",
        "exit_code",
        "interrupted",
        "elapsed_s",
        "source",
        "ledger",
        "topics",
        "problems",
        "latency_ms",
    ];
    assert_has(&report, &top);
    let source = [
        "kind",
        "inputs",
        "bytes",
        "rrpairs",
        "fetches",
        "empty_fetches",
        "complete",
    ];
    assert_has(&report["source"], &source);
    let ledger = [
        "found",
        "duplicates",
        "filtered",
        "control",
        "aborted",
        "unreadable",
        "unselected",
        "delivered",
        "not_written",
        "unknown",
        "unsent",
    ];
    assert_has(&report["ledger"], &ledger);
    assert_has(
        &report["topics"][0],
        &["topic", "partitions", "delivered", "bytes", "per_partition"],
    );
    assert_has(
        &report["topics"][0]["per_partition"][0],
        &["partition", "first_offset", "last_offset", "delivered"],
    );
    assert_has(&report["problems"][0], &["what", "count", "first"]);
    assert_has(&report["problems"][0]["first"], &["input", "line", "why"]);
    assert_has(&report["latency_ms"], &["p50", "p95", "p99", "max"]);
    assert_eq!(report["kreplay"], env!("CARGO_PKG_VERSION"));
    assert_eq!(report["interrupted"], false);
    let source = json!({
        "kind": "rrpairs", "inputs": ["bad-middle.jsonl"], "bytes": 9061, "rrpairs": 4, "fetches": 4,
        "empty_fetches": 0, "skipped_files": 0, "complete": true,
    });
    assert_eq!(report["source"], source);
}

#[test]
fn each_partition_is_reported_with_the_offsets_and_the_number_of_its_records() {
    // By topic and partition, so many records, which the log counts from 0.
    let sent = [("a", 0, 700), ("a", 2, 1), ("b", 1, 42)];
    let mut lines = String::new();
    for n in 0..700 {
        for (topic, partition, _) in sent.iter().filter(|(.., records)| n < *records) {
            let line = json!({ "topic": topic, "partition": partition, "offset": n, "value": "v" });
            lines += &format!("{line}\n");
        }
    }
    let args = ["replay", "-", "--rehearse", "--report", "json"];
    let report = report(&Run::new(args).stdin(lines).output());
    assert_eq!(ledger(&report), "743 = 743 delivered");
    for (index, topic) in ["a", "b"].into_iter().enumerate() {
        let expected = sent.iter().filter(|(of, ..)| *of == topic);
        let expected = expected.map(|(_, partition, records)| {
            json!({
                "partition": partition, "first_offset": 0, "last_offset": records - 1,
                "delivered": records,
            })
        });
        let found = &report["topics"][index];
        assert_eq!(found["topic"], topic);
        assert_eq!(found["per_partition"], expected.collect::<Value>());
    }
}

#[test]
fn the_latency_is_that_of_the_broker() {
    let mock = MockCluster::new(1).expect("a mock cluster");
    mock.create_topic("orders", 1, 1).expect("a topic");
    let delay = Duration::from_millis(150);
    let delayed = mock.broker_round_trip_time(1, delay);
    delayed.expect("the mock takes a delay");
    let brokers = mock.bootstrap_servers();
    let args = [
        "replay",
        "headers.jsonl",
        "-b",
        &brokers,
        "--report",
        "json",
    ];
    let output = Run::new(args).cwd(fixtures()).output();
    let report = report(&output);
    assert_eq!(ledger(&report), "3 = 3 delivered");
    for name in ["p50", "p95", "p99", "max"] {
        let ms = report["latency_ms"][name].as_f64().expect("a number");
        assert!((140.0..5000.0).contains(&ms), "{name}: {report:#}");
    }
}

#[test]
fn a_report_file_is_json_whatever_stdout_carries() {
    for (flags, on_stdout) in [
        ("", true),
        ("--report json", true),
        ("--report none", false),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("report.json");
        let args = format!("replay demo.jsonl --report-file {} {flags}", file.display());
        let output = rehearse(args.trim_end()).output();
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{args}");
        assert_eq!(!output.stdout.is_empty(), on_stdout, "{args}");
        let text = std::fs::read_to_string(&file).expect("the report file is there");
        let report: Value = serde_json::from_str(&text).expect("the report file is JSON");
        assert_eq!(ledger(&report), "21 = 21 delivered");
        if flags == "--report json" {
            assert_eq!(text, output.stdout);
        }
    }
}

#[test]
fn a_report_file_that_cannot_be_written_is_refused_before_anything_is_sent() {
    let output = rehearse("replay demo.jsonl --report-file no/such/folder/report.json").output();
    assert_eq!(output.code, 2, "{output:#?}");
    assert_eq!(output.stdout, "", "a report means that something was sent");
    let said = "kreplay: cannot write the report to no/such/folder/report.json: ";
    assert!(output.stderr.starts_with(said), "{}", output.stderr);
}

#[test]
fn report_none_prints_nothing_on_stdout_and_keeps_the_exit_code() {
    for (args, code) in [
        ("replay demo.jsonl", 0),
        ("replay bad-middle.jsonl", 1),
        ("replay cut.jsonl", 4),
    ] {
        let output = rehearse(&format!("{args} --report none -q")).output();
        assert_eq!((output.code, output.stdout.as_str()), (code, ""), "{args}");
        let why = format!("kreplay: exit code {code}: delivered ");
        assert_eq!(output.stderr.contains(&why), code != 0, "{output:#?}");
    }
    let output = rehearse("replay bad-middle.jsonl --report none -q").output();
    let problem = "problem    unreadable: 1, first bad-middle.jsonl:3: ";
    assert!(output.stderr.contains(problem), "{output:#?}");
}

#[test]
fn a_report_file_that_cannot_be_written_in_the_end_adds_code_1_and_hides_none() {
    for (file, code) in [("demo.jsonl", 1), ("bad-middle.jsonl", 1), ("cut.jsonl", 4)] {
        let args = format!("replay {file} --report-file /dev/full");
        let (output, report) = rehearse_json(&args);
        assert_eq!(output.code, code, "{output:#?}");
        assert_eq!(report["exit_code"], code);
        let said = "kreplay: cannot write the report to /dev/full: no space left on device\n";
        assert!(output.stderr.contains(said), "{output:#?}");
    }
}

#[test]
fn quiet_prints_nothing_on_stderr_but_errors() {
    for args in [
        "replay demo.jsonl -q",
        "snapshot shop -q",
        "replay topic-id-unknown.jsonl --quiet",
    ] {
        let output = rehearse(args).output();
        assert_eq!(output.stderr, "", "{args}");
        assert!(!output.stdout.is_empty(), "{args}");
    }
    let output = rehearse("replay cut.jsonl -q").output();
    assert!(
        output.stderr.starts_with("kreplay: cut.jsonl:4: "),
        "{}",
        output.stderr
    );
}

#[test]
fn a_stdout_that_is_closed_changes_no_exit_code_and_a_full_one_only_that_of_success() {
    let script = r#"case $1 in
        closed-pipe) { shift; "$@"; echo "code $?" >&2; } | : ;;
        closed) shift; "$@" >&-; echo "code $?" >&2 ;;
        full) shift; "$@" >/dev/full; echo "code $?" >&2 ;;
    esac"#;
    for how in ["closed-pipe", "closed", "full"] {
        for (file, code) in [("demo.jsonl", 0), ("bad-middle.jsonl", 1), ("cut.jsonl", 4)] {
            for form in ["text", "json"] {
                let kreplay = env!("CARGO_BIN_EXE_kreplay");
                let args = [
                    "-c",
                    script,
                    "sh",
                    how,
                    kreplay,
                    "replay",
                    file,
                    "--rehearse",
                    "--report",
                ];
                let args = args.into_iter().chain([form]);
                let output = Run::program("sh", args).cwd(fixtures()).output();
                let said = match (how, code) {
                    ("full", 0) => "code 1\n".into(),
                    _ => format!("code {code}\n"),
                };
                let lost = "kreplay: cannot write the report to stdout: no space left on device\n";
                assert_eq!(output.stderr.contains(lost), how == "full", "{output:#?}");
                assert!(
                    output.stderr.ends_with(&said),
                    "{how} {file} {form}: {output:#?}"
                );
                assert!(!output.stderr.contains("panicked"), "{output:#?}");
            }
        }
    }
}
