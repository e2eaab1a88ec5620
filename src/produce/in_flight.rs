//! A batch as it is sent: its records, and where each was in the source. As long as librdkafka holds
//! one of them, `native/lend.rs` keeps all of it.

use super::order::Positions;
use crate::record::Batch;

/// A batch, and where its records stood in the source.
#[derive(Debug)]
pub(super) struct NumberedBatch {
    pub(super) batch: Batch,
    pub(super) positions: Positions,
}
