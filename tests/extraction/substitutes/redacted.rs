//! Redacted values: counted, named, and not sent with `--fail-on-redacted`.

use super::{capture, fetch, folder, json_of, mock, replay_to, written};
use crate::harness::report::ledger::ledger;
use crate::harness::run::Run;
use crate::harness::verdict::readback::{count, read};
use serde_json::{Value, json};

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
    let args = replay_to(&brokers, &path, &["-t", "orders", "--fail-on-redacted"]);
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
    let args = replay_to(
        &brokers,
        &path,
        &["--keep-duplicates", "--fail-on-redacted"],
    );
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
