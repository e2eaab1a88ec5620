//! What several consumers fetched is in the log once, and what an application never received is not there at
//! all.

use std::collections::BTreeMap;

use crate::harness::capture::FIRST_MS;
use crate::harness::kafka::Kafka;
use crate::harness::report::ledger::ledger;
use crate::harness::topics::unique;
use crate::harness::verdict::readback::{LoggedRecord, read};
use crate::{KafkaTrial, path, replay, report_of};

pub(crate) const CASES: &[KafkaTrial] = &[
    (
        "what_was_consumed_comes_back_once_and_without_aborted_records",
        consumed_once,
    ),
    (
        "groups_transactions_and_topic_ids_in_one_run_come_back_as_they_were_consumed",
        all_in_one_run,
    ),
];

/// A partition of a topic, with its records in the order of their offsets, whatever order they were consumed in.
type Partition = (&'static str, i32, &'static [&'static str]);

/// A fixture, its ledger, and what must be in the log: key, value, and the milliseconds after [`FIRST_MS`].
const CAPTURES: [(&str, &str, &[Partition]); 2] = [
    (
        "groups.jsonl",
        "38 = 24 duplicates + 14 delivered",
        &[
            (
                "orders",
                0,
                &[
                    "k0=a0 +0", "k1=a1 +1", "k2=a2 +2", "k3=a3 +3", "k4=a4 +4", "k5=a5 +5",
                    "k6=a6 +6", "k7=a7 +7",
                ],
            ),
            (
                "orders",
                1,
                &[
                    "k100=b100 +100",
                    "k101=b101 +101",
                    "k104=b104 +104",
                    "k107=b107 +107",
                    "k110=b110 +110",
                ],
            ),
            ("payments", 0, &["k5=c5 +5"]),
        ],
    ),
    (
        "transactions.jsonl",
        "25 = 8 duplicates + 8 control + 3 aborted + 6 delivered",
        &[(
            "transfers",
            1,
            &[
                "k11=b-kept-11 +11",
                "k13=b-kept-13 +13",
                "k16=a-kept-16 +16",
                "k17=b-lost-17 +17",
                "k18=plain-18 +18",
                "k22=a-kept-22 +22",
            ],
        )],
    ),
];

/// What `late-metadata.jsonl` adds to both: topics known only by id, one of which only `--topic-id` names.
/// Its four records of `orders` are at offsets that `groups.jsonl` has under the topic's name: a record known
/// by id and by name is the same record.
const UNDER_TOPIC_IDS: &[Partition] = &[
    ("shipments", 0, &["-=s-1 +1", "-=s-2 +2"]),
    ("returns", 0, &["-=x-1 +1", "-=x-2 +2"]),
];
/// The records of `payments` in both captures.
const PAYMENTS_OF_BOTH: Partition = ("payments", 0, &["-=p-1 +1", "k5=c5 +5"]);
const UNRESOLVED_ID: &str = "4jfhP0BF2SmV6Nl7qrdn9Q";

fn consumed_once(kafka: &Kafka) {
    for (fixture, counts, partitions) in CAPTURES {
        assert_consumed(kafka, &[fixture], counts, partitions);
    }
}

fn all_in_one_run(kafka: &Kafka) {
    let [(groups, _, of_groups), (transactions, _, of_transactions)] = CAPTURES;
    let of_groups = of_groups.iter().filter(|(topic, ..)| *topic != "payments");
    let partitions: Vec<Partition> = of_groups
        .chain(of_transactions)
        .chain(UNDER_TOPIC_IDS)
        .chain([&PAYMENTS_OF_BOTH])
        .copied()
        .collect();
    let captures = [groups, transactions, "late-metadata.jsonl"];
    let counts = "72 = 36 duplicates + 8 control + 3 aborted + 25 delivered";
    assert_consumed(kafka, &captures, counts, &partitions);
}

/// Replays `captures` in one run and compares the ledger, and what is in the log.
fn assert_consumed(kafka: &Kafka, captures: &[&str], counts: &str, partitions: &[Partition]) {
    let prefix = unique("consumed");
    let map = format!("*={prefix}-{{topic}}");
    let paths: Vec<String> = captures.iter().map(|name| path(name)).collect();
    let mut args = vec!["replay", "--create-topics", "--timestamps", "original"];
    args.extend(["--map", &map]);
    args.extend(paths.iter().map(String::as_str));
    // The name that is given is the captured one: `--map` sees it.
    let named = format!("{UNRESOLVED_ID}=returns");
    if partitions.iter().any(|(topic, ..)| *topic == "returns") {
        args.extend(["--topic-id", &named]);
    }
    let output = replay(kafka, &args).output();
    assert_eq!(ledger(&report_of(&output, 0)), counts, "{captures:?}");

    let mut expected: BTreeMap<&str, BTreeMap<i32, Vec<String>>> = BTreeMap::new();
    for (topic, partition, records) in partitions {
        let records = records.iter().map(|&record| record.into()).collect();
        let of_topic = expected.entry(topic).or_default();
        of_topic.insert(*partition, records);
    }
    for (topic, expected) in expected {
        let log = read(&kafka.brokers(), &format!("{prefix}-{topic}"));
        let mut found: BTreeMap<i32, Vec<String>> = BTreeMap::new();
        for record in log.expect("the topic is readable") {
            let in_partition = found.entry(record.partition).or_default();
            in_partition.push(text(&record));
        }
        assert_eq!(found, expected, "{topic} of {captures:?}");
    }
}

/// A record as [`CAPTURES`] has it; one without a key has a dash.
fn text(record: &LoggedRecord) -> String {
    let key = record.key.as_deref().unwrap_or(b"-");
    let key = std::str::from_utf8(key).expect("the key is text");
    let behind = record.timestamp_ms - FIRST_MS;
    format!("{key}={} +{behind}", record.text())
}
