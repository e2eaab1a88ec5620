//! Topics that a capture knows only by their ids: `--topic-id`, and the list of ids without a name. All commands
//! and kinds of source keep one promise: a topic under two identities is replayed once, or named.

use std::fs;
use std::path::Path;

use crate::harness::report::ledger::ledger;
use crate::harness::run::{Run, RunOutput, report};
use crate::harness::verdict::readback::read;
use rdkafka::mocking::MockCluster;
use serde_json::{Value, json};
use tempfile::TempDir;

/// One id as Kafka's tools print it, as a UUID and as a capture has it, by Python's `uuid` and `base64`.
const ID: &str = "F6sC8x-GQPaI5g9Nn7Nhwg";
const UUID: &str = "17ab02f3-1f86-40f6-88e6-0f4d9fb361c2";
const IN_CAPTURES: &str = "F6sC8x+GQPaI5g9Nn7Nhwg==";
const OTHER: &str = "4jfhP0BF2SmV6Nl7qrdn9Q";

/// What a batch of `fetch` holds: its partition, base offset, checksum and number of records. Each value
/// is `partition:offset`.
type CapturedBatch = (i32, i64, Option<u32>, i64);

/// A line with one Fetch of the topic that `topic` identifies.
fn fetch(topic: &Value, batches: &[CapturedBatch]) -> String {
    let batch = |(partition, base, crc, records): &CapturedBatch| {
        let record = |n: i64| {
            let value = format!("{partition}:{}", base + n);
            json!({ "offsetDelta": n, "valueString": value })
        };
        let records: Vec<Value> = (0..*records).map(record).collect();
        let mut batch = json!({ "baseOffset": base.to_string(), "records": records });
        if let Some(crc) = crc {
            batch["crc32"] = (*crc).into();
        }
        json!({ "partitionIndex": partition, "records": batch })
    };
    let partitions: Vec<Value> = batches.iter().map(batch).collect();
    let mut topic = topic.clone();
    topic["partitions"] = partitions.into();
    let rrpair = json!({
        "msgType": "rrpair", "command": "Fetch", "l7protocol": "kafka",
        "kafka": { "response": { "FetchResponse": { "topics": [topic] } } },
    });
    format!("{rrpair}\n")
}

fn named(name: &str) -> Value {
    json!({ "name": name })
}

fn by_id(id: &str) -> Value {
    json!({ "topicId": id })
}

/// A capture in a folder of its own, which is the current one of its runs.
struct CaptureFolder(TempDir);

impl CaptureFolder {
    fn of(lines: &[String]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("capture"), lines.concat()).expect("the folder is writable");
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn run(&self, args: &[&str]) -> RunOutput {
        Run::new(args.iter().copied()).cwd(self.0.path()).output()
    }

    fn rehearse(&self, args: &[&str], code: i32) -> Value {
        let output = self.run(&[args, &["--rehearse", "--report", "json"]].concat());
        assert_eq!(output.code, code, "{output:#?}");
        report(&output)
    }
}

/// `orders` under its name and, for the same batches, under its id; a part of each is only under one of them.
fn two_identities() -> CaptureFolder {
    CaptureFolder::of(&[
        fetch(
            &named("orders"),
            &[(0, 0, Some(11), 3), (1, 0, Some(12), 2)],
        ),
        fetch(
            &by_id(IN_CAPTURES),
            &[(1, 0, Some(12), 2), (0, 3, Some(13), 4)],
        ),
        fetch(&named("payments"), &[(0, 0, Some(99), 5)]),
    ])
}

/// The values of a mock's topic, by partition.
fn values(brokers: &str, topic: &str) -> Vec<String> {
    let seen = read(brokers, topic).expect("the topic is readable");
    seen.iter()
        .map(|seen| format!("{}/{}", seen.partition, seen.text()))
        .collect()
}

#[test]
fn a_topic_under_a_name_and_an_id_is_sent_once_and_in_order() {
    for id in [ID, UUID, IN_CAPTURES] {
        let mock = MockCluster::new(1).expect("a mock cluster");
        for topic in ["there", "payments"] {
            mock.create_topic(topic, 2, 1).expect("a topic");
        }
        let capture = two_identities();
        let given = format!("{id}=orders");
        let brokers = mock.bootstrap_servers();
        let args = ["replay", "capture", "-b", &brokers, "--report", "json"];
        // --map sees the name.
        let flags = ["--topic-id", &given, "--map", "orders=there"];
        let output = capture.run(&[&args[..], &flags].concat());
        assert_eq!(output.code, 0, "{output:#?}");
        let report = report(&output);
        // 3 + 2 + 2 + 4 + 5 records were captured, 2 of them twice.
        assert_eq!(ledger(&report), "16 = 2 duplicates + 14 delivered", "{id}");
        assert_eq!(report["unresolved_topic_ids"], json!([]));
        let mut there = values(&brokers, "there");
        there.sort_by_key(|value| value.starts_with("1/"));
        let expected = [
            "0/0:0", "0/0:1", "0/0:2", "0/0:3", "0/0:4", "0/0:5", "0/0:6", "1/1:0", "1/1:1",
        ];
        assert_eq!(there, expected, "{id}");
    }
}

#[test]
fn extract_and_inspect_use_the_name_of_a_topic_id_flag() {
    let capture = two_identities();
    let given = format!("{UUID}=orders");
    let output = capture.run(&["extract", "-q", "capture", "--topic-id", &given]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let lines = output.stdout.lines();
    let topics: Vec<Value> = lines
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["topic"].clone())
        .collect();
    let of = |name: &str| topics.iter().filter(|topic| *topic == name).count();
    assert_eq!((topics.len(), of("orders"), of("payments")), (14, 9, 5));
    let args = [
        "inspect",
        "capture",
        "--report",
        "json",
        "--topic-id",
        &given,
    ];
    let inspection = report(&capture.run(&args));
    assert_eq!(inspection["topics"][0]["topic"], "orders");
    assert_eq!(inspection["topics"][0]["records"], 9);
    assert_eq!(inspection["unresolved_topic_ids"], json!([]));
}

#[test]
fn record_lines_and_a_csv_use_the_name_of_a_topic_id_flag() {
    let capture = two_identities();
    let lines = capture.run(&["extract", "-q", "capture"]).stdout;
    fs::write(capture.path("lines"), &lines).expect("the folder is writable");
    let given = format!("{ID}=orders");
    let report = capture.rehearse(&["replay", "lines", "--topic-id", &given], 0);
    // kreplay looks for no copies in record lines.
    assert_eq!(ledger(&report), "16 = 16 delivered");
    assert_eq!(report["topics"][0]["delivered"], 11);

    let head = "kafka.response.FetchResponse.topics.0";
    let csv = format!(
        "{head}.topicId,{head}.name,{head}.partitions.0.partitionIndex,\
         {head}.partitions.0.records.baseOffset,{head}.partitions.0.records.records.0.valueString\n\
         {IN_CAPTURES},,0,7,a\n,orders,0,7,a\n,orders,0,8,b\n"
    );
    fs::write(capture.path("csv"), csv).expect("the folder is writable");
    let report = capture.rehearse(&["replay", "csv", "--topic-id", &given], 0);
    assert_eq!(ledger(&report), "3 = 1 duplicates + 2 delivered");
    let report = capture.rehearse(&["replay", "csv"], 1);
    assert_eq!(ledger(&report), "3 = 1 unreadable + 2 delivered");
    let unresolved = &report["unresolved_topic_ids"];
    assert_eq!(unresolved[0]["topic_id"], ID);
    assert_eq!(unresolved[0]["records"], 1);
}

#[test]
fn a_topic_id_flag_overrides_the_captured_name() {
    let metadata = json!({
        "msgType": "rrpair", "command": "Metadata", "l7protocol": "kafka",
        "kafka": { "response": { "MetadataResponse": {
            "topics": [{ "name": "old-name", "topicId": IN_CAPTURES }],
        } } },
    });
    let fetched = fetch(&by_id(IN_CAPTURES), &[(0, 0, Some(1), 2)]);
    let capture = CaptureFolder::of(&[format!("{metadata}\n"), fetched]);
    let report = capture.rehearse(&["replay", "capture"], 0);
    assert_eq!(report["topics"][0]["topic"], "old-name");
    let given = format!("{ID}=orders");
    let report = capture.rehearse(&["replay", "capture", "--topic-id", &given], 0);
    assert_eq!(report["topics"][0]["topic"], "orders");
}

/// What the list says for the two ids of `unnamed`, the one with more records first.
fn unnamed() -> (CaptureFolder, Value) {
    let capture = CaptureFolder::of(&[
        fetch(&by_id(OTHER), &[(0, 0, Some(7), 2)]),
        fetch(&by_id(ID), &[(1, 0, Some(12), 2), (0, 3, Some(13), 4)]),
        fetch(
            &named("orders"),
            &[(0, 0, Some(11), 3), (1, 0, Some(12), 2)],
        ),
        // The same place and another checksum: another topic.
        fetch(
            &named("payments"),
            &[(0, 0, Some(8), 3), (0, 3, Some(14), 4)],
        ),
    ]);
    let list = json!([
        { "topic_id": ID, "records": 6, "occurs_as": "orders" },
        { "topic_id": OTHER, "records": 2, "occurs_as": null },
    ]);
    (capture, list)
}

#[test]
fn all_unresolved_ids_are_listed_with_the_topic_of_the_same_batches() {
    let (capture, list) = unnamed();
    let report_of_replay = capture.rehearse(&["replay", "capture"], 1);
    assert_eq!(report_of_replay["unresolved_topic_ids"], list);
    assert_eq!(
        ledger(&report_of_replay),
        "20 = 8 unreadable + 12 delivered"
    );
    let inspection = report(&capture.run(&["inspect", "capture", "--report", "json"]));
    assert_eq!(inspection["unresolved_topic_ids"], list);
    let text = format!(
        "unnamed    nothing in the capture names 2 topic ids\n           \
         --topic-id {ID}=orders   6 records; the same batches occur as orders\n           \
         --topic-id {OTHER}=NAME     2 records\n"
    );
    for args in [
        &["replay", "capture", "--rehearse"][..],
        &["inspect", "capture"],
    ] {
        let output = capture.run(args);
        assert!(output.stdout.contains(&text), "{}", output.stdout);
    }
    let extracted = capture.run(&["extract", "capture"]);
    assert!(extracted.stderr.contains(&text), "{}", extracted.stderr);
    // From stdin, too, where records wait for a name.
    let stdin = fs::read(capture.path("capture")).expect("it was written");
    let output = Run::new(["replay", "-", "--rehearse"])
        .stdin(stdin)
        .output();
    assert!(output.stdout.contains(&text), "{}", output.stdout);
    // The user can copy what the list says.
    let flag = format!("{ID}=orders");
    let other = format!("{OTHER}=refunds");
    let args = [
        "replay",
        "capture",
        "--topic-id",
        &flag,
        "--topic-id",
        &other,
    ];
    let report = capture.rehearse(&args, 0);
    assert_eq!(ledger(&report), "20 = 2 duplicates + 18 delivered");
}

#[test]
fn without_batch_checksums_ids_are_matched_by_records() {
    let capture = CaptureFolder::of(&[
        fetch(&named("orders"), &[(0, 5, None, 2)]),
        fetch(&by_id(ID), &[(0, 5, None, 2)]),
        fetch(&named("payments"), &[(1, 5, None, 2)]),
    ]);
    let report = capture.rehearse(&["replay", "capture"], 1);
    assert_eq!(report["unresolved_topic_ids"][0]["occurs_as"], "orders");
    let lines = capture.run(&["extract", "-q", "capture"]).stdout;
    fs::write(capture.path("lines"), lines).expect("the folder is writable");
    let report = capture.rehearse(&["replay", "lines"], 1);
    assert_eq!(report["unresolved_topic_ids"][0]["occurs_as"], "orders");
}

#[test]
fn an_id_that_occurs_nowhere_ends_the_run_before_anything_is_sent() {
    let mock = MockCluster::new(1).expect("a mock cluster");
    for topic in ["orders", "payments"] {
        mock.create_topic(topic, 2, 1).expect("a topic");
    }
    let (capture, brokers) = (two_identities(), mock.bootstrap_servers());
    let (right, wrong) = (format!("{ID}=orders"), format!("{OTHER}=refunds"));
    let flags = ["--topic-id", &right, "--topic-id", &wrong];
    let args = ["replay", "capture", "-b", &brokers];
    let output = capture.run(&[&args[..], &flags].concat());
    let said = format!(
        "kreplay: `--topic-id {OTHER}=refunds` matches nothing: no topic has this id, only {ID}\nhint: "
    );
    assert!(output.stderr.starts_with(&said), "{}", output.stderr);
    assert_eq!((output.code, output.stdout.as_str()), (2, ""));
    assert_eq!(values(&brokers, "payments"), [""; 0]);
    // A user who only inspects learns it as well.
    let extracted = capture.run(&[&["extract", "-q", "capture"], &flags[..]].concat());
    assert_eq!((extracted.code, extracted.stdout.lines().count()), (1, 14));
    let said = format!("`--topic-id {OTHER}=refunds` matches nothing");
    assert!(extracted.stderr.contains(&said), "{}", extracted.stderr);
}

#[test]
fn an_invalid_topic_id_or_name_is_a_usage_error() {
    let capture = two_identities();
    let refused = |flags: &[&str], why: &str| {
        let args = ["replay", "capture", "--rehearse"];
        let output = capture.run(&[&args[..], flags].concat());
        assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{flags:?}");
        assert!(output.stderr.contains(why), "{flags:?}: {}", output.stderr);
    };
    refused(
        &["--topic-id", "orders=orders"],
        "`orders` is not a topic id",
    );
    refused(&["--topic-id", "orders"], "expected `ID=NAME`");
    let illegal = format!("{ID}=a b");
    refused(&["--topic-id", &illegal], "a topic's name has only");
    let (first, second) = (format!("{ID}=a"), format!("{UUID}=b"));
    let said = format!("`--topic-id` gives `{ID}` two names: `a` and `b`");
    refused(&["--topic-id", &first, "--topic-id", &second], &said);
}

/// `--map` takes captured names: with an id, it would send the topic a second time.
#[test]
fn a_map_of_an_id_is_refused_with_the_flag_that_names_it() {
    let capture = two_identities();
    let map = format!("{ID}=orders");
    let output = capture.run(&["replay", "capture", "--rehearse", "--map", &map]);
    assert_eq!((output.code, output.stdout.as_str()), (2, ""));
    let said = format!(
        "kreplay: `--map {ID}=orders` matches nothing: `{ID}` is the id of a topic\n\
         hint: `--topic-id {ID}=NAME` says what the topic is called\n"
    );
    assert_eq!(output.stderr, said);
}

/// The numbers of records depend on which of them are copies.
#[test]
fn topic_id_flags_are_part_of_the_journals_identity() {
    let mock = MockCluster::new(1).expect("a mock cluster");
    for topic in ["orders", "payments"] {
        mock.create_topic(topic, 2, 1).expect("a topic");
    }
    let (capture, brokers) = (two_identities(), mock.bootstrap_servers());
    let args = [
        "replay", "capture", "-b", &brokers, "--resume", "journal", "--report", "json",
    ];
    let run = |given: &[&str]| capture.run(&[&args[..], given].concat());
    let (base64, uuid) = (format!("{ID}=orders"), format!("{UUID}=orders"));
    assert_eq!(run(&["--topic-id", &base64]).code, 0);
    let other = run(&[]);
    assert_eq!(other.code, 2, "{other:#?}");
    assert!(other.stderr.contains("topic_ids"), "{}", other.stderr);
    let again = run(&["--topic-id", &uuid]);
    assert_eq!(again.code, 0, "{again:#?}");
    assert_eq!(report(&again)["resume"]["skipped"], 14);
    assert!(Path::new(&capture.path("journal")).exists());
}
