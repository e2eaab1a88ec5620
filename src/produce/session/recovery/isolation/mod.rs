//! A broker that refuses a record refuses its whole batch. Here the batch is sent again without the record
//! that the broker marks, or in halves until the culprit is alone.
//!
//! Refused records stay in flight meanwhile. Everything else is answered first, so a part that is sent again
//! shares no batch with others. If brokers mark the culprits (Apache Kafka 2.4 and later, KIP-467), a batch
//! costs one more request; otherwise about two for each halving, and one for each record of a stretch that is
//! refused record by record. There is no limit to that: an untried record may be innocent.
//!
//! Records that came back because their topic or partition is missing are sent the same way once it is there
//! again (`reappearance.rs`).

mod limits;
mod words;

use self::words::ABSENT_AT_THE_END;
use crate::cluster::native::Code;
use crate::config::OnRefused;
use crate::error::Error;
use crate::produce::delivery::Ending;
use crate::produce::delivery::refusals::{Cause, Judgement, MOST_REFUSED, RefusedRecord, judge};
use crate::produce::session::open::Session;
use crate::produce::session::wait::{SendStop, WaitFor};

/// The refused records of a partition.
struct Suspects {
    topic: String,
    partition: i32,
    /// The records that are still to be sent again, the next one last.
    records: Vec<RefusedRecord>,
    /// How many are sent at once.
    reach: usize,
    /// How many were sent last.
    sent: usize,
}

impl Session<'_> {
    /// Finds the final outcome of all refused records, if there are any.
    ///
    /// # Errors
    /// Returns [`SendStop`] if the run ends; refused records then count as not written.
    pub(in crate::produce) fn isolate(&mut self) -> Result<(), SendStop> {
        self.explain_silence();
        self.renew_when_overdue(0)?;
        if !self.deliveries.has_refused() {
            return Ok(());
        }
        let mut open = Vec::new();
        let isolated = self.isolate_all(&mut open);
        if isolated.is_err() {
            let held = self.deliveries.account().refusals.take();
            let open = open.into_iter().map(|s| (s.topic, s.partition, s.records));
            for (topic, partition, records) in open.chain(held) {
                for record in records {
                    let why = match record.cause {
                        Cause::Absent => ABSENT_AT_THE_END,
                        _ => {
                            "the broker refused its batch, and the run ended before the cause was found"
                        }
                    };
                    self.deliveries
                        .conclude(&record.record, (&topic, partition), why);
                }
            }
        }
        self.absences.settle();
        isolated
    }

    fn isolate_all(&mut self, open: &mut Vec<Suspects>) -> Result<(), SendStop> {
        loop {
            let waiting = open.iter().map(|suspects| suspects.records.len() as u64);
            self.wait_for_answers(waiting.sum())?;
            self.spare_epochs()?;
            self.await_absent()?;
            self.take_refused(open)?;
            open.retain(|suspects| !suspects.records.is_empty());
            if open.is_empty() {
                return Ok(());
            }
            for suspects in &mut *open {
                self.send_part(suspects)?;
            }
        }
    }

    /// Waits until everything in flight is answered, except for refused records; the account of refusals does not hold
    /// `parked` of these.
    fn wait_for_answers(&mut self, parked: u64) -> Result<(), SendStop> {
        loop {
            if self.job.control.is_stopping() {
                return Err(SendStop::Interrupted);
            }
            self.check_alive()?;
            let account = self.deliveries.account();
            let known = account.counts.answered() + account.refusals.held() + parked;
            let waiting = known < self.waiter.handed;
            drop(account);
            if !waiting {
                return Ok(());
            }
            self.renew_when_overdue(parked)?;
            self.waiter.wait(WaitFor::Answers);
        }
    }

    /// Lets another producer take over before this one has used up its epochs. By now everything is answered.
    fn spare_epochs(&mut self) -> Result<(), Error> {
        let mut account = self.deliveries.account();
        if account.refusals.since_renewal < MOST_REFUSED {
            return Ok(());
        }
        account.refusals.since_renewal = 0;
        drop(account);
        self.connection.retire_producers();
        self.router.change_producers()
    }

    /// Judges the records refused since the last part was sent.
    fn take_refused(&mut self, open: &mut Vec<Suspects>) -> Result<(), Error> {
        let refused = self.deliveries.account().refusals.take();
        let mut returned = vec![false; open.len()];
        for (topic, partition, records) in refused {
            let known = open
                .iter()
                .position(|s| s.partition == partition && s.topic == topic);
            let index = known.unwrap_or_else(|| {
                open.push(Suspects {
                    topic,
                    partition,
                    records: Vec::new(),
                    reach: 0,
                    sent: 0,
                });
                returned.push(false);
                open.len() - 1
            });
            returned[index] = true;
            let suspects = &mut open[index];
            if !self.leave_given_up(suspects, &records) {
                self.judge(suspects, &records)?;
            }
        }
        for (suspects, returned) in open.iter_mut().zip(returned) {
            if !returned {
                suspects.reach = suspects.reach.saturating_mul(2);
            }
        }
        Ok(())
    }

    fn judge(&mut self, suspects: &mut Suspects, records: &[RefusedRecord]) -> Result<(), Error> {
        let (topic, partition) = (suspects.topic.as_str(), suspects.partition);
        let alone = suspects.sent == 1;
        let marked = self.deliveries.account().refusals.marked;
        let mut judgement = judge(records, alone, marked, self.router.batch_size(topic));
        for culprit in &judgement.culprits {
            let why = self.culprit_words(culprit, topic);
            self.deliveries
                .conclude(&culprit.record, (topic, partition), &why);
        }
        if let Some(large) = records.iter().find(|r| r.cause == Cause::TooLarge) {
            let all = records.iter().filter(|r| r.cause == Cause::TooLarge);
            let bytes = all.map(|r| r.bytes).sum();
            self.learn_limit(topic, bytes, large.bytes)?;
        }
        if self.job.on_refused == OnRefused::Leave {
            let absent = judgement.suspects.iter().cloned();
            let absent = absent.filter(|r| r.cause == Cause::Absent).collect();
            judgement.suspects.retain(|r| r.cause != Cause::Absent);
            self.leave(judgement, (topic, partition));
            judgement = Judgement {
                suspects: absent,
                ..Judgement::default()
            };
        }
        suspects.reach = match judgement.unclear {
            0 => judgement.suspects.len().max(1),
            n => n.div_ceil(2),
        };
        suspects
            .records
            .extend(judgement.suspects.into_iter().rev());
        Ok(())
    }

    /// Leaves the `refused` and the earlier records of a partition unsent if the run has given up waiting for
    /// it; returns `false` if not.
    fn leave_given_up(&mut self, suspects: &mut Suspects, refused: &[RefusedRecord]) -> bool {
        let target = self.router.index_of(&suspects.topic);
        let given_up = target.and_then(|target| self.given_up(target, suspects.partition));
        let Some(why) = given_up else {
            return false;
        };
        let place = (suspects.topic.as_str(), suspects.partition);
        for record in refused.iter().chain(suspects.records.iter().rev()) {
            self.deliveries.conclude(&record.record, place, &why);
        }
        suspects.records.clear();
        true
    }

    /// Leaves records of refused batches unsent, with what is known about the cause.
    fn leave(&self, judgement: Judgement, (topic, partition): (&str, i32)) {
        for group in judgement.suspects.chunk_by(|a, b| a.group == b.group) {
            let why = match judgement.unclear {
                0 => "it was in the same batch as a record that the broker refuses".into(),
                _ => self.batch_words(group),
            };
            for record in group {
                self.deliveries
                    .conclude(&record.record, (topic, partition), &why);
            }
        }
    }

    /// Sends the next part again.
    fn send_part(&mut self, suspects: &mut Suspects) -> Result<(), SendStop> {
        let Some(target) = self.router.index_of(&suspects.topic) else {
            return Ok(());
        };
        let part = suspects.reach.clamp(1, suspects.records.len());
        suspects.sent = part;
        for _ in 0..part {
            let Some(record) = suspects.records.last().cloned() else {
                break;
            };
            let timestamp_ms =
                self.kept_timestamp_ms(record.record.record(), record.record.position());
            let lent = record.record.clone();
            let sent = self.hand_over(lent, target, suspects.partition, timestamp_ms);
            match sent {
                Ok(()) => {}
                Err(Code::QUEUE_FULL) => return Err(self.full_for_good()),
                Err(Code::FATAL) => return Err(SendStop::Failed(self.ended(Ending::Fatal))),
                Err(code) if Cause::of(code) == Some(Cause::Absent) => {
                    let place = (suspects.topic.as_str(), suspects.partition);
                    self.deliveries.hold_absent(&record.record, place);
                }
                Err(_) => {
                    let too_large = RefusedRecord {
                        cause: Cause::TooLarge,
                        ..record.clone()
                    };
                    let why = self.culprit_words(&too_large, &suspects.topic);
                    self.deliveries.conclude(
                        &record.record,
                        (&suspects.topic, suspects.partition),
                        &why,
                    );
                }
            }
            suspects.records.pop();
        }
        Ok(())
    }
}
