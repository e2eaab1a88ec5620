//! Damaged, odd and hostile input: kreplay sends whole records around the damage, counts the damage and names
//! it by file and line, and the exit code says so. Nothing here needs more than one rehearsal.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use crate::harness::paths::fixture;
use crate::harness::run::{Run, RunOutput, kreplay, report};
use serde_json::{Value, json};
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

fn assert_sound(output: &RunOutput, report: &Value) {
    assert!(!output.stderr.contains("panicked"), "{output:#?}");
    assert_eq!(report["exit_code"], output.code, "{output:#?}");
    let ledger = report["ledger"]
        .as_object()
        .expect("the report has a ledger");
    let total: u64 = ledger.values().filter_map(Value::as_u64).sum();
    assert_eq!(
        report["ledger"]["found"].as_u64(),
        Some(total / 2),
        "{output:#?}"
    );
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

#[test]
fn a_bad_line_is_named_and_the_lines_around_it_are_sent() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let open = "[".repeat(100_000);
    assert_bad_lines(&[
        ("cut", good("x")[..40].into(), "the JSON is cut off after"),
        (
            "open quote",
            r#"{"command":"Fetch"#.into(),
            "the JSON is cut off after",
        ),
        ("not JSON", "hello".into(), "expected value"),
        ("NUL bytes", "\0\0\0".into(), "expected value"),
        (
            "BOM in the middle",
            format!("\u{feff}{}", good("x")),
            "expected value",
        ),
        (
            "two objects",
            format!("{}{}", good("x"), good("y")),
            "trailing characters",
        ),
        (
            "more behind it",
            format!("{} x", good("x")),
            "trailing characters",
        ),
        ("NaN", r#"{"command":NaN}"#.into(), "expected value"),
        (
            "comma at the end",
            r#"{"command":"Fetch",}"#.into(),
            "trailing comma",
        ),
        ("deep records", fetch(&deep), "expected an object"),
        ("deep and open", fetch(&open), "expected an object"),
        (
            "deep and open outside",
            format!("{{\"x\":{open}"),
            "the JSON is cut off",
        ),
    ]);
}

#[test]
fn a_bad_value_or_key_is_named() {
    assert_bad_lines(&[
        (
            "lone surrogate",
            records(r#"[{"valueString":"\ud800"}]"#),
            "at column",
        ),
        (
            "low surrogate",
            records(r#"[{"valueString":"\udc00"}]"#),
            "at column",
        ),
        (
            "raw NUL",
            records("[{\"valueString\":\"a\0b\"}]"),
            "control character",
        ),
        (
            "raw tab",
            records("[{\"valueString\":\"a\tb\"}]"),
            "control character",
        ),
        ("no base64", records(r#"[{"valueBytes":"!!!"}]"#), "base64"),
        ("no base64 key", records(r#"[{"keyBase64":"a"}]"#), "base64"),
        (
            "no base64 value",
            records(r#"[{"value":"plain text"}]"#),
            "base64",
        ),
        ("number", records(r#"[{"valueString":5}]"#), "not a string"),
        ("float", records(r#"[{"valueString":1.5}]"#), "not a string"),
        (
            "object",
            records(r#"[{"valueString":{"a":1}}]"#),
            "not a string",
        ),
        (
            "list",
            records(r#"[{"valueString":["a","b"]}]"#),
            "not a string",
        ),
        ("bool", records(r#"[{"valueString":true}]"#), "not a string"),
        (
            "key number",
            records(r#"[{"keyString":5}]"#),
            "not a string",
        ),
        (
            "unknown member",
            records(r#"[{"payload":"x"}]"#),
            "`payload`",
        ),
    ]);
}

#[test]
fn a_bad_header_is_named() {
    assert_bad_lines(&[
        (
            "header value",
            headers(r#"[{"key":"h","valueString":5}]"#),
            "not a string",
        ),
        ("header name", headers(r#"[{"key":5}]"#), "not a string"),
        (
            "header member",
            headers(r#"[{"key":"h","val":"v"}]"#),
            "`val`",
        ),
        (
            "header base64",
            headers(r#"[{"key":"h","valueBytes":"!"}]"#),
            "base64",
        ),
    ]);
}

#[test]
fn a_bad_number_is_named() {
    let digits = "1234567890".repeat(3);
    assert_bad_lines(&[
        (
            "30 digits",
            batch(&format!(r#""baseOffset":{digits}"#)),
            "at column",
        ),
        (
            "30 digits as text",
            batch(&format!(r#""baseOffset":"{digits}""#)),
            &digits,
        ),
        ("offset of words", batch(r#""baseOffset":"first""#), "first"),
        (
            "time of words",
            batch(r#""baseTimestamp":"2026-01-05""#),
            "2026-01-05",
        ),
        (
            "delta object",
            records(r#"[{"offsetDelta":{}}]"#),
            "at column",
        ),
        (
            "attributes object",
            batch(r#""attributes":{"a":1}"#),
            "at column",
        ),
        (
            "attributes bool",
            batch(r#""attributes":true"#),
            "at column",
        ),
        (
            "attributes float",
            batch(r#""attributes":1.5"#),
            "at column",
        ),
        (
            "attributes mixed",
            batch(r#""attributes":["X",{}]"#),
            "at column",
        ),
        ("partition abc", partition(r#""abc""#), "abc"),
        ("partition -1", partition("-1"), "a partition's index"),
        (
            "partition -1 as text",
            partition(r#""-1""#),
            "a partition's index",
        ),
        (
            "partition 3e9",
            partition("3000000000"),
            "a partition's index",
        ),
        ("partition float", partition("0.5"), "at column"),
        ("partition list", partition("[0]"), "at column"),
    ]);
}

#[test]
fn a_bad_topic_is_named() {
    assert_bad_lines(&[
        (
            "duplicate value",
            records(r#"[{"valueString":"a","valueString":"b"}]"#),
            "the member `valueString` occurs twice",
        ),
        (
            "duplicate command",
            with_member(r#""command":"Fetch""#),
            "the member `command` occurs twice",
        ),
        ("topic object", topic(r#""name":{},"#), "at column"),
        ("topic absent", topic(""), "topic"),
        ("topic empty", topic(r#""name":"","#), "topic"),
        ("topic id of words", topic(r#""topicId":"abc","#), "topic"),
    ]);
}

#[test]
fn a_line_that_is_not_an_object_is_a_bad_line() {
    let cases = [
        "[1,2]",
        "5",
        "-1.5",
        r#""text""#,
        "null",
        "true",
        "[]",
        "[{}]",
    ];
    assert_bad_lines(&cases.map(|line| (line, line.into(), "")));
}

#[test]
fn records_in_the_wrong_shape_are_named() {
    let one = r#"{"records":{"records":[{"valueString":"x"}]}}"#;
    assert_bad_lines(&[
        ("records text", records(r#""text""#), ""),
        ("records object", records(r#"{"valueString":"x"}"#), ""),
        ("records number", records("5"), ""),
        ("batch text", fetch(r#""text""#), ""),
        ("batch number", fetch("5"), ""),
        ("record number", records("[5]"), ""),
        ("record text", records(r#"["text"]"#), ""),
        ("record null", records("[null]"), ""),
        ("topics text", response(r#""text""#), ""),
        (
            "topics object",
            response(&format!(r#"{{"name":"t","partitions":[{one}]}}"#)),
            "",
        ),
        (
            "partitions object",
            response(&format!(r#"[{{"name":"t","partitions":{one}}}]"#)),
            "",
        ),
    ]);
}

#[test]
fn headers_in_the_wrong_shape_are_named() {
    assert_bad_lines(&[
        ("text", headers(r#""text""#), ""),
        ("object of numbers", headers(r#"{"a":1}"#), "not a string"),
        ("list of text", headers(r#"["text"]"#), ""),
        ("list of lists", headers(r#"[["a","b"]]"#), ""),
    ]);
}

/// Checks that each line is read between two good ones, without a note.
fn assert_good_lines(cases: &[(&str, String)], delivered: u64) {
    let inputs = InputFolder::new();
    for (what, line) in cases {
        let replay = between(&inputs, line);
        replay.assert(what, 0, 2 + delivered, 0);
        assert_eq!(
            replay.report["problems"],
            Value::Array(Vec::new()),
            "{what}"
        );
    }
}

#[test]
fn odd_records_that_can_be_read_are_read() {
    let nulls = r#"[{"valueString":null,"keyString":null,"headers":null,"offsetDelta":null}]"#;
    let most = i64::MAX;
    let cases = [
        ("plain", good("x")),
        ("escaped NUL", records(r#"[{"valueString":"a\u0000b"}]"#)),
        (
            "pair of surrogates",
            records(r#"[{"valueString":"\ud83d\ude00"}]"#),
        ),
        ("line separators", good("a\u{2028}\u{85}b")),
        ("empty value", records(r#"[{"valueString":""}]"#)),
        ("null value", records(r#"[{"valueString":null}]"#)),
        ("nothing but nulls", records(nulls)),
        ("header without a name", headers(r#"[{"valueString":"v"}]"#)),
        ("header without anything", headers("[{}]")),
        (
            "offset overflow",
            records(&format!(r#"[{{"offsetDelta":{most}}}]"#)),
        ),
        (
            "offset overflow as text",
            records(&format!(r#"[{{"offsetDelta":"{most}"}}]"#)),
        ),
        (
            "smallest offset",
            batch(&format!(r#""baseOffset":"{}""#, i64::MIN)),
        ),
        (
            "largest time",
            batch(&format!(r#""baseTimestamp":"{most}""#)),
        ),
        ("attributes null", batch(r#""attributes":null"#)),
        ("attributes unknown", batch(r#""attributes":["OTHER"]"#)),
        ("attributes number", batch(r#""attributes":8"#)),
        ("partition as text", partition(r#""0""#)),
    ];
    assert_good_lines(&cases, 1);
}

#[test]
fn odd_lines_that_can_be_read_are_read() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let with_record = [
        ("deep outside", with_member(&format!(r#""x":{deep}"#))),
        (
            "30 digits outside",
            with_member(r#""x":123456789012345678901234567890"#),
        ),
        ("lone surrogate outside", with_member(r#""x":"\ud800""#)),
        ("duplicate outside", with_member(r#""x":1,"x":2"#)),
        ("CR at the end", good("x") + "\r"),
        ("blanks around", format!(" \t{} ", good("x"))),
    ];
    assert_good_lines(&with_record, 1);
    let without = [
        ("empty", ""),
        ("blanks", " \t "),
        ("CR", "\r"),
        ("empty object", "{}"),
        ("no kafka", r#"{"command":"Fetch"}"#),
        ("kafka null", r#"{"command":"Fetch","kafka":null}"#),
        (
            "other command",
            r#"{"command":"Heartbeat","kafka":{"response":{}}}"#,
        ),
    ];
    assert_good_lines(&without.map(|(what, line)| (what, line.into())), 0);
}

#[test]
fn a_timestamp_that_overflows_is_sent_with_the_time_of_sending_and_named() {
    let inputs = InputFolder::new();
    let most = i64::MAX;
    let line = fetch(&format!(
        r#"{{"baseTimestamp":"{most}","records":[{{"timestampDelta":"{most}","valueString":"x"}}]}}"#
    ));
    let file = inputs.write("p.jsonl", line + "\n");
    let replay = rehearse(&["replay", &file, "--timestamps", "original"]);
    replay.assert("overflow", 0, 1, 0);
    assert_eq!(replay.report["problems"][0]["what"], "timestamp_lost");
}

#[test]
fn lines_of_invalid_utf8_are_bad_lines() {
    let inputs = InputFolder::new();
    let mut line = good("x").into_bytes();
    let at = line.len() - 12;
    line[at] = 0xff;
    let replay = between(&inputs, &line);
    replay.assert("0xff", 1, 2, 1);
    let why = format!("invalid UTF-8 at column {}", at + 1);
    replay.assert_named("0xff", &inputs.path("p.jsonl"), 2, &why);
}

#[test]
fn line_ends_and_a_byte_order_mark_change_nothing() {
    let inputs = InputFolder::new();
    let demo = fs::read_to_string(fixture("demo.jsonl")).expect("the fixture is text");
    for (what, text) in [
        ("bom", format!("\u{feff}{demo}")),
        ("crlf", demo.replace('\n', "\r\n")),
        (
            "bom and crlf",
            format!("\u{feff}{}", demo.replace('\n', "\r\n")),
        ),
        ("empty lines", demo.replace('\n', "\n\n \n\r\n")),
        ("no last line end", demo.trim_end().into()),
    ] {
        rehearse(&["replay", &inputs.write("p.jsonl", text)]).assert(what, 0, DEMO, 0);
    }
}

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

/// Replays a CSV with a value column and a UUID column to topic `t`.
fn csv(inputs: &InputFolder, rows: impl AsRef<[u8]>) -> Replay {
    let header = format!("{VALUE},RRPair UUID\n");
    let text = [header.as_bytes(), rows.as_ref()].concat();
    rehearse(&["replay", &inputs.write("p.csv", text), "-t", "t"])
}

#[test]
fn a_csv_that_breaks_off_is_cut_off_and_its_whole_rows_are_sent() {
    let inputs = InputFolder::new();
    let file = inputs.path("p.csv");
    for (what, rows, delivered, line, why) in [
        (
            "in a cell",
            "a,1\nb",
            1,
            3,
            "the last row has neither all columns nor a line end",
        ),
        ("in quotes", "a,1\n\"b,2\n", 1, 3, "a quote is not closed"),
        ("in quotes at once", "\"b", 0, 2, "a quote is not closed"),
        (
            "behind a quote",
            "a,1\n\"b\"",
            1,
            3,
            "the last row has neither all columns nor a line end",
        ),
        (
            "between two quotes",
            "a,1\n\"b\"\"",
            1,
            3,
            "a quote is not closed",
        ),
        (
            "in the middle",
            "a,1\n\"b,2\nc,3\nd,4\n",
            1,
            3,
            "a quote is not closed",
        ),
    ] {
        let replay = csv(&inputs, rows);
        replay.assert(what, 4, delivered, 1);
        replay.assert_named(what, &file, line, why);
        let error = format!("kreplay: {file}:{line}: the input is cut off: {why}");
        assert!(
            replay.output.stderr.starts_with(&error),
            "{what}: {} is not {error}",
            replay.output.stderr
        );
    }
}

#[test]
fn a_last_row_with_all_columns_and_closed_quotes_needs_no_line_end() {
    let inputs = InputFolder::new();
    for rows in [
        "a,1\nb,2",
        "a,1\r\nb,2\r",
        "a,1\n\"b\",",
        "a,1\n\"b\",\"2\"",
    ] {
        csv(&inputs, rows).assert(rows, 0, 2, 0);
    }
    // A row with one more column, or with an open quote, is not whole.
    csv(&inputs, "a,1\nb,2,3").assert("three columns", 4, 1, 1);
    csv(&inputs, "a,1\nb,\"2").assert("an open quote", 4, 1, 1);
}

#[test]
fn a_repeated_header_is_named_and_is_not_a_record() {
    let inputs = InputFolder::new();
    for again in [
        format!("{VALUE},RRPair UUID\n"),
        format!("\u{feff}{VALUE},RRPair UUID\r\n"),
        format!("\"{VALUE}\",\"RRPair UUID\"\n"),
    ] {
        let replay = csv(&inputs, format!("a,1\n{again}b,2\n{again}"));
        replay.assert(&again, 0, 2, 0);
        let file = inputs.path("p.csv");
        let first = json!({ "input": file, "line": 3, "why": "the row repeats the header and is not a record: several CSVs were concatenated" });
        assert_eq!(
            replay.report["problems"][1],
            json!({ "what": "header_again", "count": 2, "first": first })
        );
        assert_eq!(replay.report["source"]["rrpairs"], 2);
    }
    // Rows under a header with other columns have no meaning.
    let replay = csv(&inputs, format!("a,1\nRRPair UUID,{VALUE}\n2,b\n"));
    replay.assert("another header", 4, 1, 0);
    assert!(
        replay
            .output
            .stderr
            .contains("p.csv:3: another header begins here"),
        "{}",
        replay.output.stderr
    );
}

#[test]
fn several_csvs_are_read_each_under_its_own_header() {
    let inputs = InputFolder::new();
    let topic = VALUE.replace("partitions.0.records.records.0.valueString", "name");
    let partition = VALUE.replace("records.records.0.valueString", "partitionIndex");
    let base = VALUE.replace("records.0.valueString", "baseOffset");
    let header = format!("{VALUE},{topic},{partition},{base},RRPair UUID\n");
    let one = inputs.write("one.csv", format!("{header}a,t,0,7,u\nb,t,0,8,u\n"));
    let other = format!("{base},{topic},{partition},{VALUE},RRPair UUID\n");
    let two = inputs.write("two.csv", format!("{other}8,t,0,b,u\n9,t,0,c,u\n"));
    let none = inputs.path("none.csv");
    // The copy of offset 8 is recognised from the first file; a missing file does not affect the others.
    for (files, code) in [(&[&one, &two][..], 0), (&[&one, &none, &two], 4)] {
        let files = files.iter().map(|file| file.as_str());
        let args = ["replay"].into_iter().chain(files);
        let output = Run::new(args.chain(["--rehearse", "--report", "json"])).output();
        assert_eq!(output.code, code, "{output:#?}");
        let ledger = &report(&output)["ledger"];
        assert_eq!(
            (&ledger["delivered"], &ledger["duplicates"]),
            (&json!(3), &json!(1))
        );
    }
    let bad = inputs.write("bad.csv", format!("{header}x,t,none,1,u\n"));
    let replay = rehearse(&["replay", &one, &bad]);
    replay.assert("a bad row", 1, 2, 1);
    replay.assert_named("a bad row", &bad, 2, "is not an integer");
    // Kinds that the content decides can be read together as well.
    let output = Run::new(["extract", &one, &two]).output();
    assert_eq!(
        (output.code, output.stdout.lines().count()),
        (0, 3),
        "{output:#?}"
    );
}

#[test]
fn line_ends_inside_quotes_are_part_of_the_value() {
    let inputs = InputFolder::new();
    let file = inputs.write(
        "p.csv",
        format!("{VALUE},RRPair UUID\r\n\"a\r\nb\nc\",1\r\n"),
    );
    let output = Run::new(["extract", "-q", &file]).output();
    assert!(
        output.stdout.contains(r#""value":"a\r\nb\nc""#),
        "{output:#?}"
    );
}

#[test]
fn a_csv_that_may_lack_records_is_named_without_a_failure() {
    let guide = fixture("guide.csv").display().to_string();
    let replay = rehearse(&["replay", &guide, "-t", "t"]);
    replay.assert("guide", 0, 6, 0);
    let why = "no column would show a second element of `topics`, a second element of `partitions`, \
               a second element of `records`, keys, headers, transaction markers, \
               and the capture may contain some";
    let expected = serde_json::json!([{
        "what": "loss_unseen",
        "count": 1,
        "first": { "input": guide, "line": 1, "why": why },
    }]);
    assert_eq!(replay.report["problems"], expected);
    let text = kreplay(["replay", &guide, "-t", "t", "--rehearse"]);
    assert_eq!(text.code, 0, "{text:#?}");
    assert!(text.stdout.contains(why), "{}", text.stdout);
    // Each row has one text of an HTTP body.
    let inputs = InputFolder::new();
    let own = inputs.write("own.csv", "http.req.body,RRPair UUID\na,1\n");
    let own = rehearse(&["replay", &own, "-t", "t", "--value", "http.req.body"]);
    own.assert("own", 0, 1, 0);
    assert_eq!(own.report["problems"], serde_json::json!([]));
}

#[test]
fn a_csv_that_ends_inside_its_header_is_cut_off() {
    let inputs = InputFolder::new();
    for header in [
        VALUE.into(),
        format!("{VALUE},RRPair"),
        format!("{VALUE},RRPair UUID"),
    ] {
        let replay = rehearse(&["replay", &inputs.write("p.csv", &header), "-t", "t"]);
        replay.assert(&header, 4, 0, 0);
    }
}

#[test]
fn a_quote_that_is_closed_by_another_rows_quote_is_named() {
    let inputs = InputFolder::new();
    // The quote of `b` closes before `d`: every writer of CSV puts only `,` after a quote.
    let replay = csv(&inputs, "a,1\n\"b,2\nc,3\n\"d\",4\ne,5\n");
    let (code, delivered) = (replay.output.code, replay.ledger("delivered"));
    let said = &replay.report["problems"];
    assert!(
        (code == 1 || code == 4) && delivered <= 2,
        "code {code}, {delivered} sent, {said}"
    );
    replay.assert_named("reopened", &inputs.path("p.csv"), 3, "");
}

#[test]
fn a_quote_missing_from_the_guide_is_named() {
    let inputs = InputFolder::new();
    let guide = fs::read_to_string(fixture("guide.csv")).expect("the fixture is text");
    // The quote that ends the first row's value.
    let damaged = guide.replacen("}\",e0a4", "},e0a4", 1);
    assert_ne!(damaged, guide);
    let replay = rehearse(&["replay", &inputs.write("p.csv", damaged), "-t", "t"]);
    assert!([1, 4].contains(&replay.output.code), "{}", replay.report);
    assert!(
        replay.ledger("unreadable") > 0 && replay.ledger("delivered") < 6,
        "{}",
        replay.report
    );
    replay.assert_named("guide", &inputs.path("p.csv"), 2, "");
}

#[test]
fn rows_with_another_number_of_columns_are_named() {
    let inputs = InputFolder::new();
    let replay = csv(&inputs, "a,1\nb,2,3\nc\nd,4\n");
    replay.assert("columns", 1, 2, 2);
    let why = "the row has 3 columns, the header has 2";
    replay.assert_named("columns", &inputs.path("p.csv"), 3, why);
    assert_eq!(replay.report["problems"][1]["count"], 2);
}

#[test]
fn the_row_number_of_damage_is_right_whatever_precedes_it() {
    let inputs = InputFolder::new();
    for (what, rows, line) in [
        ("first", "bad\n", 2),
        ("empty lines", "a,1\n\n\nbad\nb,2\n", 5),
        ("line breaks in a cell", "\"a\nb\nc\",1\nbad\nb,2\n", 5),
    ] {
        csv(&inputs, rows).assert_named(what, &inputs.path("p.csv"), line, "columns");
    }
}

#[test]
fn the_row_number_of_damage_is_right_after_crlf() {
    let inputs = InputFolder::new();
    let replay = csv(&inputs, "a,1\r\nb,2\r\nbad\r\nc,3\r\n");
    replay.assert("crlf", 1, 3, 1);
    replay.assert_named("crlf", &inputs.path("p.csv"), 4, "columns");
}

#[test]
fn odd_csvs_that_can_be_read_are_read() {
    let inputs = InputFolder::new();
    for (what, rows, delivered) in [
        ("NUL bytes", &b"a\0b,1\n\0,2\n"[..], 2),
        ("no UTF-8", b"\xff\xfe,1\n\xc3,2\n", 2),
        ("crlf", b"a,1\r\nb,2\r\n", 2),
        ("empty lines", b"a,1\n\n\nb,2\n", 2),
        ("empty cells", b",1\n\"\",2\nb,3\n", 1),
        ("backslash and dot", b"\"\\.\",1\n", 1),
    ] {
        csv(&inputs, rows).assert(what, 0, delivered, 0);
    }
    for (what, header) in [
        ("bom", format!("\u{feff}{VALUE},RRPair UUID\n")),
        (
            "bom before a quote",
            format!("\u{feff}\"{VALUE}\",RRPair UUID\n"),
        ),
        ("crlf", format!("{VALUE},RRPair UUID\r\n")),
        ("bom and crlf", format!("\u{feff}{VALUE},RRPair UUID\r\n")),
        (
            "JSONPath",
            format!("$.{},RRPair UUID\n", VALUE.replace(".0", "[0]")),
        ),
    ] {
        let file = inputs.write("p.csv", header + "a,1\nb,2\n");
        rehearse(&["replay", &file, "-t", "t"]).assert(what, 0, 2, 0);
    }
}

#[test]
fn the_marker_of_the_end_is_distinguished_from_every_row() {
    let inputs = InputFolder::new();
    let replay = csv(&inputs, "a,1\n\0kreplay: end of input\0\nb,2\n");
    replay.assert("the mark", 1, 2, 1);
    let text = format!("{VALUE}\na\n\0kreplay: end of input\0\nb\n");
    let replay = rehearse(&["replay", &inputs.write("p.csv", text), "-t", "t"]);
    replay.assert("the mark as a value", 0, 3, 0);
}

#[test]
fn invalid_numbers_of_a_csv_are_named() {
    let inputs = InputFolder::new();
    let node = VALUE.trim_end_matches(".records.records.0.valueString");
    let header = format!("{node}.partitionIndex,{node}.records.baseOffset,{VALUE}\n");
    for (row, why) in [
        ("abc,0,x", "column 1: `abc` is not an integer"),
        ("-1,0,x", "`-1` is not a partition's index"),
        ("3000000000,0,x", "`3000000000` is not a partition's index"),
        ("1.5,0,x", "column 1: `1.5` is not an integer"),
        (
            "0,123456789012345678901234567890,x",
            "column 2: `123456789012345678901234567890` is not an integer",
        ),
        (" 0,0,x", "column 1: ` 0` is not an integer"),
    ] {
        let file = inputs.write("p.csv", format!("{header}0,0,a\n{row}\n0,1,b\n"));
        let replay = rehearse(&["replay", &file, "-t", "t"]);
        replay.assert(row, 1, 2, 1);
        replay.assert_named(row, &file, 3, why);
    }
    let base64 = VALUE.replace("valueString", "valueBytes");
    let file = inputs.write("p.csv", format!("{base64}\nYQ==\n!!!\nYg==\n"));
    let replay = rehearse(&["replay", &file, "-t", "t"]);
    replay.assert("base64", 1, 2, 1);
    replay.assert_named("base64", &file, 3, "base64");
}

#[test]
fn a_csv_without_a_value_column_is_refused_and_its_columns_are_named() {
    let inputs = InputFolder::new();
    let no_value = fixture("no-value.csv").display().to_string();
    let error = refused(&["replay", &no_value, "-t", "t"], "");
    let columns = "only `kafka.response.FetchResponse.topics.0.name`, \
                   `kafka.response.FetchResponse.topics.0.partitions.0.records.baseOffset`, `RRPair UUID`";
    assert!(
        error.contains(&format!("{no_value} has no value column, {columns}")),
        "{error}"
    );
    assert!(error.contains("hint: "), "{error}");
    let many = inputs.write(
        "many.csv",
        "a column with a long name,".repeat(1_999) + "\n",
    );
    let rows = inputs.write("rows.csv", "a,1\nb,2\n");
    for file in [&many, &rows] {
        let error = refused(&["replay", file, "--as", "csv", "-t", "t"], "");
        assert!(error.contains("has no value column"), "{error:.300}");
        assert!(
            error.len() < 4000,
            "{file}: the error is {} bytes long",
            error.len()
        );
    }
}

/// The guide's columns, with a key.
const KEYED: &str = "kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString,\
                     kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.keyString,RRPair UUID";

#[test]
fn a_path_that_heads_no_column_is_named_with_the_nearest_that_does() {
    let record = "kafka.response.FetchResponse.topics.0.partitions.0.records.records.0";
    let rows = format!("{KEYED}\nv,k,u\n");
    let (key, topic) = (format!("{record}.keystring"), "$.nothing.like.it[?@.a]");
    let flags = [
        "replay",
        "-",
        "-t",
        "t",
        "--key",
        &key,
        "--topic-path",
        topic,
    ];
    let output = rehearse_with(&flags, rows.as_str());
    assert_eq!(
        (output.output.code, &output.report["ledger"]["delivered"]),
        (1, &1.into())
    );
    let problem = &output.report["problems"][0];
    assert_eq!(
        (&problem["what"], &problem["count"]),
        (&"path_unmatched".into(), &2.into())
    );
    assert_eq!(
        problem["first"]["why"],
        format!(
            "`--key {key}` heads no column; nearest to it is `{record}.keyString`; `--topic-path {topic}` heads no column"
        )
    );
    // Without a row no path can match.
    let empty = rehearse_with(&flags, format!("{KEYED}\n"));
    assert_eq!(empty.report["problems"], json!([]));
    // Without the column there are no records, or none that has a topic.
    let value = format!("{record}.valueStrin");
    let error = refused(&["replay", "-", "-t", "t", "--value", &value], &rows);
    let message = format!(
        "stdin: `--value {value}` heads no column; nearest to it is `{record}.valueString`"
    );
    assert!(error.contains(&message), "{error}");
    let rows = format!("{KEYED},kafka.response.FetchResponse.topics.0.name\nv,k,u,t\n");
    let topic = "kafka.response.FetchResponse.topics.0.nam";
    let error = refused(&["replay", "-", "--topic-path", topic], &rows);
    let message =
        format!("stdin: `--topic-path {topic}` heads no column; nearest to it is `{topic}e`");
    assert!(error.contains(&message), "{error}");
}

#[test]
fn a_record_without_a_topic_is_refused_before_anything_is_sent() {
    let inputs = InputFolder::new();
    let hint = "hint: name the destination's topic with `-t TOPIC`";
    let guide = fixture("guide.csv").display().to_string();
    let error = refused(&["replay", &guide], "");
    let why = format!("kreplay: {guide}: the capture does not name the record's topic");
    assert!(error.contains(&why) && error.contains(hint), "{error}");
    let without_topic = topic("");
    let file = inputs.write("p.jsonl", format!("{without_topic}\n{}\n", good("x")));
    let error = refused(&["replay", &file], "");
    assert!(error.contains(hint), "{error}");
    let replay = rehearse(&["replay", &file, "-t", "t"]);
    replay.assert("with -t", 0, 2, 0);
}

#[test]
fn a_record_without_a_topic_is_named_by_file_and_line() {
    let inputs = InputFolder::new();
    let without_topic = topic("");
    let file = inputs.write("p.jsonl", format!("\n{without_topic}\n{}\n", good("x")));
    let error = refused(&["replay", &file], "");
    assert!(
        error.starts_with(&format!("kreplay: {file}:2: ")),
        "{error}"
    );
    let topic = "kafka.response.FetchResponse.topics.0.name";
    let file = inputs.write("p.csv", format!("{VALUE},{topic}\na,\nb,t\n"));
    let error = refused(&["replay", &file], "");
    assert!(
        error.starts_with(&format!("kreplay: {file}:2: ")),
        "{error}"
    );
}

/// A file with one line or row of `mib` MiB between two good ones.
fn long_line(inputs: &InputFolder, command: &str, mib: usize) -> String {
    let (head, tail) = match command {
        "raw" => {
            let line = good("SPLIT");
            let (head, tail) = line.split_once("SPLIT").expect("it is there");
            (head.to_owned(), tail.to_owned())
        }
        _ => (String::new(), ",2".to_owned()),
    };
    let pad = vec![b'x'; 1 << 20];
    inputs.stream(&format!("long.{command}"), |file| {
        let (first, last) = match command {
            "raw" => (good("a"), good("b")),
            _ => (format!("{VALUE},RRPair UUID\na,1"), "b,3".into()),
        };
        write!(file, "{first}\n{head}").expect("the disk has room");
        (0..mib).for_each(|_| file.write_all(&pad).expect("the disk has room"));
        write!(file, "{tail}\n{last}\n").expect("the disk has room");
    })
}

#[test]
fn a_line_of_100_mb_is_named_and_the_lines_around_it_are_sent() {
    let inputs = InputFolder::new();
    let file = long_line(&inputs, "raw", 100);
    let replay = rehearse(&["replay", &file]);
    replay.assert("raw", 1, 2, 1);
    replay.assert_named("raw", &file, 2, "longer than 64 MiB");
    // Within the bound a line is read, and Kafka decides.
    let file = long_line(&inputs, "raw", 40);
    let replay = rehearse(&["replay", &file]);
    assert_eq!(
        (
            replay.output.code,
            replay.ledger("delivered"),
            replay.ledger("not_written")
        ),
        (1, 2, 1)
    );
    replay.assert_named(
        "raw",
        &file,
        2,
        "do not fit into the default max.message.bytes of 1048588",
    );
}

#[test]
fn a_row_of_100_mb_ends_the_csv_with_a_reason() {
    let inputs = InputFolder::new();
    let replay = rehearse(&["replay", &long_line(&inputs, "csv", 100), "-t", "t"]);
    // What follows may be sent or not; what comes before is sent.
    assert!(replay.ledger("delivered") >= 1, "{}", replay.report);
    assert!([1, 4].contains(&replay.output.code), "{}", replay.report);
    assert!(
        replay.report.to_string().contains("longer than 16"),
        "{}",
        replay.report
    );
}

#[test]
fn a_row_of_100_mb_is_counted_and_named_by_its_line() {
    let inputs = InputFolder::new();
    let file = long_line(&inputs, "csv", 100);
    let replay = rehearse(&["replay", &file, "-t", "t"]);
    let place = format!("{file}:3");
    assert!(
        replay.output.stderr.contains(&place),
        "{}",
        replay.output.stderr
    );
    assert!(
        replay.output.stderr.contains("16 MiB"),
        "{}",
        replay.output.stderr
    );
    assert_eq!(replay.ledger("unreadable"), 1, "{}", replay.report);
}

/// The most memory that a run held, in KiB. On a busy machine a short run may be over before it was measured:
/// then another one starts.
fn peak_memory_kib(args: &[&str]) -> u64 {
    let mut peaks = (0..10).map(|_| peak_seen_kib(args));
    peaks.find(|peak| *peak > 0).unwrap_or(0)
}

/// The most memory that a run held until its end, as measured.
fn peak_seen_kib(args: &[&str]) -> u64 {
    let mut running = Run::new(args.iter().chain(&["--rehearse", "-q"]))
        .limit(Duration::from_secs(30))
        .spawn();
    let status = PathBuf::from(format!("/proc/{}/status", running.pid()));
    let mut peak = 0;
    while !running.has_ended() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        std::thread::sleep(Duration::from_micros(500));
    }
    running.wait();
    peak
}

#[cfg(target_os = "linux")]
#[test]
fn a_line_of_100_mb_takes_bounded_memory() {
    let inputs = InputFolder::new();
    let peak = peak_memory_kib(&["replay", &long_line(&inputs, "raw", 100)]);
    assert!((1..MOST_MEMORY_KIB).contains(&peak), "{peak} KiB");
}

/// 180 MB, more than kreplay may hold.
#[cfg(target_os = "linux")]
#[test]
fn a_list_of_records_is_read_element_by_element() {
    let inputs = InputFolder::new();
    let record = json!({"topic": "t", "partition": 0, "value": "v".repeat(60_000)}).to_string();
    let list = format!("[{}]", vec![record; 3_000].join(",\n"));
    let path = inputs.0.path().join("list.json");
    fs::write(&path, list).expect("the temporary folder is writable");
    let peak = peak_memory_kib(&["replay", &path.display().to_string()]);
    assert!((1..MOST_MEMORY_KIB).contains(&peak), "{peak} KiB");
}

/// The texts of the elements are 2,000 times half a megabyte together.
#[cfg(target_os = "linux")]
#[test]
fn an_xpath_over_elements_inside_each_other_takes_bounded_memory() {
    let inputs = InputFolder::new();
    let body = "<a>".repeat(2_000) + &"x".repeat(500_000) + &"</a>".repeat(2_000);
    let pair = json!({"msgType": "rrpair", "http": {"req": {"body": body}}}).to_string();
    let path = inputs.0.path().join("deep.jsonl");
    fs::write(&path, pair).expect("the temporary folder is writable");
    let path = path.display().to_string();
    let peak = peak_memory_kib(&["replay", &path, "--filter", "req_xpath[//a] IS nothing"]);
    assert!((1..MOST_MEMORY_KIB).contains(&peak), "{peak} KiB");
}

#[cfg(target_os = "linux")]
#[test]
fn a_row_of_100_mb_takes_bounded_memory() {
    let inputs = InputFolder::new();
    let peak = peak_memory_kib(&["replay", &long_line(&inputs, "csv", 100), "-t", "t"]);
    assert!((1..MOST_MEMORY_KIB).contains(&peak), "{peak} KiB");
}

#[test]
fn an_illegal_topic_name_makes_its_records_unreadable() {
    let pair = |topic: &str, value: &str| {
        let records = json!({ "records": [{ "valueString": value }] });
        let partition = json!({ "partitionIndex": 0, "records": records });
        let topics = json!([{ "name": topic, "partitions": [partition] }]);
        let response = json!({ "FetchResponse": { "topics": topics } });
        json!({ "msgType": "rrpair", "command": "Fetch", "kafka": { "response": response } })
    };
    let line = |topic: &str| json!({ "topic": topic, "value": "v" });
    for name in [
        "a".repeat(40_000),
        "a".repeat(250),
        "no name".into(),
        "..".into(),
    ] {
        let lines = format!("{}\n{}\n", line("sound"), line(&name));
        let pairs = format!("{}\n{}\n", pair("sound", "v"), pair(&name, "v"));
        for (kind, input) in [("records", lines), ("raw", pairs)] {
            let args = ["replay", "-", "--rehearse", "--report", "json"];
            let run = Run::new(args).stdin(input).output();
            assert_eq!(run.code, 1, "{kind}: {run:#?}");
            let report: Value = serde_json::from_str(&run.stdout).expect("a report");
            let ledger = &report["ledger"];
            let counts = [
                &ledger["found"],
                &ledger["delivered"],
                &ledger["unreadable"],
            ];
            assert_eq!(counts, [2, 1, 1], "{kind}: {report:#}");
        }
    }
}
