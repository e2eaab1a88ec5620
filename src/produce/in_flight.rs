//! Records that librdkafka holds: their batches stay here until the last record of each is answered,
//! so that values need no copy and a record that failed can be told with all its bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use super::order::Positions;
use crate::record::{Batch, Record};

/// What a record carries through librdkafka and back: its parcel, and its index in it. Packed into
/// the one word that librdkafka has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    parcel: u64,
    index: usize,
}

impl Ticket {
    /// A line of 64 MiB holds fewer than 2^25 records.
    const INDEX_BITS: u32 = 28;

    pub(super) fn new(parcel: u64, index: usize) -> Self {
        Self { parcel, index }
    }

    pub(super) fn pack(self) -> usize {
        let word = (self.parcel << Self::INDEX_BITS) | self.index as u64;
        usize::try_from(word).expect("kreplay is built for 64 bits")
    }

    pub(super) fn unpack(word: usize) -> Self {
        Self {
            parcel: word as u64 >> Self::INDEX_BITS,
            index: word & ((1 << Self::INDEX_BITS) - 1),
        }
    }
}

/// A parcel of which records are not answered yet.
#[derive(Debug)]
struct Held {
    batch: Arc<Batch>,
    positions: Positions,
    /// Records that are not answered, and those that are not handed over yet.
    open: usize,
}

/// All parcels that librdkafka has something of.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    /// The number of the first of `parcels`.
    first: u64,
    /// None for one that is done and has others before it that are not.
    parcels: VecDeque<Option<Held>>,
}

impl InFlight {
    /// Keeps a parcel; all its records are open until [`InFlight::answer`] or [`InFlight::give_up`].
    pub(super) fn hold(&mut self, batch: Arc<Batch>, positions: Positions) -> u64 {
        let open = batch.records.len();
        self.parcels.push_back(Some(Held {
            batch,
            positions,
            open,
        }));
        self.first + self.parcels.len() as u64 - 1
    }

    /// The record of `ticket`, and its position in the source.
    pub(super) fn record(&self, ticket: Ticket) -> Option<(&Arc<Batch>, &Record, u64)> {
        let held = self.held(ticket.parcel)?;
        let record = held.batch.records.get(ticket.index)?;
        Some((&held.batch, record, held.positions.of(ticket.index)))
    }

    /// So many records of a parcel will not be handed over.
    pub(super) fn give_up(&mut self, parcel: u64, records: usize) {
        let index = parcel.checked_sub(self.first);
        let index = index.and_then(|index| usize::try_from(index).ok());
        let Some(slot) = index.and_then(|index| self.parcels.get_mut(index)) else {
            return;
        };
        if let Some(held) = slot {
            held.open = held.open.saturating_sub(records);
            if held.open == 0 {
                *slot = None;
            }
        }
        while let Some(None) = self.parcels.front() {
            self.parcels.pop_front();
            self.first += 1;
        }
    }

    /// A record was answered.
    pub(super) fn answer(&mut self, ticket: Ticket) {
        self.give_up(ticket.parcel, 1);
    }

    fn held(&self, parcel: u64) -> Option<&Held> {
        let index = usize::try_from(parcel.checked_sub(self.first)?).ok()?;
        self.parcels.get(index)?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;
    use crate::record_line;

    #[test]
    fn a_ticket_survives_the_way_through_librdkafka() {
        for (parcel, index) in [(0, 0), (7, 3), ((1 << 36) - 1, (1 << 28) - 1)] {
            let ticket = Ticket::new(parcel, index);
            assert_eq!(Ticket::unpack(ticket.pack()), ticket);
        }
    }

    fn batch(records: u64) -> Arc<Batch> {
        let mut batch = Batch::default();
        for line in 0..records {
            let origin = Origin { input: 0, line };
            record_line::read(br#"{"value":"v"}"#, origin, &mut batch).expect("a record line");
        }
        Arc::new(batch)
    }

    #[test]
    fn a_batch_is_kept_until_its_last_record_is_answered() {
        let mut in_flight = InFlight::default();
        let (early, late) = (batch(2), batch(3));
        let first = in_flight.hold(early.clone(), Positions::From(0));
        let second = in_flight.hold(late.clone(), Positions::Listed(vec![9, 2, 4]));
        let position = |in_flight: &InFlight, ticket| {
            in_flight.record(ticket).map(|(_, record, position)| (record.origin.line, position))
        };
        assert_eq!(position(&in_flight, Ticket::new(second, 1)), Some((1, 2)));
        in_flight.give_up(second, 1);
        in_flight.answer(Ticket::new(second, 1));
        in_flight.answer(Ticket::new(second, 0));
        assert_eq!(Arc::strong_count(&late), 1, "nobody waits for it");
        assert_eq!(position(&in_flight, Ticket::new(second, 1)), None);
        in_flight.answer(Ticket::new(first, 1));
        assert_eq!(Arc::strong_count(&early), 2);
        in_flight.answer(Ticket::new(first, 0));
        assert_eq!((Arc::strong_count(&early), in_flight.parcels.len()), (1, 0));
        assert_eq!(in_flight.hold(early, Positions::From(9)), 2);
    }
}
