//! A replay that waits for a consumer group says whether the group has read what was delivered, and otherwise
//! why not.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::harness::kafka::Kafka;
use crate::harness::run::RunOutput;
use crate::harness::run::service::RunningService;
use crate::harness::topics::{block_on, create_unique, unique};
use crate::service::share_group;
use crate::{KafkaTrial, replay, report_of};

pub(crate) const CASES: &[KafkaTrial] = &[
    ("a_group_that_reads_everything_is_drained", drained),
    ("a_transactional_group_is_drained", drained_by_transactions),
    ("a_service_that_comes_back_is_drained", comes_back),
    (
        "a_slow_group_is_measured_in_records_and_seconds",
        slow_and_measured,
    ),
    ("a_group_that_is_too_slow_is_still_progressing", too_slow),
    ("a_group_that_never_commits_is_not_drained", never_commits),
    (
        "a_group_that_commits_nothing_in_this_run_is_reported_so",
        committed_before,
    ),
    (
        "a_group_without_members_or_an_unknown_group_is_reported_so",
        nobody,
    ),
    ("an_open_transaction_blocks_a_group", blocked),
    ("records_deleted_before_they_are_read_are_named", deleted),
    ("a_share_group_is_refused", share),
    ("the_wait_for_a_group_can_be_interrupted", interrupted),
    ("two_groups_are_judged_apart", two_groups),
];

/// Those that take longer.
pub(crate) const PATIENT_CASES: &[KafkaTrial] = &[
    (
        "the_capacity_of_a_service_is_measured_by_holding_its_lag",
        capacity,
    ),
    ("a_group_that_is_stuck_names_its_partition", stuck),
    (
        "times_are_known_to_the_interval_of_the_commits",
        rare_commits,
    ),
];

/// How members of a group agree on who reads what: the second one is KIP-848.
const PROTOCOLS: [&str; 2] = ["classic", "consumer"];

/// Partitions of each topic here.
const PARTITIONS: i32 = 3;
/// Records that each run sends, evenly over the partitions.
const RECORDS: i64 = 300;
const EACH: i64 = RECORDS / PARTITIONS as i64;

fn topic(kafka: &Kafka) -> String {
    create_unique(&kafka.brokers(), "inputs", PARTITIONS).expect("a topic")
}

/// Record lines for a topic.
fn lines(topic: &str) -> String {
    let line = |n: i64| {
        let (partition, offset) = (n % i64::from(PARTITIONS), n / i64::from(PARTITIONS));
        let value = json!({ "n": n }).to_string();
        json!({
            "topic": topic, "partition": partition, "offset": offset, "key": n.to_string(), "value": value,
        })
        .to_string()
            + "\n"
    };
    (0..RECORDS).map(line).collect()
}

/// Replays [`lines`] and waits for groups.
fn replay_and_wait(kafka: &Kafka, topic: &str, groups: &[&str], limit: &str) -> RunOutput {
    let mut args = vec!["replay", "-", "-q", "--drain-timeout", limit];
    for group in groups {
        args.extend(["--wait-group", group]);
    }
    replay(kafka, &args).stdin(lines(topic)).output()
}

/// The only group of a report with this exit code, in which all records are delivered.
fn group_of(output: &RunOutput, code: i32) -> Value {
    let report = report_of(output, code);
    assert_eq!(report["ledger"]["delivered"], RECORDS);
    let groups = report["groups"].as_array().expect("a list");
    assert_eq!(groups.len(), 1, "{report:#}");
    groups[0].clone()
}

/// That a healthy service drains a run.
fn assert_drained(kafka: &Kafka, topic: &str, group: &str) -> Value {
    let found = group_of(&replay_and_wait(kafka, topic, &[group], "60s"), 0);
    assert_eq!(found["verdict"], "drained", "{found:#}");
    assert_eq!(found["partitions"], json!([]), "{found:#}");
    found
}

/// The verdict of a run that is not drained, and its partitions.
fn undrained(kafka: &Kafka, topic: &str, group: &str, limit: &str) -> (String, Value) {
    let found = group_of(&replay_and_wait(kafka, topic, &[group], limit), 1);
    assert_eq!(found["drain_s"], json!(null), "{found:#}");
    let verdict = found["verdict"].as_str().expect("a word").to_owned();
    (verdict, found)
}

fn consumer(kafka: &Kafka, group: &str) -> BaseConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", kafka.brokers())
        .set("group.id", group)
        .create()
        .expect("a consumer")
}

/// What the group has committed, by another client.
fn committed(kafka: &Kafka, topic: &str, group: &str) -> BTreeMap<i32, i64> {
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_range(topic, 0, PARTITIONS - 1);
    let offsets = consumer(kafka, group).committed_offsets(partitions, Duration::from_secs(30));
    let offsets = offsets.expect("the broker answers");
    let offsets = offsets.elements().into_iter().map(|element| {
        let offset = match element.offset() {
            Offset::Offset(offset) => offset,
            _ => -1,
        };
        (element.partition(), offset)
    });
    offsets.collect()
}

fn drained(kafka: &Kafka) {
    for protocol in PROTOCOLS {
        let (topic, group) = (topic(kafka), unique("readers"));
        let flags = ["--protocol", protocol, "--commit-ms", "300"];
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        for run in 1..=2 {
            let found = assert_drained(kafka, &topic, &group);
            assert_eq!(
                (&found["undrained"], &found["members"]),
                (&json!(0), &json!(1)),
                "{found:#}"
            );
            let target = (0..PARTITIONS)
                .map(|partition| (partition, run * EACH))
                .collect();
            assert_eq!(committed(kafka, &topic, &group), target, "{protocol} {run}");
        }
        service.stop();
    }
}

fn drained_by_transactions(kafka: &Kafka) {
    for protocol in PROTOCOLS {
        let (topic, outputs, group) = (topic(kafka), self::topic(kafka), unique("readers"));
        let flags = ["--protocol", protocol, "--transactional", "--to", &outputs];
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        assert_drained(kafka, &topic, &group);
        service.stop();
    }
}

fn comes_back(kafka: &Kafka) {
    for protocol in PROTOCOLS {
        let (topic, group) = (topic(kafka), unique("readers"));
        let flags = ["--protocol", protocol, "--fault", "crash", "--every", "150"];
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        let found = assert_drained(kafka, &topic, &group);
        // The service sleeps for two seconds after its crash.
        assert!(found["drain_s"].as_f64() >= Some(1.5), "{found:#}");
        service.stop();
    }
}

fn slow_and_measured(kafka: &Kafka) {
    for protocol in PROTOCOLS {
        let (topic, group) = (topic(kafka), unique("readers"));
        // Three seconds' work.
        let flags = [
            "--protocol",
            protocol,
            "--capacity",
            "100",
            "--commit-ms",
            "200",
        ];
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        let found = assert_drained(kafka, &topic, &group);
        let number = |name: &str| found[name].as_f64().expect(name);
        // All are sent at once, and wait for as long as the service works: less what it has done by the first look
        // at a partition and by the last one before its end.
        assert!((200.0..=300.0).contains(&number("peak_lag")), "{found:#}");
        assert!(number("peak_lag_s") >= 2.0, "{found:#}");
        assert!(number("peak_lag_s") <= number("drain_s") + 1.0, "{found:#}");
        assert!(number("drain_s") >= 2.0, "{found:#}");
        // The service is never faster than that; how much slower it is, is a matter of the machine.
        assert!((20.0..=150.0).contains(&number("rate")), "{found:#}");
        assert!(number("commit_interval_s") >= 0.1, "{found:#}");
        assert!(
            number("resolution_s") >= number("commit_interval_s"),
            "{found:#}"
        );
        service.stop();
    }
}

fn too_slow(kafka: &Kafka) {
    for protocol in PROTOCOLS {
        let (topic, group) = (topic(kafka), unique("readers"));
        let flags = ["--protocol", protocol, "--capacity", "10"];
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        let (verdict, found) = undrained(kafka, &topic, &group, "3s");
        // It does not matter that it has not reached the other partitions.
        assert_eq!(verdict, "progressing", "{found:#}");
        service.stop();
    }
}

fn never_commits(kafka: &Kafka) {
    for protocol in PROTOCOLS {
        let (topic, group) = (topic(kafka), unique("readers"));
        let flags = ["--protocol", protocol, "--fault", "never-commits"];
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        let (verdict, found) = undrained(kafka, &topic, &group, "2s");
        assert_eq!(verdict, "no_offset", "{found:#}");
        assert_eq!(found["undrained"], PARTITIONS);
        assert_eq!(found["peak_lag"], RECORDS);
        service.stop();
    }
}

fn committed_before(kafka: &Kafka) {
    for protocol in PROTOCOLS {
        let (topic, group) = (topic(kafka), unique("readers"));
        let flags = ["--protocol", protocol];
        let healthy = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        assert_drained(kafka, &topic, &group);
        healthy.stop();
        let fault = ["--fault", "stuck", "--partition", "1", "--every", "0"];
        let flags = [&flags[..], &fault].concat();
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        let (verdict, found) = undrained(kafka, &topic, &group, "3s");
        assert_eq!(verdict, "committed_before", "{found:#}");
        let partition = json!([{
            "topic": topic, "partition": 1, "state": "committed_before", "target": 2 * EACH,
            "committed": EACH,
        }]);
        assert_eq!(found["partitions"], partition, "{found:#}");
        service.stop();
    }
}

fn stuck(kafka: &Kafka) {
    for protocol in PROTOCOLS {
        let (topic, group) = (topic(kafka), unique("readers"));
        let fault = ["--fault", "stuck", "--partition", "1", "--every", "40"];
        let flags = [&["--protocol", protocol][..], &fault].concat();
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        // Nothing is called stuck before ten seconds.
        let (verdict, found) = undrained(kafka, &topic, &group, "14s");
        assert_eq!(verdict, "stuck", "{found:#}");
        let partition = json!([{
            "topic": topic, "partition": 1, "state": "stuck", "target": EACH, "committed": 40,
        }]);
        assert_eq!(found["partitions"], partition, "{found:#}");
        service.stop();
    }
}

/// A client with automatic commits has such an interval.
fn rare_commits(kafka: &Kafka) {
    for protocol in PROTOCOLS {
        let (topic, group) = (topic(kafka), unique("readers"));
        // Work for 7.5 s, in which a commit comes and another one has still to come.
        let flags = [
            "--protocol",
            protocol,
            "--capacity",
            "40",
            "--commit-ms",
            "5000",
        ];
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        let found = assert_drained(kafka, &topic, &group);
        let number = |name: &str| found[name].as_f64().expect(name);
        let interval = number("commit_interval_s");
        assert!((4.5..=8.0).contains(&interval), "{found:#}");
        assert!(number("resolution_s") >= interval, "{found:#}");
        // That all of it was read is seen by the last commit, which no record hurries.
        assert!(number("drain_s") >= 4.5, "{found:#}");
        service.stop();
    }
}

fn nobody(kafka: &Kafka) {
    for protocol in PROTOCOLS {
        let (topic, group) = (topic(kafka), unique("readers"));
        let (verdict, found) = undrained(kafka, &topic, &group, "1s");
        assert_eq!(verdict, "no_such_group", "{found:#}");
        let flags = ["--protocol", protocol];
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        assert_drained(kafka, &topic, &group);
        service.stop();
        let (verdict, found) = undrained(kafka, &topic, &group, "1s");
        assert_eq!(verdict, "no_members", "{protocol} {found:#}");
        // A service that comes later may still read everything.
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        assert_drained(kafka, &topic, &group);
        service.stop();
    }
    // kreplay proposes the name of an existing group for one that does not exist.
    let (topic, group) = (topic(kafka), unique("misspelt-readers"));
    let service = RunningService::start(&kafka.brokers(), &group, &topic, &[]);
    let wrong = group.replace("misspelt", "mispelt");
    let args = [
        "replay",
        "-",
        "--wait-group",
        &wrong,
        "--drain-timeout",
        "0s",
    ];
    let output = replay(kafka, &args).stdin(lines(&topic)).output();
    let note = format!("there is no consumer group `{wrong}` yet; `{group}` is there\n");
    assert!(output.stderr.contains(&note), "{output:#?}");
    service.stop();
}

fn blocked(kafka: &Kafka) {
    let (topic, group) = (topic(kafka), unique("readers"));
    let service = RunningService::start(&kafka.brokers(), &group, &topic, &[]);
    assert_drained(kafka, &topic, &group);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", kafka.brokers())
        .set("transactional.id", unique("open"))
        .create()
        .expect("a producer");
    let limit = Duration::from_secs(30);
    producer
        .init_transactions(limit)
        .expect("the broker answers");
    producer.begin_transaction().expect("a transaction begins");
    let record = BaseRecord::<str, str>::to(&topic)
        .partition(2)
        .payload("open");
    assert!(producer.send(record).is_ok());
    producer.flush(limit).expect("it is written");
    let (verdict, found) = undrained(kafka, &topic, &group, "3s");
    assert_eq!(verdict, "blocked", "{found:#}");
    // The open record is between both runs.
    let partition = json!([{
        "topic": topic, "partition": 2, "state": "blocked", "target": 2 * EACH + 1, "committed": EACH,
    }]);
    assert_eq!(found["partitions"], partition, "{found:#}");
    producer
        .abort_transaction(limit)
        .expect("the broker answers");
    service.stop();
}

fn deleted(kafka: &Kafka) {
    let (topic, group) = (topic(kafka), unique("readers"));
    // A group that has read the beginning and has gone.
    let mut offsets = TopicPartitionList::new();
    let added = offsets.add_partition_offset(&topic, 1, Offset::Offset(0));
    added.expect("it is an offset");
    let commit = consumer(kafka, &group).commit(&offsets, CommitMode::Sync);
    commit.expect("the broker answers");
    let args = [
        "replay",
        "-",
        "--wait-group",
        &group,
        "--drain-timeout",
        "4s",
    ];
    let args = [&args[..], &["--progress", "never"]].concat();
    let mut running = replay(kafka, &args).stdin(lines(&topic)).spawn();
    running.wait_until("the run waits for the group", |running| {
        running.stderr_so_far().contains("waiting for the group")
    });
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", kafka.brokers())
        .create()
        .expect("a client");
    let mut before = TopicPartitionList::new();
    let added = before.add_partition_offset(&topic, 1, Offset::Offset(EACH / 2));
    added.expect("it is an offset");
    let deletion = admin.delete_records(&before, &AdminOptions::new());
    block_on(deletion).expect("a runtime").expect("it is done");
    let found = group_of(&running.wait(), 1);
    assert_eq!(found["verdict"], "deleted", "{found:#}");
    let states = found["partitions"].as_array().expect("a list").iter();
    let states: Vec<_> = states.map(|partition| &partition["state"]).collect();
    assert_eq!(states, ["no_offset", "deleted", "no_offset"], "{found:#}");
}

fn share(kafka: &Kafka) {
    let (topic, group) = (topic(kafka), unique("sharers"));
    share_group::join(&kafka.brokers(), &group, &topic);
    let output = replay_and_wait(kafka, &topic, &[&group], "5s");
    let said = format!(
        "kreplay: `{group}` is not a consumer group but another kind of group, such as a share group\n\
         hint: give `--wait-group` a group that commits offsets\n"
    );
    assert!(output.stderr.ends_with(&said), "{output:#?}");
    let report = report_of(&output, 3);
    assert_eq!(report["ledger"]["found"], 0, "{report:#}");
}

fn interrupted(kafka: &Kafka) {
    let (topic, group) = (topic(kafka), unique("readers"));
    let flags = ["--fault", "never-commits"];
    let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
    let args = [
        "replay",
        "-",
        "--progress",
        "never",
        "--wait-group",
        &group,
        "--drain-timeout",
        "1h",
    ];
    let mut running = replay(kafka, &args).stdin(lines(&topic)).spawn();
    running.wait_until("the run waits for the group", |running| {
        running.stderr_so_far().contains("waiting for the group")
    });
    running.signal(nix::sys::signal::Signal::SIGINT);
    let found = group_of(&running.wait(), 130);
    assert_ne!(found["verdict"], "drained", "{found:#}");
    service.stop();
}

fn two_groups(kafka: &Kafka) {
    let (topic, [good, bad]) = (topic(kafka), ["good", "bad"].map(unique));
    let healthy = RunningService::start(&kafka.brokers(), &good, &topic, &[]);
    let fault = ["--fault", "never-commits"];
    let silent = RunningService::start(&kafka.brokers(), &bad, &topic, &fault);
    let output = replay_and_wait(kafka, &topic, &[&good, &bad, &good], "3s");
    let report = report_of(&output, 1);
    let groups = report["groups"].as_array().expect("a list").iter();
    let verdicts: Vec<_> = groups
        .map(|group| (group["group"].clone(), group["verdict"].clone()))
        .collect();
    let expected = [
        (json!(good), json!("drained")),
        (json!(bad), json!("no_offset")),
    ];
    assert_eq!(verdicts, expected);
    healthy.stop();
    silent.stop();
}

/// Replays [`lines`] again and again for some seconds, with a lag of 200; returns the capacity in the report.
fn hold_lag(kafka: &Kafka, topic: &str, group: &str, more: &[&str]) -> Value {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let file = folder.path().join("lines.jsonl");
    std::fs::write(&file, lines(topic)).expect("the folder is writable");
    let file = file.display().to_string();
    let args = ["replay", &file, "-q", "--loop", "--for", "20s"];
    let args = [
        &args[..],
        &["--wait-group", group, "--max-lag", "200"],
        more,
    ]
    .concat();
    let report = report_of(&replay(kafka, &args).output(), 0);
    assert_eq!(report["groups"][0]["verdict"], "drained", "{report:#}");
    let series = report["series"].as_array().expect("a list");
    assert!(series.len() > 10, "{report:#}");
    // The lag is held, once it is there: without that it would be thousands.
    let late = series.iter().skip(series.len() / 2);
    let most = late.filter_map(|point| point["lag"].as_u64()).max();
    assert!(most < Some(800), "{report:#}");
    report["capacity"].clone()
}

fn capacity(kafka: &Kafka) {
    for protocol in PROTOCOLS {
        let (topic, group) = (topic(kafka), unique("readers"));
        let flags = ["--protocol", protocol, "--capacity", "100"];
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        let found = hold_lag(kafka, &topic, &group, &[]);
        assert_eq!(found["bounded_by"], "service", "{found:#}");
        // It is never faster; how much slower it is depends on the machine. bench/capacity.sh measures that.
        let rate = found["rate"].as_f64().expect("it was steady");
        assert!((50.0..=110.0).contains(&rate), "{found:#}");
        // The last third of the time tries 0.95 of it. Whether a busy machine lets the service sustain that
        // does not matter here: unit tests cover services that can and that cannot.
        let confirmation = &found["confirmation"];
        let tried = confirmation["rate"]
            .as_f64()
            .expect("there was time for it");
        assert!((tried / (0.95 * rate) - 1.0).abs() < 0.01, "{found:#}");
        assert!(confirmation["time_s"].as_f64() >= Some(2.5), "{found:#}");
        // Less than it can do shows nothing about what it can do.
        let found = hold_lag(kafka, &topic, &group, &["--rate", "30"]);
        assert_eq!(found["bounded_by"], "timing", "{found:#}");
        assert_eq!(found["confirmation"], json!(null), "{found:#}");
        let rate = found["rate"].as_f64().expect("it was steady");
        assert!((20.0..=35.0).contains(&rate), "{found:#}");
        service.stop();
    }
}
