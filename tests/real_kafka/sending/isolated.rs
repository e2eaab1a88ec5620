//! Records that only the broker can judge, because kreplay's user may not read the topic's settings: a
//! refused batch is sent again until the culprit is alone. The delivered records are read from the log.

use std::fs;

use serde_json::{Value, json};

use crate::harness::faults::acl::allow_writing;
use crate::harness::kafka::Kafka;
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::run::{Run, RunOutput};
use crate::harness::topics::{create, unique};
use crate::harness::verdict::readback::count;
use crate::sending::refused::{all_but, lines, names_one, now_ms, numbers};
use crate::{KafkaTrial, report_of};

pub(crate) const CASES: &[KafkaTrial] = &[
    (
        "a_record_without_a_key_is_isolated_where_the_settings_are_unreadable",
        compacted,
    ),
    (
        "a_time_in_microseconds_is_isolated_where_the_settings_are_unreadable",
        microseconds,
    ),
    (
        "records_that_are_refused_together_are_all_isolated_within_bounds",
        all_refused,
    ),
    (
        "batches_too_large_for_an_unreadable_limit_are_made_smaller",
        small_limit,
    ),
    (
        "a_record_above_kafkas_default_limit_is_tried_where_the_limit_is_unreadable",
        large_limit,
    ),
    ("a_refused_batch_stays_in_the_rejects_when_asked_for", left),
];

/// A topic to which bob may write, and whose settings he may not read.
fn unreadable(kafka: &Kafka, settings: &[(&str, &str)]) -> String {
    let topic = unique("isolated");
    create(&kafka.brokers(), &topic, 1, settings).expect("a topic");
    allow_writing(&kafka.brokers(), "User:bob", &topic);
    topic
}

/// Replays lines as bob.
fn as_bob(kafka: &Kafka, lines: &str, more: &[&str]) -> RunOutput {
    let brokers = kafka.brokers_at("SASL").expect("the listener is there");
    let mut args = vec!["replay", "-", "-b", &brokers, "--report", "json"];
    for property in [
        "security.protocol=SASL_PLAINTEXT",
        "sasl.mechanism=PLAIN",
        "sasl.username=bob",
        crate::preparing::connecting::BOBS_PASSWORD,
    ] {
        args.extend(["-X", property]);
    }
    args.extend(more);
    Run::new(args).stdin(lines).output()
}

fn without_key(topic: &str, numbers: std::ops::Range<u64>, odd: u64) -> String {
    lines(topic, numbers, |n, line| {
        if n == odd {
            line["key"] = Value::Null;
        }
    })
}

fn compacted(kafka: &Kafka) {
    let topic = unreadable(kafka, &[("cleanup.policy", "compact")]);
    let output = as_bob(kafka, &without_key(&topic, 0..1000, 437), &[]);
    let report = report_of(&output, 1);
    assert_eq!(ledger(&report), "1000 = 999 delivered + 1 not_written");
    let missing = &report["problems"][0]["first"];
    assert_eq!(missing["line"], 438, "{report:#}");
    let mut there = numbers(&kafka.brokers(), &topic);
    there.sort_unstable();
    assert_eq!(there, all_but(0..1000, &[437]));
}

fn microseconds(kafka: &Kafka) {
    let topic = unreadable(kafka, &[]);
    let now = now_ms();
    let lines = lines(&topic, 0..1000, |n, line| {
        line["timestamp"] = json!(if n == 2 { now * 1000 } else { now });
    });
    let output = as_bob(kafka, &lines, &["--timestamps", "original"]);
    let report = report_of(&output, 1);
    assert_eq!(ledger(&report), "1000 = 999 delivered + 1 not_written");
    names_one(&report, 3, "the broker refuses the record's time");
    let there = numbers(&kafka.brokers(), &topic);
    assert_eq!(there, all_but(0..1000, &[2]));
}

fn all_refused(kafka: &Kafka) {
    let topic = unreadable(kafka, &[("cleanup.policy", "compact")]);
    let lines = lines(&topic, 0..1000, |_, line| line["key"] = Value::Null);
    let output = as_bob(kafka, &lines, &[]);
    let report = report_of(&output, 1);
    assert_eq!(ledger(&report), "1000 = 1000 not_written");
    assert_eq!(count(&kafka.brokers(), &topic), Ok(0));
}

/// 1,000 records of 1 kB make a batch of 1 MB, which kreplay would send to Kafka's default limit.
fn small_limit(kafka: &Kafka) {
    let topic = unreadable(kafka, &[("max.message.bytes", "100000")]);
    let lines = lines(&topic, 0..1000, |n, line| {
        // Digits of an irrational step: values that compress well would fit after all.
        let noise = (0..128_u64).map(|i| {
            let mixed = (n * 128 + i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            format!(
                "{:08x}",
                (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32
            )
        });
        line["value"] = json!(format!(
            r#"{{"id":{n},"noise":"{}"}}"#,
            noise.collect::<String>()
        ));
    });
    // Without compression the limit applies to what is sent.
    let output = as_bob(kafka, &lines, &["-X", "compression.type=none"]);
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "1000 = 1000 delivered");
    let there = numbers(&kafka.brokers(), &topic);
    let mut sorted = there.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..1000).collect::<Vec<_>>());
    // What comes after a later record is what the report calls out of order.
    let mut highest = 0;
    let late = there.iter().filter(|n| {
        highest = highest.max(**n);
        **n < highest
    });
    let late = late.count() as u64;
    let named = report["problems"].as_array().expect("a list").iter();
    let named = named.filter(|problem| problem["what"] == "out_of_order");
    let named: u64 = named.filter_map(|problem| problem["count"].as_u64()).sum();
    assert_eq!(named, late, "{report:#}");
}

fn large_limit(kafka: &Kafka) {
    let topic = unreadable(kafka, &[("max.message.bytes", "4194304")]);
    let lines = lines(&topic, 0..20, |n, line| {
        let bytes = match n {
            5 => 2_000_000,
            10 => 6_000_000,
            _ => 10,
        };
        line["value"] = json!(format!(r#"{{"id":{n},"text":"{}"}}"#, "x".repeat(bytes)));
    });
    let output = as_bob(kafka, &lines, &["-X", "compression.type=none"]);
    let report = report_of(&output, 1);
    assert_eq!(ledger(&report), "20 = 19 delivered + 1 not_written");
    let missing = &report["problems"][0]["first"];
    assert_eq!(missing["line"], 11, "{report:#}");
    let mut there = numbers(&kafka.brokers(), &topic);
    there.sort_unstable();
    assert_eq!(there, all_but(0..20, &[10]));
}

fn left(kafka: &Kafka) {
    let topic = unreadable(kafka, &[("cleanup.policy", "compact")]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rejects = folder.path().join("rejects.jsonl");
    let file = rejects.display().to_string();
    let args = ["--on-refused", "leave", "--rejects", &file];
    let output = as_bob(kafka, &without_key(&topic, 0..100, 43), &args);
    let report = report_of(&output, 1);
    assert!(entry(&report, "not_written") > 1, "{report:#}");
    let text = fs::read_to_string(&rejects).expect("the rejects are readable");
    let says_so = |line: &str| line.contains("batch");
    assert!(text.lines().all(says_so), "{text}");
    let before = numbers(&kafka.brokers(), &topic);
    assert!(before.is_sorted(), "{before:?}");
    assert_eq!(before.len() + text.lines().count(), 100);
    // Sent again with isolation, only the culprit is refused.
    let report = report_of(&as_bob(kafka, &text, &[]), 1);
    assert_eq!(entry(&report, "not_written"), 1, "{report:#}");
    let mut there = numbers(&kafka.brokers(), &topic);
    there.sort_unstable();
    assert_eq!(there, all_but(0..100, &[43]));
}
