//! Topics as sides of a comparison: what `kreplay compare topic:NAME` reads is what the broker has.

use std::fmt::Write as _;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::{Value, json};

use crate::KafkaTrial;
use crate::harness::kafka::Kafka;
use crate::harness::run::{RunOutput, kreplay};
use crate::harness::topics::create_unique;

pub(crate) const CASES: &[KafkaTrial] = &[
    ("a_topic_equals_the_records_that_were_written_to_it", same),
    ("two_topics_are_compared_whatever_their_names", two_topics),
    ("uncommitted_records_are_not_compared", transactions),
    ("a_missing_topic_to_compare_is_named", no_topic),
];

const PATIENCE: Duration = Duration::from_secs(30);

fn producer(kafka: &Kafka, settings: &[(&str, &str)]) -> BaseProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", kafka.brokers());
    for (name, value) in settings {
        config.set(*name, *value);
    }
    config.create().expect("sound settings")
}

/// Writes records of these keys and values, each to the partition that its key's length gives.
fn write(producer: &BaseProducer, topic: &str, records: &[(&str, String)]) {
    for (key, value) in records {
        let partition = i32::try_from(key.len() % 2).expect("0 or 1");
        let record = BaseRecord::to(topic).partition(partition);
        let sent = producer.send(record.key(*key).payload(value));
        sent.map_err(|(error, _)| error).expect("it is queued");
    }
    producer.flush(PATIENCE).expect("the broker takes them");
}

fn compare(kafka: &Kafka, sides: [&str; 2]) -> RunOutput {
    let brokers = kafka.brokers();
    let words = ["compare", sides[0], sides[1], "-b", &brokers, "-F", "none"];
    kreplay([&words[..], &["--report", "json"]].concat())
}

fn total(output: &RunOutput) -> Value {
    let report: Value = serde_json::from_str(&output.stdout).expect("one JSON object");
    report["total"].clone()
}

fn numbered(count: u32) -> Vec<(&'static str, String)> {
    let key = |n: u32| ["a", "bb", "c", "dd"][n as usize % 4];
    let value = |n: u32| json!({ "n": n, "half": f64::from(n) / 2.0 }).to_string();
    (0..count).map(|n| (key(n), value(n))).collect()
}

fn same(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "compared", 2).expect("a topic");
    let mut records = numbered(400);
    write(&producer(kafka, &[]), &topic, &records);
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let mut lines = |change: usize| {
        records[change].1 = json!({ "n": -1 }).to_string();
        let mut text = String::new();
        for (key, value) in &records {
            let line = json!({ "topic": &topic, "key": key, "value": value });
            writeln!(text, "{line}").expect("a text");
        }
        let file = folder.path().join(change.to_string());
        std::fs::write(&file, text).expect("the temporary folder is writable");
        file.display().to_string()
    };
    // Record 5 is the third of `bb` but one: the second of partition 0, at offset 2.
    let changed = lines(5);
    let output = compare(kafka, [&changed, &format!("topic:{topic}")]);
    assert_eq!(output.code, 1, "{output:#?}");
    let total = total(&output);
    assert_eq!(
        (&total["equal"], &total["changed"]),
        (&json!(399), &json!(1))
    );
    let report: Value = serde_json::from_str(&output.stdout).expect("one JSON object");
    let place = report["differences"][0]["observed"].clone();
    assert_eq!(place, format!("{topic} [0] @ 2"));
    assert_eq!(report["observed"]["source"]["kind"], "topic");
}

fn two_topics(kafka: &Kafka) {
    let names = ["left", "right"].map(|stem| {
        let topic = create_unique(&kafka.brokers(), stem, 2).expect("a topic");
        write(&producer(kafka, &[]), &topic, &numbered(100));
        format!("topic:{topic}")
    });
    let output = compare(kafka, [&names[0], &names[1]]);
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(total(&output)["equal"], 100);
}

fn transactions(kafka: &Kafka) {
    let committed = create_unique(&kafka.brokers(), "committed", 2).expect("a topic");
    let plain = create_unique(&kafka.brokers(), "plain", 2).expect("a topic");
    write(&producer(kafka, &[]), &plain, &numbered(10));
    let writer = producer(kafka, &[("transactional.id", &committed)]);
    writer.init_transactions(PATIENCE).expect("a producer id");
    for is_kept in [false, true, false] {
        writer.begin_transaction().expect("a transaction");
        write(&writer, &committed, &numbered(10));
        match is_kept {
            true => writer.commit_transaction(PATIENCE).expect("a commit"),
            false => writer.abort_transaction(PATIENCE).expect("an abort"),
        }
    }
    let sides = [format!("topic:{plain}"), format!("topic:{committed}")];
    let output = compare(kafka, [&sides[0], &sides[1]]);
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(total(&output)["equal"], 10);
}

fn no_topic(kafka: &Kafka) {
    let output = compare(kafka, ["topic:nowhere", "topic:neither"]);
    assert_eq!(output.code, 3, "{output:#?}");
    let said = format!(
        "kreplay: topic `nowhere` does not exist on {}\n",
        kafka.brokers()
    );
    assert!(output.stderr.starts_with(&said), "{output:#?}");
}
