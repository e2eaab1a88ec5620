//! `kreplay plan`: every figure of a forecast over generated captures, against what the test itself counts;
//! what speaks against a replay; and that a replay then does what was forecast.
//!
//! Rights and topic settings of a real broker are in `real_kafka.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::harness::capture::seed::SeededRandom;
use crate::harness::paths::fixture;
use crate::harness::run::{Run, RunOutput, kreplay, report};
use crate::harness::verdict::readback::count;
use nix::sys::signal::Signal::SIGINT;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use serde_json::{Value, json};

/// 2025-12-03T18:42:55Z.
const START_MS: u64 = 1_764_787_375_000;

/// A record line.
#[derive(Debug, Clone, Default)]
struct SourceRecord {
    topic: &'static str,
    partition: Option<i32>,
    offset: Option<u64>,
    time_ms: Option<u64>,
    key: Option<String>,
    value: String,
}

fn lines(records: &[SourceRecord]) -> String {
    let mut lines = String::new();
    for record in records {
        let mut line = json!({ "topic": record.topic, "value": record.value });
        for (name, number) in [
            ("offset", record.offset),
            ("timestamp", record.time_ms),
            (
                "partition",
                record
                    .partition
                    .map(|p| u64::try_from(p).expect("not negative")),
            ),
        ] {
            if let Some(number) = number {
                line[name] = number.into();
            }
        }
        if let Some(key) = &record.key {
            line["key"] = key.as_str().into();
        }
        writeln!(lines, "{line}").expect("a string takes all");
    }
    lines
}

/// Runs a command over record lines in a file.
fn run(command: &str, text: &str, flags: &[&str]) -> RunOutput {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("lines"), text).expect("the folder is writable");
    let args = [&[command, "lines", "--report", "json"][..], flags].concat();
    Run::new(args).cwd(folder.path()).output()
}

#[track_caller]
fn plan(text: &str, flags: &[&str], code: i32) -> Value {
    let output = run("plan", text, flags);
    assert_eq!(output.code, code, "{flags:?} {output:#?}");
    let report = report(&output);
    assert_eq!(report["exit_code"], code);
    report
}

/// Records of `orders`, one at each interval of this many milliseconds, in one partition.
fn every(ms: u64, records: u64) -> Vec<SourceRecord> {
    let line = |n| SourceRecord {
        topic: "orders",
        partition: Some(0),
        offset: Some(n),
        time_ms: Some(START_MS + n * ms),
        value: "v".into(),
        ..SourceRecord::default()
    };
    (0..records).map(line).collect()
}

fn small(number: u64) -> usize {
    usize::try_from(number).expect("a small number")
}

/// Records over some topics, partitions and keys, one key of which is hot; times rise within a second.
fn some(random: &mut SeededRandom, records: u64) -> Vec<SourceRecord> {
    let mut offsets = BTreeMap::new();
    let mut time = START_MS;
    let mut draw = || {
        let topic = ["orders", "payments", "shipments"][small(random.number(0..3))];
        let partition = i32::try_from(random.number(0..4)).expect("a small number");
        let offset = offsets.entry((topic, partition)).or_insert(0);
        *offset += 1 + random.number(0..2);
        time += random.number(0..3);
        let key = match random.number(0..10) {
            0 => None,
            1..=4 => Some("hot".to_owned()),
            _ => Some(format!("k{}", random.number(0..50))),
        };
        SourceRecord {
            topic,
            partition: (random.number(0..8) > 0).then_some(partition),
            offset: Some(*offset),
            time_ms: Some(time),
            key,
            value: "v".repeat(small(random.number(0..40))),
        }
    };
    (0..records).map(|_| draw()).collect()
}

#[test]
fn records_bytes_and_skew_of_each_topic_match_an_independent_count() {
    let records = some(&mut SeededRandom::from_env(), 700);
    let kept: Vec<SourceRecord> = records
        .into_iter()
        .filter(|r| r.partition.is_some())
        .collect();
    let plan = plan(&lines(&kept), &[], 0);
    let topics = plan["topics"].as_array().expect("an array");
    let names: BTreeSet<&str> = kept.iter().map(|record| record.topic).collect();
    assert_eq!(topics.len(), names.len());
    for topic in topics {
        let of_topic = || kept.iter().filter(|record| topic["topic"] == record.topic);
        let records = of_topic().count() as u64;
        let bytes = of_topic().map(|r| r.value.len() + r.key.as_ref().map_or(0, String::len));
        assert_eq!(topic["records"], records);
        assert_eq!(topic["bytes"], bytes.sum::<usize>() as u64);
        let mut partitions: BTreeMap<i32, u64> = BTreeMap::new();
        let mut keys: BTreeMap<&str, u64> = BTreeMap::new();
        for record in of_topic() {
            *partitions
                .entry(record.partition.expect("it was kept"))
                .or_default() += 1;
            if let Some(key) = &record.key {
                *keys.entry(key).or_default() += 1;
            }
        }
        let listed = partitions.iter();
        let listed = listed.map(|(p, n)| json!({ "partition": p, "records": n }));
        assert_eq!(topic["per_partition"], Value::from_iter(listed));
        let last = partitions.keys().last().expect("there are some");
        assert_eq!(topic["partitions"], last + 1);
        let most = partitions.values().max().expect("there are some");
        assert_eq!(topic["hottest_partition"]["records"], *most);
        let hot = keys["hot"];
        assert!(
            keys.values().all(|n| *n <= hot),
            "the capture has a hot key"
        );
        let key = &topic["hottest_key"];
        assert_eq!((&key["key"], &key["records"]), (&"hot".into(), &hot.into()));
        assert_eq!(key["at_most"], hot);
        let share = key["share"].as_f64().expect("a number");
        assert!(
            (share - hot as f64 / records as f64).abs() < 1e-6,
            "{share}"
        );
    }
    let of_all = json!({ "kept": kept.len(), "by_key": 0, "spread": 0 });
    assert_eq!(plan["placement"], of_all);
    assert_eq!(plan["ledger"]["to_send"], kept.len());
    assert_eq!(
        plan["schedule"],
        Value::Null,
        "flat out nothing is known of it"
    );
}

#[test]
fn the_duration_and_the_peaks_are_those_of_the_speed_with_gaps_cut() {
    // 40 records 50 ms apart, an hour, 30 at once, and one 5 ms later.
    let mut records = every(50, 40);
    let burst = START_MS + 39 * 50 + 3_600_000;
    for n in 0..31 {
        records.push(SourceRecord {
            offset: Some(40 + n),
            time_ms: Some(if n < 30 { burst } else { burst + 5 }),
            value: "0123456789".into(),
            ..records[0].clone()
        });
    }
    let flags = ["--clock", "record", "--max-gap", "3s", "--speed"];
    let planned = plan(&lines(&records), &[&flags[..], &["1x"]].concat(), 0);
    let schedule = &planned["schedule"];
    // 39 gaps of 50 ms, one of 3 s and one of 5 ms.
    assert_eq!(schedule["duration_s"], 1.95 + 3.0 + 0.005);
    assert_eq!(
        schedule["peak_second"],
        json!({ "records": 31, "bytes": 310, "at_s": 4.95 })
    );
    assert_eq!(
        schedule["peak_10ms"],
        json!({ "records": 31, "bytes": 310, "at_s": 4.95 })
    );
    assert_eq!(
        (
            &schedule["timing"]["gaps"],
            &schedule["timing"]["gaps_cut_s"]
        ),
        (&1.into(), &3597.0.into())
    );
    // At 10x a gap of an hour takes the longest pause of the capture's time: 3 s of it.
    let planned = plan(&lines(&records), &[&flags[..], &["10x"]].concat(), 0);
    let duration = planned["schedule"]["duration_s"]
        .as_f64()
        .expect("a number");
    assert!((duration - 0.4955).abs() < 1e-9, "{duration}");
    let second = &planned["schedule"]["peak_second"];
    assert_eq!(
        (&second["records"], &second["at_s"]),
        (&71.into(), &0.0.into())
    );
}

#[test]
fn a_rate_takes_its_time_and_goes_on_over_passes() {
    let text = lines(&every(0, 50));
    let rated = plan(&text, &["--rate", "100"], 0);
    assert_eq!(rated["schedule"]["duration_s"], 0.49);
    assert_eq!(rated["schedule"]["peak_second"]["records"], 50);
    assert_eq!(rated["schedule"]["peak_10ms"]["records"], 1);
    let again = plan(&text, &["--rate", "100", "--loop", "3"], 0);
    assert_eq!(
        (&again["ledger"]["to_send"], &again["passes"]),
        (&150.into(), &3.into())
    );
    assert_eq!(again["schedule"]["duration_s"], 1.49);
    assert_eq!(again["schedule"]["peak_second"]["records"], 100);
    let bytes = plan(&text, &["--byte-rate", "10"], 0);
    assert_eq!(bytes["schedule"]["duration_s"], 4.9);
}

#[test]
fn the_time_for_sending_ends_the_forecast_and_an_endless_loop_is_forecast_once() {
    let text = lines(&every(100, 30));
    let flags = ["--speed", "1x", "--clock", "record"];
    let cut = plan(&text, &[&flags[..], &["--for", "1s"]].concat(), 0);
    // Those at 0, 100, ... 900 ms; the one at 1 s is after the end.
    assert_eq!(
        (&cut["ledger"]["to_send"], &cut["ledger"]["found"]),
        (&10.into(), &10.into())
    );
    assert_eq!(
        (&cut["reach"], &cut["schedule"]["duration_s"]),
        (&"until_time_is_over".into(), &0.9.into())
    );
    // Each pass takes 2.9 s and begins with the end of the one before: three are whole, and of the fourth
    // the records at 8.7, 8.8, ... 10.1 s go.
    let looped = plan(
        &text,
        &[&flags[..], &["--loop", "--for", "10150ms"]].concat(),
        0,
    );
    assert_eq!(
        (&looped["passes"], &looped["ledger"]["to_send"]),
        (&3.into(), &105.into())
    );
    let endless = plan(&text, &[&flags[..], &["--loop"]].concat(), 0);
    assert_eq!(
        (&endless["passes"], &endless["reach"]),
        (&1.into(), &"one_pass".into())
    );
    // All of one time: no number of passes fills an hour.
    let text = lines(&every(0, 3));
    let flat = plan(&text, &[&flags[..], &["--loop", "--for", "1h"]].concat(), 0);
    assert_eq!(
        (&flat["passes"], &flat["reach"]),
        (&1.into(), &"one_pass".into())
    );
    let unknown = plan(&text, &["--for", "1h"], 0);
    assert_eq!(unknown["reach"], "time_unknown");
}

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

#[test]
fn a_plan_file_is_json_whatever_stdout_carries() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("plan.json");
    let name = file.display().to_string();
    let text = lines(&every(0, 5));
    for (flags, is_printed) in [(&[][..], true), (&["--report", "none"], false)] {
        let args = [&["plan", "-", "--report-file", &name][..], flags].concat();
        // The second takes the place of the first.
        let output = Run::new(args).stdin(text.clone()).output();
        let shown = (output.code, output.stderr.as_str());
        assert_eq!(shown, (0, ""), "{output:#?}");
        assert_eq!(!output.stdout.is_empty(), is_printed, "{flags:?}");
        let written = fs::read_to_string(&file).expect("the plan is there");
        let planned: Value = serde_json::from_str(&written).expect("it is JSON");
        assert_eq!(planned["ledger"]["to_send"], 5);
        assert_eq!(planned["verdict"], "a replay would deliver all 5 records");
    }
    let printed = run("plan", &text, &["--report-file", &name]);
    let written = fs::read_to_string(&file).expect("the plan is there");
    assert_eq!(printed.stdout, written, "{printed:#?}");
}

#[test]
fn a_plan_that_cannot_be_written_is_reported_and_harms_no_file() {
    let text = lines(&every(0, 5));
    for file in ["lines", "no/such/folder/plan.json"] {
        let output = run("plan", &text, &["--report-file", file]);
        let shown = (output.code, output.stdout.as_str());
        assert_eq!(shown, (2, ""), "{output:#?}");
        assert!(output.stderr.contains(file), "{output:#?}");
    }
    let full = plan(&text, &["--report-file", "/dev/full"], 1);
    assert_eq!(full["verdict"], "a replay would deliver all 5 records");
    let said = "cannot write the report to /dev/full: no space left on device";
    assert_eq!(full["errors"], json!([said]));
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

#[test]
fn an_interrupted_plan_says_what_it_has_seen() {
    let mut running = Run::new(["plan", "-", "--report", "json"])
        .stdin_open()
        .spawn();
    // More than a pipe holds: when it is written, kreplay reads.
    running.write_stdin(lines(&every(1, 5000)).as_bytes());
    running.signal(SIGINT);
    let output = running.wait();
    assert_eq!(output.code, 130, "{output:#?}");
    let planned = report(&output);
    assert_eq!(planned["interrupted"], true);
}

/// A cluster with these topics and numbers of partitions.
fn mock(topics: &[(&str, i32)]) -> MockCluster<'static, DefaultProducerContext> {
    let mock = MockCluster::new(1).expect("a mock cluster");
    for (topic, partitions) in topics {
        mock.create_topic(topic, *partitions, 1).expect("a topic");
    }
    mock
}

#[test]
fn a_missing_topic_is_forecast_with_its_exit_code_and_not_created() {
    let mock = mock(&[("orders", 4)]);
    let brokers = mock.bootstrap_servers();
    let mut records = every(100, 20);
    records.push(SourceRecord {
        topic: "ordes",
        ..records[0].clone()
    });
    let text = lines(&records);
    let flags = ["-b", &brokers, "--rate", "10"];
    let planned = plan(&text, &flags, 3);
    let said = format!(
        "a replay would not begin: topic `ordes` does not exist on {brokers}; nearest to it is `orders`"
    );
    assert_eq!(planned["verdict"], said);
    assert_eq!(
        planned["destination"],
        json!({ "brokers": brokers, "assumed": null })
    );
    let states: Vec<_> = planned["topics"]
        .as_array()
        .expect("an array")
        .iter()
        .collect();
    assert_eq!(
        (&states[0]["state"], &states[0]["partitions"]),
        (&"present".into(), &4.into())
    );
    assert_eq!(
        (&states[1]["state"], &states[1]["records"]),
        (&"missing".into(), &1.into())
    );
    assert_eq!(planned["schedule"]["duration_s"], 2.0);
    // If kreplay may create it, nothing is missing, and nothing is created either.
    let planned = plan(&text, &[&flags[..], &["--create-topics"]].concat(), 0);
    assert_eq!(planned["topics"][1]["state"], "created");
    plan(&text, &flags, 3);
    assert_eq!(count(&brokers, "orders"), Ok(0), "nothing is sent");
}

/// An address that is not a loopback address, and at which nothing answers.
const ELSEWHERE: &str = "224.0.0.1:19092";

#[test]
fn the_captured_cluster_is_refused_as_a_replay_refuses_it() {
    let mock = mock(&[("orders", 1)]);
    let brokers = format!("{ELSEWHERE},{}", mock.bootstrap_servers());
    let captured = lines(&every(0, 3))
        .lines()
        .fold(String::new(), |all, line| {
            let mut line: Value = serde_json::from_str(line).expect("JSON");
            line["captured_from"] = json!([{ "broker": ELSEWHERE }]);
            all + &format!("{line}\n")
        });
    let flags = ["-b", &brokers];
    let planned = plan(&captured, &flags, 3);
    assert_eq!(planned["ledger"]["to_send"], 3, "the forecast is whole");
    let replayed = run("replay", &captured, &flags);
    assert_eq!(replayed.code, 3, "{replayed:#?}");
    assert_eq!(planned["errors"], report(&replayed)["errors"]);
    plan(&captured, &[&flags[..], &["--yes"]].concat(), 0);
    assert_eq!(count(&mock.bootstrap_servers(), "orders"), Ok(0));
}

#[test]
fn too_few_partitions_displace_records_or_are_missing() {
    let mock = mock(&[("orders", 2)]);
    let brokers = mock.bootstrap_servers();
    let of = |partition, key: Option<&str>| SourceRecord {
        partition: Some(partition),
        key: key.map(str::to_owned),
        offset: None,
        ..every(0, 1)[0].clone()
    };
    // "21" has the murmur2 hash -973932308 (Apache Kafka's UtilsTest): positive, modulo 2, that is 0.
    let text = lines(&[
        of(0, None),
        of(1, Some("k")),
        of(5, Some("21")),
        of(3, None),
    ]);
    let planned = plan(&text, &["-b", &brokers], 1);
    let topic = &planned["topics"][0];
    assert_eq!(
        (&topic["displaced"], &topic["records"]),
        (&2.into(), &4.into())
    );
    let said = format!(
        "a replay would deliver all 4 records to {brokers}: 2 in another partition than the captured one"
    );
    assert_eq!(planned["verdict"], said);
    let records: u64 = topic["per_partition"][0]["records"]
        .as_u64()
        .expect("a number");
    assert!(records >= 2, "those of partition 0 and of key 21: {topic}");
    // With the user's choice of placement by key, nothing is displaced.
    plan(&text, &["-b", &brokers, "--partition", "key"], 0);
    let kept = plan(&text, &["-b", &brokers, "--partition", "keep"], 3);
    assert_eq!(kept["topics"][0]["missing_partitions"], json!([3, 5]));
    assert_eq!(kept["ledger"]["unsent"], 2);
    assert_eq!(count(&brokers, "orders"), Ok(0), "nothing is sent");
}

#[test]
fn a_plan_asks_for_no_producer_id_and_a_replay_does() {
    let cluster = mock(&[("orders", 1)]);
    let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    cluster.request_errors(RDKafkaApiKey::InitProducerId, &[refusal; 4]);
    let brokers = cluster.bootstrap_servers();
    let text = lines(&every(0, 3));
    let flags = ["-b", &brokers, "-X", "enable.idempotence=true"];
    plan(&text, &flags, 0);
    let replayed = run("replay", &text, &flags);
    assert_eq!(
        replayed.code, 3,
        "the refusal is still there: {replayed:#?}"
    );
}

#[test]
fn an_unreachable_cluster_ends_the_plan_with_that_error_alone() {
    let text = lines(&every(0, 3));
    let planned = plan(&text, &["-b", "127.0.0.1:1"], 3);
    assert_eq!(
        planned["destination"],
        json!({ "brokers": "127.0.0.1:1", "assumed": null })
    );
    let said = "no broker of 127.0.0.1:1 could be used: connection refused";
    assert_eq!(planned["errors"], json!([said]));
    let output = Run::new(["plan", "-", "-b", "127.0.0.1:1"])
        .stdin(text)
        .output();
    let said = format!("kreplay: {said}\n");
    let shown = (output.code, output.stdout.as_str(), output.stderr.as_str());
    assert_eq!(shown, (3, "", said.as_str()));
}

/// What was delivered to each partition, by the report of a replay.
fn delivered(report: &Value) -> BTreeMap<(String, u64), u64> {
    per_partition(report, "delivered")
}

fn per_partition(report: &Value, member: &str) -> BTreeMap<(String, u64), u64> {
    let number = |value: &Value| value.as_u64().expect("a number");
    let topics = report["topics"].as_array().expect("an array").iter();
    let each = topics.flat_map(|topic| {
        let name = topic["topic"].as_str().expect("text").to_owned();
        let partitions = topic["per_partition"].as_array().expect("an array").iter();
        partitions.map(move |one| {
            (
                (name.clone(), number(&one["partition"])),
                number(&one[member]),
            )
        })
    });
    each.collect()
}

/// Checks that a replay has done what was forecast.
fn assert_same(forecast: &Value, replayed: &Value, what: &str) {
    let counts = [
        ("found", "found"),
        ("duplicates", "duplicates"),
        ("unselected", "unselected"),
        ("unreadable", "unreadable"),
        ("to_send", "delivered"),
        ("not_written", "not_written"),
    ];
    for (planned, done) in counts {
        let (ours, theirs) = (&forecast["ledger"][planned], &replayed["ledger"][done]);
        assert_eq!(ours, theirs, "{what} {planned}");
    }
    let planned = per_partition(forecast, "records");
    assert_eq!(planned, delivered(replayed), "{what}");
    assert_eq!(forecast["placement"], replayed["placement"], "{what}");
    let problems = |report: &Value| {
        let problems = report["problems"].as_array().expect("an array").iter();
        problems
            .map(|p| (p["what"].to_string(), p["count"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(problems(forecast), problems(replayed), "{what}");
}

#[test]
fn a_rehearsal_does_what_was_forecast() {
    let mut random = SeededRandom::from_env();
    let choices: [&[&str]; 7] = [
        &[],
        &["--partition", "key"],
        &[
            "--partition",
            "keep",
            "--speed",
            "100x",
            "--clock",
            "record",
        ],
        &["--topics", "orders,p*", "--sample", "1/2"],
        &["-t", "all", "--skip", "7", "--limit", "90"],
        &["--map", "orders=o", "--rate", "2k", "--keep-duplicates"],
        &["--loop", "3", "--shard", "2/3"],
    ];
    for (number, flags) in choices.iter().enumerate() {
        let mut records = some(&mut random, 250);
        if *flags == choices[1] {
            // If librdkafka chooses, nobody knows the partition beforehand.
            records.retain(|record| record.key.is_some());
        }
        let repeated = records[3].clone();
        records.push(repeated);
        let text = lines(&records);
        let forecast = run("plan", &text, flags);
        let replayed = run("replay", &text, &[flags, &["--rehearse"][..]].concat());
        assert_eq!(
            forecast.code, replayed.code,
            "{number} {forecast:#?} {replayed:#?}"
        );
        let (forecast, replayed) = (report(&forecast), report(&replayed));
        let what = format!("{number} seed {}", random.seed());
        assert_same(&forecast, &replayed, &what);
        if let Some(duration) = forecast["schedule"]["duration_s"].as_f64() {
            // The replay keeps to the schedule: it takes no less, and the rest is connecting and draining.
            let took = replayed["elapsed_s"].as_f64().expect("a number");
            assert!(took >= duration, "{number}: {took} s for {duration} s");
        }
    }
}

#[test]
fn the_documented_plan_is_what_is_printed() {
    let docs = include_str!("../../docs/plan.md");
    let block = docs
        .split("    $ kreplay plan shop.jsonl --speed 10x\n")
        .nth(1);
    let block = block.expect("the example is there").lines();
    let shown = block.map_while(|line| match line {
        "" => Some(""),
        line => line.strip_prefix("    "),
    });
    let shown: Vec<&str> = shown.collect();
    let folder = fixture("shop.jsonl");
    let folder = folder.parent().expect("it is in a folder");
    let run = Run::new(["plan", "shop.jsonl", "--speed", "10x"]);
    let output = run.cwd(folder).output();
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (0, ""),
        "{output:#?}"
    );
    assert_eq!(output.stdout.trim_end(), shown.join("\n").trim_end());
    let lines = output.stdout.lines();
    assert!(lines.clone().count() <= 24, "one screen");
    assert!(
        lines.clone().all(|line| line.chars().count() <= 100),
        "{}",
        output.stdout
    );
}
