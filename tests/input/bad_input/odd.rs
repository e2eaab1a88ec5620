//! Lines and records that are odd and can be read.

use std::fs;

use super::{
    DEMO, InputFolder, batch, between, fetch, good, headers, partition, records, rehearse,
    with_member,
};
use crate::harness::paths::fixture;
use serde_json::Value;

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
    // A byte order mark does not count.
    let marked = [
        b"\xef\xbb\xbf",
        &line[..],
        b"\n",
        good("b").as_bytes(),
        b"\n",
    ]
    .concat();
    let file = inputs.write("marked.jsonl", marked);
    let replay = rehearse(&["replay", &file]);
    replay.assert("0xff and a mark", 1, 1, 1);
    replay.assert_named("0xff and a mark", &file, 1, &why);
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
