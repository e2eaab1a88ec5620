//! Whole replays in this process, in which a thread of kreplay panics: the report still counts what was
//! delivered until then. A console and a function that names places cause the panics; only a test can insert
//! these.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::cli::Cli;
use crate::config::Verbosity;
use crate::error::ExitCode;
use crate::record::Origin;
use crate::record::channel::SourceBatch;
use crate::report::{Ledger, Outcome};

/// A busy machine needs only part of this time.
const LIMIT: Duration = Duration::from_secs(60);

fn config(words: &[&str]) -> Config {
    let words = [&["kreplay", "replay"], words, &["--rehearse"]].concat();
    let cli = Cli::try_parse_from(words).expect("the flags are known");
    Config::from_cli(cli).expect("a sound configuration")
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build();
    runtime.expect("there are threads")
}

/// A batch of record lines.
fn batch(lines: impl Iterator<Item = String>) -> SourceBatch {
    let mut batch = SourceBatch::default();
    for (line, text) in (1..).zip(lines) {
        let origin = Origin { input: 0, line };
        let read = crate::record::lines::read(text.as_bytes(), origin, &mut batch.batch);
        read.expect("a record line");
        batch.tally.found += 1;
    }
    batch
}

/// `records` that go to topic `orders`.
fn orders(records: u64) -> impl Iterator<Item = String> {
    (0..records).map(|n| format!(r#"{{"topic":"orders","key":"{n}","value":"{n}"}}"#))
}

/// The report of a replay that gets `first`, and then, once that is delivered, `second` after `between`.
fn replayed(
    words: &[&str],
    console: &Console,
    (first, second): (SourceBatch, SourceBatch),
    between: impl FnOnce(&Counters),
) -> Report {
    let config = config(words);
    let counters = Arc::new(Counters::default());
    let job = job(&config, None, console, Control::default(), counters.clone());
    let (sender, receiver) = crate::record::channel::bounded(CHANNEL, Gate::AtOnce);
    let runtime = runtime();
    let outcome = runtime.block_on(async {
        let mut receiver = Some(receiver);
        let replayed = crate::produce::start(job, move || receiver.take());
        let delivered = first.tally.found;
        sender.send(first).expect("it listens");
        let began = Instant::now();
        while counters.delivered.load(Ordering::Relaxed) < delivered {
            assert!(began.elapsed() < LIMIT, "the first records are delivered");
            thread::sleep(Duration::from_millis(5));
        }
        between(&counters);
        sender.send(second).expect("it listens");
        let outcome = timeout(LIMIT, replayed).await;
        outcome.expect("the run ends")
    });
    let mut report = Report::default();
    let outcome = outcome.expect("the thread reports in spite of the panic");
    conclude(&mut report, outcome, None).expect("a report");
    report
}

#[test]
fn a_panic_while_sending_leaves_every_record_delivered_or_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rejects = folder.path().join("rejects");
    let words = ["-", "--rejects", rejects.to_str().expect("text")];
    // The place of a record is named if nothing says where it goes.
    let nowhere = [r#"{"value":"nowhere"}"#.to_string()];
    let second = batch(orders(20).chain(nowhere).chain(orders(30)));
    let report = replayed(
        &words,
        &Console::new(Verbosity::Quiet),
        (batch(orders(300)), second),
        |counters| counters.name_inputs_by(|_| panic!("as the test wants it")),
    );
    let mut expected = Ledger::default();
    expected.found = 351;
    expected[Outcome::Delivered] = 320;
    expected[Outcome::Unsent] = 31;
    assert_eq!(report.ledger, expected);
    assert_eq!(report.exit(), ExitCode::Defect);
    let rejects = std::fs::read_to_string(&rejects).expect("it is there");
    assert_eq!(rejects.lines().count(), 31);
    let why = "the run ended before it was sent: the sending thread panicked";
    assert!(rejects.lines().all(|line| line.contains(why)), "{rejects}");
}

#[test]
fn a_panic_of_the_polling_thread_ends_the_run_with_a_true_report() {
    let armed = Arc::new(AtomicBool::new(false));
    let console = Console::new(Verbosity::Verbose);
    let is_armed = armed.clone();
    console.print_through(Some(Box::new(move |line| {
        let is_log = line.starts_with("kreplay: librdkafka: ");
        assert!(!(is_log && is_armed.load(Ordering::SeqCst)), "{line}");
    })));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rejects = folder.path().join("rejects");
    let words = ["-", "--rejects", rejects.to_str().expect("text")];
    let report = replayed(
        &[
            &words[..],
            &["-v", "-X", "debug=msg,broker", "--partition", "key"],
        ]
        .concat(),
        &console,
        (batch(orders(300)), batch(orders(50))),
        |_| armed.store(true, Ordering::SeqCst),
    );
    let ledger = report.ledger;
    let found = ledger.found;
    let [delivered, unknown, unsent] =
        [Outcome::Delivered, Outcome::Unknown, Outcome::Unsent].map(|outcome| ledger[outcome]);
    assert_eq!((found, delivered, unknown + unsent), (350, 300, 50));
    assert_eq!(
        report.placement.by_key, delivered,
        "of those delivered alone"
    );
    assert_eq!(report.exit(), ExitCode::Defect);
    // Nobody knows what became of the records that were sent.
    let rejects = std::fs::read_to_string(&rejects).expect("it is there");
    let with = |member: &str| rejects.lines().filter(|line| line.contains(member)).count() as u64;
    let unanswered = "no broker answered before the run ended: it may be in the log";
    assert_eq!(with(r#""outcome":"unknown""#), unknown, "{rejects}");
    assert_eq!((with(unanswered), with("")), (unknown, 50), "{rejects}");
}

#[test]
fn a_panic_after_the_sending_keeps_the_count_of_delivered_records() {
    // More than is read ahead: otherwise the run ends before anything is sent.
    const RECORDS: u64 = 40_000;
    let mut lines = tempfile::NamedTempFile::new().expect("a temporary file");
    let text: Vec<String> = orders(RECORDS).collect();
    writeln!(lines, "{}", text.join("\n")).expect("it is writable");
    let path = lines.path().to_str().expect("text");
    let config = config(&[path, "--map", "unused=elsewhere"]);
    let console = Console::new(Verbosity::Normal);
    console.print_through(Some(Box::new(|line| {
        assert!(!line.contains("unused"), "{line}");
    })));
    let (_signals, received) = mpsc::channel(1);
    let replayed = async { timeout(LIMIT, replay(config, Driver::new(console, received))).await };
    let report = runtime().block_on(replayed).expect("the run ends");
    let report = report.expect("a report");
    let delivered = report.ledger[Outcome::Delivered];
    assert_eq!((report.ledger.found, delivered), (RECORDS, RECORDS));
    assert_eq!(report.exit(), ExitCode::Defect);
    let text = report.to_string();
    assert!(text.starts_with("failed: delivered 40,000 of 40,000 records to "));
}
