//! What is compared: nothing if nothing is expected, no record of before the run, and each answer with its input.

use std::fs;

use super::{FAULTS, ORDERS, ServiceRun, check, fault, invoice};
use crate::harness::kafka::Kafka;
use crate::harness::topics::unique;
use crate::{KafkaTrial, replay, report_of};
use serde_json::{Value, json};

pub(crate) const CASES: &[KafkaTrial] = &[
    ("a_run_that_cannot_be_compared_sends_nothing", refused),
    (
        "records_that_were_there_before_the_run_are_not_compared",
        before_the_run,
    ),
    (
        "response_times_are_measured_from_the_correlated_input",
        answers,
    ),
];

fn refused(kafka: &Kafka) {
    let stage = ServiceRun::new(kafka);
    let nothing_sent = || {
        let ends = crate::harness::verdict::readback::ends(&kafka.brokers(), &stage.orders);
        assert_eq!(ends.expect("the broker answers"), [(0, 0)]);
    };
    // The output goes to a topic that does not exist.
    let capture = stage.file("capture.jsonl").display().to_string();
    let map = format!("--map=orders={}", stage.orders);
    let gone = unique("gone");
    let outputs = format!("--map=invoices={gone}");
    let words = ["replay", &capture, &map, &outputs, "-F", "none", "--expect"];
    let output = replay(kafka, &words).output();
    let said = format!(
        "kreplay: topic `{gone}` does not exist on {}\n",
        kafka.brokers()
    );
    assert!(output.stderr.contains(&said), "{output:#?}");
    assert_eq!(output.code, 3, "{output:#?}");
    nothing_sent();
    // Nothing is expected.
    let text = fs::read_to_string(stage.file("capture.jsonl")).expect("it can be read");
    let fetches = stage.file("fetches");
    let first = text.lines().next().expect("a Fetch");
    fs::write(&fetches, first).expect("the temporary folder is writable");
    let fetches = fetches.display().to_string();
    let output = replay(kafka, &["replay", &fetches, &map, "-F", "none", "--expect"]).output();
    let said = "`--expect`: the capture has no records that the application wrote";
    assert!(output.stderr.contains(said), "{output:#?}");
    assert_eq!(output.code, 2, "{output:#?}");
    nothing_sent();
    // Record lines have no Produce requests.
    let line = json!({ "topic": "orders", "key": "c-1", "value": "1" });
    let lines = stage.write("lines", &[line]).display().to_string();
    let output = replay(kafka, &["replay", &lines, &map, "-F", "none", "--expect"]).output();
    let said = "`--expect` reads Produce requests, but the source is record lines";
    assert!(output.stderr.contains(said), "{output:#?}");
    assert_eq!(output.code, 2, "{output:#?}");
    nothing_sent();
}

fn before_the_run(kafka: &Kafka) {
    let stage = ServiceRun::new(kafka);
    // One that is expected later, and one that never is.
    let line = |value: Value| json!({ "topic": "x", "key": "c-1", "value": value.to_string() });
    let lines = [line(invoice(1)), line(json!("stale"))];
    let lines = stage.write("lines", &lines).display().to_string();
    let words = ["replay", &lines, "-t", &stage.invoices, "-F", "none"];
    report_of(&replay(kafka, &words).output(), 0);
    let output = stage.expect(kafka, &[], &[]);
    check(&output, 0, "same", &[("equal", ORDERS)]);
}

fn answers(kafka: &Kafka) {
    for (by, flags, answered) in [
        ("key", &[][..], ORDERS),
        ("value:$..order", &fault("missing-record"), ORDERS - FAULTS),
        ("header:request", &fault("missing-record"), ORDERS - FAULTS),
    ] {
        let run = ServiceRun::new(kafka);
        let output = run.expect(kafka, flags, &["--correlate", by]);
        let report = report_of(&output, i32::from(!flags.is_empty()));
        let found = &report["expected"]["correlation"];
        assert_eq!(found["by"], by);
        assert_eq!(found["answered"], answered, "{found:#}");
        assert_eq!(found["unanswered"], ORDERS - answered, "{found:#}");
        assert_eq!(
            (&found["without"], &found["sample"]),
            (&json!(0), &json!(1))
        );
        let times = ["p50_ms", "p95_ms", "p99_ms", "max_ms"]
            .map(|name| found[name].as_f64().expect("something was answered"));
        assert!(times.is_sorted() && times[0] > 0.0, "{found:#}");
        let longest = output.elapsed.as_secs_f64() * 1000.0;
        assert!(times[3] < longest, "{found:#}");
    }
}
