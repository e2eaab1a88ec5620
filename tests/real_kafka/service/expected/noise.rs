//! What differs within one version: learned, excused or ignored.

use super::{ORDERS, ServiceRun, check, fault, id, invoice};
use crate::harness::kafka::Kafka;
use crate::{KafkaTrial, report_of};
use serde_json::{Value, json};

pub(crate) const CASES: &[KafkaTrial] = &[
    (
        "headers_that_differ_in_the_same_version_are_learned_and_excused",
        header_noise,
    ),
    (
        "a_changed_header_differs_where_headers_are_compared",
        changed_header,
    ),
    (
        "a_path_to_ignore_that_matches_nothing_is_named_with_the_nearest",
        unmatched_path,
    ),
    (
        "expected_records_with_replaced_texts_are_counted_and_can_be_ignored",
        replaced_texts,
    ),
    (
        "differences_within_one_version_are_learned_and_excused",
        noise,
    ),
];

fn header_noise(kafka: &Kafka) {
    let run = ServiceRun::expecting(kafka, invoice_with_ids);
    let file = run.file("noise").display().to_string();
    let headers = ["--expect-headers", "--learn", &file];
    let service = [&["--set-trace"], &fault("other-ids")[..]].concat();
    let output = run.expect(kafka, &service, &headers);
    let expected = check(&output, 0, "learned", &[("changed", ORDERS)]);
    let trace = json!({
        "topic": "invoices", "path": "header trace", "kind": "uuid", "consistent": true, "records": ORDERS,
    });
    let learned = expected["learned"]["paths"].as_array().expect("a list");
    assert!(learned.contains(&trace), "{learned:#?}");
    assert_eq!(learned.len(), 3, "{learned:#?}");
    let again = ServiceRun::expecting(kafka, invoice_with_ids);
    let flags = ["--expect-headers", "--noise", &file];
    let output = again.expect(kafka, &service, &flags);
    check(&output, 0, "same", &[("equal", ORDERS)]);
    // Without the noise file, every record differs.
    let other = ServiceRun::expecting(kafka, invoice_with_ids);
    let output = other.expect(kafka, &service, &["--expect-headers"]);
    check(&output, 1, "differs", &[("changed", ORDERS)]);
}

fn changed_header(kafka: &Kafka) {
    let run = ServiceRun::new(kafka);
    let output = run.expect(kafka, &[], &["--expect-headers"]);
    check(&output, 0, "same", &[("equal", ORDERS)]);
    let run = ServiceRun::new(kafka);
    let output = run.expect(kafka, &["--set-trace"], &["--expect-headers"]);
    let expected = check(&output, 1, "differs", &[("changed", ORDERS)]);
    let changes = expected["differences"][0]["changes"].as_array();
    let changes = changes.expect("a list");
    assert_eq!(changes.len(), 1, "{expected:#}");
    assert_eq!(changes[0]["path"], "header trace", "{expected:#}");
    let run = ServiceRun::new(kafka);
    let output = run.expect(kafka, &["--set-trace"], &[]);
    check(&output, 0, "same", &[("equal", ORDERS)]);
}

/// Such a path may match what the service writes and nothing of the capture, so kreplay reports it at the end.
fn unmatched_path(kafka: &Kafka) {
    let run = ServiceRun::new(kafka);
    let output = run.expect(kafka, &[], &["--ignore", "$.biled"]);
    let expected = check(&output, 1, "same", &[("equal", ORDERS)]);
    let unmatched = json!([{ "path": "$.biled", "nearest": "$.billed" }]);
    assert_eq!(expected["ignored_unmatched"], unmatched);
}

/// What the service answered, of which others have replaced the tenth and the twentieth answer.
fn replaced_invoice(n: u64) -> Value {
    let mut invoice = invoice(n);
    match n {
        10 => invoice["billed"] = json!("REDACTED-7f3a"),
        20 => invoice["billed"] = json!("{speedscale_date(-1h)}"),
        _ => {}
    }
    invoice
}

fn replaced_texts(kafka: &Kafka) {
    let run = ServiceRun::expecting(kafka, replaced_invoice);
    let output = run.expect(kafka, &[], &[]);
    let counts = [("equal", ORDERS - 2), ("changed", 2)];
    let expected = check(&output, 1, "differs", &counts);
    let replaced = (&expected["redacted"], &expected["date_placeholders"]);
    assert_eq!(replaced, (&json!(1), &json!(1)), "{expected:#}");
    // The records that are sent hold no such texts.
    let report = report_of(&output, 1);
    assert_eq!(report["redacted"], json!(null), "{report:#}");
    let run = ServiceRun::expecting(kafka, replaced_invoice);
    let output = run.expect(kafka, &[], &["--ignore", "$.billed"]);
    let expected = check(&output, 0, "same", &[("equal", ORDERS)]);
    assert_eq!(expected["redacted"], 1, "{expected:#}");
    // Without such texts the report does not mention them.
    let run = ServiceRun::new(kafka);
    let expected = check(
        &run.expect(kafka, &[], &[]),
        0,
        "same",
        &[("equal", ORDERS)],
    );
    for member in ["redacted", "date_placeholders"] {
        assert_eq!(expected[member], json!(null), "{expected:#}");
    }
}

/// What the service answers with ids and times: an id for each order, and milliseconds.
fn invoice_with_ids(n: u64) -> Value {
    let mut invoice = invoice(n);
    invoice["id"] = json!(id(n));
    invoice["at"] = json!(1_770_026_400_000 + n);
    invoice
}

fn noise(kafka: &Kafka) {
    let run = ServiceRun::expecting(kafka, invoice_with_ids);
    let file = run.file("noise").display().to_string();
    let output = run.expect(kafka, &fault("other-ids"), &["--learn", &file]);
    let expected = check(&output, 0, "learned", &[("changed", ORDERS)]);
    let path = |path: &str, kind: &str, consistent: bool| {
        json!({
            "topic": "invoices", "path": path, "kind": kind, "consistent": consistent, "records": ORDERS,
        })
    };
    let learned = json!([path("$.at", "epoch", false), path("$.id", "uuid", true)]);
    assert_eq!(expected["learned"]["paths"], learned);
    // It is written once.
    let output = run.replay(kafka, &["--expect", "--learn", &file]);
    assert_eq!(output.code, 2, "{output:#?}");
    let said = format!("kreplay: cannot write what was learned to {file}: the file exists\n");
    assert_eq!(output.stderr, said);
    // The same version again, in topics of other names.
    let again = ServiceRun::expecting(kafka, invoice_with_ids);
    let output = again.expect(kafka, &fault("other-ids"), &["--noise", &file]);
    check(&output, 0, "same", &[("equal", ORDERS)]);
    // A version that gives neither id nor time is another one.
    let other = ServiceRun::expecting(kafka, invoice_with_ids);
    let output = other.expect(kafka, &[], &["--noise", &file]);
    check(&output, 1, "differs", &[("changed", ORDERS)]);
    // Another capture, before anything is sent.
    let other = ServiceRun::new(kafka);
    let output = other.replay(kafka, &["--expect", "--noise", &file]);
    assert_eq!(output.code, 2, "{output:#?}");
    let said = format!("kreplay: {file} was learned with another capture");
    assert!(output.stderr.contains(&said), "{output:#?}");
    let ends = crate::harness::verdict::readback::ends(&kafka.brokers(), &other.orders);
    assert_eq!(ends.expect("the broker answers"), [(0, 0)]);
}
