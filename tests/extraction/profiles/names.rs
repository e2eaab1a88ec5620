//! Topics that a response knows by their ids, and the Metadata responses that name them.

use std::fs;

use super::{lines, parsed, rehearse, rehearse_with, reordered, run, short};
use crate::harness::report::ledger::ledger;
use serde_json::json;

// Topic ids.

const NAMED: [&str; 9] = [
    "orders[0]@1 ~=o-1",
    "orders[0]@2 ~=o-2",
    "payments[0]@1 ~=p-1",
    "shipments[0]@1 ~=s-1",
    "orders[0]@3 ~=o-3",
    "orders[0]@4 ~=o-4",
    "4jfhP0BF2SmV6Nl7qrdn9Q[0]@1 ~=x-1",
    "4jfhP0BF2SmV6Nl7qrdn9Q[0]@2 ~=x-2",
    "shipments[0]@2 ~=s-2",
];

#[test]
fn a_topic_id_is_named_by_metadata_that_comes_later() {
    assert_eq!(short(&lines(&["late-metadata.jsonl"])), NAMED);
}

#[test]
fn a_filter_on_fetches_keeps_the_metadata_that_names_their_topics() {
    for filter in [
        r#"command IS "Fetch""#,
        "service IS fulfilment AND command CONTAINS etc",
        "command NOT Metadata",
    ] {
        let found = lines(&["late-metadata.jsonl", "--filter", filter]);
        assert_eq!(short(&found), NAMED, "{filter}");
    }
}

#[test]
fn metadata_of_a_later_file_names_topics_of_the_files_before() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let file = |name: &str, order: &[usize]| {
        let path = folder.path().join(name);
        fs::write(&path, reordered("late-metadata.jsonl", order)).expect("the folder is ours");
        path.display().to_string()
    };
    let first = file("first.jsonl", &[1, 2, 3, 4]);
    let second = file("second.jsonl", &[6, 7, 8, 5]);
    assert_eq!(short(&lines(&[&first, &second])), NAMED);
}

#[test]
fn from_stdin_records_wait_for_the_name_of_their_topic_in_their_order() {
    let text = reordered("late-metadata.jsonl", &[1, 2, 3, 4, 5, 6, 7, 8]);
    let output = run(&["extract", "-q", "-"]).stdin(text.as_str()).output();
    assert_eq!(output.code, 0, "{output:#?}");
    let found = short(&parsed(&output));
    for topic in ["orders", "payments", "shipments", "4jfh"] {
        let of = |line: &&str| line.starts_with(topic);
        let found: Vec<&str> = found.iter().map(String::as_str).filter(of).collect();
        let expected: Vec<&str> = NAMED.into_iter().filter(of).collect();
        assert_eq!(found, expected);
    }
    let report = rehearse_with(&["replay", "-"], &text, 1);
    assert_eq!(ledger(&report), "9 = 2 unreadable + 7 delivered");
}

#[test]
fn an_unresolved_topic_id_is_counted_with_a_hint_how_to_name_it() {
    let output = run(&["replay", "late-metadata.jsonl", "--rehearse"]).output();
    assert_eq!(output.code, 1);
    let (_, problems) = output.stdout.split_once("problem ").expect("a problem");
    assert_eq!(
        problems,
        "   topic unknown: 2, first late-metadata.jsonl:7: nothing in the capture names the topic \
         with this id: 4jfhP0BF2SmV6Nl7qrdn9Q [0] @ 1\n           \
         hint: name the topic with `--topic-id ID=NAME`, or use `-t TOPIC`\n"
    );
    for id in [
        "4jfhP0BF2SmV6Nl7qrdn9Q",
        "4jfhP0BF2SmV6Nl7qrdn9Q==",
        "e237e13f-4045-d929-95e8-d97baab767f5",
    ] {
        let given = format!("{id}=found");
        let report = rehearse(&["replay", "late-metadata.jsonl", "--topic-id", &given], 0);
        assert_eq!(ledger(&report), "9 = 9 delivered", "{given}");
        let topics = report["topics"].as_array().expect("a list of topics");
        let found = topics.iter().find(|topic| topic["topic"] == "found");
        assert_eq!(
            found.map(|topic| &topic["delivered"]),
            Some(&json!(2)),
            "{given}"
        );
    }
}
