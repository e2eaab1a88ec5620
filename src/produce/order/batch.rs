//! What to put in order, and how. This file is separate because the window creates batches and the receiving
//! end passes them on.

use crate::record::in_flight::NumberedBatch;
use crate::report::{Problems, Tally};

/// How many records may wait for others to come before them: some Fetches of several consumers.
pub(super) const MOST_RECORDS: usize = 32 << 10;
/// The bytes of those records.
pub(super) const MOST_BYTES: usize = 8 << 20;

/// Whether to put records in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By offset within each captured partition.
    ByOffset,
    /// As captured: a user who wants every copy of a record also wants the offsets to go back.
    AsCaptured,
}

/// Records to send next, in order.
#[derive(Debug)]
pub(in crate::produce) struct OrderedBatch {
    pub(in crate::produce) numbered: NumberedBatch,
    /// What extraction counted.
    pub(in crate::produce) tally: Tally,
    /// Records of the batch that come too late to be in order.
    pub(in crate::produce) problems: Problems,
    /// The captured partition of each record, by a number; `None` if records are not timed.
    pub(in crate::produce) partitions: Vec<u32>,
}
