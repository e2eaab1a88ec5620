//! Damaged, odd and hostile input: kreplay sends whole records around the damage, counts the damage and names
//! it by file and line, and the exit code says so. Nothing here needs more than one rehearsal.

mod csv_columns;
mod csv_rows;
mod files;
mod long;
mod odd;
mod values;

use std::fs::{self, File};
use std::io::{BufWriter, Write};

use crate::harness::report::assert_sound;
use crate::harness::run::{Run, RunOutput, report};
use serde_json::Value;
use tempfile::TempDir;

/// The value column of Speedscale's guide.
const VALUE: &str =
    "kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString";

/// Records of `demo.jsonl`.
const DEMO: u64 = 21;

/// What kreplay may take at most while it reads one line of 100 MB.
const MOST_MEMORY_KIB: u64 = 150 << 10;

/// A folder for the inputs of one test.
struct InputFolder(TempDir);

impl InputFolder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("the system's temporary folder is writable"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.0.path().join(name), bytes).expect("the folder is writable");
        self.path(name)
    }

    fn stream(&self, name: &str, write: impl FnOnce(&mut BufWriter<File>)) -> String {
        let file = File::create(self.0.path().join(name)).expect("the folder is writable");
        let mut file = BufWriter::new(file);
        write(&mut file);
        file.flush().expect("the disk has room");
        self.path(name)
    }
}

/// A finished rehearsal with its report.
struct Replay {
    output: RunOutput,
    report: Value,
}

/// Rehearses and checks what holds for every run that has a report.
fn rehearse(args: &[&str]) -> Replay {
    rehearse_with(args, "")
}

fn rehearse_with(args: &[&str], stdin: impl Into<Vec<u8>>) -> Replay {
    let all = args
        .iter()
        .chain(&["--rehearse", "--keep-duplicates", "--report", "json"]);
    let output = Run::new(all).stdin(stdin).output();
    let report = report(&output);
    assert_sound(&output, &report);
    Replay { output, report }
}

/// Runs what has to be refused as a usage error: code 2, no report, nothing sent.
fn refused(args: &[&str], stdin: &str) -> String {
    let all = args
        .iter()
        .chain(&["--rehearse", "--keep-duplicates", "--report", "json"]);
    let output = Run::new(all).stdin(stdin).output();
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (2, ""),
        "{output:#?}"
    );
    assert!(!output.stderr.contains("panicked"), "{output:#?}");
    output.stderr
}

impl Replay {
    fn ledger(&self, name: &str) -> u64 {
        self.report["ledger"][name]
            .as_u64()
            .expect("the ledger has this member")
    }

    /// Checks the exit code and the counts (delivered, unreadable).
    fn assert(&self, what: &str, code: i32, delivered: u64, unreadable: u64) {
        let seen = (
            self.output.code,
            self.ledger("delivered"),
            self.ledger("unreadable"),
        );
        let said = (&self.output.stderr, &self.report["problems"]);
        assert_eq!(seen, (code, delivered, unreadable), "{what}: {said:?}");
        assert_eq!(self.report["source"]["complete"], code != 4, "{what}");
    }

    /// Checks where the first problem is and what it says; the CSVs here have few columns.
    fn assert_named(&self, what: &str, input: &str, line: u64, why: &str) {
        let problems = self.report["problems"].as_array().expect("a list");
        let mut named = problems.iter().filter(|p| p["what"] != "loss_unseen");
        let first = &named.next().expect("a problem is named")["first"];
        assert_eq!(
            (&first["input"], &first["line"]),
            (&input.into(), &line.into()),
            "{what}"
        );
        let said = first["why"].as_str().expect("a problem says why");
        assert!(said.contains(why), "{what}: `{why}` is not in `{said}`");
    }
}

/// One line with one record of topic `t`.
fn good(value: &str) -> String {
    fetch(&format!(
        r#"{{"baseOffset":"1","records":[{{"valueString":"{value}"}}]}}"#
    ))
}

/// One Fetch whose `records` member is this JSON.
fn fetch(records: &str) -> String {
    response(&format!(
        r#"[{{"name":"t","partitions":[{{"partitionIndex":0,"records":{records}}}]}}]"#
    ))
}

/// One Fetch whose batch has these records.
fn records(records: &str) -> String {
    fetch(&format!(
        r#"{{"baseOffset":"7","baseTimestamp":"1767603600000","records":{records}}}"#
    ))
}

/// One Fetch whose record has these headers.
fn headers(headers: &str) -> String {
    records(&format!(r#"[{{"valueString":"x","headers":{headers}}}]"#))
}

/// One Fetch whose topic has this member, or none.
fn topic(member: &str) -> String {
    response(&format!(
        r#"[{{{member}"partitions":[{{"records":{{"records":[{{"valueString":"x"}}]}}}}]}}]"#
    ))
}

/// One Fetch whose batch has these members besides one record.
fn batch(members: &str) -> String {
    fetch(&format!(
        r#"{{{members},"records":[{{"valueString":"x"}}]}}"#
    ))
}

/// One Fetch with this partition index.
fn partition(index: &str) -> String {
    response(&format!(
        r#"[{{"name":"t","partitions":[{{"partitionIndex":{index},"records":{{"records":[{{"valueString":"x"}}]}}}}]}}]"#
    ))
}

fn response(topics: &str) -> String {
    format!(
        r#"{{"command":"Fetch","kafka":{{"response":{{"FetchResponse":{{"topics":{topics}}}}}}}}}"#
    )
}

/// A good line with one more member before all others.
fn with_member(member: &str) -> String {
    format!("{{{member},{}", &good("x")[1..])
}

/// Replays `line` between two good lines.
fn between(inputs: &InputFolder, line: impl AsRef<[u8]>) -> Replay {
    let (before, after) = (good("before"), good("after"));
    let text = [before.as_bytes(), line.as_ref(), after.as_bytes(), b""].join(&b"\n"[..]);
    rehearse(&["replay", &inputs.write("p.jsonl", text)])
}

/// Checks that each line is counted as one unreadable, named, and the lines around it are sent.
fn assert_bad_lines(cases: &[(&str, String, &str)]) {
    let inputs = InputFolder::new();
    for (what, line, why) in cases {
        let replay = between(&inputs, line);
        replay.assert(what, 1, 2, 1);
        replay.assert_named(what, &inputs.path("p.jsonl"), 2, why);
        assert!(
            replay.output.stderr.is_empty(),
            "{what}: {}",
            replay.output.stderr
        );
    }
}

/// Replays a CSV with a value column and a UUID column to topic `t`.
fn csv(inputs: &InputFolder, rows: impl AsRef<[u8]>) -> Replay {
    let header = format!("{VALUE},RRPair UUID\n");
    let text = [header.as_bytes(), rows.as_ref()].concat();
    rehearse(&["replay", &inputs.write("p.csv", text), "-t", "t"])
}
