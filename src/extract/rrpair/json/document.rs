//! A line as a document for jsonpath-rust, if serde_json cannot build it: strings with half of a surrogate
//! pair and numbers beyond every `f64` are JSON (RFC 8259) that a [`Value`] cannot hold. kreplay reads what a
//! query finds from the text, so their substitutes here never become a record; they just must not keep the
//! query from finding other nodes.

use serde::de::{DeserializeSeed, Error as _};
use serde_json::Value;

use super::halves::HalvesSeed;
use super::lenient::{LenientNode, infinity};
use super::values::{MOST_VALUES, has_more_values};
use crate::report::rendering::figures::HumanCount;

/// How deep nodes may lie; serde_json's own bound.
const DEEPEST: usize = 127;

/// The document that `text` is.
///
/// # Errors
/// Returns an error if the text is damaged, nested too deeply, or has too many values.
pub(crate) fn document(text: &str) -> serde_json::Result<Value> {
    if has_more_values(text, MOST_VALUES) {
        let most = HumanCount(MOST_VALUES as u64);
        let why = format!("it has more than {most} values, the most that a query looks at");
        return Err(serde_json::Error::custom(why));
    }
    serde_json::from_str(text).or_else(|error| {
        let read = LenientNode::of(text).and_then(|root| value(root, DEEPEST));
        read.ok().flatten().ok_or(error)
    })
}

/// The substitute for `node`; `None` if it is nested deeper than `depth`.
fn value(node: LenientNode<'_>, depth: usize) -> serde_json::Result<Option<Value>> {
    let json = node.json();
    let Some(below) = depth.checked_sub(1) else {
        return Ok(None);
    };
    match json.as_bytes() {
        [b'{', ..] => {
            let members = node.members()?.into_iter();
            let member = |(name, node)| Ok(value(node, below)?.map(|value| (name, value)));
            let members: serde_json::Result<Option<_>> = members.map(member).collect();
            Ok(members?.map(Value::Object))
        }
        [b'[', ..] => {
            let elements = node.elements()?.into_iter();
            elements.map(|node| value(node, below)).collect()
        }
        [b'"', ..] => string(json).map(|string| Some(string.into())),
        _ => Ok(Some(scalar(json))),
    }
}

/// The replacement character takes the place of half of a surrogate pair.
fn string(json: &str) -> serde_json::Result<String> {
    let mended = |_| char::REPLACEMENT_CHARACTER.to_string();
    HalvesSeed { mended }.deserialize(&mut serde_json::Deserializer::from_str(json))
}

/// A number, `true`, `false` or `null`; the largest `f64` takes the place of any number beyond.
fn scalar(json: &str) -> Value {
    let outermost = infinity(json).clamp(f64::MIN, f64::MAX);
    serde_json::from_str(json).unwrap_or_else(|_| outermost.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_that_a_string_cannot_hold_is_replaced_and_the_rest_is_as_written() {
        let cases = [
            (r#""a\ud800b""#, json!("a\u{fffd}b")),
            (
                r#""\udc00\ud800\ud83d\ude00\n\\ud800\ud800\"""#,
                json!("\u{fffd}\u{fffd}\u{1f600}\n\\ud800\u{fffd}\""),
            ),
            ("[1e400, -1e400, 1.5]", json!([f64::MAX, f64::MIN, 1.5])),
            (
                r#"{"\ud800": 1, "\ud801": 2, "a": {}, "b": [ ]}"#,
                json!({"\u{fffd}ud800": 1, "\u{fffd}ud801": 2, "a": {}, "b": []}),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(document(text).expect(text), expected);
        }
    }

    /// The number of values in a text as serde_json reads it.
    fn values_in(value: &Value) -> usize {
        1 + match value {
            Value::Array(elements) => elements.iter().map(values_in).sum(),
            Value::Object(members) => members.values().map(values_in).sum(),
            _ => 0,
        }
    }

    #[test]
    fn values_are_counted_and_nothing_else() {
        for text in [
            "[]",
            r#" { "a" : [ ] , "b" : { } } "#,
            r#"[1,[2,"x,[\"{,"],{"a,b":null,"c":[[],{}]}]"#,
            r#"["\\","\\\"",",,"]"#,
            "-1.5e3",
        ] {
            let values = values_in(&serde_json::from_str(text).expect(text));
            // A text this short never has too many values: the rest of it is white space.
            let text = format!("{text}{}", " ".repeat(text.len() * 2));
            assert!(has_more_values(&text, values - 1), "{text}");
            assert!(!has_more_values(&text, values), "{text}");
        }
        let longest = format!("[{}0]", "0,".repeat(MOST_VALUES - 2));
        assert!(document(&longest).is_ok());
        let longer = format!("[{}0]", "0,".repeat(MOST_VALUES - 1));
        let error = document(&longer).expect_err("it is too long").to_string();
        let said = "it has more than 1,048,576 values, the most that a query looks at";
        assert_eq!(error, said);
    }

    #[test]
    fn damaged_json_is_reported_in_serde_jsons_words() {
        for text in [
            r#"["\ud800","#,
            r#"["\ud800" 1]"#,
            r#"{"a":1e400}}"#,
            "[1e400,01]",
            r#"["\ud8"]"#,
        ] {
            let message = document(text).expect_err(text).to_string();
            let judged = serde_json::from_str::<Value>(text).expect_err(text);
            assert_eq!(message, judged.to_string());
        }
        let deep = format!("[1e400,{}{}]", "[".repeat(1000), "]".repeat(1000));
        assert!(document(&deep).is_err());
    }
}
