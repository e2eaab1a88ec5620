//! Which part of a capture is selected: what `--topics`, `--from`, `--to`, `--sample`, `--skip`, `--limit`
//! and `--shard` select arrives, is printed and is counted, and the rest is in the ledger as `unselected`.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::harness::paths::{fixture, standin};
use crate::harness::run::{Run, RunOutput, kreplay, report};
use crate::harness::verdict::readback::read;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rdkafka::mocking::MockCluster;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Partitions of the topics of `shop.jsonl`, in which records are captured.
const SHOP: [(&str, i32); 3] = [("orders", 3), ("payments", 2), ("shipments", 2)];

/// The file of the shop.
fn shop() -> &'static str {
    static PATH: LazyLock<String> = LazyLock::new(|| fixture("shop.jsonl").display().to_string());
    &PATH
}

fn extract(args: &[&str]) -> RunOutput {
    kreplay([&["extract", shop()][..], args].concat())
}

/// The record lines of a run in which nothing went wrong.
#[track_caller]
fn lines(args: &[&str]) -> Vec<String> {
    let output = extract(&[args, &["-q"]].concat());
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (0, ""),
        "{output:#?}"
    );
    output.stdout.lines().map(String::from).collect()
}

fn parsed(lines: &[String]) -> Vec<Value> {
    let parse = |line: &String| serde_json::from_str(line).expect("a record line");
    lines.iter().map(parse).collect()
}

/// The report of a rehearsal of the shop.
#[track_caller]
fn rehearse(args: &[&str]) -> Value {
    let run = [
        &["replay", shop(), "--rehearse", "--report", "json"][..],
        args,
    ]
    .concat();
    let output = kreplay(run);
    assert_eq!(output.code, 0, "{output:#?}");
    report(&output)
}

/// Selections of which each leaves out some of the shop's 49 records and some in.
const SELECTIONS: [&[&str]; 9] = [
    &["--topics", "orders"],
    &["--topics", "*,!orders"],
    &["--from", "+1s", "--to", "+2s"],
    &["--from", "2026-01-05T09:00:02Z", "--clock", "record"],
    &["--sample", "1/3"],
    &["--skip", "10", "--limit", "20"],
    &["--shard", "2/3"],
    &[
        "--topics",
        "payments,shipments",
        "--skip",
        "3",
        "--shard",
        "1/2",
    ],
    &[
        "--topics", "p*", "--from", "+500ms", "--sample", "1/2", "--limit", "3",
    ],
];

/// The bytes of a member of a record line.
fn bytes(line: &Value, name: &str) -> Option<Vec<u8>> {
    match (line[name].as_str(), line[format!("{name}_base64")].as_str()) {
        (Some(text), _) => Some(text.into()),
        (_, Some(text)) => Some(STANDARD.decode(text).expect("it is base64")),
        (None, None) => None,
    }
}

#[test]
fn the_selected_records_arrive_and_are_those_that_extract_prints() {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    let brokers = cluster.bootstrap_servers();
    for (number, selection) in SELECTIONS.iter().enumerate() {
        let printed = parsed(&lines(selection));
        assert!(!printed.is_empty() && printed.len() < 49, "{selection:?}");
        for (topic, partitions) in SHOP {
            let name = format!("{topic}-{number}");
            cluster.create_topic(&name, partitions, 1).expect("a topic");
        }
        let map = format!("*={{topic}}-{number}");
        let args = ["replay", shop(), "-b", &brokers, "--map", &map];
        let output = kreplay([&args[..], selection].concat());
        assert_eq!(output.code, 0, "{selection:?} {output:#?}");
        for (topic, _) in SHOP {
            let of_topic = printed.iter().filter(|line| line["topic"] == topic);
            let mut wanted: Vec<_> = of_topic
                .map(|line| (bytes(line, "key"), bytes(line, "value")))
                .collect();
            let arrived = read(&brokers, &format!("{topic}-{number}")).expect("it can be read");
            let mut arrived: Vec<_> = arrived
                .into_iter()
                .map(|seen| (seen.key, seen.value))
                .collect();
            wanted.sort_unstable();
            arrived.sort_unstable();
            assert_eq!(arrived, wanted, "{selection:?} {topic}");
        }
    }
}

#[test]
fn all_shards_are_the_whole_and_each_record_is_on_one_of_them() {
    let whole = lines(&[]);
    for of in [1_usize, 2, 3, 4, 7, 50] {
        let mut all: Vec<String> = Vec::new();
        let mut machines: HashMap<String, usize> = HashMap::new();
        for index in 1..=of {
            let share = lines(&["--shard", &format!("{index}/{of}")]);
            for line in parsed(&share) {
                let partition = format!("{} {}", line["topic"], line["partition"]);
                let machine = *machines.entry(partition).or_insert(index);
                assert_eq!(machine, index, "{line}");
            }
            // Within a machine the order is that of the capture.
            let mut places = share
                .iter()
                .map(|line| whole.iter().position(|l| l == line));
            assert!(places.clone().is_sorted() && places.all(|place| place.is_some()));
            all.extend(share);
        }
        all.sort_unstable();
        let mut expected = whole.clone();
        expected.sort_unstable();
        assert_eq!(all, expected, "{of} shards");
    }
}

#[test]
fn shards_of_record_lines_are_those_of_the_capture() {
    let whole = lines(&[]).join("\n");
    for shard in ["1/3", "2/3", "3/3"] {
        let args = ["extract", "-", "-q", "--shard", shard];
        let output = Run::new(args).stdin(whole.as_str()).output();
        let share: Vec<String> = output.stdout.lines().map(String::from).collect();
        assert_eq!(share, lines(&["--shard", shard]), "{shard}");
    }
}

#[test]
fn a_machine_of_an_indexed_job_takes_its_shard() {
    for index in 0..3 {
        let run = Run::new(["extract", shop(), "-q", "--shard", "auto"])
            .env("JOB_COMPLETION_INDEX", index.to_string())
            .env("KREPLAY_SHARDS", "3");
        let share = run.output().stdout;
        let expected = lines(&["--shard", &format!("{}/3", index + 1)]).join("\n") + "\n";
        assert_eq!(share, expected, "{index}");
    }
}

#[test]
fn skip_and_limit_divide_the_source_without_overlap() {
    let whole = lines(&[]);
    for at in [1, 7, 48, 49, 60] {
        let at = at.to_string();
        let mut both = lines(&["--limit", &at]);
        let rest = extract(&["-q", "--skip", &at]);
        assert_eq!(rest.code, 0, "{rest:#?}");
        both.extend(rest.stdout.lines().map(String::from));
        assert_eq!(both, whole, "{at}");
    }
}

#[test]
fn a_sample_has_all_records_of_its_keys() {
    let whole = parsed(&lines(&[]));
    let sample = parsed(&lines(&["--sample", "1/2"]));
    let by_key = |lines: &[Value]| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for key in lines.iter().filter_map(|line| line["key"].as_str()) {
            *counts.entry(key.into()).or_default() += 1;
        }
        counts
    };
    let (all, some) = (by_key(&whole), by_key(&sample));
    assert!(!some.is_empty() && some.len() < all.len());
    for (key, count) in some {
        assert_eq!(all[&key], count, "{key}");
    }
}

/// Nanoseconds since midnight of an RFC 3339 time.
fn time_of_day(time: &Value) -> u128 {
    let time = time.as_str().expect("a time");
    let time = time
        .split_once('T')
        .expect("RFC 3339")
        .1
        .trim_end_matches('Z');
    let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
    let seconds = whole
        .split(':')
        .map(|n| n.parse::<u128>().expect("a number"));
    let seconds = seconds.fold(0, |sum, n| sum * 60 + n);
    seconds * 1_000_000_000 + format!("{fraction:0<9}").parse::<u128>().expect("digits")
}

#[test]
fn a_window_uses_the_clock_that_is_asked_for() {
    let all = lines(&[]);
    let whole = parsed(&all);
    let between = |test: &dyn Fn(&Value) -> bool| -> Vec<String> {
        let chosen = all.iter().zip(&whole).filter(|(_, line)| test(line));
        chosen.map(|(text, _)| text.clone()).collect()
    };
    let first = time_of_day(&whole[0]["captured"]);
    let second = 1_000_000_000;
    let expected = between(&|line| {
        let since = time_of_day(&line["captured"]) - first;
        since >= second && since < 3 * second
    });
    assert!(!expected.is_empty() && expected.len() < 49);
    assert_eq!(lines(&["--from", "+1s", "--to", "+3s"]), expected);
    // 2026-01-05T09:00:02Z, as `date -ud` says.
    let expected = between(&|line| line["timestamp"].as_i64() >= Some(1_767_603_602_000));
    assert!(!expected.is_empty() && expected.len() < 49);
    let from = ["--from", "2026-01-05T10:00:02+01:00", "--clock", "record"];
    assert_eq!(lines(&from), expected);
}

/// Kafka writes -1 for a timestamp that it does not know, and its clients take 0 for the time of sending.
#[test]
fn a_window_does_not_count_from_a_timestamp_that_is_none() {
    for none in [0_i64, -1] {
        let times = [none, 1_767_603_602_000, 1_767_603_602_000 + 6 * 60_000];
        let input = times
            .map(|time| format!("{{\"topic\":\"orders\",\"timestamp\":{time},\"value\":\"v\"}}\n"));
        let run = |command: &[&str]| {
            let run = Run::new([command, &["-", "--clock", "record"]].concat());
            let output = run.stdin(input.concat()).output();
            assert!(matches!(output.code, 0 | 1), "{output:#?}");
            output
        };
        for (window, expected) in [(["--from", "+5m"], times[2]), (["--to", "+5m"], times[1])] {
            let output = run(&[&["extract"][..], &window].concat());
            let printed: Vec<String> = output.stdout.lines().map(String::from).collect();
            let printed: Vec<Value> = parsed(&printed);
            let printed: Vec<&Value> = printed.iter().map(|line| &line["timestamp"]).collect();
            assert_eq!(printed, [expected], "{window:?} {output:#?}");
        }
        let output = run(&["replay", "--rehearse", "--report", "json", "--from", "+0s"]);
        let replayed = report(&output);
        assert_eq!(replayed["ledger"]["delivered"], 2, "{output:#?}");
        assert_eq!(replayed["unselected"]["no_time"], 1, "{output:#?}");

        // The schedule begins with the same record.
        let planned = report(&run(&["plan", "--speed", "1x", "--report", "json"]));
        assert_eq!(planned["schedule"]["duration_s"], 6.0 * 60.0, "{planned:#}");
        assert_eq!(planned["schedule"]["timing"]["untimed"], 1, "{planned:#}");
    }
}

#[test]
fn records_that_are_left_out_are_counted_by_reason() {
    // 28 orders, 11 payments, 10 shipments and 2 markers.
    let report = rehearse(&["--topics", "orders", "--skip", "5", "--limit", "7"]);
    let ledger = &report["ledger"];
    assert_eq!(ledger["delivered"], 7);
    let reasons = &report["unselected"];
    assert_eq!(reasons["skip"], 5);
    let sum: u64 = reasons
        .as_object()
        .expect("counts")
        .values()
        .filter_map(Value::as_u64)
        .sum();
    assert_eq!(ledger["unselected"], sum);
    let found = ledger["found"].as_u64().expect("a count");
    assert!(found < 51, "reading ended before the end");
    assert_eq!(report["source"]["complete"], true);

    let report = rehearse(&["--topics", "*,!orders", "--shard", "1/1"]);
    assert_eq!(report["ledger"]["unselected"], 28);
    assert_eq!(
        report["unselected"],
        json!({"topics": 28, "from": 0, "to": 0, "no_time": 0, "sample": 0, "skip": 0, "limit": 0, "shard": 0})
    );
    assert_eq!(report["ledger"]["delivered"], 21);
    assert_eq!(report["ledger"]["found"], 51);
    let topics = report["topics"].as_array().expect("topics");
    let names: Vec<&Value> = topics.iter().map(|topic| &topic["topic"]).collect();
    assert_eq!(names.len(), 2, "{names:?}");

    let whole = rehearse(&[]);
    assert_eq!(whole["ledger"]["unselected"], 0);
    assert_eq!(whole.get("unselected"), None);
}

#[test]
fn the_text_report_says_what_is_left_out() {
    let output = kreplay([
        "replay",
        shop(),
        "--rehearse",
        "--topics",
        "p*",
        "--skip",
        "4",
    ]);
    let expected = "found      51 = 2 control + 42 unselected + 7 delivered\nunselected 38 by --topics, 4 by --skip\n";
    assert!(output.stdout.contains(expected), "{output:#?}");
    let output = extract(&["--topics", "p*", "--skip", "4"]);
    let expected = "found      51 = 2 control + 42 unselected + 7 printed\nunselected 38 by --topics, 4 by --skip\n";
    assert!(output.stderr.contains(expected), "{output:#?}");
}

#[test]
fn inspect_looks_at_what_is_selected() {
    let run = [
        "inspect",
        shop(),
        "--report",
        "json",
        "--topics",
        "payments",
    ];
    let output = kreplay(run);
    assert_eq!(output.code, 0, "{output:#?}");
    let inspection: Value = serde_json::from_str(&output.stdout).expect("a report");
    assert_eq!(inspection["ledger"]["unselected"], 38);
    assert_eq!(inspection["ledger"]["records"], 11);
    assert_eq!(inspection["unselected"]["topics"], 38);
    let topics = inspection["topics"].as_array().expect("topics");
    assert_eq!((topics.len(), &topics[0]["topic"]), (1, &json!("payments")));
}

#[test]
fn every_selection_is_that_of_all_commands() {
    for selection in SELECTIONS {
        let printed = lines(selection).len();
        let of = |command: &str| {
            let args = [&[command, shop(), "--report", "json"][..], selection].concat();
            let output = kreplay(args);
            assert_eq!(output.code, 0, "{output:#?}");
            let report: Value = serde_json::from_str(&output.stdout).expect("a report");
            report
        };
        assert_eq!(of("inspect")["ledger"]["records"], printed, "{selection:?}");
        assert_eq!(of("plan")["ledger"]["to_send"], printed, "{selection:?}");
    }
}

#[test]
fn a_limit_ends_reading_of_an_input_that_goes_on() {
    let shop = std::fs::read(fixture("shop.jsonl")).expect("the fixture can be read");
    let mut running = Run::new(["extract", "-", "-q", "--limit", "5"])
        .stdin_open()
        .spawn();
    // The pipe stays open: without the limit the run would wait for more.
    let mut pipe = running.take_stdin();
    // It may have enough before it has taken everything.
    _ = pipe.write_all(&shop);
    let output = running.wait();
    drop(pipe);
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (0, ""),
        "{output:#?}"
    );
    assert_eq!(output.stdout.lines().count(), 5);
}

#[test]
fn a_limit_ends_speedctl_without_a_failure() {
    let notes = TempDir::new().expect("a temporary folder");
    for via in ["csv", "auto"] {
        let pids = notes.path().join(via).display().to_string();
        // Some rows, and then nothing more and no end.
        let faults = format!("silent-after=5,pid-file={pids}");
        let args = [
            "--rehearse",
            "--report",
            "json",
            "--via",
            via,
            "--limit",
            "1",
        ];
        let output = Run::new([&["snapshot", "demo"], &args[..]].concat())
            .env("KREPLAY_SPEEDCTL", standin())
            .env("STANDIN_DATA", fixture("demo.jsonl").with_file_name(""))
            .env("STANDIN_OBJECTS", "json")
            .env("STANDIN_FAULT", faults)
            .output();
        let report = report(&output);
        let outcome = (
            output.code,
            &report["ledger"]["delivered"],
            &report["errors"],
        );
        assert_eq!(outcome, (0, &json!(1), &json!([])), "{via} {output:#?}");
        let pids = std::fs::read_to_string(&pids).expect("the stand-in has noted it");
        for pid in pids.lines() {
            // A process that nobody has waited for yet is a zombie.
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let ended = stat.is_empty() || stat.contains(") Z ") || stat.contains(") X ");
            assert!(ended, "{via}: {stat}");
        }
    }
}

#[test]
fn a_renaming_may_match_in_another_shard_of_the_capture() {
    for selection in [
        ["--topics", "orders"],
        ["--limit", "1"],
        ["--shard", "1/50"],
    ] {
        let args = ["--map", "payments=paid", "--map", "shipments=sent"];
        let report = rehearse(&[&args[..], &selection[..]].concat());
        assert_eq!(report["problems"], json!([]), "{selection:?}");
    }
}

#[test]
fn a_topic_is_created_with_the_partitions_of_all_shards() {
    let mut met = 0;
    for shard in ["1/4", "2/4", "3/4", "4/4"] {
        let report = rehearse(&["--shard", shard]);
        for topic in report["topics"].as_array().expect("topics") {
            let mut shop = SHOP.iter();
            let expected = shop.find(|(name, _)| topic["topic"] == *name);
            let (_, partitions) = expected.expect("it is of the shop");
            assert_eq!(topic["partitions"], *partitions, "{shard} {topic}");
            met += 1;
        }
    }
    assert!(met >= SHOP.len());
}

#[test]
fn an_id_whose_records_are_left_out_needs_no_name() {
    let file = fixture("topic-id-unknown.jsonl").display().to_string();
    let whole = kreplay(["extract", &file, "-q"]).stdout;
    let ids = whole.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).expect("a record line");
        line["topic_id"].as_str().map(String::from)
    });
    let ids: Vec<String> = ids.collect();
    assert!(!ids.is_empty());
    let args = ["replay", &file, "--rehearse", "--report", "json"];
    let all = report(&kreplay(args));
    assert_ne!(all["unresolved_topic_ids"], json!([]));
    let excluded = format!("!{}", ids[0]);
    let output = kreplay([&args[..], &["--topics", &excluded]].concat());
    let report = report(&output);
    assert_eq!(report["unresolved_topic_ids"], json!([]), "{output:#?}");
    assert_eq!(report["unselected"]["topics"], ids.len());
    assert_eq!(output.code, 0, "{output:#?}");
}

#[test]
fn another_selection_does_not_resume() {
    let folder = TempDir::new().expect("a temporary folder");
    let journal = folder.path().join("journal").display().to_string();
    let cluster = MockCluster::new(1).expect("a mock cluster");
    for (topic, partitions) in SHOP {
        cluster.create_topic(topic, partitions, 1).expect("a topic");
    }
    let brokers = cluster.bootstrap_servers();
    let run = |selection: &[&str]| {
        let args = [
            "replay",
            shop(),
            "-b",
            &brokers,
            "--resume",
            &journal,
            "--report",
            "json",
        ];
        kreplay([&args[..], selection].concat())
    };
    let first = run(&["--topics", "orders", "--limit", "9"]);
    assert_eq!(first.code, 0, "{first:#?}");
    assert_eq!(report(&first)["ledger"]["delivered"], 9);
    for other in [
        &["--topics", "orders", "--limit", "10"][..],
        &["--topics", "orders"],
        &["--topics", "orders", "--limit", "9", "--shard", "1/2"],
        &[],
    ] {
        let refused = run(other);
        assert_eq!(refused.code, 2, "{refused:#?}");
        assert!(refused.stderr.contains("(`selection`)"), "{refused:#?}");
    }
    let again = report(&run(&["--topics", "orders", "--limit", "9"]));
    assert_eq!(
        (&again["resume"]["skipped"], &again["ledger"]["delivered"]),
        (&json!(9), &json!(0))
    );
    assert_eq!(read(&brokers, "orders").expect("it can be read").len(), 9);
}

#[test]
fn a_selection_that_makes_no_sense_is_a_usage_error() {
    for (flags, expected) in [
        (
            &["--shard", "5/4"][..],
            "`--shard 5/4`: there is no shard 5 of 4",
        ),
        (&["--shard", "0/4"], "shards count from 1: the first is 1/4"),
        (&["--shard", "1/0"], "0 is not a number of shards"),
        (
            &["--shard", "auto"],
            "`--shard auto` reads JOB_COMPLETION_INDEX, which is not set",
        ),
        (&["--sample", "1/0"], "expected 1/N with N above 0"),
        (&["--limit", "0"], "--limit"),
        (&["--limit", "-1"], "invalid value '-1' for '--limit <N>'"),
        (&["--skip", "-1"], "invalid value '-1' for '--skip <N>'"),
        (&["--from", "soon"], "expected RFC 3339"),
        (&["--to", "-5m"], "expected RFC 3339"),
        (
            &["--from", "+2m", "--to", "+1m"],
            "`--from +2m` is not before `--to +1m`",
        ),
        (
            &[
                "--from",
                "2026-01-05T09:00:02Z",
                "--to",
                "2026-01-05T09:00:02Z",
            ],
            "`--from 2026-01-05T09:00:02Z` is not before `--to 2026-01-05T09:00:02Z`",
        ),
        (&["--topics", "a,!a"], "`a` and `!a` contradict each other"),
        (&["--topics", "a|b"], "no name has a `|`"),
        (&["--clock", "record"], "`--clock record` is for "),
    ] {
        for command in [&["replay", shop(), "--rehearse"][..], &["extract", shop()]] {
            let output = kreplay([command, flags].concat());
            assert_eq!(
                (output.code, output.stdout.as_str()),
                (2, ""),
                "{output:#?}"
            );
            assert!(
                output.stderr.contains(expected),
                "{expected} in {output:#?}"
            );
        }
    }
}

#[test]
fn paths_are_not_selected_and_a_clock_alone_selects_nothing() {
    for flag in [["--topics", "orders"], ["--clock", "record"]] {
        let output = kreplay([&["inspect", shop(), "--paths"][..], &flag].concat());
        assert_eq!(output.code, 2, "{output:#?}");
        assert!(
            output.stderr.contains("--paths") && output.stderr.contains(flag[0]),
            "{output:#?}"
        );
    }
    for command in [&["inspect", shop()][..], &["compare", shop(), shop()]] {
        let output = kreplay([command, &["--clock", "record"]].concat());
        let said = "`--clock record` is for `--from` and `--to`, and none of them is given";
        assert_eq!(output.code, 2, "{output:#?}");
        assert!(output.stderr.contains(said), "{output:#?}");
    }
}

#[test]
fn a_glob_that_matches_no_topic_is_named_with_the_nearest() {
    for command in [
        &["replay", shop(), "--rehearse"][..],
        &["extract", shop()],
        &["inspect", shop()],
    ] {
        let output = kreplay([command, &["--topics", "order,payments"]].concat());
        assert_eq!(output.code, 1, "{output:#?}");
        let said = format!("{}{}", output.stdout, output.stderr);
        let expected = "`order` of `--topics` matches nothing: no such topic is captured; nearest to it is `orders`";
        assert!(said.contains(expected), "{output:#?}");
    }
}

#[test]
fn an_error_about_a_window_outside_the_capture_names_the_captured_span() {
    let times: Vec<Value> = parsed(&lines(&[]))
        .iter()
        .map(|line| line["captured"].clone())
        .collect();
    let first = times
        .iter()
        .min_by_key(|time| time_of_day(time))
        .expect("records");
    let last = times
        .iter()
        .max_by_key(|time| time_of_day(time))
        .expect("records");
    let text = |time: &Value| time.as_str().expect("a time").to_string();
    let expected = format!(
        "`--from 2030-01-01T00:00:00Z` leaves out all records: the capture spans {} to {}",
        text(first),
        text(last)
    );
    let late = ["--from", "2030-01-01T00:00:00Z"];
    for command in [&["extract"][..], &["replay", "--rehearse"], &["plan"]] {
        let output = kreplay([command, &[shop()], &late].concat());
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (2, ""),
            "{output:#?}"
        );
        let said =
            format!("kreplay: {expected}\nhint: `--clock record` uses the records' own timestamps");
        assert!(output.stderr.contains(&said), "{said} in {output:#?}");
    }
    let output = kreplay([&["inspect", shop()], &late[..]].concat());
    assert_eq!(output.code, 2, "{output:#?}");
    // Also from stdin, which is read only once: nothing was sent when its end has come.
    let input = std::fs::read(shop()).expect("the fixture is readable");
    let output = Run::new(["replay", "-", "--rehearse", "--to", "2020-01-01T00:00:00Z"]);
    let output = output.stdin(input).output();
    assert_eq!(output.code, 2, "{output:#?}");
    assert!(output.stderr.contains("the capture spans"), "{output:#?}");

    let kcat: PathBuf = fixture("kcat.jsonl");
    let output = kreplay(["extract", &kcat.display().to_string(), "--from", "+1s"]);
    assert_eq!(output.code, 2, "{output:#?}");
    let said = "none has a time by this `--clock`";
    assert!(output.stderr.contains(said), "{output:#?}");
    let said = "`--clock record` uses the records' own timestamps";
    assert!(output.stderr.contains(said), "{output:#?}");
    // A user who allows a source without records gets the report that names the window.
    let output = kreplay([&["extract", shop(), "--allow-empty"], &late[..]].concat());
    assert_eq!(output.code, 1, "{output:#?}");
}

#[test]
fn the_documented_examples_print_what_the_page_shows() {
    let page = include_str!("../../docs/selection.md");
    let bin = Path::new(env!("CARGO_BIN_EXE_kreplay"));
    let folder = bin.parent().expect("it is in a folder").display();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let mut examples = 0;
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(command) = line.strip_prefix("    $ ") else {
            continue;
        };
        let mut shown = String::new();
        while let Some(line) = lines.next_if(|line| line.starts_with("    ")) {
            shown += line.trim_start();
            shown.push('\n');
        }
        let output = Run::program("sh", ["-c", command])
            .env("PATH", &path)
            .cwd(env!("CARGO_MANIFEST_DIR"))
            .output();
        assert_eq!(output.stdout, shown, "{command}");
        examples += 1;
    }
    assert_eq!(examples, 5);
}
