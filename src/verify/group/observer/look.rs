//! The looks at consumer groups: how often, at what, and what each adds to the watch of a group.

use std::collections::HashMap;
use std::mem;
use std::time::{Duration, Instant};

use super::state::{GroupProgress, Observed};
use crate::verify::group::asker::{Asker, NamedPartition};
use crate::verify::group::sent::DeliveredRange;
use crate::verify::group::{LogEnds, Membership, PartitionSample};

/// How often kreplay looks at the groups; less often if a look takes long, so that the cluster is left alone for
/// four fifths of the time.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOK_SHARE: u32 = 4;

/// How often it asks for members and the ends of the logs, which change rarely.
const LOOK_AT_ALL_EVERY: Duration = Duration::from_secs(1);

/// What a look asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LookScope {
    /// Committed offsets.
    Commits,
    /// Also members and the ends of logs.
    Everything,
}

/// Looks until the watch is over.
pub(super) fn observe(shared: &Observed, asker: &Asker, publish: impl Fn(GroupProgress)) {
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
