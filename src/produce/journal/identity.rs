//! What a journal belongs to: it must not be taken for another replay's.

use serde::{Deserialize, Serialize};

/// The version of the format.
const VERSION: u32 = 1;
/// What a journal belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    kreplay_journal: u32,
    /// The kind of source.
    pub(crate) source: String,
    /// The inputs, by their absolute paths.
    pub(crate) inputs: Vec<String>,
    /// What chooses records in them.
    pub(crate) extraction: String,
    /// The cluster's id, or its bootstrap servers where it has none.
    pub(crate) cluster: String,
    /// How topics are named there.
    pub(crate) topics: String,
}

impl Identity {
    /// An identity of which the cluster is not known yet.
    pub(crate) fn new(
        source: &str,
        inputs: Vec<String>,
        extraction: String,
        topics: String,
    ) -> Self {
        Self {
            kreplay_journal: VERSION,
            source: source.into(),
            inputs,
            extraction,
            cluster: String::new(),
            topics,
        }
    }

    pub(in crate::produce) fn of_cluster(self, cluster: String) -> Self {
        Self { cluster, ..self }
    }

    pub(super) fn is_of_this_version(&self) -> bool {
        self.kreplay_journal == VERSION
    }

    /// In what `other` differs, in words.
    pub(super) fn differs_from(&self, other: &Self) -> Option<String> {
        let pairs = [
            ("input", self.source_words(), other.source_words()),
            (
                "extraction",
                self.extraction.clone(),
                other.extraction.clone(),
            ),
            ("cluster", self.cluster.clone(), other.cluster.clone()),
            ("destination", self.topics.clone(), other.topics.clone()),
        ];
        let differing = pairs.into_iter().find(|(_, mine, others)| mine != others);
        differing.map(|(what, mine, others)| format!("{what}: `{mine}`, and this is `{others}`"))
    }

    fn source_words(&self) -> String {
        format!("{} {}", self.source, self.inputs.join(" "))
    }
}
