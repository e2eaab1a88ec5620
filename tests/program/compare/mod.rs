//! `kreplay compare` says whether two sets of records are the same, and where they differ.

mod differences;
mod files;
mod produced;
mod refused;

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::run::{RunOutput, kreplay};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A file of record lines of topic `bills`, from keys and values.
fn lines(folder: &TempDir, name: &str, records: &[(&str, Value)]) -> PathBuf {
    let path = folder.path().join(name);
    let line = |(offset, (key, value)): (usize, &(&str, Value))| {
        json!({
            "topic": "bills",
            "partition": 0,
            "offset": offset,
            "key": key,
            "value": value.to_string(),
        })
        .to_string()
    };
    let lines: Vec<String> = records.iter().enumerate().map(line).collect();
    fs::write(&path, lines.join("\n") + "\n").expect("the temporary folder is writable");
    path
}

fn compare(expected: &Path, observed: &Path, flags: &[&str]) -> RunOutput {
    let files = [expected, observed].map(|path| path.display().to_string());
    let args = ["compare", &files[0], &files[1]];
    kreplay([&args[..], flags].concat())
}

fn counts(output: &RunOutput) -> Value {
    let report: Value = serde_json::from_str(&output.stdout).expect("one JSON object");
    report["total"].clone()
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("the system's temporary folder is writable")
}
