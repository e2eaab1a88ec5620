//! What a run does about records that are not delivered or that hold what was not captured, and which consumer groups
//! have to read the others.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::OnRefused;
use crate::record::substitutes::DateForm;
use crate::report::Reordered;

/// What a run does about records that are not delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DeliveryPolicy {
    /// The file for those that are not delivered.
    pub rejects: Option<PathBuf>,
    /// The journal of those that are.
    pub journal: Option<PathBuf>,
    /// What it does with the batch of a record that a broker refuses.
    pub on_refused: OnRefused,
    /// How long it waits without an acknowledgement while records are in flight.
    pub give_up_after: Duration,
    /// Whether records out of order are a failure.
    pub reordered: Reordered,
    /// The consumer groups that it waits for at the end.
    pub groups: WaitedGroups,
    /// What it does about records that hold what was not captured.
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

/// What a run does about records that hold other texts than the application was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SubstitutePolicy {
    /// Whether texts that data-loss prevention has replaced are a failure.
    pub redacted: Redacted,
    /// How it writes dates that are still to be resolved; with `None`, it refuses them.
    pub dates: Option<DateForm>,
}

/// Whether a record with a redacted text is a failure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Redacted {
    /// Send and count it.
    #[default]
    Sent,
    /// `--fail-on-redacted`: end the run.
    Fails,
}
