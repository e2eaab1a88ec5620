//! Many runs over one journal, each killed or interrupted at any moment, with disks of several speeds: no run
//! repeats more than it has announced, and nothing is lost.

use std::collections::HashMap;
use std::io::Write;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal::{SIGINT, SIGKILL};
use tempfile::NamedTempFile;

use crate::cluster::broker::{numbered, read_log, start};
use crate::harness::capture::seed::SeededRandom;
use crate::harness::faults::slow_disk::SlowDisk;
use crate::harness::kafka::Kafka;
use crate::harness::report::ledger::entry;
use crate::harness::run::{Run, RunOutput};
use crate::harness::topics::{create, delete, unique};
use crate::harness::verdict::Log;
use crate::harness::verdict::readback::count;
use crate::process::artifacts::RunArtifacts;
use crate::process::interruption::Remember;
use crate::process::source::Numbered;
use crate::{FaultTrial, Takes, replay, report_of};

pub(crate) const CASES: &[FaultTrial] = &[
    (
        "a_chain_of_kills_repeats_no_more_than_each_run_says",
        Takes::Patience,
        || chains(Duration::ZERO, 200),
    ),
    (
        "a_chain_of_kills_on_a_slow_disk_repeats_no_more_than_each_run_says",
        Takes::Patience,
        || chains(Duration::from_micros(500), 200),
    ),
    (
        "a_chain_of_kills_on_a_very_slow_disk_repeats_no_more_than_each_run_says",
        Takes::Patience,
        || chains(Duration::from_millis(10), 200),
    ),
    (
        "a_chain_of_kills_with_large_records_repeats_no_more_than_each_run_says",
        Takes::Patience,
        || chains(Duration::from_millis(1), 8000),
    ),
    (
        "a_topic_that_was_created_again_does_not_count_as_delivered",
        Takes::Seconds,
        created_again,
    ),
];

/// How many runs of a chain are ended early.
const ENDED: u64 = 12;
/// The largest batch of the topic, in bytes.
const LIMIT: u64 = 20_000;
/// One in this many records is too large for the topic.
const TOO_LARGE: u64 = 50;
/// What may be in flight with a journal, and be announced on top of that, according to
/// docs/resume-and-rejects.md.
const WINDOW: u64 = 8 << 20;
const ANNOUNCED: u64 = 512;

fn is_too_large(id: u64) -> bool {
    id % TOO_LARGE == TOO_LARGE / 2
}

/// Two chains with different seeds.
fn chains(write: Duration, bytes: usize) {
    let kafka = start();
    let disk = SlowDisk::new(write);
    let seed = SeededRandom::from_env().seed();
    let repeated: u64 = (seed..seed + 2)
        .map(|seed| chain(&kafka, seed, &disk, bytes))
        .sum();
    assert!(repeated > 0, "nothing was repeated, so nothing was judged");
}

/// Ends runs over one journal until the last one may complete; returns how many records are in the log more
/// than once.
fn chain(kafka: &Kafka, seed: u64, disk: &SlowDisk, bytes: usize) -> u64 {
    let mut random = SeededRandom::new(seed);
    let _remember = Remember(format!("KREPLAY_TEST_SEED={seed}: {disk:?}, {bytes} bytes"));
    let brokers = kafka.brokers();
    let all = (24 << 20) / bytes as u64;
    let topic = unique("chain");
    let limit = LIMIT.to_string();
    create(&brokers, &topic, 4, &[("max.message.bytes", &limit)]).expect("a topic");
    let (input, artifacts) = (input(&topic, all, bytes), RunArtifacts::new());
    let input = input.path().display().to_string();
    let journal = artifacts.journal_path();
    let next = || disk.under(replay(&brokers, &["replay", &input, "--resume", &journal]));
    let mut judge = Judge::new(&brokers, &topic, bytes);
    for _ in 0..ENDED {
        let output = end(next(), &mut random);
        judge.judge(&output);
    }
    let output = next().output();
    judge.judge(&output);
    let report = report_of(&output, 1);
    let too_large = (0..all).filter(|id| is_too_large(*id)).count() as u64;
    assert_eq!(entry(&report, "not_written"), too_large, "{report:#}");
    // A run that was killed then may have announced one that is too large; the next run cannot know that it
    // was never sent.
    let left = report["resume"]["uncertain"].as_u64();
    assert!(left.is_some_and(|left| left <= too_large), "{report:#}");
    let mut ids = read_log(&brokers, &topic).ids();
    let there = ids.len() as u64;
    ids.dedup();
    let wanted: Vec<u64> = (0..all).filter(|id| !is_too_large(*id)).collect();
    assert!(ids == wanted, "{} of {} are there", ids.len(), wanted.len());
    there - ids.len() as u64
}

/// Record lines, some of which are too large for the topic.
fn input(topic: &str, all: u64, bytes: usize) -> NamedTempFile {
    let of = |bytes| Numbered {
        bytes,
        ..Numbered::of_noise(topic, 4)
    };
    let (ordinary, large) = (of(bytes), of(30_000));
    let mut file = NamedTempFile::new().expect("a temporary file");
    for id in 0..all {
        let records = if is_too_large(id) { &large } else { &ordinary };
        let line = records.lines(id..id + 1);
        file.write_all(line.as_bytes()).expect("there is room");
    }
    file
}

/// Runs until a random moment.
fn end(run: Run, random: &mut SeededRandom) -> RunOutput {
    let mut run = run.spawn();
    if random.number(0..4) == 0 {
        // Before it sends anything, if it has something to go on after.
        while !run.has_ended() && !run.stderr_so_far().contains("kreplay: ") {
            thread::sleep(Duration::from_millis(1));
        }
    } else {
        thread::sleep(random.time(Duration::from_millis(30)..Duration::from_millis(400)));
    }
    let signals = match random.number(0..4) {
        0 => &[SIGINT][..],
        1 => &[SIGINT, SIGINT],
        _ => &[SIGKILL],
    };
    for signal in signals {
        if !run.has_ended() {
            run.signal(*signal);
            thread::sleep(random.time(Duration::ZERO..Duration::from_millis(20)));
        }
    }
    run.wait()
}

/// What is in the log before the run that is judged next.
struct Judge<'a> {
    brokers: &'a str,
    topic: &'a str,
    bytes: usize,
    before: HashMap<u64, u64>,
}

impl<'a> Judge<'a> {
    fn new(brokers: &'a str, topic: &'a str, bytes: usize) -> Self {
        Self {
            brokers,
            topic,
            bytes,
            before: HashMap::new(),
        }
    }

    /// Judges a run by what it has announced at its start.
    fn judge(&mut self, output: &RunOutput) {
        let log = read_when_quiet(self.brokers, self.topic);
        let mut now: HashMap<u64, u64> = HashMap::new();
        log.ids()
            .into_iter()
            .for_each(|id| *now.entry(id).or_default() += 1);
        let again = now.iter().filter_map(|(id, times)| {
            let before = self.before.get(id).copied().unwrap_or(0);
            (before > 0).then_some(times - before)
        });
        let (again, said) = (again.sum::<u64>(), said(&output.stderr));
        assert!(again <= said, "{again} again: {}", output.stderr);
        let own = now.iter().filter(|(id, times)| {
            let before = self.before.get(id).copied().unwrap_or(0);
            **times > before + 1
        });
        assert_eq!(own.count(), 0, "one run sends no record twice");
        let most = WINDOW / (512 + self.bytes as u64) + ANNOUNCED;
        // Two runs in a row may have had different records in flight.
        assert!(said <= 2 * most, "{most} at most: {}", output.stderr);
        self.before = now;
    }
}

/// How many records a run has announced it may send twice.
fn said(stderr: &str) -> u64 {
    let Some(line) = stderr
        .lines()
        .find(|line| line.contains("continuing after"))
    else {
        return 0;
    };
    if line.ends_with(", nothing is sent twice") {
        return 0;
    }
    let (_, rest) = line.split_once(", at most ").expect("it says how many");
    let number: String = rest.chars().take_while(|c| *c != ' ').collect();
    number.replace(',', "").parse().expect("a number")
}

/// The log, once nothing more comes from a run that has ended: the system still sends what a killed process
/// has handed to it.
fn read_when_quiet(brokers: &str, topic: &str) -> Log {
    let mut before = count(brokers, topic);
    loop {
        thread::sleep(Duration::from_millis(150));
        let now = count(brokers, topic);
        if now == before {
            return read_log(brokers, topic);
        }
        before = now;
    }
}

fn created_again() {
    const ALL: u64 = 1000;
    let kafka = start();
    let (brokers, records) = (kafka.brokers(), numbered(&kafka, "created-again", 4));
    let artifacts = RunArtifacts::new();
    let mut input = NamedTempFile::new().expect("a temporary file");
    let lines = records.lines(0..ALL);
    input.write_all(lines.as_bytes()).expect("there is room");
    let (input, journal) = (input.path().display().to_string(), artifacts.journal_path());
    let again = || replay(&brokers, &["replay", &input, "--resume", &journal]).output();
    report_of(&again(), 0);
    let resumed = report_of(&again(), 0);
    assert_eq!(resumed["resume"]["skipped"], ALL, "the topic is the same");
    delete(&brokers, &records.topic).expect("the topic is deleted");
    let refused = |why: &str| {
        let output = again();
        let said = format!(
            "kreplay: the journal {journal} cannot be used: topic `{}` {why}",
            records.topic
        );
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (2, ""),
            "{output:#?}"
        );
        assert!(output.stderr.contains(&said), "{}", output.stderr);
        let hint = "hint: what was delivered to it is gone: use another file for `--resume`, \
                    or remove this one to start over";
        assert!(output.stderr.contains(hint), "{}", output.stderr);
    };
    refused("has been deleted since");
    create(&brokers, &records.topic, 4, &[]).expect("the topic is created again");
    refused("has been deleted and created again since (its id was `");
    assert_eq!(read_log(&brokers, &records.topic).len(), 0);
}
