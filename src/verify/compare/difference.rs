//! Finds what changed from one content to another.

use std::collections::BTreeSet;

use serde_json::Value;

use super::content::{ComparedContent, ComparedValue, number_bits};
use super::terms::{OwnHeader, RecordPlace, Rules};
use crate::config::NewMembers;
use crate::host::visible::shortened;
use crate::report::{Change, DifferenceKind};

/// How many changes of a pair are named: with more, it is another record.
const MOST_CHANGES: usize = 1000;
/// How many bytes of a path are named. A path repeats all names above it, which may fill the value.
pub(super) const LONGEST_PATH: usize = 1 << 10;
/// The beginning of a header's path; its name follows.
pub(crate) const HEADER: &str = "header ";

/// What differs in one record, or in one pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference<'a> {
    pub(crate) kind: DifferenceKind,
    pub(crate) topic: &'a str,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) expected: Option<DifferenceHalf<'a>>,
    pub(crate) observed: Option<DifferenceHalf<'a>>,
    /// What changed in a pair, if both contents are kept.
    pub(crate) changes: Changes,
}

/// What changed in a pair.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Changes {
    /// The first ones.
    pub(crate) named: Vec<Change>,
    /// How many more there are.
    pub(crate) more: u64,
}

impl Changes {
    pub(super) fn of(change: Change) -> Self {
        let named = vec![change];
        Self { named, more: 0 }
    }

    pub(super) fn count(&self) -> u64 {
        self.named.len() as u64 + self.more
    }

    /// Whether the whole value differs.
    pub(super) fn has_whole_value(&self) -> bool {
        self.named.iter().any(|change| change.path == "$")
    }

    fn add(&mut self, path: &str, expected: Option<String>, observed: Option<String>) {
        self.add_with(path, || (expected, observed));
    }

    fn add_json(&mut self, path: &str, expected: Option<&Value>, observed: Option<&Value>) {
        self.add_with(path, || {
            let text = |value: Option<&Value>| value.map(ToString::to_string);
            (text(expected), text(observed))
        });
    }

    fn add_with(&mut self, path: &str, texts: impl FnOnce() -> (Option<String>, Option<String>)) {
        if self.named.len() >= MOST_CHANGES {
            self.more += 1;
            return;
        }
        let (expected, observed) = texts();
        self.named.push(Change {
            path: shortened(path, LONGEST_PATH).into_owned(),
            expected,
            observed,
        });
    }
}

/// One side of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DifferenceHalf<'a> {
    pub(crate) place: RecordPlace,
    /// `None` if too much differs to keep it.
    pub(crate) content: Option<&'a ComparedContent>,
}

/// What differs between two contents of `topic` by `rules`; empty if they are the same.
pub(super) fn changes(
    expected: &ComparedContent,
    observed: &ComparedContent,
    rules: &Rules,
    topic: &str,
) -> Changes {
    let mut changes = Changes::default();
    match (
        expected.compared(rules, topic).0,
        observed.compared(rules, topic).0,
    ) {
        (ComparedValue::Json(expected), ComparedValue::Json(observed)) => {
            differ(
                &mut changes,
                rules.members,
                &mut "$".to_owned(),
                &expected,
                &observed,
            );
        }
        (expected, observed) if expected == observed => {}
        _ => {
            let texts = (
                text(expected.value.as_deref()),
                text(observed.value.as_deref()),
            );
            changes.add("$", texts.0, texts.1);
        }
    }
    let (expected, _) = expected.compared_headers(rules, topic);
    let (observed, _) = observed.compared_headers(rules, topic);
    headers(&mut changes, &expected, &observed);
    changes
}

/// Headers may repeat, and their order counts (Kafka protocol guide, Record Header): two lists differ at the
/// first place from which on they are not equal.
fn headers(changes: &mut Changes, expected: &[OwnHeader], observed: &[OwnHeader]) {
    let mut add = |name: &[u8], one: Option<&OwnHeader>, other: Option<&OwnHeader>| {
        let shown =
            |(_, value): &OwnHeader| text(value.as_deref()).unwrap_or_else(|| "null".into());
        let path = format!("{HEADER}{}", String::from_utf8_lossy(name));
        changes.add(&path, one.map(shown), other.map(shown));
    };
    for index in 0..expected.len().max(observed.len()) {
        let (one, other) = (expected.get(index), observed.get(index));
        match (one, other) {
            (Some(same), Some(other)) if same == other => {}
            (Some((name, _)), Some((same, _))) if name == same => add(name, one, other),
            // A name in place of another: one header has gone and another has come.
            _ => {
                one.into_iter().for_each(|(name, _)| add(name, one, None));
                other
                    .into_iter()
                    .for_each(|(name, _)| add(name, None, other));
            }
        }
    }
}

fn text(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn differ(
    changes: &mut Changes,
    members: NewMembers,
    path: &mut String,
    expected: &Value,
    observed: &Value,
) {
    let length = path.len();
    match (expected, observed) {
        (Value::Object(one), Value::Object(other)) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for name in names {
                push_member(path, name);
                match (one.get(name), other.get(name)) {
                    (Some(one), Some(other)) => differ(changes, members, path, one, other),
                    (None, Some(_)) if members == NewMembers::Allowed => {}
                    (one, other) => changes.add_json(path, one, other),
                }
                path.truncate(length);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for index in 0..one.len().max(other.len()) {
                path.push_str(&format!("[{index}]"));
                match (one.get(index), other.get(index)) {
                    (Some(one), Some(other)) => differ(changes, members, path, one, other),
                    (one, other) => changes.add_json(path, one, other),
                }
                path.truncate(length);
            }
        }
        (Value::Number(one), Value::Number(other)) if number_bits(one) == number_bits(other) => {}
        (one, other) if one == other => {}
        (one, other) => changes.add_json(path, Some(one), Some(other)),
    }
}

/// `.name`, or `['na me']` if the name is not an identifier.
fn push_member(path: &mut String, name: &str) {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.is_empty()
        && name.chars().all(is_plain)
        && !name.starts_with(|c: char| c.is_ascii_digit())
    {
        path.push('.');
        path.push_str(name);
    } else {
        let escaped = name.replace('\\', "\\\\").replace('\'', "\\'");
        path.push_str(&format!("['{escaped}']"));
    }
}
