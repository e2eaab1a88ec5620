//! What each selection chooses, in every command, and how the rest is counted.

use std::collections::BTreeMap;
use std::path::Path;

use super::{SHOP, extract, lines, parsed, rehearse, shop};
use crate::harness::paths::fixture;
use crate::harness::run::{Run, kreplay, report};
use crate::harness::verdict::readback::read;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rdkafka::mocking::MockCluster;
use serde_json::{Value, json};

/// Selections of which each leaves out some of the shop's 49 records and some in.
const SELECTIONS: [&[&str]; 9] = [
    &["--topics", "orders"],
    &["--topics", "*,!orders"],
    &["--from", "+1s", "--to", "+2s"],
    &["--from", "2026-01-05T09:00:02Z", "--clock", "record"],
    &["--sample", "1/3"],
    &["--skip", "10", "--limit", "20"],
    &["--shard", "2/3"],
    &[
        "--topics",
        "payments,shipments",
        "--skip",
        "3",
        "--shard",
        "1/2",
    ],
    &[
        "--topics", "p*", "--from", "+500ms", "--sample", "1/2", "--limit", "3",
    ],
];

/// The bytes of a member of a record line.
fn bytes(line: &Value, name: &str) -> Option<Vec<u8>> {
    match (line[name].as_str(), line[format!("{name}_base64")].as_str()) {
        (Some(text), _) => Some(text.into()),
        (_, Some(text)) => Some(STANDARD.decode(text).expect("it is base64")),
        (None, None) => None,
    }
}

#[test]
fn the_selected_records_arrive_and_are_those_that_extract_prints() {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    let brokers = cluster.bootstrap_servers();
    for (number, selection) in SELECTIONS.iter().enumerate() {
        let printed = parsed(&lines(selection));
        assert!(!printed.is_empty() && printed.len() < 49, "{selection:?}");
        for (topic, partitions) in SHOP {
            let name = format!("{topic}-{number}");
            cluster.create_topic(&name, partitions, 1).expect("a topic");
        }
        let map = format!("*={{topic}}-{number}");
        let args = ["replay", shop(), "-b", &brokers, "--map", &map];
        let output = kreplay([&args[..], selection].concat());
        assert_eq!(output.code, 0, "{selection:?} {output:#?}");
        for (topic, _) in SHOP {
            let of_topic = printed.iter().filter(|line| line["topic"] == topic);
            let mut wanted: Vec<_> = of_topic
                .map(|line| (bytes(line, "key"), bytes(line, "value")))
                .collect();
            let arrived = read(&brokers, &format!("{topic}-{number}")).expect("it can be read");
            let mut arrived: Vec<_> = arrived
                .into_iter()
                .map(|seen| (seen.key, seen.value))
                .collect();
            wanted.sort_unstable();
            arrived.sort_unstable();
            assert_eq!(arrived, wanted, "{selection:?} {topic}");
        }
    }
}

#[test]
fn a_sample_has_all_records_of_its_keys() {
    let whole = parsed(&lines(&[]));
    let sample = parsed(&lines(&["--sample", "1/2"]));
    let by_key = |lines: &[Value]| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for key in lines.iter().filter_map(|line| line["key"].as_str()) {
            *counts.entry(key.into()).or_default() += 1;
        }
        counts
    };
    let (all, some) = (by_key(&whole), by_key(&sample));
    assert!(!some.is_empty() && some.len() < all.len());
    for (key, count) in some {
        assert_eq!(all[&key], count, "{key}");
    }
}

#[test]
fn records_that_are_left_out_are_counted_by_reason() {
    // 28 orders, 11 payments, 10 shipments and 2 markers.
    let report = rehearse(&["--topics", "orders", "--skip", "5", "--limit", "7"]);
    let ledger = &report["ledger"];
    assert_eq!(ledger["delivered"], 7);
    let reasons = &report["unselected"];
    assert_eq!(reasons["skip"], 5);
    let sum: u64 = reasons
        .as_object()
        .expect("counts")
        .values()
        .filter_map(Value::as_u64)
        .sum();
    assert_eq!(ledger["unselected"], sum);
    let found = ledger["found"].as_u64().expect("a count");
    assert!(found < 51, "reading ended before the end");
    assert_eq!(report["source"]["complete"], true);

    let report = rehearse(&["--topics", "*,!orders", "--shard", "1/1"]);
    assert_eq!(report["ledger"]["unselected"], 28);
    assert_eq!(
        report["unselected"],
        json!({"topics": 28, "from": 0, "to": 0, "no_time": 0, "sample": 0, "skip": 0, "limit": 0, "shard": 0})
    );
    assert_eq!(report["ledger"]["delivered"], 21);
    assert_eq!(report["ledger"]["found"], 51);
    let topics = report["topics"].as_array().expect("topics");
    let names: Vec<&Value> = topics.iter().map(|topic| &topic["topic"]).collect();
    assert_eq!(names.len(), 2, "{names:?}");

    let whole = rehearse(&[]);
    assert_eq!(whole["ledger"]["unselected"], 0);
    assert_eq!(whole.get("unselected"), None);
}

#[test]
fn the_text_report_says_what_is_left_out() {
    let output = kreplay([
        "replay",
        shop(),
        "--rehearse",
        "--topics",
        "p*",
        "--skip",
        "4",
    ]);
    let expected = "found      51 = 2 control + 42 unselected + 7 delivered\nunselected 38 by --topics, 4 by --skip\n";
    assert!(output.stdout.contains(expected), "{output:#?}");
    let output = extract(&["--topics", "p*", "--skip", "4"]);
    let expected = "found      51 = 2 control + 42 unselected + 7 printed\nunselected 38 by --topics, 4 by --skip\n";
    assert!(output.stderr.contains(expected), "{output:#?}");
}

#[test]
fn inspect_looks_at_what_is_selected() {
    let run = [
        "inspect",
        shop(),
        "--report",
        "json",
        "--topics",
        "payments",
    ];
    let output = kreplay(run);
    assert_eq!(output.code, 0, "{output:#?}");
    let inspection: Value = serde_json::from_str(&output.stdout).expect("a report");
    assert_eq!(inspection["ledger"]["unselected"], 38);
    assert_eq!(inspection["ledger"]["records"], 11);
    assert_eq!(inspection["unselected"]["topics"], 38);
    let topics = inspection["topics"].as_array().expect("topics");
    assert_eq!((topics.len(), &topics[0]["topic"]), (1, &json!("payments")));
}

#[test]
fn every_selection_is_that_of_all_commands() {
    for selection in SELECTIONS {
        let printed = lines(selection).len();
        let of = |command: &str| {
            let args = [&[command, shop(), "--report", "json"][..], selection].concat();
            let output = kreplay(args);
            assert_eq!(output.code, 0, "{output:#?}");
            let report: Value = serde_json::from_str(&output.stdout).expect("a report");
            report
        };
        assert_eq!(of("inspect")["ledger"]["records"], printed, "{selection:?}");
        assert_eq!(of("plan")["ledger"]["to_send"], printed, "{selection:?}");
    }
}

#[test]
fn an_id_whose_records_are_left_out_needs_no_name() {
    let file = fixture("topic-id-unknown.jsonl").display().to_string();
    let whole = kreplay(["extract", &file, "-q"]).stdout;
    let ids = whole.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).expect("a record line");
        line["topic_id"].as_str().map(String::from)
    });
    let ids: Vec<String> = ids.collect();
    assert!(!ids.is_empty());
    let args = ["replay", &file, "--rehearse", "--report", "json"];
    let all = report(&kreplay(args));
    assert_ne!(all["unresolved_topic_ids"], json!([]));
    let excluded = format!("!{}", ids[0]);
    let output = kreplay([&args[..], &["--topics", &excluded]].concat());
    let report = report(&output);
    assert_eq!(report["unresolved_topic_ids"], json!([]), "{output:#?}");
    assert_eq!(report["unselected"]["topics"], ids.len());
    assert_eq!(output.code, 0, "{output:#?}");
}

#[test]
fn the_documented_examples_print_what_the_page_shows() {
    let page = include_str!("../../../docs/selection.md");
    let bin = Path::new(env!("CARGO_BIN_EXE_kreplay"));
    let folder = bin.parent().expect("it is in a folder").display();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let mut examples = 0;
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(command) = line.strip_prefix("    $ ") else {
            continue;
        };
        let mut shown = String::new();
        while let Some(line) = lines.next_if(|line| line.starts_with("    ")) {
            shown += line.trim_start();
            shown.push('\n');
        }
        let output = Run::program("sh", ["-c", command])
            .env("PATH", &path)
            .cwd(env!("CARGO_MANIFEST_DIR"))
            .output();
        assert_eq!(output.stdout, shown, "{command}");
        examples += 1;
    }
    assert_eq!(examples, 5);
}
