//! Handles a record that has waited longer than `message.timeout.ms`: ends the producers, and lets others
//! take over, with producer ids of their own.
//!
//! librdkafka's own time-outs would keep the producer and give it a new epoch. Under that epoch it would
//! send again the records of any partition whose answers were lost, and the broker could not know that it
//! has them; they would be in the log twice and be called delivered (librdkafka#4953). Here each record that
//! a broker may have taken is given up, and called unknown; the next producer sends only what is certainly
//! not in the log.

use std::mem;
use std::time::{Duration, Instant};

use crate::cluster::native::Code;
use crate::produce::connection::timeouts::timeout_of;
use crate::produce::delivery::refusals::Cause;
use crate::produce::delivery::{Ending, Returned};
use crate::produce::session::open::Session;
use crate::produce::session::wait::{SendStop, WaitFor};

/// How long the brokers of other partitions may take to answer for what they have, and how long they may
/// pause meanwhile, before kreplay gives it up.
const ANSWERS_LIMIT: Duration = Duration::from_secs(5);
const QUIET: Duration = Duration::from_millis(500);
/// How long librdkafka may take to give records back.
const RETURN_LIMIT: Duration = Duration::from_secs(2);

impl Session<'_> {
    /// Lets other producers take over when a record has waited for too long. `parked` of the records in
    /// flight are in no account.
    ///
    /// # Errors
    /// Returns [`SendStop`] if the run ends; what came back then counts as not written.
    pub(in crate::produce) fn renew_when_overdue(&mut self, parked: u64) -> Result<(), SendStop> {
        if !mem::take(&mut self.waiter.is_overdue) || self.job.control.is_stopping() {
            return Ok(());
        }
        self.wait_for_silence()?;
        if !self.deliveries.account().ages.is_any_overdue() {
            return Ok(());
        }
        if !mem::replace(&mut self.reported_time_outs, true) {
            let limit = timeout_of(&self.job.destination.properties).as_millis();
            self.job.console.note(&format!(
                "records have waited longer than `message.timeout.ms` ({limit} ms); kreplay gives up on them \
                 and on everything in flight with them, and sends the rest with a new producer"
            ));
        }
        let returned = self.take_back(parked);
        self.give_up_missing();
        let mut returned = returned.into_iter();
        let sent = self.send_by_others(&mut returned);
        if let Err(stop) = &sent {
            let why = stop.reason();
            for Returned {
                record,
                topic,
                partition,
            } in returned
            {
                self.deliveries.conclude(&record, (&topic, partition), &why);
            }
        }
        sent
    }

    /// Waits for the answers that come, while nothing is handed over.
    fn wait_for_silence(&mut self) -> Result<(), SendStop> {
        let began = Instant::now();
        let mut answered = (0, began);
        while began.elapsed() < ANSWERS_LIMIT && answered.1.elapsed() < QUIET {
            if self.job.control.is_stopping() {
                return Err(SendStop::Interrupted);
            }
            self.check_alive()?;
            self.waiter.wait(WaitFor::Answers);
            let now = self.deliveries.account().counts.answered();
            if now > answered.0 {
                answered = (now, Instant::now());
            }
        }
        Ok(())
    }

    /// Takes all records back from librdkafka; returns those that may be sent again, in their order.
    fn take_back(&mut self, parked: u64) -> Vec<Returned> {
        let began = Instant::now();
        self.deliveries.account().returned = Some(Vec::new());
        self.connection.purge();
        loop {
            let mut account = self.deliveries.account();
            let returned = account.returned.as_ref().map_or(0, Vec::len) as u64;
            let held = account.refusals.held() + parked + returned;
            if account.counts.answered() + held >= self.waiter.handed
                || began.elapsed() > RETURN_LIMIT
            {
                let mut returned = account.returned.take().unwrap_or_default();
                returned.sort_by_key(|returned| returned.record.position());
                return returned;
            }
            drop(account);
            self.waiter.wait(WaitFor::Answers);
        }
    }

    /// Hands records to the producers that replace the earlier ones; leaves in `returned` those that it does
    /// not hand over because the run ends.
    fn send_by_others(
        &mut self,
        returned: &mut std::vec::IntoIter<Returned>,
    ) -> Result<(), SendStop> {
        self.connection.retire_producers();
        if self.job.control.is_stopping() {
            return Err(SendStop::Interrupted);
        }
        self.router.change_producers()?;
        while let Some(Returned {
            record,
            topic,
            partition,
        }) = returned.as_slice().first()
        {
            let place = (topic.as_str(), *partition);
            let Some(target) = self.router.index_of(topic) else {
                let why = "its topic is no longer known";
                self.deliveries.conclude(record, place, why);
                returned.next();
                continue;
            };
            if let Some(why) = self.given_up(target, *partition) {
                self.deliveries.conclude(record, place, &why);
                returned.next();
                continue;
            }
            let timestamp_ms = self.kept_timestamp_ms(record.record(), record.position());
            match self.hand_over(record.clone(), target, *partition, timestamp_ms) {
                Ok(()) => {}
                Err(Code::QUEUE_FULL) => {
                    return Err(self.full_for_good());
                }
                Err(Code::FATAL) => return Err(SendStop::Failed(self.ended(Ending::Fatal))),
                Err(code) if Cause::of(code) == Some(Cause::Absent) => {
                    self.deliveries.hold_absent(record, place);
                }
                Err(code) => self.deliveries.conclude(record, place, &code.words()),
            }
            returned.next();
        }
        Ok(())
    }
}
