//! Paths: a profile of the user's own, a flag for each field, plain paths and queries.

use super::{OWN, extract, lines, rehearse, run, short};
use crate::harness::report::ledger::ledger;
use serde_json::{Value, json};

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
            "key `$.lanes[*].entries[*].id` matches more than one node for one record: \
             `$.lanes[0].entries[0].id` and `$.lanes[0].entries[1].id`",
        ),
        (
            "$..id",
            "key `$..id` matches more than one node for one record: \
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
