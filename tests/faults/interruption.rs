//! Signals at any moment of a replay into a real broker: the report is true of the log each time.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal::{self, SIGINT, SIGTERM};

use crate::broker::{numbered, read_log, start};
use crate::harness::dice::Dice;
use crate::harness::kafka::Kafka;
use crate::harness::run::report;
use crate::harness::verdict::{Evidence, verdict};
use crate::source::Feeder;
use crate::{Case, Takes, replay};

pub(crate) const CASES: &[Case] = &[
    (
        "a_hundred_interruptions_at_any_moment_leave_a_true_report",
        Takes::Patience,
        || many(100, &[SIGINT]),
    ),
    (
        "twenty_double_interruptions_leave_a_true_report",
        Takes::Patience,
        || many(20, &[SIGINT, SIGINT]),
    ),
    (
        "twenty_terminations_leave_a_true_report",
        Takes::Seconds,
        || many(20, &[SIGTERM]),
    ),
];

/// Tells how to repeat what failed.
struct Remember(String);

impl Drop for Remember {
    fn drop(&mut self) {
        if thread::panicking() {
            writeln!(io::stderr(), "{}", self.0).ok();
        }
    }
}

/// Interrupts so many replays with these signals, two replays at a time.
fn many(runs: u64, signals: &[Signal]) {
    let kafka = start();
    let seed = Dice::from_env().seed();
    let next = AtomicU64::new(0);
    let interrupted: u64 = thread::scope(|scope| {
        let work = || {
            let mut interrupted = 0;
            loop {
                let n = next.fetch_add(1, Ordering::SeqCst);
                if n >= runs {
                    return interrupted;
                }
                interrupted += interrupt(&kafka, seed + n, signals);
            }
        };
        let workers = [scope.spawn(work), scope.spawn(work)];
        let ended = workers.into_iter().map(thread::ScopedJoinHandle::join);
        ended
            .map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .sum()
    });
    // The others were over before the signal, or had not begun.
    assert!(interrupted >= runs / 2, "{interrupted} of {runs}");
}

/// How a replay is met: in the middle of a slow source, or with everything in its queue.
struct Meeting {
    records: u64,
    /// Records a second.
    rate: Option<u64>,
}

/// Interrupts one replay; returns 1 when that kept something from being sent.
fn interrupt(kafka: &Kafka, seed: u64, signals: &[Signal]) -> u64 {
    let mut dice = Dice::new(seed);
    let meeting = match dice.number(0..2) {
        0 => Meeting {
            records: 3000,
            rate: Some(4000),
        },
        _ => Meeting {
            records: 50_000,
            rate: None,
        },
    };
    let moments = signals.iter();
    let moments = moments.map(|signal| (*signal, dice.time(MOMENTS)));
    let moments: Vec<(Signal, Duration)> = moments.collect();
    let _remember = Remember(format!(
        "KREPLAY_TEST_SEED={seed}: {moments:?}, {} records at {:?} a second",
        meeting.records, meeting.rate
    ));
    let records = numbered(kafka, "interrupted", 4);
    let brokers = kafka.brokers();
    let mut run = replay(&brokers, &["records", "-"]).stdin_open().spawn();
    let feeder = Feeder::paced(&mut run, &records, meeting.records, meeting.rate);
    feeder.allow(meeting.records);
    let mut sent = Vec::new();
    for (signal, moment) in moments {
        thread::sleep(moment);
        if !run.has_ended() {
            run.signal(signal);
            sent.push(signal);
        }
    }
    let output = run.wait();
    let log = read_log(&brokers, &records.topic);
    if sent.iter().any(|signal| output.code == -(*signal as i32)) {
        // It came before kreplay was ready for it.
        assert_eq!((log.len(), output.stdout.as_str()), (0, ""));
        return 0;
    }
    let codes = sent.first().map(|signal| 128 + *signal as i32);
    let report = report(&output);
    let interrupted = report["interrupted"] == true;
    let expected = codes.filter(|_| interrupted).unwrap_or(0);
    assert_eq!(output.code, expected, "{output:#?}");
    verdict(&Evidence::new(0..meeting.records, &report, &log));
    u64::from(interrupted)
}

/// When a signal comes after the one before it, or after the start.
const MOMENTS: std::ops::Range<Duration> = Duration::ZERO..Duration::from_millis(600);
