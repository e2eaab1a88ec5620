//! Strings that may hold half of a surrogate pair: an escape such as `\ud800` without its other half, which
//! RFC 8259 allows and which no `str` can hold.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, Visitor};

/// Bytes of one half. serde_json passes strings on as bytes in WTF-8, which encodes a half as UTF-8 would.
const HALF: usize = 3;

/// Reads a string, and replaces each half of a pair with what `mended` returns.
pub(super) struct HalvesSeed {
    pub(super) mended: fn(u16) -> String,
}

impl HalvesSeed {
    fn string(&self, mut bytes: &[u8]) -> String {
        let mut string = String::with_capacity(bytes.len());
        loop {
            let (valid, rest) = match std::str::from_utf8(bytes) {
                Ok(_) => (bytes, &[][..]),
                Err(error) => bytes.split_at(error.valid_up_to()),
            };
            string.push_str(std::str::from_utf8(valid).unwrap_or_default());
            if rest.is_empty() {
                return string;
            }
            let (half, rest) = rest.split_at(rest.len().min(HALF));
            string.push_str(&(self.mended)(code_unit(half)));
            bytes = rest;
        }
    }
}

/// The UTF-16 code unit that `half` encodes: the low four bits of its first byte, six of each other.
fn code_unit(half: &[u8]) -> u16 {
    half.iter()
        .fold(0, |unit, byte| unit << 6 | u16::from(byte & 0x3f))
}

impl<'de> DeserializeSeed<'de> for HalvesSeed {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, string: D) -> Result<String, D::Error> {
        string.deserialize_bytes(self)
    }
}

impl Visitor<'_> for HalvesSeed {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<String, E> {
        Ok(self.string(bytes))
    }
}
