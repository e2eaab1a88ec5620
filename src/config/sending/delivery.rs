//! What is done about records that are not delivered or that hold what was not captured, and which consumer groups
//! have to read the others.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::OnRefused;
use crate::record::substitutes::DateForm;
use crate::report::Reordered;

/// What is done about records that are not delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DeliveryPolicy {
    /// The file for those that are not delivered.
    pub rejects: Option<PathBuf>,
    /// The journal of those that are.
    pub journal: Option<PathBuf>,
    /// What becomes of the batch of a record that a broker refuses.
    pub on_refused: OnRefused,
    /// How long no record may be acknowledged while some are in flight.
    pub give_up_after: Duration,
    /// What records out of order mean.
    pub reordered: Reordered,
    /// The consumer groups that are waited for at the end.
    pub groups: WaitedGroups,
    /// What is done about records that hold what was not captured.
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
