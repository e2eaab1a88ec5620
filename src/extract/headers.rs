//! The headers of a record, straight into the batch: a list of `{key, value}` objects as Kafka's
//! captures have them, or an object of names and values as HTTP's have. Order and repeated names
//! are kept.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::found::Trouble;
use crate::record::{Batch, Header, Span};

/// Members of a header object that hold its name.
const NAMES: [&str; 3] = ["key", "keyString", "name"];
/// Members of a header object that hold its value, in the order in which they win, with whether
/// they are base64: the spellings of a record's value.
const VALUES: [(&str, Text); 4] = [
    ("valueString", Text::Plain),
    ("valueBytes", Text::Base64),
    ("valueBase64", Text::Base64),
    ("value", Text::Base64),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Plain,
    Base64,
}

/// Reads headers into a batch.
pub(super) struct HeadersSeed<'b> {
    pub(super) batch: &'b mut Batch,
}

type Read<E> = Result<Option<Trouble>, E>;

impl HeadersSeed<'_> {
    /// A list of header objects.
    pub(super) fn read_seq<'de, A: SeqAccess<'de>>(self, mut seq: A) -> Read<A::Error> {
        let mut trouble = None;
        while let Some(one) = seq.next_element_seed(ObjectSeed { batch: self.batch })? {
            trouble = trouble.or(one);
        }
        Ok(trouble)
    }

    /// An object: a header for each member, several for one whose value is a list.
    pub(super) fn read_map<'de, A: MapAccess<'de>>(self, mut map: A) -> Read<A::Error> {
        let mut trouble = None;
        while let Some(name) = map.next_key_seed(TextSeed {
            batch: self.batch,
            text: Text::Plain,
        })? {
            let Bytes::Some(name) = name else { continue };
            let values = ValuesSeed {
                batch: self.batch,
                name,
            };
            trouble = trouble.or(map.next_value_seed(values)?);
        }
        Ok(trouble)
    }
}

/// A number is no header's; one beyond every `f64` is an error, as it is for serde_json.
fn bad_number<E: de::Error>(number: f64) -> Result<Trouble, E> {
    match number.is_infinite() {
        true => Err(E::custom("number out of range")),
        false => Ok(Trouble::NotAString),
    }
}

/// What a member held.
enum Bytes {
    Some(Span),
    Null,
    Bad(Trouble),
}

/// One string, or null.
struct TextSeed<'b> {
    batch: &'b mut Batch,
    text: Text,
}

impl<'de> DeserializeSeed<'de> for TextSeed<'_> {
    type Value = Bytes;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Bytes, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TextSeed<'_> {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header's name or value")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
        Ok(match self.text {
            Text::Plain => Bytes::Some(self.batch.push_bytes(text.as_bytes())),
            Text::Base64 => self
                .batch
                .push_base64(text)
                .map_or(Bytes::Bad(Trouble::NotBase64), Bytes::Some),
        })
    }

    fn visit_unit<E: de::Error>(self) -> Result<Bytes, E> {
        Ok(Bytes::Null)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Bytes, E> {
        Ok(Bytes::Bad(Trouble::NotAString))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Bytes, E> {
        Ok(Bytes::Bad(Trouble::NotAString))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Bytes, E> {
        bad_number(number).map(Bytes::Bad)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Bytes, E> {
        Ok(Bytes::Bad(Trouble::NotAString))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Bytes, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Bytes::Bad(Trouble::NotAString))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Bytes, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Bytes::Bad(Trouble::NotAString))
    }
}

/// The value, or list of values, of one name.
struct ValuesSeed<'b> {
    batch: &'b mut Batch,
    name: Span,
}

impl<'de> DeserializeSeed<'de> for ValuesSeed<'_> {
    type Value = Option<Trouble>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Read<D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValuesSeed<'_> {
    type Value = Option<Trouble>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header's value or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Read<E> {
        let value = Some(self.batch.push_bytes(text.as_bytes()));
        self.batch.push_header(Header {
            name: self.name,
            value,
        });
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Read<E> {
        self.batch.push_header(Header {
            name: self.name,
            value: None,
        });
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Read<A::Error> {
        let Self { batch, name } = self;
        let mut trouble = None;
        while let Some(value) = seq.next_element_seed(TextSeed {
            batch,
            text: Text::Plain,
        })? {
            match value {
                Bytes::Some(value) => batch.push_header(Header {
                    name,
                    value: Some(value),
                }),
                Bytes::Null => batch.push_header(Header { name, value: None }),
                Bytes::Bad(bad) => trouble = Some(bad),
            }
        }
        Ok(trouble)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Read<E> {
        Ok(Some(Trouble::NotAString))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Read<E> {
        Ok(Some(Trouble::NotAString))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Read<E> {
        bad_number(number).map(Some)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Read<E> {
        Ok(Some(Trouble::NotAString))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Read<A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Some(Trouble::NotAString))
    }
}

/// One header object.
struct ObjectSeed<'b> {
    batch: &'b mut Batch,
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_> {
    type Value = Option<Trouble>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Read<D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_> {
    type Value = Option<Trouble>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Read<A::Error> {
        let batch = self.batch;
        let (mut name, mut value, mut unknown, mut trouble) = (None, None, None, None);
        let mut rank = VALUES.len();
        while let Some(member) = map.next_key_seed(MemberSeed)? {
            let (text, is_name) = match member {
                Member::Name => (Text::Plain, true),
                Member::Value(better) if better < rank => (VALUES[better].1, false),
                Member::Value(_) => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                Member::Unknown(member) => {
                    unknown.get_or_insert(member);
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            match (map.next_value_seed(TextSeed { batch, text })?, member) {
                (Bytes::Some(bytes), _) if is_name => name = Some(bytes),
                (Bytes::Some(bytes), Member::Value(better)) => {
                    (value, rank) = (Some(bytes), better)
                }
                (Bytes::Bad(bad), _) => trouble = Some(bad),
                _ => {}
            }
        }
        if let Some(member) = unknown
            && (name.is_none() || value.is_none())
        {
            trouble.get_or_insert(Trouble::UnknownHeaderMember(member));
        }
        // Protobuf's JSON mapping leaves an empty name out.
        let name = name.unwrap_or_else(|| batch.push_bytes(b""));
        batch.push_header(Header { name, value });
        Ok(trouble)
    }
}

enum Member {
    Name,
    /// The rank among the spellings.
    Value(usize),
    Unknown(String),
}

struct MemberSeed;

impl<'de> DeserializeSeed<'de> for MemberSeed {
    type Value = Member;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Member, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for MemberSeed {
    type Value = Member;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Member, E> {
        if NAMES.contains(&name) {
            return Ok(Member::Name);
        }
        let rank = VALUES.iter().position(|(known, _)| *known == name);
        Ok(rank.map_or_else(|| Member::Unknown(name.into()), Member::Value))
    }
}
