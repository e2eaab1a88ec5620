//! Groups that read what was delivered, fast or slowly, and one that is stuck in the middle.

use super::{
    EACH, PARTITIONS, PROTOCOLS, assert_drained, committed, lines, replay_and_wait, topic,
    undrained, with_each_protocol,
};
use crate::harness::kafka::Kafka;
use crate::harness::run::service::RunningService;
use crate::harness::topics::unique;
use crate::{KafkaTrial, replay, report_of};
use serde_json::{Value, json};

pub(crate) const CASES: &[KafkaTrial] = &[
    ("a_group_that_reads_everything_is_drained", drained),
    ("a_transactional_group_is_drained", drained_by_transactions),
    ("a_service_that_comes_back_is_drained", comes_back),
    (
        "a_slow_group_is_measured_in_records_and_seconds",
        slow_and_measured,
    ),
    ("a_group_that_is_too_slow_is_still_progressing", too_slow),
    ("two_groups_are_judged_apart", two_groups),
];

/// Those that take longer.
pub(crate) const PATIENT_CASES: &[KafkaTrial] = &[
    ("a_group_that_is_stuck_names_its_partition", stuck),
    (
        "times_are_known_to_the_interval_of_the_commits",
        rare_commits,
    ),
    (
        "the_capacity_of_a_service_is_measured_by_holding_its_lag",
        capacity,
    ),
];

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
    let flags = ["--fault", "crash", "--every", "150"];
    with_each_protocol(kafka, &flags, |topic, group| {
        let found = assert_drained(kafka, topic, group);
        // The service sleeps for two seconds after its crash.
        assert!(found["drain_s"].as_f64() >= Some(1.5), "{found:#}");
    });
}

fn slow_and_measured(kafka: &Kafka) {
    // Three seconds' work.
    let flags = ["--capacity", "100", "--commit-ms", "200"];
    with_each_protocol(kafka, &flags, |topic, group| {
        let found = assert_drained(kafka, topic, group);
        let number = |name: &str| found[name].as_f64().expect(name);
        // All are sent at once, and wait for as long as the service works: less what it has done by the first look
        // at a partition and by the last one before its end.
        assert!((200.0..=300.0).contains(&number("peak_lag")), "{found:#}");
        assert!(number("peak_lag_s") >= 2.0, "{found:#}");
        assert!(number("peak_lag_s") <= number("drain_s") + 1.0, "{found:#}");
        assert!(number("drain_s") >= 2.0, "{found:#}");
        // The service is never faster than that; how much slower it is depends on the machine.
        assert!((20.0..=150.0).contains(&number("rate")), "{found:#}");
        assert!(number("commit_interval_s") >= 0.1, "{found:#}");
        assert!(
            number("resolution_s") >= number("commit_interval_s"),
            "{found:#}"
        );
    });
}

fn too_slow(kafka: &Kafka) {
    let flags = ["--capacity", "10"];
    with_each_protocol(kafka, &flags, |topic, group| {
        let (verdict, found) = undrained(kafka, topic, group, "3s");
        // It does not matter that it has not reached the other partitions.
        assert_eq!(verdict, "progressing", "{found:#}");
    });
}

fn stuck(kafka: &Kafka) {
    let flags = ["--fault", "stuck", "--partition", "1", "--every", "40"];
    with_each_protocol(kafka, &flags, |topic, group| {
        // Nothing is called stuck before ten seconds.
        let (verdict, found) = undrained(kafka, topic, group, "14s");
        assert_eq!(verdict, "stuck", "{found:#}");
        let partition = json!([{
            "topic": topic, "partition": 1, "state": "stuck", "target": EACH, "committed": 40,
        }]);
        assert_eq!(found["partitions"], partition, "{found:#}");
    });
}

/// A client with automatic commits has such an interval.
fn rare_commits(kafka: &Kafka) {
    // Work for 7.5 s, in which a commit comes and another one has still to come.
    let flags = ["--capacity", "40", "--commit-ms", "5000"];
    with_each_protocol(kafka, &flags, |topic, group| {
        let found = assert_drained(kafka, topic, group);
        let number = |name: &str| found[name].as_f64().expect(name);
        let interval = number("commit_interval_s");
        assert!((4.5..=8.0).contains(&interval), "{found:#}");
        assert!(number("resolution_s") >= interval, "{found:#}");
        // The last commit shows that all of it was read, and no record hurries that commit.
        assert!(number("drain_s") >= 4.5, "{found:#}");
    });
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
