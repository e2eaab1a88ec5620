//! A broker with a quota (KIP-13): it is healthy, but takes little.

use crate::cluster::broker::{numbered, read_log};
use crate::harness::kafka::on_demand::OnDemand;
use crate::harness::kafka::quota::limit_producers;
use crate::harness::report::ledger::ledger;
use crate::harness::verdict::readback::count;
use crate::harness::verdict::{Evidence, verdict};
use crate::process::source::{Feeder, Numbered};
use crate::{FaultTrial, Takes, replay, report_of};

pub(crate) const CASES: &[FaultTrial] = &[(
    "a_quota_lets_no_record_time_out_and_everything_is_delivered_once",
    Takes::Patience,
    quota,
)];

/// Bytes a second that producers may write.
const RATE: u64 = 60_000;
/// The broker looks at the rate over so many windows of a second, the one that has begun included. The
/// default of 11 would let ten seconds' worth through at once, which is half of the time-out here.
const WINDOWS: u64 = 3;
/// `message.timeout.ms`, in seconds.
const TIMEOUT: u64 = 20;

fn quota() {
    const RECORDS: u64 = 1800;
    const BYTES: u64 = 1000;
    // What one fixed window holds waits longer than a record may.
    const { assert!(RECORDS * BYTES / RATE > TIMEOUT + WINDOWS) };
    let windows = WINDOWS.to_string();
    let kafka = OnDemand::new(&[("quota.window.num", &windows)]).get();
    let kafka = kafka.expect("Kafka starts");
    let brokers = kafka.brokers();
    limit_producers(&brokers, RATE as f64).expect("the quota is set");
    // The broker learns of the topic after it has learnt of the quota.
    let records = Numbered {
        bytes: usize::try_from(BYTES).expect("a small number"),
        ..numbered(&kafka, "quota", 4)
    };
    let timeout = format!("message.timeout.ms={}", TIMEOUT * 1000);
    // With small uncompressed batches, the broker's count follows from arithmetic.
    let args = ["replay", "-", "-X", &timeout, "-X", "compression.type=none"];
    let args = args.into_iter().chain(["-X", "batch.size=8000"]);
    let mut run = replay(&brokers, &args.collect::<Vec<_>>())
        .stdin_open()
        .spawn();
    let feeder = Feeder::new(&mut run, &records, RECORDS);
    feeder.allow(RECORDS);
    let output = run.wait();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), format!("{RECORDS} = {RECORDS} delivered"));
    let longest = report["latency_ms"]["max"].as_f64().expect("a latency");
    assert!(longest < (TIMEOUT * 1000) as f64, "{report:#}");
    // The quota was in force: no more than its windows' worth came at once.
    let at_least = (RECORDS * BYTES / RATE - WINDOWS) as f64;
    let elapsed = report["elapsed_s"].as_f64().expect("seconds");
    assert!(elapsed >= at_least, "{report:#}");
    assert_eq!(count(&brokers, &records.topic), Ok(RECORDS.cast_signed()));
    let log = read_log(&brokers, &records.topic);
    verdict(&Evidence::new(0..RECORDS, &report, &log));
}
