//! Several machines with one `--start-at` share one schedule: a record is due on its machine when it would be
//! due if one machine sent all, by the plan, by what arrives, and by the timestamps that it gets.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::{START_MS, TOPIC, lines, mock, planned, report_of, run};
use crate::harness::paths::fixture;
use crate::harness::run::{Run, RunOutput, kreplay, report};
use crate::harness::verdict::readback::read;

const SHARDS: usize = 3;
const PARTITIONS: i32 = 4;
const TIMED: [&str; 4] = ["--clock", "record", "--speed", "2x"];

fn shard(index: usize) -> [String; 2] {
    ["--shard".into(), format!("{index}/{SHARDS}")]
}

/// Records a tenth of a second apart, after which there is nothing for 5 s, and then as many again. The first
/// three are of partition 0, and a partition of their own each in turn after that.
fn capture() -> Vec<(i32, i64, i64)> {
    let mut offsets = BTreeMap::new();
    let partition = |i: i32| if i < 3 { 0 } else { i % PARTITIONS };
    let times = (0..12).chain(62..74);
    let mut record = |(i, tenths): (i32, i64)| {
        let partition = partition(i);
        let offset = offsets.entry(partition).or_insert(-1);
        *offset += 1;
        (partition, *offset, tenths * 100)
    };
    (0..).zip(times).map(&mut record).collect()
}

fn command(words: &[&str], shard: &[String], input: &str) -> RunOutput {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("lines"), input).expect("the folder is writable");
    let args = words.iter().map(|word| (*word).to_owned());
    Run::new(args.chain(shard.iter().cloned()))
        .cwd(folder.path())
        .output()
}

/// The times of the records that a machine has, in milliseconds after the first of all.
fn times(index: usize, input: &str) -> Vec<i64> {
    let output = command(&["extract", "lines", "-q"], &shard(index), input);
    let time = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        line["timestamp"].as_i64().expect("a time") - START_MS
    };
    output.stdout.lines().map(time).collect()
}

fn all_times(input: &str) -> Vec<Vec<i64>> {
    let all: Vec<Vec<i64>> = (1..=SHARDS).map(|index| times(index, input)).collect();
    let begin = all.iter().filter(|times| times.contains(&0)).count();
    assert_eq!(begin, 1, "one machine has the first record: {all:?}");
    assert!(
        all.iter().any(|times| times.iter().all(|ms| *ms >= 300)),
        "another one begins later: {all:?}"
    );
    all
}

fn duration_s(plan: &Value) -> f64 {
    let duration = plan["schedule"]["duration_s"].as_f64();
    duration.unwrap_or_else(|| panic!("a duration: {plan:#}"))
}

#[test]
fn each_machine_plans_from_the_first_record_of_all() {
    let input = lines(capture());
    let plan = |index: usize, flags: &[&str]| {
        let words = [&["plan", "lines", "--report", "json"], &TIMED[..], flags].concat();
        let output = command(&words, &shard(index), &input);
        assert_eq!(output.code, 0, "{output:#?}");
        report(&output)
    };
    for (index, times) in (1..).zip(all_times(&input)) {
        let last = *times.last().expect("each has some") as f64 / 1000.0;
        let close = |planned: &Value, expected: f64| {
            let planned = duration_s(planned);
            assert!(
                (planned - expected).abs() < 1e-6,
                "{index}: {planned} {expected}"
            );
        };
        close(&plan(index, &[]), last / 2.0);
        // The pause of 5.1 s becomes one of 2 s on every machine, even if its own was longer.
        let cut = plan(index, &["--max-gap", "2s"]);
        close(&cut, (last - 3.1) / 2.0);
        assert_eq!(cut["schedule"]["timing"]["gaps_cut_s"], 3.1);
        // A pass takes the 7.3 s of all machines, even if this one sends its last record before that.
        close(&plan(index, &["--loop", "3"]), (2.0 * 7.3 + last) / 2.0);
        // Only its own records count.
        let due: Vec<i64> = times.iter().map(|ms| due_with_cut(*ms)).collect();
        let within = |from: &i64| {
            let span = *from..*from + 1000;
            due.iter().filter(|ms| span.contains(*ms)).count()
        };
        let most = due.iter().map(within).max();
        let first = due.iter().find(|from| Some(within(from)) == most);
        let peak = &cut["schedule"]["peak_second"];
        assert_eq!(peak["records"], most.expect("each has some"), "{peak}");
        let first = *first.expect("each has some") as f64 / 1000.0;
        assert_eq!(peak["at_s"], first);
    }
}

#[test]
fn the_start_of_all_machines_does_not_depend_on_how_fast_the_source_comes() {
    // The first record of all is the second one, and comes long after the first.
    let begin = lines([(0, 0, 1000)]);
    let rest = lines([
        (1, 0, 0),
        (0, 1, 2000),
        (1, 1, 2500),
        (2, 0, 3000),
        (3, 0, 3500),
    ]);
    let all = format!("{begin}{rest}");
    for index in 1..=SHARDS {
        let args = ["plan", "-", "--as", "records", "--report", "json"];
        let args = [&args[..], &TIMED].concat();
        let args = args.into_iter().map(str::to_owned).chain(shard(index));
        let mut run = Run::new(args).stdin_open().spawn();
        run.write_stdin(begin.as_bytes());
        // A replay of one machine begins with what it knows after half a second.
        std::thread::sleep(Duration::from_millis(1200));
        run.write_stdin(rest.as_bytes());
        run.close_stdin();
        let output = run.wait();
        assert_eq!(output.code, 0, "{output:#?}");
        let last = times(index, &all).into_iter().max().expect("each has some");
        let expected = last as f64 / 1000.0 / 2.0;
        let planned = duration_s(&report(&output));
        assert!(
            (planned - expected).abs() < 1e-6,
            "{index}: {planned} {expected}"
        );
    }
}

#[test]
fn a_record_far_behind_that_is_earlier_than_the_first_goes_at_once_on_its_machine_and_is_named() {
    // These are more records than kreplay examines to find the first one; one of another partition is earlier.
    let many = (0..20_000).map(|n| (0, n, 1000 + n / 10));
    let input = lines(many.chain([(1, 0, 0), (1, 1, 500), (1, 2, 3100)]));
    let mut named = 0;
    let mut sent = 0;
    for index in 1..=SHARDS {
        let words = [&["plan", "lines", "--report", "json"], &TIMED[..]].concat();
        let output = command(&words, &shard(index), &input);
        let plan = report(&output);
        sent += plan["ledger"]["to_send"].as_u64().expect("a count");
        let Some(problem) = plan["problems"].as_array().and_then(|all| all.first()) else {
            continue;
        };
        assert_eq!(problem["what"], "time_back", "{plan:#}");
        assert_eq!(
            (&problem["count"], &plan["schedule"]["timing"]["clamped"]),
            (&2.into(), &2.into())
        );
        let why = "orders [1] @ 0: its time is before that of the first record, so it goes at once";
        assert_eq!(problem["first"]["why"], why);
        // 3.1 s is 2.1 s after the first record of all.
        assert!((duration_s(&plan) - 1.05).abs() < 1e-6, "{plan:#}");
        named += 1;
    }
    assert_eq!((named, sent), (1, 20_003));
}

/// When a record of the capture is due at 2x, with its pause of 5.1 s cut to 2 s.
fn due_with_cut(captured_ms: i64) -> i64 {
    (captured_ms - if captured_ms > 2000 { 3100 } else { 0 }) / 2
}

fn since_1970() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970")
}

/// Replays with all machines at once; returns when they began, in milliseconds since 1970.
fn replay_together(brokers: &str, flags: &[&str], input: &str) -> i64 {
    let start = since_1970() + Duration::from_millis(2500);
    let text = humantime::format_rfc3339_millis(UNIX_EPOCH + start).to_string();
    let flags = [&TIMED[..], &["--start-at", &text], flags].concat();
    let running = (1..=SHARDS).map(|index| {
        let shard = shard(index);
        let flags: Vec<&str> = flags
            .iter()
            .copied()
            .chain(shard.iter().map(String::as_str))
            .collect();
        run(brokers, &flags).stdin(input).spawn()
    });
    let running: Vec<_> = running.collect();
    for run in running {
        report_of(&run.wait_within(Duration::from_secs(30)), 0);
    }
    i64::try_from(start.as_millis()).expect("a time of this age")
}

#[test]
fn no_machine_sends_a_record_before_it_is_due_by_the_time_of_all() {
    let input = lines(capture());
    all_times(&input);
    let mock = mock(PARTITIONS);
    let brokers = mock.bootstrap_servers();
    let start = replay_together(&brokers, &["--max-gap", "2s"], &input);
    let seen = read(&brokers, TOPIC).expect("the topic is readable");
    let mut values: Vec<i64> = seen.iter().map(planned).collect();
    values.sort_unstable();
    let expected: Vec<i64> = capture().iter().map(|(.., ms)| *ms).collect();
    assert_eq!(values, expected, "each record once");
    for record in &seen {
        let captured = planned(record);
        let due = due_with_cut(captured);
        let sent = record.timestamp_ms - start;
        assert!(sent >= due - 1, "{captured} was sent after {sent} ms");
    }
}

#[test]
fn shifted_timestamps_keep_their_distances_across_machines() {
    let input = lines(capture().into_iter().take(12));
    let mock = mock(PARTITIONS);
    let brokers = mock.bootstrap_servers();
    let start = replay_together(&brokers, &["--timestamps", "shift"], &input);
    let seen = read(&brokers, TOPIC).expect("the topic is readable");
    assert_eq!(seen.len(), 12);
    for record in &seen {
        let expected = start + planned(record) / 2;
        // Each machine reads its own clock once.
        let off = record.timestamp_ms - expected;
        assert!(off.abs() <= 5, "{} is {off} ms off", record.text());
    }
}

#[test]
fn the_documented_plan_of_three_machines_is_what_is_printed() {
    let docs = include_str!("../../../docs/timing.md");
    let call = "    $ for i in 1 2 3; do kreplay plan fixtures/shop.jsonl --speed 1x --shard $i/3 | \
                grep -E 'found|duration'; done\n";
    let block = docs.split(call).nth(1).expect("the example is there");
    let shown = block.lines().map_while(|line| line.strip_prefix("    "));
    let shop = fixture("shop.jsonl").display().to_string();
    let mut printed = Vec::new();
    for index in 1..=3 {
        let shard = format!("{index}/3");
        let output = kreplay(["plan", &shop, "--speed", "1x", "--shard", &shard]);
        assert_eq!(output.code, 0, "{output:#?}");
        let lines = output.stdout.lines();
        let lines = lines.filter(|line| line.contains("found") || line.contains("duration"));
        printed.extend(lines.map(str::to_owned));
    }
    assert_eq!(printed, shown.collect::<Vec<_>>());
}
