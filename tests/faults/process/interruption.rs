//! Signals at any moment of a replay into a real broker: the report must match the log each time.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal::{self, SIGINT, SIGKILL, SIGTERM};
use tempfile::NamedTempFile;

use crate::cluster::broker::{numbered, read_log, start, wait_for};
use crate::harness::capture::seed::SeededRandom;
use crate::harness::kafka::Kafka;
use crate::harness::report::ledger::entry;
use crate::harness::run::report as report_in;
use crate::harness::verdict::{Evidence, Repeats, verdict};
use crate::process::artifacts::RunArtifacts;
use crate::process::source::Feeder;
use crate::{FaultTrial, Takes, replay, report_of};

pub(crate) const CASES: &[FaultTrial] = &[
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
        "a_second_interruption_leaves_a_frozen_cluster_at_once",
        Takes::Seconds,
        frozen,
    ),
    (
        "a_replay_that_is_killed_goes_on_by_its_journal",
        Takes::Seconds,
        || resumed(SIGKILL, 5),
    ),
    (
        "a_replay_that_is_interrupted_goes_on_by_its_journal",
        Takes::Seconds,
        || resumed(SIGINT, 3),
    ),
];

/// Freezes the broker during a replay and interrupts that twice: the report names what was not answered, and
/// the log, once it can be read, matches the report.
fn frozen() {
    const RECORDS: u64 = 20_000;
    let kafka = start();
    let records = numbered(&kafka, "frozen-twice", 4);
    let (brokers, artifacts) = (kafka.brokers(), RunArtifacts::new());
    let (file, journal) = (artifacts.rejects_path(), artifacts.journal_path());
    let args = ["replay", "-", "--rejects", &file, "--resume", &journal];
    let mut run = replay(&brokers, &args).stdin_open().spawn();
    let feeder = Feeder::new(&mut run, &records, RECORDS);
    feeder.allow(RECORDS / 2);
    wait_for(&mut run, &brokers, &records.topic, RECORDS / 2);
    kafka.pause().expect("the broker is there to be frozen");
    feeder.allow(RECORDS);
    thread::sleep(Duration::from_secs(1));
    run.signal(SIGINT);
    thread::sleep(Duration::from_millis(500));
    assert!(!run.has_ended(), "the first signal waits for answers");
    run.signal(SIGINT);
    let second = Instant::now();
    let output = run.wait();
    // A second, and as much again for a busy machine.
    assert!(second.elapsed() < Duration::from_secs(2), "{output:#?}");
    kafka.resume().expect("the broker is there to go on");
    let report = report_of(&output, 130);
    let delivered = entry(&report, "delivered");
    assert_eq!(delivered, RECORDS / 2, "{report:#}");
    assert!(entry(&report, "unknown") > 0, "{report:#}");
    let kept = &report["placement"]["kept"];
    assert_eq!(kept.as_u64(), Some(delivered), "{report:#}");
    let found = entry(&report, "found");
    let rejects = artifacts.rejects();
    assert_eq!(rejects.len(), found - delivered, "{report:#}");
    let log = read_log(&brokers, &records.topic);
    verdict(&Evidence::new(0..found, &report, &log).rejects(&rejects));
}

/// Ends replays of a file at any moment by this signal, and continues by their journals.
fn resumed(signal: Signal, runs: u64) {
    let kafka = start();
    let first = SeededRandom::from_env().seed();
    let skipped: u64 = (first..first + runs)
        .map(|seed| resume(&kafka, seed, signal))
        .sum();
    assert!(skipped > 0, "no run was ended in the middle");
}

/// Ends one replay and continues; returns how many records were delivered before.
fn resume(kafka: &Kafka, seed: u64, signal: Signal) -> u64 {
    const RECORDS: u64 = 100_000;
    let mut random = SeededRandom::new(seed);
    let moment = random.time(Duration::from_millis(50)..Duration::from_millis(600));
    let kind = ["records", "raw"][usize::from(random.number(0..2) == 1)];
    let _remember = Remember(format!(
        "KREPLAY_TEST_SEED={seed}: `{kind}` gets {signal} after {moment:?}"
    ));
    let (brokers, artifacts) = (kafka.brokers(), RunArtifacts::new());
    let records = numbered(kafka, "resumed", 4);
    let mut input = NamedTempFile::new().expect("a temporary file");
    let written = match kind {
        "raw" => records.fetches(25, RECORDS / 100, &mut input),
        _ => input.write_all(records.lines(0..RECORDS).as_bytes()),
    };
    written.expect("the temporary file is writable");
    let (input, journal) = (input.path().display().to_string(), artifacts.journal_path());
    let args = ["replay", &input, "--resume", &journal];
    let run = replay(&brokers, &args).spawn();
    thread::sleep(moment);
    run.signal(signal);
    let ended = run.wait();
    let report = report_of(&replay(&brokers, &args).output(), 0);
    let may_repeat = report["resume"]["may_repeat"].as_u64().expect("a number");
    if ended.code == 128 + signal as i32 {
        // The next run relies on what it reports at its end.
        let before = report_in(&ended);
        assert_eq!(may_repeat, entry(&before, "unknown"), "{before:#}");
        assert_eq!(report["resume"]["skipped"], before["ledger"]["delivered"]);
    }
    let log = read_log(&brokers, &records.topic);
    verdict(&Evidence::new(0..RECORDS, &report, &log).repeats(Repeats::AtMost(may_repeat)));
    // After its end there is nothing to continue with.
    let after = report_of(&replay(&brokers, &args).output(), 0);
    assert_eq!(after["resume"]["may_repeat"], 0, "{after:#}");
    assert_eq!(read_log(&brokers, &records.topic).len(), log.len());
    report["resume"]["skipped"].as_u64().expect("a number")
}

/// Says how to repeat what failed.
pub(crate) struct Remember(pub(crate) String);

impl Drop for Remember {
    fn drop(&mut self) {
        if thread::panicking() {
            writeln!(io::stderr(), "{}", self.0).ok();
        }
    }
}

/// Interrupts this many replays with these signals, two replays at a time.
fn many(runs: u64, signals: &[Signal]) {
    let kafka = start();
    let seed = SeededRandom::from_env().seed();
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
    // The others were over before the signal, or had not begun: how many depends on the machine.
    assert!(interrupted >= runs / 5, "{interrupted} of {runs}");
}

/// The state in which a signal meets a replay: in the middle of a slow source, or with everything in its
/// queue.
struct Meeting {
    records: u64,
    /// Records a second.
    rate: Option<u64>,
}

/// Interrupts one replay; returns 1 when that kept something from being sent.
fn interrupt(kafka: &Kafka, seed: u64, signals: &[Signal]) -> u64 {
    let mut random = SeededRandom::new(seed);
    let meeting = match random.number(0..2) {
        0 => Meeting {
            records: 3000,
            rate: Some(4000),
        },
        _ => Meeting {
            records: 100_000,
            rate: None,
        },
    };
    let moments = signals.iter();
    let moments = moments.map(|signal| (*signal, random.time(MOMENTS)));
    let moments: Vec<(Signal, Duration)> = moments.collect();
    let _remember = Remember(format!(
        "KREPLAY_TEST_SEED={seed}: {moments:?}, {} records at {:?} a second",
        meeting.records, meeting.rate
    ));
    let records = numbered(kafka, "interrupted", 4);
    let brokers = kafka.brokers();
    let artifacts = RunArtifacts::new();
    let file = artifacts.rejects_path();
    let args = ["replay", "-", "--rejects", &file];
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
        // The signal came before kreplay was ready for it.
        assert_eq!((log.len(), output.stdout.as_str()), (0, ""));
        return 0;
    }
    let codes = sent.first().map(|signal| 128 + *signal as i32);
    let report = report_in(&output);
    let interrupted = report["interrupted"] == true;
    let expected = codes.filter(|_| interrupted).unwrap_or(0);
    assert_eq!(output.code, expected, "{output:#?}");
    let rejects = artifacts.rejects();
    verdict(&Evidence::new(0..meeting.records, &report, &log).rejects(&rejects));
    u64::from(interrupted)
}

/// When a signal comes after the one before it, or after the start.
const MOMENTS: std::ops::Range<Duration> = Duration::ZERO..Duration::from_millis(600);
