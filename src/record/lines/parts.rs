//! The parts of a record line that go straight from the line into the batch: topics, keys, values and
//! headers.

use std::fmt;

use serde::de::{
    self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

use crate::record::{Batch, CapturedTopic, Header, NameFault, Span, TopicId, captured};

/// What the strings of a line contain between the quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strings {
    /// UTF-8, as JSON requires.
    Text,
    /// Any bytes: yajl, with which kcat writes its JSON, copies what it does not have to escape.
    Raw,
}

impl Strings {
    /// Passes `visitor` a string of the line, or whatever is in its place.
    fn deserialize<'de, D: Deserializer<'de>, V: Visitor<'de>>(
        self,
        deserializer: D,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        match self {
            Self::Text => deserializer.deserialize_any(visitor),
            Self::Raw => deserializer.deserialize_bytes(visitor),
        }
    }
}

/// Which notations of bytes are allowed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// A string that is the bytes.
    Plain,
    /// A string of base64.
    Base64,
    /// A string that is the bytes, or `{"base64":".."}`.
    Either,
}

/// Reads bytes, or null, into the batch.
pub(super) struct BytesSeed<'b> {
    pub(super) batch: &'b mut Batch,
    pub(super) strings: Strings,
    pub(super) spelling: Spelling,
}

impl<'de> DeserializeSeed<'de> for BytesSeed<'_> {
    type Value = Option<Span>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for BytesSeed<'_> {
    type Value = Option<Span>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.spelling {
            Spelling::Plain => "a string or null",
            Spelling::Base64 => "base64 or null",
            Spelling::Either => "a string, `{\"base64\":\"..\"}` or null",
        })
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.strings.deserialize(deserializer, self)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        if self.spelling != Spelling::Base64 {
            return self.visit_bytes(text.as_bytes());
        }
        let bytes = self.batch.push_base64(text);
        bytes.map(Some).ok_or_else(|| E::custom("it is not base64"))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        if self.spelling == Spelling::Base64 {
            let text = std::str::from_utf8(bytes).map_err(|_| E::custom("it is not base64"))?;
            return self.visit_str(text);
        }
        Ok(Some(self.batch.push_bytes(bytes)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        if self.spelling != Spelling::Either {
            return Err(de::Error::invalid_type(Unexpected::Map, &self));
        }
        let wrong = "expected `base64` as the only member";
        let Some("base64") = map.next_key::<std::borrow::Cow<'_, str>>()?.as_deref() else {
            return Err(de::Error::custom(wrong));
        };
        let bytes = map.next_value_seed(BytesSeed {
            spelling: Spelling::Base64,
            ..self
        })?;
        match (bytes, map.next_key::<IgnoredAny>()?) {
            (Some(bytes), None) => Ok(Some(bytes)),
            _ => Err(de::Error::custom(wrong)),
        }
    }
}

/// Reads all headers of a line, in pairs or flat as kcat writes them, into the batch.
pub(super) struct HeaderList<'b> {
    pub(super) batch: &'b mut Batch,
    pub(super) strings: Strings,
}

impl<'de> DeserializeSeed<'de> for HeaderList<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for HeaderList<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of headers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { batch, strings } = self;
        while let Some(first) = seq.next_element_seed(FirstOfHeader { batch, strings })? {
            let FirstPart::Name(name) = first else {
                continue;
            };
            let value = BytesSeed {
                batch,
                strings,
                spelling: Spelling::Plain,
            };
            let value = seq.next_element_seed(value)?;
            let value = value.ok_or_else(|| de::Error::custom("the last name has no value"))?;
            batch.push_header(Header { name, value });
        }
        Ok(())
    }
}

/// What the element of the list was.
enum FirstPart {
    /// A pair, which is now in the batch.
    Pair,
    /// A name in kcat's flat list: its value follows.
    Name(Span),
}

/// Reads an element of the list: a pair, or a flat name.
struct FirstOfHeader<'b> {
    batch: &'b mut Batch,
    strings: Strings,
}

impl<'de> DeserializeSeed<'de> for FirstOfHeader<'_> {
    type Value = FirstPart;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FirstPart, D::Error> {
        self.strings.deserialize(deserializer, self)
    }
}

impl<'de> Visitor<'de> for FirstOfHeader<'_> {
    type Value = FirstPart;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header's name and value in a list")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<FirstPart, E> {
        self.visit_bytes(name.as_bytes())
    }

    fn visit_bytes<E: de::Error>(self, name: &[u8]) -> Result<FirstPart, E> {
        Ok(FirstPart::Name(self.batch.push_bytes(name)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<FirstPart, A::Error> {
        let Self { batch, strings } = self;
        let mut part = || {
            let batch = &mut *batch;
            seq.next_element_seed(BytesSeed {
                batch,
                strings,
                spelling: Spelling::Either,
            })
        };
        let (Some(Some(name)), Some(value)) = (part()?, part()?) else {
            return Err(de::Error::custom(
                "expected a name and a value in each pair",
            ));
        };
        if seq.next_element::<IgnoredAny>()?.is_some() {
            return Err(de::Error::custom("a pair has more than a name and a value"));
        }
        batch.push_header(Header { name, value });
        Ok(FirstPart::Pair)
    }
}

/// Reads when a record was captured. Other tools may have a member of this name with anything in it: what is
/// not a time counts as none.
pub(super) struct CaptureTime;

impl<'de> DeserializeSeed<'de> for CaptureTime {
    type Value = Option<i64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CaptureTime {
    type Value = Option<i64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time in RFC 3339")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(captured::parse(text))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_seq(seq).map(|_| None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_map(map).map(|_| None)
    }
}

/// How a line names its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TopicBy {
    Name,
    Id,
}

/// Reads a topic, or null, and returns its index in the batch.
pub(super) struct TopicSeed<'b> {
    pub(super) batch: &'b mut Batch,
    pub(super) by: TopicBy,
}

impl<'de> DeserializeSeed<'de> for TopicSeed<'_> {
    type Value = Option<u32>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for TopicSeed<'_> {
    type Value = Option<u32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.by {
            TopicBy::Name => "a topic's name",
            TopicBy::Id => "a topic's id",
        })
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        match self.by {
            TopicBy::Name => match NameFault::of(text) {
                Some(fault) => Err(E::custom(fault)),
                None => Ok(Some(self.batch.topic_index_of_name(text))),
            },
            TopicBy::Id => {
                let id = TopicId::parse(text).ok_or_else(|| E::custom("it is not a topic id"))?;
                Ok(Some(self.batch.topic_index(&CapturedTopic::Id(id))))
            }
        }
    }
}
