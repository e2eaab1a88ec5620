//! How a timed replay kept its time: what was asked for and reached, how late records were, and what
//! the capture's own times were like.

pub(super) mod json;
mod text;

use std::time::Duration;

/// Times of records, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Latency {
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// How a timed replay kept its time.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Pacing {
    /// Seconds of the capture per second; `None` for as fast as the cluster takes records.
    pub speed: Option<Achieved>,
    /// Records a second.
    pub rate: Option<Achieved>,
    /// Bytes a second.
    pub byte_rate: Option<Achieved>,
    /// The lag of a consumer group that was held.
    pub max_lag: Option<u64>,
    /// What kept records from going when they were due; `None` if they did.
    pub limited_by: Option<SlowedBy>,
    /// Pauses that were cut.
    pub gaps: u64,
    /// How much of the capture's time was cut.
    pub gaps_cut: Duration,
    /// Records that were due with an earlier one of their partition, or with the first of all, because their time
    /// is before its.
    pub clamped: u64,
    /// Records without a time, due with the one before them.
    pub untimed: u64,
    /// Times that are more than a year from the one before.
    pub jumps: u64,
    /// Sent minus due, of records that were acknowledged.
    pub lateness: Option<Latency>,
    /// Acknowledged minus due.
    pub response: Option<Latency>,
}

/// The value asked for, and the value reached.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Achieved {
    /// As the user gave it.
    pub asked: f64,
    /// `None` if too few records were sent.
    pub reached: Option<f64>,
}

/// What made a replay slower than it was asked to be, by the longest wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlowedBy {
    /// `--rate` or `--byte-rate`, which allow less than the speed asks for.
    Rate,
    /// The source gave records too late.
    Input,
    /// The window of what may be in flight was full at its widest.
    InFlight,
    /// The cluster took so long to answer that less could be in flight.
    Cluster,
    /// kreplay itself was busy.
    Kreplay,
}
