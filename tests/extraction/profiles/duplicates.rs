//! Records that a capture holds more than once, and those of transactions that were aborted.

use std::fs;

use super::{assert_gives, extract, lines, parsed, rehearse, rehearse_with, reordered, run, short};
use crate::harness::report::ledger::ledger;
use serde_json::{Value, json};

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
    // -1 + 1 is not an offset either: what the delta is added to is unknown.
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
