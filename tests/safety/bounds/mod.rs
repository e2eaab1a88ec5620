//! What a capture, a cluster or a file can make kreplay hold in memory, whoever made it: a small input
//! reaches each bound, and the system's figures measure the process.
#![cfg(target_os = "linux")]

mod brokers;

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crate::harness::report::ledger::ledger;
use crate::harness::run::{Run, RunOutput, report};
use flate2::Compression;
use flate2::write::GzEncoder;
use nix::sys::signal::Signal;
use serde_json::json;
use tempfile::TempDir;

/// A run to its end, and the most memory that it was measured to hold, in MiB. A run that is over before it
/// was measured runs again.
fn measured(run: impl Fn() -> Run) -> (RunOutput, u64) {
    let mut runs = (0..10).map(|_| {
        let running = run().limit(Duration::from_secs(120)).spawn();
        running.wait_measured()
    });
    let (output, peak) = runs
        .find(|(_, peak)| *peak > 0)
        .expect("a run was looked at");
    (output, peak >> 20)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("the system's temporary folder is writable")
}

/// An RRPair with these elements of the list of topics of a Fetch.
fn fetch(topics: &str) -> String {
    let shape = json!({ "msgType": "rrpair", "command": "Fetch", "l7protocol": "kafka", "network_address": "b:9092",
        "kafka": { "response": { "FetchResponse": { "topics": ["@"] } } } });
    shape.to_string().replace("\"@\"", topics)
}

/// An element of the list of topics: records of one partition.
fn topic(name: &str, records: &str) -> String {
    let partition = json!({ "records": { "baseOffset": "0", "records": ["@"] } });
    let topic = json!({ "name": name, "partitions": [partition] });
    topic.to_string().replace("\"@\"", records)
}

/// Writes lines into a gzip file, which is small where they repeat themselves.
fn gzip(path: &Path, lines: impl IntoIterator<Item = String>) {
    let file = std::fs::File::create(path).expect("the folder is writable");
    let mut gzip = GzEncoder::new(file, Compression::new(1));
    for line in lines {
        gzip.write_all(line.as_bytes()).expect("the disk has room");
        gzip.write_all(b"\n").expect("the disk has room");
    }
    gzip.finish().expect("the disk has room");
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// The same text this many times, with commas between.
fn times(count: usize, one: &str) -> String {
    vec![one; count].join(",")
}

/// A line of 200 bytes with the highest partition that Kafka's protocol has. Memory for each below it would be
/// 22 GB.
#[test]
fn one_high_number_of_a_partition_takes_no_memory() {
    let folder = folder();
    let path = folder.path().join("partition.jsonl");
    let partition = json!({ "partitionIndex": 2_147_483_646, "records": { "records": [{}] } });
    let topic = json!({ "name": "t", "partitions": [partition] }).to_string();
    std::fs::write(&path, fetch(&topic)).expect("the folder is writable");
    let path = text(&path);
    let refused = "kreplay: could not create topic `t`: the capture names partition 2147483646, but kreplay \
                   creates topics with at most 100000 partitions\n";
    for (args, code, said) in [
        (&["replay", &path, "--rehearse"][..], 3, refused),
        (&["plan", &path], 3, refused),
        (&["inspect", &path], 0, ""),
        (&["extract", &path, "-q"], 0, ""),
    ] {
        let (output, peak) = measured(|| Run::new(args));
        assert_eq!(
            (output.code, output.stderr.as_str()),
            (code, said),
            "{args:?}"
        );
        assert!(peak < 60, "{args:?}: {peak} MiB");
    }
}

/// An empty object is a record as well: a tombstone without a key. 20 million of them fit into a line
/// of 64 MiB, and into a gzip file of 58 KB.
#[test]
fn a_line_with_millions_of_records_is_named_and_not_read() {
    let folder = folder();
    let path = folder.path().join("records.jsonl.gz");
    let many = fetch(&topic("t", &times(20_000_000, "{}")));
    assert!(many.len() < 64 << 20, "a longer line is not read at all");
    let sound = fetch(&topic("t", r#"{"valueString":"v"}"#));
    gzip(&path, [many, sound]);
    let path = text(&path);
    let (output, peak) = measured(|| Run::new(["replay", &path, "--rehearse", "--report", "json"]));
    let report = report(&output);
    assert_eq!(ledger(&report), "2 = 1 unreadable + 1 delivered");
    let why = &report["problems"][0]["first"];
    assert_eq!(
        why["why"], "it holds more than 524,288 records",
        "{report:#}"
    );
    assert!(peak < 400, "{peak} MiB");
}

/// As many as are read.
#[test]
fn the_most_records_of_one_line_are_sent_in_bounded_memory() {
    let folder = folder();
    let path = folder.path().join("records.jsonl.gz");
    gzip(&path, [fetch(&topic("t", &times(1 << 19, "{}")))]);
    let path = text(&path);
    let (output, peak) = measured(|| Run::new(["replay", &path, "--rehearse", "--report", "json"]));
    let found = report(&output)["ledger"]["found"].clone();
    assert_eq!(found, 1 << 19, "{output:#?}");
    assert!(peak < 400, "{peak} MiB");
}

#[test]
fn a_record_with_millions_of_headers_is_named_and_not_read() {
    let folder = folder();
    let path = folder.path().join("headers.jsonl.gz");
    let record = format!(
        r#"{{"valueString":"v","headers":[{}]}}"#,
        times(4_000_000, r#"{"key":""}"#)
    );
    gzip(&path, [fetch(&topic("t", &record))]);
    let path = text(&path);
    let (output, peak) = measured(|| Run::new(["replay", &path, "--rehearse", "--report", "json"]));
    let report = report(&output);
    let why = report["problems"][0]["first"]["why"]
        .as_str()
        .unwrap_or_default();
    assert!(
        why.starts_with("it holds more than 2,000,000 headers"),
        "{report:#}"
    );
    assert!(peak < 400, "{peak} MiB");
}

/// A member of the RRPair for each of these names, all of them long.
fn rrpair_of_long_names(number: usize) -> String {
    let long = |what: &str| format!("{what}-{number}-{}", "x".repeat(100_000));
    let request =
        json!({ "clientId": long("client"), "JoinGroupRequest": { "groupId": long("group") } });
    json!({ "msgType": "rrpair", "l7protocol": "kafka", "command": long("command"),
        "network_address": long("broker"), "kafka": { "request": request } })
    .to_string()
}

#[test]
fn names_that_inspect_counts_are_cut_and_bounded() {
    let folder = folder();
    let path = folder.path().join("names.jsonl.gz");
    gzip(&path, (0..1000).map(rrpair_of_long_names));
    let path = text(&path);
    let args = ["inspect", &path, "--filter", "", "--report", "json"];
    let (output, peak) = measured(|| Run::new(args));
    let groups = report(&output)["groups"].clone();
    let longest = groups.to_string().split('"').map(str::len).max();
    assert!(
        longest.is_some_and(|longest| longest < 2_000),
        "{longest:?}"
    );
    assert!(peak < 100, "{peak} MiB");
}

/// 4,500 members with names of 40 KB each, and paths below them.
#[test]
fn paths_that_inspect_lists_are_bounded_in_length() {
    let folder = folder();
    let path = folder.path().join("names.jsonl.gz");
    let member = |outer: usize, inner: usize| {
        format!("\"{outer}-{inner}-{}\":{{\"a\":1}}", "x".repeat(40_000))
    };
    let object = |outer: usize| {
        let members: Vec<String> = (0..150).map(|inner| member(outer, inner)).collect();
        format!(
            "{{\"msgType\":\"rrpair\",\"m{outer}\":{{{}}}}}",
            members.join(",")
        )
    };
    gzip(&path, (0..30).map(object));
    let path = text(&path);
    let (output, peak) = measured(|| Run::new(["inspect", &path, "--paths", "--filter", ""]));
    assert_eq!(output.code, 0, "{output:?}");
    let longest = output.stdout.lines().map(str::len).max();
    assert!(
        longest.is_some_and(|longest| longest < 5_000),
        "{longest:?}"
    );
    assert!(peak < 100, "{peak} MiB");
}

/// 5 MB for each of 200 topics, as names that are not valid topics.
#[test]
fn names_that_no_topic_has_are_not_kept() {
    let folder = folder();
    let path = folder.path().join("topics.jsonl.gz");
    let line = |number: usize| {
        let name = format!("{number}-{}", "t".repeat(5_000_000));
        fetch(&topic(&name, r#"{"valueString":"v"}"#))
    };
    gzip(&path, (0..60).map(line));
    let path = text(&path);
    let (output, peak) = measured(|| Run::new(["inspect", &path, "--report", "json"]));
    assert_eq!(report(&output)["ledger"]["unreadable"], 60, "{output:?}");
    assert!(peak < 150, "{peak} MiB");
}

#[test]
fn files_of_settings_that_never_end_are_refused() {
    let capture = text(&crate::harness::paths::fixture("demo.jsonl"));
    let args = [
        "replay",
        &capture,
        "-b",
        "127.0.0.1:1",
        "-F",
        "none",
        "--expect-from",
        &capture,
    ];
    let (output, peak) = measured(|| Run::new(args.iter().chain(&["--noise", "/dev/zero"])));
    assert_eq!(output.code, 2, "{output:?}");
    let expected = "kreplay: cannot read /dev/zero: it is larger than 8 MiB";
    assert_eq!(output.stderr.lines().next(), Some(expected));
    assert!(peak < 100, "{peak} MiB");
    let folder = folder();
    let token = folder.path().join("token");
    std::fs::write(&token, "a".repeat((1 << 20) + 1)).expect("the folder is writable");
    let token = text(&token);
    let args = [
        "replay",
        &capture,
        "-b",
        "127.0.0.1:1",
        "-F",
        "none",
        "--oauth-file",
        &token,
    ];
    let output = Run::new(args).output();
    let expected =
        format!("kreplay: could not get a token: cannot read {token}: it is larger than 1 MiB\n");
    assert_eq!((output.code, output.stderr), (3, expected));
    for (args, expected) in [
        (
            ["replay", "-", "-F", "/dev/zero"],
            "kreplay: cannot read /dev/zero: it is larger than 1 MiB",
        ),
        (
            ["replay", "-", "--profile", "/dev/zero"],
            "kreplay: cannot read the profile /dev/zero: it is larger than 1 MiB",
        ),
    ] {
        let args = args.into_iter().chain(["-b", "127.0.0.1:1"]);
        let (output, peak) = measured(|| Run::new(args.clone()));
        assert_eq!(output.code, 2, "{output:?}");
        assert_eq!(output.stderr.lines().next(), Some(expected));
        assert!(peak < 100, "{peak} MiB");
    }
}

#[test]
fn a_csv_with_a_hundred_thousand_columns_is_refused_at_once() {
    let header: Vec<String> = (0..100_000)
        .map(|i| {
            format!(
                "kafka.response.FetchResponse.topics.{i}.partitions.0.records.records.0.valueString"
            )
        })
        .collect();
    let csv = format!("{},RRPair UUID\n", header.join(","));
    let (output, peak) = measured(|| {
        Run::new(["replay", "-", "--as", "csv", "-t", "t", "--rehearse"])
            .stdin(csv.clone())
            .limit(Duration::from_secs(20))
    });
    assert_eq!(output.code, 2, "{output:?}");
    let expected = "kreplay: stdin has 100001 columns, but kreplay reads at most 2000";
    assert_eq!(output.stderr.lines().next(), Some(expected));
    assert!(peak < 150, "{peak} MiB");
}

/// Comparing each with all others would be 13 billion comparisons.
#[test]
fn a_hundred_and_sixty_thousand_topics_in_one_line_are_read_in_moments() {
    let topics: Vec<String> = (0..160_000)
        .map(|i| topic(&format!("topic-{i}"), r#"{"valueString":"v"}"#))
        .collect();
    let line = fetch(&topics.join(",")) + "\n";
    let (output, peak) = measured(|| {
        Run::new(["extract", "-", "-q"])
            .stdin(line.clone())
            .limit(Duration::from_secs(30))
    });
    assert_eq!(output.stdout.lines().count(), 160_000, "{}", output.stderr);
    assert!(peak < 350, "{peak} MiB");
}

/// A partition costs about 400 bytes for as long as duplicates are looked for: 512 MiB are 1.34 million.
#[test]
fn deduplication_is_bounded_and_can_be_switched_off() {
    let folder = folder();
    let path = folder.path().join("partitions.jsonl.gz");
    let line = |number: usize| {
        let one = |index| format!(r#"{{"partitionIndex":{index},"records":{{"records":[{{}}]}}}}"#);
        let all: Vec<String> = (number * 10_000..(number + 1) * 10_000).map(one).collect();
        fetch(&format!(
            r#"{{"name":"t","partitions":[{}]}}"#,
            all.join(",")
        ))
    };
    gzip(&path, (0..140).map(line));
    let path = text(&path);
    let run = |more: &[&str]| {
        let args = ["extract", &path, "-q"]
            .into_iter()
            .chain(more.iter().copied());
        Run::new(args).env("MIMALLOC_PURGE_DELAY", "0")
    };
    let (output, peak) = measured(|| run(&[]));
    assert_eq!(output.code, 2, "{:.2000}", output.stderr);
    let said = "kreplay: recognising further copies of records would take more than 512 MiB, for 1 topic, 1,3";
    assert!(output.stderr.contains(said), "{:.2000}", output.stderr);
    assert!(
        output.stderr.contains("hint: `--keep-duplicates`"),
        "{:.2000}",
        output.stderr
    );
    assert!(peak < 700, "{peak} MiB");
    let (output, peak) = measured(|| run(&["--keep-duplicates"]));
    assert_eq!(
        output.stdout.lines().count(),
        1_400_000,
        "{:.2000}",
        output.stderr
    );
    assert!(peak < 150, "{peak} MiB");
}

/// Every second offset, so that each record has a gap before it. kreplay keeps two million, whatever the
/// source.
#[test]
fn inspect_says_when_it_stops_counting_gaps() {
    let folder = folder();
    let path = folder.path().join("gaps.jsonl");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).expect("it is writable"));
    for number in 0..2_000_100 {
        writeln!(
            file,
            r#"{{"topic":"t","partition":0,"offset":{},"value":""}}"#,
            number * 2
        )
        .expect("there is room");
    }
    file.into_inner().expect("there is room");
    let path = text(&path);
    let (output, peak) = measured(|| {
        Run::new(["inspect", &path, "-q", "--report", "json"]).env("MIMALLOC_PURGE_DELAY", "0")
    });
    let report = report(&output);
    assert_eq!(
        (output.code, &report["topics"][0]["records"]),
        (0, &json!(2_000_100)),
        "{report:#}"
    );
    assert_eq!(report["topics"][0]["gaps"], 1_999_999, "{report:#}");
    let problem = &report["problems"][0];
    assert_eq!(problem["what"], "gaps_uncounted", "{report:#}");
    assert_eq!(
        (&problem["count"], &problem["first"]["line"]),
        (&json!(100), &json!(2_000_001))
    );
    assert!(peak < 200, "{peak} MiB");
}

#[test]
fn more_topics_than_a_run_sends_to_are_refused_before_any_is_made() {
    let lines: String = (0..20_001)
        .map(|i| format!("{{\"topic\":\"t{i}\",\"value\":\"\"}}\n"))
        .collect();
    let (output, peak) = measured(|| Run::new(["replay", "-", "--rehearse"]).stdin(lines.clone()));
    assert_eq!((output.code, &*output.stdout), (2, ""), "{output:?}");
    let said =
        "kreplay: the records go to more than 20,000 topics\nhint: `--topics` selects some of them";
    assert!(output.stderr.contains(said), "{output:?}");
    assert!(peak < 100, "{peak} MiB");
}

/// librdkafka starts a thread for each broker before anyone sees the answer: about 70 KB.
#[test]
fn a_cluster_of_thousands_of_brokers_is_refused() {
    let run = |brokers: &str| {
        Run::new(["replay", "-", "-t", "t", "-F", "none", "-b", brokers])
            .stdin("{\"value\":\"v\"}\n")
            .env("MIMALLOC_PURGE_DELAY", "0")
    };
    let many = brokers::cluster_of(2500);
    let (output, peak) = measured(|| run(&many));
    assert_eq!(output.code, 3, "{output:?}");
    let said = format!(
        "kreplay: no broker of {many} could be used: it has 2,500 brokers, but kreplay works with 2,000 brokers at most\n"
    );
    assert!(output.stderr.contains(&said), "{output:?}");
    assert!(peak < 350, "{peak} MiB");
    // librdkafka's own bound.
    let beyond = brokers::cluster_of(11_000);
    let (output, peak) = measured(|| run(&beyond));
    assert_eq!(output.code, 3, "{output:?}");
    assert!(peak < 100, "{peak} MiB");
}

/// As deep as a path can be, which is 4,096 bytes with the folder that it begins in.
#[test]
fn nested_folders_are_read_as_deep_as_paths_may_be_long() {
    let folder = folder();
    let depth = (4000 - folder.path().as_os_str().len()) / 2;
    let deepest = folder.path().join(vec!["d"; depth].join("/"));
    std::fs::create_dir_all(&deepest).expect("paths may be so long");
    let sound = fetch(&topic("t", r#"{"valueString":"v"}"#));
    std::fs::write(deepest.join("a.jsonl"), format!("{sound}\n")).expect("it is writable");
    let path = text(folder.path());
    let (output, peak) = measured(|| Run::new(["inspect", &path, "--report", "json"]));
    assert_eq!(
        (output.code, &report(&output)["ledger"]["records"]),
        (0, &json!(1)),
        "{output:.500?}"
    );
    assert!(peak < 100, "{peak} MiB");
}

/// Paths that look at each node below each node below each node, one of them with a regular expression: both
/// would take hours. One command applies them to an RRPair, another to a record's value.
#[test]
fn ctrl_c_ends_a_user_defined_query_that_does_not_finish() {
    let folder = folder();
    let deep = format!("{}\"abab\"{}", r#"{"a":["#.repeat(60), "]}".repeat(60));
    let line = format!(r#"{{"command":"Fetch","x":[{}]}}"#, times(2000, &deep)) + "\n";
    let lines = record_lines(
        &folder.path().join("lines.gz"),
        [("k".into(), line.clone())],
    );
    for query in [
        "$..[?@..[?@..[?@..[?@..[?@..b]]]]]",
        "$..[?@..[?@..[?search(@, '(a|b){1,90}(c|d){1,90}')]]]",
    ] {
        for args in [
            &["inspect", "-", "--value", query][..],
            &[
                "compare", &lines, &lines, "--as", "records", "--ignore", query,
            ],
        ] {
            let mut running = Run::new(args).stdin(line.clone()).spawn();
            // It has read everything and is at work when it has used this much processor time.
            running.wait_until("the query is at work", |running| {
                cpu_ticks(running.pid()) > 100
            });
            assert!(!running.has_ended(), "{args:?} is too quick");
            running.signal(Signal::SIGINT);
            let output = running.wait_within(Duration::from_secs(20));
            assert_eq!(output.code, 130, "{args:?}: {output:.500?}");
        }
    }
}

/// Each node below each node below each node: 60 levels are millions.
#[test]
fn a_query_that_selects_millions_of_nodes_is_named() {
    let deep = format!("{}1{}", r#"{"a":["#.repeat(60), "]}".repeat(60));
    let line = format!(r#"{{"command":"Fetch","x":[{}]}}"#, times(500, &deep)) + "\n";
    let args = [
        "inspect",
        "-",
        "--value",
        "$..*..*..*..*",
        "--report",
        "json",
    ];
    let (output, peak) = measured(|| {
        let run = Run::new(args).stdin(line.clone());
        run.env("MIMALLOC_PURGE_DELAY", "0")
    });
    let why = report(&output)["problems"][0]["first"]["why"].clone();
    let said = "a path selects more than 1,048,576 nodes";
    assert!(
        why.as_str().is_some_and(|why| why.contains(said)),
        "{output:.1000?}"
    );
    assert!(peak < 300, "{peak} MiB");
}

/// Record lines of topic `t` with these keys and values.
fn record_lines(path: &Path, records: impl IntoIterator<Item = (String, String)>) -> String {
    let line = |(key, value)| json!({ "topic": "t", "key": key, "value": value }).to_string();
    gzip(path, records.into_iter().map(line));
    text(path)
}

fn compared(
    folder: &TempDir,
    records: impl Fn(usize) -> Vec<(String, String)>,
) -> (RunOutput, u64) {
    let file = |side: usize| record_lines(&folder.path().join(format!("{side}.gz")), records(side));
    let files = [file(0), file(1)];
    let args = [
        "compare", &files[0], &files[1], "--as", "records", "--report", "json",
    ];
    measured(|| Run::new(args).env("MIMALLOC_PURGE_DELAY", "0"))
}

/// A name of 300 KB above 20,000 members: as many paths would be 6 GB.
#[test]
fn what_is_shown_of_a_difference_takes_bounded_memory() {
    let value = |side: usize| {
        let members: Vec<String> = (0..20_000).map(|n| format!("\"{n}\":{side}")).collect();
        format!("{{\"{}\":{{{}}}}}", "n".repeat(300_000), members.join(","))
    };
    let (output, peak) = compared(&folder(), |side| vec![("k".into(), value(side))]);
    let report = report(&output);
    let difference = &report["differences"][0];
    assert_eq!(difference["changes"].as_array().map(Vec::len), Some(1000));
    assert_eq!(difference["more_changes"], 19_000);
    assert!(peak < 200, "{peak} MiB");
}

/// 60 records on each side that differ in everything: 3,600 pairs of 40,000 changes would be 10 GB.
#[test]
fn which_records_belong_together_is_found_in_bounded_memory() {
    let value = |side: usize, number: usize| {
        let members = (0..20_000).map(|n| format!("\"{n}-{side}-{number}\":{n}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    };
    let records = |side| (0..60).map(|n| ("k".into(), value(side, n))).collect();
    let (output, peak) = compared(&folder(), records);
    assert_eq!(report(&output)["total"]["changed"], 60, "{output:.500?}");
    assert!(peak < 300, "{peak} MiB");
}

/// 30 million numbers in a value of 60 MB, which is compared as bytes; and 100 keys of 10 MB each.
#[test]
fn large_values_and_keys_are_compared_in_bounded_memory() {
    let list = |side: usize| format!("[{}]", times(30_000_000, &side.to_string()));
    let (output, peak) = compared(&folder(), |side| vec![("k".into(), list(side))]);
    assert_eq!(report(&output)["total"]["changed"], 1, "{output:.500?}");
    assert!(peak < 600, "{peak} MiB");
    let key = |number: usize| format!("{}{number}", "k".repeat(10_000_000));
    let records = |side| (0..100).map(|n| (key(n), format!("{side}"))).collect();
    let (output, peak) = compared(&folder(), records);
    assert_eq!(report(&output)["total"]["changed"], 100, "{output:.500?}");
    assert!(peak < 300, "{peak} MiB");
}

/// A query looks at the line as a whole: 30 million numbers in 60 MB would be 4 GB.
#[test]
fn a_line_with_millions_of_values_is_not_queried() {
    let folder = folder();
    let path = folder.path().join("values.jsonl.gz");
    let list = times(30_000_000, "0");
    let line = format!(r#"{{"command":"Fetch","x":[{list}],"value":"v"}}"#);
    gzip(
        &path,
        [line, r#"{"command":"Fetch","value":"v"}"#.to_owned()],
    );
    let path = text(&path);
    let args = ["inspect", &path, "--value", "$..value", "--report", "json"];
    let (output, peak) = measured(|| Run::new(args).env("MIMALLOC_PURGE_DELAY", "0"));
    let report = report(&output);
    assert_eq!(report["ledger"]["records"], 1, "{report:#}");
    let why = &report["problems"][0]["first"]["why"];
    let said = "it has more than 1,048,576 values, the most that a query looks at";
    assert!(
        why.as_str().is_some_and(|why| why.contains(said)),
        "{report:#}"
    );
    assert!(peak < 300, "{peak} MiB");
}

/// The time that a process has used of processors, in ticks of the kernel: 100 a second.
fn cpu_ticks(pid: i32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name, in parentheses, may hold anything (proc_pid_stat(5)).
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    fields
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum()
}
