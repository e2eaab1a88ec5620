//! The headers of a record, straight into the batch: a list of `{key, value}` objects as Kafka's
//! captures have them, or an object of names and values as HTTP's have. Order and repeated names
//! are kept.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::fields::{Bad, Slot};
use super::json;
use super::walk::found::UnknownNames;
use crate::extract::profile::Encoding;
use crate::record::{Batch, Header, Span};
use crate::report::rendering::figures::count;

/// Members of a header object that hold its name.
const NAMES: [&str; 3] = ["key", "keyString", "name"];
/// Members of a header object that hold its value, in the order in which they win, with the encoding
/// that the name shows: the spellings of a record's value.
const VALUES: [(&str, Option<Encoding>); 4] = [
    ("valueString", Some(Encoding::Text)),
    ("valueBytes", Some(Encoding::Base64)),
    ("valueBase64", Some(Encoding::Base64)),
    ("value", None),
];

const NOT_A_STRING: Bad = Bad::NotAString(Slot::Headers);
const NOT_BASE64: Bad = Bad::NotBase64(Slot::Headers);

/// Reads headers into a batch.
pub(in crate::extract) struct HeadersSeed<'b> {
    pub(in crate::extract) batch: &'b mut Batch,
    pub(in crate::extract) unknown: &'b mut UnknownNames,
    /// How a value becomes bytes whose member's name does not tell.
    pub(in crate::extract) encoding: Encoding,
}

type HeadersResult<E> = Result<Option<Bad>, E>;

impl<'de> Visitor<'de> for HeadersSeed<'_> {
    type Value = Option<Bad>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of headers, or an object")
    }

    /// A list of header objects.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> HeadersResult<A::Error> {
        let Self {
            batch,
            unknown,
            encoding,
        } = self;
        let mut bad = None;
        while let Some(one) = seq.next_element_seed(ObjectSeed {
            batch,
            unknown,
            encoding,
        })? {
            bad = bad.or(one);
            check_room(batch)?;
        }
        Ok(bad)
    }

    /// An object: a header for each member, several for one whose value is a list.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> HeadersResult<A::Error> {
        let Self {
            batch, encoding, ..
        } = self;
        let mut bad = None;
        while let Some(name) = map.next_key_seed(TextSeed {
            batch,
            encoding: Encoding::Text,
        })? {
            let HeaderBytes::Some(name) = name else {
                continue;
            };
            let values = ValuesSeed {
                batch,
                name,
                encoding,
            };
            bad = bad.or(map.next_value_seed(values)?);
            check_room(batch)?;
        }
        Ok(bad)
    }
}

/// Refuses more headers than a batch holds.
fn check_room<E: de::Error>(batch: &Batch) -> Result<(), E> {
    match batch.has_room_for_headers() {
        true => Ok(()),
        false => {
            let most = count(Batch::MOST_HEADERS as u64, "header");
            Err(E::custom(format!("it holds more than {most}")))
        }
    }
}

/// A number is no header's; one beyond every `f64` is an error, as it is for serde_json.
fn bad_number<E: de::Error>(number: f64) -> Result<Bad, E> {
    match number.is_infinite() {
        true => Err(E::custom("number out of range")),
        false => Ok(NOT_A_STRING),
    }
}

/// What a member held.
enum HeaderBytes {
    Some(Span),
    Null,
    Bad(Bad),
}

/// One string, or null; with [`Encoding::Auto`] and [`Encoding::Json`] the JSON text of anything.
struct TextSeed<'b> {
    batch: &'b mut Batch,
    encoding: Encoding,
}

impl TextSeed<'_> {
    /// The bytes that a node's JSON text stands for.
    fn bytes_of<E: de::Error>(self, json: &str) -> Result<HeaderBytes, E> {
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

/// The value, or list of values, of one name.
struct ValuesSeed<'b> {
    batch: &'b mut Batch,
    name: Span,
    encoding: Encoding,
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

    /// The same of a value's JSON text.
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

/// One header object.
struct ObjectSeed<'b> {
    batch: &'b mut Batch,
    unknown: &'b mut UnknownNames,
    encoding: Encoding,
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_> {
    type Value = Option<Bad>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> HeadersResult<D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_> {
    type Value = Option<Bad>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> HeadersResult<A::Error> {
        let Self {
            batch,
            unknown: names,
            ..
        } = self;
        let (mut name, mut value, mut unknown, mut problem) = (None, None, None, None);
        let mut rank = VALUES.len();
        while let Some(member) = map.next_key_seed(HeaderMemberSeed { names: &mut *names })? {
            let (encoding, is_name) = match member {
                HeaderMember::Name => (Encoding::Text, true),
                HeaderMember::Value(better) if better < rank => {
                    (VALUES[better].1.unwrap_or(self.encoding), false)
                }
                HeaderMember::Value(_) => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                HeaderMember::Unknown(member) => {
                    unknown.get_or_insert(member);
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            match (map.next_value_seed(TextSeed { batch, encoding })?, member) {
                (HeaderBytes::Some(bytes), _) if is_name => name = Some(bytes),
                (HeaderBytes::Some(bytes), HeaderMember::Value(better)) => {
                    (value, rank) = (Some(bytes), better);
                }
                (HeaderBytes::Bad(bad), _) => problem = Some(bad),
                _ => {}
            }
        }
        if let Some(member) = unknown
            && (name.is_none() || value.is_none())
        {
            problem.get_or_insert(Bad::UnknownHeaderMember(member));
        }
        // Protobuf's JSON mapping leaves an empty name out.
        let name = name.unwrap_or_else(|| batch.push_bytes(b""));
        batch.push_header(Header { name, value });
        Ok(problem)
    }
}

#[derive(Clone, Copy)]
enum HeaderMember {
    Name,
    /// The rank among the spellings.
    Value(usize),
    /// The number among the unknown names.
    Unknown(u8),
}

struct HeaderMemberSeed<'b> {
    names: &'b mut UnknownNames,
}

impl<'de> DeserializeSeed<'de> for HeaderMemberSeed<'_> {
    type Value = HeaderMember;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<HeaderMember, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for HeaderMemberSeed<'_> {
    type Value = HeaderMember;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<HeaderMember, E> {
        if NAMES.contains(&name) {
            return Ok(HeaderMember::Name);
        }
        let rank = VALUES.iter().position(|(known, _)| *known == name);
        Ok(rank.map_or_else(
            || HeaderMember::Unknown(self.names.number(name)),
            HeaderMember::Value,
        ))
    }
}
