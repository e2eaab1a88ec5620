//! `kreplay snapshot` with a speedctl that behaves, misbehaves or is missing. `tools/speedctl` plays all of
//! them; its `faults.rs` describes its misbehaviours.

mod command;
mod failures;
mod losses;
mod output;

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::harness::paths::{fixture, standin};
use crate::harness::report::assert_sound;
use crate::harness::run::{Run, RunOutput, Running, report};
use serde_json::Value;
use tempfile::TempDir;

/// No run here may come near this; a deadlock does.
const LIMIT: Duration = Duration::from_secs(20);

/// Records of `demo.jsonl`.
const DEMO: u64 = 21;

/// A run of `kreplay snapshot` with the simulated speedctl, and where that notes what it did.
struct Play {
    run: Run,
    notes: TempDir,
}

/// Prepares `kreplay snapshot ID` with a list of faults.
fn play(id: &str, faults: &str, args: &[&str]) -> Play {
    let notes = tempfile::tempdir().expect("the system's temporary folder is writable");
    let pids = notes.path().join("pids").display().to_string();
    let typed = notes.path().join("args").display().to_string();
    let run = Run::new(
        ["snapshot", id, "--rehearse", "--report", "json"]
            .iter()
            .chain(args),
    )
    .env("KREPLAY_SPEEDCTL", standin())
    .env("STANDIN_DATA", fixtures())
    .env("STANDIN_OBJECTS", "json")
    .env(
        "STANDIN_FAULT",
        format!("{faults},pid-file={pids},args-file={typed}"),
    )
    .limit(LIMIT);
    Play { run, notes }
}

impl Play {
    fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.run = self.run.env(name, value);
        self
    }

    /// Runs to the end.
    fn end(self) -> Played {
        let Self { run, notes } = self;
        played(run.spawn(), &notes)
    }
}

/// A finished run.
struct Played {
    output: RunOutput,
    report: Value,
    /// The arguments of each call of speedctl.
    calls: Vec<Vec<String>>,
}

/// Waits for the end of a run and checks that it left no process behind.
fn played(running: Running, notes: &TempDir) -> Played {
    let output = running.wait();
    let read = |name| fs::read_to_string(notes.path().join(name)).unwrap_or_default();
    for pid in read("pids").lines() {
        assert!(!is_alive(pid), "process {pid} is left behind\n{output:#?}");
    }
    let calls = read("args")
        .lines()
        .map(|line| serde_json::from_str(line).expect("the stand-in writes JSON"))
        .collect();
    let report = report(&output);
    assert_sound(&output, &report);
    Played {
        output,
        report,
        calls,
    }
}

/// A process that has ended may stay as a zombie where nobody inherits it, as in a container.
fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

fn fixtures() -> PathBuf {
    fixture("demo.jsonl").with_file_name("")
}

impl Played {
    fn ledger(&self, name: &str) -> u64 {
        self.report["ledger"][name]
            .as_u64()
            .expect("the ledger has this member")
    }

    /// What kreplay prints on stderr, both notes and errors.
    fn said(&self) -> Vec<&str> {
        let lines = self.output.stderr.lines();
        lines.filter(|line| line.starts_with("kreplay: ")).collect()
    }

    /// Checks that the source failed with one error that contains `words`, and nothing was sent.
    fn assert_refused(&self, what: &str, words: &[&str]) {
        let RunOutput { code, stderr, .. } = &self.output;
        assert_eq!(*code, 4, "{what}: {stderr}");
        assert_eq!(self.ledger("delivered"), 0, "{what}");
        assert_eq!(self.report["source"]["complete"], false, "{what}");
        assert_eq!(self.said().len(), 1, "{what}: one error, not {stderr}");
        for word in words {
            assert!(stderr.contains(word), "{what}: `{word}` is not in {stderr}");
        }
    }

    /// Checks that all of `demo` was delivered and nothing was printed on stderr.
    fn assert_whole_demo(&self, what: &str) {
        let RunOutput { code, stderr, .. } = &self.output;
        assert_eq!(*code, 0, "{what}: {stderr}");
        assert_eq!(
            (self.ledger("found"), self.ledger("delivered")),
            (DEMO, DEMO),
            "{what}"
        );
        assert_eq!(self.report["source"]["complete"], true, "{what}");
        assert_eq!(self.report["problems"], serde_json::json!([]), "{what}");
        assert_eq!(stderr, "", "{what}");
    }
}

/// Begins all runs at once and checks each at its end; most of their time is waiting.
fn side_by_side<C>(cases: Vec<(Play, C)>, check: impl Fn(Played, C)) {
    let running: Vec<_> = cases
        .into_iter()
        .map(|(Play { run, notes }, case)| (run.spawn(), notes, case))
        .collect();
    for (run, notes, case) in running {
        check(played(run, &notes), case);
    }
}
