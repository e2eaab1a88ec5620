//! The checks before the first record: what is wrong with the destination is reported at once and completely,
//! and nothing is sent. Rights and a real broker's topics are in `tests/real_kafka/`.

use std::fmt::Write as _;
use std::fs;

use crate::harness::report::ledger::ledger;
use crate::harness::run::{Run, RunOutput, report};
use crate::harness::verdict::readback::count;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

/// A broker with these topics and numbers of partitions.
fn mock(topics: &[(&str, i32)]) -> MockCluster<'static, DefaultProducerContext> {
    let mock = MockCluster::new(1).expect("a mock cluster");
    for (topic, partitions) in topics {
        mock.create_topic(topic, *partitions, 1).expect("a topic");
    }
    mock
}

/// Record lines, one for each `(topic, partition)`.
fn lines(records: &[(&str, Option<i32>)]) -> String {
    let mut lines = String::new();
    for (topic, partition) in records {
        let partition = partition.map_or("null".into(), |partition| partition.to_string());
        let line =
            format!(r#"{{"topic":"{topic}","partition":{partition},"key":"k","value":"v"}}"#);
        writeln!(lines, "{line}").expect("a string takes all");
    }
    lines
}

/// Sends record lines from a file; stdin would have no name.
fn send(brokers: &str, lines: &str, flags: &[&str]) -> RunOutput {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("lines"), lines).expect("the folder is writable");
    let args = ["replay", "lines", "-b", brokers, "--report", "json"];
    let args = args.iter().chain(flags).copied();
    Run::new(args).cwd(folder.path()).output()
}

/// 100 records of `orders` and then one of `ordes`, all of them without a partition.
fn last_one_is_misspelt() -> Vec<(&'static str, Option<i32>)> {
    let mut records = vec![("orders", None); 100];
    records.push(("ordes", None));
    records
}

#[test]
fn a_missing_topic_of_records_without_a_partition_is_found_before_the_first_is_sent() {
    let mock = mock(&[("orders", 3)]);
    let brokers = mock.bootstrap_servers();
    let output = send(&brokers, &lines(&last_one_is_misspelt()), &[]);
    let said = format!(
        "kreplay: topic `ordes` does not exist on {brokers} (did you mean `orders`?)\n\
         hint: create it, or let kreplay do so with `--create-topics`\n"
    );
    assert_eq!((output.code, output.stderr.as_str()), (3, said.as_str()));
    assert_eq!(ledger(&report(&output)), "101 = 101 unsent");
    assert_eq!(count(&brokers, "orders"), Ok(0));
}

#[test]
fn a_missing_topic_of_a_csv_is_found_before_the_first_record_is_sent() {
    let mock = mock(&[("orders", 3)]);
    let brokers = mock.bootstrap_servers();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let head = "kafka.response.FetchResponse.topics.0";
    let mut csv = format!("{head}.name,{head}.partitions.0.records.records.0.valueString\n");
    for (topic, _) in last_one_is_misspelt() {
        writeln!(csv, "{topic},v").expect("a string takes all");
    }
    fs::write(folder.path().join("csv"), csv).expect("the folder is writable");
    let args = ["replay", "csv", "-b", &brokers, "--report", "json"];
    let output = Run::new(args).cwd(folder.path()).output();
    assert_eq!(output.code, 3, "{output:#?}");
    assert_eq!(ledger(&report(&output)), "101 = 101 unsent");
    assert_eq!(count(&brokers, "orders"), Ok(0));
}

#[test]
fn all_missing_topics_are_named_at_once_each_with_the_nearest() {
    let mock = mock(&[("orders", 1), ("payments", 1)]);
    let brokers = mock.bootstrap_servers();
    let records = [
        ("orders", Some(0)),
        ("paymnts", Some(0)),
        ("Orders", None),
        ("shipments", Some(2)),
        ("paymnts", None),
    ];
    let output = send(&brokers, &lines(&records), &[]);
    let said = format!(
        "kreplay: 3 topics do not exist on {brokers}: `paymnts` (did you mean `payments`?), \
         `Orders` (did you mean `orders`?), `shipments`\n\
         hint: create them, or let kreplay do so with `--create-topics`; `--map FROM=TO` sends to a \
         topic of another name\n"
    );
    assert_eq!((output.code, output.stderr.as_str()), (3, said.as_str()));
    assert_eq!(count(&brokers, "orders"), Ok(0));
}

#[test]
fn a_map_that_matches_nothing_is_an_error_before_anything_is_sent() {
    let mock = mock(&[("orders", 1), ("there", 1)]);
    let brokers = mock.bootstrap_servers();
    let records = lines(&[("orders", None), ("orders", Some(0))]);
    let output = send(&brokers, &records, &["--map", "ordes=there"]);
    let said = "kreplay: `--map ordes=there` matches nothing: no topic `ordes` is captured \
                (did you mean `orders`?)\n";
    assert_eq!((output.code, output.stdout.as_str()), (2, ""));
    assert_eq!(output.stderr, said);
    assert_eq!(count(&brokers, "orders"), Ok(0));
    let output = send(&brokers, &records, &["--map", "orders=there"]);
    assert_eq!((output.code, count(&brokers, "there")), (0, Ok(2)));
}

#[test]
fn two_maps_of_one_topic_are_refused() {
    let args = ["replay", "-", "--rehearse", "--map", "a=b", "--map", "a=c"];
    let output = Run::new(args).output();
    let said = "kreplay: `--map a=b` and `--map a=c` rename the same topic\n\
                hint: each captured topic can go to one topic only\n";
    assert_eq!((output.code, output.stderr.as_str()), (2, said));
}

/// More records than are read ahead: what comes later may still match.
const MANY: usize = 120_000;

#[test]
fn in_a_source_longer_than_the_read_ahead_an_unmatched_map_is_a_problem() {
    let mut text = "{\"topic\":\"orders\",\"value\":\"v\"}\n".repeat(MANY);
    text.push_str("{\"topic\":\"late\",\"value\":\"v\"}\n");
    let flags = [
        "--map",
        "late=later",
        "--map",
        "ordes=there",
        "--rehearse",
        "--report",
        "json",
    ];
    let args = [&["replay", "-"], &flags[..]].concat();
    let output = Run::new(args).stdin(text).output();
    assert_eq!(output.code, 1, "{}", output.stderr);
    let report = report(&output);
    assert_eq!(
        ledger(&report),
        format!("{} = {} delivered", MANY + 1, MANY + 1)
    );
    let problem = &report["problems"][0];
    assert_eq!(
        (&problem["what"], &problem["count"]),
        (&"map_unmatched".into(), &1.into())
    );
    let why = "`--map ordes=there` matches nothing: no topic `ordes` is captured \
               (did you mean `orders`?)";
    assert_eq!(problem["first"]["why"], why);
    assert_eq!(report["topics"][1]["topic"], "later");
}

#[test]
fn partition_keep_names_all_missing_partitions_before_the_first_record() {
    let mock = mock(&[("orders", 2), ("payments", 1), ("there", 9)]);
    let brokers = mock.bootstrap_servers();
    let records = lines(&[
        ("orders", Some(0)),
        ("orders", Some(7)),
        ("payments", Some(1)),
        ("there", Some(8)),
        ("orders", Some(2)),
        ("orders", Some(7)),
    ]);
    let keep = ["--partition", "keep"];
    let output = send(&brokers, &records, &keep);
    let said = "kreplay: lines:2: topic `orders` has no partitions 2, 7, only 2 partitions; lines:3: \
                topic `payments` has no partition 1, only 1 partition\n\
                hint: use `--partition auto` to place such records by key\n";
    assert_eq!((output.code, output.stderr.as_str()), (3, said));
    assert_eq!(ledger(&report(&output)), "6 = 6 unsent");
    assert_eq!(count(&brokers, "orders"), Ok(0));
    // With one topic for all, there would be no other reason to check.
    let output = send(&brokers, &records, &[&keep[..], &["-t", "orders"]].concat());
    let said = "kreplay: lines:2: topic `orders` has no partitions 2, 7, 8, only 2 partitions\n";
    assert!(output.stderr.starts_with(said), "{}", output.stderr);
    assert_eq!((output.code, count(&brokers, "orders")), (3, Ok(0)));
}

/// Topics that are created have the partitions of all that goes to them.
#[test]
fn a_topic_for_several_captured_ones_is_made_with_the_partitions_of_the_largest() {
    let records = lines(&[("a", Some(0)), ("b", Some(4)), ("c", None)]);
    let args = ["replay", "-", "--rehearse", "--report", "json"];
    let flags = ["--map", "*=all", "--partition", "keep"];
    let output = Run::new([&args[..], &flags].concat())
        .stdin(records)
        .output();
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(report(&output)["topics"][0]["partitions"], 5);
}

/// What a broker answers a user without the right, like one before Apache Kafka 2.3, which does not give
/// rights beforehand; the mock is such a broker.
#[test]
fn a_topic_that_may_not_be_written_ends_the_run_at_the_first_refusal() {
    const RECORDS: usize = 200_000;
    let mock = mock(&[("orders", 1)]);
    let brokers = mock.bootstrap_servers();
    let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    mock.request_errors(RDKafkaApiKey::Produce, &[refused; 10_000]);
    let records = lines(&[("orders", Some(0))]).repeat(RECORDS);
    let output = send(&brokers, &records, &["--progress", "never"]);
    let report = report(&output);
    assert_eq!(output.code, 3, "{report:#}");
    let said = format!(
        "kreplay: the user may not write to {brokers}: the right `Write` on topic `orders` is missing\n"
    );
    assert!(output.stderr.contains(&said), "{}", output.stderr);
    let entry = |name: &str| report["ledger"][name].as_u64().unwrap_or_default();
    assert_eq!(entry("delivered"), 0);
    assert_eq!(entry("not_written") + entry("unsent"), entry("found"));
    assert!(entry("not_written") < RECORDS as u64, "{report:#}");
}

/// As a broker before Apache Kafka 2.8 answers a user without `IdempotentWrite`.
#[test]
fn a_producer_that_may_not_be_idempotent_ends_the_run_with_the_name_of_the_right() {
    let mock = mock(&[("orders", 1)]);
    let brokers = mock.bootstrap_servers();
    let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    mock.request_errors(RDKafkaApiKey::InitProducerId, &[refused; 1000]);
    let records = lines(&[("orders", Some(0))]).repeat(200_000);
    let output = send(&brokers, &records, &["--progress", "never"]);
    let report = report(&output);
    assert_eq!(output.code, 3, "{report:#}");
    let said = format!(
        "kreplay: the user may not write to {brokers}: the right `IdempotentWrite` on the cluster is \
         missing\nhint: "
    );
    assert!(output.stderr.contains(&said), "{}", output.stderr);
    assert!(
        output.stderr.contains("`--no-idempotence`"),
        "{}",
        output.stderr
    );
    let entry = |name: &str| report["ledger"][name].as_u64().unwrap_or_default();
    assert_eq!((entry("delivered"), entry("unknown")), (0, 0), "{report:#}");
    assert_eq!(count(&brokers, "orders"), Ok(0));
    let sent = send(&brokers, &lines(&[("orders", None)]), &["--no-idempotence"]);
    assert_eq!((sent.code, count(&brokers, "orders")), (0, Ok(1)));
}

/// One wrong number in a capture would create thousands of partitions. The tests of
/// `produce/routing/placement/captured.rs` cover what is accepted: a mock cluster creates no topics.
#[test]
fn more_partitions_than_the_capture_needs_are_made_only_on_request() {
    let mock = mock(&[("orders", 3)]);
    let brokers = mock.bootstrap_servers();
    let sparse: Vec<_> = [0, 1, 2, 32]
        .map(|partition| ("new", Some(partition)))
        .to_vec();
    let many: Vec<_> = (0..301).map(|partition| ("new", Some(partition))).collect();
    let up_to_32 = ["--create-topics", "--create-partitions-up-to", "32"];
    for (records, flags, partitions, what) in [
        (
            &sparse,
            &["--create-topics"][..],
            33,
            "32 and shows records of 4 partitions",
        ),
        (
            &sparse,
            &up_to_32,
            33,
            "32 and shows records of 4 partitions",
        ),
        (
            &many,
            &["--create-topics"],
            301,
            "300 and shows records of 301 partitions",
        ),
    ] {
        let output = send(&brokers, &lines(records), flags);
        let expected = format!(
            "kreplay: topic `new` would be created with {partitions} partitions: the capture names \
             partition {what}\nhint: `--create-partitions-up-to {partitions}` creates them; \
             `--partition key` does not need the captured partitions\n"
        );
        assert_eq!((output.code, output.stderr), (2, expected), "{flags:?}");
    }
}
