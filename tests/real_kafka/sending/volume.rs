//! Many records: every one exactly once, and in order in its partition.

use crate::KafkaTrial;
use crate::harness::capture::{fetch, number_of, numbered};
use crate::harness::kafka::Kafka;
use crate::harness::report::ledger::ledger;
use crate::harness::topics::{create, unique};
use crate::harness::verdict::readback::read;
use crate::{replay, report_of};

pub(crate) const CASES: &[KafkaTrial] = &[(
    "fifty_thousand_records_arrive_exactly_once_and_in_order",
    fifty_thousand,
)];

const TOPICS: u64 = 2;
const PARTITIONS: u64 = 5;
/// Records of one partition in one Fetch.
const BATCH: u64 = 20;
const FETCHES: u64 = 500;

/// Record number `i` of a partition; numbers are different over the whole capture.
fn number(topic: u64, partition: u64, i: u64) -> u64 {
    (topic * PARTITIONS + partition) * 1_000_000 + i
}

fn fifty_thousand(kafka: &Kafka) {
    let names: Vec<String> = (0..TOPICS).map(|_| unique("volume")).collect();
    for name in &names {
        create(&kafka.brokers(), name, 5, &[]).expect("a topic");
    }
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), capture(&names)).expect("the temporary file is writable");
    let input = file.path().display().to_string();
    let report = report_of(&replay(kafka, &["replay", &input]).output(), 0);
    assert_eq!(ledger(&report), "50000 = 50000 delivered");
    assert_eq!(report["source"]["fetches"], FETCHES);
    for (topic, name) in (0..).zip(&names) {
        let seen = read(&kafka.brokers(), name).expect("the topic is readable");
        let mut partitions = vec![Vec::new(); 5];
        for record in &seen {
            let at = usize::try_from(record.partition).expect("0 to 4");
            partitions[at].push(number_of(record.text()));
        }
        for (partition, numbers) in (0..).zip(&partitions) {
            let of_each = FETCHES / TOPICS * BATCH;
            let wanted: Vec<u64> = (0..of_each).map(|i| number(topic, partition, i)).collect();
            assert_eq!(numbers.len(), wanted.len(), "{name}/{partition}");
            assert!(
                *numbers == wanted,
                "{name}/{partition} has other records or another order"
            );
        }
    }
}

fn capture(names: &[String]) -> String {
    let mut lines = String::new();
    for n in 0..FETCHES {
        let (topic, first) = (n % TOPICS, n / TOPICS * BATCH);
        let batches: Vec<_> = (0..5)
            .zip(0..PARTITIONS)
            .map(|(index, partition)| {
                let numbers = (first..first + BATCH).map(|i| number(topic, partition, i));
                (index, first, numbers.map(numbered).collect())
            })
            .collect();
        let name = &names[usize::try_from(topic).expect("0 or 1")];
        lines.push_str(&fetch(name, &batches));
    }
    lines
}
