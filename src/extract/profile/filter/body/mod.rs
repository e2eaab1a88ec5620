//! Bodies of HTTP requests and responses: JSON that is compared or searched, XML for XPath. A body is text
//! (`body`), or base64 (`bodyBase64`) if it is not text; a decoded one is JSON itself.

pub(super) mod xpath;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::criterion::Half;
use crate::extract::profile::path::{Path, PathError, PathStep};
use crate::extract::rrpair::json;

/// The members that hold a body, as it is and as base64.
pub(super) fn members(half: Half) -> [&'static [&'static str]; 2] {
    match half {
        Half::Request => [&["http", "req", "body"], &["http", "req", "bodyBase64"]],
        Half::Response => [&["http", "res", "body"], &["http", "res", "bodyBase64"]],
    }
}

/// The body that was captured: as JSON text of its member, or as base64.
pub(super) fn text(body: &[String], base64: &[String]) -> Option<String> {
    // Anything but a string is text as it is.
    let string = |json: &String| serde_json::from_str(json).ok();
    let body = body.iter();
    let body = body.map(|json| string(json).unwrap_or_else(|| json.clone()));
    let decoded = base64.iter().filter_map(|text| {
        let bytes = STANDARD.decode(text).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    });
    body.chain(decoded).find(|text| !text.is_empty())
}

/// The JSON in `text`; `None` for anything else.
pub(super) fn parse(text: &str) -> Option<Json> {
    json::document(text).ok()
}

/// Whether everything in `wanted` is in `body`: members with the same names, elements at the same indexes.
pub(super) fn contains(body: &Json, wanted: &Json) -> bool {
    match (body, wanted) {
        (Json::Object(body), Json::Object(wanted)) => wanted
            .iter()
            .all(|(name, wanted)| body.get(name).is_some_and(|node| contains(node, wanted))),
        (Json::Array(body), Json::Array(wanted)) => {
            let pairs = body.iter().zip(wanted);
            body.len() >= wanted.len() && pairs.into_iter().all(|(node, it)| contains(node, it))
        }
        (body, wanted) => body == wanted,
    }
}

/// Where a key looks in a body: at a member of this name, or else at the node at this path.
#[derive(Debug, Clone)]
pub(super) struct JsonKey {
    name: String,
    steps: Vec<PathStep>,
}

impl JsonKey {
    /// Reads a key.
    ///
    /// # Errors
    /// Returns what is wrong with it, in words, and where: in characters from 0.
    pub(super) fn parse(key: &str) -> Result<Self, (usize, String)> {
        let path = Path::parse(key).map_err(PathError::into_parts)?;
        let steps = path.steps().ok_or_else(|| {
            let what = "a key can have only names, indexes and `*`, no other part of JSONPath";
            (0, what.to_string())
        })?;
        Ok(Self {
            name: key.into(),
            steps: steps.to_vec(),
        })
    }

    /// The texts that the key finds. Null reads like a missing value.
    pub(super) fn texts(&self, body: &str) -> Vec<String> {
        let Some(body) = parse(body) else {
            return Vec::new();
        };
        let nodes = match body.get(&self.name) {
            Some(member) => vec![member],
            None => self.steps.iter().fold(vec![&body], |nodes, step| {
                nodes
                    .into_iter()
                    .flat_map(|node| below(node, step))
                    .collect()
            }),
        };
        let texts = nodes.into_iter().filter_map(|node| match node {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        });
        texts.collect()
    }
}

fn below<'a>(node: &'a Json, step: &PathStep) -> Vec<&'a Json> {
    match (node, step) {
        (Json::Object(members), PathStep::Name(name)) => members.get(name).into_iter().collect(),
        // In dotted notation a bare number is a name in an object and an index in a list.
        (Json::Object(members), PathStep::Index(index)) => {
            members.get(&index.to_string()).into_iter().collect()
        }
        (Json::Array(elements), PathStep::Index(index)) => {
            elements.get(*index).into_iter().collect()
        }
        (Json::Object(members), PathStep::Each) => members.values().collect(),
        (Json::Array(elements), PathStep::Each) => elements.iter().collect(),
        _ => Vec::new(),
    }
}

/// All strings, numbers and truth values in a JSON text, however deep, without the names of members.
pub(super) fn scalars(json: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = json;
    std::iter::from_fn(move || {
        loop {
            rest =
                rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || "{}[],:".contains(c));
            if rest.is_empty() {
                return None;
            }
            let (token, behind) = match rest.starts_with('"') {
                true => rest.split_at(string_end(rest)),
                false => {
                    let end = rest.find(|c: char| c.is_ascii_whitespace() || ",]}".contains(c));
                    rest.split_at(end.unwrap_or(rest.len()))
                }
            };
            rest = behind;
            let is_name = token.starts_with('"') && behind.trim_ascii_start().starts_with(':');
            if is_name || token == "null" {
                continue;
            }
            return Some(match serde_json::from_str(token) {
                Ok(Json::String(text)) => Cow::Owned(text),
                _ => Cow::Borrowed(token.trim_matches('"')),
            });
        }
    })
}

/// Where the string at the beginning of `text` ends.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scalars_of_a_text_are_found_at_any_depth() {
        let json = r#" {"a" : "x\"y", "b":[1,-2.5e3,true,null,{"c\\":"\u00e9"}],"d":{},"e":""}"#;
        let found: Vec<Cow<'_, str>> = scalars(json).collect();
        assert_eq!(found, ["x\"y", "1", "-2.5e3", "true", "\u{e9}", ""]);
        let deep = format!("{}\"x\"{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(scalars(&deep).collect::<Vec<_>>(), ["x"]);
    }

    #[test]
    fn a_body_contains_the_documents_whose_members_it_has() {
        let body = r#"{"fieldsMap":{"3":{"fields":[{"asString":"SELECT 1"},{"n":2}]}},"user":0}"#;
        let body = parse(body).expect("it is JSON");
        for (wanted, expected) in [
            (
                r#"{"fieldsMap":{"3":{"fields":[{"asString":"SELECT 1"}]}}}"#,
                true,
            ),
            (r#"{"fieldsMap":{"3":{"fields":[{"n":2}]}}}"#, false),
            (r#"{"user":0}"#, true),
            (r#"{"user":"0"}"#, false),
            (r#"{"user":0,"other":null}"#, false),
            ("{}", true),
            ("[]", false),
        ] {
            let wanted_json = parse(wanted).expect("it is JSON");
            assert_eq!(contains(&body, &wanted_json), expected, "{wanted}");
        }
    }
}
