//! Writes a record as its line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::record::{Batch, CapturedFrom, CapturedTopic, Header, Record, captured};

/// Appends `record` of `batch` to `out` as a record line with its line end.
pub(crate) fn write(batch: &Batch, record: &Record, out: &mut Vec<u8>) {
    push_record(batch, record, out);
    out.extend_from_slice(b"}\n");
}

/// Appends a record that was found and not delivered, with its outcome, by the name in the report's ledger, and the
/// reason. `captured_from` are the signs of the captured cluster that no line before has.
pub(crate) fn write_reject(
    batch: &Batch,
    record: &Record,
    captured_from: &[CapturedFrom],
    (outcome, reason): (&str, &str),
    out: &mut Vec<u8>,
) {
    push_record(batch, record, out);
    out.push(b',');
    if !captured_from.is_empty() {
        push_member(out, "\"captured_from\":", captured_from);
    }
    push_member(out, "\"outcome\":", outcome);
    out.extend_from_slice(b"\"reason\":");
    push_json(out, reason);
    out.extend_from_slice(b"}\n");
}

/// Writes everything except for the end of the object.
fn push_record(batch: &Batch, record: &Record, out: &mut Vec<u8>) {
    out.push(b'{');
    match batch.topic(record) {
        Some(CapturedTopic::Name(name)) => push_member(out, "\"topic\":", name.as_str()),
        Some(CapturedTopic::Id(id)) => push_member(out, "\"topic_id\":", &id.to_string()),
        None => {}
    }
    if let Some(partition) = record.partition {
        push_member(out, "\"partition\":", &partition);
    }
    if let Some(offset) = record.offset {
        push_member(out, "\"offset\":", &offset);
    }
    if let Some(timestamp_ms) = record.timestamp_ms {
        push_member(out, "\"timestamp\":", &timestamp_ms);
    }
    if let Some(time_ns) = batch.captured_ns(record) {
        out.extend_from_slice(b"\"captured\":\"");
        captured::write(time_ns, out);
        out.extend_from_slice(b"\",");
    }
    if record.key.is_some() || !batch.not_captured.keys {
        let names = ["\"key\":", "\"key_base64\":"];
        push_bytes_member(out, names, record.key.map(|key| batch.slice(key)));
    }
    let names = ["\"value\":", "\"value_base64\":"];
    push_bytes_member(out, names, record.value.map(|value| batch.slice(value)));
    let headers = batch.headers(record);
    if headers.is_empty() && batch.not_captured.headers {
        // Every member before it has left a comma.
        out.pop();
        return;
    }
    out.extend_from_slice(b"\"headers\":[");
    for (i, Header { name, value }) in headers.iter().enumerate() {
        out.extend_from_slice(if i > 0 { b",[" } else { b"[" });
        push_header_part(out, Some(batch.slice(*name)));
        out.push(b',');
        push_header_part(out, value.map(|value| batch.slice(value)));
        out.push(b']');
    }
    out.push(b']');
}

/// Appends a member whose name is already JSON, and a comma.
fn push_member<T: Serialize + ?Sized>(out: &mut Vec<u8>, name: &str, value: &T) {
    out.extend_from_slice(name.as_bytes());
    push_json(out, value);
    out.push(b',');
}

fn push_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("a string or an integer always fits into a Vec");
}

/// Appends a member under the first of `names` (already JSON), or under the second for bytes that are not
/// UTF-8, and a comma.
fn push_bytes_member(out: &mut Vec<u8>, names: [&str; 2], bytes: Option<&[u8]>) {
    match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => push_member(out, names[0], &()),
        Some((_, Ok(text))) => push_member(out, names[0], text),
        Some((bytes, Err(_))) => {
            out.extend_from_slice(names[1].as_bytes());
            push_base64(out, bytes);
            out.push(b',');
        }
    }
}

fn push_header_part(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => push_json(out, &()),
        Some((_, Ok(text))) => push_json(out, text),
        Some((bytes, Err(_))) => {
            out.extend_from_slice(b"{\"base64\":");
            push_base64(out, bytes);
            out.push(b'}');
        }
    }
}

/// Appends `bytes` as a string of base64, standard alphabet and padded.
fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    STANDARD
        .encode_slice(bytes, &mut out[start..])
        .expect("every 3 bytes begun become 4");
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Headers, Origin, TopicId};

    fn bare() -> Record {
        Record {
            topic: None,
            partition: None,
            offset: None,
            timestamp_ms: None,
            key: None,
            value: None,
            headers: Headers::default(),
            origin: Origin { input: 0, line: 1 },
            capture: None,
        }
    }

    fn text(batch: &Batch, record: &Record) -> String {
        let mut out = Vec::new();
        write(batch, record, &mut out);
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    #[test]
    fn unknown_fields_are_omitted_and_null_ones_written() {
        let expected = "{\"key\":null,\"value\":null,\"headers\":[]}\n";
        assert_eq!(text(&Batch::default(), &bare()), expected);
    }

    #[test]
    fn a_reject_is_a_record_line_with_an_outcome_and_a_reason() {
        let mut out = Vec::new();
        let outcome = ("unknown", "timed \"out\"");
        write_reject(&Batch::default(), &bare(), &[], outcome, &mut out);
        let expected = "{\"key\":null,\"value\":null,\"headers\":[],\"outcome\":\"unknown\",\
                        \"reason\":\"timed \\\"out\\\"\"}\n";
        assert_eq!(String::from_utf8(out).as_deref(), Ok(expected));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_written_as_base64() {
        let mut batch = Batch::default();
        let mark = batch.mark();
        let odd = batch.push_bytes(b"\xff\xfe");
        let even = batch.push_bytes("a\"\u{2028}\0".as_bytes());
        let pairs = [(even, Some(odd)), (odd, Some(even)), (even, None)];
        for (name, value) in pairs {
            batch.push_header(Header { name, value });
        }
        let id = TopicId::parse("4jfhP0BF2SmV6Nl7qrdn9Q==").expect("it is one");
        let record = Record {
            topic: Some(batch.topic_index(&CapturedTopic::Id(id))),
            partition: Some(3),
            offset: Some(12),
            timestamp_ms: Some(1_764_787_375_659),
            key: Some(odd),
            value: Some(even),
            headers: batch.headers_since(mark),
            ..bare()
        };
        assert_eq!(
            text(&batch, &record),
            "{\"topic_id\":\"4jfhP0BF2SmV6Nl7qrdn9Q\",\"partition\":3,\"offset\":12,\
             \"timestamp\":1764787375659,\"key_base64\":\"//4=\",\
             \"value\":\"a\\\"\u{2028}\\u0000\",\
             \"headers\":[[\"a\\\"\u{2028}\\u0000\",{\"base64\":\"//4=\"}],\
             [{\"base64\":\"//4=\"},\"a\\\"\u{2028}\\u0000\"],[\"a\\\"\u{2028}\\u0000\",null]]}\n"
        );
    }
}
