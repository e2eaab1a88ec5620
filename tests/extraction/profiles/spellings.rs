//! Spellings of members, and members that kreplay does not know.

use super::{extract, rehearse, rehearse_with, run};
use crate::harness::report::ledger::ledger;
use serde_json::json;

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
