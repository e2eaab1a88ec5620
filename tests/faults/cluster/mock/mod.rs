//! Errors that a real broker cannot be made to return at a given moment: a mock cluster returns them.
//!
//! The mock does not check sequence numbers, so one request at a time is in flight here: with several, it
//! would accept what a real broker refuses because the one before it failed.

pub(crate) mod absence;

use std::time::{Duration, Instant};

use nix::sys::signal::Signal::{self, SIGINT};
use rdkafka::mocking::MockCluster;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use serde_json::Value;

use crate::cluster::broker::{read_log, wait_for};
use crate::harness::MockKafka;
use crate::harness::capture::seed::SeededRandom;
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::run::{RunOutput, Running, report as report_in};
use crate::harness::verdict::{Evidence, completed, verdict};
use crate::process::artifacts::RunArtifacts;
use crate::process::source::{Feeder, Numbered};
use crate::{FaultTrial, Takes, replay, report_of};

pub(crate) const CASES: &[FaultTrial] = &[
    (
        "errors_that_pass_are_waited_for_and_order_is_kept",
        Takes::Nothing,
        passing,
    ),
    (
        "errors_that_stay_are_named_with_every_record",
        Takes::Nothing,
        staying,
    ),
    (
        "a_cluster_that_is_gone_is_named_and_given_up",
        Takes::Nothing,
        gone,
    ),
    (
        "halves_of_a_refused_batch_are_resent_in_order",
        Takes::Nothing,
        halves,
    ),
    (
        "an_interruption_ends_the_search_for_a_refused_record",
        Takes::Patience,
        || search_interrupted(&[SIGINT]),
    ),
    (
        "a_second_interruption_leaves_the_search_for_a_refused_record_at_once",
        Takes::Patience,
        || search_interrupted(&[SIGINT, SIGINT]),
    ),
    (
        "a_search_for_a_refused_record_is_given_up_where_nothing_is_answered",
        Takes::Patience,
        search_given_up,
    ),
    (
        "a_fatal_error_of_the_producer_ends_the_run_and_the_rest_is_named",
        Takes::Nothing,
        fatal,
    ),
];

const TOPIC: &str = "orders";
const PARTITIONS: u16 = 2;
const RECORDS: u64 = 1000;

fn mock() -> MockKafka {
    let mock = MockCluster::new(1).expect("a mock cluster");
    let created = mock.create_topic(TOPIC, PARTITIONS.into(), 1);
    created.expect("a topic");
    mock
}

/// Replays all records; after the first `begin` have arrived, Produce requests get these answers.
fn replay_into(
    mock: &MockKafka,
    artifacts: &RunArtifacts,
    begin: u64,
    errors: &[RDKafkaRespErr],
) -> RunOutput {
    let brokers = mock.bootstrap_servers();
    let records = Numbered::of_noise(TOPIC, PARTITIONS);
    let one_in_flight = ["-X", "max.in.flight.requests.per.connection=1"];
    let file = artifacts.rejects_path();
    let args = [&["replay", "-", "--rejects", &file], &one_in_flight[..]].concat();
    let mut run = replay(&brokers, &args).stdin_open().spawn();
    let feeder = Feeder::new(&mut run, &records, RECORDS);
    feeder.allow(begin);
    wait_for(&mut run, &brokers, TOPIC, begin);
    mock.request_errors(RDKafkaApiKey::Produce, errors);
    feeder.allow(RECORDS);
    run.wait()
}

/// Judges a run into the mock, and sends its rejects again without the errors.
fn judge(mock: &MockKafka, artifacts: &RunArtifacts, report: &Value) {
    let brokers = mock.bootstrap_servers();
    let (log, rejects) = (read_log(&brokers, TOPIC), artifacts.rejects());
    verdict(&Evidence::new(0..RECORDS, report, &log).rejects(&rejects));
    mock.clear_request_errors(RDKafkaApiKey::Produce);
    artifacts.send_again(&brokers, &[]);
    completed(&(0..RECORDS), &log, &rejects, &read_log(&brokers, TOPIC));
}

fn passing() {
    use RDKafkaRespErr as Code;
    let cases: [&[RDKafkaRespErr]; 6] = [
        &[Code::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION; 3],
        &[Code::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS],
        &[Code::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND],
        &[Code::RD_KAFKA_RESP_ERR__TRANSPORT],
        &[Code::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT],
        &[
            Code::RD_KAFKA_RESP_ERR__TRANSPORT,
            Code::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            Code::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        ],
    ];
    for errors in cases {
        let (mock, artifacts) = (mock(), RunArtifacts::new());
        let output = replay_into(&mock, &artifacts, 300, errors);
        let report = report_of(&output, 0);
        assert_eq!(ledger(&report), "1000 = 1000 delivered", "{errors:?}");
        judge(&mock, &artifacts, &report);
    }
}

fn staying() {
    use RDKafkaRespErr as Code;
    let cases = [(
        vec![Code::RD_KAFKA_RESP_ERR_POLICY_VIOLATION; 1000],
        "Policy violation",
    )];
    for (errors, words) in cases {
        let (mock, artifacts) = (mock(), RunArtifacts::new());
        let output = replay_into(&mock, &artifacts, 300, &errors);
        let report = report_of(&output, 1);
        assert_eq!(ledger(&report), "1000 = 300 delivered + 700 not_written");
        let problem = &report["problems"][0];
        assert_eq!(problem["what"], "not_written", "{report:#}");
        let why = problem["first"]["why"].as_str().unwrap_or_default();
        assert!(why.contains(words), "{why}");
        judge(&mock, &artifacts, &report);
    }
}

fn fatal() {
    // The broker refuses what the producer sent first as out of sequence: the producer no longer knows what
    // the log holds (librdkafka, rd_kafka_handle_idempotent_Produce_error).
    let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    let mut random = SeededRandom::from_env();
    let begin = random.number(1..RECORDS);
    let (mock, artifacts) = (mock(), RunArtifacts::new());
    let output = replay_into(&mock, &artifacts, begin, &[error]);
    let report = report_of(&output, 1);
    let delivered = entry(&report, "delivered");
    assert!((begin..RECORDS).contains(&delivered), "{report:#}");
    judge(&mock, &artifacts, &report);
}

/// The only broker goes away for good in the middle; the report names what librdkafka holds by then.
fn gone() {
    const BEGIN: u64 = 300;
    let (mock, artifacts) = (mock(), RunArtifacts::new());
    let brokers = mock.bootstrap_servers();
    let records = Numbered::of_noise(TOPIC, PARTITIONS);
    let file = artifacts.rejects_path();
    let args = ["replay", "-", "--rejects", &file, "--give-up-after", "7s"];
    let mut run = replay(&brokers, &args).stdin_open().spawn();
    let feeder = Feeder::new(&mut run, &records, RECORDS);
    feeder.allow(BEGIN);
    wait_for(&mut run, &brokers, TOPIC, BEGIN);
    mock.broker_down(1).expect("the broker goes");
    feeder.allow(RECORDS);
    let output = run.wait();
    let report = report_of(&output, 3);
    assert_eq!(entry(&report, "delivered"), BEGIN);
    let lost = ["not_written", "unknown", "unsent"].map(|name| entry(&report, name));
    assert_eq!(lost.iter().sum::<u64>(), RECORDS - BEGIN, "{report:#}");
    let said = |line: &str| {
        output
            .stderr
            .lines()
            .filter(|l| l.starts_with(line))
            .count()
    };
    // The bootstrap connection and the advertised one are refused in turn.
    let silence = "kreplay: no record was acknowledged for 5s: ";
    assert_eq!(said(silence), 1, "{}", output.stderr);
    assert!(output.stderr.contains("connection refused"));
    let end = "kreplay: gave up: no record was acknowledged for 7s: ";
    assert_eq!(said(end), 1, "{}", output.stderr);
    mock.broker_up(1).expect("the broker comes back");
    let (log, rejects) = (read_log(&brokers, TOPIC), artifacts.rejects());
    verdict(&Evidence::new(0..RECORDS, &report, &log).rejects(&rejects));
}

/// What all records of a batch get if a broker refuses one and marks none.
const REFUSED: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_RECORD;

/// All records come in one batch for each partition; both are refused, and so are the first parts that are
/// sent again.
fn halves() {
    let (mock, artifacts) = (mock(), RunArtifacts::new());
    let records = Numbered::of_noise(TOPIC, PARTITIONS);
    mock.request_errors(RDKafkaApiKey::Produce, &[REFUSED; 6]);
    let file = artifacts.rejects_path();
    let properties = ["-X", "max.in.flight=1", "-X", "linger.ms=1000"];
    let args = [&["replay", "-", "--rejects", &file], &properties[..]].concat();
    let run = replay(&mock.bootstrap_servers(), &args);
    let output = run.stdin(records.lines(0..RECORDS)).output();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "1000 = 1000 delivered");
    judge(&mock, &artifacts, &report);
}

/// A replay that searches for a record that a broker has refused, and gets no more answers.
fn searching(mock: &MockKafka, artifacts: &RunArtifacts, more: &[&str]) -> Running {
    const BEGIN: u64 = 300;
    let brokers = mock.bootstrap_servers();
    let records = Numbered::of_noise(TOPIC, PARTITIONS);
    let file = artifacts.rejects_path();
    let args = ["replay", "-", "--rejects", &file, "-X", "max.in.flight=1"];
    let args = [&args[..], more].concat();
    let mut run = replay(&brokers, &args).stdin_open().spawn();
    let feeder = Feeder::new(&mut run, &records, RECORDS);
    feeder.allow(BEGIN);
    wait_for(&mut run, &brokers, TOPIC, BEGIN);
    // librdkafka tries again for as long as it may after each of the others.
    let mut errors = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION; 20_000];
    errors[0] = REFUSED;
    mock.request_errors(RDKafkaApiKey::Produce, &errors);
    feeder.allow(RECORDS);
    // kreplay watches the silence as well.
    run.wait_until("the cluster is silent", |run| {
        run.stderr_so_far()
            .contains("kreplay: no record was acknowledged for 5s: ")
    });
    run
}

/// Judges a run that was ended while it searched.
fn judge_search(mock: &MockKafka, artifacts: &RunArtifacts, report: &Value) {
    let lost = ["not_written", "unknown", "unsent"].map(|name| entry(report, name));
    assert_eq!(
        entry(report, "found"),
        entry(report, "delivered") + lost.iter().sum::<u64>()
    );
    let rejects = std::fs::read_to_string(artifacts.rejects_path());
    let rejects = rejects.expect("the rejects are readable");
    let why = "the broker refused its batch, and the run ended before the cause was found";
    assert!(rejects.contains(why), "{rejects}");
    mock.clear_request_errors(RDKafkaApiKey::Produce);
    let (log, rejects) = (
        read_log(&mock.bootstrap_servers(), TOPIC),
        artifacts.rejects(),
    );
    verdict(&Evidence::new(0..RECORDS, report, &log).rejects(&rejects));
}

fn search_interrupted(signals: &[Signal]) {
    let (mock, artifacts) = (mock(), RunArtifacts::new());
    let run = searching(&mock, &artifacts, &[]);
    let sent = Instant::now();
    signals.iter().for_each(|signal| {
        run.signal(*signal);
        std::thread::sleep(Duration::from_millis(100));
    });
    let output = run.wait();
    // docs/guarantees.md: 10 s for deliveries and 3 s for what is in flight, or at once.
    let limit = if signals.len() == 1 { 13 } else { 1 };
    // Leaves room for a busy machine.
    assert!(sent.elapsed().as_secs() < limit + 8, "{output:#?}");
    assert_eq!(output.code, 130, "{output:#?}");
    judge_search(&mock, &artifacts, &report_in(&output));
}

fn search_given_up() {
    let (mock, artifacts) = (mock(), RunArtifacts::new());
    let run = searching(&mock, &artifacts, &["--give-up-after", "7s"]);
    let output = run.wait();
    let report = report_of(&output, 3);
    let end = "kreplay: gave up: no record was acknowledged for 7s: ";
    assert!(output.stderr.contains(end), "{}", output.stderr);
    judge_search(&mock, &artifacts, &report);
}
