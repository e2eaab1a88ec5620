//! Topics, times and headers that differ from the captured ones.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{seen, shop};
use crate::harness::capture::record_lines;
use crate::harness::kafka::Kafka;
use crate::harness::paths::fixture;
use crate::harness::report::ledger::ledger;
use crate::harness::topics::{create_unique, unique};
use crate::harness::verdict::readback::{TimestampType, ends};
use crate::{KafkaTrial, path, replay, report_of};
use serde_json::json;

pub(crate) const CASES: &[KafkaTrial] = &[
    ("timestamps_now_are_those_of_the_run", now),
    ("a_header_is_added_after_the_captured_ones", header),
    (
        "one_topic_takes_everything_in_the_order_of_each_partition",
        one_topic,
    ),
    ("topics_are_renamed_by_name_and_by_pattern", map_by_name),
    ("a_topic_known_only_by_id_is_named_by_topic_id", map_by_id),
];

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(now.expect("after 1970").as_millis()).expect("before the year 292278994")
}

fn now(kafka: &Kafka) {
    for extra in [&["--timestamps", "now"][..], &[]] {
        let prefix = unique("now");
        let map = shop(kafka, &prefix, 3, 2);
        let demo = path("demo.jsonl");
        let begin = now_ms();
        let args = [&["replay", &demo, "--map", &map], extra].concat();
        let output = replay(kafka, &args).output();
        let end = now_ms();
        assert_eq!(ledger(&report_of(&output, 0)), "21 = 21 delivered");
        for record in seen(kafka, &format!("{prefix}-orders")) {
            assert_eq!(record.timestamp_type, TimestampType::CreateTime);
            let within = (begin..=end).contains(&record.timestamp_ms);
            assert!(within, "{} is not in {begin}..={end}", record.timestamp_ms);
        }
    }
}

fn header(kafka: &Kafka) {
    let prefix = unique("header");
    let map = format!("*={prefix}-{{topic}}");
    let shop = path("shop.jsonl");
    let args = [
        "replay",
        &shop,
        "--create-topics",
        "--map",
        &map,
        "--timestamps",
        "original",
    ];
    let headers = [
        "--header", "run=7", "--header", "empty=", "--header", "run=a=b",
    ];
    let output = replay(kafka, &[&args[..], &headers].concat()).output();
    assert_eq!(
        ledger(&report_of(&output, 0)),
        "51 = 2 control + 49 delivered"
    );
    let mut wanted = record_lines(&fixture("shop.expected.jsonl"));
    for record in wanted.values_mut().flatten() {
        for (name, value) in [("run", "7"), ("empty", ""), ("run", "a=b")] {
            let value = Some(value.as_bytes().to_vec());
            record.headers.push((name.to_owned(), value));
        }
    }
    crate::sending::contents::assert_came_back(kafka, &prefix, &wanted);
}

fn one_topic(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "one", 3).expect("a topic");
    let output = replay(kafka, &["replay", &path("shop.jsonl"), "-t", &topic]).output();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "51 = 2 control + 49 delivered");
    let ends = ends(&kafka.brokers(), &topic).expect("the broker answers");
    let per_partition = crate::sending::contents::per_partition(&[(0, 0), (1, 0), (2, 0)], &ends);
    let topics = json!([{
        "topic": topic, "partitions": 3, "delivered": 49, "bytes": 8446,
        "per_partition": per_partition,
    }]);
    assert_eq!(report["topics"], topics);
    let mut seen = seen(kafka, &topic);
    let wanted = record_lines(&fixture("shop.expected.jsonl"));
    for ((from, partition), records) in wanted {
        let mut last = None;
        for record in records {
            let at = seen.iter().position(|seen| {
                seen.partition == partition
                    && (&seen.key, &seen.value) == (&record.key, &record.value)
            });
            let at = at.unwrap_or_else(|| panic!("missing from {from}/{partition}: {record:?}"));
            let found = seen.remove(at);
            assert!(last < Some(found.offset), "out of order: {found:?}");
            last = Some(found.offset);
        }
    }
    assert_eq!(seen, [], "records that nobody captured");
}

fn map_by_name(kafka: &Kafka) {
    let [a, b, rest] = ["map-a", "map-b", "map-rest"].map(unique);
    let maps = [
        format!("orders={a}"),
        format!("payments={b}-{{topic}}"),
        format!("*={rest}"),
    ];
    let mut args = vec![
        "replay".to_owned(),
        path("shop.jsonl"),
        "--create-topics".to_owned(),
    ];
    args.extend(maps.into_iter().flat_map(|map| ["--map".to_owned(), map]));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let report = report_of(&replay(kafka, &args).output(), 0);
    assert_eq!(ledger(&report), "51 = 2 control + 49 delivered");
    let mut counts = String::new();
    for topic in [a, format!("{b}-payments"), rest] {
        write!(counts, "{} ", seen(kafka, &topic).len()).expect("a string takes all");
    }
    assert_eq!(counts, "28 11 10 ");
}

fn map_by_id(kafka: &Kafka) {
    let unknown = path("topic-id-unknown.jsonl");
    let orders = create_unique(&kafka.brokers(), "id-orders", 1).expect("a topic");
    let map = format!("orders={orders}");
    let report = report_of(
        &replay(kafka, &["replay", &unknown, "--map", &map]).output(),
        1,
    );
    assert_eq!(ledger(&report), "3 = 1 unreadable + 2 delivered");
    assert_eq!(report["problems"][0]["what"], "topic_unknown");
    // As the capture has it, as kreplay and Kafka's tools print it, hyphenated.
    for id in [
        "4jfhP0BF2SmV6Nl7qrdn9Q==",
        "4jfhP0BF2SmV6Nl7qrdn9Q",
        "e237e13f-4045-d929-95e8-d97baab767f5",
    ] {
        let refunds = create_unique(&kafka.brokers(), "id-refunds", 1).expect("a topic");
        let given = format!("{id}={refunds}");
        let args = ["replay", &unknown, "--map", &map, "--topic-id", &given];
        let report = report_of(&replay(kafka, &args).output(), 0);
        assert_eq!(ledger(&report), "3 = 3 delivered", "{id}");
        let values: Vec<String> = seen(kafka, &refunds)
            .iter()
            .map(|record| record.text().to_owned())
            .collect();
        let refund = r#"{"refund_id":"ref-3003","order_id":"ord-3003","amount_cents":690}"#;
        assert_eq!(values, [refund], "{id}");
    }
}
