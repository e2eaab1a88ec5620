//! Where records are in RRPairs, and which of them are replayed.

use crate::cli::Encoding;
use crate::record::TopicId;
use crate::record::select::Selection;

/// Where records are in RRPairs, and which of them to replay.
#[derive(Debug, Clone)]
pub(crate) struct Extraction {
    /// The set of paths to begin with.
    pub profile: ProfileChoice,
    /// What the user changes in it.
    pub overrides: Overrides,
    /// What the run does with further copies of a record.
    pub duplicates: Duplicates,
    /// What the run does with records of aborted transactions.
    pub aborted: AbortedRecords,
    /// What the run does with Produce requests that wrote nothing of their own.
    pub(crate) retried: RetriedRequests,
    /// The names of topics that the capture knows by their ids.
    pub topic_ids: TopicIdNames,
    /// Which of the records are used.
    pub selection: Selection,
}

/// Which profile to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProfileChoice {
    BuiltIn(BuiltInProfile),
    /// A profile of the user.
    File {
        /// The file's name.
        name: String,
        /// The file's text.
        text: String,
    },
}

/// A profile that needs no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BuiltInProfile {
    Fetch,
    Produce,
    Byoc,
}

impl BuiltInProfile {
    pub(crate) const ALL: [Self; 3] = [Self::Fetch, Self::Produce, Self::Byoc];

    /// The name in `--profile` and `kreplay profile`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Produce => "produce",
            Self::Byoc => "byoc",
        }
    }

    /// The profile of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// The hint for a name that none of them has.
    pub(crate) fn hint() -> String {
        let [first @ .., last] = Self::ALL.map(|profile| format!("`{}`", profile.name()));
        format!("the built-in profiles are {} and {last}", first.join(", "))
    }
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

/// What the run does with further copies of a record, which (topic, partition, offset) identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duplicates {
    /// It counts them.
    LeaveOut,
    /// It replays them.
    Keep,
}

/// What the run does with records of aborted transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AbortedRecords {
    /// It counts them.
    LeaveOut,
    /// It replays them.
    Keep,
}

/// What the run does with the records of a Produce request that the broker refused, or that was sent before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum RetriedRequests {
    /// It treats them like all others.
    #[default]
    Keep,
    /// It leaves them out: the log has them once, or not at all.
    LeaveOut,
}

/// Names of topics by their ids (`--topic-id`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TopicIdNames(Vec<(TopicId, String)>);

impl TopicIdNames {
    pub(crate) fn of(names: impl IntoIterator<Item = (TopicId, String)>) -> Self {
        Self(names.into_iter().collect())
    }

    /// The name of the topic with this id, if one is given.
    pub(crate) fn name(&self, id: TopicId) -> Option<&str> {
        let mut names = self.iter();
        names.find(|(known, _)| *known == id).map(|(_, name)| name)
    }

    /// All of them, in the order given.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (TopicId, &str)> {
        self.0.iter().map(|(id, name)| (*id, name.as_str()))
    }
}
