//! Any bytes that Go's `encoding/csv` can write arrive in Kafka unchanged and in order: random records go
//! through a CSV, the binary and a mock cluster, and are compared byte for byte.

use crate::harness::run::{Run, report};
use crate::harness::topics::unique;
use crate::harness::verdict::readback;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use serde_json::Value;

/// The object that holds a record's partition, in speedctl's notation.
const PARTITION: &str = "kafka.response.FetchResponse.topics.0.partitions.0";
/// Cases of a property; each is one run of the binary with many rows.
const CASES: u32 = 24;
/// Partitions of a case's topic.
const PARTITIONS: i32 = 3;

/// A row: what the cells of value, key and partition hold.
#[derive(Debug, Clone)]
struct Row {
    value: Vec<u8>,
    key: Vec<u8>,
    partition: i32,
}

/// What ends a row: Go's default, or that of its `UseCRLF` (which this leaves out of cells).
#[derive(Debug, Clone, Copy)]
enum RowEnd {
    Lf,
    CrLf,
}

/// A cell as Go's `Writer.Write` writes it.
fn write_cell(text: &mut Vec<u8>, cell: &[u8]) {
    if !needs_quotes(cell) {
        text.extend_from_slice(cell);
        return;
    }
    text.push(b'"');
    for byte in cell {
        if *byte == b'"' {
            text.push(b'"');
        }
        text.push(*byte);
    }
    text.push(b'"');
}

/// Go's `fieldNeedsQuotes`.
fn needs_quotes(cell: &[u8]) -> bool {
    let first = String::from_utf8_lossy(cell).chars().next();
    cell == br"\."
        || cell.iter().any(|byte| b",\"\n\r".contains(byte))
        || first.is_some_and(char::is_whitespace)
}

fn write_csv(rows: &[Row], end: RowEnd) -> Vec<u8> {
    let end: &[u8] = match end {
        RowEnd::Lf => b"\n",
        RowEnd::CrLf => b"\r\n",
    };
    let record = format!("{PARTITION}.records.records.0");
    let mut text =
        format!("{record}.keyString,{PARTITION}.partitionIndex,{record}.valueString,RRPair UUID")
            .into_bytes();
    text.extend_from_slice(end);
    for (number, row) in rows.iter().enumerate() {
        // protobuf's JSON mapping leaves 0 out.
        let partition = Some(row.partition)
            .filter(|p| *p != 0)
            .map(|p| p.to_string());
        let partition = partition.unwrap_or_default();
        let uuid = number.to_string();
        let cells = [&row.key, partition.as_bytes(), &row.value, uuid.as_bytes()];
        for (at, cell) in cells.into_iter().enumerate() {
            if at > 0 {
                text.push(b',');
            }
            write_cell(&mut text, cell);
        }
        text.extend_from_slice(end);
    }
    text
}

/// Bytes that mean something to a CSV are likely in these.
fn cell() -> impl Strategy<Value = Vec<u8>> {
    let piece = select(vec![
        &b"\""[..],
        b"\"\"",
        b",",
        b"\n",
        b"\r",
        b"\r\n",
        b" ",
        b"\t",
        b"\\",
        b"\\.",
        b"\0",
        b"'",
        b";",
        b"#",
        b"=",
        b"a",
        b"key",
        b"0",
        b"{\"a\": 1, \"b\": \"c\"}",
        "é".as_bytes(),
        "\u{feff}".as_bytes(),
        "\u{a0}".as_bytes(),
        "\u{2028}".as_bytes(),
        "\u{85}".as_bytes(),
        b"\xff",
        b"\xc3",
        b"\xe2\x82",
        b"kreplay: end of input",
    ])
    .prop_map(<[u8]>::to_vec);
    prop_oneof![
        1 => Just(Vec::new()),
        6 => vec(piece, 1..8).prop_map(|pieces| pieces.concat()),
        1 => vec(any::<u8>(), 1..40),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    (cell(), cell(), 0..PARTITIONS).prop_map(|(value, key, partition)| Row {
        value,
        key,
        partition,
    })
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        // Each step is a run; what fails is small enough to read.
        max_shrink_iters: 60,
        failure_persistence: None,
        ..Config::default()
    })
}

fn assert_balances(report: &Value) {
    let ledger = report["ledger"]
        .as_object()
        .expect("the report has a ledger");
    let total: u64 = ledger.values().filter_map(Value::as_u64).sum();
    assert_eq!(
        report["ledger"]["found"].as_u64(),
        Some(total / 2),
        "{ledger:?}"
    );
}

/// Replays rows into a new topic and compares what arrives.
fn assert_arrives(
    cluster: &MockCluster<'_, DefaultProducerContext>,
    rows: &[Row],
    end: RowEnd,
) -> Result<(), TestCaseError> {
    let (topic, brokers) = (unique("property"), cluster.bootstrap_servers());
    cluster
        .create_topic(&topic, PARTITIONS, 1)
        .expect("the topic is new");
    let output = Run::new([
        "replay", "-", "-b", &brokers, "-t", &topic, "--report", "json",
    ])
    .stdin(write_csv(rows, end))
    .output();
    let report = report(&output);
    assert_balances(&report);
    // A CSV does not distinguish an empty value from a null, nor an empty key.
    let (whole, hollow): (Vec<&Row>, Vec<&Row>) =
        rows.iter().partition(|row| !row.value.is_empty());
    let lost = hollow.iter().filter(|row| !row.key.is_empty()).count();
    let ledger = &report["ledger"];
    prop_assert_eq!(
        &ledger["delivered"],
        &Value::from(whole.len()),
        "{}",
        report
    );
    prop_assert_eq!(&ledger["unreadable"], &Value::from(lost), "{}", report);
    // Empty rows make a source without records.
    let code = i32::from(lost > 0 || whole.is_empty());
    prop_assert_eq!(output.code, code, "{}", output.stderr);
    let seen = readback::read(&brokers, &topic).expect("the mock cluster answers");
    for partition in 0..PARTITIONS {
        let sent: Vec<_> = whole
            .iter()
            .filter(|row| row.partition == partition)
            .map(|row| {
                (
                    Some(&row.key).filter(|key| !key.is_empty()),
                    Some(&row.value),
                )
            })
            .collect();
        let arrived: Vec<_> = seen
            .iter()
            .filter(|record| record.partition == partition)
            .map(|record| (record.key.as_ref(), record.value.as_ref()))
            .collect();
        prop_assert_eq!(sent, arrived, "partition {}", partition);
    }
    Ok(())
}

#[test]
fn any_record_arrives_as_it_was_written() {
    let cluster = MockCluster::new(1).expect("a mock cluster needs nothing");
    let cases = (vec(row(), 1..120), select(vec![RowEnd::Lf, RowEnd::CrLf]));
    runner(CASES)
        .run(&cases, |(rows, end)| assert_arrives(&cluster, &rows, end))
        .unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn a_csv_larger_than_any_buffer_arrives_as_it_was_written() {
    let cluster = MockCluster::new(1).expect("a mock cluster needs nothing");
    // Rows of many lengths, so that chunks end at every place of a row.
    let rows: Vec<Row> = (0..20_000_usize)
        .map(|number| Row {
            value: [&b"\",\r\n"[..number % 5], number.to_string().as_bytes()]
                .concat()
                .repeat(1 + number % 13),
            key: number.to_string().into_bytes(),
            partition: i32::try_from(number % 3).unwrap_or(0),
        })
        .collect();
    for end in [RowEnd::Lf, RowEnd::CrLf] {
        assert_arrives(&cluster, &rows, end).unwrap_or_else(|failure| panic!("{failure}"));
    }
}

#[test]
fn any_bytes_behind_a_header_end_in_a_report_that_balances() {
    let bodies = vec(
        prop_oneof![3 => cell(), 1 => Just(b"a,1\n".to_vec()), 1 => Just(b"\"".to_vec())],
        0..60,
    );
    runner(CASES)
        .run(&bodies, |body| {
            let header = format!("{PARTITION}.records.records.0.valueString,RRPair UUID\n");
            let text = [header.into_bytes(), body.concat()].concat();
            let output = Run::new(["replay", "-", "-t", "t", "--rehearse", "--report", "json"])
                .stdin(text)
                .output();
            prop_assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
            prop_assert!(
                [0, 1, 4].contains(&output.code),
                "{}: {}",
                output.code,
                output.stderr
            );
            let report = report(&output);
            assert_balances(&report);
            prop_assert_eq!(
                &report["source"]["complete"],
                &Value::from(output.code != 4)
            );
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}
