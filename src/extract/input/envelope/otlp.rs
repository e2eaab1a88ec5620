//! Turns values of OpenTelemetry's protocol (OTLP 1.x, `AnyValue`) into the JSON that they represent: each is
//! an object with one member that names the type, and an object is a list of keys and values.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The object in `json`, directly, as a typed value or as a text of JSON.
pub(super) fn object(json: &str) -> Option<Cow<'_, str>> {
    let object = match json.as_bytes().first()? {
        b'"' => Cow::Owned(serde_json::from_str::<String>(json).ok()?),
        _ if is_typed(json) => {
            let mut text = String::new();
            let mut json = serde_json::Deserializer::from_str(json);
            AnyValue(&mut text).deserialize(&mut json).ok()?;
            match text.starts_with('"') {
                true => Cow::Owned(serde_json::from_str::<String>(&text).ok()?),
                false => Cow::Owned(text),
            }
        }
        _ => Cow::Borrowed(json),
    };
    object.trim_ascii_start().starts_with('{').then_some(object)
}

/// Whether `json` begins as a typed value does.
fn is_typed(json: &str) -> bool {
    let inside = json
        .strip_prefix('{')
        .unwrap_or_default()
        .trim_ascii_start();
    ["\"kvlistValue\"", "\"stringValue\""]
        .iter()
        .any(|name| inside.starts_with(name))
}

/// Writes a typed value.
struct AnyValue<'t>(&'t mut String);

impl<'de> DeserializeSeed<'de> for AnyValue<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, node: D) -> Result<(), D::Error> {
        node.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for AnyValue<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a typed value of OTLP")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let start = self.0.len();
        while let Some(kind) = object.next_key::<String>()? {
            let text = &mut *self.0;
            match kind.as_str() {
                // The protocol allows one of them.
                _ if text.len() > start => _ = object.next_value::<IgnoredAny>()?,
                "arrayValue" => object.next_value_seed(KvlistValues(text, Of::Elements))?,
                "kvlistValue" => object.next_value_seed(KvlistValues(text, Of::Members))?,
                "intValue" => {
                    text.push_str(object.next_value::<&RawValue>()?.get().trim_matches('"'))
                }
                "doubleValue" => text.push_str(&double(object.next_value::<&RawValue>()?.get())),
                "stringValue" | "bytesValue" | "boolValue" => {
                    text.push_str(object.next_value::<&RawValue>()?.get());
                }
                _ => _ = object.next_value::<IgnoredAny>()?,
            }
        }
        if self.0.len() == start {
            self.0.push_str("null");
        }
        Ok(())
    }
}

/// A number as a recording has it: whole ones without a point or an exponent.
fn double(json: &str) -> Cow<'_, str> {
    /// Up to here an `f64` represents all whole numbers.
    const MOST: f64 = (1_u64 << 53) as f64;
    match json.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() <= MOST => {
            format!("{number:.0}").into()
        }
        _ => json.into(),
    }
}

/// What a list of values represents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Elements,
    Members,
}

/// Writes `{"values": [...]}` as a list or as an object.
struct KvlistValues<'t>(&'t mut String, Of);

impl<'de> DeserializeSeed<'de> for KvlistValues<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, node: D) -> Result<(), D::Error> {
        node.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for KvlistValues<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of values of OTLP")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Self(text, of) = self;
        let (open, close) = match of {
            Of::Elements => ('[', ']'),
            Of::Members => ('{', '}'),
        };
        text.push(open);
        while let Some(name) = object.next_key::<String>()? {
            match name.as_str() {
                "values" => object.next_value_seed(KvlistValues(text, of))?,
                _ => _ = object.next_value::<IgnoredAny>()?,
            }
        }
        text.push(close);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self(text, of) = self;
        let mut is_first = true;
        loop {
            let start = text.len();
            if !is_first {
                text.push(',');
            }
            let separated = text.len();
            let more = match of {
                Of::Elements => list.next_element_seed(AnyValue(text))?,
                Of::Members => list.next_element_seed(KeyValue(text))?,
            };
            if text.len() == separated {
                text.truncate(start);
            } else {
                is_first = false;
            }
            if more.is_none() {
                return Ok(());
            }
        }
    }
}

/// Writes `{"key": ..., "value": {...}}` as a member.
struct KeyValue<'t>(&'t mut String);

impl<'de> DeserializeSeed<'de> for KeyValue<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, node: D) -> Result<(), D::Error> {
        node.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for KeyValue<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key and a value of OTLP")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Self(text) = self;
        let (mut key, mut early, mut is_written) = (None::<&RawValue>, None::<&RawValue>, false);
        while let Some(name) = object.next_key::<String>()? {
            match (name.as_str(), key) {
                ("key", None) => key = Some(object.next_value()?),
                ("value", Some(key)) if !is_written => {
                    text.push_str(key.get());
                    text.push(':');
                    object.next_value_seed(AnyValue(text))?;
                    is_written = true;
                }
                // The protocol does not require the key to come first.
                ("value", None) => early = Some(object.next_value()?),
                _ => _ = object.next_value::<IgnoredAny>()?,
            }
        }
        let Some(key) = key.filter(|_| !is_written) else {
            return Ok(());
        };
        text.push_str(key.get());
        text.push(':');
        match early {
            Some(value) => {
                let mut value = serde_json::Deserializer::from_str(value.get());
                let written = AnyValue(text).deserialize(&mut value);
                written.map_err(serde::de::Error::custom)
            }
            None => {
                text.push_str("null");
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn typed_otlp_values_become_the_json_they_encode() {
        let cases = [
            (r#"{"kvlistValue":{}}"#, "{}"),
            (r#"{"kvlistValue":{"values":[]}}"#, "{}"),
            (
                r#"{"kvlistValue":{"values":[{"key":"a","value":{"stringValue":"\ud800\"x"}},{"key":"b","value":{"intValue":"-9007199254740993"}}]}}"#,
                r#"{"a":"\ud800\"x","b":-9007199254740993}"#,
            ),
            (
                r#"{ "kvlistValue" : { "values" : [ { "value" : { "boolValue" : true }, "key" : "a" }, { "key" : "b" }, { "key" : "c", "value" : {} } ] } }"#,
                r#"{"a":true,"b":null,"c":null}"#,
            ),
            (
                r#"{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"doubleValue":1.5},{"doubleValue":3},{"doubleValue":1.764787375659e+12},{"bytesValue":"/wA="},{"arrayValue":{}}]}}}]}}"#,
                r#"{"a":[1.5,3,1764787375659,"/wA=",[]]}"#,
            ),
            (r#"{"stringValue":"{\"a\":1}"}"#, r#"{"a":1}"#),
            (r#""{\"a\":1}""#, r#"{"a":1}"#),
            (r#"{"a":1}"#, r#"{"a":1}"#),
        ];
        for (typed, plain) in cases {
            assert_eq!(object(typed).as_deref(), Some(plain), "{typed}");
        }
        for other in [
            "1",
            "\"text\"",
            "[{}]",
            r#"{"stringValue":"a log line"}"#,
            "null",
        ] {
            assert_eq!(object(other), None, "{other}");
        }
    }
}
