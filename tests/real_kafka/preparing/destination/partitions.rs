//! The partition of a record: kept, by its key as Java places it, or any.

use std::collections::{BTreeMap, BTreeSet};

use super::{seen, shop};
use crate::harness::capture::{GeneratedRecord, fetch, number_of, plain_fetches};
use crate::harness::kafka::Kafka;
use crate::harness::paths::fixture;
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::topics::{create_unique, unique};
use crate::harness::verdict::readback::{LoggedRecord, count};
use crate::{KafkaTrial, path, replay, report_of};
use serde_json::json;

pub(crate) const CASES: &[KafkaTrial] = &[
    (
        "a_record_whose_partition_is_missing_lands_where_murmur2_says",
        auto,
    ),
    (
        "a_key_is_in_one_partition_and_in_order_also_when_partitions_are_missing",
        one_partition_a_key,
    ),
    (
        "partition_keep_refuses_a_missing_partition_and_names_it",
        keep,
    ),
    ("partition_key_places_every_key_as_java_does", by_key),
    ("partition_any_delivers_everything", any),
    (
        "a_partition_that_no_topic_can_have_is_an_error_before_and_in_the_middle",
        beyond_all_partitions,
    ),
];

/// The hash of Java's `org.apache.kafka.common.utils.Utils.murmur2`.
fn murmur2(bytes: &[u8]) -> i32 {
    const M: u32 = 0x5bd1_e995;
    let length = u32::try_from(bytes.len()).expect("a short key");
    let mut hash = 0x9747_b28c ^ length;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let word = u32::from_le_bytes(word.try_into().expect("four bytes"));
        let word = word.wrapping_mul(M);
        let word = (word ^ (word >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ word;
    }
    let rest = words.remainder();
    for (i, byte) in rest.iter().enumerate().rev() {
        hash ^= u32::from(*byte) << (8 * i);
    }
    if !rest.is_empty() {
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    (hash ^ (hash >> 15)).cast_signed()
}

/// The partition that Java's default partitioner gives a key.
fn java_partition(key: &[u8], partitions: i32) -> i32 {
    (murmur2(key) & i32::MAX) % partitions
}

/// The values of Kafka's own `UtilsTest.testMurmur2`.
fn check_murmur2() {
    assert_eq!(murmur2(b"21"), -973_932_308);
    assert_eq!(murmur2(b"foobar"), -790_332_482);
    assert_eq!(murmur2(b"a-little-bit-long-string"), -985_981_536);
    assert_eq!(murmur2(b"a-little-bit-longer-string"), -1_486_304_829);
    assert_eq!(
        murmur2(b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"),
        -58_897_971
    );
    assert_eq!(murmur2(b"abc"), 479_470_107);
}

fn key(record: &LoggedRecord) -> &[u8] {
    record.key.as_deref().expect("every record here has a key")
}

fn auto(kafka: &Kafka) {
    check_murmur2();
    let prefix = unique("auto");
    let map = shop(kafka, &prefix, 2, 2);
    let demo = path("demo.jsonl");
    let output = replay(
        kafka,
        &["replay", &demo, "--partition", "auto", "--map", &map],
    )
    .output();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "21 = 21 delivered");
    assert_eq!(
        report["placement"],
        json!({ "kept": 18, "by_key": 3, "spread": 0 })
    );
    let captured = plain_fetches(&fixture("demo.jsonl"));
    let orders = seen(kafka, &format!("{prefix}-orders"));
    assert_eq!(orders.len(), 13);
    for ((topic, partition), records) in &captured {
        for record in records.iter().filter(|_| topic == "orders") {
            let found = orders.iter().find(|seen| seen.value == record.value);
            let found = found.expect("every captured record is there");
            let expected = match partition {
                2 => java_partition(key(found), 2),
                kept => *kept,
            };
            assert_eq!(found.partition, expected, "{found:?}");
        }
    }
}

fn one_partition_a_key(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "keys", 4).expect("a topic");
    let mut lines = String::new();
    let mut next_offset = [0; 6];
    let mut on_missing = 0;
    for n in 0..600_u64 {
        let key = format!("key-{}", n % 40);
        let partition = java_partition(key.as_bytes(), 6);
        on_missing += u64::from(partition >= 4);
        let offset = &mut next_offset[usize::try_from(partition).expect("0 to 5")];
        let record = GeneratedRecord {
            key: Some(key),
            value: format!(r#"{{"id":{n}}}"#),
        };
        lines.push_str(&fetch("captured", &[(partition, *offset, vec![record])]));
        *offset += 1;
    }
    let map = format!("captured={topic}");
    let output = replay(kafka, &["replay", "-", "--map", &map])
        .stdin(lines)
        .output();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "600 = 600 delivered");
    assert!(
        on_missing > 0,
        "the capture has partitions that are missing"
    );
    let placement = json!({ "kept": 600 - on_missing, "by_key": on_missing, "spread": 0 });
    assert_eq!(report["placement"], placement);
    let mut by_key: BTreeMap<Vec<u8>, (BTreeSet<i32>, Vec<u64>)> = BTreeMap::new();
    for record in seen(kafka, &topic) {
        let (partitions, numbers) = by_key.entry(key(&record).to_vec()).or_default();
        partitions.insert(record.partition);
        numbers.push(number_of(record.text()));
    }
    assert_eq!(by_key.len(), 40);
    for (key, (partitions, numbers)) in by_key {
        let home = java_partition(&key, 6);
        let expected = if home < 4 {
            home
        } else {
            java_partition(&key, 4)
        };
        assert_eq!(partitions, BTreeSet::from([expected]), "{key:?}");
        assert!(numbers.is_sorted(), "{key:?}: {numbers:?}");
        assert_eq!(numbers.len(), 15);
    }
}

fn keep(kafka: &Kafka) {
    let prefix = unique("keep");
    let map = shop(kafka, &prefix, 2, 2);
    let demo = path("demo.jsonl");
    let args = ["replay", &demo, "--partition", "keep", "--map", &map];
    let output = replay(kafka, &args).output();
    let report = report_of(&output, 3);
    let said = format!("topic `{prefix}-orders` has no partition 2, only 2 partitions");
    assert!(output.stderr.contains(&said), "{}", output.stderr);
    assert_eq!(ledger(&report), "21 = 21 unsent");
    assert!(output.stderr.contains("\nhint: "), "{}", output.stderr);
    let topics = [format!("{prefix}-orders"), format!("{prefix}-payments")];
    let counts = topics.map(|topic| count(&kafka.brokers(), &topic).expect("a count"));
    let there = u64::try_from(counts.iter().sum::<i64>()).expect("no negative count");
    assert_eq!(there, entry(&report, "delivered"), "{report:#}");

    let prefix = unique("keep-all");
    let map = shop(kafka, &prefix, 3, 2);
    let args = ["replay", &demo, "--partition", "keep", "--map", &map];
    let report = report_of(&replay(kafka, &args).output(), 0);
    assert_eq!(ledger(&report), "21 = 21 delivered");
    assert_eq!(
        report["placement"],
        json!({ "kept": 21, "by_key": 0, "spread": 0 })
    );
}

fn by_key(kafka: &Kafka) {
    let prefix = unique("by-key");
    let map = shop(kafka, &prefix, 5, 7);
    let demo = path("demo.jsonl");
    let output = replay(
        kafka,
        &["replay", &demo, "--partition", "key", "--map", &map],
    )
    .output();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "21 = 21 delivered");
    assert_eq!(
        report["placement"],
        json!({ "kept": 0, "by_key": 21, "spread": 0 })
    );
    for (name, partitions) in [("orders", 5), ("payments", 7)] {
        for record in seen(kafka, &format!("{prefix}-{name}")) {
            let expected = java_partition(key(&record), partitions);
            assert_eq!(record.partition, expected, "{record:?}");
        }
    }
}

fn any(kafka: &Kafka) {
    let prefix = unique("any");
    let map = shop(kafka, &prefix, 4, 1);
    let demo = path("demo.jsonl");
    let output = replay(
        kafka,
        &["replay", &demo, "--partition", "any", "--map", &map],
    )
    .output();
    assert_eq!(ledger(&report_of(&output, 0)), "21 = 21 delivered");
    assert_eq!(seen(kafka, &format!("{prefix}-orders")).len(), 13);
    assert_eq!(seen(kafka, &format!("{prefix}-payments")).len(), 8);
}

/// librdkafka gives a null pointer for a new topic of more than 100,000 partitions.
fn beyond_all_partitions(kafka: &Kafka) {
    const LAST: i32 = 100_000;
    let why = format!(
        "the capture names partition {LAST}, but kreplay creates topics with at most 100000 partitions"
    );
    let topic = unique("beyond");
    let line = |partition: i32| json!({"topic": topic, "partition": partition, "value": "v"});
    let args = ["replay", "-", "--create-topics"];
    let output = replay(kafka, &args)
        .stdin(format!("{}\n", line(LAST)))
        .output();
    let report = report_of(&output, 3);
    assert_eq!(ledger(&report), "1 = 1 unsent");
    let expected = format!("kreplay: could not create topic `{topic}`: {why}\n");
    assert_eq!(output.stderr, expected);

    // The first is sent, and the topic created, before the other one is seen.
    let mut run = replay(kafka, &args).stdin_open().spawn();
    run.write_stdin(format!("{}\n", line(0)).as_bytes());
    let brokers = kafka.brokers();
    run.wait_until("the first record is there", |_| {
        count(&brokers, &topic).is_ok_and(|records| records == 1)
    });
    run.write_stdin(format!("{}\n", line(LAST)).as_bytes());
    run.close_stdin();
    let output = run.wait();
    let report = report_of(&output, 3);
    assert_eq!(ledger(&report), "2 = 1 delivered + 1 unsent");
    let expected = format!("could not add partitions to topic `{topic}`: {why}");
    assert!(output.stderr.contains(&expected), "{}", output.stderr);
}
