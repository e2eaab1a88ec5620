//! When a record was captured: `extract` prints it as `captured`, from RRPairs of every form, from a CSV and
//! from record lines; odd times make no record unreadable.

use std::fs;

use crate::harness::paths::fixture;
use crate::harness::run::{Run, RunOutput, kreplay};
use serde_json::{Value, json};

/// The members of an RRPair that say when it was captured, and the `captured` of its records. Sums of a time
/// and a duration in milliseconds, made by hand.
const TIMES: [(&str, Option<&str>); 15] = [
    (
        r#""ts":"2025-12-03T18:42:55.659123456Z""#,
        Some("2025-12-03T18:42:55.659123456Z"),
    ),
    (
        r#""ts":"2025-12-03T18:42:55.659123456Z","duration":7"#,
        Some("2025-12-03T18:42:55.666123456Z"),
    ),
    (
        r#""duration":341,"ts":"2025-12-03T18:42:55.659Z""#,
        Some("2025-12-03T18:42:56Z"),
    ),
    // 64-bit integers are strings in protobuf's JSON mapping.
    (
        r#""ts":"2025-12-31T23:59:59.5Z","duration":"500""#,
        Some("2026-01-01T00:00:00Z"),
    ),
    (
        r#""ts":"2025-12-03T18:42:55Z","duration":0.25"#,
        Some("2025-12-03T18:42:55.00025Z"),
    ),
    (
        r#""ts":"2025-12-03T19:42:55+01:00""#,
        Some("2025-12-03T18:42:55Z"),
    ),
    (
        r#""ts":"2025-12-03T18:42:55Z","duration":null"#,
        Some("2025-12-03T18:42:55Z"),
    ),
    (
        r#""ts":"2025-12-03T18:42:55Z","duration":"soon""#,
        Some("2025-12-03T18:42:55Z"),
    ),
    (
        r#""ts":"2025-12-03T18:42:55Z","duration":{"ms":5}"#,
        Some("2025-12-03T18:42:55Z"),
    ),
    (r#""duration":5"#, None),
    (r#""ts":null"#, None),
    (r#""ts":"yesterday""#, None),
    (r#""ts":17.5"#, None),
    (r#""ts":["2025-12-03T18:42:55Z"]"#, None),
    (r#""ts":{"seconds":1764787375}"#, None),
];

/// An RRPair with these members whose one record has `value`.
fn rrpair(command: &str, members: &str, value: usize) -> String {
    let half = match command {
        "Fetch" => r#""response":{"FetchResponse""#,
        _ => r#""request":{"ProduceRequest""#,
    };
    format!(
        r#"{{"msgType":"rrpair",{members},"command":"{command}","kafka":{{{half}:{{"topics":[{{"name":"orders","partitions":[{{"records":{{"baseOffset":"{value}","records":[{{"valueString":"{value}"}}]}}}}]}}]}}}}}}}}"#
    )
}

fn capture(command: &str) -> String {
    let pairs = TIMES.iter().enumerate();
    let lines = pairs.map(|(i, (members, _))| rrpair(command, members, i) + "\n");
    lines.collect()
}

fn extract(input: &str, args: &[&str]) -> RunOutput {
    Run::new([&["extract", "-", "-q"], args].concat())
        .stdin(input)
        .output()
}

/// The values and capture times of the records of a run in which nothing went wrong.
#[track_caller]
fn captured(output: &RunOutput) -> Vec<(String, Option<String>)> {
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (0, ""),
        "{output:#?}"
    );
    let lines = output.stdout.lines();
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).expect(line));
    let text = |value: &Value| value.as_str().map(String::from);
    lines
        .map(|line| {
            (
                text(&line["value"]).expect("a value"),
                text(&line["captured"]),
            )
        })
        .collect()
}

fn expected() -> Vec<(String, Option<String>)> {
    let times = TIMES.iter().enumerate();
    let line =
        |(i, (_, time)): (usize, &(_, Option<&str>))| (i.to_string(), time.map(String::from));
    times.map(line).collect()
}

#[test]
fn a_fetch_gives_its_records_when_it_was_answered() {
    assert_eq!(captured(&extract(&capture("Fetch"), &[])), expected());
    // A path that is not plain changes the way in which the line is read.
    let query = ["--key", "$..noSuchMember", "--profile", "fetch"];
    let output = extract(&rrpair("Fetch", TIMES[1].0, 1), &query);
    assert!(
        output.stdout.contains(TIMES[1].1.expect("it has one")),
        "{output:#?}"
    );
}

#[test]
fn a_produce_gives_its_records_when_it_was_sent() {
    let input = rrpair(
        "Produce",
        r#""ts":"2025-12-03T18:42:55.5Z","duration":250"#,
        0,
    );
    let time = "2025-12-03T18:42:55.5Z".to_string();
    let expected = [("0".to_string(), Some(time))];
    assert_eq!(
        captured(&extract(&input, &["--profile", "produce"])),
        expected
    );
}

#[test]
fn a_filter_on_the_time_and_the_time_itself_read_the_same_member() {
    let filter =
        r#"command IS "Fetch" AND timerange IS "2025-12-31T00:00:00Z" "2026-01-01T00:00:00Z""#;
    let output = extract(&capture("Fetch"), &["--filter", filter]);
    assert_eq!(captured(&output), expected()[3..4]);
}

#[test]
fn record_lines_keep_the_time() {
    let once = extract(&capture("Fetch"), &[]).stdout;
    let again = extract(&once, &[]);
    assert_eq!(captured(&again), expected());
    assert_eq!(again.stdout, once, "a round trip changes no byte");
    for odd in ["null", "7", "0.5", "true", "[1]", "{\"a\":{}}", "\"soon\""] {
        let line = format!(r#"{{"topic":"t","captured":{odd},"value":"v"}}"#);
        assert_eq!(
            captured(&extract(&line, &[])),
            [("v".into(), None)],
            "{odd}"
        );
    }
    let kcat = r#"{"topic":"t","partition":0,"offset":0,"tstype":"create","ts":1764787375659,"broker":0,"key":"k","payload":"v"}"#;
    assert_eq!(captured(&extract(kcat, &[])), [("v".into(), None)]);
}

#[test]
fn a_csv_gives_the_time_where_it_has_columns_for_it() {
    let value = "kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString";
    let time = "2025-12-03T18:42:55.5Z";
    for (columns, cells, expected) in [
        (
            ".ts,.duration",
            format!("{time},250"),
            Some("2025-12-03T18:42:55.75Z"),
        ),
        (
            "duration,ts",
            format!("250,{time}"),
            Some("2025-12-03T18:42:55.75Z"),
        ),
        ("ts", time.into(), Some(time)),
        ("ts", "soon".into(), None),
        ("ts", String::new(), None),
        ("service", "shop".into(), None),
    ] {
        let csv = format!("{value},{columns},RRPair UUID\nv,{cells},u1\n");
        let line: Value = serde_json::from_str(&extract(&csv, &[]).stdout).expect("a record line");
        assert_eq!(line["captured"].as_str(), expected, "{csv}");
    }
}

#[test]
fn markdown_and_exports_of_logs_give_the_same_times() {
    let base = rrpair("Fetch", r#""ts":"2025-12-03T18:42:55.5Z","duration":1"#, 0);
    let document = format!(
        "### REQUEST ###\n```\n```\n\n### RESPONSE ###\n```\n```\n\n### METADATA ###\n```\ndirection: OUT\n\
         ts: 2025-12-03T18:42:56.5Z\nduration: 250ms\n```\n\n### INTERNAL - DO NOT MODIFY ###\n```\njson: {base}\n```\n"
    );
    // The sections override the base.
    let time = "2025-12-03T18:42:56.75Z".to_string();
    assert_eq!(
        captured(&extract(&document, &[])),
        [("0".into(), Some(time))]
    );

    let body = json!({"_source": {"Body": base}}).to_string();
    let profile = kreplay(["profile", "fetch"]).stdout;
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let file = folder.path().join("elastic.toml");
    fs::write(&file, format!("rrpair = \"$._source.Body\"\n{profile}")).expect("it is writable");
    let time = "2025-12-03T18:42:55.501Z".to_string();
    let args = ["--profile", &file.display().to_string()];
    assert_eq!(captured(&extract(&body, &args)), [("0".into(), Some(time))]);

    let byoc = kreplay(["extract", &fixture("byoc.json").display().to_string(), "-q"]);
    let (_, first) = &captured(&byoc)[0];
    // Its `ts` and 25 ms.
    assert_eq!(first.as_deref(), Some("2026-01-05T09:00:00.073986919Z"));
}

#[test]
fn a_profile_says_where_the_times_are() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let file = folder.path().join("own.toml");
    let args = ["--profile", &file.display().to_string()];
    let own = |capture: &str| {
        fs::write(&file, format!("value = '$.body'\n{capture}")).expect("the folder is writable");
        extract(
            r#"{"body":"v","at":"2025-12-03T18:42:55Z","took":[7,8]}"#,
            &args,
        )
    };
    assert_eq!(captured(&own("")), [("v".into(), None)]);
    let time = "2025-12-03T18:42:55.008Z".to_string();
    let output = own("capture-time = ['$.ts', '$.at']\ncapture-duration = '$.took[1]'\n");
    assert_eq!(captured(&output), [("v".into(), Some(time))]);
    let output = own("capture-time = '$['\n");
    assert_eq!(output.code, 2, "{output:#?}");
    assert!(output.stderr.contains("own.toml:2"), "{output:#?}");
    assert!(output.stderr.contains("capture-time"), "{output:#?}");
}

#[test]
fn a_snapshot_read_as_csv_requests_the_capture_times() {
    let output = kreplay(["snapshot", "x", "--print-command", "--rehearse"]);
    for path in ["--path .ts ", "--path .duration "] {
        assert!(output.stdout.contains(path), "{output:#?}");
    }
}
