//! What the line of a replay says: a broker that goes away, the time that is left, records that are late.

use std::time::Duration;

use super::terminal::{TerminalRun, drawn};
use super::{TOPIC, capture_of, lines};
use crate::harness::MockKafka;
use rdkafka::mocking::MockCluster;

/// What Ctrl-C sends.
const CTRL_C: &[u8] = b"\x03";

fn mock() -> MockKafka {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    cluster.create_topic(TOPIC, 1, 1).expect("a topic");
    cluster
}

/// A replay whose broker goes away, then Ctrl-C twice.
fn lose_the_broker(columns: u16, waiting: &str) {
    let mock = mock();
    let folder = capture_of(lines((0..2000).map(|_| 0)));
    let args = [
        "replay",
        "capture.jsonl",
        "-b",
        &mock.bootstrap_servers(),
        "--rate",
        "20/s",
    ];
    let mut run = TerminalRun::kreplay(columns, folder.path(), &args);
    let delivers = |line: &str| !line.contains(" 0 delivered") && !line.starts_with("0 delivered");
    let line = run.wait_for_line("some are delivered", delivers);
    assert!(line.contains("delivered"), "{line}");
    drop(mock);
    // The seconds are counted on the same line.
    for seconds in ["6s", "7s"] {
        let expected = waiting.replace("SECONDS", seconds);
        run.wait_for_line(&expected, |line| line.ends_with(&expected));
    }
    run.press(CTRL_C);
    let draining = "draining, Ctrl-C again to stop at once";
    run.wait_for_line(draining, |line| line.ends_with(draining));
    run.press(CTRL_C);
    let (code, shown) = run.end();
    assert_eq!(code, 130, "{shown:?}");
    let erased = shown.rfind("\x1b[2K").expect("the line is erased");
    assert!(
        shown[erased..].contains("interrupted: delivered "),
        "{shown:?}"
    );
}

#[test]
fn a_broker_that_goes_away_is_named_on_the_line_and_an_interruption_says_what_it_does() {
    lose_the_broker(
        80,
        "waiting for the cluster for SECONDS: connection refused",
    );
}

#[test]
fn a_narrow_terminal_shows_how_long_a_broker_is_gone() {
    lose_the_broker(40, "waiting for the cluster for SECONDS");
}

#[test]
fn the_time_that_is_left_is_that_of_the_schedule() {
    let hour = 3_600_000;
    let folder = capture_of(lines([0, hour]));
    let timed = ["replay", "capture.jsonl", "--rehearse", "--clock", "record"];
    // All of these have sent one record, and wait for the next.
    for (flags, expected) in [
        (&["--speed", "1x"][..], "ETA 59m "),
        (&["--speed", "0.5x"], "ETA 1h 59m"),
        (&["--speed", "1x", "--for", "20m"], "ETA 19m "),
        (&["--speed", "1x", "--loop", "3"], "ETA 2h 59m"),
        (&["--speed", "1x", "--loop", "--for", "2h"], "ETA 1h 59m"),
    ] {
        for columns in [80, 40] {
            let args = [&timed[..], flags].concat();
            let mut run = TerminalRun::kreplay(columns, folder.path(), &args);
            run.wait_for_line(expected, |line| {
                line.contains("1 delivered") && line.contains(expected)
            });
            run.press(CTRL_C);
            let (code, shown) = run.end();
            assert_eq!(code, 130, "{shown:?}");
        }
    }
}

#[test]
fn records_that_are_late_by_more_than_a_second_are_called_late() {
    let mock = mock();
    // Five requests of one record each are answered in 200 ms, and ten records wait in the queue at most: the
    // last of 100 is handed over after more than three seconds, and is due after one.
    let delayed = mock.broker_round_trip_time(1, Duration::from_millis(200));
    delayed.expect("the mock takes a delay");
    let folder = capture_of(lines((0..100).map(|n| n * 10)));
    let args = [
        "replay",
        "capture.jsonl",
        "-b",
        &mock.bootstrap_servers(),
        "--speed",
        "1x",
        "--clock",
        "record",
        "-X",
        "batch.num.messages=1",
        "-X",
        "queue.buffering.max.messages=10",
    ];
    let mut run = TerminalRun::kreplay(80, folder.path(), &args);
    run.wait_for_line("it is late", |line| line.contains("s late"));
    let (code, shown) = run.end();
    assert_eq!(code, 0, "{shown:?}");
    let late = drawn(&shown).into_iter().filter_map(|line| {
        let before = line
            .split("s late")
            .next()
            .filter(|before| *before != line)?;
        before.rsplit(' ').next()?.parse::<u64>().ok()
    });
    // What is late by less is not called so.
    assert!(late.min() >= Some(1), "{shown:?}");
}
