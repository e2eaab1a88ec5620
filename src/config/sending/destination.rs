//! Where records go: the cluster, and the topics and partitions there.

use std::path::PathBuf;

use crate::cli::{PartitionChoice, Timestamps};
use crate::config::property_names::PropertyPlaces;

/// Where records go.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// The cluster.
    pub cluster: Cluster,
    /// The user's librdkafka properties; the last value of each name wins.
    pub properties: Vec<(String, String)>,
    /// Names of properties of consumers that a property file holds besides those of producers.
    pub unused_properties: Vec<String>,
    /// The places of the user's properties in a property file.
    pub(crate) property_places: PropertyPlaces,
    /// Whether retries must neither duplicate nor reorder.
    pub idempotence: Idempotence,
    /// Where OAUTHBEARER tokens come from; `None` leaves them to librdkafka.
    pub token: Option<TokenSource>,
    /// The names of captured topics there.
    pub topics: TopicNames,
    /// How a record gets its partition.
    pub partition: PartitionChoice,
    /// Which timestamp a record gets.
    pub timestamps: Timestamps,
    /// Headers to add to every record.
    pub headers: Vec<(String, String)>,
    /// What to do when the destination is the captured cluster.
    pub captured_cluster: CapturedCluster,
    /// What to do about a topic that does not exist.
    pub missing_topics: MissingTopics,
}

/// The destination's cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cluster {
    /// A Kafka at these bootstrap servers.
    Brokers(String),
    /// A broker inside this process.
    Rehearsal,
}

impl Cluster {
    /// Where librdkafka looks for the brokers; empty for the one inside this process.
    #[must_use]
    pub(crate) fn bootstrap_servers(&self) -> &str {
        match self {
            Self::Brokers(brokers) => brokers,
            Self::Rehearsal => "",
        }
    }
}

/// What to do when the destination is the cluster that the records were captured from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CapturedCluster {
    /// End the run.
    Refuse,
    /// Send anyway.
    Allow,
}

/// Whether the producer is idempotent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idempotence {
    /// Delivered records are in the log once and in order.
    On,
    /// The user does without that guarantee.
    Off,
}

/// Where OAUTHBEARER tokens come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenSource {
    /// The output of a shell command.
    Command(String),
    /// A file, which kreplay reads again for each new token.
    File(PathBuf),
}

/// What captured topics are called at the destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TopicNames {
    /// Everything goes to one topic.
    One(String),
    /// As captured, except for these renamings (`--map`).
    Mapped(Vec<(String, String)>),
}

impl TopicNames {
    /// Whether a record goes only to a topic that the capture or the user names.
    pub(crate) fn need_a_name(&self) -> bool {
        match self {
            Self::One(_) => false,
            Self::Mapped(_) => true,
        }
    }
}

/// What to do about a topic that the destination lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingTopics {
    /// End the run.
    Refuse,
    /// Create it with the captured partition count.
    Create {
        /// How many partitions it may get; `None` allows what is plausible.
        most_partitions: Option<i32>,
    },
}
