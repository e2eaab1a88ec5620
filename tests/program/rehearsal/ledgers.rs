//! Ledgers and exit codes of the fixtures.

use super::rehearse_json;
use crate::harness::report::ledger::ledger;
use serde_json::json;

/// Arguments, exit code, ledger.
const FIXTURES: &[(&str, i32, &str)] = &[
    ("replay demo.jsonl", 0, "21 = 21 delivered"),
    ("replay shop.jsonl", 0, "51 = 2 control + 49 delivered"),
    ("replay guide.jsonl", 0, "8 = 8 delivered"),
    ("replay second-record.jsonl", 0, "4 = 4 delivered"),
    ("replay second-partition.jsonl", 0, "4 = 4 delivered"),
    ("replay second-topic.jsonl", 0, "4 = 4 delivered"),
    ("replay headers.jsonl", 0, "3 = 3 delivered"),
    ("replay tombstone.jsonl", 0, "3 = 3 delivered"),
    ("replay control.jsonl", 0, "4 = 1 control + 3 delivered"),
    ("replay topic-id.jsonl", 0, "3 = 3 delivered"),
    (
        "replay topic-id-unknown.jsonl",
        1,
        "3 = 1 unreadable + 2 delivered",
    ),
    (
        "replay topic-id-unknown.jsonl --topic-id 4jfhP0BF2SmV6Nl7qrdn9Q=x",
        0,
        "3 = 3 delivered",
    ),
    ("replay topic-id-unknown.jsonl -t x", 0, "3 = 3 delivered"),
    (
        "replay bad-middle.jsonl",
        1,
        "5 = 1 unreadable + 4 delivered",
    ),
    ("replay cut.jsonl", 4, "4 = 1 unreadable + 3 delivered"),
    (
        "replay demo.jsonl shop.jsonl",
        0,
        "72 = 6 duplicates + 2 control + 64 delivered",
    ),
    (
        "replay demo.jsonl cut.jsonl",
        4,
        "25 = 1 unreadable + 24 delivered",
    ),
    (
        "replay demo.jsonl no-such-file.jsonl",
        4,
        "21 = 21 delivered",
    ),
    ("replay wide.csv", 0, "8 = 8 delivered"),
    ("replay wide.csv -t x", 0, "8 = 8 delivered"),
    ("replay guide.csv -t x", 0, "6 = 6 delivered"),
    ("replay cut.csv -t x", 4, "6 = 1 unreadable + 5 delivered"),
    ("snapshot demo", 0, "21 = 21 delivered"),
    ("snapshot demo --via csv", 0, "21 = 21 delivered"),
    ("snapshot demo --via raw", 0, "21 = 21 delivered"),
    ("snapshot shop", 0, "51 = 2 control + 49 delivered"),
    (
        "snapshot shop --via raw",
        0,
        "51 = 2 control + 49 delivered",
    ),
    ("snapshot guide", 0, "8 = 8 delivered"),
    ("snapshot second-record", 0, "4 = 4 delivered"),
    (
        "snapshot second-record --via csv",
        1,
        "4 = 1 unreadable + 3 delivered",
    ),
    ("snapshot second-partition", 0, "4 = 4 delivered"),
    ("snapshot second-topic", 0, "4 = 4 delivered"),
    ("snapshot headers", 0, "3 = 3 delivered"),
    ("snapshot headers --via csv", 1, "3 = 3 delivered"),
    ("snapshot tombstone", 0, "3 = 3 delivered"),
    ("snapshot control", 0, "4 = 1 control + 3 delivered"),
    ("snapshot topic-id", 0, "3 = 3 delivered"),
    (
        "snapshot topic-id-unknown",
        1,
        "3 = 1 unreadable + 2 delivered",
    ),
    ("snapshot no-such-snapshot", 4, "0 = "),
];

#[test]
fn every_fixture_gives_its_ledger_and_exit_code() {
    let mut wrong = Vec::new();
    for (args, code, expected) in FIXTURES {
        let (output, report) = rehearse_json(args);
        let found = (output.code, ledger(&report));
        if found != (*code, (*expected).to_owned()) {
            wrong.push(format!(
                "kreplay {args}: {found:?}, not {:?}",
                (code, expected)
            ));
        }
        let spoke = !output.stderr.is_empty();
        if *code > 1 && !spoke {
            wrong.push(format!("kreplay {args}: code {code} and nothing on stderr"));
        }
        let brokers = report["destination"]["rehearsal"] == true;
        assert!(brokers, "a rehearsal says that it is one: {report:#}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_snapshot_is_read_as_csv_unless_the_csv_would_lose_something() {
    for (snapshot, via) in [
        ("demo", "csv"),
        ("shop", "raw"),
        ("guide", "raw"),
        ("second-record", "raw"),
        ("second-partition", "raw"),
        ("second-topic", "raw"),
        ("headers", "raw"),
        ("tombstone", "raw"),
        ("control", "raw"),
        ("topic-id", "raw"),
    ] {
        let (output, report) = rehearse_json(&format!("snapshot {snapshot}"));
        assert_eq!(report["source"]["via"], via, "{snapshot}");
        assert_eq!(
            output.stderr.contains("reading the RRPairs instead"),
            via == "raw"
        );
    }
}

#[test]
fn a_damaged_line_is_named_with_its_file_and_number() {
    let (_, report) = rehearse_json("replay demo.jsonl bad-middle.jsonl");
    assert_eq!(ledger(&report), "26 = 1 unreadable + 25 delivered");
    let first = json!({
        "input": "bad-middle.jsonl", "line": 3, "why": "the JSON is cut off after 991 bytes",
    });
    let problems = json!([{ "what": "unreadable", "count": 1, "first": first }]);
    assert_eq!(report["problems"], problems);
}
