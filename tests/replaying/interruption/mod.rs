//! SIGINT and SIGTERM at various moments: a report that balances, the right code, nothing left behind.
//!
//! These tests look at processes and clocks. The broker is a mock in the test's own process, so that it can be
//! made slow; `tests/real_kafka/` has a real one that hangs.

mod children;
mod in_flight;
mod outputs;
mod reading;

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::capture::{number_of, numbered_lines};
use crate::harness::run::{Run, RunOutput, Running, report};
use crate::harness::verdict::readback::{LoggedRecord, count, read};
use nix::sys::signal::Signal::{self, SIGINT, SIGTERM};
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

/// A FIFO that exists for one test.
fn fifo(folder: &TempDir) -> String {
    let path = folder.path().join("fifo");
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("every Unix has `mkfifo`").success());
    path.to_str()
        .expect("the paths of the tests are text")
        .into()
}

/// Threads of a run (proc(5)).
fn threads(run: &Running) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", run.pid()));
    tasks.map_or(0, Iterator::count)
}
