//! The test harness: a real Apache Kafka, topics with a plain reader, and the kreplay binary under a time limit.
//!
//! Apart from the tests so that each of them says only what it is about. `kafka` and `topics`
//! need nothing of cargo's test environment, so that `examples/broker.rs` shares them.
#![allow(dead_code, reason = "each test file uses a part of the harness")]

pub(crate) mod kafka;
pub(crate) mod paths;
pub(crate) mod readback;
pub(crate) mod run;
pub(crate) mod topics;
