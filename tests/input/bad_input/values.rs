//! Lines, values, keys, headers, numbers and topics that are damaged.

use super::{
    assert_bad_lines, batch, fetch, good, headers, partition, records, response, topic, with_member,
};

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
