//! Windows of time, by each clock, and those that lie outside the capture.

use std::path::PathBuf;

use super::{lines, parsed, shop};
use crate::harness::paths::fixture;
use crate::harness::run::{Run, kreplay};
use serde_json::Value;

/// Nanoseconds since midnight of an RFC 3339 time.
fn time_of_day(time: &Value) -> u128 {
    let time = time.as_str().expect("a time");
    let time = time
        .split_once('T')
        .expect("RFC 3339")
        .1
        .trim_end_matches('Z');
    let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
    let seconds = whole
        .split(':')
        .map(|n| n.parse::<u128>().expect("a number"));
    let seconds = seconds.fold(0, |sum, n| sum * 60 + n);
    seconds * 1_000_000_000 + format!("{fraction:0<9}").parse::<u128>().expect("digits")
}

#[test]
fn a_window_uses_the_clock_that_is_asked_for() {
    let all = lines(&[]);
    let whole = parsed(&all);
    let between = |test: &dyn Fn(&Value) -> bool| -> Vec<String> {
        let chosen = all.iter().zip(&whole).filter(|(_, line)| test(line));
        chosen.map(|(text, _)| text.clone()).collect()
    };
    let first = time_of_day(&whole[0]["captured"]);
    let second = 1_000_000_000;
    let expected = between(&|line| {
        let since = time_of_day(&line["captured"]) - first;
        since >= second && since < 3 * second
    });
    assert!(!expected.is_empty() && expected.len() < 49);
    assert_eq!(lines(&["--from", "+1s", "--to", "+3s"]), expected);
    // 2026-01-05T09:00:02Z, as `date -ud` says.
    let expected = between(&|line| line["timestamp"].as_i64() >= Some(1_767_603_602_000));
    assert!(!expected.is_empty() && expected.len() < 49);
    let from = ["--from", "2026-01-05T10:00:02+01:00", "--clock", "record"];
    assert_eq!(lines(&from), expected);
}

#[test]
fn an_error_about_a_window_outside_the_capture_names_the_captured_span() {
    let times: Vec<Value> = parsed(&lines(&[]))
        .iter()
        .map(|line| line["captured"].clone())
        .collect();
    let first = times
        .iter()
        .min_by_key(|time| time_of_day(time))
        .expect("records");
    let last = times
        .iter()
        .max_by_key(|time| time_of_day(time))
        .expect("records");
    let text = |time: &Value| time.as_str().expect("a time").to_string();
    let expected = format!(
        "`--from 2030-01-01T00:00:00Z` leaves out all records: the capture spans {} to {}",
        text(first),
        text(last)
    );
    let late = ["--from", "2030-01-01T00:00:00Z"];
    for command in [&["extract"][..], &["replay", "--rehearse"], &["plan"]] {
        let output = kreplay([command, &[shop()], &late].concat());
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (2, ""),
            "{output:#?}"
        );
        let said =
            format!("kreplay: {expected}\nhint: `--clock record` uses the records' own timestamps");
        assert!(output.stderr.contains(&said), "{said} in {output:#?}");
    }
    let output = kreplay([&["inspect", shop()], &late[..]].concat());
    assert_eq!(output.code, 2, "{output:#?}");
    // Also from stdin, which is read only once: nothing was sent when its end has come.
    let input = std::fs::read(shop()).expect("the fixture is readable");
    let output = Run::new(["replay", "-", "--rehearse", "--to", "2020-01-01T00:00:00Z"]);
    let output = output.stdin(input).output();
    assert_eq!(output.code, 2, "{output:#?}");
    assert!(output.stderr.contains("the capture spans"), "{output:#?}");

    let kcat: PathBuf = fixture("kcat.jsonl");
    let output = kreplay(["extract", &kcat.display().to_string(), "--from", "+1s"]);
    assert_eq!(output.code, 2, "{output:#?}");
    let said = "none has a time by this `--clock`";
    assert!(output.stderr.contains(said), "{output:#?}");
    let said = "`--clock record` uses the records' own timestamps";
    assert!(output.stderr.contains(said), "{output:#?}");
    // A user who allows a source without records gets the report that names the window.
    let output = kreplay([&["extract", shop(), "--allow-empty"], &late[..]].concat());
    assert_eq!(output.code, 1, "{output:#?}");
}
