//! What speaks against a replay: records that it would not write or send in order, and flags that it refuses.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{SourceRecord, every, lines, plan, run};
use crate::harness::paths::fixture;
use crate::harness::run::{Run, kreplay, report};
use serde_json::json;

#[test]
fn a_record_is_too_large_from_the_byte_on_at_which_a_replay_refuses_it() {
    // Key of 3 bytes, one header of 4 + 5 bytes with two lengths, 36 bytes of the record's own.
    let most = 1_048_588 - 36 - 3 - (1 + 4 + 1 + 5);
    let of = |bytes: usize| SourceRecord {
        topic: "orders",
        partition: Some(0),
        key: Some("key".into()),
        value: "x".repeat(bytes),
        ..SourceRecord::default()
    };
    let text = lines(&[of(most), of(most + 1), of(10)]);
    let flags = ["--header", "name=value"];
    let planned = plan(&text, &flags, 1);
    assert_eq!(planned["ledger"]["to_send"], 2);
    assert_eq!(planned["ledger"]["not_written"], 1);
    assert_eq!(planned["topics"][0]["refused"]["too_large"], 1);
    let said = "a replay would deliver 2 of 3 records: 1 larger than their topic allows";
    assert_eq!(planned["verdict"], said);
    let why = planned["problems"][0]["first"].to_string();
    assert!(
        why.contains("1048589 bytes") && why.contains("\"line\":2"),
        "{why}"
    );
    let replayed = run("replay", &text, &[&flags[..], &["--rehearse"]].concat());
    let replayed = report(&replayed);
    assert_eq!(replayed["ledger"]["delivered"], 2);
    assert_eq!(replayed["ledger"]["not_written"], 1);
    // A limit that the user sets counts.
    let own = plan(
        &text,
        &[&flags[..], &["-X", "message.max.bytes=2000000"]].concat(),
        0,
    );
    assert_eq!(own["ledger"]["to_send"], 3);
}

#[test]
fn timestamps_that_retention_would_delete_are_counted_and_shifted_ones_are_not() {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let now = u64::try_from(now.as_millis()).expect("a time of this age");
    let day = 86_400_000;
    let at = |n: u64, time_ms: u64| SourceRecord {
        offset: Some(n),
        time_ms: Some(time_ms),
        ..every(0, 1)[0].clone()
    };
    // Kafka's default keeps seven days and accepts an hour of the future.
    let text = lines(&[
        at(0, now - 9 * day),
        at(1, now - 6 * day),
        at(2, now + 7_200_000),
    ]);
    let original = plan(&text, &["--timestamps", "original"], 1);
    let refused = &original["topics"][0]["refused"];
    assert_eq!(
        (&refused["expired"], &refused["too_late"]),
        (&1.into(), &1.into())
    );
    assert_eq!(original["ledger"]["to_send"], 1);
    assert_eq!(plan(&text, &[], 0)["ledger"]["to_send"], 3);
    // At full speed, shifted times are days ahead of the clock; at their own speed they are not.
    let shift = ["--timestamps", "shift"];
    let flat_out = plan(&text, &shift, 1);
    assert_eq!(flat_out["topics"][0]["refused"]["too_late"], 2);
    let timed = ["--speed", "1x", "--clock", "record"];
    assert_eq!(
        plan(&text, &[&shift[..], &timed].concat(), 0)["ledger"]["to_send"],
        3
    );
}

#[test]
fn records_too_late_for_their_order_are_named_and_can_be_allowed() {
    // More than a window's worth of records goes before the first one of the partition.
    let mut records = every(1, 150_000);
    records.rotate_left(1);
    let text = lines(&records);
    let planned = plan(&text, &[], 1);
    let problem = &planned["problems"][0];
    assert_eq!(
        (&problem["what"], &problem["count"]),
        (&"out_of_order".into(), &1.into())
    );
    let said = "a replay would deliver all 150,000 records: 1 out of order";
    assert_eq!(planned["verdict"], said);
    plan(&text, &["--allow-reordered"], 0);
}

#[test]
fn ids_without_names_are_listed() {
    let file = fixture("topic-id-unknown.jsonl").display().to_string();
    let output = kreplay(["plan", &file, "--report", "json"]);
    assert_eq!(output.code, 1, "{output:#?}");
    let planned = report(&output);
    let id = "4jfhP0BF2SmV6Nl7qrdn9Q";
    assert_eq!(planned["unresolved_topic_ids"][0]["topic_id"], id);
    assert_eq!(planned["ledger"]["unreadable"], 1);
    let name = format!("{id}=named");
    let output = kreplay(["plan", &file, "--report", "json", "--topic-id", &name]);
    assert_eq!(
        (output.code, &report(&output)["ledger"]["to_send"]),
        (0, &3.into())
    );
}

#[test]
fn plan_refuses_the_usage_errors_of_replay() {
    let untimed = SourceRecord {
        time_ms: None,
        ..every(0, 1)[0].clone()
    };
    let text = lines(&[untimed]);
    let cases: [(&[&str], &str); 4] = [
        (&["--speed", "1x"], "`--speed` uses the times"),
        (&["--map", "ordrs=x"], "`--map ordrs=x` matches nothing"),
        (&["--max-gap", "1s"], "`--max-gap` cuts pauses"),
        (&["-X", "bootstrap.server=x:1"], "no brokers are named"),
    ];
    for (flags, said) in cases {
        let output = run("plan", &text, flags);
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (2, ""),
            "{output:#?}"
        );
        assert!(output.stderr.contains(said), "{output:#?}");
    }
    let output = Run::new(["plan", "-", "--loop", "2"]).stdin("").output();
    assert_eq!(output.code, 2, "{output:#?}");
    let output = Run::new(["plan", "-"]).stdin("").output();
    assert_eq!(output.code, 1, "{output:#?}");
    let cut = fixture("cut.jsonl").display().to_string();
    assert_eq!(kreplay(["plan", &cut]).code, 4);
}

/// Record lines of `orders` with these values.
fn with_values(values: &[&str]) -> String {
    let line = |(n, value): (u64, &&str)| SourceRecord {
        offset: Some(n),
        value: (*value).to_owned(),
        ..every(0, 1)[0].clone()
    };
    lines(&(0..).zip(values).map(line).collect::<Vec<_>>())
}

#[test]
fn redacted_texts_are_counted_and_end_a_replay_that_is_not_to_send_them() {
    let text = with_values(&["v", "REDACTED-1", "REDACTED-2"]);
    let planned = plan(&text, &[], 0);
    let redacted = json!([{ "topic": "orders", "records": 2 }]);
    assert_eq!(planned["redacted"], redacted);
    let page = Run::new(["plan", "-"]).stdin(text.clone()).output();
    let line = "redacted   2 records: orders 2\n";
    assert!(page.stdout.contains(line), "{page:#?}");

    let planned = plan(&text, &["--fail-on-redacted"], 1);
    let replayed = run("replay", &text, &["--rehearse", "--fail-on-redacted"]);
    assert_eq!(replayed.code, 1, "{replayed:#?}");
    assert_eq!(planned["errors"], report(&replayed)["errors"]);
    let verdict = planned["verdict"].as_str().expect("text");
    let said = "a replay would not send all: lines:2 holds a text that data-loss prevention";
    assert!(verdict.starts_with(said), "{verdict}");
    assert_eq!(planned["ledger"]["to_send"], 3, "the forecast is whole");
}

#[test]
fn dates_to_be_resolved_are_refused_as_a_replay_refuses_them_and_resolved_with_leave() {
    // 1,048,588 bytes with the placeholder, and some less with the day in its place.
    let long = "x".repeat(1_048_588 - 36 - 28) + "{speedscale_date(-744h0m0s)}";
    let text = with_values(&["v", &long, "y{speedscale_date(1h)"]);
    let sound = with_values(&["v", &long]);
    let more = with_values(&["v", &(long.clone() + "1234")]);
    for command in ["plan", "replay"] {
        let flags: &[&str] = match command {
            "plan" => &[],
            _ => &["--rehearse"],
        };
        let output = run(command, &sound, flags);
        let shown = (output.code, output.stdout.as_str());
        assert_eq!(shown, (2, ""), "{output:#?}");
        let said = "kreplay: lines:2 holds a date that is still to be resolved: \
                    `{speedscale_date(...)}`\nhint: `--resolve-dates` ";
        assert!(output.stderr.contains(said), "{output:#?}");
        // One that cannot be resolved.
        let resolving = [flags, &["--resolve-dates"]].concat();
        let output = run(command, &text, &resolving);
        assert_eq!(output.code, 2, "{output:#?}");
        let said = "lines:3: `{speedscale_date(` is not closed by `)}`";
        assert!(output.stderr.contains(said), "{output:#?}");
        // The date is 18 bytes shorter than its placeholder: what counts is what is sent.
        let day = [flags, &["--resolve-dates=date"]].concat();
        for text in [&sound, &more] {
            let output = run(command, text, &day);
            assert_eq!(output.code, 0, "{output:#?}");
        }
    }
    let planned = plan(&more, &["--resolve-dates=date"], 0);
    let dates = json!([{ "topic": "orders", "records": 1 }]);
    assert_eq!(planned["date_placeholders"], dates);
    assert_eq!(
        planned["problems"],
        json!([]),
        "they are no trouble any more"
    );
}
