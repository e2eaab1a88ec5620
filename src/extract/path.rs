//! Paths into an RRPair, in the two notations that reach users' hands: JSONPath (RFC 9535, begins
//! with `$`) and speedctl's dotted one (bare numbers are indexes, a leading dot is allowed).

use std::fmt;

use jsonpath_rust::parser::model::{Segment, Selector};
use jsonpath_rust::parser::parse_json_path;

/// One step from a node to nodes below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Name(String),
    Index(usize),
    /// Every element of an array.
    Each,
}

/// A path of plain steps: those that can be followed while a line streams by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(Vec<Step>);

impl Path {
    /// Reads either notation; the error says what is wrong, for a person.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.trim_start().starts_with('$') {
            Self::from_jsonpath(text)
        } else {
            Self::from_dotted(text)
        }
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The name at the end, past any indexes: what the path is about.
    pub(super) fn last_name(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            Step::Index(_) | Step::Each => None,
        })
    }

    fn from_dotted(text: &str) -> Result<Self, String> {
        let inner = text.strip_prefix('.').unwrap_or(text);
        if inner.is_empty() {
            return Err("an empty path".into());
        }
        let steps = inner.split('.').map(|part| match part {
            "" => Err(format!("`{text}` has an empty step")),
            "*" | "[*]" => Ok(Step::Each),
            _ if part.bytes().all(|b| b.is_ascii_digit()) => part
                .parse()
                .map(Step::Index)
                .map_err(|_| format!("`{part}` is too large an index")),
            _ => Ok(Step::Name(part.to_string())),
        });
        steps.collect::<Result<_, _>>().map(Self)
    }

    fn from_jsonpath(text: &str) -> Result<Self, String> {
        let query = parse_json_path(text).map_err(|e| e.to_string())?;
        let plain = |segment: Segment| match segment {
            Segment::Selector(Selector::Name(name)) => Ok(Step::Name(unquoted(&name).to_string())),
            Segment::Selector(Selector::Wildcard) => Ok(Step::Each),
            Segment::Selector(Selector::Index(index)) => {
                usize::try_from(index).map(Step::Index).map_err(|_| {
                    format!("`{index}` counts from the end, which a stream does not know")
                })
            }
            other => Err(format!("`{other}` is no plain name, index or `[*]`")),
        };
        query
            .segments
            .into_iter()
            .map(plain)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// jsonpath-rust leaves the quotes of a bracketed name on.
fn unquoted(name: &str) -> &str {
    for quote in ['\'', '"'] {
        if let Some(inner) = name
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inner;
        }
    }
    name
}

impl fmt::Display for Path {
    /// Writes speedctl's dotted notation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            match step {
                Step::Name(name) => f.write_str(name)?,
                Step::Index(index) => write!(f, "{index}")?,
                Step::Each => f.write_str("*")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Vec<Step> {
        Path::parse(text).expect(text).0
    }

    #[test]
    fn both_notations_mean_the_same() {
        let expected = [
            Step::Name("a".into()),
            Step::Index(0),
            Step::Name("b".into()),
        ];
        for text in ["a.0.b", ".a.0.b", "$.a[0].b", "$['a'][0][\"b\"]"] {
            assert_eq!(steps(text), expected, "{text}");
        }
        assert_eq!(steps("$.a[*]"), [Step::Name("a".into()), Step::Each]);
        assert_eq!(steps(".ts"), [Step::Name("ts".into())]);
    }

    #[test]
    fn what_is_no_plain_path_is_refused() {
        for text in [
            "",
            ".",
            "a..b",
            "$..a",
            "$.a[?@.b]",
            "$.a[1:2]",
            "$.a[",
            "$.a[-1]",
            "a.99999999999999999999999",
        ] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_is_about_its_last_name() {
        let path = Path::parse("records.0.attributes.1").expect("a path");
        assert_eq!(path.last_name(), Some("attributes"));
        assert_eq!(path.to_string(), "records.0.attributes.1");
    }
}
