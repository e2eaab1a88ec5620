//! Records that a topic refuses by its settings: each is left out alone and named, the others are delivered
//! in order. The delivered records are read from the log.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::harness::kafka::Kafka;
use crate::harness::report::ledger::ledger;
use crate::harness::topics::{create, unique};
use crate::harness::verdict::readback::{LoggedRecord, count, read};
use crate::{KafkaTrial, replay, report_of};

pub(crate) const CASES: &[KafkaTrial] = &[
    (
        "a_record_without_a_key_is_rejected_alone_by_a_compacted_topic",
        compacted,
    ),
    (
        "all_missing_topics_are_named_and_each_topic_has_its_own_settings",
        many_topics,
    ),
    (
        "a_timestamp_in_microseconds_is_rejected_alone_and_now_is_never_refused",
        microseconds,
    ),
    (
        "a_timestamp_before_the_limit_of_its_topic_is_rejected_alone",
        before_the_limit,
    ),
    (
        "original_timestamps_older_than_the_retention_are_refused_before_the_first_record",
        expired,
    ),
    (
        "a_few_original_timestamps_older_than_the_retention_are_refused_too_and_counted",
        some_expired,
    ),
    (
        "an_old_timestamp_that_comes_late_is_rejected_alone",
        expired_late,
    ),
];

/// Records with these numbers in partition 0, one of which `odd` changes.
pub(crate) fn lines(topic: &str, numbers: Range<u64>, odd: impl Fn(u64, &mut Value)) -> String {
    numbers
        .map(|n| {
            let mut line = json!({
                "topic": topic,
                "partition": 0,
                "offset": n,
                "key": format!("key-{n}"),
                "value": format!(r#"{{"id":{n}}}"#),
            });
            odd(n, &mut line);
            format!("{line}\n")
        })
        .collect()
}

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let ms = since.expect("after 1970").as_millis();
    i64::try_from(ms).expect("before the year 292,278,994")
}

/// The numbers of the records in a topic of one partition, in the order of its log.
pub(crate) fn numbers(brokers: &str, topic: &str) -> Vec<u64> {
    let seen = read(brokers, topic).expect("the topic is readable");
    let number = |seen: &LoggedRecord| {
        let value: Value = serde_json::from_str(seen.text()).expect("JSON");
        value["id"].as_u64().expect("an id")
    };
    seen.iter().map(number).collect()
}

pub(crate) fn all_but(numbers: Range<u64>, left_out: &[u64]) -> Vec<u64> {
    numbers.filter(|n| !left_out.contains(n)).collect()
}

/// A report that names one record that was not written, by its line and why.
pub(crate) fn names_one(report: &Value, line: u64, why: &str) {
    let problems = report["problems"].as_array().expect("a list");
    let [problem] = &problems[..] else {
        panic!("one problem, not {problems:#?}");
    };
    assert_eq!(problem["what"], "not_written", "{report:#}");
    assert_eq!(problem["count"], 1, "{report:#}");
    assert_eq!(problem["first"]["line"], line, "{report:#}");
    let said = problem["first"]["why"].as_str().unwrap_or_default();
    assert!(said.contains(why), "{said}");
}

fn compacted(kafka: &Kafka) {
    for policy in ["compact", "compact,delete"] {
        let topic = unique("compacted");
        let settings = [("cleanup.policy", policy)];
        create(&kafka.brokers(), &topic, 1, &settings).expect("a topic");
        let lines = lines(&topic, 0..1000, |n, line| {
            if n == 437 {
                line["key"] = Value::Null;
            }
        });
        let output = replay(kafka, &["replay", "-"]).stdin(lines).output();
        let report = report_of(&output, 1);
        assert_eq!(ledger(&report), "1000 = 999 delivered + 1 not_written");
        names_one(&report, 438, "the record has no key");
        let there = numbers(&kafka.brokers(), &topic);
        assert_eq!(there, all_but(0..1000, &[437]), "{policy}");
    }
}

/// More topics than are asked for one by one.
fn many_topics(kafka: &Kafka) {
    const TOPICS: usize = 24;
    let brokers = kafka.brokers();
    let stem = unique("many");
    let names: Vec<String> = (0..TOPICS).map(|n| format!("{stem}-{n}")).collect();
    let both = |topic: &String| {
        lines(topic, 0..2, |n, line| {
            if n == 1 {
                line["key"] = Value::Null;
            }
        })
    };
    let lines: String = names.iter().map(both).collect();
    let missing = [3, 17];
    for (n, name) in names.iter().enumerate() {
        let settings = match n {
            5 => &[("cleanup.policy", "compact")][..],
            _ => &[],
        };
        if !missing.contains(&n) {
            create(&brokers, name, 1, settings).expect("a topic");
        }
    }
    let args = ["replay", "-"];
    let output = replay(kafka, &args).stdin(&*lines).output();
    assert_eq!(output.code, 3, "{output:#?}");
    for n in missing {
        let is_named = output.stderr.contains(&names[n]);
        assert!(is_named, "{n}: {}", output.stderr);
        create(&brokers, &names[n], 1, &[]).expect("a topic");
    }
    let output = replay(kafka, &args).stdin(&*lines).output();
    let report = report_of(&output, 1);
    assert_eq!(ledger(&report), "48 = 47 delivered + 1 not_written");
    names_one(&report, 12, "the record has no key");
    for (n, name) in names.iter().enumerate() {
        let there = if n == 5 { 1 } else { 2 };
        assert_eq!(count(&brokers, name), Ok(there), "{name}");
    }
}

fn microseconds(kafka: &Kafka) {
    let topic = unique("microseconds");
    let settings = [("message.timestamp.after.max.ms", "3600000")];
    create(&kafka.brokers(), &topic, 1, &settings).expect("a topic");
    let now = now_ms();
    let lines = lines(&topic, 0..1000, |n, line| {
        line["timestamp"] = json!(if n == 2 { now * 1000 } else { now });
    });
    let run = |args: &[&str]| {
        let args = [&["replay", "-"], args].concat();
        replay(kafka, &args).stdin(lines.clone()).output()
    };
    let report = report_of(&run(&["--timestamps", "original"]), 1);
    assert_eq!(ledger(&report), "1000 = 999 delivered + 1 not_written");
    names_one(&report, 3, "message.timestamp.after.max.ms of 3600000");
    let there = numbers(&kafka.brokers(), &topic);
    assert_eq!(there, all_but(0..1000, &[2]));
    let report = report_of(&run(&[]), 0);
    assert_eq!(ledger(&report), "1000 = 1000 delivered");
}

fn before_the_limit(kafka: &Kafka) {
    let topic = unique("before");
    let settings = [("message.timestamp.before.max.ms", "3600000")];
    create(&kafka.brokers(), &topic, 1, &settings).expect("a topic");
    let now = now_ms();
    let day = 86_400_000;
    let lines = lines(&topic, 0..1000, |n, line| {
        line["timestamp"] = json!(if n == 999 { now - day } else { now });
    });
    let args = ["replay", "-", "--timestamps", "original"];
    let output = replay(kafka, &args).stdin(lines).output();
    let report = report_of(&output, 1);
    assert_eq!(ledger(&report), "1000 = 999 delivered + 1 not_written");
    names_one(&report, 1000, "message.timestamp.before.max.ms of 3600000");
    let there = numbers(&kafka.brokers(), &topic);
    assert_eq!(there, all_but(0..1000, &[999]));
}

/// A topic that keeps records for a week.
fn for_a_week(kafka: &Kafka, more: &[(&str, &str)]) -> String {
    let topic = unique("a-week");
    let settings = [&[("retention.ms", "604800000")], more].concat();
    create(&kafka.brokers(), &topic, 1, &settings).expect("a topic");
    topic
}

fn expired(kafka: &Kafka) {
    // Half a day more than 41, so that the time that the test takes makes no difference.
    let age = 41 * 86_400_000 + 43_200_000;
    let topic = for_a_week(kafka, &[]);
    let old = |topic: &str| {
        lines(topic, 0..20, |_, line| {
            line["timestamp"] = json!(now_ms() - age);
        })
    };
    for named in [&[][..], &["-t", &topic]] {
        let args = [&["replay", "-", "--timestamps", "original"], named].concat();
        let output = replay(kafka, &args).stdin(old(&topic)).output();
        let report = report_of(&output, 3);
        assert_eq!(ledger(&report), "20 = 20 unsent", "{named:?}");
        let said = format!(
            "kreplay: originals are 41 days old, but `{topic}` keeps 7 days: they would be deleted \
             at once\nhint: `--timestamps shift`"
        );
        assert!(output.stderr.contains(&said), "{}", output.stderr);
        assert_eq!(count(&kafka.brokers(), &topic), Ok(0));
    }
    // Topics that keep them accept them, and so does this one with new times.
    let compacted = for_a_week(kafka, &[("cleanup.policy", "compact")]);
    let append = for_a_week(kafka, &[("message.timestamp.type", "LogAppendTime")]);
    for (topic, timestamps) in [
        (&topic, "now"),
        (&compacted, "original"),
        (&append, "original"),
    ] {
        let args = ["replay", "-", "--timestamps", timestamps];
        let output = replay(kafka, &args).stdin(old(topic)).output();
        assert_eq!(ledger(&report_of(&output, 0)), "20 = 20 delivered");
        assert_eq!(count(&kafka.brokers(), topic), Ok(20));
    }
}

fn some_expired(kafka: &Kafka) {
    let topic = for_a_week(kafka, &[]);
    let now = now_ms();
    let lines = lines(&topic, 0..20, |n, line| {
        let days = if n < 3 { 8 } else { 1 };
        line["timestamp"] = json!(now - days * 86_400_000 - 43_200_000);
    });
    let args = ["replay", "-", "--timestamps", "original"];
    let output = replay(kafka, &args).stdin(lines).output();
    let report = report_of(&output, 3);
    assert_eq!(ledger(&report), "20 = 20 unsent");
    let said = format!(
        "kreplay: 3 of the first 20 originals are too old, up to 8 days, but `{topic}` \
         keeps 7 days: they would be deleted at once\n"
    );
    assert!(output.stderr.contains(&said), "{}", output.stderr);
    assert_eq!(count(&kafka.brokers(), &topic), Ok(0));
}

fn expired_late(kafka: &Kafka) {
    let topic = for_a_week(kafka, &[]);
    let brokers = kafka.brokers();
    let now = now_ms();
    let lines = |numbers| {
        lines(&topic, numbers, |n, line| {
            let days = if n == 15 { 8 } else { 1 };
            line["timestamp"] = json!(now - days * 86_400_000);
        })
    };
    let args = ["replay", "-", "--timestamps", "original"];
    let mut run = replay(kafka, &args).stdin_open().spawn();
    run.write_stdin(lines(0..10).as_bytes());
    run.wait_until("its first records are there", |_| {
        count(&brokers, &topic) == Ok(10)
    });
    run.write_stdin(lines(10..20).as_bytes());
    let output = run.wait();
    let report = report_of(&output, 1);
    assert_eq!(ledger(&report), "20 = 19 delivered + 1 not_written");
    names_one(
        &report,
        16,
        "older than the topic's retention.ms of 604800000",
    );
    assert_eq!(numbers(&brokers, &topic), all_but(0..20, &[15]));
}
