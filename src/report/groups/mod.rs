//! The results of the consumer groups that a replay waited for, for people and for programs.

mod capacity;
mod json;
mod text;

use std::fmt;
use std::time::Duration;

pub(crate) use self::capacity::{
    CapacityBound, Confirmation, Confirmed, LagControl, LagPoint, ServiceCapacity,
};
use super::rendering::percentile::percentile;

/// How far a group is with one partition; the worst state of its partitions is that of the group. A partition
/// that it has not reached matters less than one in which it makes progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartitionState {
    /// It has committed past every record that the run delivered.
    Drained,
    /// It has committed offsets, all of them before this run's first record.
    CommittedBefore,
    /// It has never committed one.
    NoOffset,
    /// It commits, but has not read everything yet.
    Progressing,
    /// An open transaction ends what can be read.
    Blocked,
    /// Its next records were deleted before it read them.
    Deleted,
    /// It has not committed for a long time.
    Stuck,
}

impl PartitionState {
    fn name(self) -> &'static str {
        match self {
            Self::Drained => "drained",
            Self::Progressing => "progressing",
            Self::CommittedBefore => "committed_before",
            Self::NoOffset => "no_offset",
            Self::Blocked => "blocked",
            Self::Deleted => "deleted",
            Self::Stuck => "stuck",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Drained => "drained",
            Self::Progressing => "still reading",
            Self::CommittedBefore => "nothing committed in this run",
            Self::NoOffset => "nothing ever committed",
            Self::Blocked => "blocked by an open transaction",
            Self::Deleted => "records deleted before they were read",
            Self::Stuck => "stuck",
        }
    }
}

/// The result of a group as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupVerdict {
    /// It has committed past every record that the run delivered.
    Drained,
    /// No group of that name exists.
    NoSuchGroup,
    /// The group has no members.
    NoMembers,
    /// The cluster does not say, for this reason.
    Unseen(String),
    /// It has members; the worst state of a partition.
    NotDrained(PartitionState),
}

impl GroupVerdict {
    fn name(&self) -> &'static str {
        match self {
            Self::Drained => "drained",
            Self::NoSuchGroup => "no_such_group",
            Self::NoMembers => "no_members",
            Self::Unseen(_) => "unseen",
            Self::NotDrained(state) => state.name(),
        }
    }
}

impl fmt::Display for GroupVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drained => f.write_str("drained"),
            Self::NoSuchGroup => f.write_str("not drained: there is no such group"),
            Self::NoMembers => f.write_str("not drained: the group has no members"),
            Self::Unseen(why) => write!(f, "unknown: {why}"),
            Self::NotDrained(state) => write!(f, "not drained: {}", state.words()),
        }
    }
}

/// Records a second over the windows in which the group had something to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConsumptionRates {
    /// Half of the windows were slower.
    pub median: f64,
    /// A tenth of them were slower.
    pub p10: f64,
    /// A tenth of them were faster.
    pub p90: f64,
    /// How long a window is.
    pub window: Duration,
    /// How many there were.
    pub windows: usize,
}

impl ConsumptionRates {
    /// The percentiles of the rates of several windows; `None` without a window.
    pub(crate) fn of(rates: &mut [f64], window: Duration) -> Option<Self> {
        rates.sort_unstable_by(f64::total_cmp);
        Some(Self {
            median: percentile(rates, 50)?,
            p10: percentile(rates, 10)?,
            p90: percentile(rates, 90)?,
            window,
            windows: rates.len(),
        })
    }
}

/// What is known about one partition at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionDrain {
    /// The destination's topic.
    pub topic: String,
    /// The destination's partition.
    pub partition: i32,
    /// How far the group is.
    pub state: PartitionState,
    /// The last delivered offset + 1.
    pub target: i64,
    /// What the group has committed; `None` before its first commit.
    pub committed: Option<i64>,
    /// When the group reached its target, since the first record was sent.
    pub drained_at: Option<Duration>,
}

/// What is known about a group at the end.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupReport {
    /// Its name.
    pub group: String,
    /// What became of it.
    pub verdict: GroupVerdict,
    /// From the last delivery to the commit that passed the last target; `None` if it has not.
    pub drain: Option<Duration>,
    /// Records delivered and not yet committed, at most.
    pub peak_lag: u64,
    /// How long the oldest of them had waited, at most.
    pub peak_lag_time: Duration,
    /// `None` if too little was seen.
    pub rates: Option<ConsumptionRates>,
    /// The most members seen.
    pub members: u32,
    /// The interval between commits, as seen; `None` if too few were.
    pub commit_interval: Option<Duration>,
    /// How often the cluster was asked.
    pub asked_every: Duration,
    /// Every partition that the run wrote to.
    pub partitions: Vec<PartitionDrain>,
}

impl GroupReport {
    /// Whether the group has read everything.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.verdict == GroupVerdict::Drained
    }

    /// How precisely the times of this group are known.
    fn resolution(&self) -> Duration {
        self.commit_interval
            .unwrap_or_default()
            .max(self.asked_every)
    }

    fn undrained(&self) -> impl Iterator<Item = &PartitionDrain> {
        let partitions = self.partitions.iter();
        partitions.filter(|partition| partition.state != PartitionState::Drained)
    }

    /// The partition that was drained last.
    fn slowest(&self) -> Option<&PartitionDrain> {
        let drained = self.partitions.iter();
        let drained = drained.filter(|found| found.drained_at.is_some());
        drained.max_by_key(|found| found.drained_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(partition: i32, state: PartitionState, drained_ms: Option<u64>) -> PartitionDrain {
        PartitionDrain {
            topic: "orders".into(),
            partition,
            state,
            target: 5000,
            committed: (state != PartitionState::NoOffset).then_some(4100),
            drained_at: drained_ms.map(Duration::from_millis),
        }
    }

    fn group(verdict: GroupVerdict, partitions: Vec<PartitionDrain>) -> GroupReport {
        GroupReport {
            group: "billing".into(),
            verdict,
            drain: Some(Duration::from_millis(1900)),
            peak_lag: 8120,
            peak_lag_time: Duration::from_millis(600),
            rates: ConsumptionRates::of(&mut [9000.0, 9120.0, 9300.0], Duration::from_secs(1)),
            members: 2,
            commit_interval: Some(Duration::from_millis(200)),
            asked_every: Duration::from_millis(100),
            partitions,
        }
    }

    #[test]
    fn a_group_is_described_in_three_lines() {
        let drained = |number, ms| partition(number, PartitionState::Drained, Some(ms));
        let group = group(
            GroupVerdict::Drained,
            vec![drained(0, 900), drained(1, 1900)],
        );
        assert_eq!(
            group.to_string(),
            "group      billing: drained 1.90 s after the last delivery\n           \
                        peak lag 8,120 records, 0.60 s; read 9120 records/s (p10 9000, p90 9300)\n           \
                        2 members, a commit every 0.20 s; times to 0.20 s; slowest orders [1]\n"
        );
        let json = group.to_json();
        assert_eq!(json["resolution_s"], 0.2);
        assert_eq!(json["slowest"]["partition"], 1);
    }

    #[test]
    fn the_partitions_that_are_left_are_named_and_the_others_counted() {
        let partitions = (0..5).map(|number| match number {
            0 => partition(0, PartitionState::Drained, Some(10)),
            1 => partition(1, PartitionState::NoOffset, None),
            number => partition(number, PartitionState::Stuck, None),
        });
        let verdict = GroupVerdict::NotDrained(PartitionState::Stuck);
        let text = group(verdict, partitions.collect()).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "group      billing: not drained: stuck");
        assert_eq!(
            lines[3..],
            [
                "           orders [1]: nothing ever committed, committed nothing of 5000",
                "           orders [2]: stuck, committed 4100 of 5000",
                "           orders [3]: stuck, committed 4100 of 5000",
                "           and 1 more partition",
            ]
        );
    }

    #[test]
    fn percentiles_are_those_of_the_windows() {
        let window = Duration::from_secs(1);
        let mut rates: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        let rates = ConsumptionRates::of(&mut rates, window).expect("some");
        assert_eq!((rates.p10, rates.median, rates.p90), (10.0, 50.0, 90.0));
        let mut few: Vec<f64> = (1..=10).rev().map(f64::from).collect();
        let few = ConsumptionRates::of(&mut few, window).expect("some");
        assert_eq!((few.p10, few.median, few.p90), (1.0, 5.0, 9.0));
        assert_eq!(ConsumptionRates::of(&mut [], window), None);
    }
}
