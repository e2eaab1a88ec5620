//! `--resume FILE`: the same command continues where a run has ended.
//!
//! These tests need several runs and the file between them. `tests/faults/` kills replays into a real broker.

mod chain;
mod continued;
mod damage;
mod files;
mod identity;
mod refused;
mod rejects;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::harness::capture::number_of;
use crate::harness::run::{Run, RunOutput};
use crate::harness::verdict::readback::{LoggedRecord, count, read};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
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
