//! Limits what may be in flight by two numbers: the records that have no answer, with everything that
//! librdkafka holds of them, and the batches that they keep in memory. It is the second bounded queue of a
//! replay: a slow broker makes the sender wait, and so extraction.
//!
//! librdkafka counts the time of a record from the moment when it is handed over. So the window for records
//! begins small and follows what the cluster takes: it grows as long as a full window is answered within a
//! fraction of `message.timeout.ms`, and shrinks when that takes longer.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::record::in_flight::Pin;

/// What librdkafka holds of a record besides its bytes: its message and queue entries are about
/// 208 bytes, its headers' list and allocator slack the rest.
const RECORD_OVERHEAD: usize = 512;
/// The fraction of `message.timeout.ms` that a full window may take to be answered: the rest is for a cluster
/// that becomes slower, and for retries.
const PART_OF_TIMEOUT: u32 = 4;
/// Bytes a second of the slowest cluster that answers the very first window in time: a quarter of what a
/// modem of 1998 or a harsh quota lets through.
const SLOWEST: u64 = 4 << 10;
/// The smallest window. It is larger than one record of most topics, and one record always fits.
const SMALLEST: usize = 16 << 10;
/// How much a window grows at once. A quota of Kafka's lets a burst through before it throttles, which says
/// nothing about the rate that follows, so a window must not be much larger than what was answered.
const MOST_GROWTH: f64 = 4.0;
/// The end of a turn that has not begun: this many bytes never come.
const NO_TURN: u64 = u64::MAX;

/// The window, and the memory behind it.
#[derive(Debug)]
pub(in crate::produce) struct InFlightBudget {
    /// Bytes that may be in flight now.
    window: AtomicUsize,
    /// The most bytes that may ever be in flight.
    most: usize,
    taken: AtomicUsize,
    answered: AtomicU64,
    /// The number of answered bytes at which a window that was full is answered; [`NO_TURN`] while none was
    /// full.
    turn_ends: AtomicU64,
    turn: Mutex<Option<Instant>>,
    /// How long a full window may take to be answered.
    patience: Duration,
    reopened: Condvar,
    lock: Mutex<()>,
    pinned: Arc<AtomicUsize>,
}

impl InFlightBudget {
    /// A window that lets librdkafka fill its batches at any speed.
    pub(in crate::produce) const WIDE: usize = 24 << 20;
    /// The window with a journal: what is in flight when kreplay is killed may be sent twice.
    pub(in crate::produce) const NARROW: usize = 8 << 20;
    /// How many times the widest window batches may keep in memory: once for records without an answer, once
    /// for their neighbours in half-answered batches.
    const PINNED: usize = 2;
    /// Beyond [`Self::PINNED`], each record is kept alone. Beyond this limit, nothing is sent: only copies of
    /// single records reach it, because of the overhead of each.
    const PINNED_MOST: usize = 4;

    /// A window of at most `most` bytes, for records that time out after `timeout`.
    pub(in crate::produce) fn of(most: usize, timeout: Duration) -> Self {
        let first = timeout.as_secs().saturating_mul(SLOWEST);
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        Self {
            window: AtomicUsize::new(first.clamp(SMALLEST, most.max(SMALLEST))),
            most,
            taken: AtomicUsize::new(0),
            answered: AtomicU64::new(0),
            turn_ends: AtomicU64::new(NO_TURN),
            turn: Mutex::new(None),
            patience: timeout / PART_OF_TIMEOUT,
            reopened: Condvar::new(),
            lock: Mutex::new(()),
            pinned: Arc::default(),
        }
    }

    /// Accounts for a batch of `bytes` until the pin is dropped.
    pub(in crate::produce) fn pin(&self, bytes: usize) -> Pin {
        Pin::new(bytes, &self.pinned)
    }

    /// Whether batches of which few records are left keep so much memory that the next records are better
    /// kept alone.
    pub(in crate::produce) fn is_pinned_full(&self) -> bool {
        self.pinned.load(Ordering::SeqCst) > self.most * Self::PINNED
    }

    /// Whether to send nothing until memory is free again.
    pub(in crate::produce) fn is_pinned_over_full(&self) -> bool {
        let most = self.most * Self::PINNED_MOST;
        // One batch may always be sent, however large.
        self.pinned.load(Ordering::SeqCst) > most && self.taken.load(Ordering::SeqCst) > 0
    }

    /// Whether the window is at its widest: the cluster answers fast enough for that.
    pub(in crate::produce) fn is_widest(&self) -> bool {
        self.window.load(Ordering::SeqCst) >= self.most
    }

    /// The number of bytes at which a sender that found the window full continues: waking it for each
    /// delivery would cost more than the delivery.
    fn reopens_at(&self) -> usize {
        self.window.load(Ordering::SeqCst) / 4 * 3
    }

    /// Adds a record of `bytes`; `true` if the window is now full.
    pub(in crate::produce) fn acquire(&self, bytes: usize) -> bool {
        let weight = bytes + RECORD_OVERHEAD;
        let taken = self.taken.fetch_add(weight, Ordering::SeqCst) + weight;
        let is_full = taken >= self.window.load(Ordering::SeqCst);
        if is_full && self.turn_ends.load(Ordering::SeqCst) == NO_TURN {
            let mut turn = lock(&self.turn);
            *turn = Some(Instant::now());
            let ends = self.answered.load(Ordering::SeqCst) + taken as u64;
            self.turn_ends.store(ends, Ordering::SeqCst);
        }
        is_full
    }

    /// Removes a record of `bytes` that librdkafka has refused or answered.
    pub(in crate::produce) fn release(&self, bytes: usize) {
        let weight = bytes + RECORD_OVERHEAD;
        let answered = self.answered.fetch_add(weight as u64, Ordering::SeqCst) + weight as u64;
        if answered >= self.turn_ends.load(Ordering::SeqCst) {
            self.end_turn();
        }
        let before = self.taken.fetch_sub(weight, Ordering::SeqCst);
        let reopens_at = self.reopens_at();
        if before > reopens_at && before - weight <= reopens_at {
            drop(lock(&self.lock));
            self.reopened.notify_all();
        }
    }

    /// Ends a turn: everything that was in flight when the window was full has been answered.
    fn end_turn(&self) {
        let mut turn = lock(&self.turn);
        let Some(began) = turn.take() else {
            return;
        };
        self.turn_ends.store(NO_TURN, Ordering::SeqCst);
        let most = self.most;
        let window = self.window.load(Ordering::SeqCst);
        let next = next_window(window, began.elapsed(), self.patience, most);
        self.window.store(next, Ordering::SeqCst);
        drop(turn);
        drop(lock(&self.lock));
        self.reopened.notify_all();
    }

    /// Waits up to `limit` until there is room again; `true` if there is.
    pub(in crate::produce) fn wait(&self, limit: Duration) -> bool {
        let guard = lock(&self.lock);
        let full = |_: &mut ()| self.taken.load(Ordering::SeqCst) > self.reopens_at();
        let waited = self.reopened.wait_timeout_while(guard, limit, full);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The window after one that took this long to be answered.
fn next_window(window: usize, took: Duration, patience: Duration, most: usize) -> usize {
    // A turn that took no time is one of the fastest.
    let factor = patience.as_secs_f64() / took.as_secs_f64().max(1e-6);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number below four times a window"
    )]
    let next = (window as f64 * factor.min(MOST_GROWTH)) as usize;
    next.clamp(SMALLEST, most.max(SMALLEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(300);
    const MIB: usize = 1 << 20;

    #[test]
    fn a_full_window_reopens_when_a_quarter_is_free() {
        // 4 KiB/s for 8,192 s are 32 MiB.
        let budget = InFlightBudget::of(32 << 20, Duration::from_secs(8192));
        let bytes = (1 << 20) - RECORD_OVERHEAD;
        let mut entered = 1;
        while !budget.acquire(bytes) {
            entered += 1;
        }
        assert_eq!(entered, 32);
        (0..7).for_each(|_| budget.release(bytes));
        assert!(!budget.wait(Duration::ZERO));
        budget.release(bytes);
        assert!(budget.wait(Duration::ZERO));
    }

    /// The number of turns until the window stays the same, for a cluster that takes `rate` bytes a second;
    /// that window; and the longest turn.
    fn turns(rate: f64, timeout: Duration) -> (usize, usize, f64) {
        let mut window = InFlightBudget::of(InFlightBudget::WIDE, timeout)
            .window
            .into_inner();
        let patience = timeout / PART_OF_TIMEOUT;
        let mut longest: f64 = 0.0;
        for turn in 0..20 {
            let took = window as f64 / rate;
            longest = longest.max(took);
            let took = Duration::from_secs_f64(took);
            let next = next_window(window, took, patience, InFlightBudget::WIDE);
            if next.abs_diff(window) < window / 100 {
                return (turn, window, longest);
            }
            window = next;
        }
        panic!("the window never stays");
    }

    #[test]
    fn at_a_slow_cluster_the_window_holds_a_quarter_of_the_timeout() {
        // 15 kB/s for 75 s.
        let (_, window, longest) = turns(15_000.0, TIMEOUT);
        assert!(window.abs_diff(15_000 * 75) < 20_000, "{window}");
        assert!(longest < 100.0, "{longest}");
        // The slowest cluster that kreplay allows for: the first window takes all of the time.
        assert!(turns(4096.0, TIMEOUT).2 <= 300.0);
    }

    #[test]
    fn at_a_fast_cluster_the_window_is_wide_after_three_rounds() {
        let (turns, window, _) = turns(100e6, TIMEOUT);
        assert_eq!((turns, window), (3, 24 * MIB));
    }

    #[test]
    fn a_round_is_what_was_in_flight_when_the_window_was_full() {
        let budget = InFlightBudget::of(InFlightBudget::WIDE, Duration::from_secs(3600));
        let before = budget.window.load(Ordering::SeqCst);
        let bytes = 4096 - RECORD_OVERHEAD;
        let mut entered = 1;
        while !budget.acquire(bytes) {
            entered += 1;
        }
        (1..entered).for_each(|_| budget.release(bytes));
        assert_eq!(budget.window.load(Ordering::SeqCst), before);
        budget.release(bytes);
        assert_eq!(
            budget.window.load(Ordering::SeqCst),
            InFlightBudget::WIDE.min(before * 4)
        );
    }

    #[test]
    fn batches_are_counted_until_they_are_dropped() {
        let budget = InFlightBudget::of(MIB, TIMEOUT);
        let pins: Vec<Pin> = (0..4).map(|_| budget.pin(MIB)).collect();
        assert!(budget.is_pinned_full() && !budget.is_pinned_over_full());
        let more = budget.pin(1);
        assert!(!budget.is_pinned_over_full(), "nothing is in flight");
        budget.acquire(1);
        assert!(budget.is_pinned_over_full());
        drop((pins, more));
        assert!(!budget.is_pinned_full());
    }
}
