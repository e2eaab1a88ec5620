//! A batch as it is sent: its records, and where each was in the source. As long as librdkafka holds
//! one of them, `native/lend.rs` keeps all of it.

use super::budget::Pin;
use super::order::Positions;
use crate::record::Batch;

/// A batch, and where its records stood in the source.
#[derive(Debug)]
pub(super) struct NumberedBatch {
    pub(super) batch: Batch,
    pub(super) positions: Positions,
    /// The account of its memory, once it is being sent.
    pub(super) pin: Option<Pin>,
}

impl NumberedBatch {
    /// What a batch costs besides its records: its buffers and places in lists.
    const OVERHEAD: usize = 1 << 10;

    pub(super) fn new(batch: Batch, positions: Positions) -> Self {
        let pin = None;
        Self {
            batch,
            positions,
            pin,
        }
    }

    /// Bytes of memory.
    pub(super) fn weight(&self) -> usize {
        self.batch.weight() + Self::OVERHEAD
    }

    /// A batch of the record at `index` alone.
    pub(super) fn alone(&self, index: usize) -> Self {
        let mut batch = Batch::default();
        batch.push_copy(&self.batch, &self.batch.records[index]);
        Self::new(batch, Positions::From(self.positions.of(index)))
    }
}
