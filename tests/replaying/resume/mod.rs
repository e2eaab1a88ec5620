//! `--resume FILE`: the same command continues where a run has ended.
//!
//! Apart because it is about several runs and the file between them. Replays into a real broker are
//! killed in `faults.rs`.

mod chain;
mod damage;
mod files;
mod identity;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::harness::capture::{number_of, numbered_lines};
use crate::harness::paths::fixture;
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::run::{Run, RunOutput, kreplay, report};
use crate::harness::verdict::readback::{LoggedRecord, count, read};
use nix::sys::signal::Signal::{SIGINT, SIGKILL};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use serde_json::json;
use tempfile::TempDir;

const TOPIC: &str = "orders";

/// A broker in this process, an input and a place for the journal.
struct Scene {
    mock: MockCluster<'static, DefaultProducerContext>,
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        let mock = MockCluster::new(1).expect("a mock cluster");
        mock.create_topic(TOPIC, 1, 1).expect("a topic");
        Self {
            mock,
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.folder.path().join(name), text).expect("the folder is writable");
        self.file(name)
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    /// A replay of `input` with the journal.
    fn replay(&self, input: &str, more: &[&str]) -> Run {
        Run::new(self.arguments(input, more))
    }

    /// A replay with another journal.
    fn replay_with(&self, input: &str, journal: &Path) -> Run {
        let (brokers, journal) = (self.mock.bootstrap_servers(), journal.display().to_string());
        Run::new(["replay", input, "-b", &brokers, "--resume", &journal].map(str::to_owned))
    }

    fn arguments(&self, input: &str, more: &[&str]) -> Vec<String> {
        let (brokers, journal) = (self.mock.bootstrap_servers(), self.file("journal"));
        let args = ["replay", input, "-b", &brokers, "--report", "json"];
        let args = [&args[..], &["--resume", &journal], more].concat();
        args.iter().map(|arg| (*arg).to_owned()).collect()
    }

    /// Lets every answer take this long.
    fn delay(&self, delay: Duration) {
        let delayed = self.mock.broker_round_trip_time(1, delay);
        delayed.expect("the mock takes a delay");
    }

    fn there(&self) -> i64 {
        count(&self.mock.bootstrap_servers(), TOPIC).unwrap_or(0)
    }

    fn numbers(&self) -> Vec<u64> {
        let seen = read(&self.mock.bootstrap_servers(), TOPIC).expect("the topic is readable");
        seen.iter().map(LoggedRecord::text).map(number_of).collect()
    }
}

/// Makes a replay slow enough to be interrupted in the middle.
const SLOWLY: [&str; 4] = [
    "-X",
    "batch.num.messages=1",
    "-X",
    "queue.buffering.max.messages=100",
];

#[test]
fn an_interrupted_run_resumes_and_sends_nothing_twice() {
    const ALL: u64 = 5000;
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..ALL));
    scene.delay(Duration::from_millis(3));
    let mut run = scene.replay(&input, &SLOWLY).spawn();
    run.wait_until("its first records are there", |_| scene.there() > 100);
    run.signal(SIGINT);
    let output = run.wait();
    scene.delay(Duration::ZERO);
    assert_eq!(output.code, 130, "{output:#?}");
    let first = entry(&report(&output), "delivered");
    let output = scene.replay(&input, &[]).output();
    assert_eq!(output.code, 0, "{output:#?}");
    let report = report(&output);
    let rest = ALL - first;
    assert_eq!(ledger(&report), format!("{rest} = {rest} delivered"));
    let journal = scene.file("journal");
    let expected = json!({ "journal": journal, "skipped": first, "may_repeat": 0, "uncertain": 0 });
    assert_eq!(report["resume"], expected);
    let said = format!(
        "kreplay: continuing after {journal}: {first} records are already delivered, nothing is sent twice\n"
    );
    assert!(output.stderr.contains(&said), "{}", output.stderr);
    assert_eq!(scene.numbers(), (0..ALL).collect::<Vec<_>>());
}

#[test]
fn after_a_kill_of_a_timed_run_only_records_that_were_due_are_uncertain() {
    const ALL: u64 = 40;
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..ALL));
    let mut run = scene.replay(&input, &["--rate", "5"]).spawn();
    run.wait_until("its records are there", |_| scene.there() > 2);
    run.signal(SIGKILL);
    run.wait();
    let before = scene.there().cast_unsigned();
    let output = scene.replay(&input, &[]).output();
    let report = report(&output);
    assert_eq!(output.code, 0, "{report:#}");
    // What was answered in the last moments, and one that was due: of 40 that were read.
    let may_repeat = report["resume"]["may_repeat"].as_u64().expect("a number");
    assert!(may_repeat <= 5 && before < ALL / 2, "{before}: {report:#}");
    let mut numbers = scene.numbers();
    assert!(numbers.len() as u64 <= ALL + may_repeat, "{report:#}");
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, (0..ALL).collect::<Vec<_>>());
}

#[test]
fn a_killed_run_resumes_and_repeats_no_more_than_it_says() {
    const ALL: u64 = 5000;
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..ALL));
    scene.delay(Duration::from_millis(3));
    for there in [1, 1000, 2000] {
        let mut run = scene.replay(&input, &SLOWLY).spawn();
        run.wait_until("its records are there", |_| scene.there() > there);
        run.signal(SIGKILL);
        run.wait();
    }
    scene.delay(Duration::ZERO);
    let before = scene.there().cast_unsigned();
    let output = scene.replay(&input, &[]).output();
    let report = report(&output);
    let may_repeat = report["resume"]["may_repeat"].as_u64().expect("a number");
    let skipped = report["resume"]["skipped"].as_u64().expect("a number");
    assert_eq!(output.code, 0, "{report:#}");
    assert_eq!(skipped + entry(&report, "delivered"), ALL, "{report:#}");
    assert!(skipped <= before && skipped > 1000, "{before}: {report:#}");
    let mut numbers = scene.numbers();
    let twice = numbers.len() as u64 - ALL;
    // At most the queue of 100 was in flight, and at most 512 were about to be.
    const MOST: u64 = 612;
    assert!((1..=MOST).contains(&may_repeat), "{report:#}");
    assert!(twice <= 3 * MOST, "{twice} twice: {report:#}");
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, (0..ALL).collect::<Vec<_>>());
}

#[test]
fn a_complete_run_has_nothing_to_resume() {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..50));
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    let output = scene.replay(&input, &[]).output();
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(ledger(&report(&output)), "0 = ");
    assert_eq!(report(&output)["resume"]["skipped"], 50);
    assert_eq!(scene.there(), 50);
}

#[test]
fn what_is_read_from_stdin_can_be_piped_in_again() {
    let scene = Scene::new();
    let mut run = scene.replay("-", &[]).stdin_open().spawn();
    run.write_stdin(numbered_lines(TOPIC, 0..100).as_bytes());
    run.wait_until("its records are there", |_| scene.there() == 100);
    // The broker's answer comes after the records can be read.
    thread::sleep(Duration::from_millis(100));
    run.signal(SIGKILL);
    run.wait();
    let all = numbered_lines(TOPIC, 0..250);
    let output = scene.replay("-", &[]).stdin(all).output();
    assert_eq!(ledger(&report(&output)), "150 = 150 delivered");
    assert_eq!(scene.numbers(), (0..250).collect::<Vec<_>>());
}

#[test]
fn an_input_that_has_grown_is_resumed_where_it_ended() {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..100));
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    scene.write("input.jsonl", &numbered_lines(TOPIC, 0..130));
    let output = scene.replay(&input, &[]).output();
    assert_eq!(ledger(&report(&output)), "30 = 30 delivered");
}

/// What a refused run prints; nothing was sent.
fn refused(output: &RunOutput) -> String {
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (2, ""),
        "{output:#?}"
    );
    // Notes may come before it.
    let error = output.stderr.lines().rev().take(2).collect::<Vec<_>>();
    error.into_iter().rev().collect::<Vec<_>>().join("\n")
}

const ANOTHER: &str = "hint: use another file for `--resume`, or remove this one to start over";

#[test]
fn a_journal_of_something_else_is_refused() {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..100));
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    let other = scene.write("other.jsonl", &numbered_lines(TOPIC, 0..200));
    let journal = scene.file("journal");
    let cases: [(&str, &[&str], String); 3] = [
        (
            &other,
            &[],
            format!(
                r#"belongs to another input (`inputs`): `["{input}"]`, but this is `["{other}"]`"#
            ),
        ),
        (
            &input,
            &["-t", "elsewhere"],
            r#"belongs to another destination (`map`): `[]`, but this is `not there`"#.into(),
        ),
        (
            &input,
            &["--with-aborted"],
            r#"belongs to another extraction (`aborted`): `"left_out"`, but this is `"kept"`"#
                .into(),
        ),
    ];
    scene.mock.create_topic("elsewhere", 1, 1).expect("a topic");
    for (input, flags, why) in cases {
        let said = refused(&scene.replay(input, flags).output());
        assert_eq!(
            said,
            format!("kreplay: the journal {journal} {why}\n{ANOTHER}")
        );
    }
    assert_eq!(scene.there(), 100, "nothing was sent");
}

#[test]
fn rejects_are_tried_again_and_kept_when_the_journal_is_refused() {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines("missing", 0..20));
    let rejects = scene.file("rejects.jsonl");
    let flags = ["--rejects", &rejects];
    assert_eq!(scene.replay(&input, &flags).output().code, 3);
    let lines = || {
        let text = fs::read_to_string(&rejects).expect("the rejects are text");
        text.lines().count()
    };
    assert_eq!(lines(), 20);
    let other = scene.write("other.jsonl", &numbered_lines("missing", 0..30));
    refused(&scene.replay(&other, &flags).output());
    assert_eq!(lines(), 20, "they are another run's");
    scene.mock.create_topic("missing", 1, 1).expect("a topic");
    let output = scene.replay(&input, &flags).output();
    assert_eq!(ledger(&report(&output)), "20 = 20 delivered");
    assert_eq!(lines(), 0, "all of them were sent");
}

#[test]
fn rejects_are_kept_when_another_input_is_found_at_the_same_path() {
    let lines = |values: std::ops::Range<usize>, length: usize| -> String {
        let line = |n| format!("{{\"topic\":\"{TOPIC}\",\"value\":\"{n:0length$}\"}}\n");
        values.map(line).collect()
    };
    let scene = Scene::new();
    let rejects = scene.file("rejects.jsonl");
    let flags = ["--rejects", &rejects, "-X", "message.max.bytes=1000"];
    // Whether it is found in the middle of the source or at its end.
    for other in [lines(1..31, 10), lines(0..5, 10)] {
        // Ten that are too large.
        let all = lines(0..20, 10) + &lines(20..30, 2000);
        let input = scene.write("input.jsonl", &all);
        let run = scene.replay(&input, &flags).output();
        assert_eq!(run.code, 1, "{run:#?}");
        let before = fs::read_to_string(&rejects).expect("the rejects are text");
        assert_eq!(before.lines().count(), 10);
        scene.write("input.jsonl", &other);
        let said = refused(&scene.replay(&input, &flags).output());
        assert!(said.contains(" belongs to another input: "), "{said}");
        let after = fs::read_to_string(&rejects).expect("the rejects are text");
        assert_eq!(after, before);
        fs::remove_file(&rejects).expect("it is there");
        fs::remove_file(scene.journal()).expect("it is there");
    }
}

#[test]
fn a_journal_empties_only_its_own_rejects() {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines("missing", 0..20));
    let (own, foreign) = (scene.file("own.jsonl"), scene.file("foreign.jsonl"));
    assert_eq!(scene.replay(&input, &["--rejects", &own]).output().code, 3);
    fs::copy(&own, &foreign).expect("the folder is writable");
    let journal = scene.file("journal");
    let said = refused(&scene.replay(&input, &["--rejects", &foreign]).output());
    let found = fs::canonicalize(&own)
        .expect("it is there")
        .display()
        .to_string();
    let expected = format!(
        "kreplay: the rejects of the journal {journal} are in {found}\n\
         hint: this run sends them again: name that file with `--rejects {found}`, or move it away first"
    );
    assert_eq!(said, expected);
    // Once moved away, they leave a journal that does not know the others.
    fs::rename(&own, scene.file("moved.jsonl")).expect("the folder is writable");
    let said = refused(&scene.replay(&input, &["--rejects", &foreign]).output());
    let expected = format!(
        "kreplay: the rejects file {foreign} already holds rejects, which the journal {journal} does \
         not know\n\
         hint: send them with `kreplay replay {foreign}`, name another file, or remove it"
    );
    assert_eq!(said, expected);
    let lines = |file: &str| fs::read_to_string(file).map_or(0, |text| text.lines().count());
    assert_eq!(lines(&foreign), 20);
    // Without the flag they are mentioned; with it, whatever their name, they are sent again.
    fs::rename(scene.file("moved.jsonl"), &own).expect("the folder is writable");
    let run = scene.replay(&input, &[]).output();
    let said =
        format!("kreplay: {found} holds rejects of earlier runs; this run sends them again\n");
    assert!(run.stderr.contains(&said), "{}", run.stderr);
    assert_eq!((run.code, lines(&own)), (3, 20));
    scene.mock.create_topic("missing", 1, 1).expect("a topic");
    let link = scene.file("link.jsonl");
    std::os::unix::fs::symlink(&own, &link).expect("the folder is writable");
    let run = scene.replay(&input, &["--rejects", &link]).output();
    assert_eq!((run.code, lines(&own)), (0, 0), "{run:#?}");
}

#[test]
fn a_journal_of_another_cluster_is_refused() {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..10));
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    let elsewhere = Scene::new();
    fs::copy(scene.journal(), elsewhere.journal()).expect("the journal can be copied");
    let said = refused(&elsewhere.replay(&input, &[]).output());
    assert!(said.contains(" belongs to another cluster: `"), "{said}");
    assert_eq!(elsewhere.there(), 0);
}

#[test]
fn two_runs_cannot_share_a_journal() {
    let scene = Scene::new();
    let mut run = scene.replay("-", &[]).stdin_open().spawn();
    run.write_stdin(numbered_lines(TOPIC, 0..10).as_bytes());
    run.wait_until("its records are there", |_| scene.there() == 10);
    let output = scene.replay("-", &[]).output();
    let expected = format!(
        "kreplay: the journal {}: another run is using it\n",
        scene.file("journal")
    );
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (2, expected.as_str())
    );
    assert_eq!(run.wait().code, 0);
}

#[test]
fn a_journal_that_cannot_be_created_is_an_error_before_anything_is_sent() {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..10));
    let folder = scene.file("no/such/folder");
    let args = [
        "replay",
        &input,
        "-b",
        &scene.mock.bootstrap_servers(),
        "--resume",
        &folder,
    ];
    let output = kreplay(args);
    assert_eq!(output.code, 2, "{output:#?}");
    let expected = format!("kreplay: the journal {folder}: no such file or directory\n");
    assert_eq!(output.stderr, expected);
    assert_eq!(scene.there(), 0);
}

#[test]
fn a_rehearsal_cannot_be_resumed() {
    let demo = fixture("demo.jsonl").display().to_string();
    let output = kreplay(["replay", &demo, "--rehearse", "--resume", "journal"]);
    assert_eq!(output.code, 2, "{output:#?}");
    let said = "the argument '--rehearse' cannot be used with '--resume <FILE>'";
    assert!(output.stderr.contains(said), "{}", output.stderr);
}
