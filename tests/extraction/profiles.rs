//! What kreplay extracts from captures: it leaves out copies and aborted transactions, resolves topic ids,
//! and follows paths, filters and spellings. Apart from `rehearsal.rs`, which is about runs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::paths::{fixture, standin};
use crate::harness::report::ledger::ledger;
use crate::harness::run::{Run, RunOutput, report};
use serde_json::{Value, json};
use tempfile::TempDir;

fn fixtures() -> PathBuf {
    let parent = fixture("demo.jsonl").parent().map(Path::to_path_buf);
    parent.expect("a fixture stands in a folder")
}

/// Prepares a run within the folder of fixtures, whose names then are short.
fn run(args: &[&str]) -> Run {
    Run::new(args.iter().copied()).cwd(fixtures())
}

/// `kreplay extract -q ARGS`.
fn extract(args: &[&str]) -> RunOutput {
    run(&[&["extract", "-q"], args].concat()).output()
}

/// The record lines of an extraction in which nothing went wrong.
fn lines(args: &[&str]) -> Vec<Value> {
    let output = extract(args);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{args:?}");
    parsed(&output)
}

fn parsed(output: &RunOutput) -> Vec<Value> {
    let lines = output.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("a record line is JSON"))
        .collect()
}

/// Record lines as `orders[1]@104 key=value`; `-` is what the capture does not contain, `~` a null.
fn short(lines: &[Value]) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Null => "~".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let shown = |line: &Value, name| line.get(name).map_or("-".to_owned(), text);
    let one = |line: &Value| {
        let topic = match line.get("topic_id") {
            Some(id) => text(id),
            None => shown(line, "topic"),
        };
        let (partition, offset) = (shown(line, "partition"), shown(line, "offset"));
        let (key, value) = (text(&line["key"]), text(&line["value"]));
        format!("{topic}[{partition}]@{offset} {key}={value}")
    };
    lines.iter().map(one).collect()
}

/// The JSON report of `kreplay ARGS --rehearse`, which must end with this code.
fn rehearse(args: &[&str], code: i32) -> Value {
    rehearse_with(args, "", code)
}

fn rehearse_with(args: &[&str], stdin: &str, code: i32) -> Value {
    let args = [args, &["--rehearse", "--report", "json"]].concat();
    let output = run(&args).stdin(stdin).output();
    assert_eq!(output.code, code, "{args:?}: {output:#?}");
    report(&output)
}

/// The lines of a fixture in another order, by their numbers from 1.
fn reordered(name: &str, order: &[usize]) -> String {
    let text = fs::read_to_string(fixture(name)).expect("the fixture is readable text");
    let lines: Vec<&str> = text.lines().collect();
    order
        .iter()
        .map(|at| lines[at - 1].to_owned() + "\n")
        .collect()
}

/// Which records a run gives, in order, and what the report counts.
#[track_caller]
fn assert_gives(args: &[&str], counts: &str, expected: &[&str]) {
    assert_eq!(short(&lines(args)), expected, "{args:?}");
    let raw = [&["replay"], args].concat();
    assert_eq!(ledger(&rehearse(&raw, 0)), counts, "{args:?}");
}

/// A run that is refused before anything is read: code 2 and these lines on stderr.
#[track_caller]
fn assert_refused(args: &[&str], stderr: &[&str]) {
    let output = extract(args);
    assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{args:?}");
    let said: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(said[..stderr.len().min(said.len())], *stderr, "{args:?}");
}

// Copies.

#[test]
fn a_record_that_several_groups_fetched_is_replayed_once_where_it_was_first_seen() {
    assert_gives(
        &["groups.jsonl"],
        "38 = 24 duplicates + 14 delivered",
        &[
            "orders[0]@2 k2=a2",
            "orders[0]@3 k3=a3",
            "orders[0]@4 k4=a4",
            "orders[0]@0 k0=a0",
            "orders[0]@1 k1=a1",
            "orders[1]@100 k100=b100",
            "orders[1]@101 k101=b101",
            "orders[1]@104 k104=b104",
            "orders[0]@5 k5=a5",
            "orders[0]@6 k6=a6",
            "orders[1]@107 k107=b107",
            "orders[0]@7 k7=a7",
            "orders[1]@110 k110=b110",
            "payments[0]@5 k5=c5",
        ],
    );
}

#[test]
fn a_second_copy_of_a_file_adds_nothing_but_duplicates() {
    let twice = ["replay", "groups.jsonl", "groups.jsonl"];
    assert_eq!(
        ledger(&rehearse(&twice, 0)),
        "76 = 62 duplicates + 14 delivered"
    );
}

#[test]
fn duplicates_are_kept_when_asked_for() {
    let args = ["groups.jsonl", "--keep-duplicates"];
    let values: Vec<String> = short(&lines(&args));
    let values: Vec<&str> = values
        .iter()
        .filter_map(|line| line.split('=').nth(1))
        .collect();
    assert_eq!(
        values.join(" "),
        "a2 a3 a4 a0 a1 a2 b100 b101 b104 a5 a6 b104 b107 a0 a1 a2 a3 a4 a4 a5 a6 a7 \
         b101 b104 b107 b110 a3 a4 a5 a6 a7 b107 b110 a5 a6 a7 b110 c5"
    );
    let raw = ["replay", "groups.jsonl", "--keep-duplicates"];
    assert_eq!(ledger(&rehearse(&raw, 0)), "38 = 38 delivered");
}

#[test]
fn records_without_an_offset_are_never_duplicates() {
    let values =
        "$.kafka.response.FetchResponse.topics[*].partitions[*].records.records[*].valueString";
    for (args, counts) in [
        (
            &["replay", "shop.jsonl", "shop.jsonl", "--profile", "produce"][..],
            "8 = 8 delivered",
        ),
        (
            &["replay", "groups.jsonl", "--value", values],
            "38 = 38 delivered",
        ),
    ] {
        assert_eq!(ledger(&rehearse(args, 0)), counts, "{args:?}");
    }
}

/// Kafka counts offsets from 0 and writes -1 for one that it does not know.
#[test]
fn records_with_an_offset_below_zero_are_records_of_their_own_in_the_order_of_the_capture() {
    let fetch = |base: &str, records: &str| {
        format!(
            r#"{{"command":"Fetch","kafka":{{"response":{{"FetchResponse":{{"topics":[{{"name":"t","partitions":[{{"records":{{"baseOffset":"{base}","records":[{records}]}}}}]}}]}}}}}}}}"#
        ) + "\n"
    };
    // -1 + 1 is no offset either: nobody knows what the delta is added to.
    let batch = |value: &str| {
        format!(r#"{{"valueString":"{value}"}},{{"offsetDelta":1,"valueString":"{value}{value}"}}"#)
    };
    let rrpairs = ["z", "y", "x"].map(|value| fetch("-1", &batch(value)));
    let lines = ["z", "zz", "y", "yy", "x", "xx"].map(|value| {
        format!("{{\"topic\":\"t\",\"partition\":0,\"offset\":-1,\"value\":\"{value}\"}}\n")
    });
    let column = "kafka.response.FetchResponse.topics.0.partitions.0";
    let header = format!(
        "{column}.records.records.0.valueString,{column}.partitionIndex,{column}.records.baseOffset,\
         kafka.response.FetchResponse.topics.0.name,RRPair UUID\n"
    );
    let rows = ["z", "zz", "y", "yy", "x", "xx"].map(|value| format!("{value},0,-1,t,u\n"));
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    for (name, text) in [
        ("lines.jsonl", lines.concat()),
        ("capture.jsonl", rrpairs.concat()),
        ("rows.csv", header + &rows.concat()),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("the folder is writable");
        let path = path.display().to_string();
        let output = extract(&[&path]);
        let values: Vec<String> = short(&parsed(&output))
            .iter()
            .filter_map(|line| Some(line.split_once('=')?.1.to_owned()))
            .collect();
        assert_eq!(values, ["z", "zz", "y", "yy", "x", "xx"], "{name}");
        let report = rehearse(&["replay", &path], 0);
        assert_eq!(ledger(&report), "6 = 6 delivered", "{name}");
    }
}

// Transactions.

#[test]
fn aborted_records_are_left_out_unless_an_application_received_them() {
    let kept = [
        "transfers[1]@11 k11=b-kept-11",
        "transfers[1]@13 k13=b-kept-13",
        "transfers[1]@16 k16=a-kept-16",
        "transfers[1]@18 k18=plain-18",
        "transfers[1]@22 k22=a-kept-22",
        "transfers[1]@17 k17=b-lost-17",
    ];
    let counts = "25 = 8 duplicates + 8 control + 3 aborted + 6 delivered";
    assert_gives(&["transactions.jsonl"], counts, &kept);
}

#[test]
fn the_copy_that_an_application_received_wins_wherever_it_occurs() {
    let counts = "25 = 8 duplicates + 8 control + 3 aborted + 6 delivered";
    for (order, offsets) in [
        ([1, 2, 3, 4], "11 13 16 18 22 17"),
        ([4, 1, 2, 3], "16 17 18 11 13 22"),
        ([1, 4, 2, 3], "11 13 16 17 18 22"),
        ([3, 2, 4, 1], "16 18 22 13 17 11"),
    ] {
        let text = reordered("transactions.jsonl", &order);
        let output = run(&["extract", "-q", "-"]).stdin(text.as_str()).output();
        assert_eq!(output.code, 0, "{output:#?}");
        let found: Vec<String> = parsed(&output)
            .iter()
            .map(|line| line["offset"].to_string())
            .collect();
        assert_eq!(found.join(" "), offsets, "Fetches in the order {order:?}");
        let report = rehearse_with(&["replay", "-"], &text, 0);
        assert_eq!(ledger(&report), counts, "Fetches in the order {order:?}");
    }
}

#[test]
fn an_aborted_transaction_that_began_before_its_response_is_left_out_too() {
    // The second Fetch begins at 12; the transaction began at 10.
    let text = reordered("transactions.jsonl", &[2]);
    let report = rehearse_with(&["replay", "-"], &text, 0);
    assert_eq!(ledger(&report), "8 = 3 control + 2 aborted + 3 delivered");
}

#[test]
fn aborted_records_and_duplicates_are_kept_when_asked_for_and_markers_never() {
    for (flags, counts) in [
        (
            &["--with-aborted"][..],
            "25 = 8 duplicates + 8 control + 9 delivered",
        ),
        (
            &["--keep-duplicates"],
            "25 = 8 control + 6 aborted + 11 delivered",
        ),
        (
            &["--keep-duplicates", "--with-aborted"],
            "25 = 8 control + 17 delivered",
        ),
    ] {
        let args = [&["replay", "transactions.jsonl"], flags].concat();
        assert_eq!(ledger(&rehearse(&args, 0)), counts, "{flags:?}");
    }
    let offsets: Vec<Value> = lines(&["transactions.jsonl", "--with-aborted"])
        .iter()
        .map(|line| line["offset"].clone())
        .collect();
    assert_eq!(json!(offsets), json!([10, 11, 12, 13, 16, 17, 18, 20, 22]));
}

#[test]
fn aborted_records_are_left_out_with_a_custom_value_path_too() {
    // Without a record path no offset is known, so the Fetches of lines 1, 3 and 4 are all replayed.
    let value =
        "$.kafka.response.FetchResponse.topics[*].partitions[*].records[*].records[*].valueString";
    let report = rehearse(&["replay", "transactions.jsonl", "--value", value], 0);
    assert_eq!(ledger(&report), "17 = 5 control + 4 aborted + 8 delivered");
}

// Topic ids.

const NAMED: [&str; 9] = [
    "orders[0]@1 ~=o-1",
    "orders[0]@2 ~=o-2",
    "payments[0]@1 ~=p-1",
    "shipments[0]@1 ~=s-1",
    "orders[0]@3 ~=o-3",
    "orders[0]@4 ~=o-4",
    "4jfhP0BF2SmV6Nl7qrdn9Q[0]@1 ~=x-1",
    "4jfhP0BF2SmV6Nl7qrdn9Q[0]@2 ~=x-2",
    "shipments[0]@2 ~=s-2",
];

#[test]
fn a_topic_id_is_named_by_metadata_that_comes_later() {
    assert_eq!(short(&lines(&["late-metadata.jsonl"])), NAMED);
}

#[test]
fn a_filter_on_fetches_keeps_the_metadata_that_names_their_topics() {
    for filter in [
        r#"command IS "Fetch""#,
        "service IS fulfilment AND command CONTAINS etc",
        "command NOT Metadata",
    ] {
        let found = lines(&["late-metadata.jsonl", "--filter", filter]);
        assert_eq!(short(&found), NAMED, "{filter}");
    }
}

#[test]
fn metadata_of_a_later_file_names_topics_of_the_files_before() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let file = |name: &str, order: &[usize]| {
        let path = folder.path().join(name);
        fs::write(&path, reordered("late-metadata.jsonl", order)).expect("the folder is ours");
        path.display().to_string()
    };
    let first = file("first.jsonl", &[1, 2, 3, 4]);
    let second = file("second.jsonl", &[6, 7, 8, 5]);
    assert_eq!(short(&lines(&[&first, &second])), NAMED);
}

#[test]
fn from_stdin_records_wait_for_the_name_of_their_topic_in_their_order() {
    let text = reordered("late-metadata.jsonl", &[1, 2, 3, 4, 5, 6, 7, 8]);
    let output = run(&["extract", "-q", "-"]).stdin(text.as_str()).output();
    assert_eq!(output.code, 0, "{output:#?}");
    let found = short(&parsed(&output));
    for topic in ["orders", "payments", "shipments", "4jfh"] {
        let of = |line: &&str| line.starts_with(topic);
        let found: Vec<&str> = found.iter().map(String::as_str).filter(of).collect();
        let expected: Vec<&str> = NAMED.into_iter().filter(of).collect();
        assert_eq!(found, expected);
    }
    let report = rehearse_with(&["replay", "-"], &text, 1);
    assert_eq!(ledger(&report), "9 = 2 unreadable + 7 delivered");
}

#[test]
fn an_unresolved_topic_id_is_counted_with_a_hint_how_to_name_it() {
    let output = run(&["replay", "late-metadata.jsonl", "--rehearse"]).output();
    assert_eq!(output.code, 1);
    let (_, problems) = output.stdout.split_once("problem ").expect("a problem");
    assert_eq!(
        problems,
        "   topic unknown: 2, first late-metadata.jsonl:7: nothing in the capture names the topic \
         with this id: 4jfhP0BF2SmV6Nl7qrdn9Q [0] @ 1\n           \
         hint: name the topic with `--topic-id ID=NAME`, or use `-t TOPIC`\n"
    );
    for id in [
        "4jfhP0BF2SmV6Nl7qrdn9Q",
        "4jfhP0BF2SmV6Nl7qrdn9Q==",
        "e237e13f-4045-d929-95e8-d97baab767f5",
    ] {
        let given = format!("{id}=found");
        let report = rehearse(&["replay", "late-metadata.jsonl", "--topic-id", &given], 0);
        assert_eq!(ledger(&report), "9 = 9 delivered", "{given}");
        let topics = report["topics"].as_array().expect("a list of topics");
        let found = topics.iter().find(|topic| topic["topic"] == "found");
        assert_eq!(
            found.map(|topic| &topic["delivered"]),
            Some(&json!(2)),
            "{given}"
        );
    }
}

// Paths.

const OWN: [&str; 3] = ["own.jsonl", "--profile", "own-profile.toml"];

fn own(args: &[&str]) -> Vec<Value> {
    lines(&[&OWN[..], args].concat())
}

#[test]
fn a_custom_profile_reads_another_structure_and_keeps_the_text_of_values() {
    let output = extract(&OWN);
    assert_eq!(output.code, 0, "{output:#?}");
    let expected = concat!(
        r#"{"topic":"returns","partition":4,"timestamp":1772366400250,"key":"r-1","value":"{\"n\":123456789012345678901234567890, \"a\" : [1,  2.50]}","headers":[["trace","t1"],["retry","2"]]}"#,
        "\n",
        r#"{"topic":"returns","partition":4,"timestamp":1772366400500,"key":"r-2","value":"{ }","headers":[]}"#,
        "\n",
        r#"{"topic":"returns","partition":4,"timestamp":1772366401000,"key":"r-3","value":"[ \"x\", 1.50e1 ]","headers":[["trace","t3"]]}"#,
        "\n",
        r#"{"topic":"refunds","timestamp":1772366402000,"key":"f-1","value":"a \"text\" é","headers":[["trace","t4"]]}"#,
        "\n",
        r#"{"topic":"refunds","timestamp":1772366403000,"key":"f-2","value":null,"headers":[]}"#,
        "\n",
    );
    assert_eq!(output.stdout, expected);
    let report = rehearse(&[&["replay"], &OWN[..]].concat(), 0);
    assert_eq!(ledger(&report), "5 = 5 delivered");
}

/// A flag, its path in both notations, the member of a record line that it fills, and that member
/// of the five records as JSON; null where it is absent.
const FLAGS: [[&str; 5]; 7] = [
    [
        "--value",
        "lanes.*.entries.*.id",
        "$.lanes[*].entries[*].id",
        "value",
        r#"["r-1", "r-2", "r-3", "f-1", "f-2"]"#,
    ],
    [
        "--key",
        ".lanes.*.lane",
        "$['lanes'][*].lane",
        "key",
        r#"["red", "red", "blue", "red", "red"]"#,
    ],
    [
        "--headers",
        "lanes.*.entries.*.meta",
        "$.lanes[*].entries[*].meta",
        "headers",
        r#"[[["trace", "t1"], ["retry", "2"]], [], [["trace", "t3"]], [["trace", "t4"]], []]"#,
    ],
    [
        "--timestamp",
        "lanes.*.entries.*.at",
        "$.lanes[*].entries[*].at",
        "timestamp",
        "[1772366400250, 1772366400500, 1772366401000, 1772366402000, 1772366403000]",
    ],
    [
        "--topic-path",
        "lanes.*.lane",
        "$.lanes[*]['lane']",
        "topic",
        r#"["red", "red", "blue", "red", "red"]"#,
    ],
    [
        "--partition-path",
        "lanes.0.entries.0.meta.retry",
        "$.lanes[0].entries[0].meta.retry",
        "partition",
        "[2, null, null, null, null]",
    ],
    [
        "--offset-path",
        "lanes.*.entries.*.meta.retry",
        "$.lanes[*].entries[*].meta.retry",
        "offset",
        "[2, null, null, null, null]",
    ],
];

#[test]
fn every_path_flag_fills_its_field_in_either_notation() {
    for [flag, dotted, jsonpath, member, expected] in FLAGS {
        let expected: Value = serde_json::from_str(expected).expect("the table holds JSON");
        for path in [dotted, jsonpath] {
            let record = ["--record", "$.lanes[*].entries[*]", "--value", "@.doc"];
            let record = match flag {
                "--value" => &record[..2],
                _ => &record[..],
            };
            let found = own(&[record, &[flag, path]].concat());
            let found: Vec<&Value> = found.iter().map(|line| &line[member]).collect();
            assert_eq!(json!(found), expected, "{flag} {path}");
        }
    }
}

#[test]
fn a_value_without_a_record_makes_each_of_its_nodes_a_record() {
    let found = own(&[
        "--value",
        "lanes.*.entries.*.meta.trace",
        "--key",
        "lanes.*.lane",
    ]);
    assert_eq!(
        short(&found),
        [
            "returns[4]@- red=t1",
            "returns[4]@- blue=t3",
            "refunds[-]@- red=t4"
        ]
    );
    assert_eq!(
        own(&[
            "--path",
            "lanes.*.entries.*.meta.trace",
            "--key",
            "lanes.*.lane"
        ]),
        found
    );
}

#[test]
fn a_record_without_a_value_is_a_tombstone() {
    let found = own(&[
        "--record",
        "$.lanes[*].entries[*]",
        "--value",
        "@.meta.trace",
        "--key",
        "@.id",
    ]);
    assert_eq!(
        short(&found),
        [
            "returns[4]@- r-1=t1",
            "returns[4]@- r-2=~",
            "returns[4]@- r-3=t3",
            "refunds[-]@- f-1=t4",
            "refunds[-]@- f-2=~",
        ]
    );
}

#[test]
fn two_nodes_for_one_record_are_both_named() {
    for (key, why) in [
        (
            "$.lanes[*].entries[*].id",
            "key `$.lanes[*].entries[*].id` gives more than one node for one record: \
             `$.lanes[0].entries[0].id` and `$.lanes[0].entries[1].id`",
        ),
        (
            "$..id",
            "key `$..id` gives more than one node for one record: \
             `$.lanes[0].entries[0].id` and `$.lanes[0].entries[1].id`",
        ),
    ] {
        let args = [
            &["replay"],
            &OWN[..],
            &["--value", "lanes.*.lane", "--key", key],
        ]
        .concat();
        let report = rehearse(&args, 1);
        let first = json!({ "input": "own.jsonl", "line": 1, "why": why });
        let problems = json!([{ "what": "unreadable", "count": 2, "first": first }]);
        assert_eq!(report["problems"], problems, "{key}");
    }
}

/// Paths that are asked of jsonpath-rust, and plain ones that mean the same in `own.jsonl`.
const SAME: [(&str, &str); 8] = [
    ("$..id", "$.lanes[*].entries[*].id"),
    (
        "$.lanes[?@.entries].entries[*].id",
        "$.lanes[*].entries[*].id",
    ),
    ("$.lanes[:].entries[*].doc", "$.lanes[*].entries[*].doc"),
    ("$.lanes[0:1].entries[0:1].doc", "$.lanes[0].entries[0].doc"),
    (
        r#"$.lanes[?@.lane == "blue"].entries[*].doc"#,
        "$.lanes[1].entries[*].doc",
    ),
    ("$.lanes[0,1].entries[*].meta", "$.lanes[*].entries[*].meta"),
    (
        "$..entries[?@.meta.trace].meta.trace",
        "$.lanes[*].entries[*].meta.trace",
    ),
    ("$..trace", "lanes.*.entries.*.meta.trace"),
];

#[test]
fn a_query_gives_the_same_lines_as_the_equivalent_plain_path() {
    for (query, plain) in SAME {
        let joined = [
            "--key",
            "lanes.*.entries.*.id",
            "--topic-path",
            "lanes.*.lane",
        ];
        let of = |path| extract(&[&OWN[..], &["--value", path], &joined].concat());
        let (by_query, by_plain) = (of(query), of(plain));
        assert_eq!((by_query.code, by_plain.code), (0, 0), "{by_query:#?}");
        assert!(!by_plain.stdout.is_empty(), "{plain} finds nothing");
        assert_eq!(by_query.stdout, by_plain.stdout, "{query}");
    }
}

/// A query runs on a document, which holds neither half of a surrogate pair nor every number.
#[test]
fn lone_surrogates_elsewhere_do_not_break_a_query() {
    let values = |line: &str, path: &str| {
        let args = ["extract", "-q", "-", "--value", path];
        let text = format!("{{\"command\":\"Fetch\",{line}}}\n");
        run(&args).stdin(text).output()
    };
    let printed = |value: &str| {
        format!("{{\"partition\":0,\"key\":null,\"value\":\"{value}\",\"headers\":[]}}\n")
    };
    let number = "123456789012345678901234567890";
    for (line, value) in [
        (r#""note":"\ud800","a":[{"v":"x"}]"#, "x"),
        (r#""\ud800":{"\udc00":1},"a":[{"v":"x"}]"#, "x"),
        (r#""note":[1e400,-1e400],"a":[{"v":"x"}]"#, "x"),
        (
            r#""note":"\ud800","a":[{"v":123456789012345678901234567890}]"#,
            number,
        ),
        (
            r#""note":1e400,"a":[{"v":[1.50,  1e400]}]"#,
            "[1.50,  1e400]",
        ),
        (r#""a":[{"v":1e400}]"#, "1e400"),
    ] {
        for path in ["$.a[*].v", "$.a[0:1].v", "$.a[?@.v].v"] {
            let read = values(line, path);
            let expected = (0, printed(value));
            assert_eq!((read.code, read.stdout), expected, "{line} {path}");
        }
    }
    let line = r#""a":[{"v":"x\ud800"}]"#;
    for path in ["$.a[*].v", "$.a[0:1].v"] {
        let read = values(line, path);
        assert_eq!((read.code, read.stdout.as_str()), (1, ""), "{path}");
        let named = "unreadable: 1, first stdin:1: unexpected end of hex escape at column 38";
        assert!(read.stderr.contains(named), "{}", read.stderr);
    }
}

#[test]
fn encodings_decide_the_bytes_of_values_and_keys() {
    let text = r#"{"command":"Fetch","s":"aGk=","n":[1,  2],"vBytes":"aGk="}"#;
    for (flags, key, value) in [
        ("--value s --key s", "aGk=", "aGk="),
        (
            "--value s --value-encoding text --key s --key-encoding base64",
            "hi",
            "aGk=",
        ),
        (
            "--value s --value-encoding base64 --key s --key-encoding json",
            "\"aGk=\"",
            "hi",
        ),
        (
            "--value s --value-encoding json --key s --key-encoding auto",
            "aGk=",
            "\"aGk=\"",
        ),
        ("--value n --key vBytes", "hi", "[1,  2]"),
        (
            "--value n --value-encoding json --key vBytes --key-encoding text",
            "aGk=",
            "[1,  2]",
        ),
        ("--value vBytes --key n", "[1,  2]", "hi"),
    ] {
        let args: Vec<&str> = "extract -q -".split(' ').chain(flags.split(' ')).collect();
        let output = run(&args).stdin(format!("{text}\n")).output();
        assert_eq!(output.code, 0, "{flags}: {output:#?}");
        let line = &parsed(&output)[0];
        assert_eq!(
            (&line["key"], &line["value"]),
            (&json!(key), &json!(value)),
            "{flags}"
        );
    }
    let output = run(&[
        "extract",
        "-q",
        "-",
        "--value",
        "n",
        "--value-encoding",
        "text",
    ])
    .stdin(format!("{text}\n"))
    .output();
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (1, ""),
        "{output:#?}"
    );
}

/// The exit code, the record lines and stderr of `kreplay extract - ARGS` over one line.
fn of_line(line: &str, args: &[&str]) -> (i32, Vec<Value>, String) {
    let args = [&["extract", "-", "--filter", ""], args].concat();
    let output = run(&args).stdin(format!("{line}\n")).output();
    (output.code, parsed(&output), output.stderr.clone())
}

#[test]
fn a_field_takes_a_node_once_and_a_record_path_repeats_it_as_often_as_it_selects_it() {
    let values = |path: &str| {
        let (code, lines, stderr) = of_line(
            r#"{"a":[10,11,[12]],"o":{"x":1},"k":["k"]}"#,
            &["--value", path, "--key", "$.k[0,0]"],
        );
        assert_eq!(code, 0, "{path}: {stderr}");
        let value = |line: &Value| {
            format!(
                "{}={}",
                line["key"].as_str().unwrap_or("~"),
                line["value"].as_str().unwrap_or("~")
            )
        };
        lines.iter().map(value).collect::<Vec<_>>()
    };
    assert_eq!(values("$.a[0,0]"), ["k=10", "k=10"]);
    assert_eq!(values("$.a[1,0]"), ["k=11", "k=10"]);
    assert_eq!(values("$.a[*,1]"), ["k=10", "k=11", "k=[12]", "k=11"]);
    assert_eq!(values("$.o['x','x']"), ["k=1", "k=1"]);
    assert_eq!(values("$.a[::-1]"), ["k=[12]", "k=11", "k=10"]);
    assert_eq!(values("$.a[1:]..[0]"), ["k=12"]);
    // A node comes before those in it.
    assert_eq!(values("$.a[?@[0]]..*"), ["k=12"]);
}

#[test]
fn a_bare_number_selects_an_index_of_a_list_and_a_member_of_an_object() {
    let line = r#"{"l":[{"v":"zero"},{"v":"one"}],"o":{"0":{"v":"null"},"1":{"v":"eins","k":"k"},"007":"bond"}}"#;
    let one = |args: &[&str]| {
        let (code, lines, stderr) = of_line(line, args);
        assert_eq!(code, 0, "{args:?}: {stderr}");
        short(&lines)
    };
    assert_eq!(one(&["--value", "l.1.v"]), ["-[0]@- ~=one"]);
    assert_eq!(one(&["--value", "o.1.v"]), ["-[0]@- ~=eins"]);
    assert_eq!(one(&["--value", "o.007"]), ["-[0]@- ~=bond"]);
    // Two members are no elements that exclude each other.
    assert_eq!(
        one(&["--value", "o.0.v", "--key", "o.1.k"]),
        ["-[0]@- k=null"]
    );
    // Beside a query, too.
    assert_eq!(
        one(&["--value", "o.1.v", "--key", "$..k"]),
        ["-[0]@- k=eins"]
    );
    // In JSONPath it is an index alone.
    let (code, lines, stderr) = of_line(line, &["--value", "$.o[1].v"]);
    assert_eq!((code, lines.len()), (1, 0), "{stderr}");
}

/// Each way of joining a key or header that cannot be read with its record.
#[test]
fn an_unreadable_key_or_header_makes_the_record_unreadable_however_it_is_matched() {
    let base64 = "a record's key should be base64 and is not";
    let header = "a record's header has an unknown member called `h`";
    let cases: [(&str, &str, &str); 8] = [
        (
            r#"{"v":"a","k":"no base64!","h":[{"key":"n","value":"plain text"}]}"#,
            "--value $.v --key $.k --key-encoding base64 --headers $.h",
            base64,
        ),
        // The key comes before or behind its record, as a member of it, beside it, or of a list around.
        (
            r#"{"k":"no base64!","r":[{"v":"a"}]}"#,
            "--value $.r[*].v --key $.k --key-encoding base64",
            base64,
        ),
        (
            r#"{"r":[{"v":"a"}],"k":"no base64!"}"#,
            "--record $.r[*] --value @.v --key $.k --key-encoding base64",
            base64,
        ),
        (
            r#"{"r":[{"v":"a","k":"no base64!"}]}"#,
            "--record $.r[*] --value @.v --key @.k --key-encoding base64",
            base64,
        ),
        (
            r#"{"r":[{"v":"a","k":"no base64!"}]}"#,
            "--value $.r[*].v --key $..k --key-encoding base64",
            base64,
        ),
        (
            r#"{"v":"a","k":{"not":"text"}}"#,
            "--value $.v --key $.k --key-encoding text",
            "a record's key is not a string",
        ),
        (
            r#"{"h":[{"key":"n","value":"x"},{"h":[104]}],"r":[{"v":"a"}]}"#,
            "--value $.r[*].v --headers $.h",
            header,
        ),
        (
            r#"{"h":"text","v":"a"}"#,
            "--value $.v --headers $.h",
            "a record's header is not a string",
        ),
    ];
    for (line, flags, why) in cases {
        let args: Vec<&str> = flags.split(' ').collect();
        let (code, lines, stderr) = of_line(line, &args);
        assert_eq!((code, lines.len()), (1, 0), "{line} {flags}: {stderr}");
        assert!(
            stderr.contains("found      1 = 1 unreadable + 0 printed"),
            "{stderr}"
        );
        assert!(stderr.contains(why), "{line} {flags}: {stderr}");
    }
}

#[test]
fn an_unreadable_key_affects_only_the_records_that_share_it() {
    let line = r#"{"g":[{"k":"!","r":[{"v":"a"},{"v":"b"}]},{"k":"aGk=","r":[{"v":"c"}]}]}"#;
    let args = "--value $.g[*].r[*].v --key $.g[*].k --key-encoding base64";
    let args: Vec<&str> = args.split(' ').collect();
    let (code, lines, stderr) = of_line(line, &args);
    assert_eq!(
        (code, short(&lines)),
        (1, vec!["-[0]@- hi=c".into()]),
        "{stderr}"
    );
    assert!(stderr.contains("3 = 2 unreadable + 1 printed"), "{stderr}");
}

#[test]
fn a_header_value_is_base64_only_where_that_is_declared() {
    let line = r#"{"v":"a","h":[{"key":"n","value":"aGk="},{"key":"s","valueString":"aGk="},{"key":"b","valueBytes":"aGk="},{"key":"o","value":{"a": 1}},{"key":"z","value":null}]}"#;
    let of = |encoding: &[&str]| {
        let args = [&["--value", "$.v", "--headers", "$.h"], encoding].concat();
        let (code, lines, stderr) = of_line(line, &args);
        (
            code,
            lines.first().map(|line| line["headers"].clone()),
            stderr,
        )
    };
    let auto = json!([
        ["n", "aGk="],
        ["s", "aGk="],
        ["b", "hi"],
        ["o", "{\"a\": 1}"],
        ["z", null]
    ]);
    for encoding in [&[][..], &["--header-encoding", "auto"]] {
        let (code, headers, stderr) = of(encoding);
        assert_eq!((code, headers), (0, Some(auto.clone())), "{stderr}");
    }
    let (code, headers, _) = of(&["--header-encoding", "json"]);
    let as_json = json!([
        ["n", "\"aGk=\""],
        ["s", "aGk="],
        ["b", "hi"],
        ["o", "{\"a\": 1}"],
        ["z", "null"]
    ]);
    assert_eq!((code, headers), (0, Some(as_json)));
    // An object is neither text nor base64.
    for encoding in ["text", "base64"] {
        let (code, headers, stderr) = of(&["--header-encoding", encoding]);
        assert_eq!((code, headers), (1, None), "{encoding}");
        assert!(stderr.contains("header is not a string"), "{stderr}");
    }
}

#[test]
fn header_encoding_applies_to_an_object_of_headers_and_overrides_the_built_in_profile() {
    let line = r#"{"v":"a","h":{"A":"aGk=","B":["aGk=",null,7],"C":[]}}"#;
    let headers = |line: &str, args: &[&str]| {
        let (code, lines, stderr) = of_line(line, args);
        assert_eq!(code, 0, "{stderr}");
        lines[0]["headers"].clone()
    };
    let object = ["--value", "$.v", "--headers", "$.h"];
    let auto = json!([["A", "aGk="], ["B", "aGk="], ["B", null], ["B", "7"]]);
    assert_eq!(headers(line, &object), auto);
    let line = r#"{"v":"a","h":{"A":"aGk=","B":["aGk=",null]}}"#;
    let base64 = [&object[..], &["--header-encoding", "base64"]].concat();
    assert_eq!(
        headers(line, &base64),
        json!([["A", "hi"], ["B", "hi"], ["B", null]])
    );
    let built_in = r#"{"kafka":{"response":{"FetchResponse":{"topics":[{"name":"t","partitions":[{"records":{"records":[{"valueString":"v","headers":[{"key":"h","value":"aGk="}]}]}}]}]}}}}"#;
    assert_eq!(headers(built_in, &[]), json!([["h", "hi"]]));
    assert_eq!(
        headers(built_in, &["--header-encoding", "text"]),
        json!([["h", "aGk="]])
    );
}

/// A filter asks for the JSON text of the node that headers are taken from.
#[test]
fn headers_read_by_a_filter_are_still_replayed() {
    let line = r#"{"http":{"req":{"body":"b","headers":{"X":["1","2"]}}}}"#;
    let args = ["extract", "-q", "-", "--filter", "header[X] IS 1"];
    let paths = ["--value", "http.req.body", "--headers", "http.req.headers"];
    let output = run(&[&args[..], &paths].concat())
        .stdin(format!("{line}\n"))
        .output();
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(
        parsed(&output)[0]["headers"],
        json!([["X", "1"], ["X", "2"]])
    );
}

fn with_records(records: &[&str]) -> String {
    let lines = records.iter().map(|records| {
        format!(
            r#"{{"command":"Fetch","kafka":{{"response":{{"FetchResponse":{{"topics":[{{"name":"t","partitions":[{{"records":{{"baseOffset":"0","records":[{records}]}}}}]}}]}}}}}}}}"#
        ) + "\n"
    });
    lines.collect()
}

#[test]
fn an_unknown_member_beside_a_known_value_is_named_with_its_count() {
    let lines = with_records(&[
        r#"{"valueString":"a","keyHex":"6b"},{"offsetDelta":1,"valueString":"b","keyHex":"6c","header":[{"key":"h"}]}"#,
        r#"{"offsetDelta":2,"valueString":"c","keyString":"k","headers":[],"length":7}"#,
        r#"{"offsetDelta":3,"valueString":"d","keyHex":"6d"}"#,
    ]);
    let report = rehearse_with(&["replay", "-"], &lines, 1);
    assert_eq!(ledger(&report), "4 = 4 delivered");
    let problem = |name: &str, count: u64| {
        let why = format!("a record has a member called `{name}`, which the profile does not know");
        json!({ "what": "member_unknown", "count": count, "first": { "input": "stdin", "line": 1, "why": why } })
    };
    assert_eq!(
        report["problems"],
        json!([problem("keyHex", 3), problem("header", 1)])
    );
    // The advice of the hint helps.
    let shown = run(&["extract", "-"]).stdin(lines.clone()).output();
    assert!(
        shown
            .stderr
            .contains("hint: if it is the key or the headers, name it with `--key @.NAME`"),
        "{}",
        shown.stderr
    );
    let paths = ["replay", "-", "--key", "@.keyHex", "--headers", "@.header"];
    let spelt_so = lines.lines().next().expect("there is one").to_owned() + "\n";
    let report = rehearse_with(&paths, &spelt_so, 0);
    assert_eq!(report["problems"], json!([]));
    // But then the built-in spellings are unknown.
    let report = rehearse_with(&paths, &lines, 1);
    let why = "a record has a member called `keyString`, which the profile does not know";
    assert_eq!(report["problems"][0]["first"]["why"], why);
}

#[test]
fn the_list_of_unknown_names_is_bounded() {
    let records: Vec<String> = (0..100)
        .map(|n| format!(r#"{{"offsetDelta":{n},"valueString":"v","odd{n}":1}}"#))
        .collect();
    let report = rehearse_with(&["replay", "-"], &with_records(&[&records.join(",")]), 1);
    let problems = report["problems"].as_array().expect("a list");
    let counts = problems.iter().map(|problem| problem["count"].as_u64());
    assert_eq!((problems.len(), counts.flatten().sum::<u64>()), (32, 100));
}

#[test]
fn a_csv_column_that_the_profile_does_not_know_is_named() {
    let csv = "kafka.response.FetchResponse.topics.0.name,\
               kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString,\
               kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.keyHex,RRPair UUID\n\
               t,a,6b,u1\nt,b,,u2\nt,c,6c,u3\n";
    let report = rehearse_with(&["replay", "-"], csv, 1);
    assert_eq!(ledger(&report), "3 = 3 delivered");
    let first = json!({ "input": "stdin", "line": 2, "why": "a record has a member called `keyHex`, which the profile does not know" });
    let problems = report["problems"].as_array().expect("a list");
    assert_eq!(
        problems[1..],
        [json!({ "what": "member_unknown", "count": 2, "first": first })]
    );
    assert_eq!(problems[0]["what"], "loss_unseen");
}

#[test]
fn a_profile_is_a_name_or_a_file() {
    let topics = |args: &[&str]| {
        let found = lines(args);
        let mut topics: Vec<String> = found.iter().map(|line| line["topic"].to_string()).collect();
        topics.dedup();
        (found.len(), topics.join(" "))
    };
    let produce = (4, r#""shipments""#.to_owned());
    assert_eq!(topics(&["shop.jsonl", "--profile", "produce"]), produce);
    assert_eq!(
        lines(&["shop.jsonl", "--profile", "fetch"]),
        lines(&["shop.jsonl"])
    );
    assert_eq!(topics(&OWN), (5, r#""returns" "refunds""#.to_owned()));
}

#[test]
fn an_invalid_path_is_shown_with_the_position_of_the_error() {
    for (flag, path, what, column) in [
        (
            "--key",
            "a..b",
            "`--key`: the path does not parse: expected a name or an index",
            2,
        ),
        (
            "--value",
            "$.lanes[",
            "`--value`: the path does not parse: expected a name in quotes, an index, `*`, a slice or `?`",
            8,
        ),
        (
            "--value",
            "$.http.req.headers.Host.0",
            "`--value`: the path does not parse: expected `*` or a name (an index is `[0]`)",
            24,
        ),
        (
            "--record",
            "a.b[0]",
            "`--record`: the path does not parse: expected a name or an index; JSONPath begins with `$`",
            2,
        ),
        (
            "--value",
            "@.doc",
            "`--value`: the path does not parse: `@` is the record's node, but there is no record path",
            0,
        ),
    ] {
        let (first, place) = (format!("kreplay: {what}"), format!("    {:column$}^", ""));
        let shown = format!("    {path}");
        assert_refused(&["shop.jsonl", flag, path], &[&first, &shown, &place]);
    }
}

#[test]
fn a_bad_path_or_filter_of_a_profile_is_shown_with_file_and_line() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let file = folder.path().join("mine.toml");
    let name = file.display().to_string();
    for (text, said) in [
        (
            "value = \"$.a\"\nkey = [\n  \"$.b\",\n  \"$.b[?\",\n]\n",
            [
                &format!(
                    "kreplay: {name}:4: key: the path does not parse: \
                     expected a condition such as `@.name == \"x\"`"
                )[..],
                "    $.b[?",
                "         ^",
            ],
        ),
        (
            "value = \"$.a\"\nfilter = \"command IZ x\"\n",
            [
                &format!(
                    "kreplay: {name}:2: the filter does not parse: \
                     expected `IS`, `NOT`, `CONTAINS`, `NOT CONTAINS` or `REGEX`, found `IZ`"
                ),
                "    command IZ x",
                "            ^",
            ],
        ),
    ] {
        fs::write(&file, text).expect("the folder is writable");
        assert_refused(&["own.jsonl", "--profile", &name], &said);
    }
}

#[test]
fn an_invalid_profile_is_named_with_the_position_of_the_error() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let path = folder.path().join("bad.toml");
    let name = path.display().to_string();
    for (text, said) in [
        (
            "filtre = \"x\"\n",
            format!("kreplay: {name}:1:1 is not a profile: unknown field `filtre`, expected "),
        ),
        (
            "record = \"$.a\"\nvalue = \n",
            format!("kreplay: {name}:2:9 is not a profile: "),
        ),
    ] {
        fs::write(&path, text).expect("the folder is ours");
        let output = extract(&["own.jsonl", "--profile", &name]);
        assert_eq!((output.code, output.stdout.as_str()), (2, ""));
        assert!(output.stderr.starts_with(&said), "{}", output.stderr);
        assert_eq!(
            output.stderr.lines().last(),
            Some("hint: `kreplay profile fetch` prints one to begin with")
        );
    }
    assert_refused(
        &["own.jsonl", "--profile", "fetsh"],
        &[
            "kreplay: cannot read the profile fetsh: No such file or directory (os error 2)",
            "hint: the built-in profiles are `fetch`, `produce` and `byoc`",
        ],
    );
}

// Filters.

/// Filters with what they leave of the 70 records of `demo.jsonl` and `shop.jsonl`.
const FILTERS: [(&str, u64); 18] = [
    (r#"(command IS  "Fetch")"#, 70),
    ("command is Fetch and service Is fulfilment", 70),
    ("command IS Produce", 0),
    ("command CONTAINS etc", 70),
    ("command NOT CONTAINS e", 0),
    ("status NOT OK", 0),
    (
        "direction IS OUT AND tech IS Kafka AND l7protocol IS kafka",
        70,
    ),
    (
        "namespace IS shop AND cluster IS demo AND networkaddr CONTAINS 9092",
        70,
    ),
    ("source IS nettap", 70),
    (
        "(command IS Fetch OR command IS Produce) AND location REGEX '^kafka-[0-9]'",
        70,
    ),
    (
        "command IS Produce OR command IS Fetch AND tag[sequence] IS 7",
        3,
    ),
    (
        "(command IS Produce OR command IS Fetch) AND tag[sequence] IS 7",
        3,
    ),
    (r#"tag[sequence] REGEX "^1.$""#, 28),
    (
        r#"timerange IS "2026-01-05T09:00:00Z" "2026-01-05T09:00:01Z""#,
        3,
    ),
    (
        r#"timerange NOT "2026-01-05T09:00:00Z" "2026-01-05T09:00:01Z""#,
        67,
    ),
    ("uuid IS 'Mx5o6HpSTPGypgcD38rw2w=='", 3),
    ("uuid IS 331e68e8-7a52-4cf1-b2a6-0703dfcaf0db", 3),
    ("header[x-y] IS z OR url IS '/health'", 0),
];

#[test]
fn a_filter_keeps_what_matches_and_counts_the_rest() {
    for (filter, delivered) in FILTERS {
        let args = [
            "replay",
            "demo.jsonl",
            "shop.jsonl",
            "--keep-duplicates",
            "--filter",
            filter,
        ];
        let filtered = match 70 - delivered {
            0 => String::new(),
            n => format!("{n} filtered + "),
        };
        let found = match delivered {
            0 => String::new(),
            n => format!(" + {n} delivered"),
        };
        // A filter that passes no RRPair at all is probably a mistake: none has a header or a URL.
        let code = i32::from(filter.starts_with("header[x-y]"));
        assert_eq!(
            ledger(&rehearse(&args, code)),
            format!("72 = {filtered}2 control{found}"),
            "{filter}"
        );
    }
}

#[test]
fn an_invalid_filter_flag_is_shown_with_the_position_of_the_error() {
    for (filter, what, column) in [
        (
            "command IS \"Fetch\" AN status IS OK",
            "expected `AND`, `OR` or the end, found `AN`",
            19,
        ),
        ("colour IS x", "`colour` is not a keyword", 0),
        (
            "status IS OK AND duration IS 5",
            "`duration` is not a keyword",
            17,
        ),
    ] {
        let first = format!("kreplay: the filter does not parse: {what}");
        let (shown, place) = (format!("    {filter}"), format!("    {:column$}^", ""));
        assert_refused(
            &["shop.jsonl", "--filter", filter],
            &[&first, &shown, &place],
        );
    }
}

#[test]
fn a_keyword_that_no_rrpair_answers_is_named() {
    for (filter, what, column) in [
        (
            "sample IS '1/5'",
            "`sample` selects by a hash that is internal to Speedscale",
            0,
        ),
        (
            "command IS Fetch AND sample[rrpair] IS '1/5'",
            "`sample` selects by a hash that is internal to Speedscale",
            21,
        ),
        (
            "(snapshot IS a)",
            "`snapshot` is not recorded in an RRPair",
            1,
        ),
    ] {
        let first = format!("kreplay: the filter cannot be evaluated on RRPairs: {what}");
        let (shown, place) = (format!("    {filter}"), format!("    {:column$}^", ""));
        assert_refused(
            &["shop.jsonl", "--filter", filter],
            &[
                &first,
                &shown,
                &place,
                "hint: leave it out here, and apply it in Speedscale when the snapshot is made",
            ],
        );
    }
}

// Spellings.

#[test]
fn every_documented_or_assumed_spelling_of_a_member_is_read() {
    let output = extract(&["spellings.jsonl"]);
    let expected = concat!(
        r#"{"topic":"parcels","partition":1,"offset":0,"timestamp":1767603600000,"captured":"2026-01-05T09:00:00.045000927Z","key":"k1","value":"v1","headers":[["h","x1"],["none",null]]}"#,
        "\n",
        r#"{"topic":"parcels","partition":2,"offset":0,"timestamp":1767603600000,"captured":"2026-01-05T09:00:00.085000927Z","key":"k2","value":"v2","headers":[["h","x2"]]}"#,
        "\n",
        r#"{"topic":"parcels","partition":3,"offset":0,"timestamp":1767603600000,"captured":"2026-01-05T09:00:00.125000927Z","key":"k3","value":"v3","headers":[["h","x3"]]}"#,
        "\n",
        r#"{"topic":"parcels","partition":0,"offset":0,"timestamp":1767603600000,"captured":"2026-01-05T09:00:00.165000927Z","key":"k4","value":"v4","headers":[["h","x4"]]}"#,
        "\n",
        r#"{"topic":"parcels","partition":1,"offset":5,"timestamp":1767603600005,"captured":"2026-01-05T09:00:00.205000927Z","key":"k5","value":"first","headers":[]}"#,
        "\n",
        r#"{"topic":"parcels","partition":1,"offset":6,"timestamp":1767603600006,"captured":"2026-01-05T09:00:00.205000927Z","key":"k6","value":null,"headers":[]}"#,
        "\n",
        r#"{"topic":"parcels","partition":1,"offset":7,"timestamp":1767603600007,"captured":"2026-01-05T09:00:00.205000927Z","key":"k7","value":"","headers":[]}"#,
        "\n",
        r#"{"topic":"parcels","partition":1,"offset":9,"timestamp":1767603600009,"captured":"2026-01-05T09:00:00.205000927Z","key":"k9","value":"v9","headers":[]}"#,
        "\n",
        r#"{"topic":"parcels","partition":1,"offset":20,"timestamp":1767603600020,"captured":"2026-01-05T09:00:00.245000927Z","key_base64":"/wA=","value_base64":"AP4=","headers":[["bin",{"base64":"/Q=="}]]}"#,
        "\n",
    );
    assert_eq!(output.stdout, expected);
    assert_eq!(output.code, 1);
}

#[test]
fn a_record_of_unknown_members_alone_is_unreadable_and_one_of_them_is_named() {
    let report = rehearse(&["replay", "spellings.jsonl"], 1);
    assert_eq!(ledger(&report), "10 = 1 unreadable + 9 delivered");
    let first = json!({
        "input": "spellings.jsonl", "line": 5,
        "why": "a record has no known value member, but one called `payload`",
    });
    let problems = json!([{ "what": "value_unknown", "count": 1, "first": first }]);
    assert_eq!(report["problems"], problems);
    let shown = run(&["extract", "spellings.jsonl"]).output().stderr;
    let hint = "\n           hint: `kreplay inspect --paths` lists every path that occurs; \
                name the value with `--value PATH`\n";
    assert!(shown.contains(hint), "{shown}");
}

// Snapshots.

/// A run of `kreplay snapshot http` and the calls of speedctl that it made.
fn snapshot(args: &[&str]) -> (RunOutput, Vec<Vec<String>>) {
    let folder = http_snapshot();
    let typed = folder.path().join("args");
    let output = run(&[&["snapshot", "http", "-t", "x"], args].concat())
        .env("KREPLAY_SPEEDCTL", standin())
        .env("STANDIN_DATA", folder.path())
        .env("STANDIN_FAULT", format!("args-file={}", typed.display()))
        .output();
    let calls = fs::read_to_string(typed).unwrap_or_default();
    let calls = calls
        .lines()
        .map(|line| serde_json::from_str(line).expect("the stand-in writes JSON"))
        .collect();
    (output, calls)
}

/// `http-demo.json` as a snapshot of the simulated speedctl.
fn http_snapshot() -> TempDir {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let text = fs::read_to_string(fixture("http-demo.json")).expect("the fixture is readable");
    let pairs: Vec<Value> = serde_json::from_str(&text).expect("the fixture is an array");
    let lines: String = pairs.iter().map(|pair| format!("{pair}\n")).collect();
    fs::write(folder.path().join("http.jsonl"), lines).expect("the folder is ours");
    folder
}

const REPORT: [&str; 3] = ["--rehearse", "--report", "json"];

#[test]
fn paths_without_wildcards_go_to_speedctl_in_its_notation_and_the_filter_as_it_was_typed() {
    let filter = "(command  IS  \"POST\")";
    let paths = [
        "--value",
        "$.http.req.body",
        "--key",
        "http.req.headers.X-Customer.0",
    ];
    for via in ["auto", "csv"] {
        let more = ["--filter", filter, "--via", via];
        let (output, calls) = snapshot(&[&paths[..], &more, &REPORT].concat());
        assert_eq!(output.code, 0, "{output:#?}");
        let report = report(&output);
        assert_eq!(ledger(&report), "4 = 4 delivered");
        assert_eq!(report["source"]["via"], "csv");
        let [call] = &calls[..] else {
            panic!("speedctl was called {} times", calls.len())
        };
        assert_eq!(call[..3], ["extract", "data", "http"]);
        let behind = |flag: &str| -> Vec<&str> {
            let pairs = call.windows(2).filter(|pair| pair[0] == flag);
            pairs.map(|pair| pair[1].as_str()).collect()
        };
        assert_eq!(behind("--filter"), [filter]);
        let asked = behind("--path");
        assert_eq!(
            asked[..2],
            ["http.req.body", "http.req.headers.X-Customer.0"]
        );
        assert!(
            asked.iter().all(|path| !path.contains(['$', '*', '['])),
            "{asked:?}"
        );
    }
}

#[test]
fn with_via_csv_an_unknown_keyword_is_left_to_speedctl() {
    let paths = ["--value", "http.req.body"];
    let filter = "newer[key] IS x AND comand IS POST";
    let (output, calls) =
        snapshot(&[&paths[..], &["--filter", filter, "--via", "csv"], &REPORT].concat());
    let [call] = &calls[..] else {
        panic!("speedctl was called {} times: {output:#?}", calls.len())
    };
    let asked: Vec<&String> = call.iter().skip_while(|it| *it != "--filter").collect();
    assert_eq!(asked[1], filter);
    // The simulated speedctl does not know it either, and kreplay reports that.
    assert_eq!(output.code, 4, "{output:#?}");
    assert!(
        output.stderr.contains("unknown keyword `newer"),
        "{output:#?}"
    );
    for via in ["auto", "raw"] {
        let (output, calls) = snapshot(
            &[
                &paths[..],
                &["--filter", "comand IS POST", "--via", via],
                &REPORT,
            ]
            .concat(),
        );
        assert_eq!((output.code, calls.len()), (2, 0), "{output:#?}");
        for shown in [
            "kreplay: the filter does not parse: `comand` is not a keyword\n    comand IS POST\n    ^\n",
            "hint: did you mean `command`? ",
        ] {
            assert!(output.stderr.contains(shown), "{via}: {}", output.stderr);
        }
    }
}

#[test]
fn filters_look_into_sessions_methods_and_bodies() {
    let pair = |session: &str, method: &str, body: &str| {
        json!({
            "session": session, "ts": "2026-01-05T09:00:00Z", "l7protocol": "http",
            "http": {"req": {"method": method, "body": body}, "res": {"body": "{\"ok\":true}"}},
        })
    };
    let pairs = [
        pair("JWT:1", "POST", r#"{"user":{"id":1},"total":5}"#),
        pair("JWT:2", "PUT", r#"{"user":{"id":2},"total":5}"#),
        pair("JWT:3", "POST", "<order><id>3</id></order>"),
    ];
    let input: String = pairs.iter().map(|pair| format!("{pair}\n")).collect();
    for (filter, expected) in [
        ("session IS \"JWT:2\"", &["JWT:2"][..]),
        ("method IS POST", &["JWT:1", "JWT:3"]),
        ("req_json[user.id] IS 1", &["JWT:1"]),
        ("resp_json[ok] IS true", &["JWT:1", "JWT:2", "JWT:3"]),
        ("reqbodyjson CONTAINS '{\"total\":5}'", &["JWT:1", "JWT:2"]),
        ("req_xpath[/order/id] IS 3", &["JWT:3"]),
        ("text CONTAINS '<order>'", &["JWT:3"]),
        (
            "session CONTAINS \"WT:\" AND session NOT \"JWT\\:2\"",
            &["JWT:1", "JWT:2", "JWT:3"],
        ),
        ("session REGEX \"^JWT\\:[2-3]$\"", &["JWT:2", "JWT:3"]),
        (
            "header[a] NOT \"x\\-y\" AND session IS \"JWT:1\"",
            &["JWT:1"],
        ),
    ] {
        let args = [
            "extract",
            "-q",
            "-",
            "--filter",
            filter,
            "--value",
            "$.session",
        ];
        let output = run(&args).stdin(input.as_bytes()).output();
        assert_eq!(output.code, 0, "{filter}: {output:#?}");
        let values = output.stdout.lines().map(|line| {
            let line: Value = serde_json::from_str(line).expect("a record line");
            line["value"].as_str().map(String::from).expect("a text")
        });
        assert_eq!(values.collect::<Vec<_>>(), expected, "{filter}");
    }
}

#[test]
fn a_wildcard_makes_kreplay_read_the_rrpairs() {
    for value in [
        "http.req.headers.*.0",
        "$.http.req.headers[*][0]",
        "$..headers['X-Customer'][0]",
    ] {
        let more = ["--value", value, "--filter", "command IS POST"];
        let (output, calls) = snapshot(&[&more[..], &REPORT].concat());
        assert_eq!(output.code, 0, "{output:#?}");
        assert_eq!(report(&output)["source"]["via"], "raw", "{value}");
        assert_eq!(calls, [["pull", "snapshot", "http"]], "{value}");
    }
}

#[test]
fn a_wildcard_with_via_csv_is_an_error() {
    for value in [
        "http.req.headers.*.0",
        "$.http.req.headers[*][0]",
        "$..body",
    ] {
        let (output, calls) = snapshot(&["--value", value, "--via", "csv", "--rehearse"]);
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (2, ""),
            "{output:#?}"
        );
        assert_eq!(
            output.stderr,
            format!(
                "kreplay: speedctl does not take the path `{value}`, only names and indexes\n\
                 hint: leave out `--via csv`, and kreplay reads the RRPairs\n"
            )
        );
        assert!(calls.is_empty(), "{calls:?}");
    }
}
