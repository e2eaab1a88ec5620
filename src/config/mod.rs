//! What the command line means, as the rest of the program sees it. `resolve/` works out that meaning.

mod comparison;
pub(crate) mod nearest;
pub(crate) mod properties;
pub(crate) mod property_names;
mod reading;
mod resolve;
mod sending;
pub(crate) mod small_file;

use std::path::PathBuf;

pub(crate) use self::comparison::{
    ComparedSource, ComparisonRules, CorrelateBy, Depth, Excuse, Excused, ExpectationSource,
    HeaderRule, NewMembers, OutputExpectation,
};
pub(crate) use self::reading::{
    AbortedRecords, BuiltInProfile, Duplicates, Extraction, Input, InputKind, Inputs, Overrides,
    ProfileChoice, RetriedRequests, Snapshot, SnapshotAction, Source, TopicIdNames, Uncertain, Via,
};
pub(crate) use self::sending::{
    CapturedCluster, Cluster, DeliveryPolicy, Destination, Idempotence, MissingTopics, Redacted,
    Repetition, SubstitutePolicy, Timing, TokenSource, TopicNames, WaitedGroups,
};
pub(crate) use crate::cli::{
    Encoding, OnRefused, PartitionChoice, ReportForm, Shell, Speed, Timestamps, When,
};
pub(crate) use crate::record::select::{Clock, Selection, Shard, TopicGlobs};
pub(crate) use crate::report::{EmptySource, Reordered};

/// A whole run.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// What the run does with the records.
    pub task: Task,
    /// Where the records come from.
    pub source: Source,
    /// Where records are in the source, and which of them the run takes.
    pub extraction: Extraction,
    /// Where the records go; meaningless when nothing is sent.
    pub destination: Destination,
    /// When records are sent.
    pub timing: Timing,
    /// What is done about records that are not delivered.
    pub delivery: DeliveryPolicy,
    /// How often to read the source, and for how long to send.
    pub repetition: Repetition,
    /// The output expected from the service behind the destination; `None` if kreplay does not compare it.
    pub expected: Option<OutputExpectation>,
    /// Whether a source without records is a failure.
    pub empty: EmptySource,
    /// What the run prints.
    pub output: Output,
    /// Files that kreplay read to resolve all this, by the flags that name them.
    pub read_for_flags: Vec<(String, PathBuf)>,
}

/// What a run does with the records.
#[derive(Debug, Clone)]
pub(crate) enum Task {
    /// Sends them.
    Replay,
    /// Forecasts what a replay would do.
    Plan,
    /// Prints them as record lines.
    Extract,
    /// Describes them, or the RRPairs around them.
    Inspect(View),
    /// Compares them with those of another source.
    Compare(Box<ComparedWith>),
    /// Prints this profile; reads nothing.
    ShowProfile(BuiltInProfile),
    /// Prints completions for this shell; reads nothing.
    ShowCompletions(Shell),
}

/// The sides of a comparison, and its rules.
#[derive(Debug, Clone)]
pub(crate) struct ComparedWith {
    /// The expected records, and the observed ones.
    pub sides: [ComparedSource; 2],
    /// What counts as the same.
    pub rules: ComparisonRules,
}

/// What `kreplay inspect` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// The records, and what else the RRPairs show.
    Contents,
    /// Every path that occurs.
    Paths,
}

/// What a run prints.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// The format of the report on stdout.
    pub report: ReportForm,
    /// The file that also gets the report, as JSON.
    pub report_file: Option<PathBuf>,
    /// When to show progress.
    pub progress: When,
    /// How much goes to stderr.
    pub verbosity: Verbosity,
}

/// How much goes to stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Errors only.
    Quiet,
    /// Errors, notes and progress.
    Normal,
    /// Commands and librdkafka's log as well.
    Verbose,
}
