//! Record lines: `kreplay extract` prints them, and `kreplay replay` reads them and those of `kcat -J`.

mod printed;
mod replayed;

use std::path::{Path, PathBuf};

use crate::harness::run::{Run, RunOutput};
use serde_json::Value;

/// The arguments of a run on these files.
fn args(command: &str, files: &[&Path], flags: &[&str]) -> Vec<PathBuf> {
    let files = files.iter().map(PathBuf::from);
    let flags = flags.iter().map(PathBuf::from);
    [command.into()]
        .into_iter()
        .chain(files)
        .chain(flags)
        .collect()
}

const REHEARSE: [&str; 4] = ["--rehearse", "--report", "json", "-q"];

/// Replays record lines into a rehearsal.
fn rehearse_lines(lines: impl Into<Vec<u8>>) -> RunOutput {
    let args = args("replay", &[Path::new("-")], &REHEARSE);
    Run::new(args).stdin(lines).output()
}

fn json_lines(text: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).expect("every line is JSON");
    text.lines().map(parse).collect()
}
