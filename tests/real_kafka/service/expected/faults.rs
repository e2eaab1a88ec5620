//! A healthy service is as expected, and each planted fault has its verdict.

use std::fs;

use super::{FAULTS, ORDERS, ServiceRun, check, fault, invoice};
use crate::harness::kafka::Kafka;
use crate::harness::run::service::RunningService;
use crate::harness::topics::{create_unique, unique};
use crate::{KafkaTrial, path};
use serde_json::json;

pub(crate) const CASES: &[KafkaTrial] = &[
    ("the_output_of_a_healthy_service_is_as_expected", healthy),
    (
        "committed_transactions_are_the_output_of_a_service",
        transactional,
    ),
    (
        "aborted_records_are_seen_unless_the_capture_shows_transactions",
        aborted,
    ),
    ("a_wrong_value_is_a_changed_record", wrong_value),
    ("a_record_that_is_not_written_is_missing", missing_record),
    ("a_record_that_is_written_twice_is_repeated", duplicated),
    ("a_record_behind_the_next_one_is_reordered", reordered),
    ("ids_and_times_differ_unless_they_are_ignored", other_ids),
    ("the_readme_command_finds_a_deliberate_bug", readme),
];

/// Those that take their time.
pub(crate) const PATIENT_CASES: &[KafkaTrial] = &[(
    "each_fault_of_a_service_has_its_verdict_with_the_new_protocol_too",
    faults_with_the_new_protocol,
)];

fn healthy(kafka: &Kafka) {
    let stage = ServiceRun::new(kafka);
    let output = stage.expect(kafka, &[], &[]);
    let expected = check(&output, 0, "same", &[("equal", ORDERS)]);
    assert_eq!(expected["topics"][0]["name"], stage.invoices.as_str());
    // Whatever the service does wrong, its input is not its output.
    assert_eq!(expected["not_compared"], json!([]));
}

fn transactional(kafka: &Kafka) {
    let stage = ServiceRun::new(kafka);
    let output = stage.expect(kafka, &["--transactional", "--commit-ms", "300"], &[]);
    check(&output, 0, "same", &[("equal", ORDERS)]);
}

/// A service that writes a record, takes it back and writes it again: a reader of committed records sees it
/// once.
fn aborted(kafka: &Kafka) {
    let fault = [&["--transactional"], &fault("aborted")[..]].concat();
    let run = ServiceRun::written_with(kafka, invoice, "ATTRIBUTE_TRANSACTIONAL");
    let expected = check(
        &run.expect(kafka, &fault, &[]),
        0,
        "same",
        &[("equal", ORDERS)],
    );
    assert_eq!(expected["isolation"], "read_committed");
    // Readers of a service that used no transactions do not check whether a record was committed.
    let run = ServiceRun::new(kafka);
    let counts = [("equal", ORDERS), ("repeated", FAULTS)];
    let expected = check(&run.expect(kafka, &fault, &[]), 1, "differs", &counts);
    assert_eq!(expected["isolation"], "read_uncommitted");
    // Record lines do not show what the service used.
    let run = ServiceRun::new(kafka);
    let from = run.lines_of_invoices(ORDERS).display().to_string();
    let service = run.service(kafka, &fault);
    let output = run.replay(kafka, &["--expect-from", &from]);
    service.stop();
    let expected = check(&output, 0, "same", &[("equal", ORDERS)]);
    assert_eq!(expected["isolation"], "read_committed");
}

/// Those of KIP-848: the others here have services of the classic protocol.
fn faults_with_the_new_protocol(kafka: &Kafka) {
    let transactional = ["--transactional", "--commit-ms", "300"];
    let of = |name| fault(name).to_vec();
    let (some, all) = (ORDERS - FAULTS, ORDERS);
    for (flags, verdict, counts) in [
        (vec![], "same", [("equal", all), ("changed", 0)]),
        (
            transactional.to_vec(),
            "same",
            [("equal", all), ("changed", 0)],
        ),
        (
            of("wrong-value"),
            "differs",
            [("equal", some), ("changed", FAULTS)],
        ),
        (
            of("missing-record"),
            "differs",
            [("equal", some), ("missing", FAULTS)],
        ),
        (
            of("duplicated"),
            "differs",
            [("equal", all), ("repeated", FAULTS)],
        ),
        // The last record of a key is followed by none after which it could be written.
        (
            of("reordered"),
            "differs",
            [("equal", some + 1), ("reordered", FAULTS - 1)],
        ),
        (of("other-ids"), "differs", [("equal", 0), ("changed", all)]),
    ] {
        let run = ServiceRun::new(kafka);
        let flags = [&["--protocol", "consumer"][..], &flags].concat();
        let output = run.expect(kafka, &flags, &[]);
        let code = i32::from(verdict != "same");
        check(&output, code, verdict, &counts);
    }
}

fn wrong_value(kafka: &Kafka) {
    let stage = ServiceRun::new(kafka);
    let file = stage.file("differences").display().to_string();
    let output = stage.expect(kafka, &fault("wrong-value"), &["--expect-diff", &file]);
    let counts = [("equal", ORDERS - FAULTS), ("changed", FAULTS)];
    let expected = check(&output, 1, "differs", &counts);
    let first = &expected["differences"][0];
    // Keys in order: c-0 has order 30, c-1 10 and c-2 20; offsets begin with 0.
    assert_eq!(
        (&first["kind"], &first["key"]),
        (&json!("changed"), &json!("c-0"))
    );
    assert_eq!(first["observed"], format!("{} [0] @ 29", stage.invoices));
    let change = json!({ "path": "$.billed", "expected": "true", "observed": "false" });
    assert_eq!(first["changes"], json!([change]));
    let lines = fs::read_to_string(&file).expect("the differences are written");
    assert_eq!(lines.lines().count() as u64, FAULTS);
    // If that member is not compared, the records are equal.
    let stage = ServiceRun::new(kafka);
    let output = stage.expect(kafka, &fault("wrong-value"), &["--ignore", "$.billed"]);
    check(&output, 0, "same", &[("equal", ORDERS)]);
}

fn missing_record(kafka: &Kafka) {
    let stage = ServiceRun::new(kafka);
    let output = stage.expect(kafka, &fault("missing-record"), &[]);
    let counts = [("equal", ORDERS - FAULTS), ("missing", FAULTS)];
    check(&output, 1, "differs", &counts);
}

fn duplicated(kafka: &Kafka) {
    let stage = ServiceRun::new(kafka);
    let output = stage.expect(kafka, &fault("duplicated"), &[]);
    let counts = [("equal", ORDERS), ("repeated", FAULTS)];
    check(&output, 1, "differs", &counts);
    let stage = ServiceRun::new(kafka);
    let output = stage.expect(kafka, &fault("duplicated"), &["--allow-repeated"]);
    check(&output, 0, "same", &counts);
}

fn reordered(kafka: &Kafka) {
    let stage = ServiceRun::new(kafka);
    let output = stage.expect(kafka, &fault("reordered"), &[]);
    // Order 30 is the last of its key: no record follows after which it could be written.
    let counts = [("equal", ORDERS - FAULTS + 1), ("reordered", FAULTS - 1)];
    check(&output, 1, "differs", &counts);
    let stage = ServiceRun::new(kafka);
    let output = stage.expect(kafka, &fault("reordered"), &["--allow-reordered"]);
    check(&output, 0, "same", &counts);
}

fn other_ids(kafka: &Kafka) {
    let stage = ServiceRun::new(kafka);
    let output = stage.expect(kafka, &fault("other-ids"), &[]);
    check(&output, 1, "differs", &[("changed", ORDERS)]);
    let stage = ServiceRun::new(kafka);
    let ignore = ["--ignore", "$.id", "--ignore", "$.at"];
    let output = stage.expect(kafka, &fault("other-ids"), &ignore);
    check(&output, 0, "same", &[("equal", ORDERS)]);
    let stage = ServiceRun::new(kafka);
    let output = stage.expect(kafka, &fault("other-ids"), &["--allow-new"]);
    check(&output, 0, "same", &[("equal", ORDERS)]);
}

/// What README shows: `fixtures/billing.jsonl`, a healthy service, and one with a planted bug.
fn readme(kafka: &Kafka) {
    for (flags, code) in [
        (&[][..], 0),
        (&["--fault", "wrong-value", "--every", "7"][..], 1),
    ] {
        let [orders, invoices] = ["orders", "invoices"]
            .map(|stem| create_unique(&kafka.brokers(), stem, 2).expect("a topic"));
        let to = ["--to", &invoices];
        let flags = [&to[..], flags].concat();
        let group = unique("billing");
        let service = RunningService::start(&kafka.brokers(), &group, &orders, &flags);
        let maps = [("orders", &orders), ("invoices", &invoices)];
        let maps = maps.map(|(from, to)| format!("--map={from}={to}"));
        let brokers = kafka.brokers();
        let words = ["replay", &path("billing.jsonl"), "-b", &brokers, "--expect"];
        let words = [&words[..], &["--wait-group", &group]].concat();
        let words = [&words[..], &[&maps[0], &maps[1], "-F", "none", "-q"]].concat();
        let output = crate::harness::run::kreplay(words);
        service.stop();
        assert_eq!(output.code, code, "{output:#?}");
        let shown = output
            .stdout
            .lines()
            .skip_while(|line| !line.starts_with("output "));
        let shown: Vec<&str> = shown.collect();
        match code {
            // The 12 orders of the fixture.
            0 => assert_eq!(
                shown,
                [format!("output     as expected: 12 equal in `{invoices}`")]
            ),
            _ => {
                let headline =
                    format!("output     not as expected: 11 equal, 1 changed in `{invoices}`");
                assert_eq!(shown[0], headline, "{output:#?}");
                assert!(
                    shown[1].starts_with(&format!("{invoices} changed, key c-")),
                    "{shown:?}"
                );
                assert_eq!(shown[2], "  $.billed: true -> false");
                assert!(shown.len() <= 5, "{shown:?}");
            }
        }
    }
}
