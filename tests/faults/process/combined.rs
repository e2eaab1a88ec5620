//! Several faults at once: answers are lost, the broker freezes, and then the run is interrupted twice.
//! Records reported as not written must stay out of the log even if they were in flight before.

use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal::SIGINT;

use crate::cluster::broker::{numbered, read_log, wait_for};
use crate::cluster::network::behind;
use crate::harness::capture::seed::SeededRandom;
use crate::harness::faults::proxy::{NetworkFault, Proxy};
use crate::harness::kafka::Kafka;
use crate::harness::report::ledger::entry;
use crate::harness::run::report as report_in;
use crate::harness::verdict::{Evidence, completed, verdict};
use crate::process::artifacts::RunArtifacts;
use crate::process::interruption::Remember;
use crate::process::source::{Feeder, Numbered};
use crate::{FaultTrial, Takes, replay};

pub(crate) const CASES: &[FaultTrial] = &[
    (
        "a_double_interruption_during_lost_answers_and_a_frozen_broker_leaves_a_true_report",
        Takes::Patience,
        faults_combined,
    ),
    (
        "records_that_time_out_during_lost_answers_are_named_and_none_is_repeated",
        Takes::Patience,
        time_outs,
    ),
];

/// Cuts without end.
fn cutting() -> NetworkFault {
    NetworkFault {
        cut_after: Some(64 << 10..1 << 20),
        cuts: u64::MAX,
        rate: None,
        ..NetworkFault::default()
    }
}

fn faults_combined() {
    const RUNS: u64 = 8;
    let (kafka, proxy) = behind(cutting());
    let first = SeededRandom::from_env().seed();
    let unknown: u64 = (first..first + RUNS)
        .map(|seed| combine_faults(&kafka, &proxy, seed))
        .sum();
    assert!(unknown > 0, "nothing was in flight");
    assert!(proxy.lost_answers() > 0, "{proxy:?}");
}

/// One replay that is interrupted twice in the middle; returns how many records it calls unknown.
fn combine_faults(kafka: &Kafka, proxy: &Proxy, seed: u64) -> u64 {
    const RECORDS: u64 = 50_000;
    let mut random = SeededRandom::new(seed);
    let moments = [0, 200, 300].map(|ms| {
        let longest = Duration::from_millis(ms + 100);
        random.time(Duration::ZERO..longest)
    });
    let _remember = Remember(format!("KREPLAY_TEST_SEED={seed}: moments {moments:?}"));
    let records = Numbered {
        bytes: 800,
        ..numbered(kafka, "combined", 4)
    };
    let (brokers, topic, artifacts) = (kafka.brokers(), &records.topic, RunArtifacts::new());
    let file = artifacts.rejects_path();
    let args = ["replay", "-", "--rejects", &file];
    let mut run = replay(&proxy.address(), &args).stdin_open().spawn();
    let feeder = Feeder::new(&mut run, &records, RECORDS);
    feeder.allow(RECORDS);
    wait_for(&mut run, &brokers, topic, 1);
    thread::sleep(moments[0]);
    kafka.pause().expect("the broker is there to be frozen");
    for moment in &moments[1..] {
        thread::sleep(*moment);
        run.signal(SIGINT);
    }
    let output = run.wait();
    kafka.resume().expect("the broker is there to go on");
    // What the broker has received is in its log soon after.
    thread::sleep(Duration::from_millis(500));
    assert_eq!(output.code, 130, "{output:#?}");
    let report = report_in(&output);
    let (log, rejects) = (read_log(&brokers, topic), artifacts.rejects());
    verdict(&Evidence::new(0..RECORDS, &report, &log).rejects(&rejects));
    artifacts.send_again(&brokers, &[]);
    let found = entry(&report, "found");
    completed(&(0..found), &log, &rejects, &read_log(&brokers, topic));
    entry(&report, "unknown")
}

fn time_outs() {
    const RECORDS: u64 = 60_000;
    let mut random = SeededRandom::from_env();
    let (kafka, proxy) = behind(cutting());
    let records = Numbered {
        bytes: 800,
        ..numbered(&kafka, "time-outs", 4)
    };
    let (brokers, topic, artifacts) = (kafka.brokers(), &records.topic, RunArtifacts::new());
    let file = artifacts.rejects_path();
    let args = ["replay", "-", "--rejects", &file];
    let args = [&args[..], &["-X", "message.timeout.ms=2500"]].concat();
    let mut run = replay(&proxy.address(), &args).stdin_open().spawn();
    let feeder = Feeder::paced(&mut run, &records, RECORDS, Some(6000));
    feeder.allow(RECORDS);
    wait_for(&mut run, &brokers, topic, 1);
    for _ in 0..3 {
        thread::sleep(random.time(Duration::ZERO..Duration::from_millis(500)));
        kafka.pause().expect("the broker is there to be frozen");
        thread::sleep(
            Duration::from_millis(2000) + random.time(Duration::ZERO..Duration::from_secs(2)),
        );
        kafka.resume().expect("the broker is there to go on");
    }
    let output = run.wait();
    let report = report_in(&output);
    let (log, rejects) = (read_log(&brokers, topic), artifacts.rejects());
    verdict(&Evidence::new(0..RECORDS, &report, &log).rejects(&rejects));
    assert!(entry(&report, "unknown") > 0, "{report:#}");
    artifacts.send_again(&brokers, &[]);
    completed(&(0..RECORDS), &log, &rejects, &read_log(&brokers, topic));
}
