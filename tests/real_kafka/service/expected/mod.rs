//! `--expect`: what the service behind the topic wrote during a replay, compared with what it wrote in the
//! capture. The service is healthy or has one planted fault, and the verdict must name that fault and no
//! other.

pub(crate) mod ends;
pub(crate) mod faults;
pub(crate) mod noise;
pub(crate) mod scope;
pub(crate) mod sources;

use std::fs;
use std::path::PathBuf;

use crate::harness::kafka::Kafka;
use crate::harness::run::service::RunningService;
use crate::harness::run::{Run, RunOutput};
use crate::harness::topics::{create_unique, unique};
use crate::{replay, report_of};
use serde_json::{Value, json};
use tempfile::TempDir;

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

    /// The same flags, with another input.
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

/// An id as in another run.
fn id(n: u64) -> String {
    format!("0a0b0c0d-0000-4000-8000-{n:012x}")
}
