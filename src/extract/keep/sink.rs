//! Where all readers put what they find: a batch that is handed over whenever the reader would
//! otherwise wait, and the counts that go with it.

use crate::record::channel::{Closed, Sender, SourceBatch};
use crate::record::{Batch, Origin};
use crate::report::{Tally, What};

/// Records in a portion at which it is handed over early.
const MOST_RECORDS: usize = 8192;
/// Bytes in a portion at which it is handed over early.
const MOST_BYTES: usize = 1 << 20;

/// A portion being filled.
pub(in crate::extract) struct Sink<'a> {
    pub(in crate::extract) batch: Batch,
    pub(in crate::extract) tally: Tally,
    sender: &'a Sender,
}

impl<'a> Sink<'a> {
    pub(in crate::extract) fn new(sender: &'a Sender) -> Self {
        Self {
            batch: Batch::default(),
            tally: Tally::default(),
            sender,
        }
    }

    /// Counts a line, row or record that cannot be read.
    pub(in crate::extract) fn unreadable(
        &mut self,
        what: What,
        origin: Origin,
        why: impl FnOnce() -> String,
    ) {
        self.tally.found += 1;
        self.tally.unreadable += 1;
        self.tally.problems.add(what, origin, why);
    }

    /// Hands over when there is enough.
    pub(in crate::extract) fn flush_if_full(&mut self) -> Result<(), Closed> {
        if self.batch.records.len() >= MOST_RECORDS || self.batch.weight() >= MOST_BYTES {
            return self.flush();
        }
        Ok(())
    }

    /// Hands over what there is.
    pub(in crate::extract) fn flush(&mut self) -> Result<(), Closed> {
        let portion = SourceBatch {
            batch: self.batch.hand_over(),
            tally: std::mem::take(&mut self.tally),
        };
        self.sender.send(portion)
    }
}
