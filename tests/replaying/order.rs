//! The order of what is sent: per captured partition by rising offset, as far as the window allows.
//!
//! The fixtures are too small to be out of order, so these tests make their own captures; `tests/real_kafka/` has
//! captures of several groups.

use std::fmt::Write as _;
use std::fs;

use crate::harness::run::{Run, RunOutput, report};
use crate::harness::verdict::readback::{LoggedRecord, read};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use serde_json::json;

const TOPIC: &str = "orders";

fn mock(partitions: i32) -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    let created = cluster.create_topic(TOPIC, partitions, 1);
    created.expect("a topic");
    cluster
}

/// Record lines of these partitions and offsets, with the offset as value.
fn lines(places: impl IntoIterator<Item = (i32, u64)>) -> String {
    let mut lines = String::new();
    for (partition, offset) in places {
        writeln!(
            lines,
            r#"{{"topic":"{TOPIC}","partition":{partition},"offset":{offset},"value":"{offset}"}}"#
        )
        .expect("writing to a string cannot fail");
    }
    lines
}

/// RRPairs, one for each of these runs of offsets in partition 0.
fn fetches(runs: &[&[u64]]) -> String {
    let mut lines = String::new();
    for offsets in runs {
        let records: Vec<String> = offsets
            .iter()
            .map(|offset| format!(r#"{{"offsetDelta":{offset},"valueString":"{offset}"}}"#))
            .collect();
        let response = format!(
            r#"{{"topics":[{{"name":"{TOPIC}","partitions":[{{"records":{{"records":[{}]}}}}]}}]}}"#,
            records.join(",")
        );
        writeln!(
            lines,
            r#"{{"msgType":"rrpair","command":"Fetch","kafka":{{"response":{{"FetchResponse":{response}}}}}}}"#
        )
        .expect("writing to a string cannot fail");
    }
    lines
}

fn replay(brokers: &str, more: &[&str], input: String) -> RunOutput {
    let args = ["replay", "-", "-b", brokers, "--report", "json"];
    let args = args.iter().chain(more).map(|arg| (*arg).to_owned());
    Run::new(args).stdin(input).output()
}

/// The values in the log of one partition.
fn log(brokers: &str, partition: i32) -> Vec<u64> {
    let seen = read(brokers, TOPIC).expect("the topic is readable");
    let seen = seen.iter().filter(|seen| seen.partition == partition);
    seen.map(LoggedRecord::text)
        .map(|text| text.parse().expect("a number"))
        .collect()
}

#[test]
fn overlapping_neighbours_are_put_in_order() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let input = fetches(&[&[4, 5, 6], &[1, 2, 3, 4], &[0], &[9, 7], &[8]]);
    let output = replay(&brokers, &[], input);
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(report(&output)["problems"], json!([]));
    assert_eq!(log(&brokers, 0), (0..10).collect::<Vec<_>>());
}

#[test]
fn kept_duplicates_stay_where_they_were_captured() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let input = fetches(&[&[4, 5], &[1, 2, 4], &[3]]);
    let output = replay(&brokers, &["--keep-duplicates"], input);
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(log(&brokers, 0), [4, 5, 1, 2, 4, 3]);
}

#[test]
fn records_too_late_for_their_order_are_sent_counted_and_named_and_fail_the_run_unless_allowed() {
    const MANY: u64 = 50_000;
    let mock = mock(2);
    let brokers = mock.bootstrap_servers();
    let first = [(0, 7), (0, 8)];
    let between = (0..MANY).map(|offset| (1, offset));
    let late = [(0, 5), (0, 6), (0, 9)];
    let input = lines(first.into_iter().chain(between).chain(late));
    let output = replay(&brokers, &[], input.clone());
    assert_eq!(output.code, 1, "{output:#?}");
    let report = report(&output);
    assert_eq!(report["ledger"]["delivered"], MANY + 5);
    let problem = json!([{
        "what": "out_of_order",
        "count": 2,
        "first": {
            "input": "stdin",
            "line": MANY + 3,
            "why": "orders [0] @ 5 arrived after offset 8 had been sent",
        },
    }]);
    assert_eq!(report["problems"], problem);
    assert_eq!(log(&brokers, 0), [7, 8, 5, 6, 9]);
    let rehearsal = Run::new(["replay", "-", "--rehearse"])
        .stdin(input.clone())
        .output();
    let said = "problem    out of order: 2, first stdin:50003: orders [0] @ 5 arrived after offset 8 had been sent\n\
                \x20          hint: consumers that read different parts of a topic overlap: select one with \
                `--filter`, or accept the order with `--allow-reordered`\n";
    assert!(rehearsal.stdout.contains(said), "{}", rehearsal.stdout);
    assert_eq!(rehearsal.code, 1, "{rehearsal:#?}");
    let allowed = Run::new(["replay", "-", "--rehearse", "--allow-reordered"])
        .stdin(input)
        .output();
    assert_eq!(allowed.code, 0, "{allowed:#?}");
    assert!(allowed.stdout.contains(said), "{}", allowed.stdout);
}

#[test]
fn files_in_the_wrong_order_are_listed_in_the_right_order() {
    const EACH: u64 = 40_000;
    let folder = tempfile::tempdir().expect("a temporary folder");
    // As a shell's glob gives them: 0, 10, 2.
    for (part, first) in [("part.0", 0), ("part.10", 2 * EACH), ("part.2", EACH)] {
        let lines = lines((first..first + EACH).map(|offset| (0, offset)));
        fs::write(folder.path().join(part), lines).expect("the folder is writable");
    }
    let replay = |order: [&str; 3]| {
        let args = [&["replay"], &order[..], &["--rehearse"]].concat();
        Run::new(args).cwd(folder.path()).output()
    };
    let wrong = replay(["part.0", "part.10", "part.2"]);
    assert_eq!(wrong.code, 1, "{wrong:#?}");
    let hint = "           hint: the files are not in the order of their records: give them as \
                part.0 part.2 part.10\n";
    assert!(wrong.stdout.contains(hint), "{}", wrong.stdout);
    let right = replay(["part.0", "part.2", "part.10"]);
    assert_eq!(right.code, 0, "{right:#?}");
    assert!(!right.stdout.contains("hint: "), "{}", right.stdout);
}

#[test]
fn records_are_called_placed_by_key_only_when_they_have_one() {
    let mock = mock(2);
    let brokers = mock.bootstrap_servers();
    let record = |partition: i32, key: &str, value: &str| {
        format!("{{\"topic\":\"{TOPIC}\",\"partition\":{partition},{key}\"value\":\"{value}\"}}\n")
    };
    // The destination lacks partition 7.
    let input = [
        record(1, "", "a"),
        record(7, "\"key\":\"k\",", "b"),
        record(7, "\"key\":\"k\",", "c"),
        record(7, "", "d"),
    ];
    for (how, placement) in [
        ("auto", json!({ "kept": 1, "by_key": 2, "spread": 1 })),
        ("key", json!({ "kept": 0, "by_key": 2, "spread": 2 })),
        ("any", json!({ "kept": 0, "by_key": 0, "spread": 4 })),
    ] {
        let more = ["--partition", how];
        let output = replay(&brokers, &more, input.concat());
        assert_eq!(output.code, 0, "{output:#?}");
        let report = report(&output);
        assert_eq!(report["ledger"]["delivered"], 4, "{report:#}");
        assert_eq!(report["placement"], placement, "{how}");
    }
}

/// Producers share many topics, and each has its own connections: a limit that is usual on macOS.
#[test]
fn many_topics_need_no_more_files_than_a_process_may_have_open() {
    let mut input = String::new();
    for topic in 0..1100 {
        writeln!(
            input,
            r#"{{"topic":"t{topic}","partition":0,"offset":0,"value":"v"}}"#
        )
        .expect("writing to a string cannot fail");
    }
    let kreplay = env!("CARGO_BIN_EXE_kreplay");
    let shell = "ulimit -n 256; exec \"$0\" \"$@\"";
    let rehearsal = [
        "replay",
        "-",
        "--rehearse",
        "--report",
        "json",
        "--give-up-after",
        "10s",
    ];
    let args = ["-c", shell, kreplay].into_iter().chain(rehearsal);
    let output = Run::program("sh", args).stdin(input).output();
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!(report(&output)["ledger"]["delivered"], 1100);
}
