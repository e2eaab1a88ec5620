//! A stderr that nobody reads: a pipe whose reader has stopped, a terminal that is stopped. The run
//! continues, can be interrupted, and ends with the right code.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::MockKafka;
use crate::harness::capture::numbered_lines;
use crate::harness::report::ledger::ledger;
use crate::harness::run::{Run, RunOutput, Running, report};
use crate::harness::verdict::readback::count;
use nix::libc::{O_NOCTTY, O_NONBLOCK};
use nix::sys::signal::Signal::SIGINT;
use portable_pty::{PtyPair, PtySize, native_pty_system};
use rdkafka::mocking::MockCluster;
use tempfile::TempDir;

const TOPIC: &str = "orders";

/// How long an immediate end may take; a busy machine needs a part of it.
const AT_ONCE: Duration = Duration::from_secs(2);

fn mock() -> MockKafka {
    let mock = MockCluster::new(1).expect("a mock cluster");
    mock.create_topic(TOPIC, 1, 1).expect("a topic");
    mock
}

/// Opens a FIFO or a terminal without waiting for another side.
fn open(path: &Path) -> File {
    let mut options = File::options();
    let flags = O_NONBLOCK | O_NOCTTY;
    let options = options.read(true).write(true).custom_flags(flags);
    options.open(path).expect("Linux opens both ends")
}

/// Opens it as a shell would for stderr.
fn open_for_stderr(path: &Path) -> File {
    let mut options = File::options();
    let options = options.write(true).custom_flags(O_NOCTTY);
    options.open(path).expect("the other end is open")
}

fn fifo(folder: &TempDir) -> std::path::PathBuf {
    let path = folder.path().join("fifo");
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("every Unix has `mkfifo`").success());
    path
}

/// A stderr that takes nothing more, and what keeps it stalled.
struct Stalled {
    stderr: File,
    _full: File,
    _pipe: Option<TempDir>,
    _terminal: Option<PtyPair>,
}

impl Stalled {
    fn fill(path: &Path) -> (File, File) {
        let mut full = open(path);
        while full.write(&[b' '; 1024]).is_ok() {}
        // A terminal takes the last bytes that fit one by one.
        while full.write(b" ").is_ok() {}
        (open_for_stderr(path), full)
    }

    fn pipe() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (stderr, full) = Self::fill(&fifo(&folder));
        Self {
            stderr,
            _full: full,
            _pipe: Some(folder),
            _terminal: None,
        }
    }

    fn terminal() -> Self {
        let pair = native_pty_system().openpty(PtySize::default());
        let pair = pair.expect("a pseudo-terminal");
        let path = pair.master.tty_name().expect("it has a name");
        let (stderr, full) = Self::fill(&path);
        Self {
            stderr,
            _full: full,
            _pipe: None,
            _terminal: Some(pair),
        }
    }

    /// What the test has to keep so that stderr stays stalled, after the run has got it.
    fn give_to(self, run: Run) -> (Run, impl Sized) {
        let Self {
            stderr,
            _full,
            _pipe,
            _terminal,
        } = self;
        (run.stderr(stderr), (_full, _pipe, _terminal))
    }
}

/// The end of a run and how long it took from now; stdin stays open.
fn end(mut run: Running) -> (RunOutput, Duration) {
    let begin = Instant::now();
    while !run.has_ended() && begin.elapsed() < 8 * AT_ONCE {
        thread::sleep(Duration::from_millis(5));
    }
    let waited = begin.elapsed();
    (run.wait_within(Duration::from_secs(20)), waited)
}

#[test]
fn a_replay_goes_on_to_its_end_when_nobody_reads_stderr() {
    const RECORDS: u64 = 5_000;
    for stalled in [Stalled::pipe(), Stalled::terminal()] {
        let mock = mock();
        let brokers = mock.bootstrap_servers();
        // The threads that send and poll write librdkafka's log, and it is more than what waits.
        let args = ["replay", "-", "-b", &brokers, "--report", "json", "-v"];
        let args = args.into_iter().chain(["-X", "debug=all"]);
        let run = Run::new(args).stdin(numbered_lines(TOPIC, 0..RECORDS));
        let (run, _kept) = stalled.give_to(run);
        let output = run.output();
        assert_eq!(output.code, 0, "{output:#?}");
        assert_eq!(ledger(&report(&output)), "5000 = 5000 delivered");
        assert_eq!(count(&brokers, TOPIC), Ok(RECORDS.cast_signed()));
    }
}

#[test]
fn a_progress_bar_on_a_stopped_terminal_holds_up_nothing() {
    let mock = mock();
    let brokers = mock.bootstrap_servers();
    let args = ["replay", "-", "-b", &brokers, "--report", "json"];
    let run = Run::new(args).stdin_open();
    let (run, _kept) = Stalled::terminal().give_to(run);
    let mut run = run.spawn();
    for sent in 1..=10 {
        // The bar is drawn ten times a second: it is stuck long before the last of these.
        run.write_stdin(numbered_lines(TOPIC, sent - 1..sent).as_bytes());
        let is_there = |_: &Running| count(&brokers, TOPIC) == Ok(sent.cast_signed());
        run.wait_until("the record is there", is_there);
        thread::sleep(Duration::from_millis(50));
    }
    let output = run.wait();
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(ledger(&report(&output)), "10 = 10 delivered");
}

#[test]
fn a_first_signal_drains_and_a_second_one_leaves_when_nobody_reads_stderr() {
    for (signals, stalled) in [
        (1, Stalled::pipe()),
        (1, Stalled::terminal()),
        (2, Stalled::pipe()),
        (2, Stalled::terminal()),
    ] {
        let mock = mock();
        let brokers = mock.bootstrap_servers();
        let args = ["replay", "-", "-b", &brokers, "--report", "json", "-v"];
        let args = args.into_iter().chain(["-X", "debug=msg,broker"]);
        let (run, _kept) = stalled.give_to(Run::new(args).stdin_open());
        let mut run = run.spawn();
        run.write_stdin(numbered_lines(TOPIC, 0..300).as_bytes());
        let is_there = |_: &Running| count(&brokers, TOPIC) == Ok(300);
        run.wait_until("its first records are there", is_there);
        if signals == 2 {
            // A drain would wait for these.
            let delayed = mock.broker_round_trip_time(1, Duration::from_secs(60));
            delayed.expect("the mock takes a delay");
            run.write_stdin(numbered_lines(TOPIC, 300..400).as_bytes());
            run.signal(SIGINT);
            thread::sleep(Duration::from_millis(300));
            assert!(!run.has_ended(), "the first one waits for the answers");
        }
        run.signal(SIGINT);
        let (output, waited) = end(run);
        assert_eq!(output.code, 130, "{output:#?}");
        let report = report(&output);
        assert_eq!(report["interrupted"], true, "{report:#}");
        assert_eq!(report["ledger"]["delivered"], 300, "{report:#}");
        // After the first signal, the end of the program gives stderr two seconds.
        let limit = if signals == 2 { AT_ONCE } else { 4 * AT_ONCE };
        assert!(waited < limit, "{signals} signals: it took {waited:?}");
    }
}

#[test]
fn a_failed_run_keeps_its_exit_code_when_nobody_reads_stderr() {
    let damaged = format!("{}{{\n", numbered_lines(TOPIC, 0..1));
    // The codes are those of README.md.
    let cases: [(&[&str], &str, i32); 4] = [
        (&["replay", "no-such-file", "--rehearse"], "", 4),
        (
            &["replay", "-", "--rehearse", "--report", "none"],
            &damaged,
            1,
        ),
        (&["replay", "-", "-b", "localhost", "-X", "acks=7"], "", 2),
        (&["extract", "-", "--filter", "("], "", 2),
    ];
    for (args, stdin, code) in cases {
        let (run, _kept) = Stalled::pipe().give_to(Run::new(args).stdin(stdin));
        let output = run.output();
        assert_eq!(output.code, code, "{args:?}: {output:#?}");
    }
}

#[test]
fn lines_keep_their_order_when_stderr_is_read_late() {
    const FILES: usize = 2_000;
    let (inputs, outputs) = (TempDir::new(), TempDir::new());
    let (inputs, outputs) = (inputs.expect("a folder"), outputs.expect("a folder"));
    for number in 0..FILES {
        let file = inputs.path().join(format!("{number:05}.json"));
        fs::write(file, "{\"a\":1}\n").expect("the folder takes files");
    }
    let last = inputs.path().join("last.jsonl");
    fs::write(last, numbered_lines(TOPIC, 0..100)).expect("the folder takes files");
    let mock = mock();
    let brokers = mock.bootstrap_servers();
    let path = fifo(&outputs);
    let both = open(&path);
    let folder = inputs
        .path()
        .to_str()
        .expect("the paths of the tests are text");
    let args = [
        "replay", folder, "-", "-b", &brokers, "--report", "json", "-v",
    ];
    let run = Run::new(args).stdin_open().stderr(open_for_stderr(&path));
    let mut run = run.spawn();
    run.write_stdin(numbered_lines(TOPIC, 100..200).as_bytes());
    let is_there = |_: &Running| count(&brokers, TOPIC) == Ok(200);
    // By then the run has printed more than a pipe holds, and nobody has read any of it.
    run.wait_until("its records are there", is_there);
    let reader = File::open(&path).expect("the FIFO is there");
    drop(both);
    let reader = thread::spawn(move || {
        let lines = BufReader::new(reader).lines();
        lines.map(|line| line.expect("text")).collect::<Vec<_>>()
    });
    run.close_stdin();
    let output = run.wait();
    assert_eq!(output.code, 0, "{output:#?}");
    let said = reader.join().expect("it panics nowhere");
    let skipped = said.iter().filter(|line| line.contains(": skipping "));
    let expected = (0..FILES).map(|number| {
        format!(
            "kreplay: skipping {folder}/{number:05}.json: it is JSON without the members of an RRPair"
        )
    });
    assert!(skipped.eq(&expected.collect::<Vec<_>>()), "{said:#?}");
}
