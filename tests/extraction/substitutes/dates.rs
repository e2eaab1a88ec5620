//! Dates that are still to be resolved: refused, or resolved with `--resolve-dates`.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{capture, fetch, folder, json_of, mock, replay_to, written};
use crate::harness::report::ledger::ledger;
use crate::harness::run::Run;
use crate::harness::verdict::readback::{count, read};
use serde_json::{Value, json};

const DAY_MS: i64 = 86_400_000;

#[test]
fn a_date_placeholder_is_refused_before_it_is_sent() {
    let folder = folder();
    let cluster = mock(&["orders", "payments"]);
    let brokers = cluster.bootstrap_servers();
    let sound = fetch("orders", &[json!({ "valueString": "v" })]);
    let dated = fetch(
        "payments",
        &[json!({ "valueString": "{speedscale_date(1h)}" })],
    );
    let path = written(&folder, &(sound + &dated));
    for args in [&["-b", &brokers, "-F", "none"][..], &["--rehearse"]] {
        let output = Run::new(["replay", &path].iter().chain(args)).output();
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (2, ""),
            "{output:#?}"
        );
        let line = format!(
            "kreplay: {path}:2 holds a date that is still to be resolved: `{{speedscale_date(...)}}`\nhint: `--resolve-dates` "
        );
        assert!(output.stderr.contains(&line), "{output:#?}");
    }
    assert_eq!(count(&brokers, "orders"), Ok(0));
    assert_eq!(count(&brokers, "payments"), Ok(0));
    for (wrong, why) in [
        (
            "{speedscale_date(soon)}",
            "`{speedscale_date(soon)}` does not contain a duration such as `-744h0m0s`",
        ),
        (
            "{speedscale_date(1h",
            "`{speedscale_date(` is not closed by `)}`",
        ),
    ] {
        let path = written(
            &folder,
            &fetch("orders", &[json!({ "valueString": wrong })]),
        );
        let output = Run::new(["replay", &path, "--rehearse", "--resolve-dates"]).output();
        assert_eq!(output.code, 2, "{output:#?}");
        assert!(
            output.stderr.contains(&format!("{path}:1: {why}")),
            "{output:#?}"
        );
    }
}

fn now_ms() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock");
    i64::try_from(now.as_millis()).expect("a time of this era")
}

/// The text as milliseconds since 1970.
fn ms(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("no number: {text}"))
}

/// What the topic `payments` holds after a run, in milliseconds: the date in the value, the key, the header.
fn dates_of(brokers: &str) -> [i64; 3] {
    let seen = read(brokers, "payments").expect("the topic is readable");
    let [first, second] = &seen[..] else {
        panic!("two records: {seen:?}")
    };
    let value: Value = serde_json::from_str(first.text()).expect("JSON");
    let key = String::from_utf8(second.key.clone().expect("a key")).expect("text");
    let header = second.headers[0].1.clone().expect("a value");
    [
        ms(value["due"].as_str().expect("a text")),
        ms(key.strip_prefix("at ").expect("what was around the date")),
        ms(&String::from_utf8(header).expect("text")),
    ]
}

#[test]
fn date_placeholders_are_resolved_against_the_time_of_the_replay_from_a_pipe_too() {
    let folder = folder();
    let path = written(&folder, &capture());
    for piped in [false, true] {
        let cluster = mock(&["orders", "payments", "alike"]);
        let brokers = cluster.bootstrap_servers();
        let mut args = replay_to(&brokers, &path, &["--resolve-dates=epoch-ms"]);
        let before = now_ms();
        let output = if piped {
            let extracted = Run::new(["extract", &path]).output();
            assert!(
                extracted.stdout.contains("{speedscale_date(-744h0m0s)}"),
                "{extracted:#?}"
            );
            args[1] = "-";
            Run::new(args).stdin(extracted.stdout).output()
        } else {
            Run::new(args).output()
        };
        let after = now_ms();
        assert_eq!(output.code, 0, "{output:#?}");
        let [value, key, header] = dates_of(&brokers);
        assert!(
            (before..=after).contains(&header),
            "{before} {header} {after}"
        );
        assert_eq!([value - header, header - key], [31 * DAY_MS, DAY_MS]);
        assert!(
            output.stdout.contains("redacted   5 records: orders 5\n"),
            "{output:#?}"
        );
    }
}

/// A journal identifies its source by its content, not by what the dates become.
#[test]
fn a_resumed_run_resolves_dates_and_knows_its_source() {
    let folder = folder();
    let path = written(&folder, &capture());
    let journal = folder.path().join("journal").display().to_string();
    let cluster = mock(&["orders", "payments", "alike"]);
    let brokers = cluster.bootstrap_servers();
    let args = replay_to(
        &brokers,
        &path,
        &["--resolve-dates=date", "--resume", &journal],
    );
    let (output, report) = json_of(&args);
    assert_eq!(
        (output.code, ledger(&report).as_str()),
        (0, "10 = 10 delivered"),
        "{output:#?}"
    );
    let seen = read(&brokers, "payments").expect("the topic is readable");
    let value: Value = serde_json::from_str(seen[0].text()).expect("JSON");
    let due = value["due"]
        .as_str()
        .map(|due| (due.len(), due.starts_with("20")));
    assert_eq!(due, Some(("2026-07-05".len(), true)), "{value}");
    let (output, report) = json_of(&args);
    assert_eq!(
        (output.code, &report["resume"]["skipped"]),
        (0, &json!(10)),
        "{output:#?}"
    );
}
