//! Signals while records are in flight: a first one waits for them, a second one does not.

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::Duration;

use super::{AT_ONCE, MockBroker, SIGNALS, TOPIC, end, interrupted};
use crate::harness::capture::numbered_lines;
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::run::{Run, report};
use crate::harness::verdict::readback::count;
use nix::sys::signal::Signal::{SIGINT, SIGTERM};

#[test]
fn an_interruption_in_full_flow_accounts_for_every_record() {
    const RECORDS: u64 = 60_000;
    let lines = numbered_lines(TOPIC, 0..RECORDS);
    for (i, (signal, code)) in (0..).zip([SIGNALS, SIGNALS].concat()) {
        let mock = MockBroker::start();
        // A request for each record makes it slow enough to be interrupted in the middle; a short queue lets
        // it end soon after.
        let args = ["replay", "-", "-b", &mock.brokers(), "--report", "json"];
        let slow = [
            "-X",
            "batch.num.messages=1",
            "-X",
            "queue.buffering.max.messages=1000",
        ];
        let args = args.into_iter().chain(slow);
        let mut run = Run::new(args).stdin(lines.clone()).spawn();
        run.wait_until("its first records are there", |_| {
            count(&mock.brokers(), TOPIC).is_ok_and(|there| there > 0)
        });
        thread::sleep(Duration::from_millis(50 * i));
        run.signal(signal);
        let output = run.wait();
        let report = interrupted(&output, code);
        let found = ledger(&report);
        let complete = entry(&report, "found") == RECORDS;
        assert!(
            complete || report["source"]["complete"] == false,
            "{report:#}"
        );
        let (delivered, unknown) = (entry(&report, "delivered"), entry(&report, "unknown"));
        let numbers = mock.numbers();
        let there = numbers.len() as u64;
        // The mock keeps 5 MiB of a partition, more than these records are.
        assert!(
            (delivered..=delivered + unknown).contains(&there),
            "{there} there: {found}"
        );
        assert_eq!(
            numbers,
            (0..there).collect::<Vec<_>>(),
            "each once and in order"
        );
    }
}

#[test]
fn a_first_signal_waits_for_records_in_flight() {
    for (signal, code) in SIGNALS {
        let mock = MockBroker::start();
        let mut run = mock.replay(100);
        mock.delay(Duration::from_millis(1500));
        run.write_stdin(numbered_lines(TOPIC, 100..300).as_bytes());
        thread::sleep(Duration::from_millis(400));
        run.signal(signal);
        let (output, _) = end(run, Duration::from_secs(4));
        let report = interrupted(&output, code);
        assert_eq!(ledger(&report), "300 = 300 delivered");
        mock.delay(Duration::ZERO);
        assert_eq!(mock.numbers(), (0..300).collect::<Vec<_>>());
    }
}

#[test]
fn a_second_signal_leaves_at_once_with_a_report() {
    for (first, second, code) in [
        (SIGINT, SIGINT, 130),
        (SIGINT, SIGTERM, 130),
        (SIGTERM, SIGINT, 143),
    ] {
        let mock = MockBroker::start();
        let mut run = mock.replay(100);
        mock.delay(Duration::from_secs(60));
        run.write_stdin(numbered_lines(TOPIC, 100..300).as_bytes());
        thread::sleep(Duration::from_millis(400));
        run.signal(first);
        thread::sleep(Duration::from_millis(400));
        assert!(
            !run.has_ended(),
            "the first signal waits for what is in flight"
        );
        run.signal(second);
        let (output, _) = end(run, Duration::from_secs(3));
        let report = interrupted(&output, code);
        ledger(&report);
        assert_eq!(entry(&report, "found"), 300);
        assert_eq!(entry(&report, "delivered"), 100);
        assert!(entry(&report, "unknown") > 0, "{report:#}");
    }
}

#[test]
fn a_signal_after_everything_was_sent_changes_nothing() {
    for (signal, _) in SIGNALS {
        let mock = MockBroker::start();
        let mut run = mock.replay(100);
        mock.delay(Duration::from_secs(2));
        run.write_stdin(numbered_lines(TOPIC, 100..150).as_bytes());
        run.close_stdin();
        thread::sleep(Duration::from_millis(500));
        assert!(!run.has_ended(), "it waits for the answer");
        run.signal(signal);
        let output = run.wait();
        assert_eq!(output.code, 0, "{output:#?}");
        let report = report(&output);
        assert_eq!(ledger(&report), "150 = 150 delivered");
        assert_eq!(report["interrupted"], false);
        assert_eq!(report["source"]["complete"], true);
    }
}

#[test]
fn a_signal_while_no_broker_answers_ends_at_once_with_a_report() {
    for (signal, code) in SIGNALS {
        // Takes connections and never answers.
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let brokers = silent.local_addr().expect("its address").to_string();
        let args = ["replay", "-", "-b", &brokers, "--report", "json"];
        let run = Run::new(args).stdin_open().spawn();
        let (mut connection, _) = silent.accept().expect("kreplay connects");
        connection.read_exact(&mut [0; 4]).expect("kreplay asks");
        run.signal(signal);
        let (output, _) = end(run, AT_ONCE);
        let report = interrupted(&output, code);
        assert_eq!(ledger(&report), "0 = ");
    }
}

#[test]
fn only_records_that_a_broker_answered_are_counted_as_answered() {
    let mock = MockBroker::start();
    let brokers = mock.brokers();
    let args = ["replay", "-", "-b", &brokers, "--report", "json"];
    // Without idempotence librdkafka watches the time, and gives records up while kreplay drains.
    let more = ["--no-idempotence", "-X", "message.timeout.ms=1500"];
    let args = args.into_iter().chain(more);
    let mut run = Run::new(args).stdin_open().spawn();
    run.write_stdin(numbered_lines(TOPIC, 0..100).as_bytes());
    run.wait_until("its first records are there", |_| mock.holds(100));
    mock.delay(Duration::from_secs(60));
    run.write_stdin(numbered_lines(TOPIC, 100..300).as_bytes());
    thread::sleep(Duration::from_millis(400));
    run.signal(SIGINT);
    let output = run.wait();
    let report = interrupted(&output, 130);
    assert_eq!(entry(&report, "delivered"), 100, "{report:#}");
    let placed = &report["placement"];
    let placed = [
        placed["kept"].as_u64(),
        placed["by_key"].as_u64(),
        placed["spread"].as_u64(),
    ];
    assert_eq!(placed.into_iter().flatten().sum::<u64>(), 100, "{report:#}");
    let drain = &report["drain"];
    assert_eq!(drain["answered"], 0, "{drain:#}");
    assert!(drain["given_up"].as_u64() > Some(0), "{drain:#}");
    let unsent = entry(&report, "unsent");
    let all = drain.as_object().expect("an object").values();
    let all: u64 = all.map(|n| n.as_u64().expect("a count")).sum();
    assert_eq!(all + unsent, 200, "{report:#}");
}
