//! Random documents, and random plain paths to what is in them.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

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

/// Values that serde_json does not read; rare, or most lines would be unreadable.
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

/// How to make a random path from a node's place: which node, and which steps become wildcards or something
/// else.
type Draw = (Index, Vec<u8>, bool);

fn draws() -> impl Strategy<Value = Draw> {
    (
        any::<Index>(),
        vec(0_u8..20, 6),
        proptest::bool::weighted(0.75),
    )
}

/// A path near a node that `fits`, mostly; below `prefix` where such a node exists.
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

/// Paths of a profile, and a line to read with them.
pub(super) fn cases() -> impl Strategy<Value = ([String; 6], String)> {
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
