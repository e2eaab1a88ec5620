//! Speeds: no record is sent early, each pass keeps the rhythm, and what is late is accounted for.

use std::thread;
use std::time::Duration;

use super::{
    TOPIC, after_first, assert_kept, lateness_ms, latest_ms, lines, mock, planned, replay,
    report_of, run, sent,
};
use crate::harness::report::ledger::ledger;
use crate::harness::run::Run;
use crate::harness::verdict::readback::{count, read};
use nix::sys::signal::Signal::{SIGCONT, SIGSTOP};
use serde_json::json;

#[test]
fn at_1x_no_record_is_sent_early_and_partitions_are_merged_by_time() {
    let mock = mock(2);
    let brokers = mock.bootstrap_servers();
    // One partition after the other: 0, 200, .. and 100, 300, ..
    let partition = |p: i32| (0..6).map(move |i| (p, i, i * 200 + i64::from(p) * 100));
    let input = lines(partition(0).chain(partition(1)));
    let output = replay(&brokers, &["--speed", "1x", "--clock", "record"], input);
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "12 = 12 delivered");
    let sent = sent(&brokers);
    assert_kept(&sent, 1, latest_ms(&report));
    let times: Vec<i64> = sent.iter().map(planned).collect();
    assert_eq!(times, (0..12).map(|i| i * 100).collect::<Vec<_>>());
    let timing = &report["timing"];
    assert_eq!(timing["asked"], "1x");
    assert_eq!(
        (&timing["gaps_cut_s"], &timing["clamped"]),
        (&json!(0.0), &json!(0))
    );
    assert!(
        timing["reached"]
            .as_f64()
            .is_some_and(|reached| reached > 0.0 && reached < 1.001)
    );
    // Of each record: acknowledged minus due is sent minus due and acknowledged minus sent.
    let response = timing["response_ms"]["max"].as_f64().expect("a response");
    let latency = report["latency_ms"]["max"].as_f64().expect("a latency");
    assert!(
        response <= lateness_ms(&report, "max") + latency + 0.01,
        "{report:#}"
    );
    assert!(response >= latency, "{report:#}");
}

#[test]
fn at_40x_a_capture_takes_a_fortieth_of_its_time() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    // 40 s.
    let input = lines((0..=20).map(|i| (0, i, i * 2000)));
    let output = replay(&brokers, &["--speed", "40", "--clock", "record"], input);
    let report = report_of(&output, 0);
    let sent = sent(&brokers);
    assert_kept(&sent, 40, latest_ms(&report));
    assert!(output.elapsed < Duration::from_secs(20), "{output:#?}");
    assert_eq!(report["timing"]["asked"], "40x");
}

#[test]
fn each_pass_of_a_loop_keeps_the_rhythm_and_starts_where_the_one_before_ended() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let input = lines([(0, 0, 0), (0, 1, 400), (0, 2, 600)]);
    std::fs::write(folder.path().join("lines"), input).expect("the folder is writable");
    let args = ["replay", "lines", "-b", &brokers, "--report", "json"];
    let flags = ["--speed", "2x", "--clock", "record", "--loop", "3"];
    let run = Run::new([args, flags].concat()).cwd(folder.path());
    let report = report_of(&run.output(), 0);
    assert_eq!(ledger(&report), "9 = 9 delivered");
    assert_eq!(report["passes"], 3);
    let seen = read(&brokers, TOPIC).expect("the topic is readable");
    let values: Vec<i64> = seen.iter().map(planned).collect();
    assert_eq!(values, [0, 400, 600].repeat(3));
    // A pass of 600 ms takes 300 ms at twice the speed, and the next one begins with its end.
    let dues = [0, 200, 300, 300, 500, 600, 600, 800, 900];
    let latest = latest_ms(&report);
    for (due, after) in dues.into_iter().zip(after_first(&seen)) {
        assert!(after >= due - latest - 1, "{after} ms, due at {due}");
        // Each pass begins late by as much as the last record before it was, and by what reading the source again
        // takes, which is a lot on a busy machine.
        assert!(after <= due + 3 * latest + 1500, "{after} ms, due at {due}");
    }
    let reached = report["timing"]["reached"].as_f64().expect("a speed");
    assert!(reached <= 2.01, "{report:#}");
}

#[test]
fn a_speed_that_the_cluster_does_not_keep_up_with_ends_with_what_was_reached_and_why() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    // Five requests of one record each are answered in 200 ms, and ten records wait in the queue at most:
    // the last of 40 is handed over after a second at the earliest, and is due after 3.9 ms.
    let delayed = mock.broker_round_trip_time(1, Duration::from_millis(200));
    delayed.expect("the mock takes a delay");
    let flags = [
        "--speed",
        "100x",
        "--clock",
        "record",
        "-X",
        "batch.num.messages=1",
        "-X",
        "queue.buffering.max.messages=10",
    ];
    let input = lines((0..40).map(|i| (0, i, i * 10)));
    let report = report_of(&replay(&brokers, &flags, input), 0);
    assert_eq!(ledger(&report), "40 = 40 delivered");
    let timing = &report["timing"];
    assert_eq!(timing["asked"], "100x");
    let reached = timing["reached"].as_f64().expect("a speed");
    assert!(reached < 1.0, "{timing:#}");
    assert_eq!(timing["limited_by"], "cluster", "{timing:#}");
    assert!(lateness_ms(&report, "max") > 500.0, "{timing:#}");
}

#[test]
fn a_speed_that_the_input_does_not_keep_up_with_is_limited_by_the_input() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let flags = ["--speed", "1x", "--clock", "record"];
    let mut run = run(&brokers, &flags).stdin_open().spawn();
    run.write_stdin(lines([(0, 0, 0)]).as_bytes());
    run.wait_until("the first record is there", |_| {
        count(&brokers, TOPIC) == Ok(1)
    });
    // The rest is due after 100 ms, and comes later.
    thread::sleep(Duration::from_millis(1500));
    run.write_stdin(lines((1..10).map(|i| (0, i, 100))).as_bytes());
    run.close_stdin();
    let report = report_of(&run.wait(), 0);
    assert_eq!(ledger(&report), "10 = 10 delivered");
    assert_eq!(report["timing"]["limited_by"], "input", "{report:#}");
    let reached = report["timing"]["reached"].as_f64().expect("a speed");
    assert!(reached < 0.1, "{report:#}");
    assert!(lateness_ms(&report, "p50") > 1000.0, "{report:#}");
}

#[test]
fn a_process_that_was_stopped_catches_up_and_says_how_late_it_was() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let mut run = run(&brokers, &["--speed", "1x", "--clock", "record"])
        .stdin_open()
        .spawn();
    run.write_stdin(lines((0..=30).map(|i| (0, i, i * 100))).as_bytes());
    run.close_stdin();
    run.wait_until("the first record is there", |_| {
        count(&brokers, TOPIC) >= Ok(1)
    });
    run.signal(SIGSTOP);
    // Until long after the last record is due.
    thread::sleep(Duration::from_millis(4500));
    run.signal(SIGCONT);
    let report = report_of(&run.wait_within(Duration::from_secs(20)), 0);
    assert_eq!(ledger(&report), "31 = 31 delivered");
    assert!(lateness_ms(&report, "max") >= 1000.0, "{report:#}");
    let values: Vec<i64> = read(&brokers, TOPIC)
        .expect("readable")
        .iter()
        .map(planned)
        .collect();
    assert!(values.is_sorted(), "{values:?}");
}
