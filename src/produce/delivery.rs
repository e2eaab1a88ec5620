//! Deliveries: the broker's answer for each record, counted as it comes. Runs on the thread that
//! polls librdkafka, beside the one that sends.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use rdkafka::message::{DeliveryResult, Headers, Message};
use rdkafka::types::RDKafkaErrorCode;

use super::client::code_words;
use super::native::{self, Persisted};
use super::progress::Counters;
use crate::record::Origin;
use crate::report::{Latency, Problems, What};

/// The longest latency that is told apart: an hour, in microseconds.
const LONGEST_US: u64 = 3_600_000_000;
/// What librdkafka holds of a record besides its bytes: its message and queue entries are about
/// 208 bytes, its headers' list and allocator slack the rest.
const RECORD_OVERHEAD: usize = 512;

/// What a record carries through librdkafka and back: where it came from, and its weight in the
/// window. Packed into the one word that librdkafka has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) origin: Origin,
    /// In KiB, rounded up.
    weight: u16,
}

impl Ticket {
    const WEIGHT_BITS: u32 = 16;
    const LINE_BITS: u32 = 28;
    const INPUT_BITS: u32 = 20;

    /// A ticket for a record of `bytes` in key, value and headers.
    pub(super) fn new(origin: Origin, bytes: usize) -> Self {
        let weight = (bytes + RECORD_OVERHEAD).div_ceil(1024);
        Self {
            origin,
            weight: u16::try_from(weight).unwrap_or(u16::MAX),
        }
    }

    /// Inputs and lines beyond what there is room for are told as the last that there is.
    pub(super) fn pack(self) -> usize {
        let fit = |n: u64, bits: u32| n.min((1 << bits) - 1);
        let input = fit(u64::from(self.origin.input), Self::INPUT_BITS);
        let line = fit(self.origin.line, Self::LINE_BITS);
        let word = (input << (Self::LINE_BITS + Self::WEIGHT_BITS))
            | (line << Self::WEIGHT_BITS)
            | u64::from(self.weight);
        usize::try_from(word).expect("kreplay is built for 64 bits")
    }

    pub(super) fn unpack(word: usize) -> Self {
        let word = word as u64;
        let part = |shift: u32, bits: u32| (word >> shift) & ((1 << bits) - 1);
        let input = part(Self::LINE_BITS + Self::WEIGHT_BITS, Self::INPUT_BITS);
        Self {
            origin: Origin {
                input: u32::try_from(input).expect("20 bits fit"),
                line: part(Self::WEIGHT_BITS, Self::LINE_BITS),
            },
            weight: u16::try_from(part(0, Self::WEIGHT_BITS)).expect("16 bits fit"),
        }
    }
}

/// What was delivered to one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TopicCount {
    pub(super) topic: String,
    pub(super) delivered: u64,
    pub(super) bytes: u64,
}

/// All deliveries so far.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) delivered: u64,
    pub(super) not_written: u64,
    pub(super) unknown: u64,
    /// How many of `not_written` librdkafka did not even take.
    pub(super) refused: u64,
    pub(super) topics: Vec<TopicCount>,
    pub(super) problems: Problems,
    /// Microseconds.
    latency: Histogram<u64>,
    /// The topic of the last delivery: the next one is mostly of the same.
    last_topic: usize,
}

impl Counts {
    fn new() -> Self {
        Self {
            delivered: 0,
            not_written: 0,
            unknown: 0,
            refused: 0,
            topics: Vec::new(),
            problems: Problems::default(),
            latency: Histogram::new_with_max(LONGEST_US, 3).expect("the bounds are in order"),
            last_topic: 0,
        }
    }

    fn deliver(&mut self, topic: &str, bytes: usize, latency: Option<Duration>) {
        self.delivered += 1;
        if let Some(latency) = latency {
            self.latency
                .saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        }
        if self
            .topics
            .get(self.last_topic)
            .is_none_or(|count| count.topic != topic)
        {
            let known = self.topics.iter().position(|count| count.topic == topic);
            self.last_topic = known.unwrap_or_else(|| {
                self.topics.push(TopicCount {
                    topic: topic.into(),
                    delivered: 0,
                    bytes: 0,
                });
                self.topics.len() - 1
            });
        }
        let count = &mut self.topics[self.last_topic];
        count.delivered += 1;
        count.bytes += bytes as u64;
    }

    /// None when nothing was delivered.
    pub(super) fn latency(&self) -> Option<Latency> {
        let ms = |q| self.latency.value_at_quantile(q) as f64 / 1000.0;
        let max = self.latency.max() as f64 / 1000.0;
        (!self.latency.is_empty()).then(|| Latency {
            p50: ms(0.5),
            p95: ms(0.95),
            p99: ms(0.99),
            max,
        })
    }
}

/// The last troubles that librdkafka told of.
#[derive(Debug, Clone, Default)]
pub(super) struct Troubles {
    /// The last reason why no broker could be used.
    pub(super) connection: Option<String>,
    /// All known brokers are down.
    pub(super) all_down: bool,
    /// A wrong secret or mechanism: trying again does not help.
    pub(super) authentication: Option<String>,
    /// The producer cannot go on.
    pub(super) fatal: bool,
}

/// What librdkafka's callbacks have counted, over all producers of a run.
pub(super) struct Deliveries {
    counters: Arc<Counters>,
    counts: Mutex<Counts>,
    troubles: Mutex<Troubles>,
    /// What limits the records of a topic, in words.
    limits: Mutex<HashMap<String, String>>,
    /// KiB handed to librdkafka and not yet answered.
    in_flight: AtomicU64,
    drained: Condvar,
    drained_lock: Mutex<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Deliveries {
    /// KiB that may be in flight, by librdkafka's own needs too; the second bounded queue.
    pub(super) const WINDOW: u64 = 32 << 10;
    /// KiB at which a sender that found the window full goes on: waking it for each delivery would
    /// cost more than the delivery.
    const REOPEN: u64 = Self::WINDOW / 4 * 3;

    pub(super) fn new(counters: Arc<Counters>) -> Self {
        Self {
            counters,
            counts: Mutex::new(Counts::new()),
            troubles: Mutex::default(),
            limits: Mutex::default(),
            in_flight: AtomicU64::new(0),
            drained: Condvar::new(),
            drained_lock: Mutex::new(()),
        }
    }

    pub(super) fn counts(&self) -> MutexGuard<'_, Counts> {
        lock(&self.counts)
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
                troubles.authentication = Some(reason.into());
            }
            Some(RDKafkaErrorCode::Fatal) => troubles.fatal = true,
            _ => troubles.connection = Some(reason.into()),
        }
    }

    /// Says what limits the records of `topic`, for those that are refused.
    pub(super) fn limit(&self, topic: &str, words: String) {
        lock(&self.limits).insert(topic.into(), words);
    }

    /// Puts a record's weight into the window; `true` when the window is now full.
    pub(super) fn enter(&self, ticket: Ticket) -> bool {
        let weight = u64::from(ticket.weight);
        self.in_flight.fetch_add(weight, Ordering::SeqCst) + weight >= Self::WINDOW
    }

    /// Takes back the weight of a record that librdkafka refused or has answered.
    pub(super) fn leave(&self, ticket: Ticket) {
        let weight = u64::from(ticket.weight);
        let before = self.in_flight.fetch_sub(weight, Ordering::SeqCst);
        if before > Self::REOPEN && before - weight <= Self::REOPEN {
            drop(lock(&self.drained_lock));
            self.drained.notify_all();
        }
    }

    /// Waits up to `limit` until the window has room again; `true` when it has.
    pub(super) fn wait_for_room(&self, limit: Duration) -> bool {
        let guard = lock(&self.drained_lock);
        let full = |_: &mut ()| self.in_flight.load(Ordering::SeqCst) > Self::REOPEN;
        let waited = self.drained.wait_timeout_while(guard, limit, full);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn fail(&self, persisted: Persisted, origin: Origin, why: String) {
        let mut counts = self.counts();
        let what = match persisted {
            Persisted::No => {
                counts.not_written += 1;
                What::NotWritten
            }
            Persisted::Possibly | Persisted::Yes => {
                counts.unknown += 1;
                What::Unknown
            }
        };
        counts.problems.add(what, origin, || why);
    }

    /// A record of `bytes` that librdkafka did not take.
    pub(super) fn refused(
        &self,
        origin: Origin,
        topic: &str,
        code: RDKafkaErrorCode,
        bytes: usize,
        from: &str,
    ) {
        let why = self.describe(code, topic, None, bytes);
        self.fail(
            Persisted::No,
            origin,
            format!("{why}, captured from {from}"),
        );
        self.counts().refused += 1;
    }

    /// An error of one record in words, with its size where that makes the difference.
    fn describe(
        &self,
        code: RDKafkaErrorCode,
        topic: &str,
        partition: Option<i32>,
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

    /// Takes the answer for the record that was given `word`.
    pub(super) fn answer(&self, result: &DeliveryResult<'_>, word: usize) {
        let ticket = Ticket::unpack(word);
        match result {
            Ok(message) => {
                let bytes = message.payload_len() + message.key_len();
                self.counters.delivered.fetch_add(1, Ordering::Relaxed);
                self.counts()
                    .deliver(message.topic(), bytes, native::latency(message));
            }
            Err((error, message)) => {
                let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
                let headers = message.headers().into_iter().flat_map(Headers::iter);
                let headers = headers.map(|h| h.key.len() + h.value.map_or(0, <[u8]>::len));
                let bytes = message.payload_len() + message.key_len() + headers.sum::<usize>();
                let place = (message.topic(), Some(message.partition()));
                let why = self.describe(code, place.0, place.1, bytes);
                self.fail(native::persisted(message), ticket.origin, why);
            }
        }
        self.leave(ticket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_survives_the_way_through_librdkafka() {
        for (input, line, bytes) in [
            (0, 0, 0),
            (3, 17, 200),
            (1_048_575, (1 << 28) - 1, 60 << 20),
        ] {
            let ticket = Ticket::new(Origin { input, line }, bytes);
            assert_eq!(Ticket::unpack(ticket.pack()), ticket);
        }
        let far = Ticket::new(
            Origin {
                input: u32::MAX,
                line: u64::MAX,
            },
            usize::MAX / 2,
        );
        let origin = Origin {
            input: 1_048_575,
            line: (1 << 28) - 1,
        };
        assert_eq!(
            Ticket::unpack(far.pack()),
            Ticket {
                origin,
                weight: u16::MAX
            }
        );
    }

    #[test]
    fn a_full_window_reopens_when_a_quarter_has_left() {
        let deliveries = Deliveries::new(Arc::default());
        let ticket = Ticket::new(Origin { input: 0, line: 1 }, 1 << 20);
        let mut entered = 1;
        while !deliveries.enter(ticket) {
            entered += 1;
        }
        assert_eq!(entered, 32);
        assert!(!deliveries.wait_for_room(Duration::ZERO));
        for _ in 0..9 {
            deliveries.leave(ticket);
        }
        assert!(deliveries.wait_for_room(Duration::ZERO));
    }
}
