//! Comparisons of the output that are cut short, by a topic that goes or by a signal: the run ends at once, and the
//! report says what is known, and why not more.

use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{ORDERS, ServiceRun, check};
use crate::harness::kafka::Kafka;
use crate::harness::run::{RunOutput, Running};
use crate::harness::topics::{delete, unique};
use crate::harness::verdict::readback::{count, ends};
use crate::{KafkaTrial, replay, report_of};

pub(crate) const CASES: &[KafkaTrial] = &[
    (
        "an_output_that_is_deleted_while_it_is_waited_for_ends_the_run",
        deleted,
    ),
    (
        "an_output_that_is_deleted_while_records_are_sent_ends_the_run",
        deleted_early,
    ),
    (
        "the_wait_for_a_group_before_a_comparison_can_be_interrupted",
        group,
    ),
    (
        "the_reading_of_an_expectation_can_be_interrupted",
        expectation,
    ),
    (
        "a_path_to_ignore_that_takes_for_ever_can_be_interrupted",
        endless_path,
    ),
    (
        "a_speedctl_that_gives_an_expectation_ends_with_an_interrupted_run",
        speedctl,
    ),
    (
        "a_wait_for_the_output_that_is_cut_short_is_incomplete",
        cut_short,
    ),
];

/// How long a run may go on after what ends it. A busy machine needs a part of it; what each run here was told to
/// wait for takes much longer.
const AT_ONCE: Duration = Duration::from_secs(30);

/// A run that waits for its output for ten minutes.
const PATIENT: [&str; 4] = ["--expect-quiet", "10m", "--expect-timeout", "20m"];

fn spawn(run: &ServiceRun, kafka: &Kafka, flags: &[&str]) -> Running {
    let capture = run.file("capture.jsonl").display().to_string();
    run.prepared(kafka, &capture, flags).spawn()
}

/// The report of a run with this code, in which nothing is known of the output as a whole.
fn incomplete(output: &RunOutput, code: i32, why: &str) -> Value {
    let report = report_of(output, code);
    assert_eq!(report["interrupted"], code >= 128, "{report:#}");
    let expected = &report["expected"];
    assert_eq!(expected["verdict"], "incomplete", "{report:#}");
    let said = expected["incomplete"].as_str().expect("a reason");
    assert!(said.contains(why), "{report:#}");
    report
}

fn number(report: &Value, outcome: &str) -> u64 {
    report["ledger"][outcome].as_u64().expect(outcome)
}

fn deleted(kafka: &Kafka) {
    let run = ServiceRun::new(kafka);
    let mut running = spawn(&run, kafka, &[&["--expect"], &PATIENT[..]].concat());
    running.wait_until("it waits for the output", |running| {
        running
            .stderr_so_far()
            .contains("every record is delivered")
    });
    delete(&kafka.brokers(), &run.invoices).expect("the broker deletes it");
    let output = running.wait_within(AT_ONCE);
    let why = format!("could not read topic `{}`: ", run.invoices);
    let report = incomplete(&output, 3, &why);
    assert_eq!(number(&report, "delivered"), ORDERS, "{report:#}");
    assert!(
        output.stderr.contains(&format!("kreplay: {why}")),
        "{output:#?}"
    );
}

fn deleted_early(kafka: &Kafka) {
    let run = ServiceRun::new(kafka);
    // All of it takes fifty minutes.
    let slowly = ["--expect", "--rate", "0.01"];
    let mut running = spawn(&run, kafka, &[&slowly[..], &PATIENT].concat());
    let orders = || count(&kafka.brokers(), &run.orders);
    running.wait_until("the first record is there", |_| orders() == Ok(1));
    delete(&kafka.brokers(), &run.invoices).expect("the broker deletes it");
    let output = running.wait_within(AT_ONCE);
    let why = format!("could not read topic `{}`: ", run.invoices);
    let report = incomplete(&output, 3, &why);
    assert_eq!(number(&report, "delivered"), 1, "{report:#}");
    assert_eq!(number(&report, "unsent"), ORDERS - 1, "{report:#}");
    assert!(
        !output.stderr.contains("every record is delivered"),
        "{output:#?}"
    );
}

fn group(kafka: &Kafka) {
    let run = ServiceRun::new(kafka);
    let group = unique("billing");
    let service = run.service_in(kafka, &group, &["--fault", "never-commits"]);
    let flags = ["--expect", "--wait-group", &group, "--drain-timeout", "1h"];
    let mut running = spawn(&run, kafka, &flags);
    running.wait_until("it waits for the group", |running| {
        running.stderr_so_far().contains("waiting for the group")
    });
    running.signal(Signal::SIGINT);
    let output = running.wait_within(AT_ONCE);
    let report = incomplete(&output, 130, "the run did not complete");
    assert_eq!(number(&report, "delivered"), ORDERS, "{report:#}");
    // kreplay may not have looked at it since the last delivery.
    let verdict = report["groups"][0]["verdict"].as_str();
    let is_not_drained = matches!(verdict, Some("no_offset" | "no_such_group" | "unseen"));
    assert!(is_not_drained, "{report:#}");
    service.stop();
}

/// Checks that a run ended before anything was sent, and before anything of its source was read.
fn assert_untouched(kafka: &Kafka, run: &ServiceRun, output: &RunOutput, code: i32) {
    let report = incomplete(output, code, "the run did not complete");
    assert_eq!(number(&report, "found"), 0, "{report:#}");
    let sent = ends(&kafka.brokers(), &run.orders).expect("the broker answers");
    assert_eq!(sent, [(0, 0)]);
}

fn expectation(kafka: &Kafka) {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let run = ServiceRun::new(kafka);
        let line = fs::read_to_string(run.lines_of_invoices(1)).expect("it is there");
        let capture = run.file("capture.jsonl").display().to_string();
        let flags = ["--expect-from", "-"];
        let prepared = run.prepared(kafka, &capture, &flags).stdin_open();
        let mut running = prepared.spawn();
        // Much more than a pipe holds: it is written once most of it is read.
        running.write_stdin(line.repeat(20_000).as_bytes());
        running.signal(signal);
        let output = running.wait_within(AT_ONCE);
        assert_untouched(kafka, &run, &output, code);
    }
}

/// A path that looks at each node below each node below each node, of a value with many.
fn endless_path(kafka: &Kafka) {
    let run = ServiceRun::new(kafka);
    let deep = format!("{}1{}", r#"{"a":["#.repeat(60), "]}".repeat(60));
    let value = format!("[{}]", vec![deep; 20].join(","));
    let line = json!({ "topic": "invoices", "key": "c-1", "value": value });
    let lines = run.write("deep", &[line]).display().to_string();
    let path = "$..[?@..[?@..[?@..[?@..[?@..b]]]]]";
    let flags = ["--expect-from", &lines, "--ignore", path];
    let mut running = spawn(&run, kafka, &flags);
    running.wait_until("the path is at work", |running| {
        cpu_ticks(running.pid()) > 100
    });
    running.signal(Signal::SIGINT);
    let output = running.wait_within(AT_ONCE);
    assert_untouched(kafka, &run, &output, 130);
}

/// The processor time of a process, in hundredths of a second: 0 once it has ended.
fn cpu_ticks(pid: i32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before the other fields may hold blanks (proc(5)).
    let (_, fields) = stat.rsplit_once(") ").unwrap_or_default();
    let user = fields.split(' ').nth(11);
    user.and_then(|ticks| ticks.parse().ok()).unwrap_or(0)
}

fn speedctl(kafka: &Kafka) {
    let run = ServiceRun::new(kafka);
    let capture = run.file("capture.jsonl");
    let data = capture.parent().expect("a folder").join("snapshots");
    fs::create_dir_all(&data).expect("the temporary folder is writable");
    fs::copy(&capture, data.join("mine.jsonl")).expect("the temporary folder is writable");
    let pids = run.file("pids");
    let faults = format!("silent,pid-file={}", pids.display());
    let flags = ["--expect-from", "snapshot:mine", "--speedctl-timeout", "1h"];
    let prepared = run.prepared(kafka, &capture.display().to_string(), &flags);
    let prepared = prepared.env("STANDIN_DATA", data);
    let mut running = prepared.env("STANDIN_FAULT", faults).spawn();
    let pids = || fs::read_to_string(&pids).unwrap_or_default();
    running.wait_until("speedctl has begun", |_| pids().ends_with('\n'));
    running.signal(Signal::SIGINT);
    let output = running.wait_within(AT_ONCE);
    assert_untouched(kafka, &run, &output, 130);
    for pid in pids().lines() {
        let is_there = fs::exists(format!("/proc/{pid}"));
        assert!(!is_there.expect("proc(5)"), "speedctl {pid} runs on");
    }
}

fn cut_short(kafka: &Kafka) {
    // Nobody answers, and nobody waits as long as it takes to be sure.
    let run = ServiceRun::new(kafka);
    let limits = [
        "--expect",
        "--expect-quiet",
        "10m",
        "--expect-timeout",
        "1s",
    ];
    let output = run.replay(kafka, &limits);
    let expected = check(&output, 1, "incomplete", &[("missing", ORDERS)]);
    let said = "1s after the last record was sent, the output had not yet been quiet for 10m";
    assert_eq!(expected["incomplete"], said);
    let run = ServiceRun::new(kafka);
    let capture = run.file("capture.jsonl").display().to_string();
    let maps = [("orders", &run.orders), ("invoices", &run.invoices)];
    let maps = maps.map(|(from, to)| format!("--map={from}={to}"));
    let words = ["replay", &capture, &maps[0], &maps[1], "-F", "none"];
    let words = [&words[..], &["--expect", "--expect-quiet", "10m"]].concat();
    let mut running = replay(kafka, &words).spawn();
    running.wait_until("it waits for the output", |running| {
        running
            .stderr_so_far()
            .contains("every record is delivered")
    });
    running.signal(nix::sys::signal::Signal::SIGINT);
    let output = running.wait();
    let expected = check(&output, 130, "incomplete", &[("missing", ORDERS)]);
    assert_eq!(expected["incomplete"], "the run did not complete");
}
