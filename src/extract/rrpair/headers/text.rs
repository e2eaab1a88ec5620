//! The name or value of one header.

use std::fmt;

use serde::de;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::extract::profile::Encoding;
use crate::extract::rrpair::fields::{Bad, Slot};
use crate::extract::rrpair::json;
use crate::record::{Batch, Span};

pub(super) const NOT_A_STRING: Bad = Bad::NotAString(Slot::Headers);

pub(super) const NOT_BASE64: Bad = Bad::NotBase64(Slot::Headers);

pub(super) type HeadersResult<E> = Result<Option<Bad>, E>;

/// A number is not a header; one beyond every `f64` is an error, as it is for serde_json.
pub(super) fn bad_number<E: de::Error>(number: f64) -> Result<Bad, E> {
    match number.is_infinite() {
        true => Err(E::custom("number out of range")),
        false => Ok(NOT_A_STRING),
    }
}

/// What a member held.
pub(super) enum HeaderBytes {
    Some(Span),
    Null,
    Bad(Bad),
}

/// Reads one string, or null; with [`Encoding::Auto`] and [`Encoding::Json`] the JSON text of
/// anything.
pub(super) struct TextSeed<'b> {
    pub(super) batch: &'b mut Batch,
    pub(super) encoding: Encoding,
}

impl TextSeed<'_> {
    /// The bytes that a node's JSON text represents.
    pub(super) fn bytes_of<E: de::Error>(self, json: &str) -> Result<HeaderBytes, E> {
        let bytes = match (self.encoding, json.as_bytes().first()) {
            (Encoding::Auto, Some(b'"')) => {
                let text: String = serde_json::from_str(json).map_err(E::custom)?;
                self.batch.push_bytes(text.as_bytes())
            }
            (Encoding::Auto, Some(b'n')) => return Ok(HeaderBytes::Null),
            _ => self.batch.push_bytes(json.as_bytes()),
        };
        Ok(HeaderBytes::Some(bytes))
    }
}

impl<'de> DeserializeSeed<'de> for TextSeed<'_> {
    type Value = HeaderBytes;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<HeaderBytes, D::Error> {
        match self.encoding {
            Encoding::Text | Encoding::Base64 => deserializer.deserialize_any(self),
            Encoding::Auto | Encoding::Json => {
                let json = json::text(deserializer)?.json();
                self.bytes_of(json)
            }
        }
    }
}

impl<'de> Visitor<'de> for TextSeed<'_> {
    type Value = HeaderBytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header's name or value")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<HeaderBytes, E> {
        Ok(match self.encoding {
            Encoding::Base64 => self
                .batch
                .push_base64(text)
                .map_or(HeaderBytes::Bad(NOT_BASE64), HeaderBytes::Some),
            _ => HeaderBytes::Some(self.batch.push_bytes(text.as_bytes())),
        })
    }

    fn visit_unit<E: de::Error>(self) -> Result<HeaderBytes, E> {
        Ok(HeaderBytes::Null)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<HeaderBytes, E> {
        Ok(HeaderBytes::Bad(NOT_A_STRING))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<HeaderBytes, E> {
        Ok(HeaderBytes::Bad(NOT_A_STRING))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<HeaderBytes, E> {
        bad_number(number).map(HeaderBytes::Bad)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<HeaderBytes, E> {
        Ok(HeaderBytes::Bad(NOT_A_STRING))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<HeaderBytes, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(HeaderBytes::Bad(NOT_A_STRING))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HeaderBytes, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(HeaderBytes::Bad(NOT_A_STRING))
    }
}
