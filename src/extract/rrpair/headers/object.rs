//! A header that is written as an object with a name and a value.

use std::fmt;

use serde::de;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::text::{HeaderBytes, HeadersResult, TextSeed};
use crate::extract::profile::Encoding;
use crate::extract::rrpair::fields::Bad;
use crate::extract::rrpair::walk::found::UnknownNames;
use crate::record::{Batch, Header};

/// Members of a header object that hold its name.
pub(super) const NAMES: [&str; 3] = ["key", "keyString", "name"];

/// Members of a header object that hold its value, in the order of preference, with the encoding that the
/// name shows: the spellings of a record's value.
pub(super) const VALUES: [(&str, Option<Encoding>); 4] = [
    ("valueString", Some(Encoding::Text)),
    ("valueBytes", Some(Encoding::Base64)),
    ("valueBase64", Some(Encoding::Base64)),
    ("value", None),
];

/// One header object.
pub(super) struct ObjectSeed<'b> {
    pub(super) batch: &'b mut Batch,
    pub(super) unknown: &'b mut UnknownNames,
    pub(super) encoding: Encoding,
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
pub(super) enum HeaderMember {
    Name,
    /// The rank among the spellings.
    Value(usize),
    /// The number among the unknown names.
    Unknown(u8),
}

pub(super) struct HeaderMemberSeed<'b> {
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
