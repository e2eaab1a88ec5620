//! librdkafka's C API behind safe functions. This is the only folder in which `unsafe` is allowed. Every
//! safe function is sound whatever the caller does: Rust objects own what C keeps (`lend.rs`), and what C
//! says stays an integer until it is known (`code.rs`).
//!
//! | question | file |
//! |---|---|
//! | a client, its queue of events and its requests for metadata | `client/`, `produce/event.rs`, `metadata.rs` |
//! | how partitions are read | `fetch.rs` |
//! | how a record is handed over, and what keeps its bytes alive | `produce/` |
//! | requests to the cluster besides those that carry records | `admin/` |
//! | error codes | `ffi/code.rs`, `ffi/raw.rs` |
//! | objects, texts and versions of C | `ffi/owned.rs` |
#![allow(unsafe_code, reason = "librdkafka's C API, see each call")]

pub(crate) mod admin;
mod client;
mod fetch;
mod ffi;
mod metadata;
pub(crate) mod produce;
#[cfg(test)]
mod tests;

pub(crate) use self::admin::{groups, offsets, topic_ids};
pub(crate) use self::client::{Client, MockBrokers, Token};
pub(crate) use self::fetch::{FetchQueue, Fetched, FetchedRecord};
pub(crate) use self::ffi::code::Code;
pub(crate) use self::ffi::owned::{keep_descriptors, linked_versions, most_descriptors};
pub(crate) use self::metadata::{Metadata, TopicMetadata};
pub(crate) use self::produce::event::{Delivery, DeliveryFailure, Event, Persisted};
pub(crate) use self::produce::lend::{InFlightBatch, InFlightRecord};
pub(crate) use self::produce::{Outgoing, TopicHandle, UNASSIGNED, murmur2_partition, produce};
