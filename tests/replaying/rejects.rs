//! `--rejects FILE`: what was found and not delivered, as record lines that can be sent again.
//!
//! All of these tests check one promise: nothing that was found is lost, whatever ends the run. `tests/faults/`
//! checks the rejects that faults of real brokers leave.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::harness::capture::{number_of, numbered_lines};
use crate::harness::paths::fixture;
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::run::{Run, RunOutput, kreplay, report};
use crate::harness::verdict::readback::{LoggedRecord, count, read};
use nix::sys::signal::Signal::SIGINT;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use serde_json::{Value, json};
use tempfile::TempDir;

const TOPIC: &str = "orders";

/// A broker in this process with one topic of one partition.
fn mock() -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    cluster.create_topic(TOPIC, 1, 1).expect("a topic");
    cluster
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("rejects.jsonl");
    (folder, file)
}

fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).expect("the file is readable text");
    let parse = |line| serde_json::from_str(line).expect("every line is JSON");
    text.lines().map(parse).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the paths of the tests are text")
}

fn replay(input: &str, brokers: &str, more: &[&str]) -> Run {
    let args = ["replay", input, "-b", brokers, "--report", "json"];
    Run::new(args.iter().chain(more).map(|arg| (*arg).to_owned()))
}

/// The values of the mock's log, as numbers.
fn numbers(brokers: &str) -> Vec<u64> {
    let seen = read(brokers, TOPIC).expect("the topic is readable");
    seen.iter().map(LoggedRecord::text).map(number_of).collect()
}

#[test]
fn a_run_that_cannot_send_rejects_every_record_as_it_was_captured() {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    let (_folder, file) = folder();
    let shop = fixture("shop.jsonl");
    let args = ["--rejects", text(&file)];
    let run = replay(text(&shop), &cluster.bootstrap_servers(), &args).output();
    assert_eq!(run.code, 3, "{run:#?}");
    assert_eq!(report(&run)["rejects"]["records"], 49);
    let mut rejects = lines(&file);
    for (i, reject) in rejects.iter_mut().enumerate() {
        let reject = reject.as_object_mut().expect("a record line is an object");
        // The first line names the captured cluster (fixtures/README.md).
        let from = json!([
            { "broker": "kafka-0.kafka:9092" },
            { "cluster": "Zm9yLWRlbW8tb25seQ" },
        ]);
        assert_eq!(reject.remove("captured_from"), (i == 0).then_some(from));
        assert_eq!(reject.remove("outcome"), Some(json!("unsent")));
        let reason = reject.remove("reason");
        let reason = reason.as_ref().and_then(Value::as_str).expect("a reason");
        let start = "the run ended before it was sent: 3 topics do not exist on ";
        assert!(reason.starts_with(start), "{reason}");
    }
    let extracted = kreplay(["extract", text(&shop), "-q"]).stdout;
    let parse = |line| serde_json::from_str(line).expect("every line is JSON");
    let mut extracted: Vec<Value> = extracted.lines().map(parse).collect();
    // Rejects are in the order in which they were to be sent.
    let by_place = |line: &Value| line.to_string();
    rejects.sort_by_key(by_place);
    extracted.sort_by_key(by_place);
    assert_eq!(rejects, extracted);
}

#[test]
fn a_record_that_librdkafkas_queue_cannot_hold_is_refused_alone_and_at_once() {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    cluster.create_topic(TOPIC, 1, 1).expect("a topic");
    let line = |value: &str| format!("{}\n", json!({ "topic": TOPIC, "value": value }));
    let lines = line("1") + &line(&"x".repeat(2_000_000)) + &line("3");
    let properties = [
        "-X",
        "queue.buffering.max.kbytes=1000",
        "-X",
        "message.max.bytes=3000000",
    ];
    let run = replay("-", &cluster.bootstrap_servers(), &properties);
    let run = run.stdin(lines).output();
    assert_eq!(run.code, 1, "{run:#?}");
    let ledger = &report(&run)["ledger"];
    assert_eq!(
        (&ledger["delivered"], &ledger["not_written"]),
        (&json!(2), &json!(1))
    );
    let seen = read(&cluster.bootstrap_servers(), TOPIC).expect("the topic is readable");
    let values: Vec<&str> = seen.iter().map(LoggedRecord::text).collect();
    assert_eq!(values, ["1", "3"]);
    let why = &report(&run)["problems"][0];
    assert!(
        why.to_string().contains("queue.buffering.max.kbytes=1000"),
        "{why}"
    );
}

#[test]
fn records_unsent_at_an_interruption_are_rejected_and_can_be_resent() {
    const ALL: u64 = 500;
    let mock = mock();
    let brokers = mock.bootstrap_servers();
    let (_folder, file) = folder();
    let mut run = replay("-", &brokers, &["--rejects", text(&file)])
        .stdin_open()
        .spawn();
    run.write_stdin(numbered_lines(TOPIC, 0..100).as_bytes());
    run.wait_until("its first records are there", |_| {
        count(&brokers, TOPIC) == Ok(100)
    });
    let delay = |delay| mock.broker_round_trip_time(1, delay);
    delay(Duration::from_secs(60)).expect("the mock takes a delay");
    run.write_stdin(numbered_lines(TOPIC, 100..ALL).as_bytes());
    thread::sleep(Duration::from_millis(600));
    run.signal(SIGINT);
    thread::sleep(Duration::from_millis(200));
    run.signal(SIGINT);
    let output = run.wait();
    assert_eq!(output.code, 130, "{output:#?}");
    let report = report(&output);
    let rejects = lines(&file);
    let of = |outcome: &str| {
        let rejects = rejects.iter();
        rejects.filter(|line| line["outcome"] == outcome).count() as u64
    };
    for outcome in ["not_written", "unknown", "unsent"] {
        assert_eq!(of(outcome), entry(&report, outcome), "{report:#}");
    }
    assert!(of("unknown") > 0, "what was in flight may be there");
    let drain = &report["drain"];
    assert_eq!(drain["purged_in_flight"], entry(&report, "unknown"));
    assert_eq!(drain["purged_from_queue"], entry(&report, "not_written"));

    delay(Duration::ZERO).expect("the mock takes a delay");
    let unknown = of("unknown");
    let again = replay(text(&file), &brokers, &[]).output();
    assert_eq!(again.code, 0, "{again:#?}");
    let report = crate::harness::run::report(&again);
    assert_eq!(entry(&report, "filtered"), unknown, "{report:#}");
    let said = "may be in the log already, because an earlier run got no answer for \
                them: left out; `--send-unknown` sends them\n";
    assert!(again.stderr.contains(said), "{}", again.stderr);
    let again = replay(text(&file), &brokers, &["--send-unknown"]).output();
    let report = crate::harness::run::report(&again);
    assert_eq!(entry(&report, "delivered"), rejects.len() as u64);
    let mut there = numbers(&brokers);
    there.sort_unstable();
    there.dedup();
    assert_eq!(there, (0..ALL).collect::<Vec<_>>());
}

#[test]
fn records_of_an_unknown_topic_are_rejected_with_its_id_and_can_be_sent_under_a_name() {
    let mock = mock();
    let brokers = mock.bootstrap_servers();
    let (_folder, file) = folder();
    let capture = fixture("topic-id-unknown.jsonl");
    let run = replay(text(&capture), &brokers, &["--rejects", text(&file)]).output();
    assert_eq!(run.code, 1, "{run:#?}");
    let rejects = lines(&file);
    let unreadable = entry(&report(&run), "unreadable");
    assert!(unreadable > 0);
    assert_eq!(rejects.len() as u64, unreadable);
    for reject in &rejects {
        assert_eq!(reject["outcome"], "unreadable");
        assert_eq!(
            reject["reason"],
            "nothing in the capture names the topic with this id"
        );
    }
    let id = rejects[0]["topic_id"].as_str().expect("the topic's id");
    let given = format!("{id}={TOPIC}");
    let again = replay(text(&file), &brokers, &["--topic-id", &given]).output();
    assert_eq!(again.code, 0, "{again:#?}");
    let expected = format!("{unreadable} = {unreadable} delivered");
    assert_eq!(ledger(&report(&again)), expected);
}

/// The one line of an error with its hint.
fn refused(output: &RunOutput) -> &str {
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (2, ""),
        "{output:#?}"
    );
    &output.stderr
}

#[test]
fn rejects_that_were_not_resent_are_not_overwritten() {
    let (_folder, file) = folder();
    fs::write(&file, "{\"value\":\"kept\"}\n").expect("the folder is writable");
    let name = text(&file);
    let demo = fixture("demo.jsonl");
    let run = kreplay(["replay", text(&demo), "--rehearse", "--rejects", name]);
    let expected = format!(
        "kreplay: the rejects file {name} already holds rejects\n\
         hint: send them with `kreplay replay {name}`, name another file, or remove it\n"
    );
    assert_eq!(refused(&run), expected);
    let run = kreplay(["replay", name, "--rehearse", "--rejects", name]);
    let expected =
        format!("kreplay: `--rejects {name}` is an input of this run and would be overwritten\n");
    assert_eq!(refused(&run), expected);
    let kept = fs::read_to_string(&file).expect("it is still there");
    assert_eq!(kept, "{\"value\":\"kept\"}\n");
}

#[test]
fn a_report_file_overwrites_no_input_and_no_other_file_of_the_run() {
    let (folder, file) = folder();
    let input = folder.path().join("input.jsonl");
    fs::write(&input, "{\"topic\":\"t\",\"value\":\"kept\"}\n").expect("the folder is writable");
    let (input, name) = (text(&input), text(&file));
    let run = kreplay(["replay", input, "--rehearse", "--report-file", input]);
    let expected = format!(
        "kreplay: `--report-file {input}` is an input of this run and would be overwritten\n"
    );
    assert_eq!(refused(&run), expected);
    let kept = fs::read_to_string(input).expect("it is still there");
    assert_eq!(kept, "{\"topic\":\"t\",\"value\":\"kept\"}\n");
    let both = ["--rejects", name, "--report-file", name];
    let run = kreplay([&["replay", input, "--rehearse"], &both[..]].concat());
    let expected = "kreplay: `--rejects` and `--report-file` name the same file\n";
    assert_eq!(refused(&run), expected);
}

#[test]
fn a_rejects_file_that_cannot_be_created_is_an_error_before_anything_runs() {
    let (folder, _) = folder();
    let file = folder.path().join("missing/rejects.jsonl");
    let demo = fixture("demo.jsonl");
    let run = kreplay([
        "replay",
        text(&demo),
        "--rehearse",
        "--rejects",
        text(&file),
    ]);
    let expected = format!(
        "kreplay: cannot write the rejects to {}: no such file or directory\n",
        file.display()
    );
    assert_eq!(refused(&run), expected);
}

#[test]
fn a_full_disk_is_reported_and_the_ledger_stays_true() {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    let demo = fixture("demo.jsonl");
    let args = ["--rejects", "/dev/full"];
    let run = replay(text(&demo), &cluster.bootstrap_servers(), &args).output();
    assert_eq!(run.code, 3, "{run:#?}");
    let said = "kreplay: cannot write all rejects: no space left on device (21 records missing)\n";
    assert!(run.stderr.ends_with(said), "{}", run.stderr);
    let report = report(&run);
    assert_eq!(ledger(&report), "21 = 21 unsent");
    assert_eq!(report["rejects"]["records"], 0);
}

#[test]
fn a_run_that_delivers_everything_leaves_an_empty_rejects_file_and_does_not_mention_it() {
    let (_folder, file) = folder();
    let demo = fixture("demo.jsonl");
    let run = kreplay([
        "replay",
        text(&demo),
        "--rehearse",
        "--rejects",
        text(&file),
    ]);
    assert_eq!(run.code, 0, "{run:#?}");
    assert!(!run.stdout.contains("rejects"), "{}", run.stdout);
    assert_eq!(fs::read(&file).expect("it is there"), b"");
}
