//! Says whether a consumer group has committed past every record that this run delivered, and how it went.
//!
//! The target of a partition is its last delivered offset + 1. Neither lag 0 nor the end offset would do: a
//! transactional topic ends with a marker that no consumer receives, and other producers may write as well.
//!
//! `observer/` is the thread that looks, and `asker.rs` asks the cluster; everything else is pure.

mod asker;
pub(crate) mod capacity;
pub(crate) mod observer;
mod rates;
pub(crate) mod sent;

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

pub(crate) use self::asker::look_at;
use self::rates::{CommitProgress, Intervals};
use self::sent::{DeliveredRange, PartitionId, ReadSoFar};
use crate::report::{ConsumptionRates, GroupVerdict, PartitionState};

/// Without a commit for this long a partition may be stuck, however short the commit interval is.
const SHORTEST_STUCK: Duration = Duration::from_secs(10);
/// Without a commit for this many commit intervals it is stuck.
const STUCK_INTERVALS: u32 = 3;

/// What the cluster says about a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Membership {
    /// No group has that name.
    Missing,
    /// The group has offsets but no members.
    Empty,
    Members(u32),
    /// The cluster does not say, for this reason.
    Unseen(String),
}

/// The ends of a partition's log; `None` if the cluster does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LogEnds {
    /// The first offset that is still in the log.
    pub(crate) start: Option<i64>,
    /// The last stable offset, and the delivered records before it: a reader of committed records gets no
    /// further.
    pub(crate) stable: Option<(i64, u64)>,
    /// The high watermark: a reader of all records gets no further.
    pub(crate) high: Option<i64>,
}

/// One partition at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartitionSample {
    pub(crate) range: DeliveredRange,
    /// What the group has committed; `None` before its first commit.
    pub(crate) committed: Option<i64>,
    pub(crate) reached: ReadSoFar,
}

/// What is known about a group at the end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupFindings {
    pub(crate) verdict: GroupVerdict,
    /// From the last delivery to the look that found the last target passed; `None` if none has.
    pub(crate) drain: Option<Duration>,
    /// The most records that were delivered and not yet committed, and how long the oldest of them had
    /// waited.
    pub(crate) peak_lag: u64,
    pub(crate) peak_lag_time: Duration,
    /// Records a second that were committed; `None` if too little was seen.
    pub(crate) rates: Option<ConsumptionRates>,
    pub(crate) members: u32,
    /// The interval between commits, as seen: no time here is known more precisely.
    pub(crate) commit_interval: Option<Duration>,
    pub(crate) partitions: Vec<PartitionFindings>,
}

/// What is known about one partition at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartitionFindings {
    pub(crate) partition: PartitionId,
    pub(crate) state: PartitionState,
    pub(crate) target: i64,
    pub(crate) committed: Option<i64>,
    /// When the group reached its target.
    pub(crate) drained_at: Option<Duration>,
}

/// One partition that this run wrote to.
#[derive(Debug)]
struct PartitionWatch {
    latest: PartitionSample,
    ends: LogEnds,
    /// When the committed offset last moved, or the partition was first seen.
    moved: Duration,
    /// Whether a commit belongs to this run.
    has_moved: bool,
    /// Whether records were left after the last commit: then the time to the next one is a commit interval,
    /// otherwise the service had nothing to do.
    was_behind: bool,
    drained_at: Option<Duration>,
}

/// A group that is watched from the first record on.
#[derive(Debug, Default)]
pub(crate) struct GroupWatch {
    membership: Option<Membership>,
    most_members: u32,
    partitions: BTreeMap<PartitionId, PartitionWatch>,
    last_delivery: Duration,
    peak_lag: u64,
    peak_lag_time: Duration,
    intervals: Intervals,
    progress: CommitProgress,
    /// Whether records were delivered to partitions whose commits are unknown.
    is_behind: bool,
}

impl GroupWatch {
    /// Notes what the cluster says about the group.
    pub(crate) fn saw_members(&mut self, membership: Membership) {
        if let Membership::Members(members) = membership {
            self.most_members = self.most_members.max(members);
        }
        self.membership = Some(membership);
    }

    /// Notes where a partition's log begins, and how far it can be read.
    pub(crate) fn saw_log(&mut self, partition: PartitionId, ends: LogEnds) {
        if let Some(watch) = self.partitions.get_mut(&partition) {
            watch.ends = ends;
        }
    }

    /// Notes what the group has committed by `now`, of every partition that was written to by
    /// `last_delivery`.
    pub(crate) fn saw_committed(
        &mut self,
        now: Duration,
        last_delivery: Duration,
        samples: impl IntoIterator<Item = PartitionSample>,
    ) {
        self.last_delivery = last_delivery;
        self.is_behind = false;
        for sample in samples {
            let partition = sample.range.partition;
            let watch = self.partitions.entry(partition);
            let watch = watch.or_insert_with(|| PartitionWatch::new(now, sample));
            if let Some(interval) = watch.take(now, sample) {
                self.intervals.add(interval);
            }
        }
        let partitions = self.partitions.values();
        let waits = partitions.filter_map(|watch| watch.latest.reached.waiting_since);
        let waits = waits.map(|since| now.saturating_sub(since));
        self.peak_lag = self.peak_lag.max(self.lag());
        self.peak_lag_time = self.peak_lag_time.max(waits.max().unwrap_or_default());
        self.progress.add(now, self.done());
    }

    /// Notes what was delivered since the last look, if there will be no further look.
    pub(crate) fn saw_delivered(
        &mut self,
        last_delivery: Duration,
        ranges: impl IntoIterator<Item = DeliveredRange>,
    ) {
        self.last_delivery = last_delivery;
        for range in ranges {
            match self.partitions.get_mut(&range.partition) {
                Some(watch) if watch.latest.range.target == range.target => {}
                Some(watch) => {
                    watch.latest.range = range;
                    watch.drained_at = None;
                }
                None => self.is_behind = true,
            }
        }
    }

    /// Records of this run that the group has committed.
    pub(crate) fn done(&self) -> u64 {
        let partitions = self.partitions.values();
        partitions.map(|watch| watch.latest.reached.done).sum()
    }

    /// Records of this run that the group has not committed.
    pub(crate) fn lag(&self) -> u64 {
        self.partitions.values().map(PartitionWatch::lag).sum()
    }

    /// The interval between commits, as seen so far.
    pub(crate) fn commit_interval(&self) -> Option<Duration> {
        self.intervals.median()
    }

    /// Records a second that it has committed lately.
    pub(crate) fn rate(&self) -> Option<f64> {
        self.progress.latest(self.intervals.median())
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.partitions.values().all(PartitionWatch::is_drained)
    }

    /// What is known at `now`.
    pub(crate) fn findings(&self, now: Duration) -> GroupFindings {
        let interval = self.intervals.median();
        let partitions = self.partitions.iter();
        let partitions: Vec<_> = partitions
            .map(|(partition, watch)| PartitionFindings {
                partition: *partition,
                state: watch.state(now, interval),
                target: watch.latest.range.target,
                committed: watch.latest.committed,
                drained_at: watch.drained_at,
            })
            .collect();
        let drained = partitions.iter().map(|found| found.drained_at);
        let drained = drained
            .collect::<Option<Vec<_>>>()
            .filter(|_| !self.is_behind);
        let last = drained.and_then(|all| all.into_iter().max());
        GroupFindings {
            verdict: self.verdict(&partitions),
            drain: last.map(|last| last.saturating_sub(self.last_delivery)),
            peak_lag: self.peak_lag,
            peak_lag_time: self.peak_lag_time,
            rates: self.progress.rates(interval),
            members: self.most_members,
            commit_interval: interval,
            partitions,
        }
    }

    fn verdict(&self, partitions: &[PartitionFindings]) -> GroupVerdict {
        if self.is_behind {
            return GroupVerdict::Unseen("the run ended before the group was looked at".into());
        }
        let worst = partitions.iter().map(|found| found.state).max();
        match (worst, &self.membership) {
            // A group that has committed past everything is done, whether it still exists or not.
            (None | Some(PartitionState::Drained), _) => GroupVerdict::Drained,
            (_, Some(Membership::Missing)) => GroupVerdict::NoSuchGroup,
            (_, Some(Membership::Unseen(why))) => GroupVerdict::Unseen(why.clone()),
            // Nobody knows whether they would have been read, but they are certainly gone.
            (Some(PartitionState::Deleted), _) => GroupVerdict::NotDrained(PartitionState::Deleted),
            (_, Some(Membership::Empty)) => GroupVerdict::NoMembers,
            (Some(worst), Some(Membership::Members(_)) | None) => GroupVerdict::NotDrained(worst),
        }
    }
}

impl PartitionWatch {
    fn new(now: Duration, sample: PartitionSample) -> Self {
        Self {
            latest: sample,
            ends: LogEnds::default(),
            moved: now,
            has_moved: false,
            was_behind: false,
            drained_at: None,
        }
    }

    /// Takes the next sample; returns the commit interval that it shows, if any.
    fn take(&mut self, now: Duration, sample: PartitionSample) -> Option<Duration> {
        let before = mem::replace(&mut self.latest, sample);
        let mut interval = None;
        if sample.committed != before.committed {
            interval = self.was_behind.then(|| now.saturating_sub(self.moved));
            self.moved = now;
            self.was_behind = sample.reached.waiting_since.is_some();
            self.has_moved = true;
        }
        // By the first look, the group may have read some already.
        self.has_moved |= sample.committed > Some(sample.range.first);
        if before.range.target != sample.range.target {
            self.drained_at = None;
        }
        if self.is_drained() {
            self.drained_at.get_or_insert(now);
        }
        interval
    }

    fn lag(&self) -> u64 {
        let PartitionSample { range, reached, .. } = &self.latest;
        range.delivered.saturating_sub(reached.done)
    }

    fn is_drained(&self) -> bool {
        self.latest.committed >= Some(self.latest.range.target)
    }

    fn state(&self, now: Duration, interval: Option<Duration>) -> PartitionState {
        if self.is_drained() {
            return PartitionState::Drained;
        }
        let PartitionSample {
            range,
            committed,
            reached,
        } = self.latest;
        let LogEnds {
            start,
            stable,
            high,
        } = self.ends;
        let next = committed.unwrap_or(range.first).max(range.first);
        if start.is_some_and(|start| start > next) {
            return PartitionState::Deleted;
        }
        // If the transaction before it has ended, a client may commit a little less than the stable offset.
        if let Some((offset, readable)) = stable
            && Some(offset) < high
            && offset < range.target
            && readable <= reached.done
        {
            return PartitionState::Blocked;
        }
        if committed.is_none() {
            return PartitionState::NoOffset;
        }
        if !self.has_moved {
            return PartitionState::CommittedBefore;
        }
        let patience = interval.unwrap_or_default().saturating_mul(STUCK_INTERVALS);
        match now.saturating_sub(self.moved) >= patience.max(SHORTEST_STUCK) {
            true => PartitionState::Stuck,
            false => PartitionState::Progressing,
        }
    }
}

#[cfg(test)]
mod tests;
