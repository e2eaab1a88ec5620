//! `kreplay plan` against a real broker: it reads topics, their settings and rights, and writes nothing.

use serde_json::{Value, json};

use crate::harness::capture::numbered_lines;
use crate::harness::faults::acl::allow_describing;
use crate::harness::kafka::Kafka;
use crate::harness::report::ledger::ledger;
use crate::harness::run::Run;
use crate::harness::topics::{create, unique};
use crate::harness::verdict::readback::count;
use crate::preparing::connecting::BOBS_PASSWORD;
use crate::preparing::target::{CLUSTER_ID, metadata};
use crate::sending::refused::{lines, now_ms};
use crate::{KafkaTrial, replay, report_of};

pub(crate) const CASES: &[KafkaTrial] = &[
    ("plan_names_missing_topics_and_creates_none", missing),
    (
        "plan_counts_what_a_topic_would_not_take_or_would_delete",
        settings,
    ),
    ("plan_forecasts_where_a_replay_then_places_records", placed),
    (
        "plan_knows_the_captured_cluster_by_its_id",
        captured_cluster,
    ),
];

/// On the broker that has users.
pub(crate) const OF_A_USER: &[KafkaTrial] =
    &[("plan_sees_that_the_right_to_write_is_missing", right)];

fn planned(kafka: &Kafka, lines: &str, flags: &[&str], code: i32) -> Value {
    let args = [&["plan", "-"][..], flags].concat();
    report_of(&replay(kafka, &args).stdin(lines).output(), code)
}

fn missing(kafka: &Kafka) {
    let topic = unique("planned");
    let lines = lines(&topic, 0..50, |_, _| {});
    let plan = planned(kafka, &lines, &[], 3);
    assert_eq!(plan["topics"][0]["state"], "missing");
    assert_eq!(plan["topics"][0]["records"], 50, "the forecast is whole");
    let verdict = plan["verdict"].as_str().expect("text");
    let said = format!("a replay would not begin: topic `{topic}` does not exist");
    assert!(verdict.starts_with(&said), "{verdict}");
    let plan = planned(kafka, &lines, &["--create-topics"], 0);
    assert_eq!(plan["topics"][0]["state"], "created");
    // It was not.
    planned(kafka, &lines, &[], 3);
}

fn settings(kafka: &Kafka) {
    const DAY_MS: i64 = 86_400_000;
    let topic = unique("planned");
    let settings = [("max.message.bytes", "2000"), ("retention.ms", "86400000")];
    create(&kafka.brokers(), &topic, 1, &settings).expect("a topic");
    let now = now_ms();
    let lines = lines(&topic, 0..100, |n, line| {
        line["timestamp"] = match n {
            3..6 => now - 3 * DAY_MS,
            _ => now,
        }
        .into();
        if n == 50 || n == 70 {
            line["value"] = "x".repeat(2500).into();
        }
    });
    let plan = planned(kafka, &lines, &[], 1);
    assert_eq!(plan["topics"][0]["max_message_bytes"], 2000);
    assert_eq!(plan["topics"][0]["refused"]["too_large"], 2);
    assert_eq!(plan["ledger"]["to_send"], 98);
    // The forecast is whole, and the replay would refuse to begin.
    let original = planned(kafka, &lines, &["--timestamps", "original"], 3);
    assert_eq!(original["topics"][0]["refused"]["expired"], 3);
    assert_eq!(original["ledger"]["to_send"], 95);
    let args = ["replay", "-", "--timestamps", "original"];
    let refused = report_of(&replay(kafka, &args).stdin(lines.clone()).output(), 3);
    assert_eq!(original["errors"], refused["errors"]);
    let verdict = original["verdict"].as_str().expect("text");
    assert!(verdict.contains("would be deleted at once"), "{verdict}");
    assert_eq!(count(&kafka.brokers(), &topic), Ok(0), "nothing is written");
    // A replay refuses the same records.
    let output = replay(kafka, &["replay", "-"]).stdin(lines).output();
    let report = report_of(&output, 1);
    assert_eq!(ledger(&report), "100 = 98 delivered + 2 not_written");
}

fn placed(kafka: &Kafka) {
    let topic = unique("planned");
    create(&kafka.brokers(), &topic, 2, &[]).expect("a topic");
    let lines = lines(&topic, 0..120, |n, line| line["partition"] = (n % 4).into());
    let plan = planned(kafka, &lines, &[], 1);
    // Partitions 2 and 3 do not exist: half of the records.
    assert_eq!(plan["topics"][0]["displaced"], 60);
    let kept = planned(kafka, &lines, &["--partition", "keep"], 3);
    assert_eq!(kept["topics"][0]["missing_partitions"], json!([2, 3]));
    let output = replay(kafka, &["replay", "-"]).stdin(lines).output();
    let report = report_of(&output, 0);
    let partitions = report["topics"][0]["per_partition"].as_array();
    let partitions = partitions.expect("a list").iter();
    let delivered =
        partitions.map(|one| json!({ "partition": one["partition"], "records": one["delivered"] }));
    let forecast = &plan["topics"][0]["per_partition"];
    assert_eq!(forecast, &Value::from_iter(delivered));
    assert_eq!(plan["placement"], report["placement"]);
}

/// The forecast is whole, and the code is that with which a replay refuses.
fn captured_cluster(kafka: &Kafka) {
    let topic = unique("planned");
    create(&kafka.brokers(), &topic, 1, &[]).expect("a topic");
    let lines = numbered_lines(&topic, 0..40) + &metadata(CLUSTER_ID, "elsewhere:9092");
    let plan = planned(kafka, &lines, &[], 3);
    assert_eq!(plan["ledger"]["to_send"], 40);
    let refused = replay(kafka, &["replay", "-"]).stdin(lines.clone());
    assert_eq!(plan["errors"], report_of(&refused.output(), 3)["errors"]);
    let said = format!("both have the cluster id `{CLUSTER_ID}`");
    let verdict = plan["verdict"].as_str().expect("text");
    assert!(
        verdict.starts_with("a replay would not begin: "),
        "{verdict}"
    );
    assert!(verdict.ends_with(&said), "{verdict}");
    let allowed = planned(kafka, &lines, &["--yes"], 0);
    assert_eq!(allowed["ledger"]["to_send"], 40);
    assert_eq!(count(&kafka.brokers(), &topic), Ok(0), "nothing is written");
}

fn right(kafka: &Kafka) {
    let topic = unique("planned");
    create(&kafka.brokers(), &topic, 1, &[]).expect("a topic");
    allow_describing(&kafka.brokers(), "User:bob", &topic);
    let brokers = kafka.brokers_at("SASL").expect("the listener is there");
    let mut args = vec!["plan", "-", "-b", &brokers, "--report", "json"];
    for property in [
        "security.protocol=SASL_PLAINTEXT",
        "sasl.mechanism=PLAIN",
        "sasl.username=bob",
        BOBS_PASSWORD,
    ] {
        args.extend(["-X", property]);
    }
    let lines = lines(&topic, 0..10, |_, _| {});
    let plan = report_of(&Run::new(args).stdin(lines).output(), 3);
    let errors = plan["errors"].to_string();
    assert!(
        errors.contains("Write") && errors.contains(&topic),
        "{errors}"
    );
    assert_eq!(plan["ledger"]["to_send"], 10);
}
