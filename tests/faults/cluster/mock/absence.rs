//! A topic that the cluster's metadata lacks for a while, as those of a broker that has just started may, or
//! for good. A mock cluster gives that answer at a given moment.

use std::fs;
use std::thread;
use std::time::Duration;

use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::{PARTITIONS, RECORDS, TOPIC, mock};
use crate::cluster::broker::{read_log, wait_for};
use crate::harness::MockKafka;
use crate::harness::report::ledger::ledger;
use crate::harness::run::Running;
use crate::harness::verdict::{Evidence, verdict};
use crate::process::artifacts::RunArtifacts;
use crate::process::source::{Feeder, Numbered};
use crate::{FaultTrial, Takes, replay, report_of};

pub(crate) const CASES: &[FaultTrial] = &[
    (
        "records_that_librdkafka_gives_back_for_a_missing_topic_are_sent_when_it_is_there_again",
        Takes::Nothing,
        given_back,
    ),
    (
        "a_topic_that_is_missing_late_in_a_run_loses_nothing_that_a_broker_may_have_taken",
        Takes::Patience,
        late,
    ),
    (
        "a_topic_that_stays_missing_is_given_up_after_the_time_that_records_may_wait",
        Takes::Nothing,
        for_good,
    ),
];

/// Records that are there before the topic is missing.
const BEGIN: u64 = 300;

/// What kreplay says when it finds the topic missing.
const MISSING: &str = "kreplay: topic `orders` is missing from the cluster's metadata";

/// What metadata say of the topic from now on.
fn answer(mock: &MockKafka, code: RDKafkaRespErr) {
    mock.topic_error(TOPIC, code).expect("the topic's name");
}

/// A replay of which the first records have arrived; the mock looks at no sequence numbers, so one request
/// at a time is in flight.
fn begun(mock: &MockKafka, artifacts: &RunArtifacts, properties: &[&str]) -> (Running, Feeder) {
    let brokers = mock.bootstrap_servers();
    let records = Numbered::of_noise(TOPIC, PARTITIONS);
    let file = artifacts.rejects_path();
    let args = ["replay", "-", "--rejects", &file, "-X", "max.in.flight=1"];
    let properties = properties.iter().flat_map(|property| ["-X", property]);
    let args: Vec<&str> = args.into_iter().chain(properties).collect();
    let mut run = replay(&brokers, &args).stdin_open().spawn();
    let feeder = Feeder::new(&mut run, &records, RECORDS);
    feeder.allow(BEGIN);
    wait_for(&mut run, &brokers, TOPIC, BEGIN);
    (run, feeder)
}

/// Lets the topic be missing and no Produce request be taken, the first one for this reason.
fn lose(mock: &MockKafka, first: RDKafkaRespErr) {
    answer(
        mock,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
    );
    let mut errors = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION; 20_000];
    errors[0] = first;
    mock.request_errors(RDKafkaApiKey::Produce, &errors);
}

/// Lets the topic be there again when it is missed.
fn find(mock: &MockKafka, run: &mut Running) {
    run.wait_until("the topic is missed", |run| {
        run.stderr_so_far().contains(MISSING)
    });
    answer(mock, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR);
    mock.clear_request_errors(RDKafkaApiKey::Produce);
}

/// Judges a run that has delivered everything.
fn judge_whole(mock: &MockKafka, artifacts: &RunArtifacts, run: Running) {
    let output = run.wait();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "1000 = 1000 delivered");
    let log = read_log(&mock.bootstrap_servers(), TOPIC);
    let rejects = artifacts.rejects();
    verdict(&Evidence::new(0..RECORDS, &report, &log).rejects(&rejects));
}

fn given_back() {
    let (mock, artifacts) = (mock(), RunArtifacts::new());
    // librdkafka believes the first answer.
    let at_once = ["topic.metadata.propagation.max.ms=0"];
    let (mut run, feeder) = begun(&mock, &artifacts, &at_once);
    lose(
        &mock,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
    );
    feeder.allow(RECORDS);
    find(&mock, &mut run);
    judge_whole(&mock, &artifacts, run);
}

/// By its default librdkafka believes such an answer when it has known the topic for 30 s, and gives up
/// what was in flight when the connection was lost.
fn late() {
    let (mock, artifacts) = (mock(), RunArtifacts::new());
    let (mut run, feeder) = begun(&mock, &artifacts, &[]);
    thread::sleep(Duration::from_secs(31));
    lose(&mock, RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT);
    feeder.allow(RECORDS);
    find(&mock, &mut run);
    judge_whole(&mock, &artifacts, run);
}

fn for_good() {
    const WAIT: &str = "even after `message.timeout.ms` (2000 ms)";
    let (mock, artifacts) = (mock(), RunArtifacts::new());
    let properties = [
        "topic.metadata.propagation.max.ms=0",
        "message.timeout.ms=2000",
    ];
    let (mut run, feeder) = begun(&mock, &artifacts, &properties);
    lose(
        &mock,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
    );
    feeder.allow(RECORDS - 1);
    let said = format!("{MISSING}, {WAIT}: its records are not sent\n");
    run.wait_until("the topic is given up", |run| {
        run.stderr_so_far().contains(&said)
    });
    // What comes now is not waited for.
    feeder.allow(RECORDS);
    let output = run.wait();
    let report = report_of(&output, 1);
    assert_eq!(ledger(&report), "1000 = 300 delivered + 700 not_written");
    assert_eq!(output.stderr.matches(&said).count(), 1, "{}", output.stderr);
    let rejects = fs::read_to_string(artifacts.rejects_path()).expect("the rejects are readable");
    let known = format!("the cluster's metadata does not contain the topic, {WAIT}");
    let last = rejects.lines().last().unwrap_or_default();
    assert!(last.contains(&known), "{last}");
    answer(&mock, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR);
    let log = read_log(&mock.bootstrap_servers(), TOPIC);
    let rejects = artifacts.rejects();
    verdict(&Evidence::new(0..RECORDS, &report, &log).rejects(&rejects));
}
