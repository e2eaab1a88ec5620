//! Files that break off, are missing, empty or damaged in one place.

use std::fs;

use super::{DEMO, InputFolder, good, refused, rehearse, rehearse_with};
use crate::harness::paths::fixture;

#[test]
fn the_line_number_of_damage_is_right_whatever_precedes_it() {
    let inputs = InputFolder::new();
    let raw = |text: &str| rehearse(&["replay", &inputs.write("p.jsonl", text)]);
    let line = good("x");
    for (what, text, number) in [
        ("first", format!("bad\n{line}\n"), 1),
        ("crlf", format!("{line}\r\n{line}\r\nbad\r\n"), 3),
        ("empty lines", format!("{line}\n\n\n\nbad\n"), 5),
        ("last without a line end", format!("{line}\nbad"), 2),
        (
            "line separators",
            format!("{}\nbad\n", good("a\u{2028}\u{85}b")),
            2,
        ),
    ] {
        raw(&text).assert_named(what, &inputs.path("p.jsonl"), number, "expected value");
    }
}

#[test]
fn a_file_that_ends_in_the_middle_of_a_line_is_cut_off() {
    let inputs = InputFolder::new();
    let line = good("x");
    for (what, end) in [
        ("in a value", r#"{"command":"Fet"#),
        ("behind a colon", r#"{"command":"#),
        ("in a literal", r#"{"a":tru"#),
        ("in an escape", r#"{"command":"\u00"#),
        ("in a pair of surrogates", r#"{"command":"\ud83d"#),
        ("in a number", r#"{"a":12"#),
    ] {
        let file = inputs.write("p.jsonl", format!("{line}\n{end}"));
        let replay = rehearse(&["replay", &file]);
        replay.assert(what, 4, 1, 1);
        replay.assert_named(what, &file, 2, "the JSON is cut off");
        let error = format!("kreplay: {file}:2: the input is cut off: ");
        assert!(
            replay.output.stderr.starts_with(&error),
            "{what}: {}",
            replay.output.stderr
        );
    }
    let mut bytes = format!("{line}\n{{\"command\":\"").into_bytes();
    bytes.push(0xc3);
    let file = inputs.write("p.jsonl", bytes);
    rehearse(&["replay", &file]).assert("in a character", 4, 1, 1);
}

#[test]
fn a_file_that_ends_after_a_minus_sign_or_a_point_is_cut_off() {
    let inputs = InputFolder::new();
    for end in [r#"{"a":-"#, r#"{"a":1."#, r#"{"a":1e"#] {
        let file = inputs.write("p.jsonl", format!("{}\n{end}", good("x")));
        rehearse(&["replay", &file]).assert(end, 4, 1, 1);
    }
}

#[test]
fn the_damaged_fixtures_give_what_their_readme_says() {
    for (name, code, delivered, line) in [
        ("bad-middle.jsonl", 1, 4, 3),
        ("cut.jsonl", 4, 3, 4),
        ("cut.csv", 4, 5, 16),
    ] {
        let file = fixture(name).display().to_string();
        let replay = rehearse(&["replay", &file, "-t", "t"]);
        replay.assert(name, code, delivered, 1);
        replay.assert_named(name, &file, line, "");
    }
}

#[test]
fn one_damaged_input_does_not_stop_the_others() {
    let inputs = InputFolder::new();
    let demo = fixture("demo.jsonl").display().to_string();
    let cut = fixture("cut.jsonl").display().to_string();
    let bad = fixture("bad-middle.jsonl").display().to_string();
    let (missing, folder) = (inputs.path("missing.jsonl"), inputs.path(""));
    for (first, code, delivered, unreadable, said) in [
        (&cut, 4, 3, 1, "cut.jsonl:4: the input is cut off"),
        (&bad, 1, 4, 1, ""),
        (&missing, 4, 0, 0, "no such file or directory"),
        (&folder, 0, 0, 0, "no RRPairs in"),
    ] {
        for files in [[first, &demo], [&demo, first]] {
            let replay = rehearse(&["replay", files[0], files[1]]);
            replay.assert(first, code, DEMO + delivered, unreadable);
            assert!(
                replay.output.stderr.contains(said),
                "{first}: {}",
                replay.output.stderr
            );
        }
    }
    let bytes = fs::read(&cut).expect("the fixture can be read");
    let replay = rehearse_with(&["replay", "-", &demo], bytes);
    replay.assert("stdin", 4, DEMO + 3, 1);
    replay.assert_named("stdin", "stdin", 4, "the JSON is cut off");
    let all = rehearse(&["replay", &missing, &cut, &folder, &demo]);
    all.assert("all", 4, DEMO + 3, 1);
}

#[test]
fn inputs_that_are_not_there_or_empty() {
    let inputs = InputFolder::new();
    let (empty, folder) = (inputs.write("empty", ""), inputs.path(""));
    let missing = inputs.path("missing");
    for forced in [&[][..], &["--as", "csv"], &["--as", "records"]] {
        let replay = rehearse(&[&["replay", &missing, "-t", "t"], forced].concat());
        replay.assert(&missing, 4, 0, 0);
        let error = format!("kreplay: cannot read {missing}: no such file or directory\n");
        assert_eq!(replay.output.stderr, error, "{forced:?}");
    }
    let blank = inputs.write("blank", "\n \n");
    for forced in [&[][..], &["--as", "rrpairs"], &["--as", "csv"]] {
        for (file, name) in [(&empty, &*empty), (&blank, &blank), (&"-".into(), "stdin")] {
            let args = [&["replay", file, "-t", "t"], forced].concat();
            let replay = rehearse(&args);
            replay.assert(file, 1, 0, 0);
            let error = format!("kreplay: nothing was found: {name} is empty\n");
            assert_eq!(replay.output.stderr, error, "{forced:?}");
            let replay = rehearse(&[&args[..], &["--allow-empty"]].concat());
            replay.assert(file, 0, 0, 0);
            assert_eq!(replay.output.stderr, "", "{forced:?}");
        }
    }
    let replay = rehearse(&["replay", &folder, "-t", "t"]);
    replay.assert("a folder without RRPairs", 1, 0, 0);
}

#[test]
fn stdin_is_read_as_a_file_is() {
    let demo = fs::read(fixture("demo.jsonl")).expect("the fixture can be read");
    rehearse_with(&["replay", "-"], demo).assert("raw", 0, DEMO, 0);
    let guide = fs::read(fixture("guide.csv")).expect("the fixture can be read");
    rehearse_with(&["replay", "-", "-t", "t"], guide).assert("csv", 0, 6, 0);
    let twice = refused(&["replay", "-", "-"], "");
    assert!(
        twice.contains("`-` (stdin) can be read only once"),
        "{twice}"
    );
}
