//! What a person sees while kreplay works: kreplay in a pseudo-terminal, and what is drawn there.
//!
//! The harness gives kreplay pipes, on which nothing is drawn, so these tests have a terminal of their own. The
//! terminal sends signals as a person does, by Ctrl-C.

mod bar;
mod line;
mod plan;
mod terminal;

use std::fs;

use serde_json::json;
use tempfile::TempDir;

const KREPLAY: &str = env!("CARGO_BIN_EXE_kreplay");

const TOPIC: &str = "orders";

/// A folder with `capture.jsonl`.
fn capture_of(text: impl AsRef<[u8]>) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("capture.jsonl"), text).expect("the folder is writable");
    folder
}

/// Record lines that come at these milliseconds.
fn lines(times_ms: impl IntoIterator<Item = i64>) -> String {
    let line = |(offset, ms): (i64, i64)| {
        let line = json!({
            "topic": TOPIC, "partition": 0, "offset": offset, "value": "v",
            "timestamp": 1_764_787_375_000 + ms,
        });
        format!("{line}\n")
    };
    (0..).zip(times_ms).map(line).collect()
}
