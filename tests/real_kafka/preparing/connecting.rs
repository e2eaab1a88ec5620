//! Connecting to anything: each mechanism with the right and a wrong secret, TLS in all its
//! misunderstandings, rights that are missing. One broker with all listeners serves all trials.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::json;

use crate::harness::capture::{number_of, numbered_lines};
use crate::harness::faults::acl::{allow, allow_describing, allow_writing};
use crate::harness::kafka::{Kafka, KafkaOptions};
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::run::{Run, RunOutput};
use crate::harness::topics::create_unique;
use crate::harness::verdict::readback::{LoggedRecord, count, read};
use crate::{KafkaTrial, report_of};

/// The property by which bob logs in.
pub(crate) const BOBS_PASSWORD: &str = "sasl.password=correct-horse-battery";
/// The secret that must appear nowhere.
const PASSWORD: &str = "correct-horse-battery";
/// Another one, which is wrong.
const WRONG: &str = "staple-staple-staple";
/// Of the key stores, which are the tests' own.
const STORE_PASSWORD: &str = "store-password";

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
    (
        "connecting_without_tls_to_a_tls_port_is_explained",
        plain_to_tls,
    ),
    (
        "connecting_with_tls_to_a_plain_port_is_explained",
        tls_to_plain,
    ),
    (
        "connecting_an_unknown_certificate_authority_is_explained",
        unknown_authority,
    ),
    (
        "connecting_without_sasl_to_a_sasl_port_is_explained",
        no_sasl,
    ),
    (
        "connecting_a_user_without_acls_gets_the_name_of_the_topic",
        no_acls,
    ),
    (
        "connecting_a_user_without_write_acl_gets_all_topics_before_the_first_record",
        no_writing,
    ),
    (
        "connecting_the_right_to_write_a_topic_is_enough",
        only_writing,
    ),
    (
        "connecting_a_group_that_the_user_may_not_see_cannot_be_waited_for",
        unseen_group,
    ),
    (
        "connecting_groups_that_the_user_may_not_see_are_not_reported_as_absent",
        hidden_groups,
    ),
    (
        "connecting_a_host_name_that_does_not_exist_is_explained",
        unknown_host,
    ),
];

/// How users log in at a listener: by each mechanism.
fn logins(listener: &str) -> Vec<(String, String)> {
    let module = "org.apache.kafka.common.security";
    let name = |rest: &str| format!("listener.name.{listener}.{rest}");
    let mechanisms = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER".to_owned();
    let mut properties = vec![
        (name("sasl.enabled.mechanisms"), mechanisms),
        (
            name("plain.sasl.jaas.config"),
            format!(
                "{module}.plain.PlainLoginModule required user_alice=\"{PASSWORD}\" \
                 user_bob=\"{PASSWORD}\";"
            ),
        ),
        (
            name("oauthbearer.sasl.jaas.config"),
            format!(
                "{module}.oauthbearer.OAuthBearerLoginModule required \
                 unsecuredLoginStringClaim_sub=\"x\";"
            ),
        ),
    ];
    for scram in ["scram-sha-256", "scram-sha-512"] {
        let module = format!("{module}.scram.ScramLoginModule required;");
        properties.push((name(&format!("{scram}.sasl.jaas.config")), module));
    }
    properties
}

/// A broker with all listeners; alice may do everything, bob nothing.
///
/// # Errors
/// That keytool makes no key stores.
pub(crate) fn options() -> Result<KafkaOptions, String> {
    let folder = stores()?;
    let file = |name: &str| folder.join(name).display().to_string();
    let mut properties: Vec<(String, String)> = [
        ("ssl.keystore.location", file("broker.p12").as_str()),
        ("ssl.keystore.password", STORE_PASSWORD),
        ("ssl.keystore.type", "PKCS12"),
        ("ssl.truststore.location", file("trusted.p12").as_str()),
        ("ssl.truststore.password", STORE_PASSWORD),
        ("ssl.truststore.type", "PKCS12"),
        ("listener.name.mtls.ssl.client.auth", "required"),
        (
            "authorizer.class.name",
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        ),
        (
            "super.users",
            "User:ANONYMOUS;User:alice;User:CN=kreplay-test",
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    properties.extend(
        ["sasl", "sasls"]
            .iter()
            .flat_map(|listener| logins(listener)),
    );
    let listeners = [
        ("SASL", "SASL_PLAINTEXT"),
        ("SASLS", "SASL_SSL"),
        ("TLS", "SSL"),
        ("MTLS", "SSL"),
    ];
    let scram = |mechanism| format!("{mechanism}=[name=alice,password={PASSWORD}]");
    let format_args = ["SCRAM-SHA-256", "SCRAM-SHA-512"].map(scram);
    let format_args = format_args
        .into_iter()
        .flat_map(|a| ["--add-scram".into(), a]);
    Ok(KafkaOptions {
        properties,
        listeners: listeners.map(|(n, p)| (n.into(), p.into())).into(),
        format_args: format_args.collect(),
        ..KafkaOptions::default()
    })
}

/// The folder of key stores, made once for all runs.
fn stores() -> Result<PathBuf, String> {
    static LOCK: Mutex<()> = Mutex::new(());
    let _one = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("key-stores-1");
    if folder.exists() {
        return Ok(folder);
    }
    let new = folder.with_extension(std::process::id().to_string());
    let failed = |e: std::io::Error| format!("cannot make {}: {e}", new.display());
    fs::create_dir_all(&new).map_err(failed)?;
    let pair = |store: &str, name: &str, more: &[&str]| {
        let mut args = vec![
            "-genkeypair",
            "-alias",
            "x",
            "-keyalg",
            "RSA",
            "-dname",
            name,
        ];
        args.extend(["-validity", "36500"]);
        args.extend(more);
        keytool(&new, store, &args)
    };
    let localhost = ["-ext", "SAN=dns:localhost,ip:127.0.0.1"];
    pair("broker.p12", "CN=localhost", &localhost)?;
    pair("client.p12", "CN=kreplay-test", &[])?;
    pair("other.p12", "CN=localhost", &localhost)?;
    for name in ["broker", "client", "other"] {
        let pem = format!("{name}.pem");
        let args = ["-exportcert", "-rfc", "-alias", "x", "-file", &pem];
        keytool(&new, &format!("{name}.p12"), &args)?;
    }
    let import = [
        "-importcert",
        "-noprompt",
        "-alias",
        "c",
        "-file",
        "client.pem",
    ];
    keytool(&new, "trusted.p12", &import)?;
    // Another process may have been faster; its stores are as good.
    if fs::rename(&new, &folder).is_err() {
        fs::remove_dir_all(&new).ok();
    }
    Ok(folder)
}

fn keytool(folder: &Path, store: &str, args: &[&str]) -> Result<(), String> {
    let store = [
        "-storetype",
        "PKCS12",
        "-keystore",
        store,
        "-storepass",
        STORE_PASSWORD,
    ];
    let output = Command::new("keytool")
        .args(args)
        .args(store)
        .current_dir(folder)
        .output()
        .map_err(|e| format!("cannot run keytool: {e}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stdout).into_owned()),
    }
}

fn store(name: &str) -> String {
    let folder = stores().expect("the broker was started with them");
    folder.join(name).display().to_string()
}

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

/// Ends with code 3 in time and one line that says `why`, and `hint`; even with everything that librdkafka
/// logs, no secret is shown.
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

fn right_and_wrong(kafka: &Kafka, listener: &str, mechanism: &str, protocol: &str) {
    let brokers = brokers_at(kafka, listener);
    is_delivered(kafka, &brokers, &sasl(mechanism, PASSWORD, protocol));
    let wrong = sasl(mechanism, WRONG, protocol);
    let why = "authentication failed: wrong user or password";
    let hint = "look at `sasl.username` and `sasl.password`";
    is_refused(kafka, &brokers, &wrong, why, hint);
}

/// A listener with TLS, and how alice, who may do everything, logs in there.
pub(crate) fn alice_over_tls(kafka: &Kafka) -> (String, Vec<String>) {
    let flags = sasl("SCRAM-SHA-256", PASSWORD, "SASL_SSL");
    (brokers_at(kafka, "SASLS"), flags)
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

fn plain_to_tls(kafka: &Kafka) {
    let why = "the broker closed the connection at once: its port seems to expect TLS";
    let hint = "`-X security.protocol=SSL`, or SASL_SSL if the cluster also asks for a user";
    is_refused(kafka, &brokers_at(kafka, "TLS"), &[], why, hint);
}

fn tls_to_plain(kafka: &Kafka) {
    let why = "the TLS handshake failed: the broker's port seems not to use TLS";
    let hint = "`-X security.protocol=PLAINTEXT`, or SASL_PLAINTEXT if the cluster asks for a user";
    let tls = flags(&[("security.protocol", "SSL")]);
    is_refused(kafka, &kafka.brokers(), &tls, why, hint);
}

fn unknown_authority(kafka: &Kafka) {
    let why = "the TLS handshake failed: the broker's certificate could not be verified";
    let hint = "name the authority's certificate with `-X ssl.ca.location=FILE`, and the host as the broker's certificate does";
    let other = store("other.pem");
    let tls = flags(&[("security.protocol", "SSL"), ("ssl.ca.location", &other)]);
    is_refused(kafka, &brokers_at(kafka, "TLS"), &tls, why, hint);
}

fn no_sasl(kafka: &Kafka) {
    let why = "the broker closed the connection at once: it may require a user";
    let hint = "`-X security.protocol=SASL_SSL` or SASL_PLAINTEXT, with `sasl.mechanism`, `sasl.username` and `sasl.password`";
    is_refused(kafka, &brokers_at(kafka, "SASL"), &[], why, hint);
}

fn no_acls(kafka: &Kafka) {
    let why = "could not look at topic `{topic}`: Broker: Topic authorization failed";
    let hint = "the user needs the rights to describe and to write it";
    let bob = flags(&[
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "bob"),
        ("sasl.password", PASSWORD),
    ]);
    is_refused(kafka, &brokers_at(kafka, "SASL"), &bob, why, hint);
}

pub(crate) fn bob() -> Vec<String> {
    flags(&[
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "bob"),
        ("sasl.password", PASSWORD),
    ])
}

fn no_writing(kafka: &Kafka) {
    let plain = kafka.brokers();
    let [seen, writable, other] = ["seen", "writable", "other"].map(|stem| {
        let topic = create_unique(&plain, stem, 1).expect("a topic");
        allow_describing(&plain, "User:bob", &topic);
        topic
    });
    allow_writing(&plain, "User:bob", &writable);
    let brokers = brokers_at(kafka, "SASL");
    let topics = [&writable, &seen, &other];
    let lines: String = topics
        .iter()
        .map(|topic| format!("{{\"topic\":\"{topic}\",\"value\":\"v\"}}\n").repeat(1000))
        .collect();
    let args = ["replay", "-", "-b", &brokers, "--report", "json"];
    let args = args.map(str::to_owned).into_iter().chain(bob());
    let output = Run::new(args).stdin(lines).output();
    let report = report_of(&output, 3);
    let said = format!(
        "kreplay: the user may not write to {brokers}: the right `Write` on topics `{seen}`, `{other}` \
         is missing\nhint: "
    );
    assert!(output.stderr.starts_with(&said), "{}", output.stderr);
    assert_eq!(entry(&report, "unsent"), 3000, "{report:#}");
    for topic in topics {
        assert_eq!(count(&plain, topic), Ok(0));
    }
    // The topic of `-t` is checked before anything is read.
    let output = send(&brokers, &seen, &bob());
    let said = format!(
        "kreplay: the user may not write to {brokers}: the right `Write` on topic `{seen}` is missing\n"
    );
    assert!(output.stderr.starts_with(&said), "{}", output.stderr);
    assert_eq!(entry(&report_of(&output, 3), "found"), 0);
}

/// Since Apache Kafka 2.8 it includes that of an idempotent producer (KIP-679).
fn only_writing(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "only-writing", 1).expect("a topic");
    allow_writing(&kafka.brokers(), "User:bob", &topic);
    let output = send(&brokers_at(kafka, "SASL"), &topic, &bob());
    assert_eq!(entry(&report_of(&output, 0), "delivered"), 100);
    assert_eq!(count(&kafka.brokers(), &topic), Ok(100));
}

fn unknown_host(kafka: &Kafka) {
    let why = "`kafka.invalid:9092` cannot be resolved: name or service not known";
    let hint = "";
    is_refused(kafka, "kafka.invalid:9092", &[], why, hint);
}

/// bob may write to the topic, but see neither the cluster nor any group.
fn unseen_group(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "unseen-group", 1).expect("a topic");
    allow_writing(&kafka.brokers(), "User:bob", &topic);
    let brokers = brokers_at(kafka, "SASL");
    let args = ["replay", "-", "-b", &brokers, "--report", "json"];
    let args = [&args[..], &["--wait-group", "billing"]].concat();
    let args = args.into_iter().map(str::to_owned).chain(bob());
    let line = format!("{{\"topic\":\"{topic}\",\"value\":\"v\"}}\n");
    let output = Run::new(args).stdin(line).output();
    let said = "kreplay: the cluster did not describe the group `billing`: Broker: Group authorization failed\n\
                hint: `--wait-group` needs the right to describe the group\n";
    assert_eq!(output.stderr, said);
    assert_eq!(entry(&report_of(&output, 3), "found"), 0);
    assert_eq!(count(&kafka.brokers(), &topic), Ok(0));
}

fn hidden_groups(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "hidden", 1).expect("a topic");
    let group = format!("{topic}-readers");
    let mut settings = ClientConfig::new();
    settings.set("bootstrap.servers", kafka.brokers());
    settings.set("group.id", &group);
    let consumer: BaseConsumer = settings.create().expect("a consumer");
    let mut offsets = TopicPartitionList::new();
    let added = offsets.add_partition_offset(&topic, 0, Offset::Offset(1));
    added.expect("a partition");
    let committed = consumer.commit(&offsets, CommitMode::Sync);
    committed.expect("an offset is committed");
    allow(&kafka.brokers(), "User:bob", &topic);

    let output = send(&kafka.brokers(), &topic, &[]);
    report_of(&output, 0);
    let seen = format!("{topic} (1 partition); read by the group {group}\n");
    assert!(output.stderr.ends_with(&seen), "{}", output.stderr);
    let bob = flags(&[
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "bob"),
        ("sasl.password", PASSWORD),
    ]);
    let output = send(&brokers_at(kafka, "SASL"), &topic, &bob);
    report_of(&output, 0);
    let unseen = format!(
        "{topic} (1 partition); no consumer group seen that reads them (this user may not see all \
         groups)\n"
    );
    assert!(output.stderr.ends_with(&unseen), "{}", output.stderr);
}
