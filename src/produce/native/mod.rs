//! librdkafka's C API behind safe functions; the only folder in which `unsafe` is allowed. What is
//! safe to call from outside stays sound whatever the caller does: what C keeps is owned by it
//! (`lend.rs`), and what C says is an integer until it is known (`code.rs`).
//!
//! | question | file |
//! |---|---|
//! | the producer, its queue of events and its questions for metadata | `client.rs`, `event.rs`, `metadata.rs` |
//! | how a record is handed over, and what keeps its bytes alive | `produce.rs`, `lend.rs` |
//! | questions to the cluster beside the records | `admin.rs`, `groups.rs`, `topic_ids.rs` |
//! | error codes | `code.rs`, `raw.rs` |
//! | objects and texts of C | `owned.rs` |
#![allow(unsafe_code, reason = "librdkafka's C API, see each call")]

pub(super) mod admin;
mod client;
mod code;
mod event;
pub(super) mod groups;
mod lend;
mod metadata;
mod owned;
mod produce;
mod raw;
pub(super) mod topic_ids;

pub(super) use client::{Client, Mock};
pub(super) use code::Code;
pub(super) use event::{Delivery, Event, Failure, Persisted};
pub(super) use lend::{InFlightBatch, InFlightRecord};
pub(super) use metadata::{Metadata, TopicMetadata};
pub(super) use produce::{Outgoing, TopicHandle, UNASSIGNED, murmur2_partition, produce};

#[cfg(test)]
mod tests;
