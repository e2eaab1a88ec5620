//! A record, and the batch in which it travels. This module is separate from both halves because they hand it to each
//! other: extraction fills batches, production empties them.

mod batch;
pub(crate) mod channel;
pub(crate) mod lines;
pub(crate) mod offsets;
pub(crate) mod select;
pub(crate) mod substitutes;
mod topic;
pub(crate) mod uuid;

use serde::{Deserialize, Serialize};

pub(crate) use self::batch::{Batch, Mark, MissingFields, captured, in_flight};
pub(crate) use self::topic::{CapturedTopic, MOST_CREATED_PARTITIONS, NameFault, TopicId};

/// A place in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Origin {
    /// Index into the names of the run's inputs.
    pub input: u32,
    /// Line (RRPairs) or row's first line (CSV), counted from 1; 0 is the input as a whole.
    pub line: u64,
}

/// A run of bytes in the buffer of its [`Batch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

/// One captured record; its bytes are in the batch.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Index into [`Batch::topics`]; `None` if the capture does not say.
    pub(crate) topic: Option<u32>,
    pub(crate) partition: Option<i32>,
    pub(crate) offset: Option<i64>,
    /// Milliseconds since 1970, as Kafka's `CreateTime` or `LogAppendTime`.
    pub(crate) timestamp_ms: Option<i64>,
    pub(crate) key: Option<Span>,
    /// `None` is a tombstone (null value).
    pub(crate) value: Option<Span>,
    pub(crate) headers: Headers,
    pub(crate) origin: Origin,
    /// Which of the batch's capture times is the record's, see [`Batch::captured_ns`].
    pub(crate) capture: Option<u32>,
}

/// The headers of one record: a range of its batch's headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Headers {
    start: u32,
    end: u32,
}

/// One header; names may repeat and their order counts (Kafka protocol guide, Record Header).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) name: Span,
    pub(crate) value: Option<Span>,
}

/// A sign by which the captured cluster is recognised.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CapturedFrom {
    /// The `host:port` of one of its brokers.
    Broker(String),
    /// Its id.
    Cluster(String),
}
