//! The JSON text of a node, from whatever reader.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::value::RawValue;

/// The newtype by which a node's text is asked for: a string without an escape is given. Any other
/// deserializer gives the node.
pub(super) const TEXT: &str = "the text of a node";
/// The newtype of a node in which only what is inside is wanted: a string or a number need not be one
/// that can be read, and `true` is given for it.
pub(in crate::extract) const INSIDE: &str = "what is inside a node";

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
