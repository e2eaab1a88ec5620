//! Users who may not do everything.

use super::{PASSWORD, bob, brokers_at, flags, is_refused, send};
use crate::harness::faults::acl::{allow, allow_describing, allow_writing};
use crate::harness::kafka::Kafka;
use crate::harness::report::ledger::entry;
use crate::harness::run::Run;
use crate::harness::topics::create_unique;
use crate::harness::verdict::readback::count;
use crate::{KafkaTrial, report_of};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

pub(crate) const CASES: &[KafkaTrial] = &[
    (
        "connecting_a_user_without_acls_gets_the_name_of_the_topic",
        no_acls,
    ),
    (
        "connecting_a_user_without_write_acl_gets_all_topics_before_the_first_record",
        no_writing,
    ),
    (
        "connecting_the_right_to_write_a_topic_is_enough",
        only_writing,
    ),
    (
        "connecting_a_group_that_the_user_may_not_see_cannot_be_waited_for",
        unseen_group,
    ),
    (
        "connecting_groups_that_the_user_may_not_see_are_not_reported_as_absent",
        hidden_groups,
    ),
];

fn no_acls(kafka: &Kafka) {
    let why = "could not look at topic `{topic}`: Broker: Topic authorization failed";
    let hint = "the user needs the rights to describe and to write it";
    let bob = flags(&[
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "bob"),
        ("sasl.password", PASSWORD),
    ]);
    is_refused(kafka, &brokers_at(kafka, "SASL"), &bob, why, hint);
}

fn no_writing(kafka: &Kafka) {
    let plain = kafka.brokers();
    let [seen, writable, other] = ["seen", "writable", "other"].map(|stem| {
        let topic = create_unique(&plain, stem, 1).expect("a topic");
        allow_describing(&plain, "User:bob", &topic);
        topic
    });
    allow_writing(&plain, "User:bob", &writable);
    let brokers = brokers_at(kafka, "SASL");
    let topics = [&writable, &seen, &other];
    let lines: String = topics
        .iter()
        .map(|topic| format!("{{\"topic\":\"{topic}\",\"value\":\"v\"}}\n").repeat(1000))
        .collect();
    let args = ["replay", "-", "-b", &brokers, "--report", "json"];
    let args = args.map(str::to_owned).into_iter().chain(bob());
    let output = Run::new(args).stdin(lines).output();
    let report = report_of(&output, 3);
    let said = format!(
        "kreplay: the user may not write to {brokers}: the right `Write` on topics `{seen}`, `{other}` \
         is missing\nhint: "
    );
    assert!(output.stderr.starts_with(&said), "{}", output.stderr);
    assert_eq!(entry(&report, "unsent"), 3000, "{report:#}");
    for topic in topics {
        assert_eq!(count(&plain, topic), Ok(0));
    }
    // The topic of `-t` is checked before anything is read.
    let output = send(&brokers, &seen, &bob());
    let said = format!(
        "kreplay: the user may not write to {brokers}: the right `Write` on topic `{seen}` is missing\n"
    );
    assert!(output.stderr.starts_with(&said), "{}", output.stderr);
    assert_eq!(entry(&report_of(&output, 3), "found"), 0);
}

/// Since Apache Kafka 2.8, the right to write includes that of an idempotent producer (KIP-679).
fn only_writing(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "only-writing", 1).expect("a topic");
    allow_writing(&kafka.brokers(), "User:bob", &topic);
    let output = send(&brokers_at(kafka, "SASL"), &topic, &bob());
    assert_eq!(entry(&report_of(&output, 0), "delivered"), 100);
    assert_eq!(count(&kafka.brokers(), &topic), Ok(100));
}

/// bob may write to the topic, but see neither the cluster nor any group.
fn unseen_group(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "unseen-group", 1).expect("a topic");
    allow_writing(&kafka.brokers(), "User:bob", &topic);
    let brokers = brokers_at(kafka, "SASL");
    let args = ["replay", "-", "-b", &brokers, "--report", "json"];
    let args = [&args[..], &["--wait-group", "billing"]].concat();
    let args = args.into_iter().map(str::to_owned).chain(bob());
    let line = format!("{{\"topic\":\"{topic}\",\"value\":\"v\"}}\n");
    let output = Run::new(args).stdin(line).output();
    let said = "kreplay: the cluster did not describe the group `billing`: Broker: Group authorization failed\n\
                hint: `--wait-group` needs the right to describe the group\n";
    assert_eq!(output.stderr, said);
    assert_eq!(entry(&report_of(&output, 3), "found"), 0);
    assert_eq!(count(&kafka.brokers(), &topic), Ok(0));
}

fn hidden_groups(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "hidden", 1).expect("a topic");
    let group = format!("{topic}-readers");
    let mut settings = ClientConfig::new();
    settings.set("bootstrap.servers", kafka.brokers());
    settings.set("group.id", &group);
    let consumer: BaseConsumer = settings.create().expect("a consumer");
    let mut offsets = TopicPartitionList::new();
    let added = offsets.add_partition_offset(&topic, 0, Offset::Offset(1));
    added.expect("a partition");
    let committed = consumer.commit(&offsets, CommitMode::Sync);
    committed.expect("an offset is committed");
    allow(&kafka.brokers(), "User:bob", &topic);

    let output = send(&kafka.brokers(), &topic, &[]);
    report_of(&output, 0);
    let seen = format!("{topic} (1 partition); read by the group {group}\n");
    assert!(output.stderr.ends_with(&seen), "{}", output.stderr);
    let bob = flags(&[
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "bob"),
        ("sasl.password", PASSWORD),
    ]);
    let output = send(&brokers_at(kafka, "SASL"), &topic, &bob);
    report_of(&output, 0);
    let unseen = format!(
        "{topic} (1 partition); no consumer group was seen to read them (this user may not see all \
         groups)\n"
    );
    assert!(output.stderr.ends_with(&unseen), "{}", output.stderr);
}
