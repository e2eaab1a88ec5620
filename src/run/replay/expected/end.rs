//! How the reading of the output has ended, and in words why it is not whole.

use std::time::Duration;

use crate::error::Error;

/// How the reading of the output has ended.
#[derive(Debug, Default)]
pub(in crate::run::replay) enum ObservationEnd {
    /// Everything was read, and nothing more came.
    Quiet,
    /// The run is over before that.
    #[default]
    Stopped,
    /// Something came again and again.
    NeverQuiet,
    /// An open transaction hides the rest of a partition.
    Hidden(String),
    /// The rest of a partition did not come.
    Unread(String),
    Failed(Error),
}

impl ObservationEnd {
    /// Why not all that the service writes was seen.
    pub(super) fn why(&self, limit: Duration, quiet: Duration) -> Option<String> {
        match self {
            Self::Quiet => None,
            Self::Stopped => Some("the run came to no good end".into()),
            Self::NeverQuiet => {
                let limit = humantime::format_duration(limit);
                let quiet = humantime::format_duration(quiet);
                Some(format!(
                    "records still came {limit} after the last one was sent, or none for less than {quiet}"
                ))
            }
            Self::Hidden(place) => Some(format!(
                "an open transaction hides what comes after {place}"
            )),
            Self::Unread(place) => Some(format!("nothing came of what there is after {place}")),
            Self::Failed(error) => Some(error.to_string()),
        }
    }
}
