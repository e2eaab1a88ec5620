//! speedctl's dotted paths: `kafka.response.FetchResponse.topics.0.name`, `.ts`. A bare number is an index where the
//! document has a list. There are no wildcards, and what matches nothing is an empty cell.

use serde_json::Value;

use crate::failure::Failure;

/// What a cell holds if its path ends at an object or a list; which of them the real speedctl prints is
/// unknown.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Objects {
    /// Compact JSON text, member names sorted.
    Json,
    /// Nothing.
    Empty,
}

impl Objects {
    /// Reads `STANDIN_OBJECTS`; unset means [`Objects::Json`].
    ///
    /// # Errors
    /// Returns an error if it is neither `json` nor `empty`.
    pub(crate) fn from_env() -> Result<Self, Failure> {
        match std::env::var("STANDIN_OBJECTS").ok().as_deref() {
            None | Some("" | "json") => Ok(Self::Json),
            Some("empty") => Ok(Self::Empty),
            Some(other) => Err(Failure::with_code(
                64,
                format!("STANDIN_OBJECTS is `json` or `empty`, not `{other}`"),
            )),
        }
    }
}

/// One path, as its steps.
#[derive(Debug, PartialEq)]
pub(crate) struct DottedPath(Vec<String>);

impl DottedPath {
    /// Parses one path; one leading dot is allowed.
    ///
    /// # Errors
    /// Returns an error if it is empty, has an empty step, or is written as JSONPath (`$`, `*`, `[`, `]`).
    pub(crate) fn parse(typed: &str) -> Result<Self, Failure> {
        let refuse = |why: &str| Err(Failure::new(format!("invalid path `{typed}`: {why}")));
        if typed.contains(['*', '[', ']']) {
            return refuse("wildcards and brackets are not supported");
        }
        if typed.starts_with('$') {
            return refuse("JSONPath is not supported");
        }
        let steps: Vec<String> = typed
            .strip_prefix('.')
            .unwrap_or(typed)
            .split('.')
            .map(str::to_owned)
            .collect();
        if steps.iter().any(String::is_empty) {
            return refuse("a step is empty");
        }
        Ok(Self(steps))
    }

    /// The node that the path leads to, if there is one.
    pub(crate) fn find<'a>(&self, pair: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(pair, |node, step| match node {
            Value::Object(members) => members.get(step),
            Value::Array(items) if step.bytes().all(|digit| digit.is_ascii_digit()) => {
                step.parse::<usize>().ok().and_then(|at| items.get(at))
            }
            _ => None,
        })
    }
}

/// The text that a cell holds for a node.
pub(crate) fn cell_text(node: Option<&Value>, objects: Objects) -> String {
    match (node, objects) {
        (None | Some(Value::Null), _) => String::new(),
        (Some(Value::String(text)), _) => text.clone(),
        (Some(Value::Object(_) | Value::Array(_)), Objects::Empty) => String::new(),
        (Some(other), _) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{DottedPath, Objects, cell_text};
    use serde_json::json;

    fn cell(path: &str, objects: Objects) -> String {
        let pair = json!({"ts": "2026-01-05T09:00:00Z", "duration": 8, "gone": null, "ok": true, "0": "zero",
            "topics": [{"name": "orders", "n": 0.5}, {"name": "payments"}], "value": " a,\"b\"\n"});
        let path = DottedPath::parse(path).expect("a valid path");
        cell_text(path.find(&pair), objects)
    }

    #[test]
    fn a_path_gives_the_text_of_its_node() {
        for (path, expected) in [
            (".ts", "2026-01-05T09:00:00Z"),
            ("ts", "2026-01-05T09:00:00Z"),
            ("duration", "8"),
            ("ok", "true"),
            ("gone", ""),
            ("0", "zero"),
            ("topics.1.name", "payments"),
            ("topics.0.n", "0.5"),
            ("topics.2.name", ""),
            ("topics.name", ""),
            ("topics.-1.name", ""),
            ("ts.0", ""),
            ("value", " a,\"b\"\n"),
            ("topics.1", "{\"name\":\"payments\"}"),
        ] {
            assert_eq!(cell(path, Objects::Json), expected, "{path}");
        }
    }

    #[test]
    fn an_object_is_an_empty_cell_when_asked_for() {
        assert_eq!(cell("topics.1", Objects::Empty), "");
        assert_eq!(cell("topics.1.name", Objects::Empty), "payments");
    }

    #[test]
    fn wildcards_jsonpath_and_empty_steps_are_refused() {
        for path in [
            "topics[*].name",
            "topics.*.name",
            "$.ts",
            "",
            ".",
            "a..b",
            "a.",
        ] {
            assert!(DottedPath::parse(path).is_err(), "{path}");
        }
    }
}
