//! What a replay does with the records: where they go, when, how often, and what happens to those that are not
//! delivered.

mod delivery;
mod destination;
mod repetition;
mod timing;

pub(crate) use self::delivery::{DeliveryPolicy, Redacted, SubstitutePolicy, WaitedGroups};
pub(crate) use self::destination::{
    CapturedCluster, Cluster, Destination, Idempotence, MissingTopics, TokenSource, TopicNames,
};
pub(crate) use self::repetition::Repetition;
pub(crate) use self::timing::Timing;
