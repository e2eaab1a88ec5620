//! Columns of a CSV: those that are missing, and paths that are not the header of any.

use super::{InputFolder, VALUE, good, refused, rehearse, rehearse_with, topic};
use crate::harness::paths::fixture;
use serde_json::json;

#[test]
fn invalid_numbers_of_a_csv_are_named() {
    let inputs = InputFolder::new();
    let node = VALUE.trim_end_matches(".records.records.0.valueString");
    let header = format!("{node}.partitionIndex,{node}.records.baseOffset,{VALUE}\n");
    for (row, why) in [
        ("abc,0,x", "column 1: `abc` is not an integer"),
        ("-1,0,x", "`-1` is not a partition's index"),
        ("3000000000,0,x", "`3000000000` is not a partition's index"),
        ("1.5,0,x", "column 1: `1.5` is not an integer"),
        (
            "0,123456789012345678901234567890,x",
            "column 2: `123456789012345678901234567890` is not an integer",
        ),
        (" 0,0,x", "column 1: ` 0` is not an integer"),
    ] {
        let file = inputs.write("p.csv", format!("{header}0,0,a\n{row}\n0,1,b\n"));
        let replay = rehearse(&["replay", &file, "-t", "t"]);
        replay.assert(row, 1, 2, 1);
        replay.assert_named(row, &file, 3, why);
    }
    let base64 = VALUE.replace("valueString", "valueBytes");
    let file = inputs.write("p.csv", format!("{base64}\nYQ==\n!!!\nYg==\n"));
    let replay = rehearse(&["replay", &file, "-t", "t"]);
    replay.assert("base64", 1, 2, 1);
    replay.assert_named("base64", &file, 3, "base64");
}

#[test]
fn a_csv_without_a_value_column_is_refused_and_its_columns_are_named() {
    let inputs = InputFolder::new();
    let no_value = fixture("no-value.csv").display().to_string();
    let error = refused(&["replay", &no_value, "-t", "t"], "");
    let columns = "only `kafka.response.FetchResponse.topics.0.name`, \
                   `kafka.response.FetchResponse.topics.0.partitions.0.records.baseOffset`, `RRPair UUID`";
    assert!(
        error.contains(&format!("{no_value} has no value column, {columns}")),
        "{error}"
    );
    assert!(error.contains("hint: "), "{error}");
    let many = inputs.write(
        "many.csv",
        "a column with a long name,".repeat(1_999) + "\n",
    );
    let rows = inputs.write("rows.csv", "a,1\nb,2\n");
    for file in [&many, &rows] {
        let error = refused(&["replay", file, "--as", "csv", "-t", "t"], "");
        assert!(error.contains("has no value column"), "{error:.300}");
        assert!(
            error.len() < 4000,
            "{file}: the error is {} bytes long",
            error.len()
        );
    }
}

/// The guide's columns, with a key.
const KEYED: &str = "kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString,\
                     kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.keyString,RRPair UUID";

#[test]
fn a_path_that_heads_no_column_is_named_with_the_nearest_that_does() {
    let record = "kafka.response.FetchResponse.topics.0.partitions.0.records.records.0";
    let rows = format!("{KEYED}\nv,k,u\n");
    let (key, topic) = (format!("{record}.keystring"), "$.nothing.like.it[?@.a]");
    let flags = [
        "replay",
        "-",
        "-t",
        "t",
        "--key",
        &key,
        "--topic-path",
        topic,
    ];
    let output = rehearse_with(&flags, rows.as_str());
    assert_eq!(
        (output.output.code, &output.report["ledger"]["delivered"]),
        (1, &1.into())
    );
    let problem = &output.report["problems"][0];
    assert_eq!(
        (&problem["what"], &problem["count"]),
        (&"path_unmatched".into(), &2.into())
    );
    assert_eq!(
        problem["first"]["why"],
        format!(
            "`--key {key}` is not the header of any column (did you mean `{record}.keyString`?); \
             `--topic-path {topic}` is not the header of any column"
        )
    );
    // Without a row no path can match.
    let empty = rehearse_with(&flags, format!("{KEYED}\n"));
    assert_eq!(empty.report["problems"], json!([]));
    // Without the column there are no records, or none that has a topic.
    let value = format!("{record}.valueStrin");
    let error = refused(&["replay", "-", "-t", "t", "--value", &value], &rows);
    let message = format!(
        "stdin: `--value {value}` is not the header of any column (did you mean `{record}.valueString`?)"
    );
    assert!(error.contains(&message), "{error}");
    let rows = format!("{KEYED},kafka.response.FetchResponse.topics.0.name\nv,k,u,t\n");
    let topic = "kafka.response.FetchResponse.topics.0.nam";
    let error = refused(&["replay", "-", "--topic-path", topic], &rows);
    let message = format!(
        "stdin: `--topic-path {topic}` is not the header of any column (did you mean `{topic}e`?)"
    );
    assert!(error.contains(&message), "{error}");
}

#[test]
fn a_record_without_a_topic_is_refused_before_anything_is_sent() {
    let inputs = InputFolder::new();
    let hint = "hint: name the destination's topic with `-t TOPIC`";
    let guide = fixture("guide.csv").display().to_string();
    let error = refused(&["replay", &guide], "");
    let why = format!("kreplay: {guide}: the capture does not name the record's topic");
    assert!(error.contains(&why) && error.contains(hint), "{error}");
    let without_topic = topic("");
    let file = inputs.write("p.jsonl", format!("{without_topic}\n{}\n", good("x")));
    let error = refused(&["replay", &file], "");
    assert!(error.contains(hint), "{error}");
    let replay = rehearse(&["replay", &file, "-t", "t"]);
    replay.assert("with -t", 0, 2, 0);
}

#[test]
fn a_record_without_a_topic_is_named_by_file_and_line() {
    let inputs = InputFolder::new();
    let without_topic = topic("");
    let file = inputs.write("p.jsonl", format!("\n{without_topic}\n{}\n", good("x")));
    let error = refused(&["replay", &file], "");
    assert!(
        error.starts_with(&format!("kreplay: {file}:2: ")),
        "{error}"
    );
    let topic = "kafka.response.FetchResponse.topics.0.name";
    let file = inputs.write("p.csv", format!("{VALUE},{topic}\na,\nb,t\n"));
    let error = refused(&["replay", &file], "");
    assert!(
        error.starts_with(&format!("kreplay: {file}:2: ")),
        "{error}"
    );
}
