//! Records whose texts differ from what the application received: values that data-loss prevention has
//! replaced, and dates that are to be resolved. What kreplay reports about them, what it refuses and what it
//! sends.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::harness::report::ledger::ledger;
use crate::harness::run::{Run, RunOutput, report};
use crate::harness::verdict::readback::{count, read};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use serde_json::{Value, json};
use tempfile::TempDir;

const DAY_MS: i64 = 86_400_000;

fn mock(topics: &[&str]) -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    for topic in topics {
        cluster.create_topic(topic, 1, 1).expect("a topic");
    }
    cluster
}

/// An RRPair of a Fetch of one topic: records from offset 0, each of these members.
fn fetch(topic: &str, records: &[Value]) -> String {
    let with_delta = |(delta, record): (usize, &Value)| {
        let mut record = record.clone();
        record["offsetDelta"] = delta.into();
        record
    };
    let records: Vec<Value> = records.iter().enumerate().map(with_delta).collect();
    let partitions =
        json!([{ "partitionIndex": 0, "records": { "baseOffset": "0", "records": records } }]);
    let topics = json!([{ "name": topic, "partitions": partitions }]);
    let response = json!({ "FetchResponse": { "topics": topics } });
    let pair =
        json!({ "msgType": "rrpair", "command": "Fetch", "kafka": { "response": response } });
    format!("{pair}\n")
}

/// Three topics: one with redacted texts in a value, in the JSON of a value, in a key and in a header, one
/// with dates, and one with texts that only look alike.
fn capture() -> String {
    let orders = [
        json!({ "valueString": "plain" }),
        json!({ "valueString": "REDACTED-7f3a" }),
        json!({ "valueString": r#"{"card":"REDACTED-1","n":2}"# }),
        json!({ "keyString": "REDACTED-k", "valueString": "v" }),
        json!({ "valueString": "v", "headers": [{ "key": "auth", "valueString": "REDACTED-h" }] }),
        // The same in base64: `REDACTED-b`.
        json!({ "valueBytes": "UkVEQUNURUQtYg==" }),
    ];
    let payments = [
        json!({ "valueString": r#"{"due":"{speedscale_date(-744h0m0s)}"}"# }),
        json!({ "keyString": "at {speedscale_date(24h0m0s)}", "valueString": "v",
            "headers": [{ "key": "h", "valueString": "{speedscale_date(0s)}" }] }),
    ];
    let alike = [
        json!({ "valueString": "not REDACTED-1" }),
        json!({ "valueString": "speedscale_date(1h)" }),
    ];
    fetch("orders", &orders) + &fetch("payments", &payments) + &fetch("alike", &alike)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("the system's temporary folder is writable")
}

fn written(folder: &TempDir, text: &str) -> String {
    let path = folder.path().join("capture.jsonl");
    fs::write(&path, text).expect("the folder is writable");
    path.display().to_string()
}

fn json_of(args: &[&str]) -> (RunOutput, Value) {
    let output = Run::new(args.iter().chain(&["--report", "json"])).output();
    let report = report(&output);
    assert_eq!(report["exit_code"], output.code, "{output:#?}");
    (output, report)
}

#[track_caller]
fn assert_counted(report: &Value) {
    let redacted = json!([{ "topic": "orders", "records": 5 }]);
    let dates = json!([{ "topic": "payments", "records": 2 }]);
    assert_eq!(report["redacted"], redacted, "{report:#}");
    assert_eq!(report["date_placeholders"], dates, "{report:#}");
}

#[test]
fn redacted_and_dated_values_are_counted_by_topic_and_the_first_is_named() {
    let folder = folder();
    let path = written(&folder, &capture());
    let (output, inspection) = json_of(&["inspect", &path]);
    assert_eq!(output.code, 0, "{output:#?}");
    assert_counted(&inspection);
    let problems = inspection["problems"].as_array().expect("a list");
    let problems: Vec<(&Value, &Value, &Value)> = problems
        .iter()
        .map(|problem| {
            (
                &problem["what"],
                &problem["count"],
                &problem["first"]["line"],
            )
        })
        .collect();
    let expected = [
        (json!("redacted"), json!(5), json!(1)),
        (json!("date_placeholder"), json!(2), json!(2)),
    ];
    let expected: Vec<_> = expected.iter().map(|(a, b, c)| (a, b, c)).collect();
    assert_eq!(problems, expected);

    let (output, replayed) = json_of(&["replay", &path, "--rehearse", "--resolve-dates"]);
    assert_eq!(
        (output.code, ledger(&replayed).as_str()),
        (0, "10 = 10 delivered"),
        "{output:#?}"
    );
    assert_counted(&replayed);
    // Resolved dates are not a problem any more.
    assert_eq!(
        replayed["problems"].as_array().map(Vec::len),
        Some(1),
        "{replayed:#}"
    );

    for (args, stdout) in [
        (&["inspect", &path][..], true),
        (&["replay", &path, "--rehearse", "--resolve-dates"], true),
        (&["extract", &path], false),
    ] {
        let output = Run::new(args).output();
        assert_eq!(output.code, 0, "{output:#?}");
        let said = if stdout {
            &output.stdout
        } else {
            &output.stderr
        };
        for line in [
            "redacted   5 records: orders 5\n",
            "dates      2 records: payments 2\n",
            "problem    redacted: 5, first ",
        ] {
            assert!(said.contains(line), "{line}: {output:#?}");
        }
    }
}

#[test]
fn a_capture_without_redaction_does_not_mention_it() {
    let folder = folder();
    let alike = [
        json!({ "valueString": "not REDACTED-1" }),
        json!({ "keyString": "speedscale_date(1h)" }),
    ];
    let path = written(&folder, &fetch("t", &alike));
    let (output, report) = json_of(&["replay", &path, "--rehearse", "--fail-on-redacted"]);
    assert_eq!(
        (output.code, ledger(&report).as_str()),
        (0, "2 = 2 delivered"),
        "{output:#?}"
    );
    for member in ["redacted", "date_placeholders"] {
        assert_eq!(report.get(member), None, "{report:#}");
    }
    assert_eq!(report["problems"], json!([]));
}

/// The last record is the redacted one, and all of the source is known before the first is sent.
#[test]
fn fail_on_redacted_ends_the_run_before_anything_is_sent() {
    let folder = folder();
    let cluster = mock(&["orders"]);
    let brokers = cluster.bootstrap_servers();
    let records: Vec<Value> = (0..500)
        .map(|i| json!({ "valueString": i.to_string() }))
        .collect();
    let path = written(
        &folder,
        &(fetch("orders", &records) + &fetch("other", &[json!({ "valueString": "REDACTED-" })])),
    );
    // If everything goes to one topic, records are sent as soon as they are read unless the flag is given.
    let args = [
        "replay",
        &path,
        "-b",
        &brokers,
        "-F",
        "none",
        "-t",
        "orders",
        "--fail-on-redacted",
    ];
    let (output, report) = json_of(&args);
    assert_eq!(
        (output.code, ledger(&report).as_str()),
        (1, "501 = 501 unsent"),
        "{output:#?}"
    );
    assert_eq!(count(&brokers, "orders"), Ok(0));
    let line = format!(
        "kreplay: {path}:2 holds a text that data-loss prevention has replaced (`REDACTED-...`), and \
         `--fail-on-redacted` ends the run\nhint: "
    );
    assert!(output.stderr.contains(&line), "{output:#?}");
    let without = &args[..args.len() - 1];
    let (output, report) = json_of(without);
    assert_eq!(
        (output.code, ledger(&report).as_str()),
        (0, "501 = 501 delivered"),
        "{output:#?}"
    );
}

/// More than the channel holds: what comes before the first such record may be sent, but never the record
/// itself.
#[test]
fn a_redacted_record_late_in_the_source_is_not_sent() {
    let folder = folder();
    let cluster = mock(&["orders"]);
    let brokers = cluster.bootstrap_servers();
    let records: Vec<Value> = (0..1000)
        .map(|_| json!({ "valueString": "x".repeat(1000) }))
        .collect();
    let mut text: String = (0..120).map(|_| fetch("orders", &records)).collect();
    text += &fetch("orders", &[json!({ "valueString": "REDACTED-1" })]);
    let path = written(&folder, &text);
    let args = [
        "replay",
        &path,
        "-b",
        &brokers,
        "-F",
        "none",
        "--keep-duplicates",
        "--fail-on-redacted",
    ];
    let (output, report) = json_of(&args);
    assert_eq!(output.code, 1, "{output:#?}");
    assert!(
        output.stderr.contains(&format!("{path}:121 holds a text")),
        "{output:#?}"
    );
    let seen = read(&brokers, "orders").expect("the topic is readable");
    assert_eq!(report["ledger"]["delivered"], seen.len(), "{report:#}");
    assert!(seen.iter().all(|seen| seen.text().starts_with('x')));
}

#[test]
fn a_date_placeholder_is_refused_before_it_is_sent() {
    let folder = folder();
    let cluster = mock(&["orders", "payments"]);
    let brokers = cluster.bootstrap_servers();
    let sound = fetch("orders", &[json!({ "valueString": "v" })]);
    let dated = fetch(
        "payments",
        &[json!({ "valueString": "{speedscale_date(1h)}" })],
    );
    let path = written(&folder, &(sound + &dated));
    for args in [&["-b", &brokers, "-F", "none"][..], &["--rehearse"]] {
        let output = Run::new(["replay", &path].iter().chain(args)).output();
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (2, ""),
            "{output:#?}"
        );
        let line = format!(
            "kreplay: {path}:2 holds a date that is still to be resolved: `{{speedscale_date(...)}}`\nhint: `--resolve-dates` "
        );
        assert!(output.stderr.contains(&line), "{output:#?}");
    }
    assert_eq!(count(&brokers, "orders"), Ok(0));
    assert_eq!(count(&brokers, "payments"), Ok(0));
    for (wrong, why) in [
        (
            "{speedscale_date(soon)}",
            "`{speedscale_date(soon)}` holds no duration such as `-744h0m0s`",
        ),
        (
            "{speedscale_date(1h",
            "`{speedscale_date(` is not closed by `)}`",
        ),
    ] {
        let path = written(
            &folder,
            &fetch("orders", &[json!({ "valueString": wrong })]),
        );
        let output = Run::new(["replay", &path, "--rehearse", "--resolve-dates"]).output();
        assert_eq!(output.code, 2, "{output:#?}");
        assert!(
            output.stderr.contains(&format!("{path}:1: {why}")),
            "{output:#?}"
        );
    }
}

fn now_ms() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock");
    i64::try_from(now.as_millis()).expect("a time of this era")
}

/// The text as milliseconds since 1970.
fn ms(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("no number: {text}"))
}

/// What the topic `payments` holds after a run, in milliseconds: the date in the value, the key, the header.
fn dates_of(brokers: &str) -> [i64; 3] {
    let seen = read(brokers, "payments").expect("the topic is readable");
    let [first, second] = &seen[..] else {
        panic!("two records: {seen:?}")
    };
    let value: Value = serde_json::from_str(first.text()).expect("JSON");
    let key = String::from_utf8(second.key.clone().expect("a key")).expect("text");
    let header = second.headers[0].1.clone().expect("a value");
    [
        ms(value["due"].as_str().expect("a text")),
        ms(key.strip_prefix("at ").expect("what was around the date")),
        ms(&String::from_utf8(header).expect("text")),
    ]
}

#[test]
fn date_placeholders_are_resolved_against_the_time_of_the_replay_from_a_pipe_too() {
    let folder = folder();
    let path = written(&folder, &capture());
    for piped in [false, true] {
        let cluster = mock(&["orders", "payments", "alike"]);
        let brokers = cluster.bootstrap_servers();
        let mut args = vec![
            "replay",
            &path,
            "-b",
            &brokers,
            "-F",
            "none",
            "--resolve-dates=epoch-ms",
        ];
        let before = now_ms();
        let output = if piped {
            let extracted = Run::new(["extract", &path]).output();
            assert!(
                extracted.stdout.contains("{speedscale_date(-744h0m0s)}"),
                "{extracted:#?}"
            );
            args[1] = "-";
            Run::new(args).stdin(extracted.stdout).output()
        } else {
            Run::new(args).output()
        };
        let after = now_ms();
        assert_eq!(output.code, 0, "{output:#?}");
        let [value, key, header] = dates_of(&brokers);
        assert!(
            (before..=after).contains(&header),
            "{before} {header} {after}"
        );
        assert_eq!([value - header, header - key], [31 * DAY_MS, DAY_MS]);
        assert!(
            output.stdout.contains("redacted   5 records: orders 5\n"),
            "{output:#?}"
        );
    }
}

/// A journal identifies its source by its content, not by what the dates become.
#[test]
fn a_resumed_run_resolves_dates_and_knows_its_source() {
    let folder = folder();
    let path = written(&folder, &capture());
    let journal = folder.path().join("journal").display().to_string();
    let cluster = mock(&["orders", "payments", "alike"]);
    let brokers = cluster.bootstrap_servers();
    let args = [
        "replay",
        &path,
        "-b",
        &brokers,
        "-F",
        "none",
        "--resolve-dates=date",
        "--resume",
        &journal,
    ];
    let (output, report) = json_of(&args);
    assert_eq!(
        (output.code, ledger(&report).as_str()),
        (0, "10 = 10 delivered"),
        "{output:#?}"
    );
    let seen = read(&brokers, "payments").expect("the topic is readable");
    let value: Value = serde_json::from_str(seen[0].text()).expect("JSON");
    let due = value["due"]
        .as_str()
        .map(|due| (due.len(), due.starts_with("20")));
    assert_eq!(due, Some(("2026-07-05".len(), true)), "{value}");
    let (output, report) = json_of(&args);
    assert_eq!(
        (output.code, &report["resume"]["skipped"]),
        (0, &json!(10)),
        "{output:#?}"
    );
}
