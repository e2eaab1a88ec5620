//! The values of a header that is written as a list.

use std::fmt;

use serde::de;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::text::{HeaderBytes, HeadersResult, NOT_A_STRING, TextSeed, bad_number};
use crate::extract::profile::Encoding;
use crate::extract::rrpair::fields::Bad;
use crate::extract::rrpair::json;
use crate::record::{Batch, Header, Span};
use crate::report::rendering::figures::count;

/// The value, or list of values, of one name.
pub(super) struct ValuesSeed<'b> {
    pub(super) batch: &'b mut Batch,
    pub(super) name: Span,
    pub(super) encoding: Encoding,
}

impl ValuesSeed<'_> {
    fn push(&mut self, value: HeaderBytes) -> Option<Bad> {
        let name = self.name;
        let value = match value {
            HeaderBytes::Some(value) => Some(value),
            HeaderBytes::Null => None,
            HeaderBytes::Bad(bad) => return Some(bad),
        };
        self.batch.push_header(Header { name, value });
        None
    }

    fn text(&mut self) -> TextSeed<'_> {
        TextSeed {
            batch: self.batch,
            encoding: self.encoding,
        }
    }

    /// Reads the same from a value's JSON text.
    fn read_text<E: de::Error>(mut self, json: &str) -> HeadersResult<E> {
        if !json.starts_with('[') {
            let value = self.text().bytes_of(json)?;
            return Ok(self.push(value));
        }
        let values: Vec<&RawValue> = serde_json::from_str(json).map_err(E::custom)?;
        let mut bad = None;
        for value in values {
            let value = self.text().bytes_of(value.get())?;
            bad = bad.or(self.push(value));
        }
        Ok(bad)
    }
}

impl<'de> DeserializeSeed<'de> for ValuesSeed<'_> {
    type Value = Option<Bad>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> HeadersResult<D::Error> {
        match self.encoding {
            Encoding::Text | Encoding::Base64 => deserializer.deserialize_any(self),
            Encoding::Auto | Encoding::Json => {
                let json = json::text(deserializer)?.json();
                self.read_text(json)
            }
        }
    }
}

impl<'de> Visitor<'de> for ValuesSeed<'_> {
    type Value = Option<Bad>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header's value or a list of them")
    }

    fn visit_str<E: de::Error>(mut self, text: &str) -> HeadersResult<E> {
        let value = self.text().visit_str(text)?;
        Ok(self.push(value))
    }

    fn visit_unit<E: de::Error>(mut self) -> HeadersResult<E> {
        Ok(self.push(HeaderBytes::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> HeadersResult<A::Error> {
        let mut bad = None;
        while let Some(value) = seq.next_element_seed(self.text())? {
            bad = bad.or(self.push(value));
        }
        Ok(bad)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> HeadersResult<E> {
        Ok(Some(NOT_A_STRING))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> HeadersResult<E> {
        Ok(Some(NOT_A_STRING))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> HeadersResult<E> {
        bad_number(number).map(Some)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> HeadersResult<E> {
        Ok(Some(NOT_A_STRING))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> HeadersResult<A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Some(NOT_A_STRING))
    }
}

/// Refuses more headers than a batch holds.
pub(super) fn check_room<E: de::Error>(batch: &Batch) -> Result<(), E> {
    match batch.has_room_for_headers() {
        true => Ok(()),
        false => {
            let most = count(Batch::MOST_HEADERS as u64, "header");
            Err(E::custom(format!("it holds more than {most}")))
        }
    }
}
