//! Records that librdkafka holds: their batches stay here until the last record of each is answered,
//! so that values need no copy and a record that failed can be told with all its bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use super::order::Positions;
use crate::record::{Batch, Record};

/// What a record carries through librdkafka and back: its batch, and its index in it. Packed into
/// the one word that librdkafka has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DeliveryTag {
    batch: u64,
    index: usize,
}

impl DeliveryTag {
    /// A line of 64 MiB holds fewer than 2^25 records.
    const INDEX_BITS: u32 = 28;

    /// The record's index in its batch.
    pub(super) fn index(self) -> usize {
        self.index
    }

    pub(super) fn pack(self) -> usize {
        let word = (self.batch << Self::INDEX_BITS) | self.index as u64;
        usize::try_from(word).expect("kreplay is built for 64 bits")
    }

    pub(super) fn unpack(word: usize) -> Self {
        Self {
            batch: word as u64 >> Self::INDEX_BITS,
            index: word & ((1 << Self::INDEX_BITS) - 1),
        }
    }
}

/// A batch, and where its records stood in the source.
#[derive(Debug)]
pub(super) struct NumberedBatch {
    pub(super) batch: Batch,
    pub(super) positions: Positions,
}

/// A batch that [`InFlight`] holds: its batch stays where it is until all records are answered.
#[derive(Debug)]
pub(super) struct InFlightBatch {
    number: u64,
    numbered: Arc<NumberedBatch>,
}

impl InFlightBatch {
    pub(super) fn numbered(&self) -> &NumberedBatch {
        &self.numbered
    }

    pub(super) fn batch(&self) -> &Batch {
        &self.numbered.batch
    }

    /// What the record at `index` carries.
    pub(super) fn tag(&self, index: usize) -> DeliveryTag {
        DeliveryTag {
            batch: self.number,
            index,
        }
    }
}

/// A batch of which records are not answered yet.
#[derive(Debug)]
struct Held {
    numbered: Arc<NumberedBatch>,
    /// Records that are not answered, and those that are not handed over yet.
    open: usize,
}

/// All batches that librdkafka has something of.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    /// The number of the first of `batches`.
    first: u64,
    /// None for one that is done and has others before it that are not.
    batches: VecDeque<Option<Held>>,
}

impl InFlight {
    /// Keeps a batch; all its records are open until [`InFlight::answer`] or [`InFlight::give_up`].
    pub(super) fn hold(&mut self, numbered: NumberedBatch) -> InFlightBatch {
        let numbered = Arc::new(numbered);
        let open = numbered.batch.records.len();
        let number = self.first + self.batches.len() as u64;
        self.batches.push_back((open > 0).then(|| Held {
            numbered: numbered.clone(),
            open,
        }));
        InFlightBatch { number, numbered }
    }

    /// The record of `tag`, and its position in the source.
    pub(super) fn record(&self, tag: DeliveryTag) -> Option<(&Batch, &Record, u64)> {
        let NumberedBatch { batch, positions } = &*self.held(tag.batch)?.numbered;
        let record = batch.records.get(tag.index)?;
        Some((batch, record, positions.of(tag.index)))
    }

    /// So many records of a batch are not handed over.
    pub(super) fn give_up(&mut self, batch: &InFlightBatch, records: usize) {
        self.close(batch.number, records);
    }

    /// A record was answered.
    pub(super) fn answer(&mut self, tag: DeliveryTag) {
        self.close(tag.batch, 1);
    }

    fn close(&mut self, batch: u64, records: usize) {
        let index = batch.checked_sub(self.first);
        let index = index.and_then(|index| usize::try_from(index).ok());
        let Some(slot) = index.and_then(|index| self.batches.get_mut(index)) else {
            return;
        };
        if let Some(held) = slot {
            held.open = held.open.saturating_sub(records);
            if held.open == 0 {
                *slot = None;
            }
        }
        while let Some(None) = self.batches.front() {
            self.batches.pop_front();
            self.first += 1;
        }
    }

    fn held(&self, batch: u64) -> Option<&Held> {
        let index = usize::try_from(batch.checked_sub(self.first)?).ok()?;
        self.batches.get(index)?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;
    use crate::record_line;

    #[test]
    fn a_ticket_survives_the_way_through_librdkafka() {
        for (batch, index) in [(0, 0), (7, 3), ((1 << 36) - 1, (1 << 28) - 1)] {
            let tag = DeliveryTag { batch, index };
            assert_eq!(DeliveryTag::unpack(tag.pack()), tag);
        }
    }

    fn numbered(records: u64, positions: Positions) -> NumberedBatch {
        let mut batch = Batch::default();
        for line in 0..records {
            let origin = Origin { input: 0, line };
            record_line::read(br#"{"value":"v"}"#, origin, &mut batch).expect("a record line");
        }
        NumberedBatch { batch, positions }
    }

    /// Line and position of a record that is held.
    fn found(in_flight: &InFlight, tag: DeliveryTag) -> Option<(u64, u64)> {
        let (_, record, position) = in_flight.record(tag)?;
        Some((record.origin.line, position))
    }

    #[test]
    fn a_batch_is_kept_until_its_last_record_is_answered() {
        let mut in_flight = InFlight::default();
        let early = in_flight.hold(numbered(2, Positions::From(0)));
        let empty = in_flight.hold(numbered(0, Positions::From(2)));
        let late = in_flight.hold(numbered(3, Positions::Listed(vec![9, 2, 4])));
        assert_eq!(found(&in_flight, late.tag(1)), Some((1, 2)));
        in_flight.give_up(&empty, 0);
        in_flight.give_up(&late, 1);
        in_flight.answer(late.tag(1));
        in_flight.answer(late.tag(0));
        assert_eq!(found(&in_flight, late.tag(1)), None);
        assert_eq!(Arc::strong_count(&late.numbered), 1, "nobody waits for it");
        in_flight.answer(early.tag(1));
        assert_eq!(found(&in_flight, early.tag(0)), Some((0, 0)));
        in_flight.answer(early.tag(0));
        assert_eq!((in_flight.first, in_flight.batches.len()), (3, 0));
        assert_eq!(in_flight.hold(numbered(1, Positions::From(9))).number, 3);
    }
}
