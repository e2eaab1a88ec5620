//! Asks the cluster about a group, without joining it (Kafka protocol guide: OffsetFetch, DescribeGroups,
//! ConsumerGroupDescribe, ListOffsets).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Membership;
use crate::cluster::native::Client;
use crate::cluster::native::admin::AdminRefusal;
use crate::cluster::native::groups::{self, GroupMembers};
use crate::cluster::native::offsets::{self, LogEnd, PartitionOffset};
use crate::host::control::Control;

/// How long an answer may take.
const ASK_LIMIT: Duration = Duration::from_secs(5);

/// The ends of a log as the cluster reports them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NamedEnds {
    pub(super) start: Option<i64>,
    pub(super) last_stable: Option<i64>,
    pub(super) high: Option<i64>,
}

/// A partition by the name of its topic.
pub(super) type NamedPartition = (String, i32);

pub(super) struct Asker {
    pub(super) client: Arc<Client>,
    /// Ends requests that the cluster does not answer.
    pub(super) requests: Control,
}

impl Asker {
    pub(super) fn members(&self, group: &str) -> Membership {
        let members = groups::members(&self.client, &self.requests, group, ASK_LIMIT);
        members.map_or_else(|refusal| Membership::Unseen(refusal.text), Membership::from)
    }

    /// What the group has committed.
    ///
    /// # Errors
    /// Returns the cluster's reason for not answering.
    pub(super) fn committed(
        &self,
        group: &str,
        partitions: &[NamedPartition],
    ) -> Result<HashMap<NamedPartition, Option<i64>>, AdminRefusal> {
        let (client, requests) = (&self.client, &self.requests);
        let committed = offsets::committed(client, requests, group, partitions, ASK_LIMIT);
        committed.map(by_partition)
    }

    /// Where the logs begin, and how far they can be read; a partition is missing if the cluster does not say
    /// now.
    pub(super) fn log_ends(
        &self,
        partitions: &[NamedPartition],
    ) -> HashMap<NamedPartition, NamedEnds> {
        let ask = |end| {
            let (client, requests) = (&self.client, &self.requests);
            let answer = offsets::log_ends(client, requests, partitions, end, ASK_LIMIT);
            answer.map(by_partition).unwrap_or_default()
        };
        // The stable offset never exceeds the high watermark, and both rise. kreplay asks for it first, so that
        // an open transaction always shows as a stable offset below the watermark. If the log grows between the
        // two answers, a group may seem blocked although no transaction is open, until the next look.
        let (starts, stable) = (ask(LogEnd::Start), ask(LogEnd::LastStable));
        let high = ask(LogEnd::High);
        let ends = partitions.iter().map(|partition| {
            let of = |ends: &HashMap<_, _>| ends.get(partition).copied().flatten();
            let ends = NamedEnds {
                start: of(&starts),
                last_stable: of(&stable),
                high: of(&high),
            };
            (partition.clone(), ends)
        });
        ends.collect()
    }
}

impl From<GroupMembers> for Membership {
    fn from(members: GroupMembers) -> Self {
        match members {
            GroupMembers::NoGroup => Self::Missing,
            GroupMembers::Count(0) => Self::Empty,
            GroupMembers::Count(members) => {
                Self::Members(u32::try_from(members).unwrap_or(u32::MAX))
            }
        }
    }
}

fn by_partition(offsets: Vec<PartitionOffset>) -> HashMap<NamedPartition, Option<i64>> {
    let offsets = offsets.into_iter();
    offsets
        .map(|(topic, partition, offset)| ((topic, partition), offset))
        .collect()
}

/// What the cluster says about each of `groups` before anything is sent.
///
/// # Errors
/// Returns the group, and the cluster's reason for not describing it, such as a user who may not see it.
pub(crate) fn look_at(
    client: &Client,
    control: &Control,
    groups: &[String],
) -> Result<Vec<GroupMembers>, (String, AdminRefusal)> {
    let groups = groups.iter().map(|group| {
        let members = groups::members(client, control, group, ASK_LIMIT);
        members.map_err(|refusal| (group.clone(), refusal))
    });
    groups.collect()
}
