//! What the command line means, as the rest of the program sees it. How it comes to mean that is
//! resolved in `resolve/`.

mod comparison;
pub(crate) mod nearest;
pub(crate) mod properties;
pub(crate) mod property_names;
mod resolve;
pub(crate) mod small_file;
mod source;
mod timing;

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use self::comparison::{
    ComparedSource, ComparisonRules, CorrelateBy, Depth, Excuse, Excused, ExpectationSource,
    HeaderRule, NewMembers, OutputExpectation,
};
pub(crate) use self::source::{
    Input, InputKind, Inputs, Snapshot, SnapshotAction, Source, Uncertain, Via,
};
pub(crate) use self::timing::Timing;
pub(crate) use crate::cli::{
    Encoding, OnRefused, PartitionChoice, ReportForm, Shell, Speed, Timestamps, When,
};
use crate::record::TopicId;
pub(crate) use crate::record::select::{Clock, Selection, Shard, TopicGlobs};
pub(crate) use crate::record::substitutes::DateForm;
pub(crate) use crate::report::{EmptySource, Reordered};

/// A whole run.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// What becomes of the records.
    pub task: Task,
    /// What is replayed.
    pub source: Source,
    /// Where in it records are, and which of them are replayed.
    pub extraction: Extraction,
    /// Where it goes; without meaning when nothing is sent.
    pub destination: Destination,
    /// When records are sent.
    pub timing: Timing,
    /// What is kept for when not everything is delivered.
    pub delivery: DeliveryPolicy,
    /// How often the source is read, and for how long records are sent.
    pub repetition: Repetition,
    /// What the service behind the destination is expected to write; none where nobody looks at it.
    pub expected: Option<OutputExpectation>,
    /// What a source without records means.
    pub empty: EmptySource,
    /// What is printed.
    pub output: Output,
    /// Files that were read to resolve all this, by the flags that name them.
    pub read_for_flags: Vec<(String, PathBuf)>,
}

/// What is kept for when not everything is delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DeliveryPolicy {
    /// The file of what is not.
    pub rejects: Option<PathBuf>,
    /// The journal of what is.
    pub journal: Option<PathBuf>,
    /// What becomes of the batch of a record that a broker refuses.
    pub on_refused: OnRefused,
    /// How long no record may be acknowledged while some are in flight.
    pub give_up_after: Duration,
    /// What records out of order mean.
    pub reordered: Reordered,
    /// The consumer groups that are waited for at the end.
    pub groups: WaitedGroups,
    /// What records mean that hold what was not captured.
    pub substitutes: SubstitutePolicy,
}

/// The consumer groups that have to read what a replay delivers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct WaitedGroups {
    /// Their names.
    pub names: Vec<String>,
    /// How long they may take after the last delivery.
    pub limit: Duration,
}

/// What is done about records that hold other texts than the application was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SubstitutePolicy {
    /// About texts that data-loss prevention has replaced.
    pub redacted: Redacted,
    /// How dates that are still to be resolved are written; none refuses them.
    pub dates: Option<DateForm>,
}

/// What a record with a redacted text means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Redacted {
    /// It is sent and counted.
    #[default]
    Sent,
    /// `--fail-on-redacted`: it ends the run.
    Fails,
}

/// How often the source is read, and for how long records are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repetition {
    /// So many times; none for until the run is stopped.
    pub passes: Option<NonZeroU64>,
    /// From the first record on; none for until the source ends.
    pub sends_for: Option<Duration>,
}

impl Default for Repetition {
    fn default() -> Self {
        Self {
            passes: Some(NonZeroU64::MIN),
            sends_for: None,
        }
    }
}

impl Repetition {
    /// Whether the source may be read more than once.
    pub(crate) fn reads_again(self) -> bool {
        self.passes != Some(NonZeroU64::MIN)
    }

    /// The bytes that all passes read of a source that has so many; none where that depends on the time.
    pub(crate) fn all_bytes(self, source: u64) -> Option<u64> {
        match (self.passes, self.sends_for) {
            (Some(passes), None) => source.checked_mul(passes.get()),
            _ => None,
        }
    }
}

/// What becomes of the records.
#[derive(Debug, Clone)]
pub(crate) enum Task {
    /// They are sent.
    Replay,
    /// What a replay would do is forecast.
    Plan,
    /// They are printed as record lines.
    Extract,
    /// They are looked at, or what is around them.
    Inspect(View),
    /// They are compared with those of another source.
    Compare(Box<ComparedWith>),
    /// Nothing is read: the built-in profile of this name is printed.
    ShowProfile(String),
    /// Nothing is read: completions for this shell are printed.
    ShowCompletions(Shell),
}

/// What records are compared with, and how.
#[derive(Debug, Clone)]
pub(crate) struct ComparedWith {
    /// What was expected, and what was observed.
    pub sides: [ComparedSource; 2],
    /// What counts as the same.
    pub rules: ComparisonRules,
}

/// What `kreplay inspect` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// The records, and what the RRPairs tell besides.
    Contents,
    /// Every path that occurs.
    Paths,
}

/// Where records are in RRPairs, and which of them are replayed.
#[derive(Debug, Clone)]
pub(crate) struct Extraction {
    /// The set of paths to begin with.
    pub profile: ProfileChoice,
    /// What the user changes in it.
    pub overrides: Overrides,
    /// What becomes of further copies of a record.
    pub duplicates: Duplicates,
    /// What becomes of records of aborted transactions.
    pub aborted: AbortedRecords,
    /// What becomes of Produce requests that wrote nothing of their own.
    pub(crate) retried: RetriedRequests,
    /// The names of topics that the capture knows by their ids.
    pub topic_ids: TopicIdNames,
    /// Which of the records are used.
    pub selection: Selection,
}

/// What becomes of the records of a Produce request that the broker refused, or that was sent before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum RetriedRequests {
    /// They are records as all others.
    #[default]
    Keep,
    /// The log has them once, or not at all.
    LeaveOut,
}

/// Names of topics by their ids (`--topic-id`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TopicIdNames(Vec<(TopicId, String)>);

impl TopicIdNames {
    pub(crate) fn of(names: impl IntoIterator<Item = (TopicId, String)>) -> Self {
        Self(names.into_iter().collect())
    }

    /// The name of the topic with this id, where one is given.
    pub(crate) fn name(&self, id: TopicId) -> Option<&str> {
        let mut names = self.iter();
        names.find(|(known, _)| *known == id).map(|(_, name)| name)
    }

    /// All of them, in the order given.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (TopicId, &str)> {
        self.0.iter().map(|(id, name)| (*id, name.as_str()))
    }
}

/// Which profile is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProfileChoice {
    /// By its name.
    BuiltIn(String),
    /// A user's own.
    File {
        /// The file's name.
        name: String,
        /// What is in it.
        text: String,
    },
}

/// A user's changes to a profile, from flags of the same names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Overrides {
    pub filter: Option<String>,
    pub record: Option<String>,
    pub value: Option<String>,
    pub key: Option<String>,
    pub headers: Option<String>,
    pub timestamp: Option<String>,
    pub topic: Option<String>,
    pub partition: Option<String>,
    pub offset: Option<String>,
    pub value_encoding: Option<Encoding>,
    pub key_encoding: Option<Encoding>,
    pub header_encoding: Option<Encoding>,
}

impl Overrides {
    /// The paths among them.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.by_flag().into_iter().filter_map(|(_, path)| path)
    }

    /// The paths by the names of their flags.
    pub(crate) fn by_flag(&self) -> [(&'static str, Option<&str>); 8] {
        [
            ("record", &self.record),
            ("value", &self.value),
            ("key", &self.key),
            ("headers", &self.headers),
            ("timestamp", &self.timestamp),
            ("topic-path", &self.topic),
            ("partition-path", &self.partition),
            ("offset-path", &self.offset),
        ]
        .map(|(flag, path)| (flag, path.as_deref()))
    }
}

/// What becomes of further copies of a record, which (topic, partition, offset) identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duplicates {
    /// They are counted.
    LeaveOut,
    /// They are replayed.
    Keep,
}

/// What becomes of records of aborted transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AbortedRecords {
    /// They are counted.
    LeaveOut,
    /// They are replayed.
    Keep,
}

/// Where records go.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// The cluster.
    pub cluster: Cluster,
    /// librdkafka properties of the user, the later one of a name wins.
    pub properties: Vec<(String, String)>,
    /// Names of properties of consumers that a property file holds beside those of producers.
    pub unused_properties: Vec<String>,
    /// Where in a property file those of the user are.
    pub(crate) property_places: property_names::PropertyPlaces,
    /// Whether retries must neither duplicate nor reorder.
    pub idempotence: Idempotence,
    /// Where OAUTHBEARER tokens come from; none leaves them to librdkafka.
    pub token: Option<TokenSource>,
    /// How captured topics are named there.
    pub topics: TopicNames,
    /// How a record comes to its partition.
    pub partition: PartitionChoice,
    /// The time that records get.
    pub timestamps: Timestamps,
    /// Headers added to every record.
    pub headers: Vec<(String, String)>,
    /// What to do when the destination is the captured cluster.
    pub captured_cluster: CapturedCluster,
    /// What to do about a topic that is not there.
    pub missing_topics: MissingTopics,
}

/// Whether the producer is idempotent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idempotence {
    /// What is delivered is in the log once and in order.
    On,
    /// The user does without.
    Off,
}

/// What to do when the destination is the cluster that the records were captured from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CapturedCluster {
    /// End the run.
    Refuse,
    /// Send all the same.
    Allow,
}

/// Where OAUTHBEARER tokens come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenSource {
    /// The output of a shell command.
    Command(String),
    /// A file, read again for each new token.
    File(PathBuf),
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
    /// Where the brokers are looked for; nothing for the one inside this process.
    #[must_use]
    pub(crate) fn bootstrap_servers(&self) -> &str {
        match self {
            Self::Brokers(brokers) => brokers,
            Self::Rehearsal => "",
        }
    }
}

/// How captured topics are named at the destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TopicNames {
    /// Everything goes to one topic.
    One(String),
    /// As captured, but for these renamings (`--map`).
    Mapped(Vec<(String, String)>),
}

/// What to do about a topic that the destination does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingTopics {
    /// End the run.
    Refuse,
    /// Create it with the captured partition count.
    Create {
        /// How many partitions it gets at most; none leaves it to what is plausible.
        most_partitions: Option<i32>,
    },
}

/// What is printed.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// The form of the report on stdout.
    pub report: ReportForm,
    /// Where a JSON report goes besides.
    pub report_file: Option<PathBuf>,
    /// When progress is shown.
    pub progress: When,
    /// How much is said on stderr.
    pub verbosity: Verbosity,
}

/// How much is said on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Errors only.
    Quiet,
    /// Errors, notes and progress.
    Normal,
    /// Commands and librdkafka's log besides.
    Verbose,
}
