//! The paths that occur in RRPairs: their trees merged into one, with all elements of an array as one node.
//! Its memory is bounded whatever the input: a limited number of paths is kept, and an object whose member
//! names are data (ids, urls) is folded as an array is.

mod tree;
mod visit;

use serde::de::DeserializeSeed;

use self::tree::{LONGEST_PATH, OutlineBudget, OutlineNode, TYPES};
use self::visit::OutlineSeed;
use crate::extract::profile::path::{Path, PathStep, jsonpath_text};
use crate::extract::rrpair::json;
use crate::report::PathSeen;

/// The RRPairs seen so far as one tree.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    root: OutlineNode,
    room: OutlineBudget,
}

impl Outline {
    /// Merges one RRPair with those before. Leaves out what follows damage.
    pub(crate) fn add(&mut self, line: &str) {
        let at = OutlineSeed {
            node: &mut self.root,
            room: &mut self.room,
        };
        // The reader of records reports the damage in a line.
        _ = match may_be_beyond_serde(line) {
            true => json::document(line).and_then(|document| at.deserialize(&document)),
            false => at.deserialize(&mut serde_json::Deserializer::from_str(line)),
        };
    }

    /// Calls `look` for every path but `$`.
    pub(in crate::extract) fn for_each(&self, mut look: impl FnMut(&[PathStep])) {
        self.root
            .visit(&mut Vec::new(), &mut |steps, _| look(steps));
    }

    /// The paths as a report lists them, and the number of nodes whose paths were not kept.
    pub(crate) fn list(&self) -> (Vec<PathSeen>, u64) {
        let (mut paths, mut left_out) = (Vec::new(), self.room.left_out);
        self.root.visit(&mut Vec::new(), &mut |steps, node| {
            let names = steps.iter().map(|step| match step {
                PathStep::Name(name) => name.len(),
                PathStep::Index(_) | PathStep::Each => 0,
            });
            if names.sum::<usize>() > LONGEST_PATH {
                left_out += node.count;
                return;
            }
            let path = jsonpath_text(steps);
            // A name may contain characters that need escapes; such a name does not parse back to itself.
            let parsed = Path::parse(&path);
            if !parsed.is_ok_and(|parsed| parsed.steps() == Some(steps)) {
                left_out += node.count;
                return;
            }
            let types = (0..)
                .zip(TYPES)
                .filter(|(bit, _)| node.types & (1 << bit) != 0);
            paths.push(PathSeen {
                path,
                count: node.count,
                types: types.map(|(_, name)| name).collect(),
                sample: node.sample.as_deref().map(String::from),
            });
        });
        (paths, left_out)
    }
}

/// Whether a line may hold what serde_json cannot represent, half of a surrogate pair or a number beyond
/// every `f64`: such a line is read as a document, which costs more and sorts the names.
fn may_be_beyond_serde(line: &str) -> bool {
    let line = line.as_bytes();
    let has_surrogate = |digit: &str| memchr::memmem::find(line, digit.as_bytes()).is_some();
    let is_large = |at: usize| {
        let exponent = &line[at + 1..];
        let digits = match exponent {
            [b'+' | b'-', digits @ ..] => digits,
            digits => digits,
        };
        digits.len() > 2 && digits[..3].iter().all(u8::is_ascii_digit)
    };
    has_surrogate("\\ud")
        || has_surrogate("\\uD")
        || memchr::memchr2_iter(b'e', b'E', line).any(is_large)
}

#[cfg(test)]
mod tests {
    use super::tree::MOST_PATHS;
    use super::visit::SAMPLE;
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn outline(documents: &[Value]) -> Outline {
        let mut outline = Outline::default();
        documents.iter().for_each(|d| outline.add(&d.to_string()));
        outline
    }

    fn lines(outline: &Outline) -> Vec<String> {
        let line = |p: PathSeen| {
            let sample = p.sample.unwrap_or_default();
            format!("{} {} {} {sample}", p.count, p.types.join("|"), p.path)
        };
        outline.list().0.into_iter().map(line).collect()
    }

    #[test]
    fn paths_are_counted_with_types_and_a_sample() {
        let long = "x".repeat(50);
        let outline = outline(&[
            json!({"a": [{"b": 1}, {"b": ""}, {"b": "t\"\n"}], "c": null}),
            json!({"a": [], "c": true, "d e": {"f": long}}),
        ]);
        assert_eq!(
            lines(&outline),
            [
                "2 array $.a ",
                "3 object $.a[*] ",
                "3 string|number $.a[*].b 1",
                "2 boolean|null $.c true",
                "1 object $['d e'] ",
                &format!("1 string $['d e'].f \"{}…\"", "x".repeat(SAMPLE)),
            ]
        );
    }

    #[test]
    fn a_lone_surrogate_or_a_huge_number_does_not_end_the_outline() {
        let mut outline = Outline::default();
        outline.add(r#"{"b":"\ud800x","c":[-1e400,2E+3],"d":{"e":true}}"#);
        outline.add(r#"{"b":"\uDC00","a":1}"#);
        assert_eq!(
            lines(&outline),
            [
                "2 string $.b \"\u{fffd}x\"",
                "1 array $.c ",
                "2 number $.c[*] -1.7976931348623157e+308",
                "1 object $.d ",
                "1 boolean $.d.e true",
                "1 number $.a 1",
            ]
        );
    }

    #[test]
    fn an_object_whose_member_names_are_data_is_folded() {
        let documents: Vec<Value> = (0..500)
            .map(|i| json!({"urls": {format!("/items/{i}"): {"by": {"id": 1}, "hits": i}}}))
            .collect();
        assert_eq!(
            lines(&outline(&documents)),
            [
                "500 object $.urls ",
                "500 object $.urls[*] ",
                "500 object $.urls[*].by ",
                "500 number $.urls[*].by.id 1",
                "500 number $.urls[*].hits 0",
            ]
        );
        let folded = outline(&documents);
        assert_eq!(folded.room.paths, 5);
    }

    #[test]
    fn the_number_of_listed_paths_is_bounded() {
        let members = |n: usize| -> Value {
            (0..150)
                .map(|i| (format!("m{n}x{i}"), json!({"a": 1})))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let document: Value = (0..150)
            .map(|n| (format!("n{n}"), members(n)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let outline = outline(&[document]);
        let (paths, left_out) = outline.list();
        assert_eq!(paths.len(), MOST_PATHS);
        assert!(left_out > 0);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,50}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::hash_map("[a-c]|\\PC{0,4}", inner, 0..5).prop_map(|members| {
                    members
                        .into_iter()
                        .collect::<serde_json::Map<_, _>>()
                        .into()
                }),
            ]
        })
    }

    /// How many nodes `steps` lead to, if a wildcard matches only elements.
    fn count(node: &Value, steps: &[PathStep]) -> u64 {
        match (steps, node) {
            ([], _) => 1,
            ([PathStep::Name(name), rest @ ..], Value::Object(members)) => {
                members.get(name).map_or(0, |member| count(member, rest))
            }
            ([PathStep::Each, rest @ ..], Value::Array(elements)) => {
                elements.iter().map(|element| count(element, rest)).sum()
            }
            _ => 0,
        }
    }

    proptest! {
        #[test]
        fn a_listed_path_parses_and_matches_as_many_nodes_as_counted(document in any_json()) {
            let (paths, left_out) = outline(std::slice::from_ref(&document)).list();
            // Only names that have to be escaped cannot be listed.
            prop_assert!(left_out == 0 || document.to_string().contains(['\\', '\'']));
            for seen in paths {
                let path = Path::parse(&seen.path).expect(&seen.path);
                let steps = path.steps().expect("it is plain");
                prop_assert_eq!(count(&document, steps), seen.count, "{}", seen.path);
            }
        }
    }
}
