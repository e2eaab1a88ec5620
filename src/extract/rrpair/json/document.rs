//! A line as a document for jsonpath-rust, where serde_json makes none of it: strings with half of a
//! surrogate pair and numbers beyond every `f64` are JSON (RFC 8259) that a [`Value`] cannot hold. What
//! a query finds is read from the text, so what stands for them here never becomes a record; it
//! only must not keep the query from finding other nodes.

use serde::de::Error as _;
use serde_json::{Map, Value};

use super::deserializer::ContainerAccess;
use super::escapes::{hex, name, unescaped};
use super::given_up::JsonResult;
use super::reader::{JsonReader, Scratch};
use crate::report::rendering::figures::HumanCount;

/// Values of a document. Each takes more than 100 bytes, whatever it is: a line of 64 MiB may have 30 million.
const MOST_VALUES: usize = 1 << 20;

/// The document that `text` is.
///
/// # Errors
/// When it is damaged, nested deeper than is read, or has more values than are kept.
pub(crate) fn document(text: &str) -> serde_json::Result<Value> {
    if has_more_values(text, MOST_VALUES) {
        let most = HumanCount(MOST_VALUES as u64);
        let why = format!("it has more than {most} values, and a query looks at no more");
        return Err(serde_json::Error::custom(why));
    }
    serde_json::from_str(text).or_else(|error| {
        let mut scratch = Scratch::default();
        let mut reader = JsonReader::new(text, &mut scratch);
        let document = node(&mut reader);
        let whole = document.and_then(|document| reader.end().map(|()| document));
        whole.map_err(|_| error)
    })
}

/// Whether JSON has more than so many values: strings, numbers, objects and the like.
fn has_more_values(text: &str, most: usize) -> bool {
    // Each takes a byte, and one to part it from the next.
    if text.len() / 2 < most {
        return false;
    }
    let mut values = 1;
    let mut bytes = text.bytes();
    // What opens an object or a list that is not empty begins a value, and so does each comma.
    let mut is_opened = false;
    while let Some(byte) = bytes.next() {
        let is_value = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => continue,
            b']' | b'}' => false,
            _ => is_opened || byte == b',',
        };
        values += usize::from(is_value);
        is_opened = matches!(byte, b'[' | b'{');
        if values > most {
            return true;
        }
        if byte == b'"' {
            skip_string(&mut bytes);
        }
    }
    false
}

/// Skips a string behind its first quote.
fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => _ = bytes.next(),
            _ => {}
        }
    }
}

fn node(reader: &mut JsonReader<'_, '_>) -> JsonResult<Value> {
    Ok(match reader.token()? {
        b'{' => {
            reader.enter()?;
            let mut members = Map::new();
            let mut inside = ContainerAccess::of(reader);
            while inside.has_more(b'}')? {
                inside.reader.take(b'"')?;
                let name = name(inside.reader.raw_string()?);
                inside.reader.take(b':')?;
                members.insert(name, node(inside.reader)?);
            }
            reader.depth -= 1;
            Value::Object(members)
        }
        b'[' => {
            reader.enter()?;
            let mut elements = Vec::new();
            let mut inside = ContainerAccess::of(reader);
            while inside.has_more(b']')? {
                elements.push(node(inside.reader)?);
            }
            reader.depth -= 1;
            Value::Array(elements)
        }
        b'"' => {
            reader.at += 1;
            Value::String(string(reader.raw_string()?))
        }
        _ => {
            let start = reader.at;
            reader.skip()?;
            scalar(&reader.text[start..reader.at])
        }
    })
}

/// The replacement character stands for half of a surrogate pair.
fn string(raw: &str) -> String {
    unescaped(raw).unwrap_or_else(|| unescaped(&mended(raw)).unwrap_or_default())
}

/// Escapes of one half are those of the replacement character.
fn mended(raw: &str) -> String {
    let mut mended = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let half = |at: usize| {
            let digits = escape.get(at..)?.strip_prefix("\\u")?;
            hex(digits.as_bytes()).ok()
        };
        let len = match (half(0), half(6)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(0xd800..0xe000), _) => 0,
            (Some(_), _) => 6,
            (None, _) => 2,
        };
        mended.push_str(if len == 0 { "\\ufffd" } else { &escape[..len] });
        rest = &escape[if len == 0 { 6 } else { len }..];
    }
    mended.push_str(rest);
    mended
}

/// A number, `true`, `false` or `null`; what is beyond every `f64` is the outermost of them.
fn scalar(text: &str) -> Value {
    let outermost = match text.starts_with('-') {
        true => f64::MIN,
        false => f64::MAX,
    };
    serde_json::from_str(text).unwrap_or_else(|_| outermost.into())
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

    /// As serde_json takes the text apart.
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
            // A text so short is never too long: the rest of it is white space.
            let text = format!("{text}{}", " ".repeat(text.len() * 2));
            assert!(has_more_values(&text, values - 1), "{text}");
            assert!(!has_more_values(&text, values), "{text}");
        }
        let longest = format!("[{}0]", "0,".repeat(MOST_VALUES - 2));
        assert!(document(&longest).is_ok());
        let longer = format!("[{}0]", "0,".repeat(MOST_VALUES - 1));
        let error = document(&longer).expect_err("it is too long").to_string();
        let said = "it has more than 1,048,576 values, and a query looks at no more";
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
