//! Deliveries: the broker's answer for each record, counted as it comes. This runs on the threads that
//! poll librdkafka, beside the sending thread.

pub(crate) mod ages;
mod answers;
pub(super) mod budget;
pub(super) mod counts;
pub(crate) mod distribution;
pub(in crate::produce) mod journal;
pub(super) mod refusals;
pub(super) mod rejects;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use self::ages::InFlightAges;
use self::budget::InFlightBudget;
use self::counts::{DeliveryCounts, Undelivered};
use self::journal::NewOutcomes;
use self::refusals::{Cause, Refusals};
use self::rejects::Rejects;
use super::job::Counters;
use crate::cluster::native::{Code, DeliveryFailure, InFlightRecord, Persisted};
use crate::cluster::reasons::{Clarity, Reason};
use crate::record::{Batch, Record};
use crate::verify::group::sent::SentTimes;

/// The last errors that librdkafka reported.
#[derive(Debug, Clone, Default)]
pub(super) struct ClientErrors {
    /// The clearest reason why no broker could be used.
    pub(super) connection: Option<Reason>,
    /// The last reason: why the cluster is silent now.
    pub(super) latest: Option<Reason>,
    /// Whether all known brokers are down.
    pub(super) all_down: bool,
    /// Which secret or mechanism is wrong, if one is: trying again does not help.
    pub(super) authentication: Option<Reason>,
    /// Why nothing more will be answered.
    ending: Option<Ending>,
    /// The first topic to which a broker does not let the user write.
    forbidden: Option<String>,
}

/// Why no answer will come any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// A fatal error of librdkafka: the producer cannot continue.
    Fatal,
    /// No record was acknowledged for as long as `--give-up-after` allows.
    GivenUp,
    /// The thread that takes the answers has panicked.
    PollingPanicked,
}

impl ClientErrors {
    /// Keeps a clear reason instead of the vague ones that follow from it.
    pub(super) fn connection(&mut self, reason: Reason) {
        self.latest = Some(reason.clone());
        let clearest = self.connection.as_ref().map(|known| known.clarity);
        if clearest.is_none_or(|clearest| reason.clarity >= clearest) {
            self.connection = Some(reason);
        }
    }

    /// Why the cluster is silent now, in words.
    pub(super) fn why_silent(self) -> String {
        let reason = self.authentication.or(self.latest);
        reason.map_or_else(|| "the brokers do not answer".into(), |reason| reason.text)
    }
}

/// The account of records.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) counts: DeliveryCounts,
    pub(super) rejects: Rejects,
    /// Records of refused batches.
    pub(super) refusals: Refusals,
    /// What the journal has to write down, if the run keeps one.
    pub(super) answers: Option<NewOutcomes>,
    /// Records that a broker has answered, even with a refusal.
    pub(super) heard: u64,
    /// Whether the report is complete: later answers then change nothing.
    is_closed: bool,
    /// How long the records in flight have waited.
    pub(super) ages: InFlightAges,
    /// Records that come back from a producer that is being ended; `None` while none is.
    pub(super) returned: Option<Vec<Returned>>,
    /// The topics of records that have waited for too long, each with the highest of their partitions.
    overdue: BTreeMap<String, i32>,
}

/// A record that is certainly not in the log, and that another producer will send.
#[derive(Debug)]
pub(super) struct Returned {
    pub(super) record: InFlightRecord,
    pub(super) topic: String,
    pub(super) partition: i32,
}

/// The account of all records of a run, over all producers.
pub(super) struct Deliveries {
    counters: Arc<Counters>,
    account: Mutex<Account>,
    client_errors: Mutex<ClientErrors>,
    /// What limits the size of a topic's records, in words.
    limits: Mutex<HashMap<String, String>>,
    pub(super) budget: InFlightBudget,
    /// Whether refused records wait to be sent again.
    has_refused: AtomicBool,
    /// Whether the user may not write to one of the topics.
    is_forbidden: AtomicBool,
    /// Bytes of the headers that each record gets.
    added_bytes: usize,
    /// The moment from which due times are counted.
    began: Instant,
    /// When which offset was sent, if the run waits for a consumer group.
    sent: Option<Arc<SentTimes>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Account {
    /// Notes the destination of a record that has waited too long.
    fn note_overdue(&mut self, topic: &str, partition: i32) {
        match self.overdue.get_mut(topic) {
            Some(highest) => *highest = partition.max(*highest),
            None => _ = self.overdue.insert(topic.to_owned(), partition),
        }
    }

    /// The topics of records that have waited too long since the last call, each with the highest of
    /// their partitions.
    pub(super) fn take_overdue(&mut self) -> Vec<(String, i32)> {
        mem::take(&mut self.overdue).into_iter().collect()
    }
}

impl Deliveries {
    pub(super) fn new(
        counters: Arc<Counters>,
        rejects: Rejects,
        budget: InFlightBudget,
        ages: InFlightAges,
        added_bytes: usize,
        sent: Option<Arc<SentTimes>>,
    ) -> Self {
        Self {
            counters,
            account: Mutex::new(Account {
                counts: DeliveryCounts::new(),
                rejects,
                refusals: Refusals::default(),
                answers: None,
                heard: 0,
                is_closed: false,
                ages,
                returned: None,
                overdue: BTreeMap::new(),
            }),
            client_errors: Mutex::default(),
            limits: Mutex::default(),
            budget,
            has_refused: AtomicBool::new(false),
            is_forbidden: AtomicBool::new(false),
            added_bytes,
            began: Instant::now(),
            sent,
        }
    }

    /// When which offset was sent; `None` if the run waits for no consumer group.
    pub(super) fn sent_times(&self) -> Option<&Arc<SentTimes>> {
        self.sent.as_ref()
    }

    /// Adds a topic of the destination; topics are numbered in this order.
    pub(super) fn add_target(&self, name: &str) {
        if let Some(sent) = &self.sent {
            sent.index().add_topic(name);
        }
    }

    pub(super) fn account(&self) -> MutexGuard<'_, Account> {
        lock(&self.account)
    }

    pub(super) fn client_errors(&self) -> ClientErrors {
        lock(&self.client_errors).clone()
    }

    /// Why no more answers will come; `None` as long as they may.
    pub(super) fn ending(&self) -> Option<Ending> {
        lock(&self.client_errors).ending
    }

    /// Notes that no more answers will come. The first reason counts.
    pub(super) fn end(&self, why: Ending) {
        lock(&self.client_errors).ending.get_or_insert(why);
    }

    /// Whether the user may not write to one of the topics; the sending thread checks this before each
    /// record.
    pub(super) fn is_forbidden(&self) -> bool {
        self.is_forbidden.load(Ordering::Relaxed)
    }

    /// The first topic to which a broker did not let the user write.
    pub(super) fn forbidden(&self) -> Option<String> {
        match self.is_forbidden() {
            true => lock(&self.client_errors).forbidden.clone(),
            false => None,
        }
    }

    fn forbid(&self, topic: &str) {
        let forbidden = &mut lock(&self.client_errors).forbidden;
        forbidden.get_or_insert_with(|| topic.into());
        self.is_forbidden.store(true, Ordering::SeqCst);
    }

    /// Notes an error that librdkafka reports about brokers, or about the whole producer.
    pub(super) fn client_error(&self, code: Code, reason: &str) {
        let mut client_errors = lock(&self.client_errors);
        match code {
            Code::ALL_BROKERS_DOWN => client_errors.all_down = true,
            Code::AUTHENTICATION | Code::SASL_AUTHENTICATION_FAILED => {
                client_errors.authentication = Some(Reason::of(reason));
            }
            Code::FATAL => {
                client_errors.ending.get_or_insert(Ending::Fatal);
            }
            _ => client_errors.connection(Reason::of(reason)),
        }
    }

    /// Notes what librdkafka's log says about a failed connection.
    pub(super) fn hung_up(&self, reason: &str) {
        lock(&self.client_errors).connection(Reason::of(reason));
    }

    /// Notes that missing topics are the reason why the cluster is silent.
    pub(super) fn missing(&self, text: String) {
        let (hint, clarity) = (None, Clarity::Vague);
        lock(&self.client_errors).latest = Some(Reason {
            text,
            hint,
            clarity,
        });
    }

    /// Sets what limits the records of `topic`, for the reasons of refusals.
    pub(super) fn limit(&self, topic: &str, words: String) {
        lock(&self.limits).insert(topic.into(), words);
    }

    /// Adds a record to what is in flight; `true` if the window is now full.
    pub(super) fn acquire(&self, batch: &Batch, record: &Record) -> bool {
        self.budget.acquire(batch.size(record) + self.added_bytes)
    }

    /// Notes that `record` was due at `due`.
    pub(super) fn note_due(&self, record: &InFlightRecord, due: Instant) {
        record.set_due(due.saturating_duration_since(self.began));
    }

    /// Removes a record that librdkafka did not accept.
    pub(super) fn release(&self, batch: &Batch, record: &Record) {
        self.budget.release(batch.size(record) + self.added_bytes);
    }

    /// Counts a record that librdkafka did not accept.
    pub(super) fn refused(&self, record: &InFlightRecord, topic: &str, code: Code) {
        let mut account = self.account();
        let failure = DeliveryFailure {
            code,
            persisted: Persisted::No,
        };
        let why = self.describe(code, (topic, None), self.bytes_of(record));
        account.fail(record, Undelivered::Failed(failure), &why);
        account.counts.refused += 1;
    }

    /// Counts a record that its topic refuses by its settings; librdkafka did not get it.
    pub(super) fn withhold(&self, record: &InFlightRecord, topic: &str, why: impl Display) {
        let mut account = self.account();
        let why = format!("topic `{topic}`: {why}");
        account.fail(record, Undelivered::Refused, &why);
        account.counts.refused += 1;
    }

    /// Whether refused records wait to be sent again; the sending thread checks this before each record.
    pub(super) fn has_refused(&self) -> bool {
        self.has_refused.load(Ordering::Relaxed) && self.account().refusals.held() > 0
    }

    /// Holds a record whose topic or partition librdkafka did not know when it should have taken the
    /// record.
    pub(super) fn hold_absent(&self, record: &InFlightRecord, place: (&str, i32)) {
        let bytes = self.bytes_of(record);
        let refusals = &mut self.account().refusals;
        refusals.hold(place, record.clone(), Cause::Absent, bytes);
        self.has_refused.store(true, Ordering::SeqCst);
    }

    /// Counts a refused record as not written, which is its final outcome.
    pub(super) fn conclude(
        &self,
        record: &InFlightRecord,
        (topic, partition): (&str, i32),
        why: &str,
    ) {
        let mut account = self.account();
        let why = format!("topic `{topic}` [{partition}]: {why}");
        account.fail(record, Undelivered::Refused, &why);
        drop(account);
        self.release(record.batch(), record.record());
    }

    /// Why a record is too large, in words.
    pub(super) fn too_large(&self, topic: &str, bytes: usize) -> String {
        let limits = lock(&self.limits);
        let limit = limits
            .get(topic)
            .map_or("`message.max.bytes`", String::as_str);
        format!("the record's {bytes} bytes do not fit into {limit}")
    }
}
