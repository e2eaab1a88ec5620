//! Lines and rows of 100 MB, and the memory that they take.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use super::{InputFolder, MOST_MEMORY_KIB, VALUE, good, rehearse};
use crate::harness::run::Run;
use serde_json::{Value, json};

/// A file with one line or row of `mib` MiB between two good ones.
fn long_line(inputs: &InputFolder, command: &str, mib: usize) -> String {
    let (head, tail) = match command {
        "raw" => {
            let line = good("SPLIT");
            let (head, tail) = line.split_once("SPLIT").expect("it is there");
            (head.to_owned(), tail.to_owned())
        }
        _ => (String::new(), ",2".to_owned()),
    };
    let pad = vec![b'x'; 1 << 20];
    inputs.stream(&format!("long.{command}"), |file| {
        let (first, last) = match command {
            "raw" => (good("a"), good("b")),
            _ => (format!("{VALUE},RRPair UUID\na,1"), "b,3".into()),
        };
        write!(file, "{first}\n{head}").expect("the disk has room");
        (0..mib).for_each(|_| file.write_all(&pad).expect("the disk has room"));
        write!(file, "{tail}\n{last}\n").expect("the disk has room");
    })
}

#[test]
fn a_line_of_100_mb_is_named_and_the_lines_around_it_are_sent() {
    let inputs = InputFolder::new();
    let file = long_line(&inputs, "raw", 100);
    let replay = rehearse(&["replay", &file]);
    replay.assert("raw", 1, 2, 1);
    replay.assert_named("raw", &file, 2, "longer than 64 MiB");
    // Within the bound a line is read, and Kafka decides.
    let file = long_line(&inputs, "raw", 40);
    let replay = rehearse(&["replay", &file]);
    assert_eq!(
        (
            replay.output.code,
            replay.ledger("delivered"),
            replay.ledger("not_written")
        ),
        (1, 2, 1)
    );
    replay.assert_named(
        "raw",
        &file,
        2,
        "do not fit into the default max.message.bytes of 1048588",
    );
}

#[test]
fn a_row_of_100_mb_ends_the_csv_with_a_reason() {
    let inputs = InputFolder::new();
    let replay = rehearse(&["replay", &long_line(&inputs, "csv", 100), "-t", "t"]);
    // What follows may be sent or not; what comes before is sent.
    assert!(replay.ledger("delivered") >= 1, "{}", replay.report);
    assert!([1, 4].contains(&replay.output.code), "{}", replay.report);
    assert!(
        replay.report.to_string().contains("longer than 16"),
        "{}",
        replay.report
    );
}

#[test]
fn a_row_of_100_mb_is_counted_and_named_by_its_line() {
    let inputs = InputFolder::new();
    let file = long_line(&inputs, "csv", 100);
    let replay = rehearse(&["replay", &file, "-t", "t"]);
    let place = format!("{file}:3");
    assert!(
        replay.output.stderr.contains(&place),
        "{}",
        replay.output.stderr
    );
    assert!(
        replay.output.stderr.contains("16 MiB"),
        "{}",
        replay.output.stderr
    );
    assert_eq!(replay.ledger("unreadable"), 1, "{}", replay.report);
}

/// The most memory that a run held, in KiB. On a busy machine a short run may be over before it was measured:
/// then another one starts.
fn peak_memory_kib(args: &[&str]) -> u64 {
    let mut peaks = (0..10).map(|_| peak_seen_kib(args));
    peaks.find(|peak| *peak > 0).unwrap_or(0)
}

/// The most memory that a run held until its end, as measured.
fn peak_seen_kib(args: &[&str]) -> u64 {
    let mut running = Run::new(args.iter().chain(&["--rehearse", "-q"]))
        .limit(Duration::from_secs(30))
        .spawn();
    let status = PathBuf::from(format!("/proc/{}/status", running.pid()));
    let mut peak = 0;
    while !running.has_ended() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        std::thread::sleep(Duration::from_micros(500));
    }
    running.wait();
    peak
}

#[cfg(target_os = "linux")]
#[test]
fn a_line_of_100_mb_takes_bounded_memory() {
    let inputs = InputFolder::new();
    let peak = peak_memory_kib(&["replay", &long_line(&inputs, "raw", 100)]);
    assert!((1..MOST_MEMORY_KIB).contains(&peak), "{peak} KiB");
}

/// 180 MB, more than kreplay may hold.
#[cfg(target_os = "linux")]
#[test]
fn a_list_of_records_is_read_element_by_element() {
    let inputs = InputFolder::new();
    let record = json!({"topic": "t", "partition": 0, "value": "v".repeat(60_000)}).to_string();
    let list = format!("[{}]", vec![record; 3_000].join(",\n"));
    let path = inputs.0.path().join("list.json");
    fs::write(&path, list).expect("the temporary folder is writable");
    let peak = peak_memory_kib(&["replay", &path.display().to_string()]);
    assert!((1..MOST_MEMORY_KIB).contains(&peak), "{peak} KiB");
}

/// The texts of the elements are 2,000 times half a megabyte together.
#[cfg(target_os = "linux")]
#[test]
fn an_xpath_over_elements_inside_each_other_takes_bounded_memory() {
    let inputs = InputFolder::new();
    let body = "<a>".repeat(2_000) + &"x".repeat(500_000) + &"</a>".repeat(2_000);
    let pair = json!({"msgType": "rrpair", "http": {"req": {"body": body}}}).to_string();
    let path = inputs.0.path().join("deep.jsonl");
    fs::write(&path, pair).expect("the temporary folder is writable");
    let path = path.display().to_string();
    let peak = peak_memory_kib(&["replay", &path, "--filter", "req_xpath[//a] IS nothing"]);
    assert!((1..MOST_MEMORY_KIB).contains(&peak), "{peak} KiB");
}

#[cfg(target_os = "linux")]
#[test]
fn a_row_of_100_mb_takes_bounded_memory() {
    let inputs = InputFolder::new();
    let peak = peak_memory_kib(&["replay", &long_line(&inputs, "csv", 100), "-t", "t"]);
    assert!((1..MOST_MEMORY_KIB).contains(&peak), "{peak} KiB");
}

#[test]
fn an_illegal_topic_name_makes_its_records_unreadable() {
    let pair = |topic: &str, value: &str| {
        let records = json!({ "records": [{ "valueString": value }] });
        let partition = json!({ "partitionIndex": 0, "records": records });
        let topics = json!([{ "name": topic, "partitions": [partition] }]);
        let response = json!({ "FetchResponse": { "topics": topics } });
        json!({ "msgType": "rrpair", "command": "Fetch", "kafka": { "response": response } })
    };
    let line = |topic: &str| json!({ "topic": topic, "value": "v" });
    for name in [
        "a".repeat(40_000),
        "a".repeat(250),
        "no name".into(),
        "..".into(),
    ] {
        let lines = format!("{}\n{}\n", line("sound"), line(&name));
        let pairs = format!("{}\n{}\n", pair("sound", "v"), pair(&name, "v"));
        for (kind, input) in [("records", lines), ("raw", pairs)] {
            let args = ["replay", "-", "--rehearse", "--report", "json"];
            let run = Run::new(args).stdin(input).output();
            assert_eq!(run.code, 1, "{kind}: {run:#?}");
            let report: Value = serde_json::from_str(&run.stdout).expect("a report");
            let ledger = &report["ledger"];
            let counts = [
                &ledger["found"],
                &ledger["delivered"],
                &ledger["unreadable"],
            ];
            assert_eq!(counts, [2, 1, 1], "{kind}: {report:#}");
        }
    }
}
