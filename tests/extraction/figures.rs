//! Every figure of `kreplay inspect` and of a replay's report, over generated captures, against what
//! the test itself counts in the records that it generated.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::capture::seed::SeededRandom;
use crate::harness::run::{Run, report};
use serde_json::{Value, json};

/// 2026-01-05T09:00:00Z.
const START_MS: u64 = 1_767_603_600_000;

/// A record as it was captured.
#[derive(Clone)]
struct CountedRecord {
    topic: &'static str,
    partition: u64,
    offset: u64,
    time_ms: u64,
    key: Option<String>,
    value: Option<String>,
}

/// A capture and what is in it.
#[derive(Default)]
struct CountedCapture {
    lines: String,
    rrpairs: u64,
    fetches: Vec<Vec<CountedRecord>>,
    commands: BTreeMap<String, u64>,
    brokers: BTreeMap<String, u64>,
    clients: BTreeMap<String, u64>,
    groups: BTreeMap<String, u64>,
    isolation: BTreeMap<String, u64>,
}

fn count(names: &mut BTreeMap<String, u64>, name: &str) {
    *names.entry(name.into()).or_default() += 1;
}

impl CountedCapture {
    fn generate(random: &mut SeededRandom, rounds: u64, largest: u64) -> Self {
        let mut capture = Self::default();
        let mut next = BTreeMap::new();
        for _ in 0..rounds {
            match random.number(0..10) {
                0 => capture.add_heartbeat(random),
                1 if !capture.fetches.is_empty() => {
                    let last = capture.fetches.len() as u64;
                    let at = usize::try_from(random.number(0..last)).expect("a small number");
                    let again = capture.fetches[at].clone();
                    capture.add_fetch(random, again);
                }
                _ => {
                    let records = batches(random, &mut next, largest);
                    capture.add_fetch(random, records);
                }
            }
        }
        capture
    }

    fn add_heartbeat(&mut self, random: &mut SeededRandom) {
        let group = ["billing", "shipping"][usize::from(random.number(0..2) == 1)];
        let kafka = json!({ "request": { "HeartbeatRequest": { "groupId": group } } });
        self.add("Heartbeat", "kafka-0.kafka:9092", &kafka);
        count(&mut self.groups, group);
    }

    fn add_fetch(&mut self, random: &mut SeededRandom, records: Vec<CountedRecord>) {
        let broker = format!("kafka-{}.kafka:9092", random.number(0..3));
        let client = format!("client-{}", random.number(0..4));
        let mut request = json!({ "replicaId": -1 });
        let committed = random.number(0..3) == 0;
        if committed {
            request["isolationLevel"] = 1.into();
        }
        let kafka = json!({
            "request": { "FetchRequest": request, "clientId": client },
            "response": { "FetchResponse": { "topics": topics(&records) } },
        });
        self.add("Fetch", &broker, &kafka);
        count(&mut self.brokers, &broker);
        count(&mut self.clients, &client);
        let level = ["read_uncommitted", "read_committed"][usize::from(committed)];
        count(&mut self.isolation, level);
        self.fetches.push(records);
    }

    fn add(&mut self, command: &str, broker: &str, kafka: &Value) {
        let line = json!({
            "msgType": "rrpair", "ts": "2026-01-05T09:00:00.026Z", "l7protocol": "kafka",
            "direction": "OUT", "tech": "Kafka", "network_address": broker, "command": command,
            "kafka": kafka,
        });
        self.lines += &format!("{line}\n");
        self.rrpairs += 1;
        count(&mut self.commands, command);
    }

    /// Each record once, by where it was captured.
    fn unique(&self) -> BTreeMap<(&'static str, u64, u64), &CountedRecord> {
        let all = self.fetches.iter().flatten();
        all.map(|r| ((r.topic, r.partition, r.offset), r)).collect()
    }

    fn copies(&self) -> u64 {
        self.fetches.iter().map(|fetch| fetch.len() as u64).sum()
    }
}

/// One Fetch: the partitions of some topics, each with a few records at the next offsets.
fn batches(
    random: &mut SeededRandom,
    next: &mut BTreeMap<(&'static str, u64), u64>,
    largest: u64,
) -> Vec<CountedRecord> {
    let mut records = Vec::new();
    for topic in ["orders", "payments", "shipments"] {
        for partition in 0..4 {
            if random.number(0..4) > 0 {
                continue;
            }
            let offset = next.entry((topic, partition)).or_insert(partition * 7);
            for _ in 0..random.number(0..6) {
                // Here and there compaction has left a gap.
                *offset += [1, 1, 1, 1, 4][usize::try_from(random.number(0..5)).expect("small")];
                let length = usize::try_from(random.number(0..largest)).expect("a small number");
                records.push(CountedRecord {
                    topic,
                    partition,
                    offset: *offset,
                    time_ms: START_MS + random.number(0..3_000_000),
                    key: (random.number(0..4) > 0)
                        .then(|| format!("key-{}", random.number(0..300))),
                    value: (random.number(0..8) > 0).then(|| "v".repeat(length)),
                });
            }
        }
    }
    records
}

/// Every record in a batch of its own, as a topic's partitions repeat with many batches.
fn topics(records: &[CountedRecord]) -> Value {
    let topics = records.iter().map(|record| {
        let mut inner = json!({});
        if let Some(key) = &record.key {
            inner["keyString"] = json!(key);
        }
        if let Some(value) = &record.value {
            inner["valueString"] = json!(value);
        }
        json!({ "name": record.topic, "partitions": [{
            "partitionIndex": record.partition,
            "records": {
                "attributes": ["ATTRIBUTE_NO_COMPRESSION"],
                "baseOffset": record.offset.to_string(),
                "baseTimestamp": record.time_ms.to_string(),
                "records": [inner],
            },
        }] })
    });
    topics.collect()
}

/// The time of day in the hour in which all records lie.
fn time(ms: u64) -> String {
    let ms = ms - START_MS;
    let (minutes, seconds) = (ms / 60_000, ms / 1000 % 60);
    format!("2026-01-05T09:{minutes:02}:{seconds:02}.{:03}Z", ms % 1000)
}

fn bytes(record: &CountedRecord) -> u64 {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len) as u64;
    length(&record.key) + length(&record.value)
}

/// What is missing between the first and the last of some offsets, and in how many gaps.
fn gaps(offsets: &BTreeSet<u64>) -> (u64, u64) {
    let steps = offsets.iter().zip(offsets.iter().skip(1));
    let missing = steps.map(|(a, b)| b - a - 1).filter(|missing| *missing > 0);
    missing.fold((0, 0), |(sum, gaps), missing| (sum + missing, gaps + 1))
}

fn first_and_last(records: &[&CountedRecord]) -> (String, String) {
    let times: BTreeSet<u64> = records.iter().map(|record| record.time_ms).collect();
    let first = times.first().expect("there are records");
    (
        time(*first),
        time(*times.last().expect("there are records")),
    )
}

/// What `inspect` must say about a topic.
fn expected_topic(topic: &str, records: &[&CountedRecord]) -> Value {
    let values = records.iter().filter_map(|record| record.value.as_ref());
    let mut sizes: Vec<usize> = values.map(String::len).collect();
    sizes.sort_unstable();
    // The nearest rank: the smallest size that this many of 100 values do not exceed.
    let at = |percent: usize| sizes[(sizes.len() * percent).div_ceil(100) - 1];
    let keys: BTreeSet<&String> = records.iter().filter_map(|r| r.key.as_ref()).collect();
    let partitions: BTreeSet<u64> = records.iter().map(|record| record.partition).collect();
    let by_partition = partitions.iter().map(|partition| {
        let records = records.iter().filter(|r| r.partition == *partition);
        let offsets: BTreeSet<u64> = records.map(|record| record.offset).collect();
        let (missing, gaps) = gaps(&offsets);
        json!({
            "partition": partition, "records": offsets.len(), "first_offset": offsets.first(),
            "last_offset": offsets.last(), "missing_offsets": missing, "gaps": gaps,
        })
    });
    let by_partition: Vec<Value> = by_partition.collect();
    let sum =
        |member: &str| -> u64 { by_partition.iter().filter_map(|p| p[member].as_u64()).sum() };
    let (first, last) = first_and_last(records);
    json!({
        "topic": topic,
        "partitions": partitions.len(),
        "records": records.len(),
        "bytes": records.iter().map(|record| bytes(record)).sum::<u64>(),
        "first_time": first,
        "last_time": last,
        "keys": {
            "null": records.iter().filter(|record| record.key.is_none()).count(),
            "distinct": keys.len(),
        },
        "value_bytes": { "p50": at(50), "p99": at(99), "max": at(100) },
        "tombstones": records.iter().filter(|record| record.value.is_none()).count(),
        "missing_offsets": sum("missing_offsets"),
        "gaps": sum("gaps"),
        "by_partition": by_partition,
    })
}

/// Names with their counts as a map, whatever their order.
fn counts(names: &Value) -> BTreeMap<String, u64> {
    let names = names.as_array().expect("a list of names").iter();
    let pair = |name: &Value| Some((name["name"].as_str()?.into(), name["count"].as_u64()?));
    names
        .map(|name| pair(name).expect("a name and a count"))
        .collect()
}

fn by_topic(topics: &Value) -> BTreeMap<String, Value> {
    let topics = topics.as_array().expect("a list of topics").iter();
    topics
        .map(|t| (t["topic"].as_str().expect("a name").into(), t.clone()))
        .collect()
}

/// A capture with what follows from its records.
struct Checked<'a> {
    capture: &'a CountedCapture,
    /// Each record once.
    all: Vec<&'a CountedRecord>,
    topics: BTreeMap<&'static str, Vec<&'a CountedRecord>>,
    seed: u64,
}

impl<'a> Checked<'a> {
    fn of(capture: &'a CountedCapture, seed: u64) -> Self {
        let all: Vec<&CountedRecord> = capture.unique().values().copied().collect();
        let mut topics: BTreeMap<&str, Vec<&CountedRecord>> = BTreeMap::new();
        for record in &all {
            topics.entry(record.topic).or_default().push(record);
        }
        Self {
            capture,
            all,
            topics,
            seed,
        }
    }

    fn run(&self, args: &[&str]) -> Value {
        let output = Run::new(args).stdin(self.capture.lines.clone()).output();
        assert_eq!(output.code, 0, "seed {}: {output:#?}", self.seed);
        report(&output)
    }

    /// What was read and found, in the report of any command.
    fn source(&self, seen: &Value) {
        let (capture, seed) = (self.capture, self.seed);
        let fetches = capture.fetches.iter();
        let empty = fetches.filter(|fetch| fetch.is_empty()).count();
        let duplicates = capture.copies() - self.all.len() as u64;
        let source = &seen["source"];
        assert_eq!(source["bytes"], capture.lines.len(), "seed {seed}");
        assert_eq!(source["rrpairs"], capture.rrpairs, "seed {seed}");
        assert_eq!(source["fetches"], capture.fetches.len(), "seed {seed}");
        assert_eq!(source["empty_fetches"], empty, "seed {seed}");
        assert_eq!(seen["ledger"]["found"], capture.copies(), "seed {seed}");
        assert_eq!(seen["ledger"]["duplicates"], duplicates, "seed {seed}");
        assert_eq!(seen["problems"], json!([]), "seed {seed}");
    }

    fn inspection(&self) {
        let (capture, seed) = (self.capture, self.seed);
        let seen = self.run(&["inspect", "-", "--report", "json"]);
        self.source(&seen);
        let several = capture.fetches.iter().map(|fetch| fetch.len() as u64);
        let several: Vec<u64> = several.filter(|records| *records > 1).collect();
        let all: u64 = several.iter().sum();
        let (first, last) = first_and_last(&self.all);
        for (what, expected) in [
            ("first_time", json!(first)),
            ("last_time", json!(last)),
            (
                "several",
                json!({ "fetches": several.len(), "records": all }),
            ),
            ("other_records", json!(0)),
        ] {
            assert_eq!(seen[what], expected, "seed {seed}: {what}");
        }
        assert_eq!(seen["ledger"]["records"], self.all.len(), "seed {seed}");
        for (what, expected) in [
            ("commands", &capture.commands),
            ("brokers", &capture.brokers),
            ("clients", &capture.clients),
            ("groups", &capture.groups),
            ("isolation", &capture.isolation),
        ] {
            assert_eq!(&counts(&seen[what]), expected, "seed {seed}: {what}");
        }
        let topics = self.topics.iter();
        let expected =
            topics.map(|(name, records)| (name.to_string(), expected_topic(name, records)));
        assert_eq!(by_topic(&seen["topics"]), expected.collect(), "seed {seed}");
    }

    fn replay(&self) {
        let seed = self.seed;
        let seen = self.run(&["replay", "-", "--rehearse", "--report", "json"]);
        self.source(&seen);
        assert_eq!(seen["ledger"]["delivered"], self.all.len(), "seed {seed}");
        // By the time of the run, which is rounded to a millisecond.
        let elapsed_s = seen["elapsed_s"].as_f64().expect("a number");
        let all_bytes: u64 = self.all.iter().map(|record| bytes(record)).sum();
        let records = self.all.len() as f64;
        for (rate, n) in [
            ("records_per_s", records),
            ("bytes_per_s", all_bytes as f64),
        ] {
            let rate = seen["rates"][rate].as_f64().expect("a number");
            let off = (rate * elapsed_s - n).abs();
            assert!(off <= rate * 0.0006, "seed {seed}: {rate} for {n}");
        }
        let sent = by_topic(&seen["topics"]);
        assert_eq!(sent.len(), self.topics.len(), "seed {seed}");
        for (topic, records) in &self.topics {
            let bytes: u64 = records.iter().map(|record| bytes(record)).sum();
            let sent = &sent[*topic];
            assert_eq!(sent["delivered"], records.len(), "seed {seed}: {topic}");
            assert_eq!(sent["bytes"], bytes, "seed {seed}: {topic}");
        }
    }
}

#[test]
fn every_figure_of_inspect_and_of_the_report_is_what_the_records_say() {
    let mut random = SeededRandom::from_env();
    let seed = random.seed();
    for (rounds, largest) in [(20, 300), (100, 5000), (300, 60), (60, 100_000)] {
        let capture = CountedCapture::generate(&mut random, rounds, largest);
        let checked = Checked::of(&capture, seed);
        checked.inspection();
        checked.replay();
    }
}

#[test]
fn the_text_of_inspect_shows_sizes_above_255_bytes() {
    let line = |length: usize| {
        let value = "v".repeat(length);
        format!("{{\"topic\":\"t\",\"value\":\"{value}\"}}\n")
    };
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let file = folder.path().join("records.jsonl");
    let lines: String = [300, 512, 1024, 4096, 1 << 20]
        .into_iter()
        .map(line)
        .collect();
    std::fs::write(&file, lines).expect("the folder is writable");
    let output = Run::new(["inspect", &file.display().to_string()]).output();
    let row = output.stdout.lines().find(|line| line.starts_with("t "));
    let cells: Vec<&str> = row.unwrap_or_default().split("  ").map(str::trim).collect();
    let cells: Vec<&&str> = cells.iter().filter(|cell| !cell.is_empty()).collect();
    assert_eq!(
        cells[6..9],
        [&"1.00 KiB", &"1.00 MiB", &"1.00 MiB"],
        "{output:#?}"
    );
}
