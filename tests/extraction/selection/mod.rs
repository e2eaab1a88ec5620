//! Which part of a capture is selected: what `--topics`, `--from`, `--to`, `--sample`, `--skip`, `--limit`
//! and `--shard` select arrives, is printed and is counted, and the rest is in the ledger as `unselected`.

mod chosen;
mod limits;
mod refused;
mod shards;
mod windows;

use std::sync::LazyLock;

use crate::harness::paths::fixture;
use crate::harness::run::{Run, RunOutput, kreplay, report};
use serde_json::Value;

/// Partitions of the topics of `shop.jsonl`, in which records are captured.
const SHOP: [(&str, i32); 3] = [("orders", 3), ("payments", 2), ("shipments", 2)];

/// The file of the shop.
fn shop() -> &'static str {
    static PATH: LazyLock<String> = LazyLock::new(|| fixture("shop.jsonl").display().to_string());
    &PATH
}

fn extract(args: &[&str]) -> RunOutput {
    kreplay([&["extract", shop()][..], args].concat())
}

/// The record lines of a run in which nothing went wrong.
#[track_caller]
fn lines(args: &[&str]) -> Vec<String> {
    let output = extract(&[args, &["-q"]].concat());
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (0, ""),
        "{output:#?}"
    );
    output.stdout.lines().map(String::from).collect()
}

fn parsed(lines: &[String]) -> Vec<Value> {
    let parse = |line: &String| serde_json::from_str(line).expect("a record line");
    lines.iter().map(parse).collect()
}

/// The report of a rehearsal of the shop.
#[track_caller]
fn rehearse(args: &[&str]) -> Value {
    let run = [
        &["replay", shop(), "--rehearse", "--report", "json"][..],
        args,
    ]
    .concat();
    let output = kreplay(run);
    assert_eq!(output.code, 0, "{output:#?}");
    report(&output)
}

/// Kafka writes -1 for a timestamp that it does not know, and its clients take 0 for the time of sending.
#[test]
fn a_window_does_not_count_from_a_timestamp_that_is_none() {
    for none in [0_i64, -1] {
        let times = [none, 1_767_603_602_000, 1_767_603_602_000 + 6 * 60_000];
        let input = times
            .map(|time| format!("{{\"topic\":\"orders\",\"timestamp\":{time},\"value\":\"v\"}}\n"));
        let run = |command: &[&str]| {
            let run = Run::new([command, &["-", "--clock", "record"]].concat());
            let output = run.stdin(input.concat()).output();
            assert!(matches!(output.code, 0 | 1), "{output:#?}");
            output
        };
        for (window, expected) in [(["--from", "+5m"], times[2]), (["--to", "+5m"], times[1])] {
            let output = run(&[&["extract"][..], &window].concat());
            let printed: Vec<String> = output.stdout.lines().map(String::from).collect();
            let printed: Vec<Value> = parsed(&printed);
            let printed: Vec<&Value> = printed.iter().map(|line| &line["timestamp"]).collect();
            assert_eq!(printed, [expected], "{window:?} {output:#?}");
        }
        let output = run(&["replay", "--rehearse", "--report", "json", "--from", "+0s"]);
        let replayed = report(&output);
        assert_eq!(replayed["ledger"]["delivered"], 2, "{output:#?}");
        assert_eq!(replayed["unselected"]["no_time"], 1, "{output:#?}");

        // The schedule begins with the same record.
        let planned = report(&run(&["plan", "--speed", "1x", "--report", "json"]));
        assert_eq!(planned["schedule"]["duration_s"], 6.0 * 60.0, "{planned:#}");
        assert_eq!(planned["schedule"]["timing"]["untimed"], 1, "{planned:#}");
    }
}
