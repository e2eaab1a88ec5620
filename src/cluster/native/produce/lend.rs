//! Batches whose bytes librdkafka holds. librdkafka keeps the pointer to a value for minutes, until it
//! reports the delivery, so each record that it holds owns a share of its batch. A record that it never
//! reports keeps its batch alive for ever: that loses memory, but never uses it after it was freed.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::record::in_flight::NumberedBatch;
use crate::record::{Batch, Record};

/// The due time of a record without one.
const NOT_DUE: u64 = u64::MAX;

/// A batch of which librdkafka may hold records. Its contents never change, so pointers into it stay valid as
/// long as anybody owns a share.
#[derive(Debug)]
pub(crate) struct InFlightBatch {
    numbered: NumberedBatch,
    tags: Box<[DeliveryTag]>,
    /// When each record was due, by the sender's clock; empty if records are not timed.
    dues: Box<[AtomicU64]>,
}

/// What a record carries through librdkafka and back, as a pointer.
#[derive(Debug)]
struct DeliveryTag {
    /// The batch that the tag is part of.
    batch: Weak<InFlightBatch>,
    /// Whether the record was sent and its outcome is still unknown.
    is_open: AtomicBool,
    index: u32,
    /// When it was handed over, as a span of `produce::delivery::ages::InFlightAges`.
    span: AtomicU32,
    /// The index of the target that it was handed over for.
    target: AtomicU32,
}

impl InFlightBatch {
    /// A batch from which records may be handed over.
    pub(crate) fn new(numbered: NumberedBatch) -> Arc<Self> {
        Self::with_dues(numbered, Box::default())
    }

    /// A batch of timed records, which keeps when they were due.
    pub(crate) fn timed(numbered: NumberedBatch) -> Arc<Self> {
        let records = numbered.batch.records.iter();
        let dues = records.map(|_| AtomicU64::new(NOT_DUE)).collect();
        Self::with_dues(numbered, dues)
    }

    fn with_dues(numbered: NumberedBatch, dues: Box<[AtomicU64]>) -> Arc<Self> {
        let records = u32::try_from(numbered.batch.records.len());
        let records = records.expect("a batch is bounded in bytes");
        Arc::new_cyclic(|batch| {
            let tag = |index| DeliveryTag {
                batch: batch.clone(),
                index,
                is_open: AtomicBool::new(false),
                span: AtomicU32::new(0),
                target: AtomicU32::new(0),
            };
            Self {
                numbered,
                tags: (0..records).map(tag).collect(),
                dues,
            }
        })
    }

    pub(crate) fn numbered(&self) -> &NumberedBatch {
        &self.numbered
    }

    pub(crate) fn batch(&self) -> &Batch {
        &self.numbered.batch
    }

    /// The records that were sent and whose outcomes are unknown.
    pub(crate) fn open(self: &Arc<Self>) -> impl Iterator<Item = InFlightRecord> {
        let open = self.tags.iter();
        let open = open.filter(|tag| tag.is_open.load(Ordering::SeqCst));
        open.map(|tag| InFlightRecord::new(self, tag.index as usize))
    }
}

/// A record of a batch, with a share of that batch.
#[derive(Debug, Clone)]
pub(crate) struct InFlightRecord {
    batch: Arc<InFlightBatch>,
    index: usize,
}

impl InFlightRecord {
    /// The record at `index`.
    ///
    /// # Panics
    /// Panics if the batch has no such record.
    pub(crate) fn new(batch: &Arc<InFlightBatch>, index: usize) -> Self {
        assert!(index < batch.tags.len(), "a record of the batch");
        Self {
            batch: Arc::clone(batch),
            index,
        }
    }

    pub(crate) fn batch(&self) -> &Batch {
        self.batch.batch()
    }

    pub(crate) fn record(&self) -> &Record {
        &self.batch().records[self.index]
    }

    /// The record's position in the source.
    pub(crate) fn position(&self) -> u64 {
        self.batch.numbered.positions.of(self.index)
    }

    /// Notes that the record is being sent.
    pub(crate) fn begin(&self) {
        self.tag().is_open.store(true, Ordering::SeqCst);
    }

    /// Notes that the outcome of the record is known.
    pub(crate) fn end(&self) {
        self.tag().is_open.store(false, Ordering::SeqCst);
    }

    fn tag(&self) -> &DeliveryTag {
        &self.batch.tags[self.index]
    }

    /// Notes the span of time in which the record is handed over, and for which target.
    pub(crate) fn address(&self, span: u32, target: usize) {
        let target = u32::try_from(target).expect("there are fewer topics than that");
        self.tag().span.store(span, Ordering::Relaxed);
        self.tag().target.store(target, Ordering::Relaxed);
    }

    /// The index of the target that the record was last handed over for.
    pub(crate) fn target(&self) -> usize {
        self.tag().target.load(Ordering::Relaxed) as usize
    }

    /// The span of time in which the record was last handed over.
    pub(crate) fn span(&self) -> u32 {
        self.tag().span.load(Ordering::Relaxed)
    }

    /// Notes when the record was due, in a batch of timed records.
    pub(crate) fn set_due(&self, due: Duration) {
        if let Some(noted) = self.batch.dues.get(self.index) {
            let due = u64::try_from(due.as_nanos()).unwrap_or(NOT_DUE);
            noted.store(due, Ordering::Relaxed);
        }
    }

    /// When the record was due; `None` if that was not noted.
    pub(crate) fn due(&self) -> Option<Duration> {
        let due = self.batch.dues.get(self.index)?.load(Ordering::Relaxed);
        (due != NOT_DUE).then(|| Duration::from_nanos(due))
    }

    /// Turns the share into a pointer for C to keep: the share is lost unless it comes back by `from_opaque`.
    pub(in crate::cluster::native) fn into_opaque(self) -> *mut c_void {
        let tag: *const DeliveryTag = self.tag();
        // The share is the pointer's now. The tag is part of the batch, and lives as long as it.
        _ = Arc::into_raw(self.batch);
        tag.cast_mut().cast()
    }

    /// Turns such a pointer back into the share.
    ///
    /// # Safety
    /// `opaque` must come from [`InFlightRecord::into_opaque`], and each such pointer may be turned back only
    /// once.
    pub(in crate::cluster::native) unsafe fn from_opaque(opaque: *mut c_void) -> Self {
        // SAFETY: the share that `opaque` represents keeps the batch alive, and with it the tag.
        let tag = unsafe { &*opaque.cast::<DeliveryTag>() };
        // SAFETY: `Weak::as_ptr` is the address that `Arc::into_raw` gave for the same batch, and this
        // takes back the one share that it gave away, as the caller promises.
        let batch = unsafe { Arc::from_raw(tag.batch.as_ptr()) };
        Self {
            index: tag.index as usize,
            batch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;
    use crate::record::in_flight::Positions;
    use crate::record::lines;

    fn batch_of(values: &[&str]) -> Arc<InFlightBatch> {
        let mut batch = Batch::default();
        for (line, value) in (0..).zip(values) {
            let origin = Origin { input: 0, line };
            let text = format!(r#"{{"value":"{value}"}}"#);
            lines::read(text.as_bytes(), origin, &mut batch).expect("a record line");
        }
        let positions = Positions::From(7);
        InFlightBatch::new(NumberedBatch::new(batch, positions))
    }

    #[test]
    fn a_record_keeps_its_batch_alive_through_c_and_back() {
        let batch = batch_of(&["a", "b"]);
        let lent = InFlightRecord::new(&batch, 1).into_opaque();
        let again = InFlightRecord::new(&batch, 1).into_opaque();
        assert_eq!(Arc::strong_count(&batch), 3, "one share for each");
        let weak = Arc::downgrade(&batch);
        drop(batch);
        // SAFETY: each pointer is taken back once.
        let (back, other) = unsafe {
            (
                InFlightRecord::from_opaque(lent),
                InFlightRecord::from_opaque(again),
            )
        };
        assert_eq!((back.index, back.position()), (1, 8));
        let value = back.record().value.map(|value| back.batch().slice(value));
        assert_eq!(value, Some(&b"b"[..]));
        drop(back);
        assert_eq!(other.record().origin.line, 1);
        drop(other);
        assert!(weak.upgrade().is_none(), "nobody holds it any more");
    }
}
