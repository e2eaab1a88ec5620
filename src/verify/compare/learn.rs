//! Learns noise from what differs between a capture and a run of the version that was captured.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};

use serde_json::Value;

use super::difference::{Difference, HEADER, LONGEST_PATH};
use super::noise::header_value;
use crate::report::{Change, DifferenceKind, LearnedPath, NoiseKind};

/// How many paths are learned: each of them is looked up in each value of a run with the file.
const MOST_LEARNED: usize = 1000;

/// Learns noise from the differences of a run of the same version.
#[derive(Debug, Default)]
pub(crate) struct NoiseLearner {
    paths: BTreeMap<(String, String), Learning>,
    /// New values by old ones, wherever they are, each by its hash.
    uuids: HashMap<u64, u64>,
    hasher: RandomState,
    /// Changed records of which a part cannot be learned.
    pub(crate) unlearned: u64,
}

#[derive(Debug)]
struct Learning {
    kind: NoiseKind,
    is_consistent: bool,
    values: HashMap<u64, u64>,
    records: u64,
}

impl NoiseLearner {
    /// Notes a difference; only changes of JSON values, and of the values of headers, can be learned.
    pub(crate) fn add(&mut self, difference: &Difference<'_>) {
        if difference.kind != DifferenceKind::Changed {
            return;
        }
        // A path that is cut is useless.
        let is_part = |change: &Change| {
            let path = &change.path;
            let is_in_value = path.starts_with("$.") || path.starts_with("$[");
            let is_header = path.starts_with(HEADER);
            let is_both = change.expected.is_some() && change.observed.is_some();
            (is_in_value || is_header && is_both) && path.len() <= LONGEST_PATH
        };
        let changes = &difference.changes;
        let is_whole = changes.more == 0 && !changes.named.is_empty();
        if !is_whole || !changes.named.iter().all(is_part) {
            self.unlearned += 1;
            return;
        }
        let mut has_room = true;
        for change in &changes.named {
            has_room &= self.learn(difference.topic, change);
        }
        if !has_room {
            self.unlearned += 1;
        }
    }

    /// Learns a change; returns whether there is room for it.
    fn learn(&mut self, topic: &str, change: &Change) -> bool {
        let is_header = change.path.starts_with(HEADER);
        let parsed = |text: &Option<String>| -> Option<Value> {
            let text = text.as_ref()?;
            match is_header {
                true => Some(header_value(Some(text.as_bytes()))),
                false => serde_json::from_str(text).ok(),
            }
        };
        let (old, new) = (parsed(&change.expected), parsed(&change.observed));
        let kind = NoiseKind::of_change(old.as_ref(), new.as_ref());
        let path = match is_header {
            true => change.path.clone(),
            false => without_indices(&change.path),
        };
        let place = (topic.to_owned(), path);
        if self.paths.len() >= MOST_LEARNED && !self.paths.contains_key(&place) {
            return false;
        }
        let learning = self.paths.entry(place).or_insert_with(|| Learning {
            kind,
            is_consistent: true,
            values: HashMap::new(),
            records: 0,
        });
        learning.records += 1;
        learning.kind = learning.kind.merge(kind);
        if change.expected.is_none() || change.observed.is_none() {
            learning.is_consistent = false;
            return true;
        }
        // As JSON: an id is the same in a header and in a value.
        let hash =
            |value: Option<Value>| self.hasher.hash_one(value.map(|value| value.to_string()));
        let (old, new) = (hash(old), hash(new));
        let known = match kind {
            NoiseKind::Uuid => self.uuids.entry(old),
            _ => learning.values.entry(old),
        };
        learning.is_consistent &= *known.or_insert(new) == new;
        true
    }

    /// What was learned, by topic and path.
    pub(crate) fn learned(&self) -> Vec<LearnedPath> {
        let paths = self.paths.iter();
        let learned = paths.map(|((topic, path), learning)| LearnedPath {
            topic: topic.clone(),
            path: path.clone(),
            kind: learning.kind,
            is_consistent: learning.is_consistent && learning.kind.is_id(),
            records: learning.records,
        });
        learned.collect()
    }
}

/// The path with `[*]` for each index: noise in one element of a list is noise in all of them.
fn without_indices(path: &str) -> String {
    let mut text = String::new();
    let mut rest = path;
    while let Some(c) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix("['") {
            let end = end_of_name(quoted).map_or(rest.len(), |end| end + 2);
            text.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        if c == '['
            && let Some(end) = rest.find(']')
        {
            text.push_str("[*]");
            rest = &rest[end + 1..];
            continue;
        }
        text.push(c);
        rest = &rest[c.len_utf8()..];
    }
    text
}

/// Where a quoted name ends, with its quote and bracket.
fn end_of_name(quoted: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '\'' => return Some(at + 2),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::compare::difference::Changes;

    #[test]
    fn learned_paths_generalise_indexes_and_keep_names() {
        for (path, general) in [
            ("$.a", "$.a"),
            ("$.items[12].id", "$.items[*].id"),
            ("$[0][1]", "$[*][*]"),
            ("$['a[0]'][3]", "$['a[0]'][*]"),
            (r"$['it\'s[1]'].x[2]", r"$['it\'s[1]'].x[*]"),
        ] {
            assert_eq!(without_indices(path), general);
        }
    }

    fn changed(changes: &[(&str, &str, &str)]) -> NoiseLearner {
        let mut learner = NoiseLearner::default();
        for (path, old, new) in changes {
            learner.add(&Difference {
                kind: DifferenceKind::Changed,
                topic: "bills",
                key: None,
                expected: None,
                observed: None,
                changes: Changes::of(Change {
                    path: (*path).into(),
                    expected: Some((*old).into()),
                    observed: Some((*new).into()),
                }),
            });
        }
        learner
    }

    /// What was learned: paths, kinds, and whether the values are consistent.
    fn seen(learned: &[LearnedPath]) -> Vec<(&str, NoiseKind, bool)> {
        let seen = learned
            .iter()
            .map(|noise| (noise.path.as_str(), noise.kind, noise.is_consistent));
        seen.collect()
    }

    #[test]
    fn an_id_that_is_mapped_twice_is_not_consistent() {
        let [a, b, c] = [1, 2, 3].map(|n| format!("\"00000000-0000-4000-8000-00000000000{n}\""));
        let learned = changed(&[("$.id", &a, &b), ("$.list[1].id", &a, &b)]).learned();
        let uuid = NoiseKind::Uuid;
        let expected = [("$.id", uuid, true), ("$.list[*].id", uuid, true)];
        assert_eq!(seen(&learned), expected);
        let learned = changed(&[("$.id", &a, &b), ("$.other", &a, &c)]).learned();
        let seen: Vec<_> = learned.iter().map(|l| l.is_consistent).collect();
        assert_eq!(seen, [true, false]);
    }

    #[test]
    fn a_value_that_is_not_json_is_not_learned() {
        let learner = changed(&[("$", "a", "b")]);
        assert_eq!((learner.unlearned, learner.learned().len()), (1, 0));
    }

    #[test]
    fn a_header_is_learned_by_its_name_unless_it_came_or_went() {
        let [old, new] = [1, 2].map(|n| format!("00000000-0000-4000-8000-00000000000{n}"));
        let learned = changed(&[("header trace[0]", &old, &new), ("header n", "1", "2")]).learned();
        let [number, uuid] = [NoiseKind::Number, NoiseKind::Uuid];
        let expected = [("header n", number, true), ("header trace[0]", uuid, true)];
        assert_eq!(seen(&learned), expected);
        let mut learner = NoiseLearner::default();
        learner.add(&Difference {
            kind: DifferenceKind::Changed,
            topic: "bills",
            key: None,
            expected: None,
            observed: None,
            changes: Changes::of(Change {
                path: "header trace".into(),
                expected: None,
                observed: Some("1".into()),
            }),
        });
        assert_eq!((learner.unlearned, learner.learned().len()), (1, 0));
    }
}
