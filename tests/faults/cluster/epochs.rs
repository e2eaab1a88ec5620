//! More refused batches than a producer has epochs: librdkafka takes a new one for each, and they have 15
//! bits.

use std::collections::BTreeMap;
use std::fs;

use crate::cluster::refusal::{LOGIN, SECURED, with_acls};
use crate::harness::faults::acl::allow_writing;
use crate::harness::kafka::Kafka;
use crate::harness::report::ledger::ledger;
use crate::harness::topics::{create, unique};
use crate::harness::verdict::readback::read;
use crate::{FaultTrial, Takes, replay, report_of};

/// Epochs of one producer.
const EPOCHS: u64 = 1 << 15;

pub(crate) const CASES: &[FaultTrial] = &[(
    "more_refused_batches_than_a_producer_has_epochs_keep_no_good_record_out",
    Takes::Patience,
    more_than_epochs,
)];

/// The producers that have written to a partition, and the highest epoch of each, as its log says.
fn producers(kafka: &Kafka, topic: &str) -> BTreeMap<i64, i16> {
    let folder = kafka.folder().join(format!("data/{topic}-0"));
    let log = fs::read(folder.join("00000000000000000000.log")).expect("the log is readable");
    let mut producers = BTreeMap::new();
    let mut rest = &log[..];
    // A batch of version 2: its length is at byte 8, without the 12 bytes to there; the producer's id at
    // 43, its epoch at 51 (Kafka's protocol guide, "Record Batch").
    while let Some(batch) = rest.get(..61) {
        let bytes = |at: usize| batch[at..at + 8].try_into().expect("eight bytes");
        let length = u64::from_be_bytes(bytes(8)) >> 32;
        let epoch = i16::from_be_bytes([batch[51], batch[52]]);
        let highest = producers
            .entry(i64::from_be_bytes(bytes(43)))
            .or_insert(epoch);
        *highest = epoch.max(*highest);
        rest = &rest[usize::try_from(length).expect("a length") + 12..];
    }
    producers
}

fn more_than_epochs() {
    const RECORDS: u64 = 34_000;
    const GOOD_EACH: usize = 100;
    // Each record is a batch of its own, and 99 of 100 are refused at least once.
    const { assert!(RECORDS / 100 * 99 > EPOCHS) };
    let kafka = with_acls(&[]);
    let topic = unique("epochs");
    let compacted = [("cleanup.policy", "compact")];
    create(&kafka.brokers(), &topic, 1, &compacted).expect("a topic");
    // kreplay may not read the settings, so that only the broker can judge.
    allow_writing(&kafka.brokers(), "User:replay", &topic);
    let good: Vec<u64> = (0..RECORDS).step_by(GOOD_EACH).collect();
    let line = |n: u64| {
        let key = match good.binary_search(&n) {
            Ok(_) => format!("\"{n}\""),
            Err(_) => "null".to_owned(),
        };
        format!("{{\"topic\":\"{topic}\",\"partition\":0,\"key\":{key},\"value\":\"{n}\"}}\n")
    };
    let lines: String = (0..RECORDS).map(line).collect();
    let secured = kafka.brokers_at(SECURED).expect("the listener is there");
    let args = ["replay", "-", "--allow-reordered"];
    let args = [&args[..], &["-X", "batch.num.messages=1"], &LOGIN].concat();
    let output = replay(&secured, &args).stdin(lines).output();
    let report = report_of(&output, 1);
    let (delivered, refused) = (good.len() as u64, RECORDS - good.len() as u64);
    let expected = format!("{RECORDS} = {delivered} delivered + {refused} not_written");
    assert_eq!(ledger(&report), expected);
    let there = read(&kafka.brokers(), &topic).expect("the topic is readable");
    let mut there: Vec<u64> = there
        .iter()
        .map(|seen| seen.text().parse().expect("a number"))
        .collect();
    there.sort_unstable();
    assert_eq!(there, good);
    // One producer would have used up its epochs; each of these is far from that.
    let producers = producers(&kafka, &topic);
    assert!(producers.len() > 1, "{producers:?}");
    let highest = producers.values().max().copied().unwrap_or_default();
    assert!((1..i16::MAX / 4 * 3).contains(&highest), "{producers:?}");
}
