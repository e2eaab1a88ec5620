//! When records are sent: speed, rates, ramp and start, by the times at which they reach a topic.
//!
//! Apart because these tests take time by nature: each runs for a second or three. None requires more speed
//! than a busy machine has; the tests of `schedule/` have the exact times, with their own clock, and
//! `real_kafka.rs` the clock of a real broker.

mod shards;

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::harness::report::ledger::ledger;
use crate::harness::run::{Run, RunOutput, kreplay, report};
use crate::harness::verdict::readback::{LoggedRecord, count, read};
use nix::sys::signal::Signal::{SIGCONT, SIGINT, SIGSTOP};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use serde_json::{Value, json};

const TOPIC: &str = "orders";
/// The time of the first record of most captures here.
const START_MS: i64 = 1_764_787_375_000;
const HOUR_MS: i64 = 3_600_000;
const YEAR_MS: i64 = 365 * 24 * HOUR_MS;

/// How long an end may take that waits for nobody.
const AT_ONCE: Duration = Duration::from_secs(3);

fn mock(partitions: i32) -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    let created = cluster.create_topic(TOPIC, partitions, 1);
    created.expect("a topic");
    cluster
}

/// Record lines of these partitions, offsets and times after the start; the value is the time.
fn lines(records: impl IntoIterator<Item = (i32, i64, i64)>) -> String {
    let mut lines = String::new();
    for (partition, offset, ms) in records {
        let line = json!({
            "topic": TOPIC, "partition": partition, "offset": offset,
            "timestamp": START_MS + ms, "value": ms.to_string(),
        });
        writeln!(lines, "{line}").expect("writing to a string cannot fail");
    }
    lines
}

/// This many records in partition 0, all of one time.
fn at_once(records: i64) -> String {
    lines((0..records).map(|offset| (0, offset, 0)))
}

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

fn replay(brokers: &str, flags: &[&str], input: impl Into<Vec<u8>>) -> RunOutput {
    run(brokers, flags).stdin(input).output()
}

fn run(brokers: &str, flags: &[&str]) -> Run {
    let args = ["replay", "-", "-b", brokers, "--report", "json"];
    Run::new(args.iter().chain(flags).map(|arg| (*arg).to_owned()))
}

/// The report of a run that ended with this code.
fn report_of(output: &RunOutput, code: i32) -> Value {
    assert_eq!(output.code, code, "{output:#?}");
    report(output)
}

/// The records in the log by the time of their sending, which is the timestamp that they have.
fn sent(brokers: &str) -> Vec<LoggedRecord> {
    let mut seen = read(brokers, TOPIC).expect("the topic is readable");
    seen.sort_by_key(|seen| seen.timestamp_ms);
    seen
}

/// The planned time of a record, by its value.
fn planned(seen: &LoggedRecord) -> i64 {
    seen.text().parse().expect("a number")
}

/// Milliseconds from the first sending on.
fn after_first(sent: &[LoggedRecord]) -> Vec<i64> {
    let first = sent[0].timestamp_ms;
    sent.iter().map(|seen| seen.timestamp_ms - first).collect()
}

/// Checks that no record was sent before its time, which is the value divided by `speed`. The first one may
/// have been late itself.
fn assert_kept(sent: &[LoggedRecord], speed: i64, lateness_of_first_ms: i64) {
    for (seen, after) in sent.iter().zip(after_first(sent)) {
        let due = planned(seen) / speed - lateness_of_first_ms - 1;
        assert!(after >= due, "{} was sent after {after} ms", seen.text());
    }
}

/// The greatest lateness in whole milliseconds.
fn latest_ms(report: &Value) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "some milliseconds")]
    let latest = lateness_ms(report, "max").ceil() as i64;
    latest
}

fn lateness_ms(report: &Value, of: &str) -> f64 {
    let lateness = report["timing"]["lateness_ms"][of].as_f64();
    lateness.unwrap_or_else(|| panic!("a lateness: {report:#}"))
}

#[test]
fn at_1x_no_record_is_sent_early_and_partitions_are_merged_by_time() {
    let mock = mock(2);
    let brokers = mock.bootstrap_servers();
    // One partition after the other: 0, 200, .. and 100, 300, ..
    let partition = |p: i32| (0..6).map(move |i| (p, i, i * 200 + i64::from(p) * 100));
    let input = lines(partition(0).chain(partition(1)));
    let output = replay(&brokers, &["--speed", "1x", "--clock", "record"], input);
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "12 = 12 delivered");
    let sent = sent(&brokers);
    assert_kept(&sent, 1, latest_ms(&report));
    let times: Vec<i64> = sent.iter().map(planned).collect();
    assert_eq!(times, (0..12).map(|i| i * 100).collect::<Vec<_>>());
    let timing = &report["timing"];
    assert_eq!(timing["asked"], "1x");
    assert_eq!(
        (&timing["gaps_cut_s"], &timing["clamped"]),
        (&json!(0.0), &json!(0))
    );
    assert!(
        timing["reached"]
            .as_f64()
            .is_some_and(|reached| reached > 0.0 && reached < 1.001)
    );
    // Of each record: acknowledged minus due is sent minus due and acknowledged minus sent.
    let response = timing["response_ms"]["max"].as_f64().expect("a response");
    let latency = report["latency_ms"]["max"].as_f64().expect("a latency");
    assert!(
        response <= lateness_ms(&report, "max") + latency + 0.01,
        "{report:#}"
    );
    assert!(response >= latency, "{report:#}");
}

#[test]
fn at_40x_a_capture_takes_a_fortieth_of_its_time() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    // 40 s.
    let input = lines((0..=20).map(|i| (0, i, i * 2000)));
    let output = replay(&brokers, &["--speed", "40", "--clock", "record"], input);
    let report = report_of(&output, 0);
    let sent = sent(&brokers);
    assert_kept(&sent, 40, latest_ms(&report));
    assert!(output.elapsed < Duration::from_secs(20), "{output:#?}");
    assert_eq!(report["timing"]["asked"], "40x");
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
fn a_pause_is_cut_and_the_report_says_by_how_much() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let input = lines([
        (0, 0, 0),
        (0, 1, 100),
        (0, 2, HOUR_MS),
        (0, 3, HOUR_MS + 50),
    ]);
    let flags = ["--speed", "1x", "--clock", "record", "--max-gap", "300ms"];
    let report = report_of(&replay(&brokers, &flags, input.clone()), 0);
    let timing = &report["timing"];
    // 3,600 s - 0.1 s are one pause, of which 0.3 s are kept.
    assert_eq!(
        (&timing["gaps"], &timing["gaps_cut_s"]),
        (&json!(1), &json!(3599.6))
    );
    let after = after_first(&sent(&brokers));
    let late = latest_ms(&report);
    assert!(after[3] >= 450 - late - 1, "{after:?}");
    let args = ["replay", "-", "--rehearse", "--create-topics"];
    let text = Run::new(args.iter().chain(&flags).map(|arg| (*arg).to_owned()));
    let text = text.stdin(input).output();
    let said = "\ngaps       1 cut by 3599.6 s in all\n";
    assert!(text.stdout.contains(said), "{}", text.stdout);
    assert!(
        text.stdout.contains("\ntiming     asked 1x, reached "),
        "{}",
        text.stdout
    );
}

#[test]
fn a_wait_of_an_hour_ends_at_once_when_it_is_interrupted() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let mut run = run(&brokers, &["--speed", "1x", "--clock", "record"])
        .stdin_open()
        .spawn();
    let records = [(0, 0, 0), (0, 1, 200), (0, 2, HOUR_MS), (0, 3, HOUR_MS)];
    run.write_stdin(lines(records).as_bytes());
    run.close_stdin();
    run.wait_until("the first records are there", |_| {
        count(&brokers, TOPIC) == Ok(2)
    });
    let begin = Instant::now();
    run.signal(SIGINT);
    let output = run.wait_within(AT_ONCE * 4);
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    let report = report_of(&output, 130);
    assert_eq!(ledger(&report), "4 = 2 delivered + 2 unsent");
    assert_eq!(report["timing"]["asked"], "1x");
    // The hour that kreplay did not wait for is not part of it.
    let reached = report["timing"]["reached"].as_f64().expect("a speed");
    assert!(reached > 0.0 && reached < 1.01, "{reached}");
}

#[test]
fn a_time_that_jumps_by_years_is_named_with_the_flag_that_cuts_it() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let input = lines([(0, 0, 0), (0, 1, 3 * YEAR_MS), (0, 2, 10)]);
    let flags = ["--speed", "1x", "--clock", "record"];
    let mut run = run(&brokers, &flags).stdin_open().spawn();
    run.write_stdin(input.as_bytes());
    run.close_stdin();
    run.wait_until("it says what it waits for", |run| {
        run.stderr_so_far()
            .contains("orders [0] @ 1 is due in 1094 days")
    });
    assert!(
        run.stderr_so_far().contains("`--max-gap 5s`"),
        "{}",
        run.stderr_so_far()
    );
    run.signal(SIGINT);
    let report = report_of(&run.wait_within(AT_ONCE * 4), 130);
    assert_eq!(ledger(&report), "3 = 1 delivered + 2 unsent");

    let flags = [&flags[..], &["--max-gap", "100ms"]].concat();
    let report = report_of(&replay(&brokers, &flags, input), 0);
    assert_eq!(ledger(&report), "3 = 3 delivered");
    // There and back.
    assert_eq!(report["timing"]["jumps"], 2);
    let problem = &report["problems"][0];
    assert_eq!(
        (&problem["what"], &problem["count"]),
        (&json!("time_jump"), &json!(2))
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
fn each_pass_of_a_loop_keeps_the_rhythm_and_starts_where_the_one_before_ended() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let input = lines([(0, 0, 0), (0, 1, 400), (0, 2, 600)]);
    std::fs::write(folder.path().join("lines"), input).expect("the folder is writable");
    let args = ["replay", "lines", "-b", &brokers, "--report", "json"];
    let flags = ["--speed", "2x", "--clock", "record", "--loop", "3"];
    let run = Run::new([args, flags].concat()).cwd(folder.path());
    let report = report_of(&run.output(), 0);
    assert_eq!(ledger(&report), "9 = 9 delivered");
    assert_eq!(report["passes"], 3);
    let seen = read(&brokers, TOPIC).expect("the topic is readable");
    let values: Vec<i64> = seen.iter().map(planned).collect();
    assert_eq!(values, [0, 400, 600].repeat(3));
    // A pass of 600 ms takes 300 ms at twice the speed, and the next one begins with its end.
    let dues = [0, 200, 300, 300, 500, 600, 600, 800, 900];
    let latest = latest_ms(&report);
    for (due, after) in dues.into_iter().zip(after_first(&seen)) {
        assert!(after >= due - latest - 1, "{after} ms, due at {due}");
        // Each pass begins late by as much as the last record before it was, and by what reading the source again
        // takes, which is a lot on a busy machine.
        assert!(after <= due + 3 * latest + 1500, "{after} ms, due at {due}");
    }
    let reached = report["timing"]["reached"].as_f64().expect("a speed");
    assert!(reached <= 2.01, "{report:#}");
}

#[test]
fn a_speed_that_the_cluster_does_not_keep_up_with_ends_with_what_was_reached_and_why() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    // Five requests of one record each are answered in 200 ms, and ten records wait in the queue at most:
    // the last of 40 is handed over after a second at the earliest, and is due after 3.9 ms.
    let delayed = mock.broker_round_trip_time(1, Duration::from_millis(200));
    delayed.expect("the mock takes a delay");
    let flags = [
        "--speed",
        "100x",
        "--clock",
        "record",
        "-X",
        "batch.num.messages=1",
        "-X",
        "queue.buffering.max.messages=10",
    ];
    let input = lines((0..40).map(|i| (0, i, i * 10)));
    let report = report_of(&replay(&brokers, &flags, input), 0);
    assert_eq!(ledger(&report), "40 = 40 delivered");
    let timing = &report["timing"];
    assert_eq!(timing["asked"], "100x");
    let reached = timing["reached"].as_f64().expect("a speed");
    assert!(reached < 1.0, "{timing:#}");
    assert_eq!(timing["limited_by"], "cluster", "{timing:#}");
    assert!(lateness_ms(&report, "max") > 500.0, "{timing:#}");
}

#[test]
fn a_speed_that_the_input_does_not_keep_up_with_is_limited_by_the_input() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let flags = ["--speed", "1x", "--clock", "record"];
    let mut run = run(&brokers, &flags).stdin_open().spawn();
    run.write_stdin(lines([(0, 0, 0)]).as_bytes());
    run.wait_until("the first record is there", |_| {
        count(&brokers, TOPIC) == Ok(1)
    });
    // The rest is due after 100 ms, and comes later.
    thread::sleep(Duration::from_millis(1500));
    run.write_stdin(lines((1..10).map(|i| (0, i, 100))).as_bytes());
    run.close_stdin();
    let report = report_of(&run.wait(), 0);
    assert_eq!(ledger(&report), "10 = 10 delivered");
    assert_eq!(report["timing"]["limited_by"], "input", "{report:#}");
    let reached = report["timing"]["reached"].as_f64().expect("a speed");
    assert!(reached < 0.1, "{report:#}");
    assert!(lateness_ms(&report, "p50") > 1000.0, "{report:#}");
}

/// Checks that no window of sendings, in milliseconds, has more units than its share and the burst of 10 ms.
/// A sending is known to the millisecond.
fn assert_rate(sent_ms: &[i64], per_second: f64, unit: f64) {
    let most = 0.010 + 0.001 + unit / per_second;
    // By how much a sending is behind the share of its place. A window is ahead by what its beginning is more
    // behind than its end.
    let mut most_behind = f64::NEG_INFINITY;
    for (n, ms) in (0_u32..).zip(sent_ms) {
        let behind = *ms as f64 / 1000.0 - f64::from(n) * unit / per_second;
        most_behind = most_behind.max(behind);
        let ahead = most_behind - behind;
        assert!(ahead <= most, "{ahead} s ahead at {n}: {sent_ms:?}");
    }
}

#[test]
fn a_rate_holds_over_every_window_and_nothing_is_dropped() {
    for (asked, per_second, records) in [
        ("1/s", 1.0, 4),
        ("200/s", 200.0, 301),
        ("200k/s", 200_000.0, 60_001),
    ] {
        let mock = mock(1);
        let brokers = mock.bootstrap_servers();
        let report = report_of(&replay(&brokers, &["--rate", asked], at_once(records)), 0);
        assert_eq!(ledger(&report), format!("{records} = {records} delivered"));
        let after = after_first(&sent(&brokers));
        assert_eq!(i64::try_from(after.len()), Ok(records));
        assert_rate(&after, per_second, 1.0);
        let rate = &report["timing"]["rate"];
        assert_eq!(rate["asked"], per_second);
        // The whole may be made up for by the burst of 10 ms.
        let whole_s = (records - 1) as f64 / per_second;
        let most = per_second * (1.0 + 0.010 / whole_s) * 1.001;
        let reached = rate["reached"].as_f64().expect("a rate");
        assert!(reached <= most, "{report:#}");
        assert_eq!(report["timing"]["asked"], "max");
    }
}

#[test]
fn a_rate_of_bytes_counts_keys_values_and_headers() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let line = json!({
        "topic": TOPIC, "partition": 0, "key": "k".repeat(200), "value": "v".repeat(250),
        "headers": [["name", "h".repeat(46)]],
    });
    let input = format!("{line}\n").repeat(31);
    let report = report_of(&replay(&brokers, &["--byte-rate", "10kB/s"], input), 0);
    assert_eq!(ledger(&report), "31 = 31 delivered");
    // 500 bytes each: 20 records a second.
    assert_rate(&after_first(&sent(&brokers)), 10_000.0, 500.0);
    let reached = report["timing"]["byte_rate"]["reached"].as_f64();
    assert!(
        reached.is_some_and(|reached| reached <= 10_150.0),
        "{report:#}"
    );
}

#[test]
fn the_slower_of_speed_and_rate_wins_and_is_named() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let input = lines((0..=20).map(|i| (0, i, i * 10)));
    let flags = ["--speed", "1x", "--clock", "record", "--rate", "20"];
    let report = report_of(&replay(&brokers, &flags, input), 0);
    assert_rate(&after_first(&sent(&brokers)), 20.0, 1.0);
    assert_eq!(report["timing"]["limited_by"], "rate", "{report:#}");
}

#[test]
fn a_ramp_lets_a_rate_grow_from_zero() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let flags = ["--rate", "100", "--ramp", "2s"];
    let report = report_of(&replay(&brokers, &flags, at_once(121)), 0);
    let after = after_first(&sent(&brokers));
    let late = lateness_ms(&report, "max").ceil();
    for (n, after) in (0..).zip(after) {
        // After t seconds of the ramp 25 t² records are due, which are 100 after 2 s; then 100 a second. A
        // hundredth of a second of them may be made up for.
        let n = f64::from(n) - 1.0;
        let due = if n < 100.0 {
            (n.max(0.0) / 25.0).sqrt()
        } else {
            2.0 + (n - 100.0) / 100.0
        };
        assert!(
            after as f64 >= due * 1000.0 - late - 2.0,
            "record {n} after {after} ms"
        );
    }
}

#[test]
fn a_replay_starts_at_the_requested_time() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let now = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
    };
    let start = now() + Duration::from_millis(1500);
    let text = humantime::format_rfc3339_millis(UNIX_EPOCH + start).to_string();
    let report = report_of(&replay(&brokers, &["--start-at", &text], at_once(3)), 0);
    assert_eq!(ledger(&report), "3 = 3 delivered");
    let first = sent(&brokers)[0].timestamp_ms;
    assert!(
        i128::from(first) >= start.as_millis() as i128,
        "{first} for {start:?}"
    );

    let over = [
        "replay",
        "-",
        "--rehearse",
        "--start-at",
        "2020-01-01T00:00:00Z",
    ];
    let output = kreplay(over);
    assert_eq!(output.code, 2, "{output:#?}");
    assert!(
        output
            .stderr
            .contains("`--start-at` names a time that passed"),
        "{output:#?}"
    );
}

#[test]
fn a_replay_that_waits_for_its_start_ends_at_once_when_it_is_interrupted() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let start = SystemTime::now() + Duration::from_secs(3600);
    let start = humantime::format_rfc3339_millis(start).to_string();
    let mut run = run(&brokers, &["--start-at", &start]).stdin_open().spawn();
    run.write_stdin(at_once(3).as_bytes());
    run.close_stdin();
    run.wait_until("the destination was looked at", |run| {
        run.stderr_so_far().contains("orders (1 partition)")
    });
    let begin = Instant::now();
    run.signal(SIGINT);
    let output = run.wait_within(AT_ONCE * 4);
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    assert_eq!(ledger(&report_of(&output, 130)), "3 = 3 unsent");
    assert_eq!(count(&brokers, TOPIC), Ok(0));
}

#[test]
fn a_process_that_was_stopped_catches_up_and_says_how_late_it_was() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let mut run = run(&brokers, &["--speed", "1x", "--clock", "record"])
        .stdin_open()
        .spawn();
    run.write_stdin(lines((0..=30).map(|i| (0, i, i * 100))).as_bytes());
    run.close_stdin();
    run.wait_until("the first record is there", |_| {
        count(&brokers, TOPIC) >= Ok(1)
    });
    run.signal(SIGSTOP);
    // Until long after the last record is due.
    thread::sleep(Duration::from_millis(4500));
    run.signal(SIGCONT);
    let report = report_of(&run.wait_within(Duration::from_secs(20)), 0);
    assert_eq!(ledger(&report), "31 = 31 delivered");
    assert!(lateness_ms(&report, "max") >= 1000.0, "{report:#}");
    let values: Vec<i64> = read(&brokers, TOPIC)
        .expect("readable")
        .iter()
        .map(planned)
        .collect();
    assert!(values.is_sorted(), "{values:?}");
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

/// Flags that make no sense, and what is said of them.
const REFUSED: &[(&[&str], &str)] = &[
    (&["--speed", "0"], "a speed is above zero"),
    (&["--speed", "-1x"], "a speed is above zero"),
    (&["--speed", "NaN"], "a speed is above zero"),
    (
        &["--speed", "fast"],
        "expected `max` or a factor such as `1x`",
    ),
    (&["--rate", "0"], "expected records a second, above zero"),
    (&["--rate", "-5"], "expected records a second, above zero"),
    (&["--rate", "5MiB"], "expected records a second, above zero"),
    (
        &["--byte-rate", "NaN"],
        "expected bytes a second, above zero",
    ),
    (
        &["--max-gap", "0s", "--speed", "1x"],
        "a duration is above zero",
    ),
    (
        &["--ramp", "-5s", "--rate", "5"],
        "expected a duration above zero",
    ),
    (
        &["--start-at", "noon"],
        "expected a time as RFC 3339 writes it",
    ),
    (
        &["--max-gap", "5s"],
        "`--max-gap` cuts pauses, but `--speed max` keeps no pauses",
    ),
    (
        &["--ramp", "5s"],
        "`--ramp` lets a speed or a rate grow, but `--speed max` sets neither",
    ),
    (
        &["--clock", "wall", "--speed", "1x"],
        "possible values: capture, record",
    ),
    (
        &["--clock", "record"],
        "`--clock record` is for a `--speed` such as `1x`, `--from` and `--to`, and none of them is given",
    ),
    (
        &["--clock", "capture", "--speed", "max", "--rate", "5"],
        "`--clock capture` is for a `--speed` such as `1x`",
    ),
    (&["--for", "0s"], "a duration is above zero"),
    (&["--for", "-5s"], "expected a duration above zero"),
    (&["--give-up-after", "0s"], "a duration is above zero"),
    (
        &["--max-lag", "5"],
        "'--rehearse' cannot be used with '--max-lag <N>'",
    ),
    (
        &["--drain-timeout", "5s"],
        "'--rehearse' cannot be used with '--drain-timeout <DURATION>'",
    ),
];

#[test]
fn flags_that_make_no_sense_are_refused_in_one_line() {
    for (flags, said) in REFUSED {
        let args = ["replay", "-", "--rehearse"];
        let output = kreplay(args.iter().chain(*flags).map(|arg| (*arg).to_owned()));
        assert_eq!(output.code, 2, "{flags:?}: {output:#?}");
        assert!(output.stderr.contains(said), "{flags:?}: {}", output.stderr);
        assert_eq!(output.stdout, "");
    }
}
