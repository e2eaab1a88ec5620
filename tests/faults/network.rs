//! A network that cuts connections, so that answers are lost, or that lets little through.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};

use crate::broker::{numbered, read_log};
use crate::harness::dice::Dice;
use crate::harness::kafka::{Kafka, KafkaOptions};
use crate::harness::proxy::{Proxy, Trouble};
use crate::harness::verdict::{Evidence, Log, verdict, violations};
use crate::ledger::ledger;
use crate::source::{Feeder, Filling, Numbered};
use crate::{Case, Takes, replay, report_of};

pub(crate) const CASES: &[Case] = &[
    (
        "connections_that_are_cut_fifty_times_lose_and_repeat_nothing",
        Takes::Seconds,
        cut,
    ),
    (
        "a_slow_network_is_waited_for_and_memory_stays_bounded",
        Takes::Patience,
        slow,
    ),
];

/// The listener that is behind the proxy.
const PROXIED: &str = "PROXIED";

/// A broker whose clients stay behind a proxy when they come through it.
fn behind(trouble: Trouble) -> (Kafka, Proxy) {
    let proxy = Proxy::bind(trouble, Dice::from_env()).expect("a free port");
    let options = KafkaOptions {
        listeners: vec![(PROXIED.to_owned(), "PLAINTEXT".to_owned())],
        advertised: vec![(PROXIED.to_owned(), proxy.port())],
        ..KafkaOptions::default()
    };
    let kafka = Kafka::start_with(&options).expect("Kafka starts");
    let broker = kafka.brokers_at(PROXIED).expect("the listener is there");
    proxy.forward_to(&broker);
    (kafka, proxy)
}

/// Cuts fifty connections, each after 64 KiB to 2 MiB.
fn fifty_cuts() -> Trouble {
    Trouble {
        cut_after: Some(64 << 10..2 << 20),
        cuts: 50,
        rate: None,
    }
}

fn cut() {
    const RECORDS: u64 = 100_000;
    let (kafka, proxy) = behind(fifty_cuts());
    let records = Numbered {
        bytes: 800,
        ..numbered(&kafka, "cut", 8)
    };
    let mut run = replay(&proxy.address(), &["records", "-"])
        .stdin_open()
        .spawn();
    let feeder = Feeder::new(&mut run, &records, RECORDS);
    feeder.allow(RECORDS);
    let output = run.wait();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "100000 = 100000 delivered");
    assert_eq!(proxy.cuts(), 50);
    assert!(proxy.lost_answers() >= 20, "{proxy:?}");
    let log = read_log(&kafka.brokers(), &records.topic);
    verdict(&Evidence::new(0..RECORDS, &report, &log));
}

fn slow() {
    const RECORDS: u64 = 50_000;
    let trouble = Trouble {
        rate: Some(256_000),
        ..Trouble::default()
    };
    let (kafka, proxy) = behind(trouble);
    let records = Numbered {
        bytes: 1000,
        filling: Filling::Words,
        ..numbered(&kafka, "slow", 8)
    };
    let mut run = replay(&proxy.address(), &["records", "-"])
        .stdin_open()
        .spawn();
    let feeder = Feeder::new(&mut run, &records, RECORDS);
    feeder.allow(RECORDS);
    let mut peak = 0;
    while !run.has_ended() {
        peak = peak.max(run.peak_memory());
        thread::sleep(Duration::from_millis(20));
    }
    let output = run.wait();
    eprintln!("peak {} MiB, elapsed {:?}", peak >> 20, output.elapsed);
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "50000 = 50000 delivered");
    let log = read_log(&kafka.brokers(), &records.topic);
    verdict(&Evidence::new(0..RECORDS, &report, &log));
}
