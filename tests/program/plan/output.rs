//! The plan as text and as JSON, on stdout and in a file, also of a run that is interrupted.

use std::fs;

use super::{every, lines, plan, run};
use crate::harness::paths::fixture;
use crate::harness::run::{Run, report};
use nix::sys::signal::Signal::SIGINT;
use serde_json::{Value, json};

#[test]
fn a_plan_file_is_json_whatever_stdout_carries() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("plan.json");
    let name = file.display().to_string();
    let text = lines(&every(0, 5));
    for (flags, is_printed) in [(&[][..], true), (&["--report", "none"], false)] {
        let args = [&["plan", "-", "--report-file", &name][..], flags].concat();
        // The second takes the place of the first.
        let output = Run::new(args).stdin(text.clone()).output();
        let shown = (output.code, output.stderr.as_str());
        assert_eq!(shown, (0, ""), "{output:#?}");
        assert_eq!(!output.stdout.is_empty(), is_printed, "{flags:?}");
        let written = fs::read_to_string(&file).expect("the plan is there");
        let planned: Value = serde_json::from_str(&written).expect("it is JSON");
        assert_eq!(planned["ledger"]["to_send"], 5);
        assert_eq!(planned["verdict"], "a replay would deliver all 5 records");
    }
    let printed = run("plan", &text, &["--report-file", &name]);
    let written = fs::read_to_string(&file).expect("the plan is there");
    assert_eq!(printed.stdout, written, "{printed:#?}");
}

#[test]
fn a_plan_that_cannot_be_written_is_reported_and_harms_no_file() {
    let text = lines(&every(0, 5));
    for file in ["lines", "no/such/folder/plan.json"] {
        let output = run("plan", &text, &["--report-file", file]);
        let shown = (output.code, output.stdout.as_str());
        assert_eq!(shown, (2, ""), "{output:#?}");
        assert!(output.stderr.contains(file), "{output:#?}");
    }
    let full = plan(&text, &["--report-file", "/dev/full"], 1);
    assert_eq!(full["verdict"], "a replay would deliver all 5 records");
    let said = "cannot write the report to /dev/full: no space left on device";
    assert_eq!(full["errors"], json!([said]));
}

#[test]
fn an_interrupted_plan_says_what_it_has_seen() {
    let mut running = Run::new(["plan", "-", "--report", "json"])
        .stdin_open()
        .spawn();
    // More than a pipe holds: when it is written, kreplay reads.
    running.write_stdin(lines(&every(1, 5000)).as_bytes());
    running.signal(SIGINT);
    let output = running.wait();
    assert_eq!(output.code, 130, "{output:#?}");
    let planned = report(&output);
    assert_eq!(planned["interrupted"], true);
}

#[test]
fn the_documented_plan_is_what_is_printed() {
    let docs = include_str!("../../../docs/plan.md");
    let block = docs
        .split("    $ kreplay plan shop.jsonl --speed 10x\n")
        .nth(1);
    let block = block.expect("the example is there").lines();
    let shown = block.map_while(|line| match line {
        "" => Some(""),
        line => line.strip_prefix("    "),
    });
    let shown: Vec<&str> = shown.collect();
    let folder = fixture("shop.jsonl");
    let folder = folder.parent().expect("it is in a folder");
    let run = Run::new(["plan", "shop.jsonl", "--speed", "10x"]);
    let output = run.cwd(folder).output();
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (0, ""),
        "{output:#?}"
    );
    assert_eq!(output.stdout.trim_end(), shown.join("\n").trim_end());
    let lines = output.stdout.lines();
    assert!(lines.clone().count() <= 24, "one screen");
    assert!(
        lines.clone().all(|line| line.chars().count() <= 100),
        "{}",
        output.stdout
    );
}
