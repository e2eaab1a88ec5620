//! Deliveries: the broker's answer for each record, counted as it comes. Runs on the threads that
//! poll librdkafka, beside the one that sends.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::message::{DeliveryResult, Message};
use rdkafka::types::RDKafkaErrorCode;

use super::budget::InFlightBudget;
use super::client::code_words;
use super::counts::Counts;
use super::in_flight::{DeliveryTag, InFlight};
use super::native::{self, Persisted};
use super::progress::Counters;
use super::reasons::Reason;
use super::rejects::Rejects;
use crate::offsets::Offsets;
use crate::record::{Batch, Record};

/// The last troubles that librdkafka told of.
#[derive(Debug, Clone, Default)]
pub(super) struct Troubles {
    /// The last reason why no broker could be used.
    pub(super) connection: Option<Reason>,
    /// All known brokers are down.
    pub(super) all_down: bool,
    /// A wrong secret or mechanism: trying again does not help.
    pub(super) authentication: Option<Reason>,
    /// The producer cannot go on.
    pub(super) fatal: bool,
}

impl Troubles {
    /// A clear word is not lost among the vague ones that follow from it.
    fn connection(&mut self, reason: Reason) {
        let clearest = self.connection.as_ref().map(|known| known.clarity);
        if clearest.is_none_or(|clearest| reason.clarity >= clearest) {
            self.connection = Some(reason);
        }
    }
}

/// What becomes of records.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) counts: Counts,
    pub(super) in_flight: InFlight,
    pub(super) rejects: Rejects,
    /// The positions in the source of what is delivered, where a journal is kept.
    pub(super) delivered: Option<Offsets>,
}

/// The account of all records of a run, over all producers.
pub(super) struct Deliveries {
    counters: Arc<Counters>,
    account: Mutex<Account>,
    troubles: Mutex<Troubles>,
    /// What limits the records of a topic, in words.
    limits: Mutex<HashMap<String, String>>,
    pub(super) budget: InFlightBudget,
    /// Bytes of the headers that each record gets.
    added_bytes: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Deliveries {
    pub(super) fn new(
        counters: Arc<Counters>,
        rejects: Rejects,
        budget: InFlightBudget,
        added_bytes: usize,
    ) -> Self {
        Self {
            counters,
            account: Mutex::new(Account {
                counts: Counts::new(),
                in_flight: InFlight::default(),
                rejects,
                delivered: None,
            }),
            troubles: Mutex::default(),
            limits: Mutex::default(),
            budget,
            added_bytes,
        }
    }

    pub(super) fn account(&self) -> MutexGuard<'_, Account> {
        lock(&self.account)
    }

    pub(super) fn troubles(&self) -> Troubles {
        lock(&self.troubles).clone()
    }

    /// Notes what librdkafka's error callback was told.
    pub(super) fn trouble(&self, code: Option<RDKafkaErrorCode>, reason: &str) {
        let mut troubles = lock(&self.troubles);
        match code {
            Some(RDKafkaErrorCode::AllBrokersDown) => troubles.all_down = true,
            Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed) => {
                troubles.authentication = Some(Reason::of(reason));
            }
            Some(RDKafkaErrorCode::Fatal) => troubles.fatal = true,
            _ => troubles.connection(Reason::of(reason)),
        }
    }

    /// Notes what librdkafka's log says of a connection that failed.
    pub(super) fn hung_up(&self, reason: &str) {
        lock(&self.troubles).connection(Reason::of(reason));
    }

    /// Says what limits the records of `topic`, for those that are refused.
    pub(super) fn limit(&self, topic: &str, words: String) {
        lock(&self.limits).insert(topic.into(), words);
    }

    /// Puts a record into the window of what may be in flight; `true` when that is now full.
    pub(super) fn acquire(&self, batch: &Batch, record: &Record) -> bool {
        self.budget.acquire(batch.size(record) + self.added_bytes)
    }

    /// Takes a record out again that librdkafka did not take.
    pub(super) fn release(&self, batch: &Batch, record: &Record) {
        self.budget.release(batch.size(record) + self.added_bytes);
    }

    /// A record that librdkafka did not take.
    pub(super) fn refused(&self, tag: DeliveryTag, topic: &str, code: RDKafkaErrorCode) {
        let mut account = self.account();
        self.fail(&mut account, tag, Persisted::No, code, (topic, None));
        account.counts.refused += 1;
    }

    /// A record that its topic does not take, by the topic's own settings; librdkafka was not given it.
    pub(super) fn withhold(&self, tag: DeliveryTag, topic: &str, why: impl Display) {
        let mut account = self.account();
        let Account {
            counts,
            in_flight,
            rejects,
            ..
        } = &mut *account;
        let Some((batch, record, _)) = in_flight.record(tag) else {
            return;
        };
        let why = format!("topic `{topic}`: {why}");
        let told = format!("{why}, captured from {}", batch.captured_at(record));
        let fate = counts.refuse(record.origin, &told);
        rejects.add(batch, record, fate, &why);
        counts.refused += 1;
    }

    /// Takes the answer for the record that was given `word`.
    pub(super) fn answer(&self, result: &DeliveryResult<'_>, word: usize) {
        let tag = DeliveryTag::unpack(word);
        let mut account = self.account();
        let bytes = match result {
            Ok(message) => {
                self.counters.delivered.fetch_add(1, Ordering::Relaxed);
                let Account {
                    counts,
                    in_flight,
                    delivered,
                    ..
                } = &mut *account;
                let bytes = message.payload_len() + message.key_len();
                counts.deliver(message.topic(), bytes, native::latency(message));
                in_flight
                    .record(tag)
                    .map_or(0, |(batch, record, position)| {
                        if let Some(delivered) = delivered {
                            delivered.insert(i64::try_from(position).unwrap_or(i64::MAX));
                        }
                        batch.size(record)
                    })
            }
            Err((error, message)) => {
                let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
                let place = (message.topic(), Some(message.partition()));
                self.fail(&mut account, tag, native::persisted(message), code, place)
            }
        };
        account.in_flight.answer(tag);
        drop(account);
        self.budget.release(bytes + self.added_bytes);
    }

    /// Counts a record that failed, and puts it among the rejects; tells its bytes.
    fn fail(
        &self,
        account: &mut Account,
        tag: DeliveryTag,
        persisted: Persisted,
        code: RDKafkaErrorCode,
        place: (&str, Option<i32>),
    ) -> usize {
        let Account {
            counts,
            in_flight,
            rejects,
            ..
        } = account;
        let Some((batch, record, _)) = in_flight.record(tag) else {
            return 0;
        };
        let bytes = batch.size(record);
        let why = self.describe(code, place, bytes + self.added_bytes);
        let told = format!("{why}, captured from {}", batch.captured_at(record));
        let fate = counts.fail(persisted, code, record.origin, &told);
        rejects.add(batch, record, fate, &why);
        bytes
    }

    /// An error of one record in words, with its size where that makes the difference.
    fn describe(
        &self,
        code: RDKafkaErrorCode,
        (topic, partition): (&str, Option<i32>),
        bytes: usize,
    ) -> String {
        let place = partition
            .filter(|p| *p >= 0)
            .map_or(String::new(), |p| format!(" [{p}]"));
        let text = match code {
            RDKafkaErrorCode::MessageSizeTooLarge => {
                let limits = lock(&self.limits);
                let limit = limits
                    .get(topic)
                    .map_or("`message.max.bytes`", String::as_str);
                format!("the record's {bytes} bytes do not fit into {limit}")
            }
            code => code_words(code),
        };
        format!("topic `{topic}`{place}: {text}")
    }
}
