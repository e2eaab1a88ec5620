//! Watches consumer groups from the first record until they are drained, on its own thread, which looks at
//! what they have committed.

mod look;
mod state;

use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use self::look::{LOOK_EVERY, observe};
pub(crate) use self::state::GroupProgress;
use self::state::{Observed, ObservedState};
use super::GroupWatch;
use super::asker::Asker;
use super::sent::SentTimes;
use crate::cluster::native::Client;
use crate::host::control::{Control, Shutdown};
use crate::host::patience;
use crate::report::{GroupReport, PartitionDrain};

/// How often a wait checks whether to go on.
const STEP: Duration = Duration::from_millis(20);

/// How long the last look may take, when the time for the groups is over.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// How long the thread may take to end.
const END_LIMIT: Duration = Duration::from_millis(500);

/// Groups under watch; the watch ends when this is dropped.
pub(crate) struct GroupObserver {
    shared: Arc<Observed>,
    looking: Option<JoinHandle<()>>,
    /// Ends requests that the cluster does not answer.
    requests: Control,
}

impl GroupObserver {
    /// Begins to watch, by the deliveries in `sent`; `publish` is called after each look.
    pub(crate) fn start(
        client: Arc<Client>,
        groups: &[String],
        sent: Arc<SentTimes>,
        publish: impl Fn(GroupProgress) + Send + 'static,
    ) -> Self {
        let watches = groups.iter();
        let watches = watches.map(|group| (group.clone(), GroupWatch::default()));
        let shared = Arc::new(Observed {
            sent,
            state: Mutex::new(ObservedState {
                groups: watches.collect(),
                is_over: false,
                is_urgent: false,
                asked: 0,
                served: 0,
                look_every: LOOK_EVERY,
            }),
            changed: Condvar::new(),
        });
        let requests = Control::default();
        let looking = thread::spawn({
            let (shared, requests) = (shared.clone(), requests.clone());
            move || observe(&shared, &Asker { client, requests }, publish)
        });
        Self {
            shared,
            looking: Some(looking),
            requests,
        }
    }

    /// Notes that nothing is delivered any more, and waits until all groups are drained, for `limit` at most.
    /// It calls `goes_on` every few milliseconds, and `false` ends the wait.
    pub(crate) fn wait(&self, limit: Duration, goes_on: impl Fn() -> bool) {
        self.look_until(limit, &goes_on, ObservedState::is_settled);
        let is_settled = self.shared.state().is_settled();
        if !is_settled && goes_on() {
            // One last look, so that the report describes one moment.
            self.look_until(LAST_LOOK, &goes_on, ObservedState::is_served);
        }
    }

    fn look_until(
        &self,
        limit: Duration,
        goes_on: impl Fn() -> bool,
        is_done: impl Fn(&ObservedState) -> bool,
    ) {
        let started = Instant::now();
        let mut state = self.shared.state();
        state.asked += 1;
        state.is_urgent = true;
        self.shared.changed.notify_all();
        while started.elapsed() < limit && !is_done(&state) && goes_on() {
            state = self.shared.wait(state, STEP);
        }
    }

    /// The report of each group.
    pub(crate) fn reports(&self) -> Vec<GroupReport> {
        let mut state = self.shared.state();
        let now = self.shared.sent.now();
        {
            // The last look may have been before the last delivery, if the wait was cut short.
            let index = self.shared.sent.index();
            for (_, watch) in &mut state.groups {
                watch.saw_delivered(index.last_delivery(), index.ranges());
            }
        }
        let report = |(group, watch): &(String, GroupWatch)| {
            let found = watch.findings(now);
            let index = self.shared.sent.index();
            let partitions = found.partitions.iter().map(|found| PartitionDrain {
                topic: index.topic_name(found.partition.0).to_owned(),
                partition: found.partition.1,
                state: found.state,
                target: found.target,
                committed: found.committed,
                drained_at: found.drained_at,
            });
            GroupReport {
                group: group.clone(),
                verdict: found.verdict,
                drain: found.drain,
                peak_lag: found.peak_lag,
                peak_lag_time: found.peak_lag_time,
                rates: found.rates,
                members: found.members,
                commit_interval: found.commit_interval,
                asked_every: state.look_every,
                partitions: partitions.collect(),
            }
        };
        state.groups.iter().map(report).collect()
    }
}

impl Drop for GroupObserver {
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        self.shared.changed.notify_all();
        self.requests.escalate(Shutdown::Immediate);
        if let Some(looking) = self.looking.take() {
            // Its requests now end at once. Wait for it, because it holds the client.
            patience::join(vec![looking], &self.requests, END_LIMIT);
        }
    }
}
