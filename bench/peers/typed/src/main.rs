//! Reads Fetch responses of RRPair lines into structs with serde_json, the way one writes it by hand
//! for the one documented shape, and counts records and the bytes of their keys and values. One
//! thread, kreplay's allocator.

use std::fs::File;
use std::io::{BufRead, BufReader};

use serde::Deserialize;
use serde::de::{Deserializer, Error};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As kreplay reads.
const BUFFER: usize = 256 << 10;

#[derive(Deserialize)]
struct RrPair {
    command: String,
    kafka: Kafka,
}

#[derive(Deserialize)]
struct Kafka {
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    fetch_response: Option<FetchResponse>,
}

#[derive(Deserialize)]
struct FetchResponse {
    #[serde(default)]
    topics: Vec<Topic>,
}

#[derive(Deserialize)]
struct Topic {
    name: String,
    #[serde(default)]
    partitions: Vec<Partition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Partition {
    #[serde(default)]
    partition_index: i32,
    records: Option<RecordBatch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordBatch {
    #[serde(default, deserialize_with = "integer")]
    base_offset: i64,
    #[serde(default, deserialize_with = "integer")]
    base_timestamp: i64,
    #[serde(default, deserialize_with = "integer")]
    max_timestamp: i64,
    #[serde(default)]
    attributes: Vec<String>,
    #[serde(default)]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(default)]
    offset_delta: i64,
    #[serde(default, deserialize_with = "integer")]
    timestamp_delta: i64,
    key_string: Option<String>,
    value_string: Option<String>,
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    key: String,
    value_string: Option<String>,
}

/// A 64-bit integer, which protobuf's JSON mapping writes as a string.
fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(D::Error::custom)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut records, mut bytes, mut check) = (0_u64, 0_usize, 0_i64);
    for path in std::env::args_os().skip(1) {
        let mut lines = BufReader::with_capacity(BUFFER, File::open(path)?);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            let pair: RrPair = serde_json::from_slice(&line)?;
            line.clear();
            let fetch = Some(pair.kafka.response).filter(|_| pair.command == "Fetch");
            let topics = fetch.and_then(|response| response.fetch_response);
            for topic in topics.into_iter().flat_map(|fetch| fetch.topics) {
                for partition in topic.partitions {
                    check ^= i64::from(partition.partition_index) ^ topic.name.len() as i64;
                    let Some(batch) = partition.records else {
                        continue;
                    };
                    check ^= batch.max_timestamp ^ batch.attributes.len() as i64;
                    for record in batch.records {
                        records += 1;
                        check ^= batch.base_offset + record.offset_delta;
                        check ^= batch.base_timestamp + record.timestamp_delta;
                        bytes += record.key_string.map_or(0, |key| key.len());
                        bytes += record.value_string.map_or(0, |value| value.len());
                        for header in record.headers {
                            bytes += header.key.len();
                            bytes += header.value_string.map_or(0, |value| value.len());
                        }
                    }
                }
            }
        }
    }
    std::hint::black_box(check);
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    println!(
        "{records} records, {bytes} bytes; {}",
        peak.unwrap_or_default()
    );
    Ok(())
}
