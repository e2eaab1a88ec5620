//! kreplay into its own in-process broker: ledgers, exit codes, and everything that it prints.

mod ledgers;
mod reports;
mod usage;

use std::path::Path;

use crate::harness::paths::{fixture, standin};
use crate::harness::run::{Run, RunOutput, report};
use serde_json::Value;

/// Prepares a rehearsal from within the folder of fixtures, whose names then are short.
fn rehearse(args: &str) -> Run {
    let args = args.split(' ').chain(["--rehearse"]);
    Run::new(args)
        .cwd(fixtures())
        .env("KREPLAY_SPEEDCTL", standin())
        .env("STANDIN_DATA", fixtures())
}

fn fixtures() -> std::path::PathBuf {
    let parent = fixture("demo.jsonl").parent().map(Path::to_path_buf);
    parent.expect("a fixture stands in a folder")
}

fn rehearse_json(args: &str) -> (RunOutput, Value) {
    let output = rehearse(&format!("{args} --report json")).output();
    let report = report(&output);
    assert_eq!(report["exit_code"], output.code, "{output:#?}");
    (output, report)
}
