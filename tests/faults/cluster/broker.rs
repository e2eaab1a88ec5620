//! One broker: without a fault, killed, and frozen.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::capture::seed::SeededRandom;
use crate::harness::kafka::Kafka;
use crate::harness::kafka::on_demand::OnDemand;
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::run::Running;
use crate::harness::topics::create_unique;
use crate::harness::verdict::readback::count;
use crate::harness::verdict::{Evidence, Log, completed, verdict};
use crate::process::artifacts::RunArtifacts;
use crate::process::source::{Feeder, Numbered};
use crate::{FaultTrial, Takes, replay, report_of};

pub(crate) const CASES: &[FaultTrial] = &[
    (
        "a_million_records_arrive_exactly_once_and_in_order",
        Takes::Seconds,
        a_million,
    ),
    (
        "a_broker_that_is_killed_five_times_loses_and_repeats_nothing",
        Takes::Patience,
        killed,
    ),
    (
        "a_broker_that_is_frozen_for_twenty_seconds_is_waited_for",
        Takes::Patience,
        frozen,
    ),
    (
        "records_that_a_frozen_broker_lets_time_out_are_named",
        Takes::Patience,
        timed_out,
    ),
];

/// A broker that keeps what is captured, whatever its time.
pub(crate) fn start() -> std::sync::Arc<Kafka> {
    OnDemand::new(&[]).get().expect("Kafka starts")
}

/// Records of 200 bytes in a new topic.
pub(crate) fn numbered(kafka: &Kafka, stem: &str, partitions: u16) -> Numbered {
    let topic = create_unique(&kafka.brokers(), stem, partitions.into()).expect("a topic");
    Numbered::of_noise(topic, partitions)
}

/// Waits until this many records are in the log.
pub(crate) fn wait_for(run: &mut Running, brokers: &str, topic: &str, records: u64) {
    run.wait_until("its records are there", |_| {
        count(brokers, topic).is_ok_and(|there| there.cast_unsigned() >= records)
    });
}

/// Reads a log as soon as the broker, which was down, leads its partitions again.
pub(crate) fn read_log(brokers: &str, topic: &str) -> Log {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match Log::read(brokers, topic) {
            Ok(log) => return log,
            Err(why) => assert!(Instant::now() < deadline, "{why}"),
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn a_million() {
    const RECORDS: u64 = 1_000_000;
    const OF_EACH: u64 = 50;
    let kafka = start();
    let records = Numbered {
        bytes: 500,
        ..numbered(&kafka, "million", 8)
    };
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut to = BufWriter::new(file.as_file_mut());
    let fetches = RECORDS / (OF_EACH * records.partitions);
    let written = records.fetches(OF_EACH, fetches, &mut to);
    written
        .and_then(|()| to.flush())
        .expect("the temporary file is writable");
    drop::<BufWriter<&mut File>>(to);
    let input = file.path().display().to_string();
    let output = replay(&kafka.brokers(), &["replay", &input]).output();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "1000000 = 1000000 delivered");
    let log = read_log(&kafka.brokers(), &records.topic);
    verdict(&Evidence::new(0..RECORDS, &report, &log));
}

fn killed() {
    const RECORDS: u64 = 200_000;
    let mut random = SeededRandom::from_env();
    let kafka = start();
    let records = numbered(&kafka, "killed", 8);
    let brokers = kafka.brokers();
    let mut run = replay(&brokers, &["replay", "-"]).stdin_open().spawn();
    let feeder = Feeder::new(&mut run, &records, RECORDS);
    feeder.allow(RECORDS * 30 / 100);
    wait_for(&mut run, &brokers, &records.topic, 1);
    for round in 1..=5 {
        thread::sleep(random.time(Duration::ZERO..Duration::from_millis(200)));
        kafka.kill9().expect("the broker is there to be killed");
        // What comes while the broker is away is in its queue when the broker is back.
        feeder.allow(RECORDS * (30 + round * 14) / 100);
        thread::sleep(Duration::from_secs(5));
        kafka.restart().expect("the broker starts again");
    }
    let output = run.wait();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "200000 = 200000 delivered");
    let log = read_log(&brokers, &records.topic);
    verdict(&Evidence::new(0..RECORDS, &report, &log));
}

fn frozen() {
    const RECORDS: u64 = 100_000;
    let kafka = start();
    let records = numbered(&kafka, "frozen", 8);
    let brokers = kafka.brokers();
    let mut run = replay(&brokers, &["replay", "-"]).stdin_open().spawn();
    let feeder = Feeder::new(&mut run, &records, RECORDS);
    feeder.allow(RECORDS * 30 / 100);
    wait_for(&mut run, &brokers, &records.topic, 1);
    kafka.pause().expect("the broker is there to be frozen");
    feeder.allow(RECORDS);
    thread::sleep(Duration::from_secs(20));
    assert!(!run.has_ended(), "nothing can be delivered");
    kafka.resume().expect("the broker is there to go on");
    let output = run.wait();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "100000 = 100000 delivered");
    let log = read_log(&brokers, &records.topic);
    verdict(&Evidence::new(0..RECORDS, &report, &log));
}

fn timed_out() {
    const RECORDS: u64 = 100_000;
    let kafka = start();
    let records = numbered(&kafka, "timed-out", 8);
    let brokers = kafka.brokers();
    let artifacts = RunArtifacts::new();
    let file = artifacts.rejects_path();
    let args = ["replay", "-", "--rejects", &file];
    let args = [&args[..], &["-X", "message.timeout.ms=10000"]].concat();
    let mut run = replay(&brokers, &args).stdin_open().spawn();
    let feeder = Feeder::new(&mut run, &records, RECORDS);
    feeder.allow(RECORDS * 30 / 100);
    wait_for(&mut run, &brokers, &records.topic, 1);
    kafka.pause().expect("the broker is there to be frozen");
    feeder.allow(RECORDS * 70 / 100);
    thread::sleep(Duration::from_secs(13));
    kafka.resume().expect("the broker is there to go on");
    // Later records are delivered: a time-out does not end the run.
    feeder.allow(RECORDS);
    let output = run.wait();
    let report = report_of(&output, 1);
    let failed = entry(&report, "not_written") + entry(&report, "unknown");
    assert!(failed > 0, "{report:#}");
    let (log, rejects) = (read_log(&brokers, &records.topic), artifacts.rejects());
    verdict(&Evidence::new(0..RECORDS, &report, &log).rejects(&rejects));
    artifacts.send_again(&brokers, &[]);
    completed(
        &(0..RECORDS),
        &log,
        &rejects,
        &read_log(&brokers, &records.topic),
    );
}
