//! The JSON Schema of the reports. It checks every report that any test parses (`harness/schema.rs`); this
//! file has one report of each command and of each part that occurs only sometimes, and shows that the check
//! finds faults. Groups, capacity and the output of a service need a broker: `real_kafka`.

use std::fs;

use crate::harness::paths::fixture;
use crate::harness::report::schema::fault_of_report;
use crate::harness::run::{Run, report};
use nix::sys::signal::Signal::SIGINT;
use rdkafka::mocking::MockCluster;
use serde_json::{Value, json};

/// The report of a command over fixtures; parsing it checks it.
#[track_caller]
fn of(words: &str, code: i32) -> Value {
    let folder = fixture("demo.jsonl");
    let folder = folder.parent().expect("it is in a folder");
    let args = words.split(' ').chain(["--report", "json"]);
    let output = Run::new(args).cwd(folder).output();
    assert_eq!(output.code, code, "{output:#?}");
    report(&output)
}

#[test]
fn each_command_has_a_report_that_is_described() {
    for (words, code, own) in [
        ("replay demo.jsonl --rehearse", 0, "latency_ms"),
        ("plan demo.jsonl", 0, "reach"),
        ("inspect demo.jsonl", 0, "clients"),
        ("inspect demo.jsonl --paths", 0, "paths"),
        ("compare demo.jsonl shop.jsonl", 1, "differences"),
    ] {
        let report = of(words, code);
        assert_eq!(report["schema"], 1, "{words}");
        assert!(report.get(own).is_some(), "{words}: {report:#}");
    }
}

#[test]
fn parts_that_are_there_only_sometimes_are_described() {
    for (words, code, member) in [
        (
            "replay shop.jsonl --rehearse --speed 100x --max-gap 1s",
            0,
            "timing",
        ),
        (
            "replay shop.jsonl --rehearse --rate 5k --byte-rate 1MiB --ramp 10ms",
            0,
            "timing",
        ),
        ("replay shop.jsonl --rehearse --loop 2", 0, "passes"),
        (
            "replay shop.jsonl --rehearse --shard 1/2 --topics orders",
            0,
            "unselected",
        ),
        ("replay topic-id-unknown.jsonl --rehearse", 1, "problems"),
        ("plan shop.jsonl --speed 2x --shard 1/2", 0, "unselected"),
        ("plan topic-id-unknown.jsonl", 1, "unresolved_topic_ids"),
        ("plan cut.jsonl", 4, "errors"),
        ("inspect shop.jsonl --limit 5", 0, "unselected"),
        ("inspect bad-middle.jsonl", 1, "problems"),
        (
            "compare shop.jsonl shop.jsonl --ignore $.nothing",
            1,
            "ignored_unmatched",
        ),
    ] {
        let report = of(words, code);
        let part = &report[member];
        let is_empty = part.as_array().is_some_and(Vec::is_empty) || part.is_null();
        assert!(!is_empty, "{words} has `{member}`: {report:#}");
    }
}

#[test]
fn redacted_texts_and_dates_are_described() {
    let line = |offset: u64, value: &str| {
        let line = json!({ "topic": "t", "partition": 0, "offset": offset, "value": value });
        format!("{line}\n")
    };
    let text = line(0, "REDACTED-1") + &line(1, "{speedscale_date(1h)}");
    for command in [
        &["replay", "-", "--rehearse", "--resolve-dates"][..],
        &["plan", "-", "--resolve-dates"],
        &["inspect", "-"],
    ] {
        let args = command.iter().chain(&["--report", "json"]);
        let report = report(&Run::new(args).stdin(text.clone()).output());
        for member in ["redacted", "date_placeholders"] {
            let expected = json!([{ "topic": "t", "records": 1 }]);
            assert_eq!(report[member], expected, "{command:?}");
        }
    }
}

#[test]
fn a_replay_that_cannot_begin_is_described_with_its_rejects() {
    let cluster = MockCluster::<rdkafka::producer::DefaultProducerContext>::new(1);
    let brokers = cluster.expect("a mock cluster");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rejects = folder.path().join("rejects").display().to_string();
    let servers = brokers.bootstrap_servers();
    let words = format!("replay shop.jsonl -F none --rejects {rejects} -b");
    // Topics are missing; and no broker answers.
    let report = of(&format!("{words} {servers}"), 3);
    assert_eq!(report["rejects"]["records"], 49);
    fs::remove_file(&rejects).expect("there are some");
    assert_eq!(
        of(&format!("{words} 127.0.0.1:1"), 3)["latency_ms"],
        Value::Null
    );
    of("plan shop.jsonl -F none -b 127.0.0.1:1", 3);
}

#[test]
fn a_resumed_and_an_interrupted_replay_are_described() {
    let cluster = MockCluster::<rdkafka::producer::DefaultProducerContext>::new(1);
    let cluster = cluster.expect("a mock cluster");
    cluster.create_topic("t", 1, 1).expect("a topic");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let journal = folder.path().join("journal").display().to_string();
    let brokers = cluster.bootstrap_servers();
    let args = [
        "replay", "-", "-b", &brokers, "-F", "none", "--report", "json",
    ];
    let mut running = Run::new(args.iter().chain(&["--resume", &journal]))
        .stdin_open()
        .spawn();
    let line = |offset: u64| {
        let line = json!({ "topic": "t", "partition": 0, "offset": offset, "value": "v" });
        format!("{line}\n")
    };
    running.write_stdin((0..200).map(line).collect::<String>().as_bytes());
    running.wait_until("records are there", |_| {
        crate::harness::verdict::readback::count(&brokers, "t") >= Ok(1)
    });
    running.signal(SIGINT);
    let output = running.wait();
    assert_eq!(output.code, 130, "{output:#?}");
    let report = report(&output);
    assert_eq!(report["interrupted"], true);
    assert_eq!(report["resume"]["skipped"], 0, "{report:#}");
}

/// A report in which `change` was made.
fn changed(change: impl FnOnce(&mut Value)) -> Option<String> {
    let mut report = of("replay shop.jsonl --rehearse --speed 100x", 0);
    change(&mut report);
    fault_of_report(&report)
}

#[test]
fn what_is_not_described_is_seen() {
    let said = |fault: Option<String>, expected: &str| {
        let fault = fault.expect(expected);
        assert!(fault.ends_with(expected), "{fault}");
    };
    let one_more = |report: &mut Value| report["timing"]["lateness_ms"]["p42"] = 1.into();
    said(
        changed(one_more),
        "/timing/lateness_ms/p42 is not described",
    );
    let none = |report: &mut Value| {
        let topic = report["topics"][1].as_object_mut().expect("a topic");
        topic.remove("delivered").expect("it was there");
    };
    said(changed(none), "/topics/1/ has no \"delivered\"");
    let text = |report: &mut Value| report["ledger"]["found"] = "51".into();
    said(
        changed(text),
        "/ledger/found is \"51\", and should be \"integer\"",
    );
    let negative = |report: &mut Value| report["ledger"]["found"] = (-1).into();
    said(changed(negative), "/ledger/found is -1, less than 0");
    let other = |report: &mut Value| report["exit_code"] = 5.into();
    let fault = changed(other).expect("no such code");
    assert!(
        fault.contains("/exit_code is 5, which is none of"),
        "{fault}"
    );
    let version = |report: &mut Value| report["schema"] = 2.into();
    said(changed(version), "/schema is 2, and should be 1");
    let null = |report: &mut Value| report["timing"]["lateness_ms"] = Value::Null;
    assert_eq!(changed(null), None, "what is not known is null");
}
