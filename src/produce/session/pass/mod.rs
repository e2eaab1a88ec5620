//! A pass: one reading of the source, through order and schedule to sending.

mod batch;
mod look;
pub(in crate::produce) mod substitutes;
mod turn;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

pub(in crate::produce) use self::look::first_look;
use crate::error::Error;
use crate::produce::order::{NextBatch, Ordered, OrderedBatch};
use crate::produce::schedule::Turns;
use crate::produce::session::open::{FirstLook, PassTally, Session};
use crate::produce::session::wait::{SendStop, WaitFor};
use crate::record::channel::Receiver;

/// How many records are announced to the journal at once, before the first of them is sent; of timed records, only
/// those that are due by then.
const SLICE: usize = 512;

/// How a pass has ended.
pub(in crate::produce) struct PassEnd {
    /// How the source ended; `None` if it was not read to its end.
    pub(in crate::produce::session) source_end: Option<Result<(), Error>>,
    /// Why sending stopped before that.
    pub(in crate::produce::session) stop: Option<SendStop>,
}

impl PassEnd {
    /// The end of a run that ended before its first pass.
    pub(in crate::produce::session) const NOTHING_READ: Self = Self {
        source_end: None,
        stop: None,
    };

    /// Whether the pass has handed over everything in the source that is to be sent.
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
    /// When its first record was due; `None` before that, and if records are not timed.
    began: Option<Instant>,
    /// The index of the record that is being sent.
    index: usize,
    /// The first record of the batch that was not announced to the journal.
    announced: usize,
    /// How many records are announced next.
    slice: usize,
    /// The captured partition of each record of the batch, as a number, if records are timed.
    partitions: Vec<u32>,
}

/// Runs `sending`, and turns a panic in it into an error: what was delivered until then is known, and the rest can be
/// drained and named.
fn contain(sending: impl FnOnce() -> Result<(), SendStop>) -> Result<(), SendStop> {
    // Single statements change the counts, so none of them is half done after a panic.
    catch_unwind(AssertUnwindSafe(sending)).unwrap_or_else(|_| {
        let what = "the sending thread panicked".into();
        Err(Error::Defect { what }.into())
    })
}

impl<'a> Session<'a> {
    /// Sends everything that `receiver` yields, and adds up what is counted meanwhile.
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
            began: None,
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

impl Pass<'_, '_> {
    fn run(&mut self) -> PassEnd {
        let mut stop = contain(|| self.send_all()).err();
        self.counts.better_order = self.ordered.better_order();
        let (source_end, queued) = self.receiver.close();
        let rest = self.ordered.take_rest(queued);
        // The source may have ended well before the run was stopped, with records left in the channel.
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
            // A journal is short as long as the deliveries leave few gaps: with one, records are sent in the order in
            // which they come.
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

    fn next_batch(&mut self) -> Result<NextBatch, Error> {
        self.ordered.check_bound()?;
        let session = &mut *self.session;
        self.ordered.next(|source_batch| {
            let batch = &source_batch.batch;
            session.router.check_source(batch)?;
            substitutes::check(session.job, source_batch)?;
            if let Some(first) = source_batch.others.first {
                session.share(first);
            }
            if let Some(turns) = &mut session.turns {
                turns.note_times(batch);
                turns.note_others(&source_batch.others);
            }
            let journal = session.waiter.journal.as_mut();
            let confirmed = journal.map_or(Ok(u64::MAX), |journal| journal.observe(batch))?;
            if confirmed == u64::MAX {
                session.deliveries.account().rejects.replace_former();
            }
            // Only after the journal, which recognises the source by its captured contents.
            substitutes::resolve(session.job, source_batch)?;
            Ok(confirmed)
        })
    }

    /// Ends the sending when its time is over. A run that is stopped finds its end in the channel.
    fn check_time(&self) -> Result<(), SendStop> {
        match self.session.check_not_over() {
            Err(SendStop::Interrupted) => Ok(()),
            checked => checked,
        }
    }
}
