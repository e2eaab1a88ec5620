//! Both engines read the same: the streaming automaton, and the nodes that a query selects. Random
//! documents and random plain paths, which both can read.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::extract::input::framing::{Framer, RrPairText};
use crate::extract::profile::candidates::Candidate;
use crate::record::CapturedTopic;

/// What one line gave, comparable.
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

/// Reads `line` with the paths as they are, which is streaming, and with the paths whose bit is set
/// in `queries` spelt as queries.
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

/// A query for what a wildcard stands for: slices match in lists alone, the test whether a node is
/// there fits members, too.
const ELEMENTS: &str = "[0:]";
const MEMBERS: &str = "[?@]";

/// A path to the same nodes that is not plain, where there is one, with `each` for its wildcards.
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

/// The steps to a node, and its text.
type Place = (Vec<PathStep>, String);

/// A JSON text, as written: numbers keep their spelling.
#[derive(Debug, Clone)]
enum Json {
    Leaf(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Json {
    fn write(&self, out: &mut String) {
        match self {
            Self::Leaf(text) => out.push_str(text),
            Self::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i > 0 { ", " } else { "" });
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (i, (name, item)) in members.iter().enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    write!(out, "{}: ", serde_json::Value::from(name.as_str()))
                        .expect("a string takes everything");
                    item.write(out);
                }
                out.push('}');
            }
        }
    }

    /// The steps to every node and the text of those without nodes below, the node itself first.
    fn places(&self) -> Vec<Place> {
        let below = |step: PathStep, inner: &Self| {
            let with = move |(mut steps, text): Place| {
                steps.insert(0, step.clone());
                (steps, text)
            };
            inner.places().into_iter().map(with).collect::<Vec<_>>()
        };
        let inner: Vec<Place> = match self {
            Self::Leaf(_) => Vec::new(),
            Self::List(items) => (0..)
                .zip(items)
                .flat_map(|(i, item)| below(PathStep::Index(i), item))
                .collect(),
            Self::Object(members) => members
                .iter()
                .flat_map(|(name, item)| below(PathStep::Name(name.clone()), item))
                .collect(),
        };
        let text = match self {
            Self::Leaf(text) => text.clone(),
            Self::List(_) | Self::Object(_) => String::new(),
        };
        std::iter::once((Vec::new(), text)).chain(inner).collect()
    }
}

const NAMES: [&str; 5] = ["a", "b", "c", "d e", "f'g"];
/// What serde_json does not read; rare, or most lines would be unreadable.
const ODD: [&str; 3] = ["1e400", r#""\ud800""#, r#""x\udc00y""#];
const LEAVES: [&str; 16] = [
    "0",
    "7",
    "7",
    "1",
    "-3",
    "1.0",
    "1e5",
    "123456789012345678901234567890",
    "2147483648",
    r#""x""#,
    r#""\u00e9\n\"\ud83d\ude00""#,
    r#""""#,
    r#""12""#,
    "true",
    "null",
    "null",
];

fn documents() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![30 => select(LEAVES.to_vec()), 1 => select(ODD.to_vec())];
    let leaf = leaf.prop_map(|text| Json::Leaf(text.into()));
    let node = leaf.prop_recursive(5, 40, 4, |inner| {
        let members = proptest::collection::btree_map(select(NAMES.to_vec()), inner.clone(), 0..4);
        prop_oneof![
            vec(inner, 0..4).prop_map(Json::List),
            (members, any::<bool>()).prop_map(|(members, reversed)| {
                let named = members
                    .into_iter()
                    .map(|(name, item)| (name.to_string(), item));
                let mut members: Vec<_> = named.collect();
                if reversed {
                    members.reverse();
                }
                Json::Object(members)
            }),
        ]
    });
    let members = proptest::collection::btree_map(select(NAMES.to_vec()), node, 1..4);
    members.prop_map(|members| {
        Json::Object(
            members
                .into_iter()
                .map(|(name, item)| (name.to_string(), item))
                .collect(),
        )
    })
}

/// How a random path is made of a node's place: which node, and which steps become wildcards or
/// something else.
type Draw = (Index, Vec<u8>, bool);

fn draws() -> impl Strategy<Value = Draw> {
    (
        any::<Index>(),
        vec(0_u8..20, 6),
        proptest::bool::weighted(0.75),
    )
}

/// A path near a node that `fits`, mostly; below `prefix` where there is such a one.
fn path_near(
    places: &[Place],
    prefix: &[PathStep],
    (node, twists, used): &Draw,
    fits: impl Fn(&str) -> bool,
) -> String {
    let near = |fits: &dyn Fn(&str) -> bool, prefix: &[PathStep]| -> Vec<&Vec<PathStep>> {
        let near = places
            .iter()
            .filter(|(steps, text)| steps.starts_with(prefix) && fits(text));
        near.map(|(steps, _)| steps).collect()
    };
    let nodes = [near(&fits, prefix), near(&fits, &[]), near(&|_| true, &[])];
    let Some(nodes) = nodes
        .iter()
        .find(|nodes| !nodes.is_empty())
        .filter(|_| *used)
    else {
        return String::new();
    };
    let twisted = node
        .get(nodes)
        .iter()
        .zip(twists)
        .map(|(step, twist)| match (twist, step) {
            (0..10, PathStep::Index(_)) | (0, PathStep::Name(_)) => PathStep::Each,
            (18, PathStep::Index(index)) => PathStep::Index(index + 1),
            (19, PathStep::Name(_)) => PathStep::Name("a".into()),
            (_, step) => step.clone(),
        });
    jsonpath_text(&twisted.collect::<Vec<_>>())
}

fn cases() -> impl Strategy<Value = ([String; 6], String)> {
    let draws = (draws(), draws(), draws(), draws(), draws(), draws());
    (documents(), draws, any::<Index>()).prop_map(|(document, draws, near)| {
        let places = document.places();
        let (around, _) = near.get(&places);
        let around = &around[..around.len() / 2];
        let path = |draw, fits: fn(&str) -> bool| path_near(&places, around, draw, fits);
        let any = |_: &str| true;
        let integer = |text: &str| ["0", "7", "1", "\"12\""].contains(&text);
        let mut paths = [
            path(&draws.0, any),
            path(&draws.1, any),
            path(&draws.2, any),
            path(&draws.3, |text| text.starts_with('"')),
            path(&draws.4, integer),
            path(&draws.5, integer),
        ];
        if paths[0].is_empty() && paths[1].is_empty() {
            paths[1] = jsonpath_text(around);
        }
        let mut line = String::new();
        document.write(&mut line);
        (paths, line)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_engines_read_the_same((paths, line) in cases(), queries in 1_u8..64) {
        let (streamed, queried) = both(&paths, queries, ELEMENTS, &line);
        prop_assert_eq!(streamed, queried);
    }

    /// Fields of a record are not among them: which member a query led through is not known.
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

/// The binary's allocator, so that what `extraction_alone` measures is what a replay does.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Takes no part in testing: bench/extract.sh measures the process in which this runs alone.
#[test]
#[ignore = "a measurement, which bench/extract.sh runs"]
fn extraction_alone() {
    let variable = |name: &str| std::env::var(name).expect("bench/extract.sh sets it");
    let chosen = variable("EXTRACT_PROFILE");
    let profile = match std::fs::read_to_string(&chosen) {
        Ok(text) => Profile::parse(&chosen, &text).expect("a profile"),
        Err(_) => Profile::built_in(&chosen).expect("a built-in profile"),
    };
    let filter = Filter::parse(&profile.filter).expect("a filter");
    let engine = Engine::of(&profile, &filter).expect("a profile");
    let mut found = engine.found();
    let mut batch = Batch::default();
    let (mut records, mut bytes) = (0, 0);
    for path in variable("EXTRACT_FILES").split(' ') {
        let mut texts = Framer::new(File::open(path).expect("a file"));
        loop {
            while let Some((_, RrPairText::Whole(line))) = texts.next_buffered() {
                let text = std::str::from_utf8(line).expect("UTF-8");
                engine
                    .read(text, &mut batch, &mut found)
                    .expect("an RRPair");
                let matches = filter.matches(&found.filtered_on);
                records += found.records.iter().filter(|_| matches).count();
            }
            bytes += batch.hand_over().weight();
            if !texts.refill().expect("a file") {
                break;
            }
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    let line = format!(
        "{records} records, {bytes} bytes; {}",
        peak.expect("Linux has it")
    );
    writeln!(std::io::stdout(), "{line}").expect("stdout takes it");
}
