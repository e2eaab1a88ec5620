//! Each kind of difference, how it is shown, and the flags that allow it.

use std::fs;

use super::{compare, counts, folder, lines};
use crate::harness::paths::fixture;
use crate::harness::run::{Run, kreplay};
use serde_json::{Value, json};

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
    let said = "`--ignore $.meta.trade` matches nothing in the values compared (did you mean `$.meta.trace`?)\n";
    assert!(output.stdout.contains(said), "{output:#?}");
    let output = compare(&file, &file, &["--ignore", "$.meta["]);
    assert_eq!(output.code, 2);
    assert!(
        output.stderr.starts_with("kreplay: `--ignore`: "),
        "{output:#?}"
    );
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
