//! Groups that read nothing, commit nothing or are not there, and what keeps others from reading.

use std::time::Duration;

use super::{
    EACH, PARTITIONS, PROTOCOLS, RECORDS, assert_drained, consumer, group_of, lines,
    replay_and_wait, topic, undrained, with_each_protocol,
};
use crate::harness::kafka::Kafka;
use crate::harness::run::service::RunningService;
use crate::harness::topics::{block_on, unique};
use crate::service::share_group;
use crate::{KafkaTrial, replay, report_of};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::json;

pub(crate) const CASES: &[KafkaTrial] = &[
    ("a_group_that_never_commits_is_not_drained", never_commits),
    (
        "a_group_that_commits_nothing_in_this_run_is_reported_so",
        committed_before,
    ),
    (
        "a_group_without_members_or_an_unknown_group_is_reported_so",
        nobody,
    ),
    ("an_open_transaction_blocks_a_group", blocked),
    ("records_deleted_before_they_are_read_are_named", deleted),
    ("a_share_group_is_refused", share),
    ("the_wait_for_a_group_can_be_interrupted", interrupted),
];

fn never_commits(kafka: &Kafka) {
    let flags = ["--fault", "never-commits"];
    with_each_protocol(kafka, &flags, |topic, group| {
        let (verdict, found) = undrained(kafka, topic, group, "2s");
        assert_eq!(verdict, "no_offset", "{found:#}");
        assert_eq!(found["undrained"], PARTITIONS);
        assert_eq!(found["peak_lag"], RECORDS);
    });
}

fn committed_before(kafka: &Kafka) {
    for protocol in PROTOCOLS {
        let (topic, group) = (topic(kafka), unique("readers"));
        let flags = ["--protocol", protocol];
        let healthy = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        assert_drained(kafka, &topic, &group);
        healthy.stop();
        let fault = ["--fault", "stuck", "--partition", "1", "--every", "0"];
        let flags = [&flags[..], &fault].concat();
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        let (verdict, found) = undrained(kafka, &topic, &group, "3s");
        assert_eq!(verdict, "committed_before", "{found:#}");
        let partition = json!([{
            "topic": topic, "partition": 1, "state": "committed_before", "target": 2 * EACH,
            "committed": EACH,
        }]);
        assert_eq!(found["partitions"], partition, "{found:#}");
        service.stop();
    }
}

fn nobody(kafka: &Kafka) {
    for protocol in PROTOCOLS {
        let (topic, group) = (topic(kafka), unique("readers"));
        let (verdict, found) = undrained(kafka, &topic, &group, "1s");
        assert_eq!(verdict, "no_such_group", "{found:#}");
        let flags = ["--protocol", protocol];
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        assert_drained(kafka, &topic, &group);
        service.stop();
        let (verdict, found) = undrained(kafka, &topic, &group, "1s");
        assert_eq!(verdict, "no_members", "{protocol} {found:#}");
        // A service that comes later may still read everything.
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        assert_drained(kafka, &topic, &group);
        service.stop();
    }
    // kreplay proposes the name of an existing group for one that does not exist.
    let (topic, group) = (topic(kafka), unique("misspelt-readers"));
    let service = RunningService::start(&kafka.brokers(), &group, &topic, &[]);
    let wrong = group.replace("misspelt", "mispelt");
    let args = [
        "replay",
        "-",
        "--wait-group",
        &wrong,
        "--drain-timeout",
        "0s",
    ];
    let output = replay(kafka, &args).stdin(lines(&topic)).output();
    let note = format!("there is no consumer group `{wrong}` yet (did you mean `{group}`?)\n");
    assert!(output.stderr.contains(&note), "{output:#?}");
    service.stop();
}

fn blocked(kafka: &Kafka) {
    let (topic, group) = (topic(kafka), unique("readers"));
    let service = RunningService::start(&kafka.brokers(), &group, &topic, &[]);
    assert_drained(kafka, &topic, &group);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", kafka.brokers())
        .set("transactional.id", unique("open"))
        .create()
        .expect("a producer");
    let limit = Duration::from_secs(30);
    producer
        .init_transactions(limit)
        .expect("the broker answers");
    producer.begin_transaction().expect("a transaction begins");
    let record = BaseRecord::<str, str>::to(&topic)
        .partition(2)
        .payload("open");
    assert!(producer.send(record).is_ok());
    producer.flush(limit).expect("it is written");
    let (verdict, found) = undrained(kafka, &topic, &group, "3s");
    assert_eq!(verdict, "blocked", "{found:#}");
    // The record of the open transaction lies between both runs.
    let partition = json!([{
        "topic": topic, "partition": 2, "state": "blocked", "target": 2 * EACH + 1, "committed": EACH,
    }]);
    assert_eq!(found["partitions"], partition, "{found:#}");
    producer
        .abort_transaction(limit)
        .expect("the broker answers");
    service.stop();
}

fn deleted(kafka: &Kafka) {
    let (topic, group) = (topic(kafka), unique("readers"));
    // A group that has read the beginning and has gone.
    let mut offsets = TopicPartitionList::new();
    let added = offsets.add_partition_offset(&topic, 1, Offset::Offset(0));
    added.expect("it is an offset");
    let commit = consumer(kafka, &group).commit(&offsets, CommitMode::Sync);
    commit.expect("the broker answers");
    let args = [
        "replay",
        "-",
        "--wait-group",
        &group,
        "--drain-timeout",
        "4s",
    ];
    let args = [&args[..], &["--progress", "never"]].concat();
    let mut running = replay(kafka, &args).stdin(lines(&topic)).spawn();
    running.wait_until("the run waits for the group", |running| {
        running.stderr_so_far().contains("waiting for the group")
    });
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", kafka.brokers())
        .create()
        .expect("a client");
    let mut before = TopicPartitionList::new();
    let added = before.add_partition_offset(&topic, 1, Offset::Offset(EACH / 2));
    added.expect("it is an offset");
    let deletion = admin.delete_records(&before, &AdminOptions::new());
    block_on(deletion).expect("a runtime").expect("it is done");
    let found = group_of(&running.wait(), 1);
    assert_eq!(found["verdict"], "deleted", "{found:#}");
    let states = found["partitions"].as_array().expect("a list").iter();
    let states: Vec<_> = states.map(|partition| &partition["state"]).collect();
    assert_eq!(states, ["no_offset", "deleted", "no_offset"], "{found:#}");
}

fn share(kafka: &Kafka) {
    let (topic, group) = (topic(kafka), unique("sharers"));
    share_group::join(&kafka.brokers(), &group, &topic);
    let output = replay_and_wait(kafka, &topic, &[&group], "5s");
    let said = format!(
        "kreplay: `{group}` is not a consumer group but a group of another kind, such as a share group\n\
         hint: give `--wait-group` a group that commits offsets\n"
    );
    assert!(output.stderr.ends_with(&said), "{output:#?}");
    let report = report_of(&output, 3);
    assert_eq!(report["ledger"]["found"], 0, "{report:#}");
}

fn interrupted(kafka: &Kafka) {
    let (topic, group) = (topic(kafka), unique("readers"));
    let flags = ["--fault", "never-commits"];
    let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
    let args = [
        "replay",
        "-",
        "--progress",
        "never",
        "--wait-group",
        &group,
        "--drain-timeout",
        "1h",
    ];
    let mut running = replay(kafka, &args).stdin(lines(&topic)).spawn();
    running.wait_until("the run waits for the group", |running| {
        running.stderr_so_far().contains("waiting for the group")
    });
    running.signal(nix::sys::signal::Signal::SIGINT);
    let found = group_of(&running.wait(), 130);
    assert_ne!(found["verdict"], "drained", "{found:#}");
    service.stop();
}
