//! The names at the top of one JSON text, and whether they are those of an RRPair or of a record. This file
//! is separate from the actual reading because the text may be cut off, damaged, or anything else.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How many names of one object are kept; RRPairs have about forty.
const MOST: usize = 256;
/// What an RRPair may have at its top besides its payload. A text that is cut off after some of them may be
/// one.
const RRPAIR: [&str; 31] = [
    "msgType",
    "resource",
    "ts",
    "l7protocol",
    "duration",
    "tags",
    "uuid",
    "direction",
    "cluster",
    "namespace",
    "service",
    "tech",
    "network_address",
    "command",
    "location",
    "status",
    "session",
    "signature",
    "mutableSignature",
    "netinfo",
    "tokenList",
    "events",
    "isTls",
    "alpn",
    "dlpModified",
    "dlpRule",
    "responderMatch",
    "partOfStreamUUID",
    "streamSeqNum",
    "kafka",
    "http",
];
/// Payloads that show an RRPair by one of [`HALVES`], or together with one of [`BESIDE`].
const PAYLOADS: [&str; 2] = ["kafka", "http"];
/// The members that a payload has for an exchange.
const HALVES: [&str; 4] = ["request", "response", "req", "res"];
/// Members that other JSON with a member called `kafka` or `http` is unlikely to have.
const BESIDE: [&str; 8] = [
    "command",
    "direction",
    "network_address",
    "ts",
    "uuid",
    "tech",
    "duration",
    "location",
];
/// What the record lines of kreplay and kcat have at their top.
const RECORD: [&str; 10] = [
    "topic",
    "topic_id",
    "partition",
    "offset",
    "key",
    "key_base64",
    "value",
    "value_base64",
    "payload",
    "headers",
];

/// How a text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::extract) enum TextEnd {
    #[default]
    Whole,
    /// It is cut off, or not all of it is known.
    Early,
    /// Something in it is not JSON.
    Broken,
}

/// The members at the top of one text.
#[derive(Debug, Default)]
pub(in crate::extract) struct TopLevelMembers {
    names: Vec<String>,
    msg_type: Option<String>,
    /// Whether a payload has the halves of an exchange.
    exchange: bool,
    /// The text of `ts`.
    pub(in crate::extract) ts: Option<String>,
    pub(in crate::extract) is_object: bool,
    pub(in crate::extract) end: TextEnd,
}

impl TopLevelMembers {
    /// The members of `text`, as far as it can be read.
    pub(in crate::extract) fn of(text: &[u8]) -> Self {
        let mut members = Self::default();
        let mut json = serde_json::Deserializer::from_slice(text);
        let read = match text.trim_ascii_start().first() {
            Some(b'{') => (&mut members).deserialize(&mut json),
            _ => IgnoredAny::deserialize(&mut json).map(|_| ()),
        };
        members.end = match read.and_then(|()| json.end()) {
            Ok(()) => TextEnd::Whole,
            Err(e) if e.is_eof() => TextEnd::Early,
            Err(_) => TextEnd::Broken,
        };
        members
    }

    pub(in crate::extract) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(in crate::extract) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }

    /// Whether this is an RRPair: its `msgType` or protocol says so, or a payload together with its
    /// companions.
    pub(in crate::extract) fn is_rrpair(&self) -> bool {
        self.msg_type.as_deref() == Some("rrpair")
            || self.has("l7protocol")
            || self.exchange
            || (self.has_any(&PAYLOADS) && self.has_any(&BESIDE))
    }

    /// Whether it may be an RRPair whose rest is missing.
    pub(in crate::extract) fn may_become_rrpair(&self) -> bool {
        let known = |name: &String| RRPAIR.contains(&name.as_str());
        self.end == TextEnd::Early && self.msg_type.is_none() && self.names.iter().all(known)
    }

    /// Whether this has what a record line has at its top.
    pub(in crate::extract) fn is_record(&self) -> bool {
        let named = self.has("topic") || self.has("topic_id");
        let besides = RECORD.iter().filter(|name| !name.starts_with("topic"));
        named && !self.is_rrpair() && besides.into_iter().any(|name| self.has(name))
    }

    /// Whether it has anything that a record line has.
    pub(in crate::extract) fn is_like_a_record(&self) -> bool {
        self.has_any(&RECORD)
    }
}

impl<'de> DeserializeSeed<'de> for &mut TopLevelMembers {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut TopLevelMembers {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.is_object = true;
        while let Some(name) = map.next_key::<String>()? {
            if self.names.len() < MOST {
                self.names.push(name.clone());
            }
            match name.as_str() {
                "msgType" => self.msg_type = map.next_value::<Scalar>()?.0,
                "ts" => self.ts = map.next_value::<Scalar>()?.0,
                payload if PAYLOADS.contains(&payload) => {
                    let payload = map.next_value::<&RawValue>()?.get();
                    self.exchange |= TopLevelMembers::of(payload.as_bytes()).has_any(&HALVES);
                }
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }
}

/// A string, or anything else, which is irrelevant here.
struct Scalar(Option<String>);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(value.as_str().map(String::from)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rrpair_is_an_object_with_the_members_of_one() {
        let cases = [
            (r#"{"msgType":"rrpair"}"#, true),
            (r#"{"command":"GET","l7protocol":"http"}"#, true),
            (r#"{"command":"Fetch","kafka":{}}"#, true),
            (r#"{"direction":"OUT","http":{}}"#, true),
            (r#"{"kafka":{"response":{}}}"#, true),
            (r#"{"msgType":"snapshot"}"#, false),
            (r#"{"kafka":{"brokers":["b:9092"]}}"#, false),
            (r#"{"name":"shop","http":"^1.0"}"#, false),
            (r#"["msgType"]"#, false),
            (r#""l7protocol""#, false),
        ];
        for (text, expected) in cases {
            assert_eq!(
                TopLevelMembers::of(text.as_bytes()).is_rrpair(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_truncated_object_may_still_be_an_rrpair() {
        let cases = [
            ("{\"m", true),
            (r#"{"resource":"a","ts":"2025"#, true),
            (r#"{"kafka":{"response":"#, true),
            (r#"{"level":"info","ts":"2025"#, false),
            (r#"{"msgType":"snapshot","ts":"20"#, false),
            (r#"{"resource":"a"}"#, false),
            (r#"{"resource":oops"#, false),
        ];
        for (text, expected) in cases {
            let members = TopLevelMembers::of(text.as_bytes());
            assert_eq!(members.may_become_rrpair(), expected, "{text}");
        }
    }
}
