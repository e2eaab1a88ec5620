//! librdkafka's C API behind safe functions; the only folder in which `unsafe` is allowed. What is
//! safe to call from outside stays sound whatever the caller does: what C keeps is owned by it
//! (`lend.rs`), and what C says is an integer until it is known (`code.rs`).
//!
//! | question | file |
//! |---|---|
//! | a client, its queue of events and its questions for metadata | `client.rs`, `event.rs`, `metadata.rs` |
//! | how partitions are read | `fetch.rs` |
//! | how a record is handed over, and what keeps its bytes alive | `produce.rs`, `lend.rs` |
//! | questions to the cluster beside the records | `admin.rs`, `groups.rs`, `topic_ids.rs` |
//! | error codes | `code.rs`, `raw.rs` |
//! | objects and texts of C | `owned.rs` |
#![allow(unsafe_code, reason = "librdkafka's C API, see each call")]

pub(crate) mod admin;
mod client;
mod code;
mod event;
mod fetch;
pub(crate) mod groups;
mod lend;
mod metadata;
mod owned;
pub(crate) mod produce;
mod raw;
#[cfg(test)]
mod tests;
pub(crate) mod topic_ids;

pub(crate) use self::client::{Client, Mock, Token};
pub(crate) use self::code::Code;
pub(crate) use self::event::{Delivery, DeliveryFailure, Event, Persisted};
pub(crate) use self::fetch::{FetchQueue, Fetched, FetchedRecord, LogRange};
pub(crate) use self::lend::{InFlightBatch, InFlightRecord};
pub(crate) use self::metadata::{Metadata, TopicMetadata};
pub(crate) use self::owned::keep_descriptors;
pub(crate) use self::produce::{Outgoing, TopicHandle, UNASSIGNED, murmur2_partition, produce};
