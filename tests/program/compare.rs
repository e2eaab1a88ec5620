//! `kreplay compare` says whether two sets of records are the same, and where they differ.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::harness::paths::fixture;
use crate::harness::run::{Run, RunOutput, kreplay};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A file of record lines of topic `bills`, from keys and values.
fn lines(folder: &TempDir, name: &str, records: &[(&str, Value)]) -> PathBuf {
    let path = folder.path().join(name);
    let line = |(offset, (key, value)): (usize, &(&str, Value))| {
        json!({
            "topic": "bills",
            "partition": 0,
            "offset": offset,
            "key": key,
            "value": value.to_string(),
        })
        .to_string()
    };
    let lines: Vec<String> = records.iter().enumerate().map(line).collect();
    fs::write(&path, lines.join("\n") + "\n").expect("the temporary folder is writable");
    path
}

fn compare(expected: &Path, observed: &Path, flags: &[&str]) -> RunOutput {
    let files = [expected, observed].map(|path| path.display().to_string());
    let args = ["compare", &files[0], &files[1]];
    kreplay([&args[..], flags].concat())
}

fn counts(output: &RunOutput) -> Value {
    let report: Value = serde_json::from_str(&output.stdout).expect("one JSON object");
    report["total"].clone()
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("the system's temporary folder is writable")
}

#[test]
fn a_capture_equals_itself_and_its_record_lines() {
    let shop = fixture("shop.jsonl");
    let folder = folder();
    let lines = folder.path().join("shop.lines");
    let printed = kreplay(["extract", &shop.display().to_string(), "-q"]);
    fs::write(&lines, &printed.stdout).expect("the temporary folder is writable");
    for observed in [&shop, &lines] {
        let output = compare(&shop, observed, &["--report", "json"]);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""));
        // shop.expected.jsonl, which was written by hand, holds as many records.
        let expected = fs::read_to_string(fixture("shop.expected.jsonl")).expect("it can be read");
        assert_eq!(counts(&output)["equal"], expected.lines().count());
    }
}

#[test]
fn a_difference_is_shown_with_its_place_and_ends_with_code_1() {
    let folder = folder();
    let bill = |amount: u32, paid: bool| json!({ "amount": amount, "meta": { "paid": paid } });
    let expected = [
        ("ann", bill(1, true)),
        ("bob", bill(2, true)),
        ("cid", bill(3, true)),
        ("dan", bill(4, true)),
        ("dan", bill(5, true)),
        ("eve", bill(6, true)),
    ];
    let observed = [
        ("ann", bill(1, true)),
        ("bob", bill(2, false)),
        ("dan", bill(5, true)),
        ("dan", bill(4, true)),
        ("eve", bill(6, true)),
        ("eve", bill(6, true)),
        ("fay", bill(7, true)),
    ];
    let expected = lines(&folder, "expected", &expected);
    let observed = lines(&folder, "observed", &observed);
    let output = compare(&expected, &observed, &[]);
    assert_eq!((output.code, output.stderr.as_str()), (1, ""));
    let text = output
        .stdout
        .replace(&format!("{}/", folder.path().display()), "");
    let begin = text.find("topic ").expect("a line for each topic");
    assert_eq!(
        &text[begin..],
        "\
topic      bills: 3 equal, 1 changed, 1 missing, 1 extra, 1 repeated, 1 reordered

bills changed, key bob: expected:2 -> observed:2
  $.meta.paid: true -> false
bills missing, key cid: expected:3
bills reordered, key dan: expected:5 -> observed:3
bills repeated, key eve: observed:6
bills extra, key fay: observed:7
"
    );
    let total = json!({
        "equal": 3, "changed": 1, "missing": 1, "extra": 1, "repeated": 1, "reordered": 1,
    });
    let output = compare(&expected, &observed, &["--report", "json"]);
    assert_eq!(counts(&output), total);
}

#[test]
fn each_allowance_excuses_its_kind_of_difference_and_no_other() {
    let bill = |id: u32, amount: u32| json!({ "id": id, "amount": amount });
    let more = json!({ "id": 1, "amount": 1, "note": "x" });
    let one = [("k", bill(1, 1)), ("k", bill(2, 2))];
    let cases = [
        (
            "--allow-reordered",
            vec![("k", bill(2, 2)), ("k", bill(1, 1))],
        ),
        (
            "--allow-repeated",
            vec![("k", bill(1, 1)), ("k", bill(2, 2)), ("k", bill(2, 2))],
        ),
        ("--allow-new", vec![("k", more), ("k", bill(2, 2))]),
        ("--ignore=$.id", vec![("k", bill(7, 1)), ("k", bill(8, 2))]),
        ("--expect-count", vec![("k", bill(7, 7)), ("k", bill(8, 8))]),
        ("--expect-last", vec![("k", bill(7, 7)), ("k", bill(2, 2))]),
    ];
    let folder = folder();
    let expected = lines(&folder, "expected", &one);
    for (name, observed) in &cases {
        let observed = lines(&folder, "observed", observed);
        for (flag, _) in &cases {
            let output = compare(&expected, &observed, &["--report", "none", flag]);
            // Equal numbers of records are enough if only their number counts, and the last record of each
            // key is the same in these.
            let excused = match *flag {
                "--expect-count" => *name != "--allow-repeated",
                "--expect-last" => {
                    ["--allow-repeated", "--allow-new", "--expect-last"].contains(name)
                }
                flag => flag == *name,
            };
            assert_eq!(
                output.code,
                i32::from(!excused),
                "{name} {flag} {output:#?}"
            );
        }
    }
}

#[test]
fn an_ignored_path_that_matches_nothing_is_named_with_the_nearest_one() {
    let folder = folder();
    let file = lines(&folder, "both", &[("k", json!({ "meta": { "trace": 1 } }))]);
    let output = compare(&file, &file, &["--ignore", "$.meta.trade"]);
    assert_eq!(output.code, 1);
    let said = "`--ignore $.meta.trade` matches nothing in the values compared; nearest to it is `$.meta.trace`\n";
    assert!(output.stdout.contains(said), "{output:#?}");
    let output = compare(&file, &file, &["--ignore", "$.meta["]);
    assert_eq!(output.code, 2);
    assert!(
        output.stderr.starts_with("kreplay: `--ignore`: "),
        "{output:#?}"
    );
}

#[test]
fn all_differences_are_written_to_a_file_that_is_not_there_yet() {
    let folder = folder();
    let records = |shift: u32| -> Vec<(&str, Value)> {
        (0..100)
            .map(|n| ("k", json!({ "n": n, "shifted": n + shift })))
            .collect()
    };
    let expected = lines(&folder, "expected", &records(0));
    let observed = lines(&folder, "observed", &records(1000));
    let file = folder.path().join("differences");
    let flags = ["--expect-diff", &file.display().to_string()];
    let output = compare(&expected, &observed, &flags);
    assert_eq!(output.code, 1);
    let text = fs::read_to_string(&file).expect("the file is there");
    let written: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(written.len(), 100);
    for (n, difference) in written.iter().enumerate() {
        let changes = json!([{
            "path": "$.shifted", "expected": n.to_string(), "observed": (n + 1000).to_string(),
        }]);
        assert_eq!(difference["changes"], changes);
        let value = json!({ "n": n, "shifted": n }).to_string();
        assert_eq!(difference["expected_value"], value);
    }
    // An existing file is not replaced.
    let again = compare(&expected, &observed, &flags);
    assert_eq!(again.code, 2);
    assert_eq!(fs::read_to_string(&file).expect("the file is there"), text);
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let folder = folder();
    let file = lines(&folder, "both", &[("k", json!(1))]);
    let missing = folder.path().join("missing");
    let output = compare(&file, &missing, &[]);
    assert_eq!(output.code, 4, "{output:#?}");
    let empty = lines(&folder, "empty", &[]);
    let output = compare(&file, &empty, &[]);
    assert_eq!(output.code, 1, "{output:#?}");
    let args = ["compare", "-", "-"];
    let output = Run::new(args).stdin("").output();
    assert_eq!(output.code, 2, "{output:#?}");
}

#[test]
fn produce_records_of_two_captures_are_compared_with_their_profile() {
    let shop = fixture("shop.jsonl");
    let output = compare(&shop, &shop, &["--profile", "produce", "--report", "json"]);
    assert_eq!(output.code, 0, "{output:#?}");
    assert!(counts(&output)["equal"].as_u64() > Some(0));
}

#[test]
fn memory_holds_hashes_and_a_bounded_part_of_the_contents() {
    let folder = folder();
    let pad = "x".repeat(8 << 10);
    let records = |last: u32| -> Vec<(&str, Value)> {
        let value = |n| json!({ "n": if n == 19_999 { last } else { n }, "pad": pad });
        (0..20_000).map(|n| ("k", value(n))).collect()
    };
    // 160 MiB on each side.
    let expected = lines(&folder, "expected", &records(19_999));
    let observed = lines(&folder, "observed", &records(u32::MAX));
    let files = [expected, observed].map(|path| path.display().to_string());
    let args = ["compare", &files[0], &files[1], "--report", "json"];
    let mut running = Run::new(args).spawn();
    let mut peak = 0;
    running.wait_until("the comparison ends", |running| {
        peak = peak.max(running.peak_memory());
        !running.stdout_so_far().is_empty()
    });
    let output = running.wait();
    let report: Value = serde_json::from_str(&output.stdout).expect("one JSON object");
    let total = &report["total"];
    assert_eq!(
        (&total["equal"], &total["changed"]),
        (&json!(19_999), &json!(1))
    );
    // 64 MiB of contents, and what reading one side takes besides.
    assert!(peak > 0 && peak < 200 << 20, "{} MiB", peak >> 20);
}

#[test]
fn a_replay_that_cannot_have_the_output_of_the_capture_is_refused_before_anything() {
    let billing = fixture("billing.jsonl").display().to_string();
    let part = "a part of the capture is selected, but `--expect` expects the output of all of it";
    for (flags, said) in [
        (&["--expect", "--limit", "3"][..], part),
        (&["--expect", "--from", "+1s"], part),
        (
            &["--expect", "--resume", "no/journal"],
            "`--resume` cannot be used with `--expect`: a part of the output was written during an earlier run",
        ),
        (
            &["--expect", "--loop", "2"],
            "`--loop` cannot be used with `--expect`: several passes give more output than the capture",
        ),
        (
            &["--expect", "--profile", "produce"],
            "`--profile produce` cannot be used with `--expect`: the expected records would be those that are sent",
        ),
        (
            &["--ignore", "$.id"],
            "flags of a comparison are given, but nothing is compared",
        ),
        (
            &["--expect", "--noise", "no/file"],
            "cannot read no/file: no such file or directory",
        ),
    ] {
        let words = ["replay", &billing, "-b", "localhost:1", "-F", "none"];
        let output = kreplay([&words[..], flags].concat());
        assert_eq!(output.code, 2, "{flags:?}: {output:#?}");
        assert!(
            output.stderr.starts_with(&format!("kreplay: {said}\n")),
            "{output:#?}"
        );
    }
    let words = ["replay", &billing, "--rehearse", "--expect"];
    let output = kreplay(words);
    let said = "kreplay: `--rehearse` cannot be used with `--expect`: no service reads the broker of a rehearsal\n";
    assert_eq!((output.code, output.stderr.as_str()), (2, said));
}

#[test]
fn of_many_topics_the_page_names_those_that_differ() {
    let folder = folder();
    let lines = |name: &str, other: u32| {
        let line = |n: u32| {
            let value = if n == 77 { other } else { 0 };
            json!({ "topic": format!("t{n}"), "value": value.to_string() }).to_string()
        };
        let path = folder.path().join(name);
        let lines: Vec<String> = (0..200).map(line).collect();
        fs::write(&path, lines.join("\n") + "\n").expect("the temporary folder is writable");
        path
    };
    let (expected, observed) = (lines("expected", 1), lines("observed", 2));
    let output = compare(&expected, &observed, &[]);
    let topics = output.stdout.lines();
    let topics: Vec<&str> = topics.filter(|line| line.starts_with("topic ")).collect();
    assert_eq!(
        topics,
        [
            "topic      t77: 0 equal, 1 missing, 1 extra",
            "topic      199 more"
        ]
    );
    let output = compare(&expected, &observed, &["--report", "json"]);
    let report: Value = serde_json::from_str(&output.stdout).expect("one JSON object");
    assert_eq!(report["topics"].as_array().map(Vec::len), Some(200));
}

#[test]
fn a_file_of_differences_is_made_anew_and_for_its_owner_alone() {
    let folder = folder();
    let one = lines(&folder, "one", &[("k", json!(1))]);
    let two = lines(&folder, "two", &[("k", json!(2))]);
    let path = |name: &str| folder.path().join(name);
    let run = |name: &str| {
        let file = path(name).display().to_string();
        compare(&one, &two, &["--expect-diff", &file]).code
    };
    assert_eq!(run("new"), 1, "they differ");
    let mode = fs::metadata(path("new"))
        .expect("it is there")
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let before = fs::read(path("new")).expect("it is there");
    symlink(path("nowhere"), path("link")).expect("the temporary folder is writable");
    symlink(path("new"), path("other-link")).expect("the temporary folder is writable");
    for name in ["new", "link", "other-link"] {
        assert_eq!(run(name), 2, "{name}");
    }
    assert!(!path("nowhere").exists());
    assert_eq!(fs::read(path("new")).expect("it is there"), before);
}

/// A Produce request of one batch of two records, and its answer.
fn produce(first: u64, sequence: [Value; 3], error: Value) -> Value {
    let record = |n: u64| json!({ "offsetDelta": n - first, "valueString": n.to_string() });
    let [producer, epoch, sequence] = sequence;
    json!({
        "command": "Produce",
        "kafka": {
            "request": { "ProduceRequest": { "topics": [{ "name": "bills", "partitions": [{
                "records": {
                    "producerId": producer,
                    "producerEpoch": epoch,
                    "baseSequence": sequence,
                    "records": [record(first), record(first + 1)],
                },
            }] }] } },
            "response": { "ProduceResponse": { "responses": [{ "name": "bills", "partitionResponses": [{
                "errorCode": error,
            }] }] } },
        },
    })
}

/// Two requests with the records 1 and 2, each by its producer's id, epoch and sequence, and the error in its
/// answer; and how often the records are in the log.
const REQUESTS: &str = r#"
the same batch             | "7" 0 4   | 0  | "7" 0 4   | 0      | 1
a refused one              | "7" 0 4   | 6  | "7" 0 4   | 0      | 1
one refused by name        | "-1" -1 -1| "NOT_LEADER_OR_FOLLOWER" | "-1" -1 -1 | "NONE" | 1
both refused               | "-1" -1 -1| 6  | "-1" -1 -1| 19     | 0
a duplicate to the broker  | "7" 0 4   | 0  | "7" 1 4   | 46     | 1
an odd answer              | "-1" -1 -1| {} | "-1" -1 -1| null   | 2
another sequence           | "7" 0 4   | 0  | "7" 0 6   | 0      | 2
another epoch              | "7" 0 4   | 0  | "7" 1 4   | 0      | 2
another producer           | "7" 0 4   | 0  | "8" 0 4   | 0      | 2
no idempotence             | "-1" -1 -1| 0  | "-1" -1 -1| 0      | 2
"#;

#[test]
fn a_produce_request_that_wrote_nothing_of_its_own_is_not_compared() {
    let folder = folder();
    let json = |text: &str| -> Value { serde_json::from_str(text).expect("JSON") };
    let batch = |text: &str| -> [Value; 3] {
        let three: Vec<Value> = text.split_whitespace().map(json).collect();
        three.try_into().expect("three numbers")
    };
    let write = |name: &str, lines: &[String]| {
        let path = folder.path().join(name);
        fs::write(&path, lines.join("\n") + "\n").expect("the temporary folder is writable");
        path
    };
    for case in REQUESTS.lines().filter(|line| !line.is_empty()) {
        let columns: Vec<&str> = case.split('|').map(str::trim).collect();
        let [_, first, error, second, other_error, times] = columns[..] else {
            panic!("six columns: {case}");
        };
        // A batch that is always there, because nothing to compare is an error.
        let requests = [
            produce(1, batch(first), json(error)),
            produce(1, batch(second), json(other_error)),
            produce(3, batch(r#""-1" -1 -1"#), json("0")),
        ];
        let capture = write("capture", &requests.map(|request| request.to_string()));
        let times: usize = times.parse().expect("a number");
        let values = [["1", "2"].repeat(times), vec!["3", "4"]].concat();
        let line = |value: &&str| json!({ "topic": "bills", "value": value }).to_string();
        let log = write("log", &values.iter().map(line).collect::<Vec<_>>());
        let flags = ["--profile", "produce", "--report", "json"];
        let output = compare(&capture, &log, &flags);
        assert_eq!(output.code, 0, "{case}: {output:#?}");
        assert_eq!(counts(&output)["equal"], values.len(), "{case}");
    }
}

/// Flags of a replay, and what it says to them.
const REFUSED: &str = "
--expect --loop                    = `--loop` cannot be used with `--expect`
--expect-from BILLING --loop 2     = `--loop` cannot be used with `--expect`
--expect --for 5s                  = `--for` cannot be used with `--expect`
--expect --limit 3                 = a part of the capture is selected
--expect --sample 1/2              = a part of the capture is selected
--expect --from +1s                = a part of the capture is selected
--expect --shard 1/2               = a part of the capture is selected
--expect --resume journal          = `--resume` cannot be used with `--expect`
--expect --profile produce         = `--profile produce` cannot be used with `--expect`
--ignore $.id                      = flags of a comparison are given, but nothing is compared
--correlate key                    = flags of a comparison are given, but nothing is compared
--noise NO_NOISE                   = flags of a comparison are given, but nothing is compared
--expect --ignore $[               = `--ignore`
--expect --correlate value:$[      = `--correlate value:$[`
--expect --noise NO_NOISE          = is not a noise file
--expect --noise /nowhere/noise    = cannot read /nowhere/noise
--expect --learn THERE             = the file exists
--expect --expect-diff THERE       = cannot write differences to
--expect --expect-from BILLING     = cannot be used with
--expect --learn a --noise b       = cannot be used with
--expect --correlate colour        = --correlate
--expect --expect-count --ignore $ = cannot be used with
--max-lag 100                      = --wait-group
--wait-group g --max-lag 0         = --max-lag
--drain-timeout 5s                 = --wait-group
--wait-group g --drain-timeout now = --drain-timeout
";

#[test]
fn an_output_that_cannot_be_compared_is_refused_before_anything_is_looked_at() {
    let folder = folder();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("the temporary folder is writable");
        path.display().to_string()
    };
    let (there, no_noise) = (file("there", "x"), file("no-noise", "{}"));
    let billing = fixture("billing.jsonl").display().to_string();
    for case in REFUSED.lines().filter(|line| !line.is_empty()) {
        let (flags, said) = case.split_once(" = ").expect("flags and words");
        let flags = flags.split_whitespace().map(|flag| match flag {
            "BILLING" => billing.as_str(),
            "NO_NOISE" => no_noise.as_str(),
            "THERE" => there.as_str(),
            flag => flag,
        });
        // Nobody listens at that port: any attempt to connect would end with code 3.
        let words = ["replay", &billing, "-F", "none", "-b", "127.0.0.1:1"];
        let output = kreplay(words.into_iter().chain(flags));
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (2, ""),
            "{case}: {output:#?}"
        );
        assert!(output.stderr.contains(said), "{case}: {output:#?}");
    }
    let output = kreplay(["replay", &billing, "--rehearse", "--expect"]);
    let said = "`--rehearse` cannot be used with `--expect`";
    assert!(output.stderr.contains(said), "{output:#?}");
    assert_eq!(output.code, 2);
}
