//! A batch as it is sent: its records, and where each was in the source. While librdkafka holds one of them,
//! `cluster/native/produce/lend.rs` keeps all of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Batch;

/// The places of a batch's records in the stream that extraction yields, counted from 0. The same input
/// yields the same positions in every run, whatever order its records are sent in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Positions {
    /// Consecutive positions from here on.
    From(u64),
    /// A position for each record.
    Listed(Vec<u64>),
}

impl Positions {
    pub(crate) fn of(&self, index: usize) -> u64 {
        match self {
            Self::From(first) => first + index as u64,
            Self::Listed(positions) => positions[index],
        }
    }
}

/// Bytes of a batch that one of its records keeps in memory; dropping this releases them.
#[derive(Debug)]
pub(crate) struct Pin {
    bytes: usize,
    pinned: Arc<AtomicUsize>,
}

impl Pin {
    /// Adds `bytes` to what is `pinned`.
    pub(crate) fn new(bytes: usize, pinned: &Arc<AtomicUsize>) -> Self {
        pinned.fetch_add(bytes, Ordering::SeqCst);
        Self {
            bytes,
            pinned: pinned.clone(),
        }
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.pinned.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}

/// A batch, and the places of its records in the source.
#[derive(Debug)]
pub(crate) struct NumberedBatch {
    pub(crate) batch: Batch,
    pub(crate) positions: Positions,
    /// The account of its memory, once the batch is being sent.
    pub(crate) pin: Option<Pin>,
}

impl NumberedBatch {
    /// What a batch costs besides its records: its buffers and places in lists.
    const OVERHEAD: usize = 1 << 10;

    pub(crate) fn new(batch: Batch, positions: Positions) -> Self {
        let pin = None;
        Self {
            batch,
            positions,
            pin,
        }
    }

    /// Bytes of memory.
    pub(crate) fn weight(&self) -> usize {
        self.batch.weight() + Self::OVERHEAD
    }

    /// A batch of only the record at `index`.
    pub(crate) fn alone(&self, index: usize) -> Self {
        let mut batch = Batch::default();
        batch.push_copy(&self.batch, &self.batch.records[index]);
        Self::new(batch, Positions::From(self.positions.of(index)))
    }
}
