//! Reads records that other tools have printed as JSON: recognises them by a combination of members that only
//! this tool uses, then reads them by the table below. A member that the table does not know is named.
//!
//! | tool | recognised by | value | not used |
//! |---|---|---|---|
//! | rpk | `topic`, `partition`, `offset`, an integer `timestamp`, headers as objects | `value`; absent = null | |
//! | kt | `partition`, `offset`, `key`, `value`, a `timestamp` as text | `value` | |
//! | kafkactl `-o json` | `Partition`, `Offset`, `Value` | `Value` | |
//! | kaf | `payload`, a `timestamp` as text | `payload`, where it is text | |
//! | Kafdrop | `message`, `headersFormatted` | `message`, but for `empty` | `headersFormatted` |
//! | AKHQ | `topic` as an object, or `exceptions` | `value` | `exceptions`, `truncated` |
//! | Redpanda Console | `partitionID`, `value.isPayloadNull` | `value.rawPayload`, else `value.payload`, where it is text | hexadecimal previews, sizes, `compression`, ... |
//! | kafka-ui | `timestampType` with `valueSerde`, `valueSize` or `content` | `value` or `content` | sizes, formats |
//! | AWS Lambda | `eventSource` `aws:kafka` or `SelfManagedKafka`, with `records` | base64 | `eventSourceArn`, ... |
//!
//! kaf, kafkactl and kt decode what they print or leave something out: if a line does not contain a part of
//! the record, the error names the tool.

mod formats;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::record::select::captured_timestamp_ms;
use crate::record::{Batch, Header, NameFault, Origin, Record, Span};

use self::formats::{BytesSpelling, FORMATS, KCAT, LAMBDA, ToolFormat, ToolMembers};

type ForeignResult<T> = Result<T, String>;

/// Reads the records of another tool in `text` into `batch`, and returns what is wrong with those that cannot
/// be read. `None` if no tool writes such a text; the batch is then unchanged.
pub(crate) fn read_foreign(text: &[u8], origin: Origin, batch: &mut Batch) -> Option<Vec<String>> {
    let members: ToolMembers = serde_json::from_slice(text).ok()?;
    if is_lambda(&members) {
        return Some(read_event(&members, origin, batch));
    }
    let format = FORMATS
        .iter()
        .find(|format| (format.recognises)(&members))?;
    let read = format.read(&members, origin, batch);
    Some(read.err().into_iter().collect())
}

/// Whether `text` is what another tool prints of its records, readable or not.
pub(crate) fn is_foreign(text: &[u8]) -> bool {
    let members: Option<ToolMembers> = serde_json::from_slice(text).ok();
    members.is_some_and(|members| {
        is_lambda(&members) || FORMATS.iter().any(|format| (format.recognises)(&members))
    })
}

fn is_lambda(members: &ToolMembers) -> bool {
    let source = members.get("eventSource").and_then(Value::as_str);
    matches!(source, Some("aws:kafka" | "SelfManagedKafka")) && members.contains_key("records")
}

/// The records of an event, which are grouped by topic and partition.
fn read_event(members: &ToolMembers, origin: Origin, batch: &mut Batch) -> Vec<String> {
    let known = [
        "eventSource",
        "eventSourceArn",
        "bootstrapServers",
        "records",
    ];
    let mut bad = Vec::new();
    if let Some(name) = members.keys().find(|name| !known.contains(&name.as_str())) {
        bad.push(format!("an event of AWS Lambda has no member `{name}`"));
    }
    let Some(Value::Object(groups)) = members.get("records") else {
        return vec!["`records` of an event of AWS Lambda is not an object".into()];
    };
    for (group, records) in groups {
        let Value::Array(records) = records else {
            bad.push(format!("`{group}` of an event of AWS Lambda is not a list"));
            continue;
        };
        for (number, record) in records.iter().enumerate() {
            let read = match record {
                Value::Object(record) => LAMBDA.read(record, origin, batch),
                _ => Err("it is not a record".into()),
            };
            bad.extend(
                read.err()
                    .map(|why| format!("`{group}`, record {number}: {why}")),
            );
        }
    }
    bad
}

impl ToolFormat {
    fn read(&self, members: &ToolMembers, origin: Origin, batch: &mut Batch) -> ForeignResult<()> {
        let mark = batch.mark();
        let record = self.record(members, origin, batch);
        match record {
            Ok(record) => {
                batch.records.push(record);
                Ok(())
            }
            Err(why) => {
                batch.roll_back(mark);
                Err(match self.tool {
                    "" => why,
                    tool => format!("a record of {tool}: {why}"),
                })
            }
        }
    }

    fn record(
        &self,
        members: &ToolMembers,
        origin: Origin,
        batch: &mut Batch,
    ) -> ForeignResult<Record> {
        let unknown = members.keys().find(|name| !self.knows(name));
        if let Some(name) = unknown {
            return Err(format!("kreplay does not know its member `{name}`"));
        }
        if let Some(why) = (self.lossy)(members) {
            return Err(why.into());
        }
        let mark = batch.mark();
        self.headers(members.get(self.headers), batch)?;
        let headers = batch.headers_since(mark);
        let value = self.value.iter().find_map(|name| members.get(*name));
        Ok(Record {
            topic: topic(members.get(self.topic), batch)?,
            partition: integer(members.get(self.partition), self.partition)?
                .map(|n| {
                    i32::try_from(n)
                        .ok()
                        .filter(|n| *n >= 0)
                        .ok_or("it has no such partition")
                })
                .transpose()?,
            offset: integer(members.get(self.offset), self.offset)?,
            timestamp_ms: time(members.get(self.timestamp))?.and_then(captured_timestamp_ms),
            key: self.bytes(members.get(self.key), "key", batch)?,
            value: self.bytes(value, "value", batch)?,
            headers,
            origin,
            capture: None,
        })
    }

    fn knows(&self, name: &str) -> bool {
        let own = [
            self.topic,
            self.partition,
            self.key,
            self.offset,
            self.timestamp,
            self.headers,
        ];
        own.contains(&name) || self.value.contains(&name) || self.unused.contains(&name)
    }

    fn bytes(
        &self,
        node: Option<&Value>,
        what: &str,
        batch: &mut Batch,
    ) -> ForeignResult<Option<Span>> {
        match (node, self.bytes) {
            (None | Some(Value::Null), _) => Ok(None),
            (Some(Value::String(text)), BytesSpelling::Base64) => match batch.push_base64(text) {
                Some(span) => Ok(Some(span)),
                None => Err(format!("its {what} is not base64")),
            },
            (Some(Value::Object(payload)), BytesSpelling::Payload) => {
                payload_bytes(payload, what, batch)
            }
            (Some(Value::String(text)), BytesSpelling::Text | BytesSpelling::HeadersBase64) => {
                Ok(Some(batch.push_bytes(text.as_bytes())))
            }
            _ => Err(format!(
                "its {what} is decoded, so its bytes are missing; {KCAT}"
            )),
        }
    }

    fn headers(&self, node: Option<&Value>, batch: &mut Batch) -> ForeignResult<()> {
        match node {
            None | Some(Value::Null) => Ok(()),
            Some(Value::Object(headers)) => headers
                .iter()
                .try_for_each(|(name, value)| self.header(name, value, batch)),
            Some(Value::Array(headers)) => headers.iter().try_for_each(|header| match header {
                Value::Object(header) => self.header_object(header, batch),
                _ => Err("its headers are not objects".into()),
            }),
            Some(_) => Err("its headers are not a list".into()),
        }
    }

    /// `{"key":..,"value":..}`, or `{"name":[bytes]}` of AWS Lambda.
    fn header_object(&self, header: &ToolMembers, batch: &mut Batch) -> ForeignResult<()> {
        if self.bytes == BytesSpelling::Base64 {
            return header
                .iter()
                .try_for_each(|(name, value)| self.header(name, value, batch));
        }
        let (mut name, mut value) = (None, None);
        for (member, node) in header {
            match member.to_ascii_lowercase().as_str() {
                "key" => name = Some(node),
                "value" => value = Some(node),
                _ => return Err(format!("kreplay does not know `{member}` in its headers")),
            }
        }
        match (name, self.bytes) {
            (Some(Value::String(name)), BytesSpelling::HeadersBase64) => {
                let name = batch
                    .push_base64(name)
                    .ok_or("a header's name is not base64")?;
                let value = match value {
                    None | Some(Value::Null) => None,
                    Some(Value::String(text)) => {
                        Some(batch.push_base64(text).ok_or("a header is not base64")?)
                    }
                    Some(_) => return Err("a header is not base64".into()),
                };
                batch.push_header(Header { name, value });
                Ok(())
            }
            (Some(Value::String(name)), _) => {
                self.header(name, value.unwrap_or(&Value::Null), batch)
            }
            _ => Err("a header has no name".into()),
        }
    }

    fn header(&self, name: &str, value: &Value, batch: &mut Batch) -> ForeignResult<()> {
        let name = batch.push_bytes(name.as_bytes());
        let value = match (value, self.bytes) {
            (Value::Array(bytes), BytesSpelling::Base64) => {
                // Java writes bytes from 128 as negative numbers.
                let byte = |node: &Value| match node.as_i64()? {
                    n @ -128..=-1 => u8::try_from(n + 256).ok(),
                    n => u8::try_from(n).ok(),
                };
                let bytes: Option<Vec<u8>> = bytes.iter().map(byte).collect();
                Some(batch.push_bytes(&bytes.ok_or("a header is not a list of bytes")?))
            }
            (value, _) => self.bytes(Some(value), "header", batch)?,
        };
        batch.push_header(Header { name, value });
        Ok(())
    }
}

/// What Redpanda Console saves of a key, a value or a header (its `save-messages-dialog.tsx`): the bytes in
/// base64 if the user asks for raw data, otherwise what it shows. It calls an empty one null.
fn payload_bytes(
    payload: &ToolMembers,
    what: &str,
    batch: &mut Batch,
) -> ForeignResult<Option<Span>> {
    if payload.get("isPayloadNull").is_some_and(|it| it == true) {
        return Ok(None);
    }
    if let Some(Value::String(raw)) = payload.get("rawPayload") {
        let bytes = batch.push_base64(raw);
        return bytes.map(Some).ok_or(format!("its {what} is not base64"));
    }
    let is_cut = payload
        .get("isPayloadTooLarge")
        .is_some_and(|it| it == true);
    match (
        payload.get("encoding").and_then(Value::as_str),
        payload.get("payload"),
    ) {
        (Some("text"), Some(Value::String(text))) if !is_cut => {
            as_long_as(payload.get("size"), text).map(|text| batch.push_bytes(text.as_bytes()))
        }
        _ => None,
    }
    .map(Some)
    .ok_or_else(|| {
        format!(
            "its {what} is decoded or cut, so its bytes are missing; save it with raw data, or \
             {KCAT}"
        )
    })
}

/// The shown text if it has this many bytes: as it is, or encoded once more as JSON, as headers are.
fn as_long_as<'a>(size: Option<&Value>, text: &'a str) -> Option<Cow<'a, str>> {
    let Some(size) = size.and_then(Value::as_u64) else {
        return Some(text.into());
    };
    let is_it = |text: &str| text.len() as u64 == size;
    if is_it(text) {
        return Some(text.into());
    }
    let inside: Option<String> = serde_json::from_str(text).ok();
    inside.filter(|inside| is_it(inside)).map(Cow::Owned)
}

fn topic(node: Option<&Value>, batch: &mut Batch) -> ForeignResult<Option<u32>> {
    let node = match node {
        Some(Value::Object(topic)) => topic.get("name"),
        node => node,
    };
    match node {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) => match NameFault::of(name) {
            Some(fault) => Err(fault.to_string()),
            None => Ok(Some(batch.topic_index_of_name(name))),
        },
        Some(_) => Err("its topic has no name".into()),
    }
}

fn integer(node: Option<&Value>, name: &str) -> ForeignResult<Option<i64>> {
    match node {
        None | Some(Value::Null) => Ok(None),
        Some(node) => match node.as_i64() {
            Some(number) => Ok(Some(number)),
            None => Err(format!("its `{name}` is not an integer")),
        },
    }
}

/// Milliseconds since 1970, from a number or a text; a text without a zone is UTC.
fn time(node: Option<&Value>) -> ForeignResult<Option<i64>> {
    let text = match node {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text,
        node => return integer(node, "timestamp"),
    };
    let with_zone = text.parse::<Timestamp>().ok();
    let time = with_zone.or_else(|| {
        let time: DateTime = text.parse().ok()?;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    });
    match time {
        Some(time) => Ok(Some(time.as_millisecond())),
        None => Err("its timestamp is not a time".into()),
    }
}
