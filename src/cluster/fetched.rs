//! Turns a record that kreplay fetched from a broker into a record of a batch.

use super::native::FetchedRecord;
use crate::record::{Batch, Header, Origin, Record};

/// Copies `fetched` into `batch` as a record of `topic`, with `input` and its offset as its origin; returns the
/// bytes of key and value.
pub(crate) fn push(
    batch: &mut Batch,
    topic: &str,
    input: u32,
    fetched: &FetchedRecord<'_>,
) -> usize {
    let mark = batch.mark();
    let topic = Some(batch.topic_index_of_name(topic));
    let key = fetched.key.map(|key| batch.push_bytes(key));
    let value = fetched.value.map(|value| batch.push_bytes(value));
    for (name, value) in &fetched.headers {
        let name = batch.push_bytes(name);
        let value = value.map(|value| batch.push_bytes(value));
        batch.push_header(Header { name, value });
    }
    let headers = batch.headers_since(mark);
    batch.records.push(Record {
        topic,
        partition: Some(fetched.partition),
        offset: Some(fetched.offset),
        timestamp_ms: fetched.timestamp_ms,
        key,
        value,
        headers,
        origin: Origin {
            input,
            line: fetched.offset.unsigned_abs(),
        },
        capture: None,
    });
    let len = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
    len(fetched.key) + len(fetched.value)
}
