//! Reads a node from its JSON text, one level at a time, for what serde_json refuses. A string or a number
//! that no Rust type holds is an error only where it is requested.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserialize, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;

use super::halves::HalvesSeed;
use super::text::TEXT;
use super::values::{MOST_VALUES, has_more_values};

/// The newtype for a node of which only the inside is wanted: for a string or a number, a [`LenientNode`]
/// yields `true` and does not read it. serde_json yields the node.
pub(in crate::extract) const INSIDE: &str = "what is inside a node";

/// A node of a text that is JSON. Each level that is entered is scanned once more, so the time is that of
/// serde_json times the depth of what is requested.
#[derive(Clone, Copy)]
pub(in crate::extract) struct LenientNode<'de> {
    json: &'de str,
}

impl<'de> LenientNode<'de> {
    /// The outermost node of `text`.
    ///
    /// # Errors
    /// Returns an error if `text` is not JSON, or has too many values: each value beside a requested one
    /// takes up to 40 bytes.
    pub(in crate::extract) fn of(text: &'de str) -> serde_json::Result<Self> {
        if has_more_values(text, MOST_VALUES) {
            return Err(serde_json::Error::custom("it has too many values"));
        }
        serde_json::from_str(text).map(Self::from_raw)
    }

    fn from_raw(raw: &'de RawValue) -> Self {
        Self { json: raw.get() }
    }

    /// A node whose text came from [`text`](super::text()).
    pub(in crate::extract) fn given(json: &'de str) -> Self {
        Self { json }
    }

    pub(super) fn json(self) -> &'de str {
        self.json
    }

    pub(super) fn members(self) -> serde_json::Result<Vec<(String, Self)>> {
        serde_json::from_str(self.json).map(|LenientMembers(members)| members)
    }

    pub(super) fn elements(self) -> serde_json::Result<Vec<Self>> {
        let elements: Vec<&RawValue> = serde_json::from_str(self.json)?;
        Ok(elements.into_iter().map(Self::from_raw).collect())
    }
}

/// A number beyond every `f64` is an infinity of its sign.
pub(super) fn infinity(number: &str) -> f64 {
    match number.starts_with('-') {
        true => f64::NEG_INFINITY,
        false => f64::INFINITY,
    }
}

impl<'de> Deserializer<'de> for LenientNode<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        match self.json.as_bytes() {
            [b'{', ..] => visitor.visit_map(MapDeserializer::new(self.members()?.into_iter())),
            [b'[', ..] => visitor.visit_seq(SeqDeserializer::new(self.elements()?.into_iter())),
            [b'-' | b'0'..=b'9', ..] if serde_json::from_str::<f64>(self.json).is_err() => {
                visitor.visit_f64(infinity(self.json))
            }
            _ => serde_json::Deserializer::from_str(self.json).deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        wanted: &'static str,
        visitor: V,
    ) -> serde_json::Result<V::Value> {
        let holds_nodes = self.json.starts_with(['{', '[', 'n']);
        match wanted {
            TEXT => visitor.visit_borrowed_str(self.json),
            INSIDE if !holds_nodes => visitor.visit_bool(true),
            INSIDE => self.deserialize_any(visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct map struct enum identifier
    }
}

impl<'de> IntoDeserializer<'de, serde_json::Error> for LenientNode<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The members of one object. Half of a surrogate pair in a name becomes its escape with the replacement
/// character instead of the backslash, so that two such names stay different.
struct LenientMembers<'de>(Vec<(String, LenientNode<'de>)>);

impl<'de> Deserialize<'de> for LenientMembers<'de> {
    fn deserialize<D: Deserializer<'de>>(object: D) -> Result<Self, D::Error> {
        object.deserialize_map(LenientMembersVisitor)
    }
}

struct LenientMembersVisitor;

impl<'de> Visitor<'de> for LenientMembersVisitor {
    type Value = LenientMembers<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LenientMembers<'de>, A::Error> {
        let mended = |unit| format!("\u{fffd}u{unit:04x}");
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(HalvesSeed { mended })? {
            members.push((name, LenientNode::from_raw(map.next_value()?)));
        }
        Ok(LenientMembers(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde::de::IgnoredAny;
    use serde_json::{Value, json};

    /// What JSON is made of, whole and in pieces.
    const PIECES: [&str; 28] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"b\":",
        " ",
        "\n",
        "0",
        "-7",
        "-0",
        "01",
        "1.5",
        "1e400",
        "12345678901234567890",
        "true",
        "null",
        "nul",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ude00\":",
        "\\n",
        "\\u00",
        "\u{1}",
        "\u{7f}é\u{2028}",
    ];

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<String>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            select(vec![json!(null), json!(true), json!(false)]),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..5).prop_map(Value::from),
                vec((any::<String>(), inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn read_leniently(text: &str) -> serde_json::Result<Value> {
        Value::deserialize(LenientNode::of(text)?)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_serde_json_takes_is_read_as_serde_json_reads_it(value in values(), pretty in any::<bool>()) {
            let text = match pretty {
                true => serde_json::to_string_pretty(&value),
                false => serde_json::to_string(&value),
            };
            let text = text.expect("a value can be written");
            prop_assert_eq!(read_leniently(&text).ok(), serde_json::from_str(&text).ok(), "{}", text);
        }

        #[test]
        fn pieces_in_any_order_are_judged_as_serde_json_judges_what_it_skips(pieces in vec(select(PIECES.to_vec()), 0..9)) {
            let text = pieces.concat();
            let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
            prop_assert_eq!(LenientNode::of(&text).is_ok(), is_json, "{}", text);
            if let Ok(judged) = serde_json::from_str::<Value>(&text) {
                prop_assert_eq!(read_leniently(&text).ok(), Some(judged), "{}", text);
            }
        }
    }

    #[test]
    fn half_of_a_surrogate_pair_is_an_error_only_where_it_is_asked_for() {
        #[derive(serde::Deserialize, Debug, PartialEq)]
        struct OneString {
            a: String,
        }
        let read = |text| OneString::deserialize(LenientNode::of(text)?);
        let elsewhere = r#"{"x\ud800": "\udc00", "a": "1", "n": [1e400, -1e400]}"#;
        let expected = OneString { a: "1".into() };
        assert_eq!(read(elsewhere).expect("the rest is readable"), expected);
        read(r#"{"a": "\ud800"}"#).expect_err("no string holds it");
    }
}
