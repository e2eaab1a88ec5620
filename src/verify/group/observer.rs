//! Watches consumer groups from the first record to the moment in which they are drained: a thread of its own
//! looks at what they have committed.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::asker::{Asker, NamedPartition};
use super::sent::{DeliveredRange, SentTimes};
use super::{GroupWatch, LogEnds, Membership, PartitionSample};
use crate::cluster::native::Client;
use crate::host::control::{Control, Shutdown};
use crate::host::patience;
use crate::report::{GroupReport, PartitionDrain};

/// How often the groups are looked at; less often where a look takes long, so that the cluster is left alone
/// for four fifths of the time.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOK_SHARE: u32 = 4;
/// Members, and the ends of the logs, change rarely: they are asked for so much less often.
const LOOK_AT_ALL_EVERY: Duration = Duration::from_secs(1);
/// How often a wait asks whether it goes on.
const STEP: Duration = Duration::from_millis(20);
/// How long the last look may take, when the time for the groups is over.
const LAST_LOOK: Duration = Duration::from_secs(5);
/// How long the thread may take to end.
const END_LIMIT: Duration = Duration::from_millis(500);

/// How far the group is that lags most, for whoever looks on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GroupProgress {
    /// Records delivered and not committed.
    pub(crate) lag: u64,
    /// Records a second that it commits; none where that is not known yet.
    pub(crate) rate: Option<f64>,
    /// Records that it has committed.
    pub(crate) done: u64,
    /// The interval between its commits; none where that is not known yet.
    pub(crate) commit_interval: Option<Duration>,
    /// Which look that was.
    pub(crate) look: u64,
}

/// Groups under watch; the watch ends when this is dropped.
pub(crate) struct GroupObserver {
    shared: Arc<Observed>,
    looking: Option<JoinHandle<()>>,
    /// Ends questions that the cluster does not answer.
    questions: Control,
}

struct Observed {
    sent: Arc<SentTimes>,
    state: Mutex<ObservedState>,
    changed: Condvar,
}

struct ObservedState {
    groups: Vec<(String, GroupWatch)>,
    is_over: bool,
    /// Whether the next look is to be at everything, and at once.
    is_urgent: bool,
    /// How many looks somebody has asked for, and how many of those have been.
    asked: u32,
    served: u32,
    /// How long it is from one look to the next.
    look_every: Duration,
}

impl Observed {
    fn state(&self) -> MutexGuard<'_, ObservedState> {
        // What is known is consistent between any two statements, also after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, ObservedState>,
        limit: Duration,
    ) -> MutexGuard<'a, ObservedState> {
        let waited = self.changed.wait_timeout(state, limit);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl GroupObserver {
    /// Begins to watch, by what `sent` has of the deliveries; `publish` is told after each look.
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
        let questions = Control::default();
        let looking = thread::spawn({
            let (shared, questions) = (shared.clone(), questions.clone());
            move || observe(&shared, &Asker { client, questions }, publish)
        });
        Self {
            shared,
            looking: Some(looking),
            questions,
        }
    }

    /// Takes note that nothing is delivered any more, and waits until all groups are drained, for `limit` at
    /// most. `goes_on` is asked every few milliseconds; `false` ends the wait.
    pub(crate) fn wait(&self, limit: Duration, goes_on: impl Fn() -> bool) {
        self.look_until(limit, &goes_on, ObservedState::is_settled);
        let is_settled = self.shared.state().is_settled();
        if !is_settled && goes_on() {
            // What is said of them is of one moment.
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

    /// What is known of each group.
    pub(crate) fn reports(&self) -> Vec<GroupReport> {
        let state = self.shared.state();
        let now = self.shared.sent.now();
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
        self.questions.escalate(Shutdown::Immediate);
        if let Some(looking) = self.looking.take() {
            // Its questions end at once now; it holds the client.
            patience::join(vec![looking], &self.questions, END_LIMIT);
        }
    }
}

impl ObservedState {
    /// Whether there is nothing left to wait for: every group is drained by a look that began after the
    /// last delivery.
    fn is_settled(&self) -> bool {
        self.is_served() && self.groups.iter().all(|(_, watch)| watch.is_drained())
    }

    fn is_served(&self) -> bool {
        self.asked > 0 && self.served == self.asked
    }

    fn progress(&self, look: u64) -> GroupProgress {
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

/// What a look is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LookScope {
    /// What was committed.
    Commits,
    /// Members and the ends of logs, too.
    Everything,
}

/// Looks until the watch is over.
fn observe(shared: &Observed, asker: &Asker, publish: impl Fn(GroupProgress)) {
    let mut looked_at_all: Option<Instant> = None;
    let mut looks = 0;
    loop {
        let began = Instant::now();
        let (is_urgent, asked) = {
            let mut state = shared.state();
            (mem::take(&mut state.is_urgent), state.asked)
        };
        let is_due = looked_at_all.is_none_or(|at| at.elapsed() >= LOOK_AT_ALL_EVERY);
        let what = match is_urgent || is_due {
            true => LookScope::Everything,
            false => LookScope::Commits,
        };
        if what == LookScope::Everything {
            looked_at_all = Some(began);
        }
        look(shared, asker, what);
        let mut state = shared.state();
        state.served = asked;
        looks += 1;
        publish(state.progress(looks));
        shared.changed.notify_all();
        let every = LOOK_EVERY.max(began.elapsed() * (1 + LOOK_SHARE));
        state.look_every = every;
        while !state.is_over && !state.is_urgent && began.elapsed() < every {
            state = shared.wait(state, every.saturating_sub(began.elapsed()));
        }
        if state.is_over {
            return;
        }
    }
}

/// Looks once at all groups.
fn look(shared: &Observed, asker: &Asker, what: LookScope) {
    let (ranges, partitions, last_delivery) = {
        let index = shared.sent.index();
        let ranges = index.ranges();
        let name = |range: &DeliveredRange| {
            let (topic, partition) = range.partition;
            (index.topic_name(topic).to_owned(), partition)
        };
        let partitions: Vec<NamedPartition> = ranges.iter().map(name).collect();
        (ranges, partitions, index.last_delivery())
    };
    let groups = shared.state().groups.len();
    let mut everywhere: Vec<Option<i64>> = vec![Some(i64::MAX); ranges.len()];
    for group in 0..groups {
        let name = shared.state().groups[group].0.clone();
        let members = (what == LookScope::Everything).then(|| asker.members(&name));
        let committed = match partitions.is_empty() {
            true => Ok(HashMap::default()),
            false => asker.committed(&name, &partitions),
        };
        let now = shared.sent.now();
        let watch = &mut shared.state().groups[group].1;
        if let Some(members) = members {
            watch.saw_members(members);
        }
        match committed {
            Ok(committed) => {
                let index = shared.sent.index();
                let samples = ranges.iter().zip(&partitions).map(|(range, partition)| {
                    let committed = committed.get(partition).copied().flatten();
                    PartitionSample {
                        range: *range,
                        committed,
                        reached: index.reached(range.partition, committed),
                    }
                });
                let samples: Vec<PartitionSample> = samples.collect();
                for (sample, everyone) in samples.iter().zip(&mut everywhere) {
                    *everyone = (*everyone).min(sample.committed);
                }
                watch.saw_committed(now, last_delivery, samples);
            }
            Err(refusal) => {
                watch.saw_members(Membership::Unseen(refusal.text));
                everywhere.fill(None);
            }
        }
    }
    let mut index = shared.sent.index();
    for (range, committed) in ranges.iter().zip(everywhere) {
        if let Some(committed) = committed {
            index.forget(range.partition, committed);
        }
    }
    drop(index);
    if what == LookScope::Everything && !partitions.is_empty() {
        look_at_logs(shared, asker, &ranges, &partitions);
    }
}

fn look_at_logs(
    shared: &Observed,
    asker: &Asker,
    ranges: &[DeliveredRange],
    partitions: &[NamedPartition],
) {
    let ends = asker.log_ends(partitions);
    let mut state = shared.state();
    let index = shared.sent.index();
    for (range, partition) in ranges.iter().zip(partitions) {
        let ends = ends.get(partition).copied().unwrap_or_default();
        let stable = ends.last_stable.map(|offset| {
            let reached = index.reached(range.partition, Some(offset));
            (offset, reached.done)
        });
        let ends = LogEnds {
            start: ends.start,
            stable,
            high: ends.high,
        };
        for (_, watch) in &mut state.groups {
            watch.saw_log(range.partition, ends);
        }
    }
}
