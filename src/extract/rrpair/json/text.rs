//! The JSON text of a node, from whatever reader.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::value::RawValue;

use super::TEXT;

/// Asks `node` for its JSON text.
///
/// # Errors
/// The deserializer's.
pub(in crate::extract) fn text<'de, D: Deserializer<'de>>(
    node: D,
) -> Result<JsonText<'de>, D::Error> {
    node.deserialize_newtype_struct(TEXT, TextVisitor)
}

/// The JSON text of a node, and who gave it.
#[derive(Clone, Copy)]
pub(in crate::extract) enum JsonText<'de> {
    Quick(&'de str),
    Judged(&'de str),
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = JsonText<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_borrowed_str<E: de::Error>(self, json: &'de str) -> Result<JsonText<'de>, E> {
        Ok(JsonText::Quick(json))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        node: D,
    ) -> Result<JsonText<'de>, D::Error> {
        <&RawValue>::deserialize(node).map(|json| JsonText::Judged(json.get()))
    }
}
