//! Paths into an RRPair, in the notations that users have: JSONPath (RFC 9535, begins with `$`) and
//! speedctl's dotted one (a bare number is an index in an array and a name in an object, a leading dot is
//! allowed). In profiles a path may begin with `@`, the record's node.
//!
//! Plain paths (names, indexes, wildcards) can be followed while a line streams by; for the others (filters,
//! descendants, slices) `query/` finds the nodes that they match.

pub(in crate::extract::profile) mod step;

use std::fmt;

use jsonpath_rust::parser::model::{JpQuery, Segment, Selector};
use jsonpath_rust::parser::parse_json_path;
use serde_json::Value;

pub(crate) use self::step::PathStep;
use super::query;
pub(crate) use super::query::QueryGivenUp;

/// A path, parsed once.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    text: String,
    kind: PathKind,
}

#[derive(Debug, Clone)]
enum PathKind {
    Plain(Vec<PathStep>),
    Query(Box<JpQuery>),
}

/// Why a text is not a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathError {
    text: String,
    /// In characters, from 0.
    at: usize,
    what: String,
}

impl PathError {
    /// Where the fault is, in characters from 0, and what was expected: for an error that shows the text.
    pub(crate) fn into_parts(self) -> (usize, String) {
        (self.at, self.what)
    }
}

impl Path {
    /// Reads either notation.
    ///
    /// # Errors
    /// Returns what was expected, and where.
    pub(crate) fn parse(text: &str) -> Result<Self, PathError> {
        let kind = match text.trim_start().starts_with('$') {
            true => parse_jsonpath(text)?,
            false => PathKind::Plain(parse_dotted(text)?),
        };
        Ok(Self {
            text: text.into(),
            kind,
        })
    }

    /// The path through members of objects only.
    pub(crate) fn of_names<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let steps: Vec<PathStep> = names.map(|name| PathStep::Name(name.into())).collect();
        Self {
            text: jsonpath_text(&steps),
            kind: PathKind::Plain(steps),
        }
    }

    /// Reads a path that may begin with `@`, which means each of `records`.
    ///
    /// # Errors
    /// Fails as [`Path::parse`] does, and if `@` has no meaning.
    pub(crate) fn parse_below(text: &str, records: &[Self]) -> Result<Vec<Self>, PathError> {
        let Some(rest) = text.strip_prefix('@') else {
            return Ok(vec![Self::parse(text)?]);
        };
        if records.is_empty() {
            let what = "`@` is the record's node, but there is no record path".into();
            return Err(PathError {
                text: text.into(),
                at: 0,
                what,
            });
        }
        records
            .iter()
            .map(|record| Self::parse(&format!("{}{rest}", record.text)))
            .collect()
    }

    /// The steps of a plain path.
    pub(crate) fn steps(&self) -> Option<&[PathStep]> {
        match &self.kind {
            PathKind::Plain(steps) => Some(steps),
            PathKind::Query(_) => None,
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a number of the path may also be the name of a member.
    pub(crate) fn is_dotted(&self) -> bool {
        !self.text.trim_start().starts_with('$')
    }

    /// The nodes of `document` that the path matches, each as plain steps without wildcards; in the order and
    /// as often as RFC 9535 says.
    ///
    /// # Errors
    /// Returns an error if the path selects more nodes than are kept.
    pub(crate) fn nodes(&self, document: &Value) -> Result<Vec<Vec<PathStep>>, QueryGivenUp> {
        self.nodes_unless(document, &|| false)
    }

    /// The nodes that the path matches, unless `is_over` ends the search.
    ///
    /// # Errors
    /// Fails as [`Path::nodes`] does, and if the search ends early.
    pub(crate) fn nodes_unless(
        &self,
        document: &Value,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Vec<Vec<PathStep>>, QueryGivenUp> {
        match &self.kind {
            PathKind::Query(query) => query::nodes(query, document, is_over),
            PathKind::Plain(steps) => {
                let mut nodes = Vec::new();
                self.add_nodes(steps, document, &mut Vec::new(), &mut nodes);
                Ok(nodes)
            }
        }
    }

    fn add_nodes(
        &self,
        steps: &[PathStep],
        node: &Value,
        way: &mut Vec<PathStep>,
        out: &mut Vec<Vec<PathStep>>,
    ) {
        let [step, rest @ ..] = steps else {
            out.push(way.clone());
            return;
        };
        let mut go = |last: PathStep, node: &Value| {
            way.push(last);
            self.add_nodes(rest, node, way, out);
            way.pop();
        };
        match (step, node) {
            (PathStep::Index(index), Value::Object(members)) if self.is_dotted() => {
                let name = index.to_string();
                if let Some(node) = members.get(&name) {
                    go(PathStep::Name(name), node);
                }
            }
            (PathStep::Index(index), Value::Array(elements)) => {
                if let Some(node) = elements.get(*index) {
                    go(PathStep::Index(*index), node);
                }
            }
            (PathStep::Name(name), Value::Object(members)) => {
                if let Some(node) = members.get(name) {
                    go(PathStep::Name(name.clone()), node);
                }
            }
            (PathStep::Each, Value::Array(elements)) => {
                let elements = elements.iter().enumerate();
                elements.for_each(|(index, node)| go(PathStep::Index(index), node));
            }
            (PathStep::Each, Value::Object(members)) => {
                let members = members.iter();
                members.for_each(|(name, node)| go(PathStep::Name(name.clone()), node));
            }
            _ => {}
        }
    }
}

fn parse_dotted(text: &str) -> Result<Vec<PathStep>, PathError> {
    let skipped = usize::from(text.starts_with('.'));
    let error = |at: usize, what: &str| PathError {
        text: text.into(),
        at,
        what: what.into(),
    };
    let inner = &text[skipped..];
    if inner.is_empty() {
        return Err(error(
            0,
            "expected a path: JSONPath such as `$.a[*].b`, or `a.0.b`",
        ));
    }
    let mut steps = Vec::new();
    let mut at = skipped;
    for part in inner.split('.') {
        steps.push(match part {
            "" => return Err(error(at, "expected a name or an index")),
            "*" | "[*]" => PathStep::Each,
            // A number that is not written like an index can only be a name.
            _ if part.bytes().all(|b| b.is_ascii_digit()) => match part.parse::<usize>() {
                Ok(index) if index.to_string() == part => PathStep::Index(index),
                Ok(_) | Err(_) => PathStep::Name(part.into()),
            },
            _ if part.contains(['[', ']', '*', ' ']) => {
                return Err(error(
                    at,
                    "expected a name or an index; JSONPath begins with `$`",
                ));
            }
            _ => PathStep::Name(part.into()),
        });
        at += part.chars().count() + 1;
    }
    Ok(steps)
}

fn parse_jsonpath(text: &str) -> Result<PathKind, PathError> {
    let query = parse_json_path(text).map_err(|e| jsonpath_error(text, &e.to_string()))?;
    query::check(&query.segments).map_err(|(function, why)| PathError {
        text: text.into(),
        at: text
            .find(&format!("{function}("))
            .map_or(0, |at| text[..at].chars().count()),
        what: format!("`{function}` {why}"),
    })?;
    let steps: Option<Vec<PathStep>> = query.segments.iter().map(plain_step).collect();
    Ok(steps.map_or_else(|| PathKind::Query(Box::new(query)), PathKind::Plain))
}

fn plain_step(segment: &Segment) -> Option<PathStep> {
    match segment {
        Segment::Selector(Selector::Name(name)) => Some(PathStep::Name(name.clone())),
        Segment::Selector(Selector::Wildcard) => Some(PathStep::Each),
        Segment::Selector(Selector::Index(index)) => {
            usize::try_from(*index).ok().map(PathStep::Index)
        }
        _ => None,
    }
}

/// pest draws a picture with `--> line:column` and `= expected ...`; this takes both from it.
fn jsonpath_error(text: &str, picture: &str) -> PathError {
    let column = picture
        .split_once("--> ")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .and_then(|place| place.rsplit(':').next())
        .and_then(|column| column.parse::<usize>().ok());
    let what = picture
        .split_once("= ")
        .map_or(picture, |(_, what)| what)
        .trim();
    let at = column.map_or(0, |column| column.saturating_sub(1));
    PathError {
        text: text.into(),
        at,
        what: in_words(&what.replace('\n', " ")),
    }
}

/// What jsonpath-rust expects: rules of its grammar (jpath.pest) in words; other rules keep their names.
const RULES: [(&str, &str); 10] = [
    ("atom_expr", "a condition such as `@.name == \"x\"`"),
    ("comparable", "a path or a value"),
    (
        "selector",
        "a name in quotes, an index, `*`, a slice or `?`",
    ),
    ("member_name_shorthand", "a name"),
    ("wildcard_selector", "`*`"),
    ("bracketed_selection", "`[`"),
    ("child_segment", "`.name` or `[`"),
    ("segment", "`.name` or `[`"),
    ("ALPHA", "a name (an index is `[0]`)"),
    ("EOI", "the end"),
];

fn in_words(expected: &str) -> String {
    let in_words = |rule: &str| {
        let (bare, comma) = match rule.strip_suffix(',') {
            Some(bare) => (bare, ","),
            None => (rule, ""),
        };
        let known = RULES.iter().find(|(name, _)| *name == bare);
        format!("{}{comma}", known.map_or(bare, |(_, words)| words))
    };
    expected
        .split(' ')
        .map(in_words)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A plain path as JSONPath, with names in brackets where it takes more than letters and digits.
pub(crate) fn jsonpath_text(steps: &[PathStep]) -> String {
    let step = |step: &PathStep| match step {
        PathStep::Name(name) if is_shorthand(name) => format!(".{name}"),
        // In double quotes the name needs no escapes, so the path stays plain when it is read again.
        PathStep::Name(name) if name.contains('\'') && !name.contains(['"', '\\']) => {
            format!("[\"{name}\"]")
        }
        PathStep::Name(name) => format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'")),
        PathStep::Index(index) => format!("[{index}]"),
        PathStep::Each => "[*]".into(),
    };
    std::iter::once("$".to_string())
        .chain(steps.iter().map(step))
        .collect()
}

/// Whether a name can follow a dot (RFC 9535, section 2.5.1.1, of which this is the ASCII part).
fn is_shorthand(name: &str) -> bool {
    let begins_well = name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    begins_well && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A plain path in speedctl's dotted notation.
pub(crate) fn dotted_text(steps: &[PathStep]) -> String {
    let step = |step: &PathStep| match step {
        PathStep::Name(name) => name.clone(),
        PathStep::Index(index) => index.to_string(),
        PathStep::Each => "*".into(),
    };
    steps.iter().map(step).collect::<Vec<_>>().join(".")
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the path does not parse: {}", self.what)?;
        writeln!(f, "    {}", self.text)?;
        write!(f, "    {:at$}^", "", at = self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn steps(text: &str) -> Vec<PathStep> {
        Path::parse(text)
            .expect(text)
            .steps()
            .expect("a plain path")
            .to_vec()
    }

    fn name(name: &str) -> PathStep {
        PathStep::Name(name.into())
    }

    #[test]
    fn both_notations_mean_the_same() {
        let expected = [name("a"), PathStep::Index(0), name("b")];
        for text in ["a.0.b", ".a.0.b", "$.a[0].b", "$['a'][0][\"b\"]"] {
            assert_eq!(steps(text), expected, "{text}");
        }
        assert_eq!(steps("$.a[*]"), [name("a"), PathStep::Each]);
        assert_eq!(steps("a.*.b"), steps("$.a[*].b"));
        assert_eq!(steps(".ts"), [name("ts")]);
        assert_eq!(steps("$"), []);
    }

    #[test]
    fn a_path_error_points_at_its_position() {
        let cases = [
            ("", 0),
            (".", 0),
            ("a..b", 2),
            ("a.b[0]", 2),
            ("$.a[", 4),
            ("$.a[?@.b", 8),
        ];
        for (text, at) in cases {
            let error = Path::parse(text).expect_err(text);
            assert_eq!(error.at, at, "{error}");
            let picture = error.to_string();
            assert!(
                picture.ends_with(&format!("\n    {text}\n    {}^", " ".repeat(at))),
                "{picture}"
            );
        }
    }

    #[test]
    fn paths_beyond_the_plain_ones_are_evaluated_by_jsonpath_rust() {
        let document = json!({"a": [{"b": 1, "c'] d": [true]}, {"b": 2}], "b": 3});
        let at = |text: &str| {
            let path = Path::parse(text).expect(text);
            path.nodes(&document).expect("there are few")
        };
        for text in [
            "$..b",
            "$.a[?@.b > 1].b",
            "$.a[-1].b",
            "$.a[0:1].b",
            "$.a[0,1].b",
        ] {
            assert!(Path::parse(text).expect(text).steps().is_none(), "{text}");
        }
        assert_eq!(
            at("$.a[?@.b > 1].b"),
            [[name("a"), PathStep::Index(1), name("b")]]
        );
        assert_eq!(
            at("$.a[-1].b"),
            [[name("a"), PathStep::Index(1), name("b")]]
        );
        assert_eq!(at("$..b").len(), 3);
        assert_eq!(
            at("$.a[0]['c\\'] d'][0]"),
            [[
                name("a"),
                PathStep::Index(0),
                name("c'] d"),
                PathStep::Index(0)
            ]]
        );
        assert_eq!(
            at("$.a[*].b"),
            [
                [name("a"), PathStep::Index(0), name("b")],
                [name("a"), PathStep::Index(1), name("b")]
            ]
        );
    }

    #[test]
    fn a_path_below_a_union_of_records_applies_to_each_of_them() {
        let records = [
            Path::parse("$.a[*]").expect("a path"),
            Path::parse("$.b[*]").expect("a path"),
        ];
        let below = Path::parse_below("@.v", &records).expect("a path");
        let texts: Vec<&str> = below.iter().map(Path::text).collect();
        assert_eq!(texts, ["$.a[*].v", "$.b[*].v"]);
        assert!(Path::parse_below("@.v", &[]).is_err());
        assert_eq!(Path::parse_below("$.v", &records).expect("a path").len(), 1);
    }
}
