//! How much may be in flight: a window in bytes, with all that librdkafka holds of a record. It is
//! the second bounded queue of a replay: a slow broker makes the sender wait, and so extraction.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// What librdkafka holds of a record besides its bytes: its message and queue entries are about
/// 208 bytes, its headers' list and allocator slack the rest.
const RECORD_OVERHEAD: usize = 512;

/// The window.
#[derive(Debug)]
pub(super) struct InFlightBudget {
    /// Bytes that may be in flight.
    window: usize,
    taken: AtomicUsize,
    reopened: Condvar,
    lock: Mutex<()>,
}

impl InFlightBudget {
    /// A window in which librdkafka fills its batches at any speed.
    pub(super) const WIDE: usize = 24 << 20;
    /// One for a journal: what is in flight when kreplay is killed may be sent twice.
    pub(super) const NARROW: usize = 8 << 20;

    pub(super) fn of(window: usize) -> Self {
        Self {
            window,
            taken: AtomicUsize::new(0),
            reopened: Condvar::new(),
            lock: Mutex::new(()),
        }
    }

    /// Bytes at which a sender that found the window full goes on: waking it for each delivery would
    /// cost more than the delivery.
    fn reopens_at(&self) -> usize {
        self.window / 4 * 3
    }

    /// Puts a record of `bytes` in; `true` when the window is now full.
    pub(super) fn acquire(&self, bytes: usize) -> bool {
        let weight = bytes + RECORD_OVERHEAD;
        self.taken.fetch_add(weight, Ordering::SeqCst) + weight >= self.window
    }

    /// Takes out a record of `bytes` that librdkafka has refused or answered.
    pub(super) fn release(&self, bytes: usize) {
        let weight = bytes + RECORD_OVERHEAD;
        let before = self.taken.fetch_sub(weight, Ordering::SeqCst);
        let reopens_at = self.reopens_at();
        if before > reopens_at && before - weight <= reopens_at {
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
            self.reopened.notify_all();
        }
    }

    /// Waits up to `limit` until there is room again; `true` when there is.
    pub(super) fn wait(&self, limit: Duration) -> bool {
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |_: &mut ()| self.taken.load(Ordering::SeqCst) > self.reopens_at();
        let waited = self.reopened.wait_timeout_while(guard, limit, full);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_window_reopens_when_a_quarter_has_left() {
        let budget = InFlightBudget::of(32 << 20);
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
}
