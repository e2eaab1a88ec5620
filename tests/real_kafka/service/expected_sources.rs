//! `--expect` with what it needs of others: a snapshot, TLS and SASL,
//! and rights that are missing.

use std::fs;

use serde_json::json;

use crate::harness::faults::acl::{allow_describing, allow_writing};
use crate::harness::kafka::Kafka;
use crate::harness::run::{Run, RunOutput};
use crate::harness::verdict::readback::ends;
use crate::preparing::connecting::{alice_over_tls, bob};
use crate::service::expected::{ORDERS, ServiceRun, check};
use crate::{KafkaTrial, replay, report_of};

pub(crate) const CASES: &[KafkaTrial] = &[("the_output_is_compared_for_a_snapshot_too", snapshot)];

/// Those that need a broker with users.
pub(crate) const OF_USERS: &[KafkaTrial] = &[
    ("the_output_is_read_over_tls_and_with_sasl", over_tls),
    (
        "an_output_that_the_user_may_not_read_is_named",
        without_rights,
    ),
];

/// The arguments with which the capture of a run is the stand-in's snapshot `mine`.
fn of_snapshot(run: &ServiceRun, kafka: &Kafka, args: &[&str]) -> RunOutput {
    let capture = run.file("capture.jsonl");
    let data = capture.parent().expect("a folder").join("snapshots");
    fs::create_dir_all(&data).expect("the temporary folder is writable");
    fs::copy(&capture, data.join("mine.jsonl")).expect("the temporary folder is writable");
    let maps = run.maps();
    let more = [&maps[0], &maps[1], "-F", "none"];
    replay(kafka, &[args, &more].concat())
        .env("STANDIN_DATA", data)
        .output()
}

fn snapshot(kafka: &Kafka) {
    for (fault, code, verdict, counts) in [
        (&[][..], 0, "same", &[("equal", ORDERS)][..]),
        (
            &["--fault", "missing-record", "--every", "10"],
            1,
            "differs",
            &[("equal", ORDERS - 3), ("missing", 3)],
        ),
    ] {
        let run = ServiceRun::new(kafka);
        let service = run.service(kafka, fault);
        let output = of_snapshot(&run, kafka, &["snapshot", "mine", "--expect"]);
        service.stop();
        check(&output, code, verdict, counts);
    }
}

fn over_tls(kafka: &Kafka) {
    let run = ServiceRun::new(kafka);
    let service = run.service(kafka, &[]);
    let (brokers, flags) = alice_over_tls(kafka);
    let output = as_user(&run, &brokers, &flags);
    service.stop();
    check(&output, 0, "same", &[("equal", ORDERS)]);
}

/// Replays the capture of `run` with `--expect`, as the user of these flags.
fn as_user(run: &ServiceRun, brokers: &str, flags: &[String]) -> RunOutput {
    let capture = run.file("capture.jsonl").display().to_string();
    let maps = run.maps();
    let mut args = vec![
        "replay", &capture, &maps[0], &maps[1], "-F", "none", "-b", brokers,
    ];
    args.extend(["--report", "json", "--expect", "--expect-quiet", "1s"]);
    args.extend(flags.iter().map(String::as_str));
    Run::new(args).output()
}

fn without_rights(kafka: &Kafka) {
    let bob = bob();
    let brokers = kafka.brokers_at("SASL").expect("the listener is there");
    // He may not see the output at all: for him it does not exist.
    let run = ServiceRun::new(kafka);
    allow_writing(&kafka.brokers(), "User:bob", &run.orders);
    let output = as_user(&run, &brokers, &bob);
    assert_eq!(output.code, 3, "{output:#?}");
    let said = format!("topic `{}` does not exist on {brokers}", run.invoices);
    assert!(output.stderr.contains(&said), "{output:#?}");
    let sent = ends(&kafka.brokers(), &run.orders).expect("the broker answers");
    assert_eq!(sent, [(0, 0)]);
    // He may see it, and not read it.
    let run = ServiceRun::new(kafka);
    allow_writing(&kafka.brokers(), "User:bob", &run.orders);
    allow_describing(&kafka.brokers(), "User:bob", &run.invoices);
    let output = as_user(&run, &brokers, &bob);
    let report = report_of(&output, 3);
    let said = format!("could not read topic `{}`: ", run.invoices);
    assert!(output.stderr.contains(&said), "{output:#?}");
    assert_eq!(
        report["expected"]["verdict"],
        json!("incomplete"),
        "{report:#}"
    );
}
