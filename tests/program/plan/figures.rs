//! What a forecast counts, against the test's own count and against what a rehearsal then does.

use std::collections::{BTreeMap, BTreeSet};

use super::{START_MS, SourceRecord, lines, plan, run};
use crate::harness::capture::seed::SeededRandom;
use crate::harness::run::report;
use serde_json::{Value, json};

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
