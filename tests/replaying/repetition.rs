//! `--loop` and `--for`: several passes over one connection, and an end at a given time.
//!
//! A file of its own: these runs end by themselves or never, whatever the source holds.

use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::report::ledger::{entry, ledger};
use crate::harness::run::{Run, RunOutput, kreplay, report};
use crate::harness::verdict::readback::{LoggedRecord, count, read};
use nix::sys::signal::Signal::SIGINT;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use serde_json::{Value, json};
use tempfile::TempDir;

const TOPIC: &str = "orders";

/// A folder with record lines: `offsets` of partition 0 of the topic, whose values are the same numbers.
struct LinesFolder {
    folder: TempDir,
}

impl LinesFolder {
    fn of(offsets: impl IntoIterator<Item = u64>) -> Self {
        let lines = offsets.into_iter().map(|offset| {
            let line = json!({
                "topic": TOPIC, "partition": 0, "offset": offset, "value": offset.to_string(),
            });
            format!("{line}\n")
        });
        let folder = tempfile::tempdir().expect("a temporary folder");
        let lines = lines.collect::<String>();
        std::fs::write(folder.path().join("lines"), lines).expect("it is writable");
        Self { folder }
    }

    /// A Fetch of each of these stretches of offsets, whose values are the same numbers.
    fn fetches(stretches: impl IntoIterator<Item = Range<u64>>) -> Self {
        let lines = stretches.into_iter().map(|offsets| {
            let base = offsets.start.to_string();
            let records = (0..).zip(offsets).map(|(delta, offset): (u64, u64)| {
                json!({ "offsetDelta": delta, "valueString": offset.to_string() })
            });
            let records: Vec<Value> = records.collect();
            let records = json!({ "baseOffset": base, "records": records });
            let partition = json!({ "partitionIndex": 0, "records": records });
            let topics = json!([{ "name": TOPIC, "partitions": [partition] }]);
            let response = json!({ "FetchResponse": { "topics": topics } });
            let pair = json!({
                "msgType": "rrpair", "command": "Fetch", "kafka": { "response": response },
            });
            format!("{pair}\n")
        });
        let folder = tempfile::tempdir().expect("a temporary folder");
        let lines = lines.collect::<String>();
        std::fs::write(folder.path().join("lines"), lines).expect("it is writable");
        Self { folder }
    }

    fn replay(&self, brokers: &str, more: &[&str]) -> Run {
        let args = ["replay", "lines", "-b", brokers, "--report", "json"];
        Run::new([&args[..], more].concat()).cwd(self.folder.path())
    }

    fn rehearse(&self, more: &[&str]) -> Run {
        let args = ["replay", "lines", "--rehearse", "--report", "json"];
        Run::new([&args[..], more].concat()).cwd(self.folder.path())
    }
}

/// A broker in this process with one topic of one partition.
fn mock() -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    cluster.create_topic(TOPIC, 1, 1).expect("a topic");
    cluster
}

fn values(brokers: &str) -> Vec<String> {
    let seen = read(brokers, TOPIC).expect("the mock cluster answers");
    seen.iter()
        .map(LoggedRecord::text)
        .map(str::to_owned)
        .collect()
}

fn refused(args: &[&str], folder: &Path) -> RunOutput {
    let output = Run::new(args.iter().copied()).cwd(folder).output();
    assert_eq!(output.code, 2, "{output:#?}");
    output
}

#[test]
fn a_loop_sends_the_source_so_many_times_over_one_connection() {
    let mock = mock();
    let brokers = mock.bootstrap_servers();
    // 0 and 1 come last, and 2 twice: each pass puts them in order and leaves the copy out.
    let source = LinesFolder::fetches([2..4, 0..3]);
    let output = source.replay(&brokers, &["--loop", "3"]).output();
    let report = report(&output);
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(ledger(&report), "15 = 3 duplicates + 12 delivered");
    assert_eq!(report["passes"], 3);
    assert_eq!(report["source"]["complete"], true);
    assert_eq!(values(&brokers), ["0", "1", "2", "3"].repeat(3));
    let partition = &report["topics"][0]["per_partition"][0];
    let expected = json!({
        "partition": 0, "first_offset": 0, "last_offset": 11, "delivered": 12,
    });
    assert_eq!(*partition, expected);
    let lines = output.stderr.lines();
    let lines = lines.filter(|line| line.contains(TOPIC)).count();
    assert_eq!(lines, 1, "where records go is said once: {output:#?}");
}

#[test]
fn a_single_pass_is_reported_as_without_loop() {
    let source = LinesFolder::of(0..3);
    let report = report(&source.rehearse(&[]).output());
    assert_eq!(ledger(&report), "3 = 3 delivered");
    assert_eq!(report.get("passes"), None);
    let output = Run::new(["replay", "lines", "--rehearse", "--loop", "2"]);
    let text = output.cwd(source.folder.path()).output().stdout;
    assert!(
        text.contains("\npasses     2 to the end of the source\n"),
        "{text}"
    );
}

#[test]
fn unreadable_records_are_counted_in_each_pass() {
    let source = LinesFolder::of(0..2);
    let path = source.folder.path().join("lines");
    let lines = std::fs::read_to_string(&path).expect("it is there") + "{\"value\":1}\n";
    std::fs::write(&path, lines).expect("it is writable");
    let args = ["--loop", "4", "--rejects", "rejects"];
    let output = source.rehearse(&args).output();
    let report = report(&output);
    assert_eq!(output.code, 1, "{output:#?}");
    assert_eq!(ledger(&report), "12 = 4 unreadable + 8 delivered");
    assert_eq!(report["problems"][0]["count"], 4);
}

#[test]
fn a_loop_goes_on_until_an_interruption_which_ends_it_in_any_pass() {
    let mock = mock();
    let brokers = mock.bootstrap_servers();
    let source = LinesFolder::of(0..50);
    let mut run = source.replay(&brokers, &["--loop"]).spawn();
    run.wait_until("the fourth pass has begun", |_| {
        count(&brokers, TOPIC).is_ok_and(|records| records > 150)
    });
    run.signal(SIGINT);
    let output = run.wait();
    assert_eq!(output.code, 130, "{output:#?}");
    let report = report(&output);
    let delivered = entry(&report, "delivered");
    assert_eq!(count(&brokers, TOPIC), Ok(delivered.cast_signed()));
    // The last pass may be cut off; what it has read then is named.
    let found = entry(&report, "found");
    assert_eq!(found, delivered + entry(&report, "unsent"));
    let passes = report["passes"].as_u64().expect("a number of passes");
    assert!(passes >= 3, "{report:#}");
    assert!(
        delivered >= passes * 50 && found <= (passes + 1) * 50,
        "{report:#}"
    );
    assert_eq!(report["interrupted"], true);
}

#[test]
fn a_source_without_records_is_not_read_for_ever() {
    let source = LinesFolder::of([]);
    let output = source.rehearse(&["--loop"]).output();
    assert_eq!(output.code, 1, "{output:#?}");
    assert_eq!(report(&output)["passes"], 1);
}

#[test]
fn the_time_for_sending_ends_a_loop_without_a_failure() {
    let mock = mock();
    let brokers = mock.bootstrap_servers();
    let source = LinesFolder::of(0..50);
    let time = Duration::from_millis(700);
    let started = Instant::now();
    let output = source
        .replay(&brokers, &["--loop", "--for", "700ms"])
        .output();
    assert!(started.elapsed() >= time, "{output:#?}");
    assert_eq!(output.code, 0, "{output:#?}");
    let report = report(&output);
    let delivered = entry(&report, "delivered");
    assert_eq!(
        ledger(&report),
        format!("{delivered} = {delivered} delivered")
    );
    assert_eq!(count(&brokers, TOPIC), Ok(delivered.cast_signed()));
    let passes = report["passes"].as_u64().expect("a number of passes");
    assert_eq!(
        delivered / 50,
        passes,
        "the last pass is cut, the others are whole"
    );
    assert_eq!(report["interrupted"], false);
    assert_eq!(report["problems"], json!([]));
}

#[test]
fn a_source_that_ends_before_the_time_for_sending_ends_the_run() {
    let source = LinesFolder::of(0..50);
    let report = report(&source.rehearse(&["--for", "10h"]).output());
    assert_eq!(ledger(&report), "50 = 50 delivered");
    assert_eq!(report["passes"], 1);
}

#[test]
fn the_time_for_sending_ends_a_run_that_waits_for_its_source() {
    let args = [
        "replay",
        "-",
        "--as",
        "records",
        "--rehearse",
        "--report",
        "json",
    ];
    let args = [&args[..], &["--for", "300ms"]].concat();
    let mut run = Run::new(args).stdin_open().spawn();
    run.write_stdin(b"{\"topic\":\"orders\",\"value\":\"1\"}\n");
    // Stdin stays open: nothing else ends the run.
    while !run.has_ended() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = run.wait_within(Duration::from_secs(20));
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(ledger(&report(&output)), "1 = 1 delivered");
}

#[test]
fn a_source_that_cannot_be_read_twice_is_refused_with_a_hint() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    for (name, said) in [("-", "stdin"), ("pipe", "pipe")] {
        let args = ["replay", name, "--rehearse", "--loop", "2"];
        let expected = format!(
            "kreplay: `--loop` cannot read {said} a second time\n\
             hint: save it to a file first, and name the file\n"
        );
        assert_eq!(refused(&args, folder.path()).stderr, expected);
    }
}

#[test]
fn a_journal_and_a_loop_exclude_each_other() {
    let source = LinesFolder::of(0..3);
    let args = [
        "replay",
        "lines",
        "-b",
        "127.0.0.1:1",
        "--loop",
        "--resume",
        "journal",
    ];
    let said = refused(&args, source.folder.path()).stderr;
    assert!(
        said.contains("'--loop [<N>]'") && said.contains("'--resume <FILE>'"),
        "{said}"
    );
    for wrong in [
        ["--loop", "0"],
        ["--loop", "lines"],
        ["--for", "0s"],
        ["--for", "1"],
    ] {
        let args = ["replay", "lines", "--rehearse"];
        refused(&[&args[..], &wrong].concat(), source.folder.path());
    }
    assert!(!source.folder.path().join("journal").exists());
}

/// The most memory that this many passes take, in MiB.
fn peak_mib(source: &LinesFolder, passes: &str) -> u64 {
    // Memory that is free goes back at once: what the allocator keeps differs by 30 MiB from run
    // to run, depending on which thread frees first.
    let run = source
        .rehearse(&["--loop", passes])
        .env("MIMALLOC_PURGE_DELAY", "0")
        .limit(Duration::from_secs(240))
        .spawn();
    let (output, peak) = run.wait_measured();
    let report: Value = report(&output);
    assert_eq!(report["passes"].to_string(), passes);
    assert!(peak > 0, "it runs for long enough to be looked at");
    peak >> 20
}

#[test]
fn memory_does_not_grow_with_the_passes() {
    // With a gap after each Fetch, which takes memory to recognise duplicates.
    let source = LinesFolder::fetches((0..4000).map(|n| 20 * n..20 * n + 2));
    let (few, many) = (peak_mib(&source, "60"), peak_mib(&source, "360"));
    // 300 more passes read 1,200,000 gaps and send 2,400,000 records: 16 bytes for each gap would show as 18
    // MiB.
    assert!(
        many < few + 12,
        "{few} MiB with 60 passes, {many} MiB with 360"
    );
}

#[test]
fn a_snapshot_is_extracted_for_each_pass() {
    let fixtures = crate::harness::paths::fixture("demo.jsonl");
    let fixtures = fixtures.parent().expect("a folder");
    let run = Run::new([
        "snapshot",
        "demo",
        "--rehearse",
        "--report",
        "json",
        "--loop",
        "2",
    ]);
    let run = run
        .env("KREPLAY_SPEEDCTL", crate::harness::paths::standin())
        .env("STANDIN_DATA", fixtures);
    let once = kreplay([
        "replay",
        fixtures.join("demo.jsonl").to_str().expect("text"),
        "--rehearse",
        "--report",
        "json",
    ]);
    let report = report(&run.output());
    let found = entry(&crate::harness::run::report(&once), "delivered");
    assert_eq!(entry(&report, "delivered"), 2 * found);
    assert_eq!(report["passes"], 2);
}
