//! How long records wait for their answers. kreplay watches `message.timeout.ms` itself: librdkafka would
//! continue under a new epoch after a time-out, and send again what a broker may have taken under the old
//! one. The clock here stops while the process is stopped.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The most that counts of the time between two checks. The sending thread checks every few milliseconds;
/// a longer time means that the process, or the machine, was stopped.
const LONGEST_STEP: Duration = Duration::from_secs(1);
/// A span in which records are handed over is this fraction of the time that they may wait.
const PARTS: u32 = 64;
/// Shorter spans would only cost memory.
const SHORTEST_SPAN: Duration = Duration::from_millis(10);

/// How long the process ran between two checks, at `looked` and at `now`. Every limit on how long a cluster may
/// be silent counts this time.
pub(in crate::produce) fn running_time(looked: Instant, now: Instant) -> Duration {
    now.saturating_duration_since(looked).min(LONGEST_STEP)
}

/// Records that were handed over in a short span of time, which count as equally old.
#[derive(Debug)]
struct HandoverSpan {
    began: Duration,
    /// How many were handed over in it; `None` as long as it is the last one.
    handed: Option<u64>,
    answered: u64,
}

/// The waiting times of all records in flight.
#[derive(Debug)]
pub(in crate::produce) struct InFlightAges {
    /// How long a record may wait; `None` if it may wait for ever.
    limit: Option<Duration>,
    now: Duration,
    looked: Option<Instant>,
    /// The number of the first span in `spans`.
    first: u32,
    spans: VecDeque<HandoverSpan>,
}

impl InFlightAges {
    pub(in crate::produce) fn new(limit: Option<Duration>) -> Self {
        let began = Duration::ZERO;
        let span = HandoverSpan {
            began,
            handed: None,
            answered: 0,
        };
        Self {
            limit,
            now: began,
            looked: None,
            first: 0,
            spans: VecDeque::from([span]),
        }
    }

    /// Advances the clock to `now`, until which `handed` records were handed over in the last span. Returns
    /// the number of the next span if that begins now.
    pub(in crate::produce) fn look(&mut self, now: Instant, handed: u64) -> Option<u32> {
        self.now += running_time(self.looked.unwrap_or(now), now);
        self.looked = Some(now);
        let length = (self.limit? / PARTS).max(SHORTEST_SPAN);
        let began = self.now;
        let last = self.spans.back_mut()?;
        if handed == 0 {
            last.began = began;
            return None;
        }
        if began - last.began < length {
            return None;
        }
        last.handed = Some(handed);
        self.spans.push_back(HandoverSpan {
            began,
            handed: None,
            answered: 0,
        });
        while let Some(span) = self.spans.front()
            && span.handed == Some(span.answered)
        {
            self.spans.pop_front();
            self.first = self.first.wrapping_add(1);
        }
        let behind = u32::try_from(self.spans.len() - 1).unwrap_or(u32::MAX);
        Some(self.first.wrapping_add(behind))
    }

    /// The time that has passed, without that in which the process stood still.
    pub(in crate::produce) fn clock(&self) -> Duration {
        self.now
    }

    /// Whether a record has waited for too long.
    pub(in crate::produce) fn is_any_overdue(&self) -> bool {
        let mut waiting = self.spans.iter();
        let oldest = waiting.find(|span| span.handed.is_some_and(|n| n > span.answered));
        oldest.is_some_and(|span| self.is_over(span))
    }

    /// Whether a record of the span with this number has waited for too long.
    pub(in crate::produce) fn is_overdue(&self, span: u32) -> bool {
        self.index(span)
            .is_some_and(|at| self.is_over(&self.spans[at]))
    }

    /// Notes that a record of the span with this number has been answered.
    pub(in crate::produce) fn answered(&mut self, span: u32) {
        if let Some(at) = self.index(span) {
            self.spans[at].answered += 1;
        }
    }

    fn is_over(&self, span: &HandoverSpan) -> bool {
        self.limit
            .is_some_and(|limit| self.now - span.began >= limit)
    }

    fn index(&self, span: u32) -> Option<usize> {
        let at = usize::try_from(span.wrapping_sub(self.first)).ok()?;
        (at < self.spans.len()).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_record_is_overdue_when_it_has_waited_for_the_limit() {
        let start = Instant::now();
        let mut ages = InFlightAges::new(Some(ms(6400)));
        assert_eq!(ages.look(start, 0), None);
        // A span takes 100 ms; its beginning moves as long as nothing was handed over.
        assert_eq!(ages.look(start + ms(500), 0), None);
        assert_eq!(ages.look(start + ms(550), 2), None);
        assert_eq!(ages.look(start + ms(600), 2), Some(1));
        ages.answered(0);
        let mut now = start + ms(600);
        for _ in 0..63 {
            now += ms(100);
            assert!(!ages.is_any_overdue());
            ages.look(now, 0);
        }
        assert!(ages.is_any_overdue() && ages.is_overdue(0));
        assert!(!ages.is_overdue(1));
        ages.answered(0);
        assert!(!ages.is_any_overdue());
        assert_eq!(ages.look(now + ms(500), 1), Some(2));
        assert_eq!((ages.first, ages.spans.len()), (1, 2));
    }

    #[test]
    fn time_during_which_the_process_is_stopped_does_not_count() {
        let start = Instant::now();
        let mut ages = InFlightAges::new(Some(ms(1500)));
        ages.look(start, 0);
        ages.look(start + ms(100), 1);
        ages.look(start + ms(3_600_000), 1);
        assert!(!ages.is_any_overdue());
        ages.look(start + ms(3_600_500), 1);
        assert!(ages.is_any_overdue());
    }

    #[test]
    fn without_a_limit_nothing_is_ever_overdue() {
        let start = Instant::now();
        let mut ages = InFlightAges::new(None);
        ages.look(start, 0);
        assert_eq!(ages.look(start + ms(500), 1), None);
        assert!(!ages.is_any_overdue() && !ages.is_overdue(0));
    }
}
