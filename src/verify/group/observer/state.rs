//! What the thread that looks and those that wait for it share.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::verify::group::GroupWatch;
use crate::verify::group::sent::SentTimes;

/// How far the group is that lags most, for those who watch the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GroupProgress {
    /// Records delivered and not committed.
    pub(crate) lag: u64,
    /// Records a second that it commits; `None` while that is unknown.
    pub(crate) rate: Option<f64>,
    /// Records that it has committed.
    pub(crate) done: u64,
    /// The interval between its commits; `None` while that is unknown.
    pub(crate) commit_interval: Option<Duration>,
    /// The number of the look.
    pub(crate) look: u64,
}

pub(super) struct Observed {
    pub(super) sent: Arc<SentTimes>,
    pub(super) state: Mutex<ObservedState>,
    pub(super) changed: Condvar,
}

pub(super) struct ObservedState {
    pub(super) groups: Vec<(String, GroupWatch)>,
    pub(super) is_over: bool,
    /// Whether the next look has to come at once and to cover everything.
    pub(super) is_urgent: bool,
    /// How many looks somebody has asked for, and how many of those are over.
    pub(super) asked: u32,
    pub(super) served: u32,
    /// How long it is from one look to the next.
    pub(super) look_every: Duration,
}

impl Observed {
    pub(super) fn state(&self) -> MutexGuard<'_, ObservedState> {
        // The state is consistent between any two statements, also after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wait<'a>(
        &self,
        state: MutexGuard<'a, ObservedState>,
        limit: Duration,
    ) -> MutexGuard<'a, ObservedState> {
        let waited = self.changed.wait_timeout(state, limit);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl ObservedState {
    /// Whether there is nothing left to wait for: a look that began after the last delivery found every group
    /// drained.
    pub(super) fn is_settled(&self) -> bool {
        self.is_served() && self.groups.iter().all(|(_, watch)| watch.is_drained())
    }

    pub(super) fn is_served(&self) -> bool {
        self.asked > 0 && self.served == self.asked
    }

    pub(super) fn progress(&self, look: u64) -> GroupProgress {
        let slowest = self.groups.iter().max_by_key(|(_, watch)| watch.lag());
        GroupProgress {
            lag: slowest.map_or(0, |(_, watch)| watch.lag()),
            rate: slowest.and_then(|(_, watch)| watch.rate()),
            done: slowest.map_or(0, |(_, watch)| watch.done()),
            commit_interval: slowest.and_then(|(_, watch)| watch.commit_interval()),
            look,
        }
    }
}
