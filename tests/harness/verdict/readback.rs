//! Reads back what is in a topic's log with a plain consumer.
//!
//! It shares no code with kreplay's own client: what a test sees must not depend on the code it tests.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Headers, Message, Timestamp};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// The longest that a reading may take unless a test says otherwise.
const LIMIT: Duration = Duration::from_secs(30);

/// One record as it is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoggedRecord {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp_type: TimestampType,
    /// Milliseconds since 1970; -1 when the record has no timestamp.
    pub(crate) timestamp_ms: i64,
    /// `None` is a null key; an empty key is `Some`.
    pub(crate) key: Option<Vec<u8>>,
    /// `None` is a tombstone; an empty value is `Some`.
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

impl LoggedRecord {
    /// The value as text.
    ///
    /// # Panics
    /// Panics if it is null or not UTF-8.
    pub(crate) fn text(&self) -> &str {
        let value = self.value.as_deref().expect("the test expects a value");
        std::str::from_utf8(value).expect("the test expects text")
    }
}

/// What a record's timestamp means (`message.timestamp.type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimestampType {
    None,
    CreateTime,
    LogAppendTime,
}

/// Reads everything that a topic held when the call began, ordered by partition and offset.
///
/// Records of open and aborted transactions are read too: the log is shown as it is.
pub(crate) fn read(bootstrap: &str, topic: &str) -> Result<Vec<LoggedRecord>, String> {
    read_within(bootstrap, topic, LIMIT)
}

/// Does what [`read`] does, with another time limit.
///
/// # Errors
/// Returns an error if the limit passes before the end of every partition is reached; nothing is returned then.
pub(crate) fn read_within(
    bootstrap: &str,
    topic: &str,
    limit: Duration,
) -> Result<Vec<LoggedRecord>, String> {
    let mut seen = Vec::new();
    scan(bootstrap, topic, limit, |message| {
        seen.push(observe(message));
    })?;
    seen.sort_by_key(|record| (record.partition, record.offset));
    Ok(seen)
}

/// Shows each record that a topic held when the call began, a partition's in the order of its log;
/// for logs that are too large to be kept.
///
/// # Errors
/// Returns an error if the limit passes before the end of every partition is reached.
pub(crate) fn scan(
    bootstrap: &str,
    topic: &str,
    limit: Duration,
    mut each: impl FnMut(&BorrowedMessage<'_>),
) -> Result<(), String> {
    let deadline = Instant::now() + limit;
    let consumer = reader(bootstrap)?;
    let mut ends = Vec::new();
    let mut assignment = TopicPartitionList::new();
    for (partition, low, high) in bounds(&consumer, topic, deadline)? {
        if low < high {
            assignment
                .add_partition_offset(topic, partition, Offset::Offset(low))
                .map_err(|error| format!("cannot assign {topic}/{partition}: {error}"))?;
            ends.push((partition, high));
        }
    }
    if ends.is_empty() {
        return Ok(());
    }
    consumer
        .assign(&assignment)
        .map_err(|error| format!("cannot assign `{topic}`: {error}"))?;
    collect(&consumer, ends, deadline, &mut each)
        .map_err(|why| format!("cannot read `{topic}`: {why}"))
}

/// Counts the offsets that a topic holds, transaction markers included: high minus low watermarks.
pub(crate) fn count(bootstrap: &str, topic: &str) -> Result<i64, String> {
    let consumer = reader(bootstrap)?;
    let bounds = bounds(&consumer, topic, Instant::now() + LIMIT)?;
    Ok(bounds.into_iter().map(|(_, low, high)| high - low).sum())
}

/// Finds the partitions of a topic, each with the offset that its next record gets.
pub(crate) fn ends(bootstrap: &str, topic: &str) -> Result<Vec<(i32, i64)>, String> {
    let consumer = reader(bootstrap)?;
    let bounds = bounds(&consumer, topic, Instant::now() + LIMIT)?;
    let ends = bounds
        .into_iter()
        .map(|(partition, _, high)| (partition, high));
    let mut ends: Vec<(i32, i64)> = ends.collect();
    ends.sort_unstable();
    Ok(ends)
}

/// Finds the partitions of a topic, each with its low and high watermark.
fn bounds(
    consumer: &BaseConsumer,
    topic: &str,
    deadline: Instant,
) -> Result<Vec<(i32, i64, i64)>, String> {
    let partitions = insist(deadline, || partitions(consumer, topic, deadline))
        .map_err(|error| format!("cannot read the metadata of `{topic}`: {error}"))?;
    let bounds = partitions.into_iter().map(|partition| {
        let watermarks = || consumer.fetch_watermarks(topic, partition, left(deadline));
        insist(deadline, watermarks)
            .map(|(low, high)| (partition, low, high))
            .map_err(|error| format!("cannot read the end of {topic}/{partition}: {error}"))
    });
    bounds.collect()
}

fn partitions(consumer: &BaseConsumer, topic: &str, deadline: Instant) -> KafkaResult<Vec<i32>> {
    let metadata = consumer.fetch_metadata(Some(topic), left(deadline))?;
    let known = metadata.topics().iter().find(|known| known.name() == topic);
    let known = known.ok_or(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopic))?;
    if let Some(error) = known.error() {
        return Err(KafkaError::MetadataFetch(error.into()));
    }
    Ok(known.partitions().iter().map(|found| found.id()).collect())
}

/// Repeats a request while its error may pass by itself, as it does after a restart of the broker.
fn insist<T>(deadline: Instant, mut request: impl FnMut() -> KafkaResult<T>) -> KafkaResult<T> {
    loop {
        match request() {
            Err(error) if is_transient(&error) && !left(deadline).is_zero() => {
                thread::sleep(Duration::from_millis(20));
            }
            result => return result,
        }
    }
}

/// Polls until each partition is read up to its end, given as (partition, high watermark).
fn collect(
    consumer: &BaseConsumer,
    mut ends: Vec<(i32, i64)>,
    deadline: Instant,
    each: &mut dyn FnMut(&BorrowedMessage<'_>),
) -> Result<(), String> {
    let mut seen = 0_u64;
    while !ends.is_empty() {
        let wait = left(deadline);
        if wait.is_zero() {
            let missing: Vec<String> = ends
                .iter()
                .map(|(p, high)| format!("{p} to {high}"))
                .collect();
            return Err(format!(
                "out of time after {seen} records; unfinished partitions: {}",
                missing.join(", ")
            ));
        }
        match consumer.poll(wait.min(Duration::from_millis(100))) {
            None => {}
            Some(Ok(message)) => {
                let (partition, next) = (message.partition(), message.offset() + 1);
                let end = ends.iter().find(|(known, _)| *known == partition);
                // Records written after the call began are not part of the answer.
                if let Some(&(_, high)) = end {
                    if next <= high {
                        seen += 1;
                        each(&message);
                    }
                    ends.retain(|&(known, _)| known != partition || next < high);
                }
            }
            // The last offsets may be transaction markers or compacted away: no record reaches the end.
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                ends.retain(|&(known, _)| known != partition);
            }
            Some(Err(error)) if is_transient(&error) => {}
            Some(Err(error)) => return Err(error.to_string()),
        }
    }
    Ok(())
}

/// Whether an error may pass by itself: librdkafka reconnects, leaders come back.
fn is_transient(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::LeaderNotAvailable
        )
    )
}

fn observe(message: &BorrowedMessage<'_>) -> LoggedRecord {
    let (timestamp_type, timestamp_ms) = match message.timestamp() {
        Timestamp::NotAvailable => (TimestampType::None, -1),
        Timestamp::CreateTime(ms) => (TimestampType::CreateTime, ms),
        Timestamp::LogAppendTime(ms) => (TimestampType::LogAppendTime, ms),
    };
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    LoggedRecord {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp_type,
        timestamp_ms,
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers
            .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
            .collect(),
    }
}

/// A consumer that joins no group. librdkafka still requires `group.id` before it assigns.
fn reader(bootstrap: &str) -> Result<BaseConsumer, String> {
    ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "kreplay-test-reader")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", "read_uncommitted")
        // A gap must be an error, never a silent jump to the end.
        .set("auto.offset.reset", "error")
        .set("check.crcs", "true")
        .set("fetch.wait.max.ms", "10")
        .set("fetch.queue.backoff.ms", "5")
        .set("reconnect.backoff.ms", "20")
        .set("reconnect.backoff.max.ms", "200")
        .create()
        .map_err(|error| format!("cannot make a Kafka consumer: {error}"))
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}
