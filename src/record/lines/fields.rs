//! The members of a record line: what each means, and the pass that reads all of them.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::parts::{BytesSeed, CaptureTime, HeaderList, Spelling, Strings, TopicBy, TopicSeed};
use crate::record::{Batch, CapturedFrom, Span};

/// The members that have a meaning, ours and kcat's. kreplay ignores all others, such as the `reason` of a
/// reject and kcat's `broker`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
pub(super) enum LineMember {
    Topic,
    TopicId,
    Partition,
    Offset,
    Timestamp,
    Ts,
    Tstype,
    Key,
    KeyBase64,
    Value,
    ValueBase64,
    Payload,
    Headers,
    KeySchemaId,
    ValueSchemaId,
    KeyError,
    PayloadError,
    Outcome,
    CapturedFrom,
    Captured,
    #[serde(other)]
    Other,
}

impl LineMember {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::TopicId => "topic_id",
            Self::Partition => "partition",
            Self::Offset => "offset",
            Self::Timestamp => "timestamp",
            Self::Ts => "ts",
            Self::Tstype => "tstype",
            Self::Key => "key",
            Self::KeyBase64 => "key_base64",
            Self::Value => "value",
            Self::ValueBase64 => "value_base64",
            Self::Payload => "payload",
            Self::Headers => "headers",
            Self::KeySchemaId => "key_schema_id",
            Self::ValueSchemaId => "value_schema_id",
            Self::KeyError => "key_error",
            Self::PayloadError => "payload_error",
            Self::Outcome => "outcome",
            Self::CapturedFrom => "captured_from",
            Self::Captured => "captured",
            Self::Other => "?",
        }
    }

    fn spelling(self) -> Spelling {
        match self {
            Self::KeyBase64 | Self::ValueBase64 => Spelling::Base64,
            _ => Spelling::Plain,
        }
    }
}

/// kcat's kind of timestamp: `create`, `logappend`, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
pub(super) enum TimeKind {
    Unknown,
    #[default]
    #[serde(other)]
    Known,
}

/// Whose line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Writer {
    #[default]
    Kreplay,
    Kcat,
}

/// What an earlier run says about a record that it did not deliver (`outcome` of a reject).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Earlier {
    /// The line says nothing, or that the record is certain not to be in the log.
    #[default]
    NotWritten,
    /// The record may be in the log.
    Unknown,
}

/// Other tools may have a member of this name with anything in it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ForeignOutcome {
    Text(String),
    Other(IgnoredAny),
}

impl From<ForeignOutcome> for Earlier {
    fn from(outcome: ForeignOutcome) -> Self {
        match outcome {
            ForeignOutcome::Text(text) if text == "unknown" => Self::Unknown,
            ForeignOutcome::Text(_) | ForeignOutcome::Other(_) => Self::NotWritten,
        }
    }
}

/// Other tools may have a member of this name as well.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum CapturedFromMember {
    These(Vec<CapturedFrom>),
    Other(IgnoredAny),
}

impl From<CapturedFromMember> for Vec<CapturedFrom> {
    fn from(places: CapturedFromMember) -> Self {
        match places {
            CapturedFromMember::These(these) => these,
            CapturedFromMember::Other(_) => Self::new(),
        }
    }
}

/// What was read of a line; the outer option of each says whether it has been read.
#[derive(Debug, Default)]
pub(super) struct LineFields {
    pub(super) topic: Option<Option<u32>>,
    pub(super) topic_id: Option<Option<u32>>,
    pub(super) partition: Option<Option<i32>>,
    pub(super) offset: Option<Option<i64>>,
    pub(super) timestamp_ms: Option<Option<i64>>,
    pub(super) time_kind: TimeKind,
    pub(super) key: Option<Option<Span>>,
    pub(super) value: Option<Option<Span>>,
    headers: Option<()>,
    pub(super) writer: Writer,
    pub(super) earlier: Earlier,
    pub(super) captured_from: Vec<CapturedFrom>,
    pub(super) captured_ns: Option<i64>,
}

/// Sets a field that may occur once in a line.
fn set<T, E: de::Error>(field: &mut Option<T>, value: T, what: &str) -> Result<(), E> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::custom(format!("the line has a second {what}"))),
    }
}

/// Reads the object that a line is.
pub(super) struct RecordLineSeed<'a> {
    pub(super) batch: &'a mut Batch,
    pub(super) strings: Strings,
    /// The member being read.
    pub(super) at: &'a mut Option<LineMember>,
    pub(super) fields: LineFields,
}

impl<'de> DeserializeSeed<'de> for RecordLineSeed<'_> {
    type Value = LineFields;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<LineFields, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RecordLineSeed<'_> {
    type Value = LineFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record as a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<LineFields, A::Error> {
        while let Some(member) = map.next_key()? {
            *self.at = Some(member);
            self.read_member(member, &mut map)?;
            *self.at = None;
        }
        if self.fields.value.is_none() {
            let why = "it is not a record: there is no `value`, `value_base64` or `payload`";
            return Err(de::Error::custom(why));
        }
        Ok(self.fields)
    }
}

impl RecordLineSeed<'_> {
    fn read_member<'de, A: MapAccess<'de>>(
        &mut self,
        member: LineMember,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let Self {
            batch,
            strings,
            fields,
            ..
        } = self;
        match member {
            LineMember::Topic => {
                let by = TopicBy::Name;
                let topic = map.next_value_seed(TopicSeed { batch, by })?;
                set(&mut fields.topic, topic, "topic")
            }
            LineMember::TopicId => {
                let by = TopicBy::Id;
                let topic = map.next_value_seed(TopicSeed { batch, by })?;
                set(&mut fields.topic_id, topic, "topic id")
            }
            LineMember::Partition => {
                let partition = map.next_value::<Option<i32>>()?;
                if partition.is_some_and(|partition| partition < 0) {
                    return Err(de::Error::custom("a partition is not negative"));
                }
                set(&mut fields.partition, partition, "partition")
            }
            LineMember::Offset => set(&mut fields.offset, map.next_value()?, "offset"),
            LineMember::Timestamp | LineMember::Ts => {
                set(&mut fields.timestamp_ms, map.next_value()?, "timestamp")
            }
            LineMember::Tstype => {
                fields.time_kind = map.next_value()?;
                Ok(())
            }
            LineMember::Key | LineMember::KeyBase64 => {
                let key = self.read_bytes(member, map)?;
                set(&mut self.fields.key, key, "key")
            }
            LineMember::Value | LineMember::ValueBase64 | LineMember::Payload => {
                let value = self.read_bytes(member, map)?;
                if member == LineMember::Payload {
                    self.fields.writer = Writer::Kcat;
                }
                set(&mut self.fields.value, value, "value")
            }
            LineMember::Headers => {
                let strings = *strings;
                map.next_value_seed(HeaderList { batch, strings })?;
                set(&mut fields.headers, (), "list of headers")
            }
            LineMember::KeySchemaId
            | LineMember::ValueSchemaId
            | LineMember::KeyError
            | LineMember::PayloadError => Err(de::Error::custom(
                "kcat has decoded the record, so its bytes are not in the line; run kcat without `-s`",
            )),
            LineMember::Captured | LineMember::Outcome | LineMember::CapturedFrom => {
                self.read_of_capture(member, map)
            }
            LineMember::Other => map.next_value::<IgnoredAny>().map(|_| ()),
        }
    }

    /// Members that say where and when a record was captured, and what a run made of it.
    fn read_of_capture<'de, A: MapAccess<'de>>(
        &mut self,
        member: LineMember,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match member {
            LineMember::Captured => self.fields.captured_ns = map.next_value_seed(CaptureTime)?,
            LineMember::Outcome => self.fields.earlier = map.next_value::<ForeignOutcome>()?.into(),
            _ => self.fields.captured_from = map.next_value::<CapturedFromMember>()?.into(),
        }
        Ok(())
    }

    fn read_bytes<'de, A: MapAccess<'de>>(
        &mut self,
        member: LineMember,
        map: &mut A,
    ) -> Result<Option<Span>, A::Error> {
        map.next_value_seed(BytesSeed {
            batch: self.batch,
            strings: self.strings,
            spelling: member.spelling(),
        })
    }
}
