//! What a CSV cannot carry: found before anything is sent, or named afterwards.

use std::fs;
use std::io::Write;

use super::{fixtures, play};
use crate::harness::paths::{fixture, standin};
use crate::harness::run::{Run, RunOutput, kreplay, report};
use tempfile::TempDir;

/// What a CSV cannot carry: the fixture, a part of the note on stderr, and the result with `--via csv`:
/// records delivered and the problem reported.
const SENTINELS: [(&str, &str, u64, Option<&str>); 7] = [
    (
        "second-record",
        "more than one element of `records`",
        3,
        Some("lost_by_csv"),
    ),
    (
        "second-partition",
        "more than one element of `partitions`",
        3,
        Some("lost_by_csv"),
    ),
    (
        "second-topic",
        "more than one element of `topics`",
        3,
        Some("lost_by_csv"),
    ),
    ("headers", "headers", 3, Some("headers_lost")),
    ("tombstone", "value cell is empty", 2, Some("lost_by_csv")),
    ("topic-id", "known only by its id", 2, Some("lost_by_csv")),
    // Markers are never replayed, so nothing is lost.
    ("control", "transaction markers", 3, None),
];

#[test]
fn content_that_a_csv_cannot_carry_changes_auto_to_raw_with_a_note() {
    for (id, why, ..) in SENTINELS {
        let path = fixture(&format!("{id}.jsonl")).display().to_string();
        let raw = report(&kreplay([
            "replay",
            &path,
            "--rehearse",
            "--report",
            "json",
        ]));
        for objects in ["json", "empty"] {
            let what = format!("{id}, objects {objects}");
            let played = play(id, "", &[]).env("STANDIN_OBJECTS", objects).end();
            assert_eq!(played.output.code, 0, "{what}: {}", played.output.stderr);
            assert_eq!(played.report["source"]["via"], "raw", "{what}");
            for member in ["ledger", "topics", "placement", "problems"] {
                assert_eq!(played.report[member], raw[member], "{what}");
            }
            let [note] = played.said()[..] else {
                panic!("{what}: one note, not {}", played.output.stderr)
            };
            assert!(
                note.contains(why) && note.contains("RRPairs instead"),
                "{what}: {note}"
            );
            let actions: Vec<&str> = played.calls.iter().map(|call| call[0].as_str()).collect();
            assert_eq!(actions, ["extract", "pull"], "{what}");
        }
    }
}

#[test]
fn content_that_a_csv_cannot_carry_is_counted_and_named_with_via_csv() {
    for (id, _, delivered, problem) in SENTINELS {
        for objects in ["json", "empty"] {
            let what = format!("{id}, objects {objects}");
            let played = play(id, "", &["--via", "csv"])
                .env("STANDIN_OBJECTS", objects)
                .end();
            let code = i32::from(problem.is_some());
            assert_eq!(played.output.code, code, "{what}: {}", played.output.stderr);
            assert_eq!(played.ledger("delivered"), delivered, "{what}");
            let problems = played.report["problems"].as_array().expect("a list");
            let kinds: Vec<&str> = problems.iter().filter_map(|p| p["what"].as_str()).collect();
            assert_eq!(kinds, problem.as_slice(), "{what}");
            for problem in problems {
                assert_eq!(
                    (&problem["count"], &problem["first"]["line"]),
                    (&1.into(), &4.into()),
                    "{what}"
                );
                let input = format!("snapshot {id}");
                assert_eq!(problem["first"]["input"], input, "{what}");
            }
            assert_eq!(played.calls.len(), 1, "{what}");
        }
    }
}

#[test]
fn losses_of_via_csv_are_reported_with_a_hint_at_via_raw() {
    for (id, _, _, problem) in SENTINELS {
        if problem.is_some() && id != "topic-id" {
            assert_hints_at_raw(id);
        }
    }
}

#[test]
fn a_topic_known_only_by_id_in_a_csv_is_reported_with_a_hint_at_via_raw() {
    assert_hints_at_raw("topic-id");
}

fn assert_hints_at_raw(id: &str) {
    let text = Run::new(["snapshot", id, "--rehearse", "--via", "csv"])
        .env("KREPLAY_SPEEDCTL", standin())
        .env("STANDIN_DATA", fixtures())
        .output();
    assert_eq!(text.code, 1, "{id}: {}", text.stderr);
    let hint = text.stdout.lines().find(|line| line.contains("hint: "));
    assert!(
        hint.is_some_and(|hint| hint.contains("--via raw")),
        "{id}: {}",
        text.stdout
    );
}

/// Records of the long capture; with 1,000 bytes each they are more than the channel holds.
const MANY: u64 = 42_000;

/// A folder with `long.jsonl`: plain records, one in each Fetch, and two in the last Fetch.
fn long_capture() -> TempDir {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let file = fs::File::create(folder.path().join("long.jsonl")).expect("the folder is writable");
    let mut file = std::io::BufWriter::new(file);
    let pad = "x".repeat(1000);
    for offset in 0..MANY {
        let second = if offset + 1 == MANY {
            r#",{"offsetDelta":1,"valueString":"last"}"#
        } else {
            ""
        };
        writeln!(
            file,
            r#"{{"ts":"2026-01-05T09:00:00Z","uuid":"dTKLshJQTEGWBa+9varISw==","command":"Fetch","kafka":{{"response":{{"FetchResponse":{{"topics":[{{"name":"orders","partitions":[{{"records":{{"baseOffset":"{offset}","baseTimestamp":"1767603600000","records":[{{"keyString":"k{offset}","valueString":"{pad}"}}{second}]}}}}]}}]}}}}}}}}"#
        )
        .expect("the disk has room");
    }
    file.flush().expect("the disk has room");
    folder
}

#[test]
fn losses_found_after_the_channel_was_full_are_counted_and_named() {
    let folder = long_capture();
    for objects in ["json", "empty"] {
        let played = play("long", "", &[])
            .env("STANDIN_DATA", folder.path())
            .env("STANDIN_OBJECTS", objects)
            .end();
        assert_eq!(played.output.code, 1, "{}", played.output.stderr);
        assert!(played.report["source"]["bytes"].as_u64() > Some(40_000_000));
        assert_eq!(played.report["source"]["via"], "csv");
        assert_eq!(
            (played.ledger("delivered"), played.ledger("unreadable")),
            (MANY, 1)
        );
        assert_eq!(played.report["problems"][0]["what"], "lost_by_csv");
        assert_eq!(played.report["problems"][0]["first"]["line"], MANY + 1);
        assert_eq!(played.calls.len(), 1);
    }
    let raw = play("long", "", &["--via", "raw"])
        .env("STANDIN_DATA", folder.path())
        .end();
    assert_eq!((raw.output.code, raw.ledger("delivered")), (0, MANY + 1));
}

#[test]
fn a_speedctl_failure_after_the_channel_was_full_is_reported_with_what_was_sent() {
    let folder = long_capture();
    for (faults, how) in [
        ("kill-self=41000", "SIGKILL"),
        ("exit=9", "exited with code 9"),
        ("cut-fail=40000000", "exited with code 1"),
        ("cut=40000001", "the input is cut off"),
        ("silent-after=41000", "wrote nothing for 1s"),
    ] {
        let played = play(
            "long",
            faults,
            &["--via", "csv", "--speedctl-timeout", "1s"],
        )
        .env("STANDIN_DATA", folder.path())
        .end();
        let RunOutput { code, stderr, .. } = &played.output;
        assert_eq!(*code, 4, "{faults}: {stderr}");
        assert!(stderr.contains(how), "{faults}: {stderr}");
        assert_eq!(played.report["source"]["complete"], false, "{faults}");
        // What was read was good, so sending had begun.
        assert!(
            played.ledger("delivered") > 30_000,
            "{faults}: {}",
            played.report["ledger"]
        );
    }
}
