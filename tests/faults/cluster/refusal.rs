//! A destination that disappears in the middle: the topic is deleted, or the right to write is withdrawn.

use std::fs;

use crate::cluster::broker::{numbered, read_log, start, wait_for};
use crate::harness::capture::seed::SeededRandom;
use crate::harness::faults::acl::{AclChange, allow_writing, change};
use crate::harness::faults::proxy::{NetworkFault, Proxy};
use crate::harness::kafka::{Kafka, KafkaOptions};
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::topics::{create, delete, unique};
use crate::harness::verdict::readback::read;
use crate::harness::verdict::{Evidence, completed, verdict};
use crate::process::artifacts::RunArtifacts;
use crate::process::source::Feeder;
use crate::{FaultTrial, Takes, replay, report_of};

pub(crate) const CASES: &[FaultTrial] = &[
    (
        "a_topic_that_is_deleted_in_the_middle_leaves_the_rest_named",
        Takes::Patience,
        || topic_deleted(&[]),
    ),
    (
        "a_deleted_topic_whose_records_librdkafka_gives_back_leaves_the_rest_named",
        Takes::Patience,
        || topic_deleted(&["-X", "topic.metadata.propagation.max.ms=3000"]),
    ),
    (
        "a_right_to_write_that_is_withdrawn_in_the_middle_leaves_the_rest_named",
        Takes::Seconds,
        right_withdrawn,
    ),
    (
        "good_records_behind_three_hundred_refused_ones_are_delivered_by_an_older_broker",
        Takes::Patience,
        many_in_a_row,
    ),
    (
        "a_batch_that_an_older_broker_refuses_and_that_is_left_says_what_is_known",
        Takes::Patience,
        left_by_an_older_broker,
    ),
];

const RECORDS: u64 = 50_000;

/// The number of records in the log before the destination disappears; more are in flight then.
const BEFORE: u64 = 10_000;

/// kreplay waits for the topic as long as for any record, here for 10 s, and then for none of the rest.
fn topic_deleted(more: &[&str]) {
    let kafka = start();
    let records = numbered(&kafka, "deleted", 8);
    let (brokers, topic) = (kafka.brokers(), &records.topic);
    let artifacts = RunArtifacts::new();
    let file = artifacts.rejects_path();
    let args = ["replay", "-", "--rejects", &file];
    let args = [&args[..], &["-X", "message.timeout.ms=10000"], more].concat();
    let mut run = replay(&brokers, &args).stdin_open().spawn();
    let feeder = Feeder::paced(&mut run, &records, RECORDS, Some(20_000));
    feeder.allow(RECORDS);
    wait_for(&mut run, &brokers, topic, BEFORE);
    delete(&brokers, topic).expect("the topic is deleted");
    let output = run.wait();
    let report = report_of(&output, 1);
    // The delivered records can no longer be read: they are those that were found and not rejected.
    ledger(&report);
    let delivered = entry(&report, "delivered");
    assert!((BEFORE..RECORDS).contains(&delivered), "{report:#}");
    let said = format!(
        "kreplay: topic `{topic}` is missing from the cluster's metadata, even after `message.timeout.ms` \
         (10000 ms): its records are not sent\n"
    );
    assert!(output.stderr.contains(&said), "{}", output.stderr);
    let rejects = artifacts.rejects();
    assert_eq!(
        delivered + rejects.len(),
        entry(&report, "found"),
        "{report:#}"
    );
    create(&brokers, topic, 8, &[]).expect("the topic is there again");
    artifacts.send_again(&brokers, &[]);
    let log = read_log(&brokers, topic);
    assert_eq!(log.ids(), rejects.ids());
}

/// The listener whose users need rights.
pub(crate) const SECURED: &str = "SECURED";

/// A broker with a listener where `replay` logs in, advertised with these ports; on the others everything
/// is allowed.
pub(crate) fn with_acls(advertised: &[(&str, u16)]) -> Kafka {
    let login =
        "org.apache.kafka.common.security.plain.PlainLoginModule required user_replay=\"secret\";";
    let properties = [
        ("sasl.enabled.mechanisms", "PLAIN"),
        ("listener.name.secured.plain.sasl.jaas.config", login),
        (
            "authorizer.class.name",
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        ),
        ("allow.everyone.if.no.acl.found", "true"),
        ("super.users", "User:ANONYMOUS"),
    ];
    let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let options = KafkaOptions {
        properties: properties.to_vec(),
        listeners: vec![(SECURED.to_owned(), "SASL_PLAINTEXT".to_owned())],
        advertised: advertised
            .iter()
            .map(|(name, port)| ((*name).to_owned(), *port))
            .collect(),
        ..KafkaOptions::default()
    };
    Kafka::start_with(&options).expect("Kafka starts")
}

/// The properties by which `replay` logs in.
pub(crate) const LOGIN: [&str; 8] = [
    "-X",
    "security.protocol=SASL_PLAINTEXT",
    "-X",
    "sasl.mechanism=PLAIN",
    "-X",
    "sasl.username=replay",
    "-X",
    "sasl.password=secret",
];

fn right_withdrawn() {
    let kafka = with_acls(&[]);
    let records = numbered(&kafka, "withdrawn", 8);
    let (brokers, topic) = (kafka.brokers(), &records.topic);
    let secured = kafka.brokers_at(SECURED).expect("the listener is there");
    let artifacts = RunArtifacts::new();
    let file = artifacts.rejects_path();
    let args = [&["replay", "-", "--rejects", &file], &LOGIN[..]].concat();
    let mut run = replay(&secured, &args).stdin_open().spawn();
    let feeder = Feeder::paced(&mut run, &records, RECORDS, Some(20_000));
    feeder.allow(RECORDS);
    wait_for(&mut run, &brokers, topic, BEFORE);
    change(&brokers, AclChange::Add, "User:replay", topic);
    let output = run.wait();
    let report = report_of(&output, 3);
    let said = format!(
        "kreplay: the user may not write to {secured}: the right `Write` on topic `{topic}` is missing\n"
    );
    assert!(output.stderr.contains(&said), "{}", output.stderr);
    assert!(entry(&report, "not_written") > 0, "{report:#}");
    // The run ends there: what it has not read yet is not its own.
    let read = 0..entry(&report, "found");
    let (log, rejects) = (read_log(&brokers, topic), artifacts.rejects());
    verdict(&Evidence::new(read.clone(), &report, &log).rejects(&rejects));
    change(&brokers, AclChange::Remove, "User:replay", topic);
    artifacts.send_again(&secured, &LOGIN);
    completed(&read, &log, &rejects, &read_log(&brokers, topic));
}

/// A broker behind a proxy that marks no record of a batch, and a compacted topic whose settings `replay`
/// may not read.
fn older_broker() -> (Kafka, Proxy, String) {
    let fault = NetworkFault {
        newest_produce: Some(7),
        ..NetworkFault::default()
    };
    let proxy = Proxy::bind(fault, SeededRandom::from_env()).expect("a free port");
    let kafka = with_acls(&[(SECURED, proxy.port())]);
    proxy.forward_to(&kafka.brokers_at(SECURED).expect("the listener is there"));
    let topic = unique("in-a-row");
    let compacted = [("cleanup.policy", "compact")];
    create(&kafka.brokers(), &topic, 1, &compacted).expect("a topic");
    allow_writing(&kafka.brokers(), "User:replay", &topic);
    (kafka, proxy, topic)
}

/// Record 43 of 100 has no key; all of them are in one batch, and nobody marks it.
fn left_by_an_older_broker() {
    let (_kafka, proxy, topic) = older_broker();
    let line = |n: u64| {
        let key = if n == 43 {
            "null".into()
        } else {
            format!("\"{n}\"")
        };
        format!("{{\"topic\":\"{topic}\",\"partition\":0,\"key\":{key},\"value\":\"{n}\"}}\n")
    };
    let lines: String = (0..100).map(line).collect();
    let leave = [
        "replay",
        "-",
        "--on-refused",
        "leave",
        "-X",
        "linger.ms=500",
    ];
    let output = replay(&proxy.address(), &[&leave[..], &LOGIN[..]].concat())
        .stdin(lines)
        .output();
    let report = report_of(&output, 1);
    assert_eq!(ledger(&report), "100 = 100 not_written");
    let why = report["problems"][0]["first"]["why"].as_str();
    let known = "it was in a batch of 100 records that the broker refused as invalid for at least one of \
                 them; 1 of them has no key, which a compacted topic requires: stdin:44";
    assert!(why.is_some_and(|why| why.contains(known)), "{report:#}");
}

/// Produce version 7 answers for a batch as a whole (KIP-467 came with version 8), and `replay` may not
/// read the topic's settings: kreplay has to find the 300 by trying.
fn many_in_a_row() {
    let (kafka, proxy, topic) = older_broker();
    let line = |n: u64| {
        let key = if n < 300 {
            "null".into()
        } else {
            format!("\"{n}\"")
        };
        format!("{{\"topic\":\"{topic}\",\"partition\":0,\"key\":{key},\"value\":\"{n}\"}}\n")
    };
    let lines: String = (0..600).map(line).collect();
    let artifacts = RunArtifacts::new();
    let file = artifacts.rejects_path();
    // All of them are in one batch.
    let args = ["replay", "-", "--rejects", &file, "-X", "linger.ms=500"];
    let output = replay(&proxy.address(), &[&args[..], &LOGIN[..]].concat())
        .stdin(lines)
        .output();
    let report = report_of(&output, 1);
    assert_eq!(ledger(&report), "600 = 300 delivered + 300 not_written");
    let there = read(&kafka.brokers(), &topic).expect("the topic is readable");
    let mut there: Vec<u64> = there
        .iter()
        .map(|seen| seen.text().parse().expect("a number"))
        .collect();
    there.sort_unstable();
    assert_eq!(there, (300..600).collect::<Vec<_>>());
    let rejects = fs::read_to_string(&file).expect("the rejects are readable");
    assert_eq!(rejects.lines().count(), 300);
    let is_named = |line: &str| line.contains("the broker refuses the record as invalid");
    assert!(rejects.lines().all(is_named), "{rejects}");
}
