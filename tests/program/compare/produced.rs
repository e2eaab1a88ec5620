//! Records of Produce requests, and the requests that added nothing to the log.

use std::fs;

use super::{compare, counts, folder};
use crate::harness::paths::fixture;
use serde_json::{Value, json};

#[test]
fn produce_records_of_two_captures_are_compared_with_their_profile() {
    let shop = fixture("shop.jsonl");
    let output = compare(&shop, &shop, &["--profile", "produce", "--report", "json"]);
    assert_eq!(output.code, 0, "{output:#?}");
    assert!(counts(&output)["equal"].as_u64() > Some(0));
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
