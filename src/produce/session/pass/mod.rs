//! A pass: one reading of the source, through order and schedule to sending. What is not sent is counted
//! and named.

pub(in crate::produce) mod substitutes;
mod turn;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::cluster::native::InFlightBatch;
use crate::config::Timestamps;
use crate::error::Error;
use crate::produce::order::{NextBatch, Ordered, OrderedBatch};
use crate::produce::routing::originals::OriginalTimes;
use crate::produce::schedule::Turns;
use crate::produce::session::open::{FirstLook, PassTally, Session};
use crate::produce::session::wait::{SendStop, WaitFor};
use crate::record::channel::{Extent, Receiver, SourceBatch};
use crate::record::in_flight::NumberedBatch;
use crate::report::{Outcome, ProblemKind};

/// Records that the journal is told of at once, before the first of them is sent. Of timed records only what
/// is due then.
const SLICE: usize = 512;

/// How a pass has ended.
pub(in crate::produce) struct PassEnd {
    /// How the source ended; none when it was not read to its end.
    pub(in crate::produce::session) source_end: Option<Result<(), Error>>,
    /// Why sending stopped before that.
    pub(in crate::produce::session) stop: Option<SendStop>,
}

impl PassEnd {
    /// Of a run that ended before its first pass.
    pub(in crate::produce::session) const NOTHING_READ: Self = Self {
        source_end: None,
        stop: None,
    };

    /// Whether everything in the source was handed over, as far as it is to be sent.
    pub(in crate::produce::session) fn is_whole(&self) -> bool {
        self.source_end == Some(Ok(())) && self.stop.is_none()
    }
}

/// One reading of the source.
pub(in crate::produce::session) struct Pass<'p, 'a> {
    pub(in crate::produce::session) session: &'p mut Session<'a>,
    receiver: &'p Receiver,
    ordered: Ordered<'p>,
    pub(in crate::produce::session) counts: PassTally,
    /// Which record of its batch is being sent.
    index: usize,
    /// The first record of the batch that the journal was not told of.
    announced: usize,
    /// How many records it is told of next.
    slice: usize,
    /// Of each record of the batch the captured partition, by a number, where records are timed.
    partitions: Vec<u32>,
}

/// What `sending` gives, or the defect that a panic in it is: what was delivered until then is known, and
/// the rest can be drained and named.
fn contain(sending: impl FnOnce() -> Result<(), SendStop>) -> Result<(), SendStop> {
    // Counts are changed by single statements, so none of them is half done after a panic.
    catch_unwind(AssertUnwindSafe(sending)).unwrap_or_else(|_| {
        let what = "the sending thread met a panic".into();
        Err(Error::Defect { what }.into())
    })
}

impl<'a> Session<'a> {
    /// Sends everything that `receiver` gives, and adds up what is counted on the way.
    pub(in crate::produce::session) fn pass(&mut self, receiver: &Receiver) -> PassEnd {
        let ordered = Ordered::new(receiver, self.job.order).numbered_from(self.position);
        let slice = match self.turns {
            Some(_) => 1,
            None => SLICE,
        };
        let mut pass = Pass {
            session: self,
            receiver,
            ordered,
            counts: PassTally::default(),
            index: 0,
            announced: 0,
            slice,
            partitions: Vec::new(),
        };
        if let Some(clock) = pass.session.turns.as_ref().and_then(Turns::clock) {
            pass.ordered.merge_by(clock);
        }
        if let Some(shifts) = &mut pass.session.shifts {
            shifts.begin_pass(pass.session.position);
        }
        let end = pass.run();
        if let Some(turns) = &mut pass.session.turns {
            turns.end_pass();
        }
        let (counts, position) = (pass.counts, pass.ordered.received());
        self.totals.merge(counts);
        self.passes += u64::from(end.is_whole());
        self.position = position;
        end
    }
}

/// Shows `note` what is known of the source before its first record.
///
/// # Errors
/// [`Error::Config`] for an id of `--topic-id` that no topic has: extraction says so at the source's end,
/// and nothing is sent under a name that is misspelt.
pub(in crate::produce) fn first_look(
    receiver: &Receiver,
    mut note: impl FnMut(&SourceBatch),
) -> Result<Extent, Error> {
    let mut unmatched_id = None;
    let extent = receiver.look_ahead(|source_batch| {
        note(source_batch);
        let mut problems = source_batch.tally.problems.iter();
        let unmatched = problems.find(|problem| problem.what == ProblemKind::TopicIdUnmatched);
        unmatched_id = unmatched_id.take().or(unmatched.map(|p| p.why.clone()));
    });
    match unmatched_id.filter(|_| extent == Extent::Whole) {
        Some(message) => {
            let hint = ProblemKind::TopicIdUnmatched.hint().map(str::to_owned);
            Err(Error::Config { message, hint })
        }
        None => Ok(extent),
    }
}

impl Pass<'_, '_> {
    fn run(&mut self) -> PassEnd {
        let mut stop = contain(|| self.send_all()).err();
        self.counts.better_order = self.ordered.better_order();
        let (source_end, queued) = self.receiver.close();
        let rest = self.ordered.take_rest(queued);
        // The source may have ended well before the run was told to stop, and wait in the channel.
        let is_stopping = self.session.job.control.is_stopping();
        if source_end == Some(Ok(())) && is_stopping && !rest.is_empty() {
            stop = stop.or(Some(SendStop::Interrupted));
        }
        if let (Some(Ok(())), None, Some(journal)) =
            (&source_end, &stop, &mut self.session.waiter.journal)
        {
            stop = journal.observe_end().err().map(SendStop::Failed);
        }
        let why = match (&stop, &source_end) {
            (Some(stop), _) => stop.reason(),
            (None, Some(Err(error))) => format!("the source failed before it was sent: {error}"),
            (None, _) => SendStop::Interrupted.reason(),
        };
        for OrderedBatch {
            numbered, tally, ..
        } in rest
        {
            self.counts.tally.merge(tally);
            self.leave_rest(&numbered, 0, &why, stop.as_ref());
        }
        PassEnd { source_end, stop }
    }

    fn send_all(&mut self) -> Result<(), SendStop> {
        if self.session.first_look == FirstLook::Pending {
            self.look()?;
            self.await_start()?;
            self.session.first_look = FirstLook::Done;
            self.session.start_clock();
        }
        loop {
            self.session.check_alive()?;
            // A journal is short as long as what is delivered has few gaps: with one, records are sent
            // as they come.
            if self.session.waiter.journal.is_none() {
                self.ordered.gather_for(self.session.router.partitions());
            }
            match self.next_batch()? {
                NextBatch::Batch(batch) => self.send_batch(batch)?,
                NextBatch::Nothing => {
                    self.session.wait(WaitFor::Input(&mut self.ordered))?;
                    self.check_time()?;
                }
                NextBatch::End => return Ok(()),
            }
        }
    }

    /// Looks at the destination by what is known of the source, before the first record is sent.
    fn look(&mut self) -> Result<(), SendStop> {
        let Session {
            router, job, turns, ..
        } = &mut *self.session;
        let (mut refused, mut first) = (None, None);
        let extent = first_look(self.receiver, |source_batch| {
            router.observe(&source_batch.batch);
            first = source_batch.others.first.or(first);
            if let Some(turns) = turns {
                turns.look_at(&source_batch.batch);
            }
            refused = refused
                .take()
                .or(substitutes::check(job, source_batch).err());
        })?;
        if let Some(refused) = refused {
            return Err(refused.into());
        }
        if let Some(first) = first {
            self.session.share(first);
        }
        let Session { router, job, .. } = &mut *self.session;
        router.look(extent, |origin| job.counters.place(origin))?;
        // InitProducerId may be refused by now.
        self.session.check_alive()?;
        if self.session.job.destination.timestamps == Timestamps::Original {
            let mut originals = OriginalTimes::new();
            let look = |source_batch: &SourceBatch| {
                let router = &self.session.router;
                router.look_at_times(&source_batch.batch, &mut originals);
            };
            self.receiver.look_ahead(look);
            originals.check()?;
        }
        Ok(())
    }

    fn next_batch(&mut self) -> Result<NextBatch, Error> {
        self.ordered.check_bound()?;
        let Session {
            router,
            waiter,
            deliveries,
            turns,
            job,
            ..
        } = &mut *self.session;
        self.ordered.next(|source_batch| {
            let batch = &source_batch.batch;
            router.check_source(batch)?;
            substitutes::check(job, source_batch)?;
            if let Some(turns) = turns {
                turns.note_times(batch);
                turns.note_others(&source_batch.others);
            }
            let journal = waiter.journal.as_mut();
            let confirmed = journal.map_or(Ok(u64::MAX), |journal| journal.observe(batch))?;
            if confirmed == u64::MAX {
                deliveries.account().rejects.replace_former();
            }
            // Behind the journal, which knows the source by what it holds.
            substitutes::resolve(job, source_batch)?;
            Ok(confirmed)
        })
    }

    /// Sends a batch; what is not sent of it is counted.
    fn send_batch(&mut self, ordered: OrderedBatch) -> Result<(), SendStop> {
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

    /// Tells the journal of the record at `index` and of some that follow, unless it knows of them.
    ///
    /// # Errors
    /// As of [`JournalWriter::announce`](crate::produce::delivery::journal::JournalWriter::announce).
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
        // What is due at once comes in bursts: each slice without a wait makes the next one longer.
        self.slice = SLICE.min(2 * self.slice);
        Ok(())
    }

    /// Takes back from the journal what it was told of from the record at `index` on: that is not sent now.
    fn take_back(&mut self, numbered: &NumberedBatch, index: usize) {
        (index..self.announced).for_each(|i| self.is_not_written(numbered.positions.of(i)));
        self.announced = self.announced.min(index);
    }

    /// Ends the sending when its time is over. Of a run that is told to stop the channel gives the end.
    fn check_time(&self) -> Result<(), SendStop> {
        match self.session.check_not_over() {
            Err(SendStop::Interrupted) => Ok(()),
            checked => checked,
        }
    }

    fn is_delivered(&self, position: u64) -> bool {
        let journal = self.session.waiter.journal.as_ref();
        journal.is_some_and(|journal| journal.has_delivered(position))
    }

    /// Notes in the journal that a record which was announced is not handed to librdkafka.
    pub(in crate::produce::session) fn is_not_written(&self, position: u64) {
        if let Some(answers) = &mut self.session.deliveries.account().answers {
            answers.not_written(position);
        }
    }

    /// Counts the records from `first` on, which will not be sent because of `stop`, or of the source's end.
    fn leave_rest(
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
