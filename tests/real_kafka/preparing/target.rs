//! The destination: kreplay refuses the captured cluster, and reports what it found before the first record.

use std::fs;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::harness::capture::numbered_lines;
use crate::harness::kafka::Kafka;
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::topics::{create, create_unique, unique};
use crate::harness::verdict::readback::count;
use crate::{KafkaTrial, replay, replay_to, report_of};

/// Of the brokers that the harness starts.
pub(crate) const CLUSTER_ID: &str = "a3JlcGxheS10ZXN0LTAwMQ";

pub(crate) const CASES: &[KafkaTrial] = &[
    (
        "target_the_captured_cluster_is_recognised_by_a_broker_and_refused_unless_yes",
        known_by_broker,
    ),
    (
        "target_the_captured_cluster_is_recognised_by_its_id_and_refused",
        known_by_id,
    ),
    (
        "target_the_captured_cluster_discovered_late_ends_the_run",
        known_late,
    ),
    (
        "target_a_different_cluster_id_means_another_cluster_whatever_the_addresses",
        known_beside_an_id,
    ),
    (
        "target_a_common_loopback_address_is_a_note_and_not_a_refusal",
        loopback_alone,
    ),
    (
        "target_a_fetch_came_from_a_broker_whatever_name_its_protocol_has",
        unknown_protocol,
    ),
    (
        "target_the_captured_cluster_is_checked_even_with_a_topic_flag",
        known_with_a_topic,
    ),
    (
        "target_rejects_are_not_sent_into_the_cluster_that_they_were_captured_from",
        known_by_rejects,
    ),
    (
        "target_a_csv_names_the_captured_cluster_in_a_column",
        known_by_column,
    ),
    (
        "target_another_service_at_the_same_address_is_not_the_captured_cluster",
        other_protocol,
    ),
    (
        "target_the_captured_cluster_of_a_snapshot_is_recognised_by_its_csv",
        known_by_csv,
    ),
    (
        "target_the_destination_is_shown_with_the_groups_that_read_it",
        announced,
    ),
    (
        "target_timestamps_that_the_broker_replaces_are_reported",
        log_append_time,
    ),
    (
        "target_too_few_in_sync_replicas_are_reported_and_sending_is_tried",
        too_few_replicas,
    ),
];

/// The same lines with these members of each.
fn with(lines: &str, members: &Value) -> String {
    let changed = lines.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).expect("every line is JSON");
        let members = members.as_object().expect("members");
        for (name, value) in members {
            line[name] = value.clone();
        }
        format!("{line}\n")
    });
    changed.collect()
}

fn at(address: &str) -> Value {
    json!({ "network_address": address })
}

/// A broker's address that is not a loopback address, and at which nothing answers: a connection to a
/// multicast address fails at once.
const ELSEWHERE: &str = "224.0.0.1:19092";

/// The destination by that address as well: the brokers of the test have only loopback addresses.
fn brokers(kafka: &Kafka) -> String {
    format!("{ELSEWHERE},{}", kafka.brokers())
}

fn refusal(kafka: &Kafka, shared: &str) -> String {
    format!(
        "kreplay: {} is the cluster that the records were captured from: both have {shared}\n\
         hint: `--yes` sends anyway; its topics then have the records twice\n",
        brokers(kafka)
    )
}

fn known_by_broker(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "same", 1).expect("a topic");
    let lines = with(&numbered_lines(&topic, 0..100), &at(ELSEWHERE));
    let output = replay_to(&brokers(kafka), &["replay", "-"])
        .stdin(lines.clone())
        .output();
    let report = report_of(&output, 3);
    assert_eq!(ledger(&report), "100 = 100 unsent");
    let shared = format!("the broker `{ELSEWHERE}`");
    assert_eq!(output.stderr, refusal(kafka, &shared));
    assert_eq!(count(&kafka.brokers(), &topic), Ok(0));
    let output = replay_to(&brokers(kafka), &["replay", "-", "--yes"])
        .stdin(lines)
        .output();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "100 = 100 delivered");
}

fn known_by_id(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "same", 1).expect("a topic");
    let lines = numbered_lines(&topic, 0..100) + &metadata(CLUSTER_ID, "elsewhere:9092");
    let output = replay_to(&brokers(kafka), &["replay", "-"])
        .stdin(lines)
        .output();
    let report = report_of(&output, 3);
    assert_eq!(ledger(&report), "100 = 100 unsent");
    let shared = format!("the cluster id `{CLUSTER_ID}`");
    assert_eq!(output.stderr, refusal(kafka, &shared));
    assert_eq!(count(&kafka.brokers(), &topic), Ok(0));
}

fn known_late(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "same", 1).expect("a topic");
    let mut run = replay_to(&brokers(kafka), &["replay", "-", "-q"])
        .stdin_open()
        .spawn();
    run.write_stdin(numbered_lines(&topic, 0..100).as_bytes());
    let there = |n| count(&kafka.brokers(), &topic) == Ok(n);
    run.wait_until("the first records are there", |_| there(100));
    let late = with(&numbered_lines(&topic, 100..150), &at(ELSEWHERE));
    run.write_stdin(late.as_bytes());
    let output = run.wait();
    let report = report_of(&output, 3);
    assert_eq!(entry(&report, "delivered"), 100, "{report:#}");
    let shared = format!("the broker `{ELSEWHERE}`");
    assert_eq!(output.stderr, refusal(kafka, &shared));
    assert!(there(100), "what came late is not sent");
}

/// A Metadata response of this cluster, captured at this broker.
pub(crate) fn metadata(cluster: &str, address: &str) -> String {
    let metadata = json!({
        "msgType": "rrpair",
        "l7protocol": "kafka",
        "command": "Metadata",
        "network_address": address,
        "kafka": { "response": { "MetadataResponse": { "clusterId": cluster } } },
    });
    format!("{metadata}\n")
}

/// Checks that a run is refused and has sent nothing.
fn is_refused(kafka: &Kafka, topic: &str, args: &[&str], lines: String, shared: &str) {
    let output = replay_to(&brokers(kafka), args).stdin(lines).output();
    let report = report_of(&output, 3);
    assert_eq!(entry(&report, "delivered"), 0, "{report:#}");
    assert_eq!(output.stderr, refusal(kafka, shared));
    assert_eq!(count(&kafka.brokers(), topic), Ok(0));
}

fn known_beside_an_id(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "same", 1).expect("a topic");
    let lines = with(&numbered_lines(&topic, 0..10), &at(ELSEWHERE));
    let args = ["replay", "-"];
    let shared = format!("the broker `{ELSEWHERE}`");
    is_refused(kafka, &topic, &args, lines.clone(), &shared);
    let lines = lines + &metadata("another", ELSEWHERE);
    let run = replay_to(&brokers(kafka), &args).stdin(lines);
    let report = report_of(&run.output(), 0);
    assert_eq!(ledger(&report), "10 = 10 delivered");
}

fn loopback_alone(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "same", 1).expect("a topic");
    let address = kafka.brokers().replace("127.0.0.1", "LOCALHOST");
    let lines = with(&numbered_lines(&topic, 0..10), &at(&address));
    let output = replay(kafka, &["replay", "-"])
        .stdin(lines.clone())
        .output();
    assert_eq!(ledger(&report_of(&output, 0)), "10 = 10 delivered");
    let note = format!(
        "kreplay: the records were captured at `{address}`, an address that every machine has; \
         kreplay cannot know whether it was this cluster\n"
    );
    assert_eq!(output.stderr.matches(&note).count(), 1, "{}", output.stderr);
    // The id decides.
    let lines = lines + &metadata("another", &address);
    let output = replay(kafka, &["replay", "-"]).stdin(lines).output();
    report_of(&output, 0);
    assert!(!output.stderr.contains("were captured at"), "{output:#?}");
}

fn unknown_protocol(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "same", 1).expect("a topic");
    let members = json!({ "network_address": ELSEWHERE, "l7protocol": "tcp" });
    let lines = with(&numbered_lines(&topic, 0..10), &members);
    let shared = format!("the broker `{ELSEWHERE}`");
    is_refused(kafka, &topic, &["replay", "-"], lines, &shared);
}

/// The id comes after more lines than one read gives.
fn known_with_a_topic(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "same", 1).expect("a topic");
    let fetches: String = (0..80)
        .map(|n| numbered_lines(&topic, n * 50..n * 50 + 50))
        .collect();
    let lines = fetches + &metadata(CLUSTER_ID, "elsewhere:9092");
    assert!(lines.len() > 256 << 10, "{}", lines.len());
    let shared = format!("the cluster id `{CLUSTER_ID}`");
    let args = ["replay", "-", "-t", &topic, "--keep-duplicates"];
    is_refused(kafka, &topic, &args, lines, &shared);
}

fn known_by_rejects(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "same", 1).expect("a topic");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (first, second) = (file("first.jsonl"), file("second.jsonl"));
    let lines = with(&numbered_lines(&topic, 0..10), &at(ELSEWHERE));
    let shared = format!("the broker `{ELSEWHERE}`");
    let args = ["replay", "-", "--rejects", &first];
    is_refused(kafka, &topic, &args, lines, &shared);
    // The rejects of a replay of rejects name it as well.
    let args = ["replay", &first, "--rejects", &second];
    is_refused(kafka, &topic, &args, String::new(), &shared);
    is_refused(kafka, &topic, &["replay", &second], String::new(), &shared);
    let output = replay_to(&brokers(kafka), &["replay", &second, "--yes"]).output();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "10 = 10 delivered");
}

fn known_by_column(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "same", 1).expect("a topic");
    let value = "kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString";
    let csv = format!("{value},network_address,RRPair UUID\nv,{ELSEWHERE},u\n");
    let shared = format!("the broker `{ELSEWHERE}`");
    is_refused(kafka, &topic, &["replay", "-", "-t", &topic], csv, &shared);
}

fn other_protocol(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "other", 1).expect("a topic");
    let http = json!({
        "msgType": "rrpair",
        "l7protocol": "http",
        "command": "GET",
        "network_address": ELSEWHERE,
        "http": { "req": { "url": "/" } },
    });
    let lines = format!("{http}\n{}", numbered_lines(&topic, 0..100));
    let output = replay_to(&brokers(kafka), &["replay", "-"])
        .stdin(lines)
        .output();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "100 = 100 delivered");
}

fn known_by_csv(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "same", 1).expect("a topic");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let line = with(&numbered_lines(&topic, 0..1), &at(ELSEWHERE));
    fs::write(folder.path().join("mine.jsonl"), line).expect("a snapshot");
    let output = replay_to(&brokers(kafka), &["snapshot", "mine", "--via", "csv"])
        .env("STANDIN_DATA", folder.path())
        .output();
    let report = report_of(&output, 3);
    assert_eq!(ledger(&report), "1 = 1 unsent");
    let shared = format!("the broker `{ELSEWHERE}`");
    assert_eq!(output.stderr, refusal(kafka, &shared));
}

/// A consumer that has committed an offset of `topic` and has gone, or that still runs, by the new protocol.
fn consumer(kafka: &Kafka, group: &str, protocol: &str) -> BaseConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", kafka.brokers())
        .set("group.id", group)
        .set("group.protocol", protocol)
        .set("enable.auto.commit", "false")
        .create()
        .expect("a consumer")
}

fn announced(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "announced", 3).expect("a topic");
    let line = |groups: &str| {
        format!("kreplay: cluster {CLUSTER_ID} (1 broker): {topic} (3 partitions); {groups}\n")
    };
    let (gone, live) = (format!("{topic}-gone"), format!("{topic}-live"));
    let committing = consumer(kafka, &gone, "classic");
    let mut offsets = TopicPartitionList::new();
    let added = offsets.add_partition_offset(&topic, 0, Offset::Offset(1));
    added.expect("a partition");
    let committed = committing.commit(&offsets, CommitMode::Sync);
    committed.expect("an offset is committed");
    let reading = consumer(kafka, &live, "consumer");
    reading.subscribe(&[&topic]).expect("a subscription");
    let deadline = Instant::now() + Duration::from_secs(30);
    while reading
        .assignment()
        .map_or(0, |partitions| partitions.count())
        < 3
    {
        assert!(Instant::now() < deadline, "the group gets no partitions");
        drop(reading.poll(Duration::from_millis(100)));
    }
    let lines = numbered_lines(&topic, 0..100);
    let output = replay(kafka, &["replay", "-"])
        .stdin(lines.clone())
        .output();
    report_of(&output, 0);
    let both = format!("read by the groups {gone}, {live}");
    assert_eq!(output.stderr, line(&both));
    let quiet = replay(kafka, &["replay", "-", "-q"]).stdin(lines).output();
    assert_eq!(quiet.stderr, "");
}

fn log_append_time(kafka: &Kafka) {
    let topic = unique("append-time");
    let setting = [("message.timestamp.type", "LogAppendTime")];
    create(&kafka.brokers(), &topic, 1, &setting).expect("a topic");
    let lines = numbered_lines(&topic, 0..10);
    let args = ["replay", "-", "--timestamps", "original"];
    let output = replay(kafka, &args).stdin(lines.clone()).output();
    report_of(&output, 0);
    let said = format!(
        "kreplay: topic `{topic}` replaces the captured times with the times of writing \
         (message.timestamp.type is LogAppendTime)\n"
    );
    assert!(output.stderr.starts_with(&said), "{}", output.stderr);
    let output = replay(kafka, &["replay", "-"]).stdin(lines).output();
    assert!(!output.stderr.contains("LogAppendTime"), "{output:#?}");
}

/// Apache Kafka 4 accepts what all existing replicas have.
fn too_few_replicas(kafka: &Kafka) {
    let topic = unique("too-few");
    let setting = [("min.insync.replicas", "2")];
    create(&kafka.brokers(), &topic, 1, &setting).expect("a topic");
    let lines = numbered_lines(&topic, 0..10);
    let more = ["replay", "-", "-X", "message.timeout.ms=3000"];
    let output = replay(kafka, &more).stdin(lines).output();
    let report = report_of(&output, 0);
    let said = format!(
        "kreplay: topic `{topic}` has fewer replicas than its min.insync.replicas: brokers may \
         refuse every record\n"
    );
    assert!(output.stderr.starts_with(&said), "{}", output.stderr);
    assert_eq!(ledger(&report), "10 = 10 delivered");
}
