//! What is put in order, and how. Apart because the window gives batches and the receiving end hands them
//! on.

use crate::record::in_flight::NumberedBatch;
use crate::report::{Problems, Tally};

/// Records that may wait for others to come before them: some Fetches of several consumers.
pub(super) const MOST_RECORDS: usize = 32 << 10;
/// Bytes of them.
pub(super) const MOST_BYTES: usize = 8 << 20;

/// Whether records are put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By offset within each captured partition.
    ByOffset,
    /// As captured: where every copy of a record is wanted, going back is part of it.
    AsCaptured,
}

/// Records that are to be sent next, in order.
#[derive(Debug)]
pub(in crate::produce) struct OrderedBatch {
    pub(in crate::produce) numbered: NumberedBatch,
    /// What extraction counted.
    pub(in crate::produce) tally: Tally,
    /// Records of the batch that come too late to be in order.
    pub(in crate::produce) problems: Problems,
    /// Of each record the captured partition, by a number; none where records are not timed.
    pub(in crate::produce) partitions: Vec<u32>,
}
