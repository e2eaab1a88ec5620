//! RRPairs as Markdown: what their sections say is part of the RRPair for paths, filters and `inspect`, and
//! what kreplay does not understand of them is named.

use std::fs;

use crate::harness::paths::fixture;
use crate::harness::run::{Run, RunOutput, report};
use serde_json::{Value, json};

/// An HTTP RRPair whose headers and bodies are only in its sections.
const HTTP: &str = include_str!("../../fixtures/http.md");
/// A Fetch of one record, for a document's base.
const FETCH: &str = r#"{"msgType":"rrpair","l7protocol":"kafka","ts":"2026-03-02T10:00:00Z","command":"Fetch","direction":"OUT","kafka":{"response":{"FetchResponse":{"topics":[{"name":"orders","partitions":[{"records":{"baseOffset":"7","records":[{"keyString":"k","valueString":"v"}]}}]}]}}}}"#;

fn extract(text: &str, args: &[&str]) -> RunOutput {
    Run::new([&["extract", "-"], args].concat())
        .stdin(text)
        .output()
}

/// The values and keys of the records of a run in which nothing went wrong.
#[track_caller]
fn records(text: &str, args: &[&str]) -> Vec<(Value, Value)> {
    let output = extract(text, args);
    assert_eq!(output.code, 0, "{output:?}");
    let lines = output.stdout.lines();
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).expect(line));
    lines
        .map(|line| (line["key"].clone(), line["value"].clone()))
        .collect()
}

fn document(request: &str, rest: &str) -> String {
    format!(
        "### REQUEST ###\n```\n{request}```\n\n### RESPONSE ###\n```\n```\n\n### METADATA ###\n```\n\
         direction: OUT\n```\n\n{rest}### INTERNAL - DO NOT MODIFY ###\n```\njson: {FETCH}\n```\n"
    )
}

#[test]
fn headers_and_bodies_are_read_from_their_sections() {
    let body = r#"{"order":"ord-7","items":["cup","tea pot"]}"#;
    let paths = [
        "--filter",
        "",
        "--value",
        "$.http.req.body",
        "--key",
        "http.req.headers.X-Order.0",
    ];
    assert_eq!(records(HTTP, &paths), [(json!("ord-7"), json!(body))]);
    let encoded = ["--filter", "", "--value", "$.http.req.bodyBase64"];
    assert_eq!(records(HTTP, &encoded), [(Value::Null, json!(body))]);
    let response = ["--filter", "", "--value", "http.res.body"];
    assert_eq!(
        records(HTTP, &response),
        [(Value::Null, json!(r#"{"status":"accepted"}"#))]
    );
    let list = ["--filter", "", "--value", "$.http.req.headers.Accept"];
    let accept = json!(r#"["application/json, text/plain"]"#);
    assert_eq!(records(HTTP, &list), [(Value::Null, accept)]);
}

#[test]
fn filters_see_what_the_sections_say() {
    // Another test covers a filter that passes nothing.
    let found = |filter: &str| {
        let output = extract(HTTP, &["--filter", filter, "--value", "$.location"]);
        output.stdout.lines().count()
    };
    assert_eq!(found(r#"header[X-Order] IS "ord-7""#), 1);
    assert_eq!(found(r#"header[X-Order] IS "ord-8""#), 0);
    let edited = HTTP.replace("direction: IN", "direction: OUT");
    let out = ["--filter", "direction IS OUT", "--value", "$.location"];
    assert_eq!(records(&edited, &out).len(), 1);
}

#[test]
fn inspect_lists_the_paths_of_the_sections() {
    let file = fixture("http.md").display().to_string();
    let output = Run::new(["inspect", &file, "--paths", "--filter", ""]).output();
    assert_eq!(output.code, 0, "{output:?}");
    for path in [
        "$.http.req.headers['X-Order'][*]",
        "$.http.req.bodyBase64",
        "$.http.res.body",
        "$.signature",
    ] {
        assert!(output.stdout.contains(path), "{path}: {output:?}");
    }
}

#[test]
fn an_unreadable_section_is_named_and_the_record_is_sent() {
    let cases = [
        (
            "Fetch orders\n",
            "",
            1,
            "REQUEST",
            "kreplay reads this section for HTTP only, but this is `kafka`: it keeps the `json: ` line",
        ),
        (
            "",
            "### NOTES ###\nask Ann\n\n",
            14,
            "NOTES",
            "kreplay does not know this section and leaves it out",
        ),
        (
            "",
            "### SIGNATURE ###\n```\nkafka\n```\n\n",
            16,
            "SIGNATURE",
            "expected `key is value`",
        ),
    ];
    for (request, rest, line, title, what) in cases {
        let text = document(request, rest);
        let args = ["replay", "-", "--rehearse", "--report", "json"];
        let output = Run::new(args).stdin(&*text).output();
        let report = report(&output);
        assert_eq!(
            (output.code, &report["ledger"]["delivered"]),
            (1, &json!(1)),
            "{output:?}"
        );
        let first =
            json!({"input": "stdin", "line": line, "why": format!("`### {title} ###`: {what}")});
        let problem = json!({"what": "section_unread", "count": 1, "first": first});
        assert_eq!(report["problems"], json!([problem]), "{output:?}");
    }
}

#[test]
fn a_kafka_capture_in_markdown_equals_its_json() {
    let text = document("", "");
    assert_eq!(records(&text, &[]), [(json!("k"), json!("v"))]);
    let tagged = text.replace("direction: OUT", "direction: OUT\ntags: source=other");
    let by_tag = [
        "--filter",
        r#"command IS "Fetch" AND tag[source] IS "other""#,
    ];
    assert_eq!(records(&tagged, &by_tag).len(), 1);
}

#[test]
fn a_file_cut_anywhere_loses_no_other_file_of_its_folder() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let text = document("", "");
    let cut = text.find("\"records\":").expect("the fetch has records");
    for (name, text) in [
        ("1.md", &text[..]),
        ("2.md", &text[..cut]),
        ("3.md", &text[..60]),
    ] {
        fs::write(folder.path().join(name), text).expect("a temporary folder is writable");
    }
    fs::write(folder.path().join("4.md"), text.replace("\"7\"", "\"8\"")).expect("it is writable");
    let output = Run::new(["extract".into(), folder.path().display().to_string()]).output();
    assert_eq!(
        (output.code, output.stdout.lines().count()),
        (4, 2),
        "{output:?}"
    );
}
