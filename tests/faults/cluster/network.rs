//! A network that cuts connections, so that answers are lost, or that lets little through.

use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::Duration;

use crate::cluster::broker::{numbered, read_log};
use crate::harness::capture::seed::SeededRandom;
use crate::harness::faults::proxy::{NetworkFault, Proxy};
use crate::harness::kafka::{Kafka, KafkaOptions};
use crate::harness::report::ledger::ledger;
use crate::harness::run::Run;
use crate::harness::verdict::{Evidence, verdict, violations};
use crate::process::source::{Feeder, Filling, Numbered};
use crate::{FaultTrial, Takes, replay, report_of};

pub(crate) const CASES: &[FaultTrial] = &[
    (
        "connections_that_are_cut_fifty_times_lose_and_repeat_nothing",
        Takes::Patience,
        cut,
    ),
    (
        "the_same_cuts_repeat_records_of_a_producer_without_idempotence",
        Takes::Patience,
        a_plain_producer_repeats_records,
    ),
    (
        "an_advertised_address_that_refuses_is_named_within_seconds",
        Takes::Patience,
        misadvertised,
    ),
    (
        "a_slow_network_is_waited_for_and_memory_stays_bounded",
        Takes::Patience,
        slow,
    ),
];

/// The listener that is behind the proxy.
const PROXIED: &str = "PROXIED";

/// A broker whose clients stay behind a proxy if they came through it.
pub(crate) fn behind(fault: NetworkFault) -> (Kafka, Proxy) {
    let proxy = Proxy::bind(fault, SeededRandom::from_env()).expect("a free port");
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
fn fifty_cuts() -> NetworkFault {
    NetworkFault {
        cut_after: Some(64 << 10..2 << 20),
        cuts: 50,
        rate: None,
        ..NetworkFault::default()
    }
}

fn cut() {
    const RECORDS: u64 = 100_000;
    let (kafka, proxy) = behind(fifty_cuts());
    let records = Numbered {
        bytes: 800,
        ..numbered(&kafka, "cut", 8)
    };
    let mut run = replay(&proxy.address(), &["replay", "-"])
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

/// Shows that the trial above can fail: the same fault, and a producer that just tries again.
fn a_plain_producer_repeats_records() {
    const RECORDS: u64 = 20_000;
    let (kafka, proxy) = behind(fifty_cuts());
    let records = Numbered {
        bytes: 800,
        ..numbered(&kafka, "cut-plain", 8)
    };
    let args = ["replay", "-", "--no-idempotence"];
    let mut run = replay(&proxy.address(), &args).stdin_open().spawn();
    let feeder = Feeder::new(&mut run, &records, RECORDS);
    feeder.allow(RECORDS);
    let output = run.wait();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "20000 = 20000 delivered");
    assert!(proxy.lost_answers() > 0, "{proxy:?}");
    let log = read_log(&kafka.brokers(), &records.topic);
    let wrong = violations(&Evidence::new(0..RECORDS, &report, &log));
    let twice = |wrong: &String| wrong.starts_with("in the log twice: ");
    assert!(wrong.iter().any(twice), "{wrong:?}");
}

fn slow() {
    // 200 MB, of which 5 MB are sent when they are compressed.
    const RECORDS: u64 = 200_000;
    // Less than the input, which a queue without a bound would hold by then.
    const BOUND: u64 = 160 << 20;
    let fault = NetworkFault {
        rate: Some(256_000),
        ..NetworkFault::default()
    };
    let (kafka, proxy) = behind(fault);
    let records = Numbered {
        bytes: 1000,
        filling: Filling::Words,
        ..numbered(&kafka, "slow", 8)
    };
    let mut run = replay(&proxy.address(), &["replay", "-"])
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
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "200000 = 200000 delivered");
    assert!((1..BOUND).contains(&peak), "{peak} bytes at most");
    let log = read_log(&kafka.brokers(), &records.topic);
    verdict(&Evidence::new(0..RECORDS, &report, &log));
}

/// Takes the last two lines off: the times of a shell and those of its children (POSIX, `times`), user
/// and system; returns the sum of the latter.
fn take_times(stderr: &mut String) -> Duration {
    let mut lines: Vec<&str> = stderr.lines().collect();
    let children = lines.pop().expect("the times of its children");
    lines.pop().expect("the shell's own times");
    let seconds = |time: &str| {
        let (minutes, seconds) = time.trim_end_matches('s').split_once('m')?;
        Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
    };
    let times = children
        .split(' ')
        .map(|time| seconds(time).expect("`0m0.00s`"));
    let times = Duration::from_secs_f64(times.sum());
    *stderr = lines.into_iter().flat_map(|line| [line, "\n"]).collect();
    times
}

/// A broker answers and sends its clients to a port that nobody listens on.
fn misadvertised() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = closed.local_addr().expect("an address").port();
    drop(closed);
    let options = KafkaOptions {
        listeners: vec![(PROXIED.to_owned(), "PLAINTEXT".to_owned())],
        advertised: vec![(PROXIED.to_owned(), port)],
        ..KafkaOptions::default()
    };
    let kafka = Kafka::start_with(&options).expect("Kafka starts");
    let brokers = kafka.brokers_at(PROXIED).expect("the listener is there");
    for more in [&["-t", "any"][..], &["-t", "any", "--create-topics"]] {
        // At its end the shell prints what its children have used.
        let script = r#""$@"; code=$?; times >&2; exit $code"#;
        let kreplay = env!("CARGO_BIN_EXE_kreplay");
        let flags = ["-b", &brokers, "--report", "json"];
        let args = [&["-c", script, "sh", kreplay, "replay", "-"], more, &flags].concat();
        let mut output = Run::program("sh", args)
            .stdin("{\"value\":\"v\"}\n")
            .output();
        report_of(&output, 3);
        // A wait of some seconds uses a part of it; a loop that does not wait would use all of it.
        let cpu = take_times(&mut output.stderr);
        assert!(cpu < Duration::from_millis(1000), "{cpu:?}: {output:#?}");
        let expected = format!(
            "kreplay: no broker of {brokers} could be used: 127.0.0.1:{port} (advertised by the \
             cluster): connection refused\nhint: see `advertised.listeners` of the brokers\n"
        );
        assert_eq!(output.stderr, expected);
        // librdkafka alone tries for `message.timeout.ms`, five minutes.
        assert!(output.elapsed < Duration::from_secs(30), "{output:#?}");
    }
}
