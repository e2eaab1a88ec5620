//! How the reading of the output has ended, and the text that says why it is incomplete.

use std::time::Duration;

use crate::error::Error;

/// How the reading of the output has ended.
#[derive(Debug, Default)]
pub(in crate::run::replay) enum ObservationEnd {
    /// Everything was read, and nothing more came.
    Quiet,
    /// The run ended before that.
    #[default]
    Stopped,
    /// More records kept coming.
    NeverQuiet,
    /// An open transaction hides the rest of a partition.
    Hidden(String),
    /// The rest of a partition did not come.
    Unread(String),
    Failed(Error),
}

impl ObservationEnd {
    /// Why the output is incomplete.
    pub(super) fn why(&self, limit: Duration, quiet: Duration) -> Option<String> {
        match self {
            Self::Quiet => None,
            Self::Stopped => Some("the run did not complete".into()),
            Self::NeverQuiet => {
                let limit = humantime::format_duration(limit);
                let quiet = humantime::format_duration(quiet);
                Some(format!(
                    "{limit} after the last record was sent, the output had not yet been quiet for {quiet}"
                ))
            }
            Self::Hidden(place) => Some(format!(
                "an open transaction hides what comes after {place}"
            )),
            Self::Unread(place) => Some(format!("no record after {place} could be read")),
            Self::Failed(error) => Some(error.to_string()),
        }
    }
}
