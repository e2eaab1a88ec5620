//! The JSON text of a node, from whatever deserializer.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::value::RawValue;

/// The newtype that requests the text of a [`LenientNode`](super::LenientNode), which yields it as a
/// string. serde_json yields the node.
pub(super) const TEXT: &str = "the text of a node";

/// Requests the JSON text of `node`.
///
/// # Errors
/// Returns the deserializer's error.
pub(in crate::extract) fn text<'de, D: Deserializer<'de>>(
    node: D,
) -> Result<JsonText<'de>, D::Error> {
    node.deserialize_newtype_struct(TEXT, TextVisitor)
}

/// The JSON text of a node, and how to read what is inside.
#[derive(Clone, Copy)]
pub(in crate::extract) enum JsonText<'de> {
    Strict(&'de str),
    Lenient(&'de str),
}

impl<'de> JsonText<'de> {
    pub(in crate::extract) fn json(self) -> &'de str {
        let (Self::Strict(json) | Self::Lenient(json)) = self;
        json
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = JsonText<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_borrowed_str<E: de::Error>(self, json: &'de str) -> Result<JsonText<'de>, E> {
        Ok(JsonText::Lenient(json))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        node: D,
    ) -> Result<JsonText<'de>, D::Error> {
        <&RawValue>::deserialize(node).map(|json| JsonText::Strict(json.get()))
    }
}
