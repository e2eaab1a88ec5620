//! Reads a line into a record: kreplay's own lines and those of `kcat -J`, in one pass and without a
//! document.
//!
//! kcat (json.c) writes `ts` and `tstype` for the timestamp, `payload` for the value, and headers as one flat
//! list, which it leaves out if there are none. It writes bytes that are not UTF-8 as they are. That is not
//! JSON, but loses nothing, so kreplay reads such a line if it is kcat's.

use std::fmt;

use memchr::memchr;
use serde::de::DeserializeSeed;

use super::fields::{Earlier, LineFields, LineMember, RecordLineSeed, TimeKind, Writer};
use super::parts::Strings;
use crate::record::select::captured_timestamp_ms;
use crate::record::{Batch, Origin, Record, offsets};

/// Why a line cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordLineError {
    /// The member in which the fault was seen, if it was in one.
    member: Option<LineMember>,
    why: String,
    /// Whether the line is cut off rather than wrong.
    pub(crate) ends_early: bool,
}

impl fmt::Display for RecordLineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.member {
            Some(member) => write!(f, "`{}`: {}", member.name(), self.why),
            None => f.write_str(&self.why),
        }
    }
}

/// Reads one line that is not empty; its record becomes the last one of `batch`. Returns what an earlier run
/// knew about its delivery.
///
/// # Errors
/// Returns why the line cannot be read; the batch is then as it was.
pub(crate) fn read(
    line: &[u8],
    origin: Origin,
    batch: &mut Batch,
) -> Result<Earlier, RecordLineError> {
    let mark = batch.mark();
    let record = match std::str::from_utf8(line) {
        Ok(text) => {
            let json = serde_json::Deserializer::from_str(text);
            read_json(json, line, Strings::Text, batch)
        }
        Err(e) => read_raw(line, e, batch),
    };
    match record {
        Ok(fields) => {
            let capture = fields.captured_ns.map(|time| batch.capture_index(time));
            batch.records.push(Record {
                topic: fields.topic.flatten().or(fields.topic_id.flatten()),
                partition: fields.partition.flatten(),
                offset: fields.offset.flatten().and_then(offsets::known),
                timestamp_ms: match fields.time_kind {
                    TimeKind::Known => fields
                        .timestamp_ms
                        .flatten()
                        .and_then(captured_timestamp_ms),
                    TimeKind::Unknown => None,
                },
                key: fields.key.flatten(),
                value: fields.value.flatten(),
                headers: batch.headers_since(mark),
                origin,
                capture,
            });
            batch.captured_from.extend(fields.captured_from);
            Ok(fields.earlier)
        }
        Err(error) => {
            batch.roll_back(mark);
            Err(error)
        }
    }
}

/// Reads a line that is not UTF-8, which only kcat writes.
fn read_raw(
    line: &[u8],
    error: std::str::Utf8Error,
    batch: &mut Batch,
) -> Result<LineFields, RecordLineError> {
    let not_utf8 = || RecordLineError {
        member: None,
        why: format!("invalid UTF-8 at column {}", error.valid_up_to() + 1),
        ends_early: error.error_len().is_none(),
    };
    if !has_only_yajls_escapes(line) {
        return Err(not_utf8());
    }
    let json = serde_json::Deserializer::from_slice(line);
    let fields = read_json(json, line, Strings::Raw, batch)?;
    match fields.writer {
        Writer::Kcat => Ok(fields),
        Writer::Kreplay => Err(not_utf8()),
    }
}

/// Whether `\u` occurs only before control characters: the surrogates of other writers would turn into bytes
/// that nobody wrote.
fn has_only_yajls_escapes(line: &[u8]) -> bool {
    let mut rest = line;
    while let Some(at) = memchr(b'\\', rest) {
        let escape = &rest[at + 1..];
        if escape.starts_with(b"u") && !escape[1..].starts_with(b"00") && escape.len() > 2 {
            return false;
        }
        rest = escape.get(1..).unwrap_or_default();
    }
    true
}

fn read_json<'de, R: serde_json::de::Read<'de>>(
    mut json: serde_json::Deserializer<R>,
    line: &[u8],
    strings: Strings,
    batch: &mut Batch,
) -> Result<LineFields, RecordLineError> {
    let mut at = None;
    let seed = RecordLineSeed {
        batch,
        strings,
        at: &mut at,
        fields: LineFields::default(),
    };
    let read = seed
        .deserialize(&mut json)
        .and_then(|fields| json.end().map(|()| fields));
    read.map_err(|e| RecordLineError::of_json(&e, at, line))
}

impl RecordLineError {
    /// serde_json's words without its line number, which is always 1 here and would mislead.
    fn of_json(error: &serde_json::Error, member: Option<LineMember>, line: &[u8]) -> Self {
        let text = error.to_string();
        let words = text.split(" at line ").next().unwrap_or_default();
        let line = line.trim_ascii();
        // To serde_json, an escape or a number that is cut is wrong, not an early end.
        let ends_early = error.is_eof() || (line.starts_with(b"{") && !line.ends_with(b"}"));
        Self {
            member: member.filter(|_| !ends_early),
            why: match (ends_early, error.column()) {
                (true, _) => format!("the JSON is cut off after {} bytes", line.len()),
                (false, 0) => words.into(),
                (false, column) => format!("{words} at column {column}"),
            },
            ends_early,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::CapturedFrom;

    fn try_read(line: &[u8]) -> Result<String, String> {
        let mut batch = Batch::default();
        let origin = Origin { input: 0, line: 1 };
        read(line, origin, &mut batch).map_err(|e| e.to_string())?;
        let mut out = Vec::new();
        crate::record::lines::write(&batch, &batch.records[0], &mut out);
        Ok(String::from_utf8(out).expect("JSON is UTF-8").trim().into())
    }

    #[test]
    fn members_come_in_any_order_and_unknown_ones_are_ignored() {
        let line = br#" {"reason":{"why":["x"]},"unknown":true,"headers":[["a",{"base64":"_-8"}]],
            "value_base64":"","offset":null,"topic":"t","topic_id":"4jfhP0BF2SmV6Nl7qrdn9Q"}"#;
        let expected = r#"{"topic":"t","key":null,"value":"","headers":[["a",{"base64":"/+8="}]]}"#;
        assert_eq!(try_read(line).as_deref(), Ok(expected));
    }

    #[test]
    fn a_line_of_kcat_is_understood() {
        let line = br#"{"topic":"o","partition":1,"offset":7,"tstype":"create","ts":1764787375659,"broker":0,"headers":["n","v","n",null],"key":null,"payload":"x\u0000"}"#;
        let expected = r#"{"topic":"o","partition":1,"offset":7,"timestamp":1764787375659,"key":null,"value":"x\u0000","headers":[["n","v"],["n",null]]}"#;
        assert_eq!(try_read(line).as_deref(), Ok(expected));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_read_from_kcat_alone() {
        let line =
            b"{\"headers\":[\"\xff\",\"\xfe\"],\"key\":\"\xfd\\n\",\"payload\":\"\\u0000\xfc\"}";
        let expected = r#"{"key_base64":"/Qo=","value_base64":"APw=","headers":[[{"base64":"/w=="},{"base64":"/g=="}]]}"#;
        assert_eq!(try_read(line).as_deref(), Ok(expected));
        let errors: [&[u8]; 3] = [
            b"{\"value\":\"\xff\"}",
            b"{\"value_base64\":\"\xff\"}",
            b"{\"payload\":\"\xff\\ud800\"}",
        ];
        for line in errors {
            let error = try_read(line).expect_err("it is not kcat's");
            assert!(
                error.starts_with("invalid UTF-8 at column ")
                    || error == "`value_base64`: it is not base64 at column 19",
                "{error}"
            );
        }
    }

    const CASES: &[(&str, &str)] = &[
        (
            r#"{"value":5}"#,
            "`value`: invalid type: integer `5`, expected a string or null at column 10",
        ),
        (
            r#"{"value":{"base64":"YQ=="}}"#,
            "`value`: invalid type: map, expected a string or null at column",
        ),
        (
            r#"{"value":"a","value_base64":"YQ=="}"#,
            "`value_base64`: the line has a second value at column",
        ),
        (
            r#"{"payload":"a","value":"b"}"#,
            "`value`: the line has a second value at column",
        ),
        (
            r#"{"value":null,"value":null}"#,
            "`value`: the line has a second value at column",
        ),
        (
            r#"{"key":"a","key_base64":null,"value":""}"#,
            "`key_base64`: the line has a second key at column",
        ),
        (
            r#"{"ts":1,"timestamp":1,"value":""}"#,
            "`timestamp`: the line has a second timestamp at column",
        ),
        (
            r#"{"value_base64":"a b"}"#,
            "`value_base64`: it is not base64 at column",
        ),
        (r#"{"value":"\ud800"}"#, "`value`: "),
        (r#"{"key":"\udc00x","value":""}"#, "`key`: "),
        (
            r#"{"partition":-1,"value":""}"#,
            "`partition`: a partition is not negative at column",
        ),
        (
            r#"{"partition":"1","value":""}"#,
            "`partition`: invalid type: string \"1\", expected i32 at column",
        ),
        (
            r#"{"offset":1.5,"value":""}"#,
            "`offset`: invalid type: floating point `1.5`, expected i64 at column",
        ),
        (
            r#"{"timestamp":"2025","value":""}"#,
            "`timestamp`: invalid type: string \"2025\", expected i64",
        ),
        (
            r#"{"topic":"","value":""}"#,
            "`topic`: a topic's name is not empty at column",
        ),
        (
            r#"{"topic":7,"value":""}"#,
            "`topic`: invalid type: integer `7`, expected a topic's name at column",
        ),
        (
            r#"{"topic_id":"AAAAAAAAAAAAAAAAAAAAAA","value":""}"#,
            "`topic_id`: it is not a topic id at column",
        ),
        (
            r#"{"headers":{"a":"b"},"value":""}"#,
            "`headers`: invalid type: map, expected a list of headers at column",
        ),
        (
            r#"{"headers":null,"value":""}"#,
            "`headers`: invalid type: null, expected a list of headers at column",
        ),
        (
            r#"{"headers":["a"],"value":""}"#,
            "`headers`: the last name has no value at column",
        ),
        (
            r#"{"headers":[["a"]],"value":""}"#,
            "`headers`: expected a name and a value in each pair at column",
        ),
        (
            r#"{"headers":[[null,"a"]],"value":""}"#,
            "`headers`: expected a name and a value in each pair at column",
        ),
        (
            r#"{"headers":[["a","b","c"]],"value":""}"#,
            "`headers`: a pair has more than a name and a value at column",
        ),
        (
            r#"{"headers":[["a",{"base64":"*"}]],"value":""}"#,
            "`headers`: it is not base64 at column",
        ),
        (
            r#"{"headers":[["a",{"hex":"00"}]],"value":""}"#,
            "`headers`: expected `base64` as the only member at column",
        ),
        (
            r#"{"headers":[5],"value":""}"#,
            "`headers`: invalid type: integer `5`, expected a header's name and value in a list",
        ),
        (
            r#"{"payload":{"a":1},"value_schema_id":3}"#,
            "`payload`: invalid type: map, expected a string or null at column",
        ),
        (
            r#"{"payload":null,"payload_error":"no schema"}"#,
            "`payload_error`: kcat has decoded the record",
        ),
        (
            r#"{"topic":"t","key":"k"}"#,
            "it is not a record: there is no `value`, `value_base64` or `payload` at column",
        ),
        (
            r#"["value"]"#,
            "invalid type: sequence, expected a record as a JSON object",
        ),
        (
            r#"{"value":""}{"value":""}"#,
            "trailing characters at column 13",
        ),
    ];

    #[test]
    fn an_error_names_the_member() {
        for (line, expected) in CASES {
            let error = try_read(line.as_bytes()).expect_err(line);
            assert!(error.starts_with(expected), "{line}: {error}");
        }
    }

    #[test]
    fn a_reject_says_whether_its_record_may_be_in_the_log() {
        let cases = [
            (r#"{"value":"v"}"#, Earlier::NotWritten),
            (
                r#"{"value":"v","outcome":"not_written","reason":"no"}"#,
                Earlier::NotWritten,
            ),
            (r#"{"value":"v","outcome":"unsent"}"#, Earlier::NotWritten),
            (r#"{"outcome":"unknown","value":"v"}"#, Earlier::Unknown),
            (
                r#"{"value":"v","outcome":{"unknown":null}}"#,
                Earlier::NotWritten,
            ),
            (r#"{"value":"v","outcome":null}"#, Earlier::NotWritten),
        ];
        for (line, expected) in cases {
            let origin = Origin { input: 0, line: 1 };
            let read = read(line.as_bytes(), origin, &mut Batch::default());
            assert_eq!(read, Ok(expected), "{line}");
        }
    }

    #[test]
    fn a_reject_names_the_captured_cluster_and_other_members_of_that_name_are_ignored() {
        let broker = || CapturedFrom::Broker("b:1".into());
        let cluster = || CapturedFrom::Cluster("c".into());
        let cases = [
            (r#"{"value":"v"}"#, vec![]),
            (
                r#"{"captured_from":[{"broker":"b:1"},{"cluster":"c"}],"value":"v"}"#,
                vec![broker(), cluster()],
            ),
            (r#"{"value":"v","captured_from":"b:1"}"#, vec![]),
            (r#"{"value":"v","captured_from":[{"rack":"r"}]}"#, vec![]),
        ];
        for (line, expected) in cases {
            let mut batch = Batch::default();
            let origin = Origin { input: 0, line: 1 };
            assert!(read(line.as_bytes(), origin, &mut batch).is_ok(), "{line}");
            assert_eq!(batch.captured_from, expected, "{line}");
        }
    }

    #[test]
    fn a_bad_line_leaves_the_batch_as_it_was() {
        let mut batch = Batch::default();
        let origin = Origin { input: 0, line: 1 };
        let line = br#"{"key":"abc","headers":[["a","b"]],"value":7}"#;
        assert!(read(line, origin, &mut batch).is_err());
        assert_eq!((batch.records.len(), batch.weight()), (0, 0));
    }
}
