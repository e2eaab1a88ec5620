//! A replay that waits for a consumer group says whether the group has read what was delivered, and otherwise
//! why not.

pub(crate) mod reading;
pub(crate) mod undrained;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::harness::kafka::Kafka;
use crate::harness::run::RunOutput;
use crate::harness::run::service::RunningService;
use crate::harness::topics::{create_unique, unique};
use crate::{replay, report_of};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::{Value, json};

/// How members of a group agree on who reads what: the second one is KIP-848.
const PROTOCOLS: [&str; 2] = ["classic", "consumer"];

/// Partitions of each topic here.
const PARTITIONS: i32 = 3;

/// Records that each run sends, evenly over the partitions.
const RECORDS: i64 = 300;

const EACH: i64 = RECORDS / PARTITIONS as i64;

fn topic(kafka: &Kafka) -> String {
    create_unique(&kafka.brokers(), "inputs", PARTITIONS).expect("a topic")
}

/// Record lines for a topic.
fn lines(topic: &str) -> String {
    let line = |n: i64| {
        let (partition, offset) = (n % i64::from(PARTITIONS), n / i64::from(PARTITIONS));
        let value = json!({ "n": n }).to_string();
        json!({
            "topic": topic, "partition": partition, "offset": offset, "key": n.to_string(), "value": value,
        })
        .to_string()
            + "\n"
    };
    (0..RECORDS).map(line).collect()
}

/// Replays [`lines`] and waits for groups.
fn replay_and_wait(kafka: &Kafka, topic: &str, groups: &[&str], limit: &str) -> RunOutput {
    let mut args = vec!["replay", "-", "-q", "--drain-timeout", limit];
    for group in groups {
        args.extend(["--wait-group", group]);
    }
    replay(kafka, &args).stdin(lines(topic)).output()
}

/// The only group of a report with this exit code, in which all records are delivered.
fn group_of(output: &RunOutput, code: i32) -> Value {
    let report = report_of(output, code);
    assert_eq!(report["ledger"]["delivered"], RECORDS);
    let groups = report["groups"].as_array().expect("a list");
    assert_eq!(groups.len(), 1, "{report:#}");
    groups[0].clone()
}

/// Checks that a healthy service drains a run.
fn assert_drained(kafka: &Kafka, topic: &str, group: &str) -> Value {
    let found = group_of(&replay_and_wait(kafka, topic, &[group], "60s"), 0);
    assert_eq!(found["verdict"], "drained", "{found:#}");
    assert_eq!(found["partitions"], json!([]), "{found:#}");
    found
}

/// The verdict of a run that is not drained, and its partitions.
fn undrained(kafka: &Kafka, topic: &str, group: &str, limit: &str) -> (String, Value) {
    let found = group_of(&replay_and_wait(kafka, topic, &[group], limit), 1);
    assert_eq!(found["drain_s"], json!(null), "{found:#}");
    let verdict = found["verdict"].as_str().expect("a word").to_owned();
    (verdict, found)
}

fn consumer(kafka: &Kafka, group: &str) -> BaseConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", kafka.brokers())
        .set("group.id", group)
        .create()
        .expect("a consumer")
}

/// What the group has committed, by another client.
fn committed(kafka: &Kafka, topic: &str, group: &str) -> BTreeMap<i32, i64> {
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_range(topic, 0, PARTITIONS - 1);
    let offsets = consumer(kafka, group).committed_offsets(partitions, Duration::from_secs(30));
    let offsets = offsets.expect("the broker answers");
    let offsets = offsets.elements().into_iter().map(|element| {
        let offset = match element.offset() {
            Offset::Offset(offset) => offset,
            _ => -1,
        };
        (element.partition(), offset)
    });
    offsets.collect()
}

/// Starts a service with these flags over a new topic, once with each protocol, and checks the topic and its group.
fn with_each_protocol(kafka: &Kafka, flags: &[&str], check: impl Fn(&str, &str)) {
    for protocol in PROTOCOLS {
        let (topic, group) = (topic(kafka), unique("readers"));
        let flags = [&["--protocol", protocol], flags].concat();
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        check(&topic, &group);
        service.stop();
    }
}
