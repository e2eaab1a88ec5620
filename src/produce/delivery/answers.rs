//! Handles the broker's answer for a record: its outcome, and what to do about a refusal.

use std::sync::atomic::Ordering;

use super::{Account, Deliveries, Returned};
use crate::cluster::native::{Code, Delivery, DeliveryFailure, InFlightRecord, Persisted};
use crate::produce::delivery::counts::Undelivered;
use crate::produce::delivery::refusals::Cause;
use crate::report::{Outcome, ProblemKind};

impl Deliveries {
    /// Handles the answer for a record.
    pub(in crate::produce) fn answer(&self, delivery: &Delivery<'_>) {
        let Delivery { record, topic, .. } = delivery;
        // Read before locking, because the lock may have to wait for others.
        let due = record.due();
        let response = due.map(|due| self.began.elapsed().saturating_sub(due));
        let mut account = self.account();
        if account.is_closed {
            return;
        }
        account.ages.answered(record.span());
        match delivery.result {
            Ok(()) => {
                record.end();
                account.heard += 1;
                self.counters.delivered.fetch_add(1, Ordering::Relaxed);
                let (bytes, latency) = (delivery.bytes, delivery.latency);
                let place = (record.target(), delivery.partition);
                if let (Some(sent), Some(offset)) = (&self.sent, delivery.offset) {
                    sent.deliver(place, offset, latency.unwrap_or_default());
                }
                account
                    .counts
                    .deliver(place, delivery.offset, bytes, latency);
                if let (Some(response), Some(latency)) = (response, latency) {
                    account.counts.keep_time(response, latency);
                }
                account.counts.place(record.record(), delivery.partition);
                let partition = delivery.partition;
                let refusals = &mut account.refusals;
                if refusals.delivered(topic, partition, record.position()) {
                    let origin = record.record().origin;
                    let problems = &mut account.counts.problems;
                    problems.add(ProblemKind::SentAgain, origin, || late(topic, partition));
                }
                if let Some(answers) = &mut account.answers {
                    answers.delivered(record.position());
                }
            }
            Err(failure) => {
                account.heard += u64::from(failure.code.is_brokers());
                let cause = Cause::of(failure.code).filter(|_| failure.persisted == Persisted::No);
                if let Some(cause) = cause {
                    let bytes = self.bytes_of(record);
                    let place = (topic.as_ref(), delivery.partition);
                    account.refusals.hold(place, record.clone(), cause, bytes);
                    self.has_refused.store(true, Ordering::SeqCst);
                    return;
                }
                if failure.code == Code::TOPIC_AUTHORIZATION_FAILED {
                    self.forbid(topic);
                }
                let Some((failure, why)) = self.judge(&mut account, delivery, failure) else {
                    return;
                };
                account.counts.note_answer(failure.code);
                account.fail(record, Undelivered::Failed(failure), &why);
            }
        }
        drop(account);
        self.release(record.batch(), record.record());
    }

    /// The outcome of a record that failed; `None` if it comes back to be sent again.
    pub(super) fn judge(
        &self,
        account: &mut Account,
        delivery: &Delivery<'_>,
        failure: DeliveryFailure,
    ) -> Option<(DeliveryFailure, String)> {
        let Delivery {
            record,
            topic,
            partition,
            ..
        } = delivery;
        let place = (topic.as_ref(), Some(*partition));
        let words = |code| self.describe(code, place, self.bytes_of(record));
        let is_overdue = account.ages.is_overdue(record.span());
        if is_overdue && failure.code.is_purge() {
            account.note_overdue(topic, *partition);
        }
        let Some(returned) = account
            .returned
            .as_mut()
            .filter(|_| failure.code.is_purge())
        else {
            return Some((failure, words(failure.code)));
        };
        if failure.persisted == Persisted::No && !is_overdue {
            returned.push(Returned {
                record: record.clone(),
                topic: topic.to_string(),
                partition: *partition,
            });
            return None;
        }
        let code = Code::MESSAGE_TIMED_OUT;
        let why = match is_overdue {
            true => words(code),
            false => format!(
                "topic `{topic}` [{partition}]: it had no answer yet when kreplay ended its producer \
                 because other records had timed out"
            ),
        };
        Some((DeliveryFailure { code, ..failure }, why))
    }

    pub(super) fn bytes_of(&self, record: &InFlightRecord) -> usize {
        record.batch().size(record.record()) + self.added_bytes
    }

    /// An error of one record in words, with its size if that matters.
    pub(super) fn describe(
        &self,
        code: Code,
        (topic, partition): (&str, Option<i32>),
        bytes: usize,
    ) -> String {
        let place = partition
            .filter(|p| *p >= 0)
            .map_or(String::new(), |p| format!(" [{p}]"));
        let text = match code {
            Code::MESSAGE_SIZE_TOO_LARGE => self.too_large(topic, bytes),
            code if Cause::of(code) == Some(Cause::Absent) => {
                "the cluster's metadata does not contain it, and a broker may have taken the record before"
                    .into()
            }
            code => code.words(),
        };
        format!("topic `{topic}`{place}: {text}")
    }
}

impl Account {
    /// Accepts no more answers. The records in `open` count as those that never got one.
    pub(in crate::produce) fn close(&mut self, open: impl Iterator<Item = InFlightRecord>) {
        self.is_closed = true;
        for record in open {
            let why = "no broker answered before the run ended: it may be in the log";
            self.fail(&record, Undelivered::Unanswered, why);
        }
    }

    /// Counts a record that is not delivered, with the reason `why`: this is its final outcome, in the ledger, in the
    /// journal and among the rejects.
    pub(super) fn fail(&mut self, record: &InFlightRecord, how: Undelivered, why: &str) {
        let (batch, captured) = (record.batch(), record.record());
        let reason = format!("{why}, captured from {}", batch.captured_at(captured));
        let outcome = self.counts.fail(how, captured.origin, &reason);
        if let (Outcome::NotWritten, Some(answers)) = (outcome, &mut self.answers) {
            answers.not_written(record.position());
        }
        match how {
            Undelivered::Failed(_) | Undelivered::Refused => record.end(),
            // librdkafka still has it.
            Undelivered::Unanswered => {}
        }
        self.rejects.add(batch, captured, outcome, why);
    }
}

/// Why a record that was sent again is out of order.
pub(super) fn late(topic: &str, partition: i32) -> String {
    format!(
        "the broker refused its batch, and later records of {topic} [{partition}] were in the log when \
         it was sent again"
    )
}
