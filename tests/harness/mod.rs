//! The test harness: a real Apache Kafka, a proxy before it, topics with a plain reader, the kreplay binary
//! under a time limit, and the verdict over its report.
//!
//! The tests use it so that each of them says only what it is about. `kafka` and `topics` need nothing of cargo's
//! test environment, so that `tools/broker` shares them.
#![allow(dead_code, reason = "each test binary uses a part of the harness")]

pub(crate) mod capture;
pub(crate) mod faults;
pub(crate) mod kafka;
pub(crate) mod paths;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod topics;
pub(crate) mod verdict;

/// A cluster in this process, which librdkafka simulates.
pub(crate) type MockKafka =
    rdkafka::mocking::MockCluster<'static, rdkafka::producer::DefaultProducerContext>;
