//! Which time of a record counts, and records that have none.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{
    START_MS, TOPIC, after_first, assert_kept, at_once, latest_ms, lines, mock, planned, replay,
    report_of, sent,
};
use crate::harness::report::ledger::ledger;
use crate::harness::run::Run;
use crate::harness::verdict::readback::{count, read};
use serde_json::json;

/// An RRPair of one Fetch that was sent this long after the start and took `duration` ms; its records have
/// the value.
fn fetch(sent_ms: i64, duration: i64, (partition, offset): (i32, i64), value: &str) -> String {
    let sent = jiff_text(START_MS + sent_ms);
    let records = json!([{ "offsetDelta": offset, "valueString": value }]);
    let partitions = json!([{ "partitionIndex": partition, "records": { "records": records } }]);
    let response = json!({ "topics": [{ "name": TOPIC, "partitions": partitions }] });
    let pair = json!({
        "msgType": "rrpair", "command": "Fetch", "ts": sent, "duration": duration,
        "kafka": { "response": { "FetchResponse": response } },
    });
    format!("{pair}\n")
}

/// A time of the day of [`START_MS`] in RFC 3339.
fn jiff_text(ms: i64) -> String {
    // 2025-12-03T18:42:55Z, in seconds of that day.
    let of_day = ms - START_MS + ((18 * 60 + 42) * 60 + 55) * 1000;
    let (seconds, ms) = (of_day / 1000, of_day % 1000);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!(
        "2025-12-03T{hours:02}:{minutes:02}:{:02}.{ms:03}Z",
        seconds % 60
    )
}

#[test]
fn the_capture_clock_is_when_the_application_had_the_records() {
    let mock = mock(2);
    let brokers = mock.bootstrap_servers();
    // The first Fetch is sent first and answered last.
    let input = [
        fetch(0, 900, (0, 0), "900"),
        fetch(100, 200, (1, 0), "300"),
        fetch(550, 50, (1, 1), "600"),
    ];
    let output = replay(&brokers, &["--speed", "1x"], input.concat());
    let report = report_of(&output, 0);
    let sent = sent(&brokers);
    let order: Vec<i64> = sent.iter().map(planned).collect();
    assert_eq!(order, [300, 600, 900], "{report:#}");
    let late = latest_ms(&report);
    let after = after_first(&sent);
    assert!(
        after[1] >= 300 - late - 1 && after[2] >= 600 - late - 1,
        "{after:?}"
    );
}

#[test]
fn a_time_that_goes_back_within_a_partition_is_counted_and_the_order_holds() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let input = lines([(0, 0, 0), (0, 1, 200), (0, 2, 50), (0, 3, 100), (0, 4, 250)]);
    let report = report_of(
        &replay(&brokers, &["--speed", "1x", "--clock", "record"], input),
        0,
    );
    let seen = read(&brokers, TOPIC).expect("the topic is readable");
    let values: Vec<i64> = seen.iter().map(planned).collect();
    assert_eq!(values, [0, 200, 50, 100, 250]);
    assert_eq!(report["timing"]["clamped"], 2);
    let why = "orders [0] @ 2: its time is before that of an earlier record of its partition";
    let problem = json!({
        "what": "time_back", "count": 2,
        "first": { "input": "stdin", "line": 3, "why": why },
    });
    assert_eq!(report["problems"], json!([problem]));
}

#[test]
fn shifted_timestamps_keep_their_distances_divided_by_the_speed() {
    for (flags, divisor) in [
        (&["--timestamps", "shift"][..], 1),
        (
            &[
                "--timestamps",
                "shift",
                "--speed",
                "4x",
                "--clock",
                "record",
            ],
            4,
        ),
    ] {
        let mock = mock(1);
        let brokers = mock.bootstrap_servers();
        let input = lines((0..5).map(|i| (0, i, i * 400)));
        let now_ms = || {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .expect("after 1970")
                .as_millis()
        };
        let before = now_ms();
        report_of(&replay(&brokers, flags, input), 0);
        let seen = read(&brokers, TOPIC).expect("the topic is readable");
        let first = seen[0].timestamp_ms;
        assert!((before..=now_ms()).contains(&(first as u128)), "{first}");
        for record in &seen {
            assert_eq!(record.timestamp_ms - first, planned(record) / divisor);
        }
    }
}

#[test]
fn an_input_without_times_is_refused_before_anything_is_sent() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let untimed = json!({ "topic": TOPIC, "partition": 0, "offset": 0, "value": "v" });
    let untimed = format!("{untimed}\n");
    for (flags, input, flag) in [
        (&["--speed", "1x"][..], at_once(2), "`--clock record`"),
        (
            &["--speed", "1x", "--clock", "record"],
            untimed,
            "`--timestamp PATH`",
        ),
    ] {
        let output = replay(&brokers, flags, input);
        assert_eq!(output.code, 2, "{output:#?}");
        assert!(output.stderr.contains(flag), "{output:#?}");
        assert!(output.stderr.contains("stdin:1 has none"), "{output:#?}");
    }
    assert_eq!(count(&brokers, TOPIC), Ok(0));
}

#[test]
fn a_csv_without_times_is_refused_before_anything_is_sent_and_the_flags_that_read_them_are_named() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let speed = ["--speed", "1x", "-t", TOPIC, "--as", "csv", "--value", "v"];
    let by_record = [&speed[..], &["--clock", "record"]].concat();
    let untimed = "v,when\n0,1764787375000\n300,1764787375300\n";
    for (flags, named) in [
        (&speed[..], "`--clock record`"),
        (&by_record, "`--timestamp PATH`"),
    ] {
        for command in ["replay", "plan"] {
            let args = [command, "-", "-b", &brokers];
            let output = Run::new([&args[..], flags].concat());
            let output = output.stdin(untimed).output();
            assert_eq!((output.code, &*output.stdout), (2, ""), "{output:#?}");
            assert!(output.stderr.contains("stdin:2 has none"), "{output:#?}");
            assert!(output.stderr.contains(named), "{output:#?}");
        }
    }
    assert_eq!(count(&brokers, TOPIC), Ok(0));
    // With what is named, and with the column that speedctl writes, there are times.
    let named = [&by_record[..], &["--timestamp", "when"]].concat();
    let captured = "v,ts\n0,2025-12-03T18:42:55Z\n300,2025-12-03T18:42:55.3Z\n";
    for (flags, input, there) in [(&named[..], untimed, 2), (&speed[..], captured, 4)] {
        let report = report_of(&replay(&brokers, flags, input), 0);
        assert_eq!(ledger(&report), "2 = 2 delivered");
        assert_eq!(report["timing"]["untimed"], 0, "{report:#}");
        assert_eq!(count(&brokers, TOPIC), Ok(there));
    }
}

#[test]
fn records_without_a_time_are_sent_with_the_one_before_and_counted() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let untimed = json!({ "topic": TOPIC, "partition": 0, "offset": 2, "value": "300" });
    let input = lines([(0, 0, 0), (0, 1, 300)]) + &format!("{untimed}\n");
    let report = report_of(
        &replay(&brokers, &["--speed", "1x", "--clock", "record"], input),
        0,
    );
    assert_kept(&sent(&brokers), 1, latest_ms(&report));
    assert_eq!(report["timing"]["untimed"], 1);
    assert_eq!(report["problems"][0]["what"], "untimed");
}
