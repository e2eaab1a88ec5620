//! Both engines must read the same: the streaming automaton, and the nodes that a query selects. The tests
//! use random documents and random plain paths, which both can read.

mod alone;
mod random;

use proptest::prelude::*;

use self::random::cases;
use super::*;
use crate::extract::profile::candidates::Candidate;
use crate::record::CapturedTopic;

/// What one line yielded, in a comparable form.
#[derive(Debug, PartialEq, Eq)]
enum LineReading {
    /// Records in their order, and which of the profile's paths matched.
    Records(Vec<RecordFields>, Vec<bool>),
    Json,
    Ambiguous,
}

#[derive(Debug, PartialEq, Eq)]
struct RecordFields {
    value: Option<String>,
    key: Option<String>,
    topic: Option<CapturedTopic>,
    partition: Option<i64>,
    offset: Option<i64>,
    error: Option<String>,
}

fn read(engine: &Engine, line: &str) -> LineReading {
    let (mut batch, mut found) = (Batch::default(), engine.found());
    match engine.read(line, &mut batch, &mut found) {
        Ok(()) => {}
        Err(RrPairError::Json(_)) => return LineReading::Json,
        Err(RrPairError::Ambiguous(_)) => return LineReading::Ambiguous,
        Err(RrPairError::Excess(excess)) => panic!("{excess}"),
    }
    let text = |span| String::from_utf8_lossy(batch.slice(span)).into_owned();
    let seen = found.records.iter().map(|partial| RecordFields {
        value: partial.fields.bytes(Slot::Value).map(text),
        key: partial.fields.bytes(Slot::Key).map(text),
        topic: partial
            .fields
            .topic(Slot::Topic)
            .map(|index| batch.topics[index as usize].clone()),
        partition: partial.fields.number(Slot::Partition),
        offset: partial.fields.number(Slot::Offset),
        error: found.error(partial).as_ref().map(ToString::to_string),
    });
    LineReading::Records(seen.collect(), found.matched.clone())
}

/// A profile in a few words: a path for each of record, value, key, topic, partition, offset; empty
/// where there is none.
fn profile(paths: &[String; 6]) -> Profile {
    let one = |path: &String| {
        let candidate = |path: &String| Candidate {
            path: path.clone(),
            encoding: None,
        };
        Candidates(
            Some(path)
                .filter(|path| !path.is_empty())
                .map(candidate)
                .into_iter()
                .collect(),
        )
    };
    let [record, value, key, topic, partition, offset] = paths;
    Profile {
        record: one(record),
        value: one(value),
        key: one(key),
        topic_path: one(topic),
        partition_path: one(partition),
        offset_path: one(offset),
        ..Profile::default()
    }
}

/// Reads `line` with the paths as they are, which streams, and with the paths whose bit is set in `queries`
/// written as queries.
fn both(paths: &[String; 6], queries: u8, each: &str, line: &str) -> (LineReading, LineReading) {
    let document = json::document(line).expect("it was written as JSON");
    let mut number = 0;
    let respelt = paths.clone().map(|path| {
        number += 1;
        match queries >> (number - 1) & 1 {
            0 => path,
            _ => as_query(path, each, &document),
        }
    });
    let engine = |paths| Engine::of(&profile(paths), &Filter::everything()).expect("they parse");
    (read(&engine(paths), line), read(&engine(&respelt), line))
}

/// A query for what a wildcard matches: slices match only in lists; the test whether a node exists matches
/// members as well.
const ELEMENTS: &str = "[0:]";

const MEMBERS: &str = "[?@]";

/// A path to the same nodes that is not plain, if there is one, with `each` for its wildcards.
fn as_query(path: String, each: &str, document: &Value) -> String {
    let Some(steps) = Path::parse(&path)
        .ok()
        .and_then(|path| Some(path.steps()?.to_vec()))
    else {
        return path;
    };
    let part = |step: &PathStep| match step {
        PathStep::Each => each.into(),
        PathStep::Index(index) => format!("[{index}:{}]", index + 1),
        PathStep::Name(_) => jsonpath_text(std::slice::from_ref(step))[1..].to_string(),
    };
    let query = format!("${}", steps.iter().map(part).collect::<String>());
    let nodes = |text: &str| Path::parse(text).expect("it parses").nodes(document);
    match nodes(&query) == nodes(&path) {
        true => query,
        false => path,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_engines_read_the_same((paths, line) in cases(), queries in 1_u8..64) {
        let (streamed, queried) = both(&paths, queries, ELEMENTS, &line);
        prop_assert_eq!(streamed, queried);
    }

    /// Without the fields of a record: the member that a query came through is unknown.
    #[test]
    fn both_engines_find_the_same_members((paths, line) in cases()) {
        let value = [&paths[0], &paths[1]].into_iter().find(|path| !path.is_empty());
        let alone = value.map(|value| ["", value, "", "", "", ""].map(String::from));
        let (streamed, queried) = both(&alone.expect("a case has either"), 0b10, MEMBERS, &line);
        prop_assert_eq!(streamed, queried);
    }
}

#[test]
fn the_random_cases_reach_records_and_both_errors() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut joined, mut json, mut ambiguous) = (0, 0, 0);
    for _ in 0..2000 {
        let tree = cases().new_tree(&mut runner).expect("no case is rejected");
        let (paths, line) = tree.current();
        match both(&paths, 0, ELEMENTS, &line).0 {
            LineReading::Records(records, _) => {
                joined += usize::from(records.iter().any(|record| record.key.is_some()));
            }
            LineReading::Json => json += 1,
            LineReading::Ambiguous => ambiguous += 1,
        }
    }
    assert!(
        joined > 200 && json > 50 && ambiguous > 50,
        "{joined} {json} {ambiguous}"
    );
}

fn paths(of: [&str; 6]) -> [String; 6] {
    of.map(String::from)
}

fn values(of: [&str; 6], line: &str) -> Vec<(Option<String>, Option<CapturedTopic>)> {
    let engine = Engine::of(&profile(&paths(of)), &Filter::everything()).expect("they parse");
    match read(&engine, line) {
        LineReading::Records(records, _) => {
            let records = records.into_iter();
            records.map(|record| (record.value, record.topic)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_record_that_a_query_found_has_its_own_value_alone() {
    let line = r#"{"v": "1", "x": {"v": null}, "y": {"v": "3"}}"#;
    let found = values(["", "$..v", "", "", "", ""], line);
    let one = |value: &str| (Some(value.to_string()), None);
    assert_eq!(found, [one("1"), (None, None), one("3")]);
}

#[test]
fn a_record_has_the_fields_of_the_member_that_a_wildcard_led_through() {
    let line = r#"{"b": {"t": "y"}, "a": {"v": "1", "t": "x"}}"#;
    let topic = Some(CapturedTopic::Name("x".into()));
    let expected = [(Some("1".to_string()), topic)];
    assert_eq!(values(["", "$.a.v", "", "$.*.t", "", ""], line), expected);
}

#[test]
fn a_wildcard_for_members_is_compared_with_a_query_for_them() {
    let line = r#"{"b": {"v": "1", "w": null}, "a": [{"v": "2"}], "c": 3}"#;
    let document = json::document(line).expect("it is JSON");
    for (path, query) in [
        ("$.*.v", "$[?@].v"),
        ("$.b[*]", "$.b[?@]"),
        ("$[*][*].v", "$[?@][?@].v"),
    ] {
        assert_eq!(as_query(path.into(), MEMBERS, &document), query);
        let alone = paths(["", path, "", "", "", ""]);
        let (streamed, queried) = both(&alone, 0b10, MEMBERS, line);
        assert!(matches!(&streamed, LineReading::Records(records, _) if !records.is_empty()));
        assert_eq!(streamed, queried, "{path}");
    }
}

#[test]
fn a_node_whose_text_is_needed_is_no_number_when_something_lies_below() {
    let of = paths(["", "$.v", "$.k", "$.k[*]", "", "$.k"]);
    let engine = Engine::of(&profile(&of), &Filter::everything()).expect("they parse");
    assert_eq!(
        read(&engine, r#"{"v": "1", "k": ["x"]}"#),
        LineReading::Json
    );
}
