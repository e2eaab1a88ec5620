//! What a cluster says about its brokers and topics, copied from librdkafka.

use std::ffi::c_int;

use rdkafka::bindings as c;

use super::ffi::code::Code;
use super::ffi::owned::text;
use super::ffi::raw;

/// The answer to a request for metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) brokers: Vec<Broker>,
    pub(crate) topics: Vec<TopicMetadata>,
}

/// A broker as the cluster advertises it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broker {
    pub(crate) id: i32,
    pub(crate) host: String,
    pub(crate) port: i32,
}

/// A topic that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicMetadata {
    pub(crate) name: String,
    /// Why the cluster says nothing about it.
    pub(crate) code: Code,
    pub(crate) partitions: Vec<PartitionMetadata>,
}

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartitionMetadata {
    /// How many brokers should hold it.
    pub(crate) replicas: usize,
}

impl Metadata {
    /// A copy of `metadata`.
    ///
    /// # Safety
    /// `metadata` must be an answer of rd_kafka_metadata that outlives the call.
    pub(super) unsafe fn copy(metadata: *const c::rd_kafka_metadata) -> Self {
        // Fields are read through pointers: references would claim that error codes are of an enum.
        // SAFETY: as the caller promises; each list has as many elements as its count says, and each
        // text ends with a NUL. librdkafka.h, struct rd_kafka_metadata.
        unsafe {
            let brokers = (*metadata).brokers;
            let broker = |i| {
                let broker = brokers.add(i);
                Broker {
                    id: (*broker).id,
                    host: text((*broker).host),
                    port: (*broker).port,
                }
            };
            let topics = (*metadata).topics;
            let topic = |i| {
                let topic = topics.add(i);
                let partitions = (*topic).partitions;
                let partition = |i| PartitionMetadata {
                    replicas: length((*partitions.add(i)).replica_cnt),
                };
                TopicMetadata {
                    name: text((*topic).topic),
                    code: Code::from_raw(raw::code_at(&raw const (*topic).err)),
                    partitions: (0..length((*topic).partition_cnt)).map(partition).collect(),
                }
            };
            Self {
                brokers: (0..length((*metadata).broker_cnt)).map(broker).collect(),
                topics: (0..length((*metadata).topic_cnt)).map(topic).collect(),
            }
        }
    }
}

fn length(count: c_int) -> usize {
    usize::try_from(count).unwrap_or_default()
}
