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

/// A batch, and where its records stood in the source.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) batch: Batch,
    pub(super) positions: Positions,
}

/// A parcel that [`InFlight`] holds: its batch stays where it is until all records are answered.
#[derive(Debug)]
pub(super) struct Kept {
    number: u64,
    contents: Arc<Contents>,
}

impl Kept {
    pub(super) fn contents(&self) -> &Contents {
        &self.contents
    }

    pub(super) fn batch(&self) -> &Batch {
        &self.contents.batch
    }

    /// What the record at `index` carries.
    pub(super) fn ticket(&self, index: usize) -> Ticket {
        Ticket {
            parcel: self.number,
            index,
        }
    }
}

/// A parcel of which records are not answered yet.
#[derive(Debug)]
struct Held {
    contents: Arc<Contents>,
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
    pub(super) fn hold(&mut self, contents: Contents) -> Kept {
        let contents = Arc::new(contents);
        let open = contents.batch.records.len();
        let number = self.first + self.parcels.len() as u64;
        self.parcels.push_back((open > 0).then(|| Held {
            contents: contents.clone(),
            open,
        }));
        Kept { number, contents }
    }

    /// The record of `ticket`, and its position in the source.
    pub(super) fn record(&self, ticket: Ticket) -> Option<(&Batch, &Record, u64)> {
        let Contents { batch, positions } = &*self.held(ticket.parcel)?.contents;
        let record = batch.records.get(ticket.index)?;
        Some((batch, record, positions.of(ticket.index)))
    }

    /// So many records of a parcel are not handed over.
    pub(super) fn give_up(&mut self, parcel: &Kept, records: usize) {
        self.close(parcel.number, records);
    }

    /// A record was answered.
    pub(super) fn answer(&mut self, ticket: Ticket) {
        self.close(ticket.parcel, 1);
    }

    fn close(&mut self, parcel: u64, records: usize) {
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
            let ticket = Ticket { parcel, index };
            assert_eq!(Ticket::unpack(ticket.pack()), ticket);
        }
    }

    fn contents(records: u64, positions: Positions) -> Contents {
        let mut batch = Batch::default();
        for line in 0..records {
            let origin = Origin { input: 0, line };
            record_line::read(br#"{"value":"v"}"#, origin, &mut batch).expect("a record line");
        }
        Contents { batch, positions }
    }

    /// Line and position of a record that is held.
    fn found(in_flight: &InFlight, ticket: Ticket) -> Option<(u64, u64)> {
        let (_, record, position) = in_flight.record(ticket)?;
        Some((record.origin.line, position))
    }

    #[test]
    fn a_batch_is_kept_until_its_last_record_is_answered() {
        let mut in_flight = InFlight::default();
        let early = in_flight.hold(contents(2, Positions::From(0)));
        let empty = in_flight.hold(contents(0, Positions::From(2)));
        let late = in_flight.hold(contents(3, Positions::Listed(vec![9, 2, 4])));
        assert_eq!(found(&in_flight, late.ticket(1)), Some((1, 2)));
        in_flight.give_up(&empty, 0);
        in_flight.give_up(&late, 1);
        in_flight.answer(late.ticket(1));
        in_flight.answer(late.ticket(0));
        assert_eq!(found(&in_flight, late.ticket(1)), None);
        assert_eq!(Arc::strong_count(&late.contents), 1, "nobody waits for it");
        in_flight.answer(early.ticket(1));
        assert_eq!(found(&in_flight, early.ticket(0)), Some((0, 0)));
        in_flight.answer(early.ticket(0));
        assert_eq!((in_flight.first, in_flight.parcels.len()), (3, 0));
        assert_eq!(in_flight.hold(contents(1, Positions::From(9))).number, 3);
    }
}
