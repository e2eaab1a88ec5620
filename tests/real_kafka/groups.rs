//! What several consumers fetched stands in the log once, and what an application was never given
//! stands there not at all.

use std::collections::BTreeMap;

use crate::capture::FIRST_MS;
use crate::harness::kafka::Kafka;
use crate::harness::readback::{Seen, read};
use crate::harness::topics::unique;
use crate::ledger::ledger;
use crate::{Case, path, replay, report_of};

pub(crate) const CASES: &[Case] = &[(
    "what_was_consumed_comes_back_once_and_without_aborted_records",
    consumed_once,
)];

/// A partition of a topic, with its records in the order of their offsets, whatever order they were consumed in.
type Partition = (&'static str, i32, &'static [&'static str]);

/// A fixture, its ledger, and what must stand in the log: key, value, and the milliseconds behind
/// [`FIRST_MS`].
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

fn consumed_once(kafka: &Kafka) {
    for (fixture, counts, partitions) in CAPTURES {
        let prefix = unique("consumed");
        let map = format!("*={prefix}-{{topic}}");
        let capture = path(fixture);
        let args = ["raw", &capture, "--create-topics", "--map", &map];
        let output = replay(kafka, &[&args[..], &["--timestamps", "original"]].concat()).output();
        assert_eq!(ledger(&report_of(&output, 0)), counts, "{fixture}");

        let mut topics: Vec<&str> = partitions.iter().map(|(topic, ..)| *topic).collect();
        topics.dedup();
        for topic in topics {
            let expected: BTreeMap<i32, Vec<String>> = partitions
                .iter()
                .filter(|(name, ..)| *name == topic)
                .map(|(_, partition, records)| {
                    (
                        *partition,
                        records.iter().map(|&record| record.into()).collect(),
                    )
                })
                .collect();
            let mut found: BTreeMap<i32, Vec<String>> = BTreeMap::new();
            for record in
                read(&kafka.brokers(), &format!("{prefix}-{topic}")).expect("the topic is readable")
            {
                let in_partition = found.entry(record.partition).or_default();
                in_partition.push(text(&record));
            }
            assert_eq!(found, expected, "{topic} of {fixture}");
        }
    }
}

/// A record as [`CAPTURES`] has it.
fn text(record: &Seen) -> String {
    let key = record.key.as_deref().expect("every record has a key");
    let key = std::str::from_utf8(key).expect("the key is text");
    let behind = record.timestamp_ms - FIRST_MS;
    format!("{key}={} +{behind}", record.text())
}
