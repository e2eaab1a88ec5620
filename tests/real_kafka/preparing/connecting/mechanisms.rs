//! Each mechanism, with the right and a wrong secret.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use super::listeners::store;
use super::{
    PASSWORD, STORE_PASSWORD, WRONG, assert_hidden, brokers_at, flags, is_delivered, is_refused,
    sasl, send,
};
use crate::harness::capture::numbered_lines;
use crate::harness::kafka::Kafka;
use crate::harness::report::ledger::ledger;
use crate::harness::run::Run;
use crate::harness::topics::create_unique;
use crate::{KafkaTrial, report_of};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

pub(crate) const CASES: &[KafkaTrial] = &[
    ("connecting_plain_over_plaintext_right_and_wrong", plain),
    ("connecting_plain_over_tls_right_and_wrong", plain_over_tls),
    (
        "connecting_scram_sha_256_over_tls_right_and_wrong",
        scram_256,
    ),
    ("connecting_scram_sha_512_right_and_wrong", scram_512),
    (
        "connecting_tokens_of_a_command_right_and_wrong",
        token_command,
    ),
    ("connecting_tokens_of_a_file_right_and_wrong", token_file),
    (
        "connecting_unsecured_tokens_of_librdkafka_work_as_before",
        unsecured,
    ),
    ("connecting_a_token_is_renewed_before_it_expires", renewed),
    (
        "connecting_client_certificates_right_and_missing",
        client_certificate,
    ),
    (
        "connecting_a_mechanism_that_the_broker_lacks_is_named",
        mechanism,
    ),
];

fn right_and_wrong(kafka: &Kafka, listener: &str, mechanism: &str, protocol: &str) {
    let brokers = brokers_at(kafka, listener);
    is_delivered(kafka, &brokers, &sasl(mechanism, PASSWORD, protocol));
    let wrong = sasl(mechanism, WRONG, protocol);
    let why = "authentication failed: wrong user or password";
    let hint = "check `sasl.username` and `sasl.password`";
    is_refused(kafka, &brokers, &wrong, why, hint);
}

fn plain(kafka: &Kafka) {
    right_and_wrong(kafka, "SASL", "PLAIN", "SASL_PLAINTEXT");
}

fn plain_over_tls(kafka: &Kafka) {
    right_and_wrong(kafka, "SASLS", "PLAIN", "SASL_SSL");
}

fn scram_256(kafka: &Kafka) {
    right_and_wrong(kafka, "SASLS", "SCRAM-SHA-256", "SASL_SSL");
}

fn scram_512(kafka: &Kafka) {
    right_and_wrong(kafka, "SASL", "SCRAM-SHA-512", "SASL_PLAINTEXT");
}

/// An unsecured token (RFC 7519, section 6) with a lifetime of this many seconds.
fn token(subject: &str, lifetime_s: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = i64::try_from(now.expect("after 1970").as_secs()).expect("before i64 ends");
    let claims = json!({"sub": subject, "iat": now, "exp": now + lifetime_s});
    let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.", part(json!({"alg": "none"})), part(claims))
}

fn with_token(kafka: &Kafka, source: [String; 2]) -> (String, Vec<String>) {
    let authority = store("broker.pem");
    let more = flags(&[("ssl.ca.location", &authority)]);
    (brokers_at(kafka, "SASLS"), [source.to_vec(), more].concat())
}

fn token_command(kafka: &Kafka) {
    let why = "authentication failed: the broker does not accept the token";
    let hint = "";
    let command = |text: String| ["--oauth-command".to_owned(), text];
    let (brokers, right) = with_token(kafka, command(format!("echo {}", token("alice", 60))));
    is_delivered(kafka, &brokers, &right);
    let (_, wrong) = with_token(kafka, command(format!("echo {WRONG}")));
    is_refused(kafka, &brokers, &wrong, why, hint);
    let failing = format!("echo {PASSWORD}; echo 'no such account' >&2; exit 3");
    let (_, failing) = with_token(kafka, command(failing));
    let output = send(&brokers, "any", &failing);
    assert_eq!(output.code, 3, "{output:#?}");
    assert_eq!(
        output.stderr,
        "kreplay: could not get a token: the command of --oauth-command ended with exit status 3: no \
         such account\n"
    );
    assert_hidden(&output);
}

fn token_file(kafka: &Kafka) {
    let why = "authentication failed: the broker does not accept the token";
    let hint = "";
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("token");
    let flag = ["--oauth-file".to_owned(), file.display().to_string()];
    let (brokers, more) = with_token(kafka, flag);
    fs::write(&file, token("alice", 60) + "\n").expect("a token");
    is_delivered(kafka, &brokers, &more);
    fs::write(&file, WRONG).expect("a token");
    is_refused(kafka, &brokers, &more, why, hint);
}

fn unsecured(kafka: &Kafka) {
    let more = flags(&[
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", "OAUTHBEARER"),
        ("enable.sasl.oauthbearer.unsecure.jwt", "true"),
        ("sasl.oauthbearer.config", "principal=alice"),
    ]);
    is_delivered(kafka, &brokers_at(kafka, "SASL"), &more);
}

/// Counts how often the command runs while a replay waits for the rest of its input.
fn renewed(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "renewed", 1).expect("a topic");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let calls = folder.path().join("calls");
    let command = format!("echo x >> {}; echo {}", calls.display(), token("alice", 6));
    let (brokers, more) = with_token(kafka, ["--oauth-command".into(), command]);
    let args = [
        "replay", "-", "-t", &topic, "-b", &brokers, "--report", "json",
    ];
    let args = args.map(str::to_owned).into_iter().chain(more);
    let mut run = Run::new(args).stdin_open().spawn();
    run.write_stdin(numbered_lines(&topic, 0..50).as_bytes());
    let count = || fs::read_to_string(&calls).map_or(0, |text| text.lines().count());
    run.wait_until("a second token", |_| count() >= 2);
    run.write_stdin(numbered_lines(&topic, 50..100).as_bytes());
    run.close_stdin();
    let report = report_of(&run.wait(), 0);
    assert_eq!(ledger(&report), "100 = 100 delivered");
}

fn client_certificate(kafka: &Kafka) {
    let why = "the TLS handshake failed: the broker requires a client certificate that it trusts";
    let hint = "`-X ssl.keystore.location=FILE` (PKCS#12) with `ssl.keystore.password`, or `ssl.certificate.location` and `ssl.key.location`";
    let (authority, keys) = (store("broker.pem"), store("client.p12"));
    let tls = [
        ("security.protocol", "SSL"),
        ("ssl.ca.location", &authority),
    ];
    let mine = [
        ("ssl.keystore.location", keys.as_str()),
        ("ssl.keystore.password", STORE_PASSWORD),
    ];
    let brokers = brokers_at(kafka, "MTLS");
    is_delivered(kafka, &brokers, &flags(&[&tls[..], &mine].concat()));
    is_refused(kafka, &brokers, &flags(&tls), why, hint);
    is_delivered(kafka, &brokers_at(kafka, "TLS"), &flags(&tls));
}

fn mechanism(kafka: &Kafka) {
    let why = "the broker does not accept the mechanism SCRAM-SHA-1, only PLAIN, SCRAM-SHA-512, SCRAM-SHA-256, OAUTHBEARER";
    let hint = "choose one with `-X sasl.mechanism=...`";
    let other = sasl("SCRAM-SHA-1", PASSWORD, "SASL_PLAINTEXT");
    is_refused(kafka, &brokers_at(kafka, "SASL"), &other, why, hint);
}
