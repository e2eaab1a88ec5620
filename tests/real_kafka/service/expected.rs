//! `--expect`: what the service behind the topic wrote during a replay, compared with what it wrote in the
//! capture. The service is healthy or has one planted fault, and the verdict must name that fault and no
//! other.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::kafka::Kafka;
use crate::harness::run::service::RunningService;
use crate::harness::run::{Run, RunOutput};
use crate::harness::topics::{create_unique, unique};
use crate::{KafkaTrial, path, replay, report_of};

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
    (
        "headers_that_differ_in_the_same_version_are_learned_and_excused",
        header_noise,
    ),
    (
        "a_changed_header_differs_where_headers_are_compared",
        changed_header,
    ),
    (
        "expected_records_with_replaced_texts_are_counted_and_can_be_ignored",
        replaced_texts,
    ),
    (
        "a_path_to_ignore_that_matches_nothing_is_named_with_the_nearest",
        unmatched_path,
    ),
    ("a_wrong_value_is_a_changed_record", wrong_value),
    ("a_record_that_is_not_written_is_missing", missing_record),
    ("a_record_that_is_written_twice_is_repeated", duplicated),
    ("a_record_behind_the_next_one_is_reordered", reordered),
    ("ids_and_times_differ_unless_they_are_ignored", other_ids),
    (
        "the_expected_output_may_be_in_another_source",
        from_another_source,
    ),
    ("a_run_that_cannot_be_compared_sends_nothing", refused),
    (
        "records_that_were_there_before_the_run_are_not_compared",
        before_the_run,
    ),
    ("the_readme_command_finds_a_deliberate_bug", readme),
    (
        "differences_within_one_version_are_learned_and_excused",
        noise,
    ),
    (
        "response_times_are_measured_from_the_correlated_input",
        answers,
    ),
    (
        "a_wait_for_the_output_that_is_cut_short_is_incomplete",
        cut_short,
    ),
];

/// Those that take their time.
pub(crate) const PATIENT_CASES: &[KafkaTrial] = &[(
    "each_fault_of_a_service_has_its_verdict_with_the_new_protocol_too",
    faults_with_the_new_protocol,
)];

/// Orders of a made capture; number n has the key of customer n % CUSTOMERS, and all are in one partition, so
/// that the nth record that the service reads is the nth order.
pub(crate) const ORDERS: u64 = 30;
const CUSTOMERS: u64 = 3;
/// The record of its input at which a fault happens, and again at each multiple, of which ORDERS holds three.
const EVERY: &str = "10";
pub(crate) const FAULTS: u64 = 3;

/// The topics of a run, and the capture that it replays.
pub(crate) struct ServiceRun {
    pub(crate) orders: String,
    pub(crate) invoices: String,
    folder: TempDir,
}

fn order(n: u64) -> Value {
    json!({ "order": n, "customer": n % CUSTOMERS })
}

/// The record line of what the service answers.
pub(crate) fn invoice_line(n: u64) -> Value {
    json!({
        "topic": "invoices",
        "key": format!("c-{}", n % CUSTOMERS),
        "value": invoice(n).to_string(),
    })
}

/// What the service answers.
fn invoice(n: u64) -> Value {
    json!({ "order": order(n), "billed": true })
}

/// The RRPairs of a capture in which the service has answered so, in batches with this attribute.
fn rrpairs(answer: fn(u64) -> Value, attribute: &str) -> [Value; 2] {
    let records = |value: fn(u64) -> Value| -> Vec<Value> {
        let record = |n| {
            json!({
                "offsetDelta": n - 1,
                "keyString": format!("c-{}", n % CUSTOMERS),
                "valueString": value(n).to_string(),
                "headers": [
                    { "key": "request", "valueString": format!("r-{n}") },
                    { "key": "trace", "valueString": id(1000 + n) },
                ],
            })
        };
        (1..=ORDERS).map(record).collect()
    };
    let topics = |name: &str, value| {
        let records = json!({ "attributes": [attribute], "records": records(value) });
        json!([{ "name": name, "partitions": [{ "records": records }] }])
    };
    [
        json!({
            "ts": "2026-02-02T10:00:00Z",
            "command": "Fetch",
            "kafka": { "response": { "FetchResponse": { "topics": topics("orders", order) } } },
        }),
        json!({
            "ts": "2026-02-02T10:00:01Z",
            "command": "Produce",
            "kafka": { "request": { "ProduceRequest": { "topics": topics("invoices", answer) } } },
        }),
    ]
}

impl ServiceRun {
    pub(crate) fn new(kafka: &Kafka) -> Self {
        Self::expecting(kafka, invoice)
    }

    /// A capture in which the service has given this answer.
    fn expecting(kafka: &Kafka, answer: fn(u64) -> Value) -> Self {
        Self::written_with(kafka, answer, "ATTRIBUTE_NO_COMPRESSION")
    }

    /// The same, in batches with this attribute.
    fn written_with(kafka: &Kafka, answer: fn(u64) -> Value, attribute: &str) -> Self {
        let [orders, invoices] = ["orders", "invoices"]
            .map(|stem| create_unique(&kafka.brokers(), stem, 1).expect("a topic"));
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let stage = Self {
            orders,
            invoices,
            folder,
        };
        stage.write("capture.jsonl", &rrpairs(answer, attribute));
        stage
    }

    /// The two RRPairs of the capture: the Fetch and the Produce request.
    pub(crate) fn rrpairs(&self) -> [Value; 2] {
        let text = fs::read_to_string(self.file("capture.jsonl")).expect("it can be read");
        let lines = text.lines().map(serde_json::from_str);
        let lines: Vec<Value> = lines.collect::<Result<_, _>>().expect("it is JSON");
        lines.try_into().expect("there are two")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, lines: &[Value]) -> PathBuf {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let file = self.file(name);
        fs::write(&file, lines.join("\n") + "\n").expect("the temporary folder is writable");
        file
    }

    /// Record lines of so many invoices.
    pub(crate) fn lines_of_invoices(&self, count: u64) -> PathBuf {
        self.write(
            "expected",
            &(1..=count).map(invoice_line).collect::<Vec<_>>(),
        )
    }

    pub(crate) fn service(&self, kafka: &Kafka, flags: &[&str]) -> RunningService {
        self.service_in(kafka, &unique("billing"), flags)
    }

    /// A service in this group.
    pub(crate) fn service_in(&self, kafka: &Kafka, group: &str, flags: &[&str]) -> RunningService {
        let to = ["--to", &self.invoices];
        let flags = [&to[..], flags].concat();
        RunningService::start(&kafka.brokers(), group, &self.orders, &flags)
    }

    /// The flags that give captured topics the names of this run's.
    pub(crate) fn maps(&self) -> [String; 2] {
        let maps = [("orders", &self.orders), ("invoices", &self.invoices)];
        maps.map(|(from, to)| format!("--map={from}={to}"))
    }

    pub(crate) fn replay(&self, kafka: &Kafka, flags: &[&str]) -> RunOutput {
        let capture = self.file("capture.jsonl").display().to_string();
        self.replay_of(kafka, &capture, flags)
    }

    /// The same with another input.
    pub(crate) fn replay_of(&self, kafka: &Kafka, input: &str, flags: &[&str]) -> RunOutput {
        self.prepared(kafka, input, flags).output()
    }

    /// A replay that has not begun.
    pub(crate) fn prepared(&self, kafka: &Kafka, input: &str, flags: &[&str]) -> Run {
        let maps = self.maps();
        let words = ["replay", input, &maps[0], &maps[1], "-F", "none"];
        replay(kafka, &[&words[..], flags].concat())
    }

    /// What a replay with `--expect` finds about a service with these flags.
    fn expect(&self, kafka: &Kafka, service: &[&str], flags: &[&str]) -> RunOutput {
        let service = self.service(kafka, service);
        let output = self.replay(kafka, &[&["--expect"], flags].concat());
        service.stop();
        output
    }
}

/// A planted fault, each with EVERY record.
pub(crate) fn fault(name: &'static str) -> [&'static str; 4] {
    ["--fault", name, "--every", EVERY]
}

/// Checks verdict and counts of a run: those named, and no others except for `equal`.
pub(crate) fn check(output: &RunOutput, code: i32, verdict: &str, counts: &[(&str, u64)]) -> Value {
    let report = report_of(output, code);
    let expected = &report["expected"];
    assert_eq!(expected["verdict"], verdict, "{expected:#}");
    for name in [
        "equal",
        "changed",
        "missing",
        "extra",
        "repeated",
        "reordered",
    ] {
        let wanted = counts.iter().find(|(known, _)| *known == name);
        let wanted = wanted.map_or(0, |(_, count)| *count);
        assert_eq!(expected[name], wanted, "{name}: {expected:#}");
    }
    assert_eq!(report["ledger"]["delivered"], ORDERS, "{report:#}");
    expected.clone()
}

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
    // Without the file all of it differs.
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

/// It may match what the service writes and nothing of the capture: so it is known in the end.
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
    // What is sent holds no such texts.
    let report = report_of(&output, 1);
    assert_eq!(report["redacted"], json!(null), "{report:#}");
    let run = ServiceRun::expecting(kafka, replaced_invoice);
    let output = run.expect(kafka, &[], &["--ignore", "$.billed"]);
    let expected = check(&output, 0, "same", &[("equal", ORDERS)]);
    assert_eq!(expected["redacted"], 1, "{expected:#}");
    // Without them nothing is said of them.
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
        // The last record of a key has none that it could be written after.
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
    // The same is no difference where that member is not compared.
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
    // Order 30 is the last of its key: nothing comes that it could be written after.
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

fn from_another_source(kafka: &Kafka) {
    let stage = ServiceRun::new(kafka);
    let from = stage.lines_of_invoices(ORDERS).display().to_string();
    let service = stage.service(kafka, &[]);
    let output = stage.replay(kafka, &["--expect-from", &from]);
    service.stop();
    check(&output, 0, "same", &[("equal", ORDERS)]);
    // One more is expected than the service writes.
    let stage = ServiceRun::new(kafka);
    let from = stage.lines_of_invoices(ORDERS + 1).display().to_string();
    let service = stage.service(kafka, &[]);
    let output = stage.replay(kafka, &["--expect-from", &from]);
    service.stop();
    check(&output, 1, "differs", &[("equal", ORDERS), ("missing", 1)]);
}

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
    let said = "`--expect`: the capture has no record that the application wrote";
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

/// An id as in another run.
fn id(n: u64) -> String {
    format!("0a0b0c0d-0000-4000-8000-{n:012x}")
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

fn cut_short(kafka: &Kafka) {
    // Nobody answers, and nobody waits as long as it takes to be sure.
    let run = ServiceRun::new(kafka);
    let limits = [
        "--expect",
        "--expect-quiet",
        "10m",
        "--expect-timeout",
        "1s",
    ];
    let output = run.replay(kafka, &limits);
    let expected = check(&output, 1, "incomplete", &[("missing", ORDERS)]);
    let said = "the output had not been quiet for 10m when the time was over, 1s after the last record was sent";
    assert_eq!(expected["incomplete"], said);
    let run = ServiceRun::new(kafka);
    let capture = run.file("capture.jsonl").display().to_string();
    let maps = [("orders", &run.orders), ("invoices", &run.invoices)];
    let maps = maps.map(|(from, to)| format!("--map={from}={to}"));
    let words = ["replay", &capture, &maps[0], &maps[1], "-F", "none"];
    let words = [&words[..], &["--expect", "--expect-quiet", "10m"]].concat();
    let mut running = replay(kafka, &words).spawn();
    running.wait_until("it waits for the output", |running| {
        running
            .stderr_so_far()
            .contains("every record is delivered")
    });
    running.signal(nix::sys::signal::Signal::SIGINT);
    let output = running.wait();
    let expected = check(&output, 130, "incomplete", &[("missing", ORDERS)]);
    assert_eq!(expected["incomplete"], "the run did not complete");
}
