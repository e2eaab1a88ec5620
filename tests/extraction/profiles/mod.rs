//! What kreplay extracts from captures: it leaves out copies and aborted transactions, resolves topic ids,
//! and follows paths, filters and spellings.

mod duplicates;
mod encodings;
mod errors;
mod filters;
mod names;
mod paths;
mod snapshots;
mod spellings;

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::paths::fixture;
use crate::harness::report::ledger::ledger;
use crate::harness::run::{Run, RunOutput, report};
use serde_json::Value;

fn fixtures() -> PathBuf {
    let parent = fixture("demo.jsonl").parent().map(Path::to_path_buf);
    parent.expect("a fixture stands in a folder")
}

/// Prepares a run within the folder of fixtures, whose names then are short.
fn run(args: &[&str]) -> Run {
    Run::new(args.iter().copied()).cwd(fixtures())
}

/// `kreplay extract -q ARGS`.
fn extract(args: &[&str]) -> RunOutput {
    run(&[&["extract", "-q"], args].concat()).output()
}

/// The record lines of an extraction in which nothing went wrong.
fn lines(args: &[&str]) -> Vec<Value> {
    let output = extract(args);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{args:?}");
    parsed(&output)
}

fn parsed(output: &RunOutput) -> Vec<Value> {
    let lines = output.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("a record line is JSON"))
        .collect()
}

/// Record lines as `orders[1]@104 key=value`; `-` is what the capture does not contain, `~` a null.
fn short(lines: &[Value]) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Null => "~".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let shown = |line: &Value, name| line.get(name).map_or("-".to_owned(), text);
    let one = |line: &Value| {
        let topic = match line.get("topic_id") {
            Some(id) => text(id),
            None => shown(line, "topic"),
        };
        let (partition, offset) = (shown(line, "partition"), shown(line, "offset"));
        let (key, value) = (text(&line["key"]), text(&line["value"]));
        format!("{topic}[{partition}]@{offset} {key}={value}")
    };
    lines.iter().map(one).collect()
}

/// The JSON report of `kreplay ARGS --rehearse`, which must end with this code.
fn rehearse(args: &[&str], code: i32) -> Value {
    rehearse_with(args, "", code)
}

fn rehearse_with(args: &[&str], stdin: &str, code: i32) -> Value {
    let args = [args, &["--rehearse", "--report", "json"]].concat();
    let output = run(&args).stdin(stdin).output();
    assert_eq!(output.code, code, "{args:?}: {output:#?}");
    report(&output)
}

/// The lines of a fixture in another order, by their numbers from 1.
fn reordered(name: &str, order: &[usize]) -> String {
    let text = fs::read_to_string(fixture(name)).expect("the fixture is readable text");
    let lines: Vec<&str> = text.lines().collect();
    order
        .iter()
        .map(|at| lines[at - 1].to_owned() + "\n")
        .collect()
}

/// Which records a run extracts, in order, and what the report counts.
#[track_caller]
fn assert_gives(args: &[&str], counts: &str, expected: &[&str]) {
    assert_eq!(short(&lines(args)), expected, "{args:?}");
    let raw = [&["replay"], args].concat();
    assert_eq!(ledger(&rehearse(&raw, 0)), counts, "{args:?}");
}

/// Checks that a run is refused before anything is read, with code 2 and these lines on stderr.
#[track_caller]
fn assert_refused(args: &[&str], stderr: &[&str]) {
    let output = extract(args);
    assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{args:?}");
    let said: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(said[..stderr.len().min(said.len())], *stderr, "{args:?}");
}

// Paths.

const OWN: [&str; 3] = ["own.jsonl", "--profile", "own-profile.toml"];
