//! Selections that make no sense, match nothing or are not those of the journal.

use super::{SHOP, shop};
use crate::harness::run::{kreplay, report};
use crate::harness::verdict::readback::read;
use rdkafka::mocking::MockCluster;
use serde_json::json;
use tempfile::TempDir;

#[test]
fn another_selection_does_not_resume() {
    let folder = TempDir::new().expect("a temporary folder");
    let journal = folder.path().join("journal").display().to_string();
    let cluster = MockCluster::new(1).expect("a mock cluster");
    for (topic, partitions) in SHOP {
        cluster.create_topic(topic, partitions, 1).expect("a topic");
    }
    let brokers = cluster.bootstrap_servers();
    let run = |selection: &[&str]| {
        let args = [
            "replay",
            shop(),
            "-b",
            &brokers,
            "--resume",
            &journal,
            "--report",
            "json",
        ];
        kreplay([&args[..], selection].concat())
    };
    let first = run(&["--topics", "orders", "--limit", "9"]);
    assert_eq!(first.code, 0, "{first:#?}");
    assert_eq!(report(&first)["ledger"]["delivered"], 9);
    for other in [
        &["--topics", "orders", "--limit", "10"][..],
        &["--topics", "orders"],
        &["--topics", "orders", "--limit", "9", "--shard", "1/2"],
        &[],
    ] {
        let refused = run(other);
        assert_eq!(refused.code, 2, "{refused:#?}");
        assert!(refused.stderr.contains("(`selection`)"), "{refused:#?}");
    }
    let again = report(&run(&["--topics", "orders", "--limit", "9"]));
    assert_eq!(
        (&again["resume"]["skipped"], &again["ledger"]["delivered"]),
        (&json!(9), &json!(0))
    );
    assert_eq!(read(&brokers, "orders").expect("it can be read").len(), 9);
}

#[test]
fn a_selection_that_makes_no_sense_is_a_usage_error() {
    for (flags, expected) in [
        (
            &["--shard", "5/4"][..],
            "`--shard 5/4`: shard 5/4 does not exist",
        ),
        (&["--shard", "0/4"], "shards count from 1: the first is 1/4"),
        (&["--shard", "1/0"], "0 is not a number of shards"),
        (
            &["--shard", "auto"],
            "`--shard auto` reads JOB_COMPLETION_INDEX, which is not set",
        ),
        (&["--sample", "1/0"], "expected 1/N with N above 0"),
        (&["--limit", "0"], "--limit"),
        (&["--limit", "-1"], "invalid value '-1' for '--limit <N>'"),
        (&["--skip", "-1"], "invalid value '-1' for '--skip <N>'"),
        (&["--from", "soon"], "expected RFC 3339"),
        (&["--to", "-5m"], "expected RFC 3339"),
        (
            &["--from", "+2m", "--to", "+1m"],
            "`--from +2m` is not before `--to +1m`",
        ),
        (
            &[
                "--from",
                "2026-01-05T09:00:02Z",
                "--to",
                "2026-01-05T09:00:02Z",
            ],
            "`--from 2026-01-05T09:00:02Z` is not before `--to 2026-01-05T09:00:02Z`",
        ),
        (&["--topics", "a,!a"], "`a` and `!a` contradict each other"),
        (&["--topics", "a|b"], "no name has a `|`"),
        (&["--clock", "record"], "`--clock record` is for "),
    ] {
        for command in [&["replay", shop(), "--rehearse"][..], &["extract", shop()]] {
            let output = kreplay([command, flags].concat());
            assert_eq!(
                (output.code, output.stdout.as_str()),
                (2, ""),
                "{output:#?}"
            );
            assert!(
                output.stderr.contains(expected),
                "{expected} in {output:#?}"
            );
        }
    }
}

#[test]
fn paths_are_not_selected_and_a_clock_alone_selects_nothing() {
    for flag in [["--topics", "orders"], ["--clock", "record"]] {
        let output = kreplay([&["inspect", shop(), "--paths"][..], &flag].concat());
        assert_eq!(output.code, 2, "{output:#?}");
        assert!(
            output.stderr.contains("--paths") && output.stderr.contains(flag[0]),
            "{output:#?}"
        );
    }
    for command in [&["inspect", shop()][..], &["compare", shop(), shop()]] {
        let output = kreplay([command, &["--clock", "record"]].concat());
        let said = "`--clock record` is for `--from` and `--to`, and none of them is given";
        assert_eq!(output.code, 2, "{output:#?}");
        assert!(output.stderr.contains(said), "{output:#?}");
    }
}

#[test]
fn a_glob_that_matches_no_topic_is_named_with_the_nearest() {
    for command in [
        &["replay", shop(), "--rehearse"][..],
        &["extract", shop()],
        &["inspect", shop()],
    ] {
        let output = kreplay([command, &["--topics", "order,payments"]].concat());
        assert_eq!(output.code, 1, "{output:#?}");
        let said = format!("{}{}", output.stdout, output.stderr);
        let expected = "`order` of `--topics` matches nothing: no such topic is captured (did you mean `orders`?)";
        assert!(said.contains(expected), "{output:#?}");
    }
}
