//! Signals at any moment of a replay into a real broker: the report is true of the log each time.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal::{self, SIGINT, SIGKILL, SIGTERM};
use tempfile::NamedTempFile;

use crate::again::Leavings;
use crate::broker::{numbered, read_log, start};
use crate::harness::dice::Dice;
use crate::harness::kafka::Kafka;
use crate::harness::run::report;
use crate::harness::verdict::{Evidence, verdict};
use crate::source::Feeder;
use crate::{Case, Takes, replay, report_of};

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
        "ten_terminations_leave_a_true_report",
        Takes::Seconds,
        || many(10, &[SIGTERM]),
    ),
    (
        "a_replay_that_is_killed_goes_on_by_its_journal",
        Takes::Seconds,
        killed,
    ),
];

/// Kills replays of a file at any moment, and goes on by their journals.
fn killed() {
    const RECORDS: u64 = 100_000;
    const RUNS: u64 = 6;
    let kafka = start();
    let brokers = kafka.brokers();
    let first = Dice::from_env().seed();
    let mut skipped = 0;
    for seed in first..first + RUNS {
        let mut dice = Dice::new(seed);
        let moment = dice.time(Duration::from_millis(50)..Duration::from_millis(600));
        let _remember = Remember(format!("KREPLAY_TEST_SEED={seed}: killed after {moment:?}"));
        let records = numbered(&kafka, "resumed", 4);
        let (mut input, leavings) = (NamedTempFile::new().expect("a file"), Leavings::new());
        let lines = records.lines(0..RECORDS);
        let written = input.write_all(lines.as_bytes());
        written.expect("the temporary file is writable");
        let (input, journal) = (input.path().display(), leavings.journal_path());
        let input = input.to_string();
        let args = ["records", &input, "--resume", &journal];
        let run = replay(&brokers, &args).spawn();
        thread::sleep(moment);
        run.signal(SIGKILL);
        run.wait();
        let report = report_of(&replay(&brokers, &args).output(), 0);
        let resume = &report["resume"];
        let may_repeat = resume["may_repeat"].as_u64().expect("a number");
        skipped += resume["skipped"].as_u64().expect("a number");
        let log = read_log(&brokers, &records.topic);
        verdict(&Evidence::new(0..RECORDS, &report, &log).repeats(may_repeat));
        // A run that is complete has nothing to go on with.
        let report = report_of(&replay(&brokers, &args).output(), 0);
        assert_eq!(report["resume"]["may_repeat"], 0, "{report:#}");
        let after = read_log(&brokers, &records.topic);
        assert_eq!(after.len(), log.len(), "{report:#}");
    }
    assert!(skipped > 0, "no run was killed in the middle");
}

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
    let leavings = Leavings::new();
    let file = leavings.rejects_path();
    let args = ["records", "-", "--rejects", &file];
    let mut run = replay(&brokers, &args).stdin_open().spawn();
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
    let rejects = leavings.rejects();
    verdict(&Evidence::new(0..meeting.records, &report, &log).rejects(&rejects));
    u64::from(interrupted)
}

/// When a signal comes after the one before it, or after the start.
const MOMENTS: std::ops::Range<Duration> = Duration::ZERO..Duration::from_millis(600);
