//! Signals while an output blocks: rejects, a journal on a hanging disk, a report that nobody reads.

use std::fs::File;
use std::io::{Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::thread;
use std::time::{Duration, Instant};

use super::{AT_ONCE, MockBroker, SIGNALS, TOPIC, WITH_GRACE, end, fifo, interrupted, threads};
use crate::harness::capture::numbered_lines;
use crate::harness::faults::slow_disk::SlowDisk;
use crate::harness::paths::fixture;
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::run::Run;
use nix::libc::O_NONBLOCK;
use nix::sys::signal::Signal::SIGINT;
use serde_json::Value;

/// Opens a FIFO that nobody has open at the other end.
fn open_fifo(path: &str) -> File {
    let mut options = File::options();
    let options = options.read(true).write(true).custom_flags(O_NONBLOCK);
    options.open(path).expect("Linux opens both ends")
}

#[test]
fn a_wait_for_the_reader_of_rejects_can_be_interrupted() {
    for (signal, code) in SIGNALS {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let rejects = fifo(&folder);
        let args = [
            "replay",
            "-",
            "--rehearse",
            "--report",
            "json",
            "--rejects",
            &rejects,
        ];
        let mut run = Run::new(args).stdin_open().spawn();
        // Its handlers are there when its threads are.
        run.wait_until("its threads are there", |run| threads(run) > 2);
        run.signal(signal);
        let (output, _) = end(run, AT_ONCE);
        let report = interrupted(&output, code);
        assert_eq!(ledger(&report), "0 = ");
    }
}

#[test]
fn a_stalled_reader_of_rejects_does_not_block_an_interrupted_run() {
    const RECORDS: usize = 40_000;
    let line = format!(
        "{{\"topic\":\"missing\",\"value\":\"{}\"}}\n",
        "v".repeat(100)
    );
    for (signals, limit) in [(1, Duration::from_secs(8)), (2, AT_ONCE)] {
        let mock = MockBroker::start();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let rejects = fifo(&folder);
        let mut reader = open_fifo(&rejects);
        let brokers = mock.brokers();
        let args = [
            "replay",
            "-",
            "-b",
            &brokers,
            "--report",
            "json",
            "--rejects",
            &rejects,
        ];
        let run = Run::new(args).stdin(line.repeat(RECORDS)).spawn();
        let mut first = [0; 1];
        let started = Instant::now();
        while reader.read(&mut first).is_err() {
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "no reject came"
            );
            thread::sleep(Duration::from_millis(5));
        }
        for _ in 0..signals {
            run.signal(SIGINT);
            thread::sleep(Duration::from_millis(300));
        }
        let (output, _) = end(run, limit);
        let report = interrupted(&output, 130);
        let records = entry(&report, "found");
        assert_eq!(ledger(&report), format!("{records} = {records} unsent"));
        let said = "kreplay: cannot write all rejects: it took no more data when the run had to \
                    end (";
        assert!(output.stderr.contains(said), "{}", output.stderr);
    }
}

#[test]
fn a_journal_on_a_hanging_disk_does_not_block_an_interrupted_run() {
    let (mock, disk) = (MockBroker::start(), SlowDisk::new(Duration::ZERO));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (journal, hung) = (folder.path().join("journal"), folder.path().join("hung"));
    let (brokers, journal) = (mock.brokers(), journal.display().to_string());
    let args = ["replay", "-", "-b", &brokers, "--report", "json"];
    let run = Run::new(args.into_iter().chain(["--resume", &journal])).stdin_open();
    let mut run = disk.hanging(run, &hung).spawn();
    run.write_stdin(numbered_lines(TOPIC, 0..100).as_bytes());
    run.wait_until("its first records are there", |_| mock.holds(100));
    std::fs::write(&hung, "").expect("the folder is writable");
    run.write_stdin(numbered_lines(TOPIC, 100..200).as_bytes());
    let entered = folder.path().join("hung.entered");
    run.wait_until("a write hangs", |_| entered.exists());
    run.signal(SIGINT);
    thread::sleep(Duration::from_millis(300));
    run.signal(SIGINT);
    let (output, _) = end(run, AT_ONCE);
    let report = interrupted(&output, 130);
    ledger(&report);
    // What is not written down must not be sent.
    assert_eq!(entry(&report, "delivered"), 100, "{report:#}");
    assert!(mock.holds(100));
    assert_eq!(report["resume"]["uncertain"], Value::Null, "{report:#}");
    let said = "kreplay: cannot write the journal: it took no more data when the run had to end\n";
    assert!(output.stderr.contains(said), "{}", output.stderr);
}

#[test]
fn signals_end_a_run_whose_output_nobody_reads() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = fifo(&folder);
    let mut full = open_fifo(&file);
    while full.write(&[b' '; 4096]).is_ok() {}
    let demo = fixture("demo.jsonl");
    let demo = demo.to_str().expect("the paths of the tests are text");
    let args = [
        "replay",
        demo,
        "--rehearse",
        "--report",
        "none",
        "--report-file",
        &file,
    ];
    let mut run = Run::new(args).spawn();
    run.wait_until("its threads are there", |run| threads(run) > 2);
    for _ in 0..3 {
        thread::sleep(Duration::from_millis(200));
        run.signal(SIGINT);
    }
    let (output, _) = end(run, WITH_GRACE);
    assert_eq!(
        output.code,
        -(SIGINT as i32),
        "the default action: {output:#?}"
    );
}
