//! What comes back is what was captured: keys, values, headers, times, partitions, order.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::capture::{ExpectedRecord, Partitions, plain_fetches, record_lines};
use crate::harness::kafka::Kafka;
use crate::harness::paths::fixture;
use crate::harness::report::ledger::ledger;
use crate::harness::run::kreplay;
use crate::harness::topics::{create_unique, unique};
use crate::harness::verdict::readback::{LoggedRecord, TimestampType, ends, read};
use crate::{KafkaTrial, path, replay, report_of};

pub(crate) const CASES: &[KafkaTrial] = &[
    (
        "every_record_of_the_shop_comes_back_byte_for_byte",
        shop_raw,
    ),
    (
        "the_record_lines_of_a_capture_come_back_as_the_capture_does",
        shop_records,
    ),
    (
        "a_snapshot_that_a_csv_can_carry_comes_back_whole",
        demo_by_csv,
    ),
    (
        "a_snapshot_that_a_csv_cannot_carry_is_read_raw_and_comes_back_whole",
        shop_auto,
    ),
    (
        "the_guides_csv_comes_back_with_its_commas_quotes_and_line_breaks",
        guide_csv,
    ),
    (
        "a_csv_of_many_columns_comes_back_with_keys_times_and_partitions",
        wide_csv,
    ),
    ("the_offsets_in_the_report_are_those_of_the_log", offsets),
];

/// The topics of the shop as the JSON report has them, under a prefix to which nobody else has written.
fn shop_topics(kafka: &Kafka, prefix: &str) -> Value {
    let topics = [
        ("orders", 3, 28, 6165),
        ("payments", 2, 11, 1457),
        ("shipments", 2, 10, 824),
    ];
    let topics = topics.map(|(topic, partitions, delivered, bytes)| {
        let topic = format!("{prefix}-{topic}");
        let ends = ends(&kafka.brokers(), &topic).expect("the broker answers");
        let beginnings: Vec<(i32, i64)> = ends.iter().map(|(p, _)| (*p, 0)).collect();
        json!({
            "topic": topic, "partitions": partitions, "delivered": delivered, "bytes": bytes,
            "per_partition": per_partition(&beginnings, &ends),
        })
    });
    topics.into_iter().collect()
}

/// What the report has of partitions whose ends were and are these, by their numbers.
pub(crate) fn per_partition(before: &[(i32, i64)], after: &[(i32, i64)]) -> Value {
    let changed = before.iter().zip(after);
    let changed = changed.filter(|((_, first), (_, end))| first < end);
    let changed = changed.map(|((partition, first), (_, end))| {
        json!({
            "partition": partition, "first_offset": first, "last_offset": end - 1,
            "delivered": end - first,
        })
    });
    changed.collect()
}

/// The report of each of three runs must match the log's own ends before and after it.
fn offsets(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "offsets", 4).expect("a topic");
    for (run, records) in [5_u64, 3000, 40].into_iter().enumerate() {
        let lines = (0..records).map(|n| match n % 3 {
            // A few partitions by their numbers, one of them never; the rest by the key or in turn.
            0 => json!({ "partition": n % 2, "offset": n, "value": "v" }),
            1 => json!({ "key": format!("{run}-{n}"), "value": "v" }),
            _ => json!({ "value": "v" }),
        });
        let lines = lines.map(|line| format!("{line}\n")).collect::<String>();
        let before = ends(&kafka.brokers(), &topic).expect("the broker answers");
        let output = replay(kafka, &["replay", "-", "--as", "records", "-t", &topic]).stdin(lines);
        let report = report_of(&output.output(), 0);
        let after = ends(&kafka.brokers(), &topic).expect("the broker answers");
        assert_eq!(ledger(&report), format!("{records} = {records} delivered"));
        let expected = per_partition(&before, &after);
        assert_eq!(report["topics"][0]["per_partition"], expected, "run {run}");
    }
}

fn shop_raw(kafka: &Kafka) {
    let prefix = unique("shop");
    let map = format!("*={prefix}-{{topic}}");
    let shop = path("shop.jsonl");
    let args = ["replay", &shop, "--create-topics", "--map", &map];
    let output = replay(kafka, &[&args[..], &["--timestamps", "original"]].concat()).output();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "51 = 2 control + 49 delivered");
    assert_eq!(report["topics"], shop_topics(kafka, &prefix));
    let source = json!({
        "kind": "rrpairs", "inputs": [shop], "bytes": 71032, "rrpairs": 34, "fetches": 21,
        "empty_fetches": 6, "skipped_files": 0, "complete": true,
    });
    assert_eq!(report["source"], source);
    assert_eq!(report["problems"], json!([]));
    assert_eq!(report["interrupted"], false);
    assert_came_back(
        kafka,
        &prefix,
        &record_lines(&fixture("shop.expected.jsonl")),
    );
}

fn shop_records(kafka: &Kafka) {
    let lines = kreplay(["extract", &path("shop.jsonl"), "-q"]).stdout;
    let prefix = unique("shop-records");
    let map = format!("*={prefix}-{{topic}}");
    let args = ["replay", "-", "--create-topics", "--map", &map];
    let run = replay(kafka, &[&args[..], &["--timestamps", "original"]].concat());
    let report = report_of(&run.stdin(lines).output(), 0);
    assert_eq!(ledger(&report), "49 = 49 delivered");
    assert_eq!(report["topics"], shop_topics(kafka, &prefix));
    assert_came_back(
        kafka,
        &prefix,
        &record_lines(&fixture("shop.expected.jsonl")),
    );
}

fn shop_auto(kafka: &Kafka) {
    let prefix = unique("shop-auto");
    let map = format!("*={prefix}-{{topic}}");
    let args = [
        "snapshot",
        "shop",
        "--via",
        "auto",
        "--create-topics",
        "--map",
        &map,
    ];
    let output = replay(kafka, &[&args[..], &["--timestamps", "original"]].concat()).output();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "51 = 2 control + 49 delivered");
    assert_eq!(report["topics"], shop_topics(kafka, &prefix));
    assert_eq!(report["source"]["via"], "raw");
    assert_eq!(report["source"]["kind"], "snapshot");
    assert_came_back(
        kafka,
        &prefix,
        &record_lines(&fixture("shop.expected.jsonl")),
    );
}

fn demo_by_csv(kafka: &Kafka) {
    for via in ["csv", "auto"] {
        let prefix = unique("demo");
        let map = format!("*={prefix}-{{topic}}");
        let args = [
            "snapshot",
            "demo",
            "--via",
            via,
            "--create-topics",
            "--map",
            &map,
        ];
        let output = replay(kafka, &[&args[..], &["--timestamps", "original"]].concat()).output();
        let report = report_of(&output, 0);
        assert_eq!(ledger(&report), "21 = 21 delivered");
        assert_eq!(report["source"]["via"], "csv");
        assert_came_back(kafka, &prefix, &plain_fetches(&fixture("demo.jsonl")));
    }
}

fn guide_csv(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "guide", 1).expect("a topic");
    let output = replay(kafka, &["replay", &path("guide.csv"), "-t", &topic]).output();
    assert_eq!(ledger(&report_of(&output, 0)), "6 = 6 delivered");
    let seen = read(&kafka.brokers(), &topic).expect("the topic is readable");
    assert!(
        seen.iter()
            .all(|record| record.key.is_none() && record.headers.is_empty())
    );
    // The columns of the guide carry the first record of each Fetch.
    let values: Vec<&str> = seen.iter().map(LoggedRecord::text).collect();
    assert_eq!(values, GUIDE_VALUES);
}

const GUIDE_VALUES: [&str; 6] = [
    r#"{"order_id":"ord-4001","status":"placed","customer_id":"c-0080","items":[{"sku":"KETTLE-17","name":"Kettle, 1.7 l","quantity":3,"unit_cents":4990}],"total_cents":14970,"currency":"EUR"}"#,
    r#"{"order_id":"ord-4002","status":"placed","customer_id":"c-0093","items":[{"sku":"TEA-EARL-250","name":"Earl Grey, 250 g","quantity":3,"unit_cents":690},{"sku":"KETTLE-17","name":"Kettle, 1.7 l","quantity":3,"unit_cents":4990}],"total_cents":17040,"currency":"EUR"}"#,
    "{\n  \"payment_id\": \"pay-4001\",\n  \"order_id\": \"ord-4001\",\n  \"status\": \"authorised\",\n  \"method\": \"transfer\",\n  \"amount_cents\": 4046,\n  \"currency\": \"EUR\"\n}",
    r#"{"order_id":"ord-4003","status":"placed","customer_id":"c-0083","items":[{"sku":"MUG-BLUE-300","name":"Mug \"Harbour\", blue","quantity":2,"unit_cents":1250}],"total_cents":2500,"currency":"EUR"}"#,
    "cancelled by customer",
    r#"{"order_id":"ord-4006","status":"placed","customer_id":"c-0077","items":[{"sku":"FILTER-100","name":"Paper filters, 100 pcs","quantity":3,"unit_cents":420}],"total_cents":1260,"currency":"EUR"}"#,
];

fn wide_csv(kafka: &Kafka) {
    let prefix = unique("wide");
    let map = format!("*={prefix}-{{topic}}");
    let wide = path("wide.csv");
    let args = ["replay", &wide, "--create-topics", "--map", &map];
    let output = replay(kafka, &[&args[..], &["--timestamps", "original"]].concat()).output();
    assert_eq!(ledger(&report_of(&output, 0)), "8 = 8 delivered");
    let mut wanted = plain_fetches(&fixture("guide.jsonl"));
    // A second record's time is in no column of this CSV: it is sent without one.
    let mut seen = came_back(kafka, &prefix, &wanted);
    for records in [&mut wanted, &mut seen] {
        records
            .values_mut()
            .flatten()
            .for_each(forget_uncaptured_time);
    }
    assert_same(&seen, &wanted);

    let topic = create_unique(&kafka.brokers(), "wide-one", 3).expect("a topic");
    let output = replay(kafka, &["replay", &wide, "-t", &topic]).output();
    assert_eq!(ledger(&report_of(&output, 0)), "8 = 8 delivered");
    let seen = read(&kafka.brokers(), &topic).expect("the topic is readable");
    let mut keys: BTreeMap<i32, Vec<&str>> = BTreeMap::new();
    for record in &seen {
        let key = record.key.as_deref().expect("every record has a key");
        let key = std::str::from_utf8(key).expect("the key is text");
        keys.entry(record.partition).or_default().push(key);
    }
    let in_zero = [
        "ord-4001", "pay-4001", "ord-4003", "ord-4004", "ord-4006", "ord-4007",
    ];
    assert_eq!(keys[&0], in_zero);
    assert_eq!(keys[&1], ["ord-4002"]);
    assert_eq!(keys[&2], ["ord-4005"]);
}

fn forget_uncaptured_time(record: &mut ExpectedRecord) {
    let second = [&b"ord-4004"[..], b"ord-4007"];
    if record
        .key
        .as_deref()
        .is_some_and(|key| second.contains(&key))
    {
        record.timestamp_ms = 0;
    }
}

/// Compares the topics called `PREFIX-NAME` with the records of NAME.
///
/// # Panics
/// Panics if anything differs.
pub(crate) fn assert_came_back(kafka: &Kafka, prefix: &str, wanted: &Partitions) {
    assert_same(&came_back(kafka, prefix, wanted), wanted);
}

/// The topics called `PREFIX-NAME` under the names of `wanted`.
fn came_back(kafka: &Kafka, prefix: &str, wanted: &Partitions) -> Partitions {
    let mut names: Vec<&String> = wanted.keys().map(|(topic, _)| topic).collect();
    names.dedup();
    let mut partitions = Partitions::new();
    for name in names {
        let topic = format!("{prefix}-{name}");
        for record in read(&kafka.brokers(), &topic).expect("the topic is readable") {
            assert_eq!(
                record.timestamp_type,
                TimestampType::CreateTime,
                "{record:?}"
            );
            let place = (name.clone(), record.partition);
            partitions.entry(place).or_default().push(as_wanted(record));
        }
    }
    partitions
}

fn as_wanted(record: LoggedRecord) -> ExpectedRecord {
    ExpectedRecord {
        timestamp_ms: record.timestamp_ms,
        key: record.key,
        value: record.value,
        headers: record.headers,
    }
}

fn assert_same(seen: &Partitions, wanted: &Partitions) {
    let places = |partitions: &Partitions| {
        let counts = partitions
            .iter()
            .map(|(place, records)| (place.clone(), records.len()));
        counts.collect::<Vec<_>>()
    };
    assert_eq!(places(seen), places(wanted));
    for (place, records) in wanted {
        for (i, record) in records.iter().enumerate() {
            assert_eq!(seen[place][i], *record, "record {i} of {place:?}");
        }
    }
}
