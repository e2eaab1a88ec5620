//! Connecting to anything: each mechanism with the right and a wrong secret, TLS in all its
//! misunderstandings, rights that are missing. One broker with all listeners serves all trials.

pub(crate) mod explained;
pub(crate) mod listeners;
pub(crate) mod mechanisms;
pub(crate) mod rights;

use std::time::Duration;

use crate::harness::capture::{number_of, numbered_lines};
use crate::harness::kafka::Kafka;
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::run::{Run, RunOutput};
use crate::harness::topics::create_unique;
use crate::harness::verdict::readback::{LoggedRecord, read};
use crate::report_of;
use listeners::store;

/// The property by which bob logs in.
pub(crate) const BOBS_PASSWORD: &str = "sasl.password=correct-horse-battery";

/// The secret that must appear nowhere.
const PASSWORD: &str = "correct-horse-battery";

/// A wrong secret.
const WRONG: &str = "staple-staple-staple";

/// The password of the key stores, which the tests make.
const STORE_PASSWORD: &str = "store-password";

fn brokers_at(kafka: &Kafka, listener: &str) -> String {
    kafka.brokers_at(listener).expect("the listener is there")
}

/// `-X` for each property.
fn flags(properties: &[(&str, &str)]) -> Vec<String> {
    let flag = |(name, value): &(&str, &str)| ["-X".to_owned(), format!("{name}={value}")];
    properties.iter().flat_map(flag).collect()
}

/// Replays a hundred records into `topic` by way of a listener.
fn send(brokers: &str, topic: &str, more: &[String]) -> RunOutput {
    let args = [
        "replay", "-", "-t", topic, "-b", brokers, "--report", "json",
    ];
    let args = args.map(str::to_owned).into_iter().chain(more.to_vec());
    Run::new(args).stdin(numbered_lines(topic, 0..100)).output()
}

fn is_delivered(kafka: &Kafka, brokers: &str, more: &[String]) {
    let topic = create_unique(&kafka.brokers(), "connecting", 1).expect("a topic");
    let output = send(brokers, &topic, more);
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "100 = 100 delivered");
    let seen = read(&kafka.brokers(), &topic).expect("the topic is readable");
    let numbers: Vec<u64> = seen.iter().map(LoggedRecord::text).map(number_of).collect();
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    assert_hidden(&output);
}

/// Checks that a run ends with code 3 in time, with one line that says `why`, and with `hint`. Even everything that
/// librdkafka logs shows no secret.
fn is_refused(kafka: &Kafka, brokers: &str, more: &[String], why: &str, hint: &str) {
    let topic = create_unique(&kafka.brokers(), "connecting", 1).expect("a topic");
    let output = send(brokers, &topic, more);
    let report = report_of(&output, 3);
    assert!(output.elapsed < Duration::from_secs(10), "{output:#?}");
    assert_eq!(entry(&report, "delivered"), 0);
    let mut expected = match why.starts_with("could not") {
        true => why.replace("{topic}", &topic),
        false => format!("no broker of {brokers} could be used: {why}"),
    };
    if !hint.is_empty() {
        expected += &format!("\nhint: {hint}");
    }
    assert_eq!(
        output.stderr,
        format!("kreplay: {expected}\n"),
        "{:?}",
        output.elapsed
    );
    assert_hidden(&output);
    let loud = [more, &flags(&[("debug", "all")]), &["-v".into()]].concat();
    let output = send(brokers, &topic, &loud);
    assert_eq!(output.code, 3, "{output:#?}");
    assert!(output.stderr.contains("librdkafka: "), "{}", output.stderr);
    assert_hidden(&output);
}

fn assert_hidden(output: &RunOutput) {
    for secret in [PASSWORD, WRONG, STORE_PASSWORD] {
        let shown = [&output.stdout, &output.stderr];
        let shown = shown.iter().any(|text| text.contains(secret));
        assert!(!shown, "`{secret}` is shown: {output:#?}");
    }
}

fn sasl(mechanism: &str, password: &str, protocol: &str) -> Vec<String> {
    let authority = store("broker.pem");
    flags(&[
        ("security.protocol", protocol),
        ("sasl.mechanism", mechanism),
        ("sasl.username", "alice"),
        ("sasl.password", password),
        ("ssl.ca.location", &authority),
    ])
}

/// A listener with TLS, and how alice, who may do everything, logs in there.
pub(crate) fn alice_over_tls(kafka: &Kafka) -> (String, Vec<String>) {
    let flags = sasl("SCRAM-SHA-256", PASSWORD, "SASL_SSL");
    (brokers_at(kafka, "SASLS"), flags)
}

pub(crate) fn bob() -> Vec<String> {
    flags(&[
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "bob"),
        ("sasl.password", PASSWORD),
    ])
}
