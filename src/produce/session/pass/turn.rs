//! Waits until the next record of a pass may go: at its time, and when there is room for it in flight.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::Pass;
use crate::produce::schedule::{TimeOddity, Turn, moment_of};
use crate::produce::session::open::Session;
use crate::produce::session::wait::{SendStop, WaitFor};
use crate::record::in_flight::NumberedBatch;
use crate::record::{Batch, Record};
use crate::report::ProblemKind;

/// After how many records kreplay updates the progress of the schedule.
const FORECAST_EVERY: usize = 256;

impl Pass<'_, '_> {
    /// Waits until it is time to begin, if a time is given.
    pub(super) fn await_start(&mut self) -> Result<(), SendStop> {
        let Some(start) = self.session.job.timing.start_at else {
            return Ok(());
        };
        loop {
            // Computed again at each check: the wall clock may be set meanwhile.
            let moment = moment_of(start);
            let counters = &self.session.job.counters;
            counters.await_start(Some(moment));
            if Instant::now() >= moment {
                counters.await_start(None);
                let Session { turns, waiter, .. } = &mut *self.session;
                if let Some(turns) = turns {
                    turns.begin(moment, waiter.times);
                }
                return Ok(());
            }
            self.session.check_not_over()?;
            self.session.wait(WaitFor::Due(moment))?;
        }
    }

    /// Waits until the record at `index` may go: until it is due, and there is room for it in flight.
    /// Everything that is due by then goes without a further wait. Returns when it was due, if records are
    /// timed.
    ///
    /// # Errors
    /// Returns [`SendStop`] if the run ends before that.
    pub(super) fn await_turn(
        &mut self,
        numbered: &NumberedBatch,
        index: usize,
    ) -> Result<Option<Instant>, SendStop> {
        let batch = &numbered.batch;
        let record = &batch.records[index];
        loop {
            self.wait_for_budget()?;
            let Session {
                turns, waiter, job, ..
            } = &mut *self.session;
            let Some(turns) = turns else {
                return Ok(None);
            };
            let place = || job.counters.place(record.origin);
            turns.check_times(batch, record, place)?;
            let now = Instant::now();
            turns.begin(now, waiter.times);
            if turns.holds_lag()
                && let Some(progress) = job.counters.groups()
            {
                turns.observe(&progress, now);
            }
            let partition = self.partitions.get(index).copied().unwrap_or(0);
            let turn = turns.next((batch, record), partition as usize, now);
            if let Some(odd) = turns.oddity() {
                self.name_oddity(odd, batch, record, turn);
            }
            let due = match turn {
                Turn::Now(due) | Turn::At(due) => due,
            };
            let late = now.saturating_duration_since(due).as_millis();
            let late = u64::try_from(late).unwrap_or(u64::MAX);
            self.session
                .job
                .counters
                .late_ms
                .store(late, Ordering::Relaxed);
            if index.is_multiple_of(FORECAST_EVERY) {
                self.note_forecast(due, now, batch.records.len() - index);
            }
            match turn {
                Turn::Now(due) => return Ok(Some(due)),
                Turn::At(due) => {
                    // If the run is killed while it waits, it has sent none of them.
                    self.take_back(numbered, index);
                    self.slice = 1;
                    self.session.wait(WaitFor::Due(due))?;
                }
            }
        }
    }

    /// Notes, for the progress, that a record that was due at `due` goes at `now`, with `left` more in its
    /// batch.
    fn note_forecast(&mut self, due: Instant, now: Instant, left: usize) {
        let began = *self.began.get_or_insert(due);
        let session = &*self.session;
        let Some(turns) = &session.turns else {
            return;
        };
        let left = self.ordered.left().map(|waiting| waiting + left);
        let passes = session.job.repetition.passes;
        let following = passes.map(|passes| passes.get().saturating_sub(session.passes + 1));
        let forecast = turns.forecast(due, now, left);
        session.note_forecast(forecast.followed_by(following, began));
    }

    /// Counts what is odd about a record's time, and says at once why nothing is sent for years.
    fn name_oddity(&mut self, odd: TimeOddity, batch: &Batch, record: &Record, turn: Turn) {
        let place = batch.captured_at(record);
        let (what, why) = (odd.kind(), odd.words());
        let problems = &mut self.counts.problems;
        problems.add(what, record.origin, || format!("{place}: {why}"));
        let now = Instant::now();
        if let Turn::At(due) = turn
            && odd == TimeOddity::Jump
        {
            let days = due.saturating_duration_since(now).as_secs() / 86_400;
            let origin = self.session.job.counters.place(record.origin);
            let hint = ProblemKind::TimeJump.hint().unwrap_or_default();
            let note = format!("{origin}: {place} is due in {days} days: {why}; {hint}");
            self.session.job.console.note(&note);
        }
    }

    fn wait_for_budget(&mut self) -> Result<(), SendStop> {
        loop {
            self.session.check_not_over()?;
            let session = &mut *self.session;
            if session.deliveries.is_forbidden() {
                session.check_alive()?;
            }
            session.isolate()?;
            if session.deliveries.budget.is_pinned_over_full() {
                session.wait(WaitFor::Memory)?;
            } else if session.waiter.is_full {
                session.wait(WaitFor::Budget)?;
            } else {
                return Ok(());
            }
        }
    }
}
