//! Sources without records, and inputs that cannot be opened.

use std::fs;

use super::{assert_one_line, folder, write};
use crate::harness::paths::fixture;
use crate::harness::run::Run;

#[test]
fn a_source_without_records_is_refused_in_one_line_unless_allowed() {
    let folder = folder();
    let none = folder.path().join("captures");
    write(&none, "README.txt", "Captured on a Tuesday.\n");
    let empty = write(folder.path(), "empty", "");
    let guide = fs::read_to_string(fixture("guide.csv")).expect("the fixture is text");
    let header = guide.split_inclusive('\n').next().expect("it has a header");
    let header = write(folder.path(), "header.csv", header);
    let [none, empty, header] = [none, empty, header].map(|path| path.display().to_string());
    let cases = [
        (
            &none,
            format!("nothing was found: {none} holds no RRPair: 1 file skipped"),
        ),
        (&empty, format!("nothing was found: {empty} is empty")),
        (
            &header,
            format!("nothing was found: {header} has no row but the header"),
        ),
        (&"-".to_string(), "nothing was found: stdin is empty".into()),
    ];
    for (source, line) in &cases {
        for command in ["replay", "extract", "inspect"] {
            let sending: &[&str] = if command == "replay" {
                &["--rehearse", "-t", "t"]
            } else {
                &[]
            };
            let args = [&[command, source][..], sending].concat();
            assert_one_line(&Run::new(&args).output(), 1, line);
            let output = Run::new([&args[..], &["--allow-empty"]].concat()).output();
            assert_eq!(output.code, 0, "{command} {source}: {output:?}");
            assert!(!output.stderr.contains("nothing was found"), "{output:?}");
        }
    }
}

#[test]
fn a_filter_that_passes_nothing_is_a_failure_unless_it_is_allowed() {
    let http = fixture("http.jsonl").display().to_string();
    for command in ["replay", "extract", "inspect"] {
        let sending: &[&str] = if command == "replay" {
            &["--rehearse", "-t", "t"]
        } else {
            &[]
        };
        let args = [
            &[command, &http, "--filter", r#"(command IS "Fetch")"#][..],
            sending,
        ]
        .concat();
        let output = Run::new(&args).output();
        let expected_text = format!("RRPairs of {http}\n");
        let line = output
            .stderr
            .lines()
            .find(|line| line.contains("the filter passed none of "));
        assert!(output.code == 1 && line.is_some(), "{command}: {output:?}");
        assert!(
            output.stderr.contains(&expected_text),
            "{command}: {output:?}"
        );
        let output = Run::new([&args[..], &["--allow-empty"]].concat()).output();
        assert_eq!(output.code, 0, "{command}: {output:?}");
        // Filtered records are found, and yet none is left.
        let shop = fixture("shop.jsonl").display().to_string();
        let args = [
            &[command, &shop, "--filter", r#"(command IS "Nothing")"#][..],
            sending,
        ]
        .concat();
        let output = Run::new(&args).output();
        let expected_text =
            format!("kreplay: nothing was found: the filter passed none of 34 RRPairs of {shop}\n");
        assert_eq!(output.code, 1, "{command}: {output:?}");
        assert!(
            output.stderr.contains(&expected_text),
            "{command}: {output:?}"
        );
    }
}

#[test]
fn bare_values_get_a_hint_at_the_right_kcat_command() {
    for values in ["one\ntwo\n", "{\"id\":1}\n{\"id\":2}\n", "3\n4\n"] {
        let args = ["replay", "-", "-t", "t", "--rehearse"];
        let output = Run::new(args).stdin(values).output();
        let what = if values.starts_with('{') {
            "JSON"
        } else {
            "text"
        };
        let line = format!("stdin holds no RRPairs or record lines: it is {what} of another kind");
        assert_one_line(&output, 1, &line);
        assert!(
            output
                .stderr
                .contains("hint: `kcat -C -J` prints record lines"),
            "{output:?}"
        );
    }
}

#[test]
fn an_input_that_cannot_be_opened_is_reported_in_one_line() {
    let folder = folder();
    let missing = folder.path().join("missing").display().to_string();
    let other = write(folder.path(), "other.json", r#"{"id":1}"#)
        .display()
        .to_string();
    for command in ["replay", "extract", "inspect"] {
        let sending: &[&str] = if command == "replay" {
            &["--rehearse", "-t", "t"]
        } else {
            &[]
        };
        let run = |source: &str| Run::new([&[command, source][..], sending].concat()).output();
        let line = format!("cannot read {missing}: no such file or directory");
        assert_one_line(&run(&missing), 4, &line);
        let line = format!("{other} holds no RRPairs or record lines: it is JSON of another kind");
        assert_one_line(&run(&other), 1, &line);
    }
}
