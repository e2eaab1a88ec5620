//! One batch of a pass: its records go to librdkafka one by one, the journal knows of each beforehand, and those that
//! are not sent are counted and named.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Pass, SLICE, contain};
use crate::cluster::native::InFlightBatch;
use crate::error::Error;
use crate::produce::order::OrderedBatch;
use crate::produce::session::wait::SendStop;
use crate::record::in_flight::NumberedBatch;
use crate::report::Outcome;

impl Pass<'_, '_> {
    /// Sends a batch, and counts the records of it that are not sent.
    pub(super) fn send_batch(&mut self, ordered: OrderedBatch) -> Result<(), SendStop> {
        let counters = &self.session.job.counters;
        let OrderedBatch {
            mut numbered,
            tally,
            problems,
            partitions,
        } = ordered;
        self.partitions = partitions;
        counters.bytes.fetch_add(tally.bytes, Ordering::Relaxed);
        counters.found.fetch_add(tally.found, Ordering::Relaxed);
        self.counts.tally.merge(tally);
        self.counts.problems.merge(problems);
        let budget = &self.session.deliveries.budget;
        numbered.pin = Some(budget.pin(numbered.weight()));
        let in_flight = self.session.in_flight(numbered);
        self.index = 0;
        contain(|| self.send_records(&in_flight)).inspect_err(|stop| {
            let why = stop.reason();
            self.leave_rest(in_flight.numbered(), self.index, &why, Some(stop));
        })
    }

    /// Sends the records of a batch; after an error `index` is the first that was not sent.
    fn send_records(&mut self, in_flight: &Arc<InFlightBatch>) -> Result<(), SendStop> {
        let numbered = in_flight.numbered();
        let mut routes = vec![None; numbered.batch.topics.len()];
        self.announced = 0;
        for index in 0..numbered.batch.records.len() {
            self.index = index;
            if self.is_delivered(numbered.positions.of(index)) {
                self.counts.skipped += 1;
                continue;
            }
            let sent = self.await_turn(numbered, index).and_then(|due| {
                self.announce(numbered, index)?;
                self.send(in_flight, index, &mut routes, due)
            });
            if let Err(stop) = sent {
                self.take_back(numbered, index);
                return Err(stop);
            }
        }
        Ok(())
    }

    /// Announces the record at `index` and some that follow to the journal, unless it knows them.
    ///
    /// # Errors
    /// Fails as [`JournalWriter::announce`](crate::produce::delivery::journal::JournalWriter::announce) does.
    fn announce(&mut self, numbered: &NumberedBatch, index: usize) -> Result<(), Error> {
        let Some(journal) = &mut self.session.waiter.journal else {
            return Ok(());
        };
        if index < self.announced {
            return Ok(());
        }
        let until = numbered.batch.records.len().min(index + self.slice);
        let slice = (index..until).map(|index| numbered.positions.of(index));
        journal.announce(slice, self.session.deliveries)?;
        self.announced = until;
        // Records that are due at once come in bursts: each slice without a wait makes the next one longer.
        self.slice = SLICE.min(2 * self.slice);
        Ok(())
    }

    /// Withdraws the records from `index` on that were announced to the journal: they are not sent now.
    pub(super) fn take_back(&mut self, numbered: &NumberedBatch, index: usize) {
        (index..self.announced).for_each(|i| self.is_not_written(numbered.positions.of(i)));
        self.announced = self.announced.min(index);
    }

    fn is_delivered(&self, position: u64) -> bool {
        let journal = self.session.waiter.journal.as_ref();
        journal.is_some_and(|journal| journal.has_delivered(position))
    }

    /// Notes in the journal that an announced record is not handed to librdkafka.
    pub(in crate::produce::session) fn is_not_written(&self, position: u64) {
        if let Some(answers) = &mut self.session.deliveries.account().answers {
            answers.not_written(position);
        }
    }

    /// Counts the records from `first` on, which will not be sent because of `stop`, or of the source's end.
    pub(super) fn leave_rest(
        &mut self,
        numbered: &NumberedBatch,
        first: usize,
        why: &str,
        stop: Option<&SendStop>,
    ) {
        let NumberedBatch {
            batch, positions, ..
        } = numbered;
        for (index, record) in batch.records.iter().enumerate().skip(first) {
            if self.is_delivered(positions.of(index)) {
                self.counts.skipped += 1;
                continue;
            }
            if let Some(SendStop::TimeOver) = stop {
                self.counts.read_ahead += 1;
                continue;
            }
            self.counts.unsent += 1;
            let rejects = &mut self.session.deliveries.account().rejects;
            rejects.add(batch, record, Outcome::Unsent, why);
        }
    }
}
