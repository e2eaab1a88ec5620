//! Refusals: topics and brokers that are missing, records that are too large, a broker that stops answering.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use serde_json::json;

use crate::harness::capture::{GeneratedRecord, fetch, number_of, numbered, numbered_lines};
use crate::harness::kafka::Kafka;
use crate::harness::paths::standin;
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::run::Run;
use crate::harness::topics::{create, create_unique, unique};
use crate::harness::verdict::readback::{LoggedRecord, count, read};
use crate::{KafkaTrial, fixtures, path, replay, report_of};

pub(crate) const CASES: &[KafkaTrial] = &[
    (
        "a_missing_topic_is_refused_at_once_and_not_created",
        missing_topic,
    ),
    (
        "a_missing_topic_is_refused_before_anything_is_sent_to_the_others",
        one_missing_topic,
    ),
    (
        "a_record_too_large_beside_others_is_refused_alone_and_named_with_its_size",
        too_large_beside_others,
    ),
    (
        "one_record_too_large_among_ten_thousand_leaves_the_others_in_order",
        one_too_large_among_ten_thousand,
    ),
    (
        "a_record_that_only_the_broker_can_refuse_is_refused_alone",
        too_large_for_the_broker,
    ),
    (
        "a_missing_topic_of_the_topic_flag_is_refused_before_speedctl_is_started",
        missing_named_topic,
    ),
    (
        "unreachable_brokers_are_reported_in_one_line_and_speedctl_is_not_started",
        unreachable,
    ),
    (
        "a_record_too_large_for_its_topic_is_named_and_the_others_are_delivered",
        too_large,
    ),
    (
        "a_record_larger_than_a_megabyte_is_named_and_the_others_are_delivered",
        very_large,
    ),
];

/// These pause the broker, or need it to create topics by itself.
pub(crate) const ON_THE_SPARE_BROKER: &[KafkaTrial] = &[
    (
        "an_interrupted_replay_into_a_broker_that_hangs_ends_and_accounts_for_every_record",
        hanging,
    ),
    (
        "a_missing_topic_is_not_created_by_a_broker_that_would_do_so",
        missing_topic,
    ),
];

/// Names all topics of a broker without asking for any of them.
fn topics(kafka: &Kafka) -> Vec<String> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", kafka.brokers())
        .create()
        .expect("a consumer");
    let metadata = consumer.fetch_metadata(None, Duration::from_secs(10));
    let metadata = metadata.expect("the broker answers");
    let topics = metadata.topics().iter();
    topics.map(|topic| topic.name().to_owned()).collect()
}

fn missing_topic(kafka: &Kafka) {
    let prefix = unique("missing");
    let map = format!("*={prefix}-{{topic}}");
    let output = replay(kafka, &["replay", &path("demo.jsonl"), "--map", &map]).output();
    let report = report_of(&output, 3);
    assert!(output.elapsed < Duration::from_secs(5), "{output:#?}");
    assert_eq!(ledger(&report), "21 = 21 unsent");
    // The first record of the demo is one of orders.
    let brokers = kafka.brokers();
    let said = format!("kreplay: 2 topics do not exist on {brokers}: `{prefix}-orders`");
    assert!(output.stderr.starts_with(&said), "{}", output.stderr);
    let (_, rest) = output.stderr.split_at(said.len());
    assert!(
        rest.contains(&format!(", `{prefix}-payments`")),
        "{}",
        output.stderr
    );
    assert!(
        output.stderr.contains("`--create-topics`"),
        "{}",
        output.stderr
    );
    let created: Vec<String> = topics(kafka);
    let created = created.iter().find(|topic| topic.starts_with(&prefix));
    assert_eq!(created, None);
}

fn one_missing_topic(kafka: &Kafka) {
    let prefix = unique("one-missing");
    let orders = format!("{prefix}-orders");
    create(&kafka.brokers(), &orders, 3, &[]).expect("a topic");
    let map = format!("*={prefix}-{{topic}}");
    let output = replay(kafka, &["replay", &path("demo.jsonl"), "--map", &map]).output();
    let report = report_of(&output, 3);
    let said = format!("kreplay: topic `{prefix}-payments` does not exist on ");
    assert!(output.stderr.starts_with(&said), "{}", output.stderr);
    let there = count(&kafka.brokers(), &orders).expect("a count");
    assert_eq!(
        there.cast_unsigned(),
        entry(&report, "delivered"),
        "{report:#}"
    );
    assert_eq!(ledger(&report), "21 = 21 unsent");
}

fn missing_named_topic(kafka: &Kafka) {
    let topic = unique("missing-named");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let args_file = folder.path().join("args");
    let output = replay(kafka, &["snapshot", "demo", "-t", &topic])
        .env(
            "STANDIN_FAULT",
            format!("args-file={}", args_file.display()),
        )
        .output();
    let report = report_of(&output, 3);
    assert!(output.elapsed < Duration::from_secs(5), "{output:#?}");
    assert_eq!(entry(&report, "found"), 0);
    let said = format!("kreplay: topic `{topic}` does not exist on ");
    assert!(output.stderr.starts_with(&said), "{}", output.stderr);
    assert!(!args_file.exists(), "speedctl was started");
    assert!(!topics(kafka).contains(&topic));
}

fn unreachable(_: &Kafka) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let brokers = listener.local_addr().expect("its address").to_string();
    drop(listener);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pid_file = folder.path().join("pids");
    let output = Run::new(["snapshot", "demo", "-b", &brokers, "--report", "json"])
        .env("KREPLAY_SPEEDCTL", standin())
        .env("STANDIN_DATA", fixtures())
        .env("STANDIN_FAULT", format!("pid-file={}", pid_file.display()))
        .output();
    let report = report_of(&output, 3);
    assert!(output.elapsed < Duration::from_secs(10), "{output:#?}");
    let lines: Vec<&str> = output.stderr.lines().collect();
    let [reason] = lines[..] else {
        panic!("the reason is one line, not\n{}", output.stderr);
    };
    assert!(reason.starts_with("kreplay: "), "{reason}");
    assert!(
        reason.contains(&brokers) && reason.contains("refused"),
        "{reason}"
    );
    assert_eq!(entry(&report, "found"), 0);
    assert!(!pid_file.exists(), "speedctl was started");
}

/// Letters that do not compress: a broker's limit applies to the bytes that arrive.
fn noise(bytes: usize) -> String {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut letter = || {
        // xorshift64, Marsaglia 2003.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b"0123456789abcdefghijklmnopqrstuv"[(state >> 59) as usize])
    };
    (0..bytes).map(|_| letter()).collect()
}

/// A record of this many bytes is alone in partition 1; small ones are in partition 0.
fn with_a_large_record(kafka: &Kafka, topic: &str, bytes: usize) {
    let large = GeneratedRecord {
        key: None,
        value: noise(bytes),
    };
    let small = |n| fetch(topic, &[(0, n, vec![numbered(n)])]);
    let before: String = (0..20).map(small).collect();
    let after: String = (20..40).map(small).collect();
    let lines = before + &fetch(topic, &[(1, 0, vec![large])]) + &after;
    let output = replay(kafka, &["replay", "-"]).stdin(lines).output();
    let report = report_of(&output, 1);
    assert_eq!(ledger(&report), "41 = 40 delivered + 1 not_written");
    let problem = &report["problems"][0];
    assert_eq!(
        report["problems"].as_array().map(Vec::len),
        Some(1),
        "{report:#}"
    );
    assert_eq!(
        (&problem["what"], &problem["count"]),
        (&json!("not_written"), &json!(1))
    );
    let first = &problem["first"];
    assert_eq!(
        (&first["input"], &first["line"]),
        (&json!("stdin"), &json!(21)),
        "{report:#}"
    );
    let seen = read(&kafka.brokers(), topic).expect("the topic is readable");
    let numbers: Vec<u64> = seen.iter().map(|seen| number_of(seen.text())).collect();
    assert_eq!(numbers, (0..40).collect::<Vec<_>>());
}

fn too_large(kafka: &Kafka) {
    let topic = unique("small-records");
    let limit = [("max.message.bytes", "4000")];
    create(&kafka.brokers(), &topic, 2, &limit).expect("a topic");
    with_a_large_record(kafka, &topic, 6000);
}

/// In the middle of a partition, between records that would share its batch.
fn too_large_beside_others(kafka: &Kafka) {
    let topic = unique("small-records");
    let limit = [("max.message.bytes", "4000")];
    create(&kafka.brokers(), &topic, 1, &limit).expect("a topic");
    let mut records: Vec<GeneratedRecord> = (0..20).map(numbered).collect();
    records[10].value = format!(r#"{{"id":10,"noise":"{}"}}"#, noise(6000));
    let bytes = records[10].value.len() + records[10].key.as_ref().map_or(0, String::len);
    let lines = fetch(&topic, &[(0, 0, records)]);
    let output = replay(kafka, &["replay", "-"]).stdin(lines).output();
    let report = report_of(&output, 1);
    assert_eq!(ledger(&report), "20 = 19 delivered + 1 not_written");
    let why = format!(
        "topic `{topic}`: the record's {bytes} bytes do not fit into its max.message.bytes of \
         4000, captured from {topic} [0] @ 10"
    );
    assert_eq!(report["problems"][0]["first"]["why"], why, "{report:#}");
    assert_eq!(numbers(kafka, &topic), all_but(0..20, 10));
}

/// Row 9 of the faults: the limit of a topic among others with limits of their own.
fn one_too_large_among_ten_thousand(kafka: &Kafka) {
    const ALL: u64 = 10_000;
    let topic = unique("small-records");
    let limit = [("max.message.bytes", "20000")];
    create(&kafka.brokers(), &topic, 1, &limit).expect("a topic");
    let other = create_unique(&kafka.brokers(), "other-limit", 1).expect("a topic");
    let mut records: Vec<GeneratedRecord> = (0..ALL).map(numbered).collect();
    records[5000].value = format!(r#"{{"id":5000,"noise":"{}"}}"#, noise(50_000));
    let mut large = vec![numbered(0)];
    large[0].value = format!(r#"{{"id":0,"noise":"{}"}}"#, noise(50_000));
    let lines: String = records
        .chunks(100)
        .zip((0..).step_by(100))
        .map(|(records, first)| fetch(&topic, &[(0, first, records.to_vec())]))
        .chain([fetch(&other, &[(0, 0, large)])])
        .collect();
    let output = replay(kafka, &["replay", "-"]).stdin(lines).output();
    let report = report_of(&output, 1);
    assert_eq!(ledger(&report), "10001 = 10000 delivered + 1 not_written");
    assert_eq!(report["problems"][0]["first"]["line"], 51, "{report:#}");
    assert_eq!(numbers(kafka, &topic), all_but(0..ALL, 5000));
    assert_eq!(numbers(kafka, &other), [0]);
}

/// A user who raises `message.max.bytes` above the topic's limit leaves the judgement to the broker, which
/// checks what compression leaves; here it leaves too much.
fn too_large_for_the_broker(kafka: &Kafka) {
    let topic = unique("small-records");
    let limit = [("max.message.bytes", "4000")];
    create(&kafka.brokers(), &topic, 1, &limit).expect("a topic");
    let mut records: Vec<GeneratedRecord> = (0..1000).map(numbered).collect();
    records[500].value = format!(r#"{{"id":500,"noise":"{}"}}"#, noise(9000));
    records[700].value = format!(r#"{{"id":700,"noise":"{}"}}"#, "-".repeat(9000));
    let lines = fetch(&topic, &[(0, 0, records)]);
    let output = replay(kafka, &["replay", "-", "-X", "message.max.bytes=2000000"])
        .stdin(lines)
        .output();
    let report = report_of(&output, 1);
    assert_eq!(ledger(&report), "1000 = 999 delivered + 1 not_written");
    assert_eq!(numbers(kafka, &topic), all_but(0..1000, 500));
}

/// The numbers of the records in a topic of one partition, in its order.
fn numbers(kafka: &Kafka, topic: &str) -> Vec<u64> {
    let seen = read(&kafka.brokers(), topic).expect("the topic is readable");
    seen.iter().map(LoggedRecord::text).map(number_of).collect()
}

fn all_but(numbers: Range<u64>, one: u64) -> Vec<u64> {
    numbers.filter(|n| *n != one).collect()
}

fn very_large(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "large", 2).expect("a topic");
    with_a_large_record(kafka, &topic, 2 << 20);
}

/// Reads a topic of a broker that was down: its partitions have no leader until the controller has noticed
/// that it is back.
fn read_after_pause(kafka: &Kafka, topic: &str) -> Vec<LoggedRecord> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match read(&kafka.brokers(), topic) {
            Ok(seen) => return seen,
            Err(why) => assert!(Instant::now() < deadline, "{why}"),
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn hanging(kafka: &Kafka) {
    const BEFORE: u64 = 300;
    const ALL: u64 = 1000;
    let topic = create_unique(&kafka.brokers(), "hanging", 1).expect("a topic");
    let mut run = replay(kafka, &["replay", "-"]).stdin_open().spawn();
    run.write_stdin(numbered_lines(&topic, 0..BEFORE).as_bytes());
    let is_there = |n: u64| count(&kafka.brokers(), &topic) == Ok(n.cast_signed());
    run.wait_until("its first records are there", |_| is_there(BEFORE));
    // The broker's answer comes after the records can be read.
    thread::sleep(Duration::from_millis(300));
    kafka.pause().expect("the broker is there to be paused");
    run.write_stdin(numbered_lines(&topic, BEFORE..ALL).as_bytes());
    // A test cannot see when the rest is handed over: kreplay reads it within milliseconds.
    thread::sleep(Duration::from_millis(500));
    let interrupted = Instant::now();
    run.signal(Signal::SIGINT);
    run.wait_until("its report", |run| run.stdout_so_far().ends_with("}\n"));
    let waited = interrupted.elapsed();
    let output = run.wait();
    kafka.resume().expect("the broker is there to be resumed");
    let report = report_of(&output, 130);
    let limit = Duration::from_secs(9)..Duration::from_secs(17);
    assert!(limit.contains(&waited), "the report came after {waited:?}");
    ledger(&report);
    assert_eq!(report["interrupted"], true);
    assert_eq!(entry(&report, "found"), ALL);
    assert_eq!(entry(&report, "delivered"), BEFORE);
    assert_eq!(entry(&report, "unsent"), 0, "{report:#}");
    let unknown = entry(&report, "unknown");
    assert!(unknown > 0, "what was in flight may be there: {report:#}");
    let numbers: Vec<u64> = read_after_pause(kafka, &topic)
        .iter()
        .map(LoggedRecord::text)
        .map(number_of)
        .collect();
    let there = numbers.len() as u64;
    assert!(
        (BEFORE..=BEFORE + unknown).contains(&there),
        "{there} are there: {report:#}"
    );
    assert_eq!(
        numbers,
        (0..there).collect::<Vec<_>>(),
        "each once and in order"
    );
}
