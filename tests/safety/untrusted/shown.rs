//! Names and texts of others, shown without harm: they forge no line, obey no control character and are cut.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{folder, with_token_command, write};
use crate::harness::run::{Run, RunOutput, kreplay, report};
use serde_json::json;

/// Neither a character that controls a terminal nor a line that only looks as if kreplay had begun it.
#[track_caller]
fn assert_harmless(output: &RunOutput, forged: &str) {
    let said = format!("{}{}", output.stdout, output.stderr);
    let is_obeyed = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!said.contains(is_obeyed), "{said:?}");
    let begins = |line: &str| line.starts_with(&format!("kreplay: {forged}"));
    assert!(!said.lines().any(begins), "{said}");
}

#[test]
fn a_name_with_line_ends_and_colours_forges_no_line() {
    let folder = folder();
    let name = "\u{1b}[31mx\u{202e}\nkreplay: 21 records delivered\nhint: all is well";
    let missing = folder.path().join(name).display().to_string();
    let missing = missing.as_str();
    for args in [
        &["replay", "-", "-b", "127.0.0.1:1", "-F", missing][..],
        &["replay", missing, "--rehearse"],
        &["replay", "-", "--rehearse", "--profile", missing],
        &[
            "replay",
            "-",
            "--rehearse",
            "--report-file",
            missing,
            "--rejects",
            missing,
        ],
        &["replay", "-", "--rehearse", "--resume", missing],
        &["replay", "-", "--rehearse", "-t", missing],
        &["replay", "-", "--rehearse", "--from", missing],
        &[missing],
        &["snapshot", "demo", "--rehearse", "--speedctl", missing],
    ] {
        let output = kreplay(args);
        assert_harmless(&output, "21 records delivered");
        let hints = output
            .stderr
            .lines()
            .filter(|line| line.starts_with("hint: all"));
        assert_eq!(hints.count(), 0, "{output:#?}");
    }
}

#[test]
fn output_of_speedctl_and_of_a_token_command_forges_no_line() {
    let folder = folder();
    let said = "printf '\\033]0;title\\007\\nkreplay: all delivered\\n\\302\\233x' >&2; exit 3";
    let script = write(folder.path(), "speedctl", format!("#!/bin/sh\n{said}\n"));
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    let output = kreplay(["snapshot", "demo", "--rehearse", "--speedctl", &script]);
    assert_eq!(output.code, 4, "{output:#?}");
    assert!(output.stderr.contains("all delivered"), "{output:#?}");
    assert_harmless(&output, "all delivered");
    let output = with_token_command(said).output();
    assert_eq!(output.code, 3, "{output:#?}");
    assert!(output.stderr.contains("all delivered"), "{output:#?}");
    assert_harmless(&output, "all delivered");
}

/// The reason repeats the value that is not a partition.
#[test]
fn a_reason_that_repeats_a_value_of_the_capture_is_cut() {
    let partition =
        json!({ "partitionIndex": "9".repeat(3_000_000), "records": { "records": [{}] } });
    let topics = json!([{ "name": "t", "partitions": [partition] }]);
    let pair = json!({ "command": "Fetch", "kafka": { "response": { "FetchResponse": { "topics": topics } } } });
    for form in ["json", "text"] {
        let args = ["replay", "-", "--rehearse", "--report", form];
        let output = Run::new(args).stdin(format!("{pair}\n")).output();
        assert_eq!(output.code, 1, "{:.500}", output.stderr);
        let longest = output
            .stdout
            .lines()
            .chain(output.stderr.lines())
            .map(str::len)
            .max();
        assert!(
            longest.is_some_and(|longest| longest < 4_000),
            "{form}: {longest:?}"
        );
    }
}

#[test]
fn the_hottest_key_of_a_plan_is_shown_without_harm() {
    let key = "\u{1b}[31mx\u{202e}\nkreplay: all is well\nhint: all".to_owned();
    for key in [key.clone(), key + &"y".repeat(100_000)] {
        let line = json!({ "topic": "t", "key": key, "value": "v" });
        let output = Run::new(["plan", "-"]).stdin(format!("{line}\n")).output();
        assert_eq!(output.code, 0, "{output:#?}");
        assert!(output.stdout.contains("[31mx"), "{output:#?}");
        assert_harmless(&output, "all is well");
        let longest = output.stdout.lines().map(str::len).max();
        assert!(longest.is_some_and(|longest| longest < 400), "{longest:?}");
    }
}

/// Keys and values that begin with a line end, values that are JSON with such names, and headers.
#[test]
fn what_a_comparison_shows_of_records_forges_no_line_and_is_cut() {
    let folder = folder();
    let evil = "\u{1b}[31mx\u{202e}\u{9b}\nkreplay: all is well\nhint: all";
    let long = format!("{evil}{}", "y".repeat(100_000));
    let lines = |end: &str| {
        let json = json!({ &long: end, "list": [{ "in": format!("{evil}{end}") }] }).to_string();
        let record = |key: &str, value: String| {
            let headers = json!([[&long, format!("{evil}{end}")]]);
            json!({ "topic": "t", "key": key, "value": value, "headers": headers }).to_string()
        };
        let records = [
            record(evil, format!("{evil}{end}")),
            record(&long, format!("{long}{end}")),
            record("json", json),
        ];
        records.join("\n") + "\n"
    };
    let (expected, observed) = (
        write(folder.path(), "a\nkreplay: all is well", lines("1")),
        write(folder.path(), "b\nhint: all", lines("2")),
    );
    for flags in [&[][..], &["--expect-headers"], &["--ignore", evil]] {
        let args = ["compare", &expected, &observed];
        let output = kreplay([&args[..], flags].concat());
        assert!(output.stderr.is_empty() || output.code == 2, "{output:#?}");
        assert_harmless(&output, "all is well");
        let said = output.stdout.lines().chain(output.stderr.lines());
        let longest = said.clone().map(str::len).max();
        assert!(
            longest.is_some_and(|longest| longest < 4_000),
            "{longest:?}"
        );
        let hints = said.filter(|line| line.starts_with("hint: all"));
        assert_eq!(hints.count(), 0, "{output:#?}");
    }
    // A report for programs has no more of the values, and both are whole in the file of differences.
    let file = folder.path().join("differences").display().to_string();
    let args = [
        "compare",
        &expected,
        &observed,
        "--report",
        "json",
        "--expect-diff",
        &file,
    ];
    let output = kreplay(args);
    assert_eq!(report(&output)["total"]["changed"], 3, "{output:#?}");
    assert!(output.stdout.len() < 30_000, "{}", output.stdout.len());
    let whole = fs::read_to_string(file).expect("it is written");
    assert!(whole.lines().any(|line| line.len() > 200_000));
}

#[test]
fn a_path_in_a_suggested_command_is_quoted_for_a_shell() {
    let folder = folder();
    let path = write(folder.path(), "a; rm -r b.xz", b"\xfd7zXZ\0rest of it");
    let output = kreplay(["replay", &path, "--rehearse"]);
    assert_eq!(output.code, 4, "{output:#?}");
    let expected = format!("xz -dc '{path}'");
    assert!(output.stderr.contains(&expected), "{output:#?}");
}
