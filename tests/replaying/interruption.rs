//! SIGINT and SIGTERM at various moments: a report that balances, the right code, nothing left behind.
//!
//! Apart because these tests look at processes and clocks. The broker is a mock in the test's own
//! process, so that it can be made slow; `real_kafka.rs` has a real one that hangs.

use std::fs::File;
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::capture::{number_of, numbered_lines};
use crate::harness::faults::slow_disk::SlowDisk;
use crate::harness::paths::{fixture, standin};
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::run::{Run, RunOutput, Running, report};
use crate::harness::verdict::readback::{LoggedRecord, count, read};
use nix::libc::O_NONBLOCK;
use nix::sys::signal::Signal::{self, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use serde_json::Value;
use tempfile::TempDir;

/// The signals and the codes that they end with.
const SIGNALS: [(Signal, i32); 2] = [(SIGINT, 130), (SIGTERM, 143)];

/// How long an end may take that waits for nobody; a busy machine needs a part of it.
const AT_ONCE: Duration = Duration::from_secs(2);

/// What speedctl gets between SIGTERM and SIGKILL, and the time of an end that waits for nobody.
const WITH_GRACE: Duration = Duration::from_secs(5);

const TOPIC: &str = "orders";

/// A broker in this process with one topic of one partition.
struct MockBroker(MockCluster<'static, DefaultProducerContext>);

impl MockBroker {
    fn start() -> Self {
        let cluster = MockCluster::new(1).expect("a mock cluster");
        cluster.create_topic(TOPIC, 1, 1).expect("a topic");
        Self(cluster)
    }

    fn brokers(&self) -> String {
        self.0.bootstrap_servers()
    }

    /// Lets every answer take this long.
    fn delay(&self, delay: Duration) {
        let delayed = self.0.broker_round_trip_time(1, delay);
        delayed.expect("the mock takes a delay");
    }

    fn holds(&self, records: u64) -> bool {
        count(&self.brokers(), TOPIC) == Ok(records.cast_signed())
    }

    /// The numbers of the records in the log.
    fn numbers(&self) -> Vec<u64> {
        let seen = read(&self.brokers(), TOPIC).expect("the topic is readable");
        seen.iter().map(LoggedRecord::text).map(number_of).collect()
    }

    /// A replay of stdin that has delivered this many records and waits for more.
    fn replay(&self, records: u64) -> Running {
        let brokers = self.brokers();
        // Whoever starts the tests may ignore a signal, as `nohup` does, and kreplay would inherit that.
        let args = [
            "--default-signal=HUP,INT,QUIT,TERM",
            env!("CARGO_BIN_EXE_kreplay"),
        ];
        let args = args
            .into_iter()
            .chain(["replay", "-", "-b", &brokers, "--report", "json"]);
        let mut run = Run::program("env", args).stdin_open().spawn();
        run.write_stdin(numbered_lines(TOPIC, 0..records).as_bytes());
        run.wait_until("its first records are there", |_| self.holds(records));
        run
    }
}

/// Waits for the end, leaving stdin open; returns the time since the call as well.
fn end(mut run: Running, limit: Duration) -> (RunOutput, Duration) {
    let begin = Instant::now();
    while !run.has_ended() && begin.elapsed() < limit * 4 {
        thread::sleep(Duration::from_millis(5));
    }
    let waited = begin.elapsed();
    let output = run.wait_within(Duration::from_secs(20));
    assert!(
        waited < limit,
        "kreplay took {waited:?} to end\n{output:#?}"
    );
    (output, waited)
}

/// The report of a run that was interrupted.
fn interrupted(output: &RunOutput, code: i32) -> Value {
    assert_eq!(output.code, code, "{output:#?}");
    let report = report(output);
    assert_eq!(report["exit_code"], code, "{report:#}");
    assert_eq!(report["interrupted"], true, "{report:#}");
    report
}

#[test]
fn a_replay_of_an_endless_stdin_ends_at_once_with_a_report() {
    for (signal, code) in SIGNALS {
        let mock = MockBroker::start();
        let run = mock.replay(300);
        run.signal(signal);
        let (output, _) = end(run, AT_ONCE);
        let report = interrupted(&output, code);
        assert_eq!(ledger(&report), "300 = 300 delivered");
        assert_eq!(report["source"]["complete"], false);
    }
}

#[test]
fn the_text_report_of_an_interrupted_replay_begins_with_that() {
    for (signal, word) in [(SIGINT, "interrupted"), (SIGTERM, "terminated")] {
        let mock = MockBroker::start();
        let args = ["replay", "-", "-b", &mock.brokers()];
        let mut run = Run::new(args).stdin_open().spawn();
        run.write_stdin(numbered_lines(TOPIC, 0..50).as_bytes());
        run.wait_until("its records are there", |_| mock.holds(50));
        run.signal(signal);
        let (output, _) = end(run, AT_ONCE);
        let begin = format!(
            "{word}: delivered 50 of 50 records to {} in ",
            mock.brokers()
        );
        assert!(output.stdout.starts_with(&begin), "{}", output.stdout);
        assert!(
            output.stdout.contains("\nfound      50 = 50 delivered\n"),
            "{}",
            output.stdout
        );
        assert!(
            output.stdout.contains("; not read to its end\n"),
            "{}",
            output.stdout
        );
    }
}

#[test]
fn a_csv_from_stdin_hands_over_each_whole_row_without_the_next_one() {
    let mock = MockBroker::start();
    let brokers = mock.brokers();
    let args = [
        "replay", "-", "-b", &brokers, "-t", TOPIC, "--report", "json",
    ];
    let mut run = Run::new(args).stdin_open().spawn();
    let value = "kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString";
    // What is written at once, and how many whole rows are written by then.
    let pieces = [
        (format!("{value},RRPair UUID\n"), 0),
        ("one,u1\n".into(), 1),
        ("two,u2\n\"th\"\"re\ne\",u3\n\n\n".into(), 3),
        ("four,u4\nfi".into(), 4),
        ("ve,u5".into(), 4),
        ("\n\"si\nx\"".into(), 5),
        (",u6\n\"se\n".into(), 6),
        ("ven\",u7\n".into(), 7),
    ];
    for (piece, whole) in pieces {
        run.write_stdin(piece.as_bytes());
        let what = format!("{whole} rows are delivered after {piece:?}");
        run.wait_until(&what, |_| mock.holds(whole));
    }
    let output = run.wait();
    assert_eq!(output.code, 0, "{output:#?}");
    let seen = read(&brokers, TOPIC).expect("the topic is readable");
    let texts: Vec<&str> = seen.iter().map(LoggedRecord::text).collect();
    let expected = [
        "one",
        "two",
        "th\"re\ne",
        "four",
        "five",
        "si\nx",
        "se\nven",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn an_interrupted_rehearsal_of_an_endless_stdin_counts_what_was_not_sent() {
    let args = ["replay", "-", "--rehearse", "--report", "json"];
    let mut run = Run::new(args).stdin_open().spawn();
    // More than a pipe holds: when this returns, kreplay has begun to read.
    let lines = numbered_lines(TOPIC, 0..5000);
    assert!(lines.len() > 256 << 10, "{}", lines.len());
    run.write_stdin(lines.as_bytes());
    run.signal(SIGINT);
    let (output, _) = end(run, AT_ONCE);
    let report = interrupted(&output, 130);
    ledger(&report);
    assert!((1..=5000).contains(&entry(&report, "found")), "{report:#}");
}

#[test]
fn an_interruption_in_full_flow_accounts_for_every_record() {
    const RECORDS: u64 = 60_000;
    let lines = numbered_lines(TOPIC, 0..RECORDS);
    for (i, (signal, code)) in (0..).zip([SIGNALS, SIGNALS].concat()) {
        let mock = MockBroker::start();
        // A request for each record makes it slow enough to be interrupted in the middle; a short queue lets
        // it end soon after.
        let args = ["replay", "-", "-b", &mock.brokers(), "--report", "json"];
        let slow = [
            "-X",
            "batch.num.messages=1",
            "-X",
            "queue.buffering.max.messages=1000",
        ];
        let args = args.into_iter().chain(slow);
        let mut run = Run::new(args).stdin(lines.clone()).spawn();
        run.wait_until("its first records are there", |_| {
            count(&mock.brokers(), TOPIC).is_ok_and(|there| there > 0)
        });
        thread::sleep(Duration::from_millis(50 * i));
        run.signal(signal);
        let output = run.wait();
        let report = interrupted(&output, code);
        let found = ledger(&report);
        let complete = entry(&report, "found") == RECORDS;
        assert!(
            complete || report["source"]["complete"] == false,
            "{report:#}"
        );
        let (delivered, unknown) = (entry(&report, "delivered"), entry(&report, "unknown"));
        let numbers = mock.numbers();
        let there = numbers.len() as u64;
        // The mock keeps 5 MiB of a partition, more than these records are.
        assert!(
            (delivered..=delivered + unknown).contains(&there),
            "{there} there: {found}"
        );
        assert_eq!(
            numbers,
            (0..there).collect::<Vec<_>>(),
            "each once and in order"
        );
    }
}

#[test]
fn a_first_signal_waits_for_records_in_flight() {
    for (signal, code) in SIGNALS {
        let mock = MockBroker::start();
        let mut run = mock.replay(100);
        mock.delay(Duration::from_millis(1500));
        run.write_stdin(numbered_lines(TOPIC, 100..300).as_bytes());
        thread::sleep(Duration::from_millis(400));
        run.signal(signal);
        let (output, _) = end(run, Duration::from_secs(4));
        let report = interrupted(&output, code);
        assert_eq!(ledger(&report), "300 = 300 delivered");
        mock.delay(Duration::ZERO);
        assert_eq!(mock.numbers(), (0..300).collect::<Vec<_>>());
    }
}

#[test]
fn a_second_signal_leaves_at_once_with_a_report() {
    for (first, second, code) in [
        (SIGINT, SIGINT, 130),
        (SIGINT, SIGTERM, 130),
        (SIGTERM, SIGINT, 143),
    ] {
        let mock = MockBroker::start();
        let mut run = mock.replay(100);
        mock.delay(Duration::from_secs(60));
        run.write_stdin(numbered_lines(TOPIC, 100..300).as_bytes());
        thread::sleep(Duration::from_millis(400));
        run.signal(first);
        thread::sleep(Duration::from_millis(400));
        assert!(
            !run.has_ended(),
            "the first signal waits for what is in flight"
        );
        run.signal(second);
        let (output, _) = end(run, Duration::from_secs(3));
        let report = interrupted(&output, code);
        ledger(&report);
        assert_eq!(entry(&report, "found"), 300);
        assert_eq!(entry(&report, "delivered"), 100);
        assert!(entry(&report, "unknown") > 0, "{report:#}");
    }
}

#[test]
fn a_signal_after_everything_was_sent_changes_nothing() {
    for (signal, _) in SIGNALS {
        let mock = MockBroker::start();
        let mut run = mock.replay(100);
        mock.delay(Duration::from_secs(2));
        run.write_stdin(numbered_lines(TOPIC, 100..150).as_bytes());
        run.close_stdin();
        thread::sleep(Duration::from_millis(500));
        assert!(!run.has_ended(), "it waits for the answer");
        run.signal(signal);
        let output = run.wait();
        assert_eq!(output.code, 0, "{output:#?}");
        let report = report(&output);
        assert_eq!(ledger(&report), "150 = 150 delivered");
        assert_eq!(report["interrupted"], false);
        assert_eq!(report["source"]["complete"], true);
    }
}

#[test]
fn a_signal_while_no_broker_answers_ends_at_once_with_a_report() {
    for (signal, code) in SIGNALS {
        // Takes connections and never answers.
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let brokers = silent.local_addr().expect("its address").to_string();
        let args = ["replay", "-", "-b", &brokers, "--report", "json"];
        let run = Run::new(args).stdin_open().spawn();
        let (mut connection, _) = silent.accept().expect("kreplay connects");
        connection.read_exact(&mut [0; 4]).expect("kreplay asks");
        run.signal(signal);
        let (output, _) = end(run, AT_ONCE);
        let report = interrupted(&output, code);
        assert_eq!(ledger(&report), "0 = ");
    }
}

#[test]
fn only_records_that_a_broker_answered_are_counted_as_answered() {
    let mock = MockBroker::start();
    let brokers = mock.brokers();
    let args = ["replay", "-", "-b", &brokers, "--report", "json"];
    // Without idempotence librdkafka watches the time, and gives records up while kreplay drains.
    let more = ["--no-idempotence", "-X", "message.timeout.ms=1500"];
    let args = args.into_iter().chain(more);
    let mut run = Run::new(args).stdin_open().spawn();
    run.write_stdin(numbered_lines(TOPIC, 0..100).as_bytes());
    run.wait_until("its first records are there", |_| mock.holds(100));
    mock.delay(Duration::from_secs(60));
    run.write_stdin(numbered_lines(TOPIC, 100..300).as_bytes());
    thread::sleep(Duration::from_millis(400));
    run.signal(SIGINT);
    let output = run.wait();
    let report = interrupted(&output, 130);
    assert_eq!(entry(&report, "delivered"), 100, "{report:#}");
    let placed = &report["placement"];
    let placed = [
        placed["kept"].as_u64(),
        placed["by_key"].as_u64(),
        placed["spread"].as_u64(),
    ];
    assert_eq!(placed.into_iter().flatten().sum::<u64>(), 100, "{report:#}");
    let drain = &report["drain"];
    assert_eq!(drain["answered"], 0, "{drain:#}");
    assert!(drain["given_up"].as_u64() > Some(0), "{drain:#}");
    let unsent = entry(&report, "unsent");
    let all = drain.as_object().expect("an object").values();
    let all: u64 = all.map(|n| n.as_u64().expect("a count")).sum();
    assert_eq!(all + unsent, 200, "{report:#}");
}

#[test]
fn a_hangup_and_a_quit_report_as_sigterm_does() {
    for signal in [SIGHUP, SIGQUIT] {
        let mock = MockBroker::start();
        let run = mock.replay(300);
        run.signal(signal);
        let (output, _) = end(run, AT_ONCE);
        let report = interrupted(&output, 143);
        assert_eq!(ledger(&report), "300 = 300 delivered");
    }
}

#[test]
fn a_hangup_that_is_ignored_stays_so() {
    let mock = MockBroker::start();
    let brokers = mock.brokers();
    let script = r#"trap "" HUP; exec "$@""#;
    let kreplay = env!("CARGO_BIN_EXE_kreplay");
    let args = ["-c", script, "sh", kreplay, "replay", "-", "-b", &brokers];
    let args = args.into_iter().chain(["--report", "json"]);
    let mut run = Run::program("sh", args).stdin_open().spawn();
    run.write_stdin(numbered_lines(TOPIC, 0..100).as_bytes());
    run.wait_until("its first records are there", |_| mock.holds(100));
    run.signal(SIGHUP);
    run.write_stdin(numbered_lines(TOPIC, 100..200).as_bytes());
    run.close_stdin();
    let output = run.wait();
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(ledger(&report(&output)), "200 = 200 delivered");
}

/// A FIFO that exists for one test.
fn fifo(folder: &TempDir) -> String {
    let path = folder.path().join("fifo");
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("every Unix has `mkfifo`").success());
    path.to_str()
        .expect("the paths of the tests are text")
        .into()
}

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

/// Threads of a run (proc(5)).
fn threads(run: &Running) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", run.pid()));
    tasks.map_or(0, Iterator::count)
}

#[test]
fn a_wait_for_a_token_can_be_interrupted_and_leaves_no_process() {
    for (signal, code) in SIGNALS {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (file, pid_file) = (fifo(&folder), folder.path().join("pid"));
        let command = format!("echo $$ > {}; sleep 100", pid_file.display());
        for token in [["--oauth-file", &file], ["--oauth-command", &command]] {
            // Nobody is asked before there is a token.
            let args = ["replay", "-", "-b", "127.0.0.1:9", "--report", "json"];
            let mut run = Run::new(args.into_iter().chain(token)).stdin_open().spawn();
            match token[0] {
                "--oauth-file" => run.wait_until("its threads are there", |run| threads(run) > 3),
                _ => run.wait_until("the command runs", |_| pids(&pid_file).len() == 1),
            }
            run.signal(signal);
            let (output, _) = end(run, AT_ONCE);
            let report = interrupted(&output, code);
            assert_eq!(ledger(&report), "0 = ");
            let said =
                "kreplay: could not get a token: the run was interrupted before the token came\n";
            assert_eq!(output.stderr, said);
        }
        assert!(pids(&pid_file).iter().all(|pid| is_gone(pid)));
    }
}

/// Whether a process has ended; one that nobody has waited for counts as ended.
fn is_gone(pid: &str) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
    let state = String::from_utf8(state.expect("every Unix has `ps`").stdout);
    let state = state.expect("a state is text");
    state.trim().is_empty() || state.trim().starts_with('Z')
}

/// The process ids that the simulated speedctl has written.
fn pids(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// How a signal arrives.
#[derive(Clone, Copy)]
enum SignalRoute {
    /// To kreplay alone, as `kill` does.
    Alone,
    /// To its process group, as Ctrl-C in a terminal does.
    ToGroup,
}

/// Interrupts a replay of a snapshot while the simulated speedctl misbehaves like this; checks that no
/// process of it is left.
fn interrupt_speedctl(
    fault: &str,
    via: &str,
    (signal, code): (Signal, i32),
    sent: SignalRoute,
    limit: Duration,
) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pid_file = folder.path().join("pids");
    let fixtures = fixture("demo.jsonl").parent().map(Path::to_path_buf);
    let args = [
        "snapshot",
        "shop",
        "--via",
        via,
        "--rehearse",
        "--report",
        "json",
    ];
    let mut run = Run::new(args)
        .env("KREPLAY_SPEEDCTL", standin())
        .env(
            "STANDIN_DATA",
            fixtures.expect("a fixture stands in a folder"),
        )
        .env(
            "STANDIN_FAULT",
            format!("{fault},pid-file={}", pid_file.display()),
        )
        .spawn();
    let processes = if fault.contains("child") { 2 } else { 1 };
    run.wait_until("speedctl runs", |_| pids(&pid_file).len() == processes);
    // Some of its first rows may be there, or none.
    thread::sleep(Duration::from_millis(150));
    match sent {
        SignalRoute::Alone => run.signal(signal),
        SignalRoute::ToGroup => run.signal_group(signal),
    }
    let (output, _) = end(run, limit);
    let left: Vec<String> = pids(&pid_file)
        .into_iter()
        .filter(|pid| !is_gone(pid))
        .collect();
    assert!(
        left.is_empty(),
        "{fault}, {via}: {left:?} are left\n{output:#?}"
    );
    let report = interrupted(&output, code);
    ledger(&report);
    assert_eq!(entry(&report, "delivered"), 0, "{report:#}");
    assert_eq!(report["source"]["complete"], false, "{report:#}");
}

#[test]
fn nothing_is_left_of_a_speedctl_that_is_interrupted() {
    for fault in [
        "slow=50",
        "silent",
        "silent-after=3",
        "slow=50,child",
        "silent,child",
        "stderr=100000,slow=50",
    ] {
        for via in ["csv", "raw", "auto"] {
            for signal in SIGNALS {
                interrupt_speedctl(fault, via, signal, SignalRoute::Alone, AT_ONCE);
            }
        }
    }
}

#[test]
fn nothing_is_left_of_a_speedctl_that_ignores_sigterm() {
    for (fault, via) in [
        ("silent,ignore-term", "csv"),
        ("slow=50,child,ignore-term", "raw"),
    ] {
        interrupt_speedctl(fault, via, (SIGINT, 130), SignalRoute::Alone, WITH_GRACE);
    }
}

#[test]
fn nothing_is_left_of_a_speedctl_after_ctrl_c() {
    for fault in ["slow=50", "silent,child", "slow=50,child,ignore-term"] {
        interrupt_speedctl(
            fault,
            "csv",
            (SIGINT, 130),
            SignalRoute::ToGroup,
            WITH_GRACE,
        );
    }
}

#[test]
fn nothing_is_left_of_a_speedctl_when_a_second_signal_comes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pid_file = folder.path().join("pids");
    let fault = format!("silent,child,ignore-term,pid-file={}", pid_file.display());
    let mut run = Run::new(["snapshot", "demo", "--rehearse", "--report", "json"])
        .env("KREPLAY_SPEEDCTL", standin())
        .env("STANDIN_FAULT", fault)
        .spawn();
    run.wait_until("speedctl runs", |_| pids(&pid_file).len() == 2);
    run.signal(SIGINT);
    thread::sleep(Duration::from_millis(200));
    run.signal(SIGINT);
    let (output, _) = end(run, WITH_GRACE);
    let left: Vec<String> = pids(&pid_file)
        .into_iter()
        .filter(|pid| !is_gone(pid))
        .collect();
    assert!(left.is_empty(), "{left:?} are left\n{output:#?}");
    assert_eq!(ledger(&interrupted(&output, 130)), "0 = ");
}
