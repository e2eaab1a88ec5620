//! What the user asks for of a capture.

use std::time::Duration;

use super::globs::TopicGlobs;
use super::moment::Moment;
use super::shard::{Sample, Shard};

/// What the user asks for; by default all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Selection {
    /// The captured topics that are selected.
    pub(crate) topics: TopicGlobs,
    /// The time of a record by which `from` and `to` are meant.
    pub(crate) clock: Clock,
    /// Records before are left out.
    pub(crate) from: Option<Moment>,
    /// Records at this time and after are left out.
    pub(crate) to: Option<Moment>,
    /// How many of the first records are left out.
    pub(crate) skip: u64,
    /// How many records are selected after that, at most.
    pub(crate) limit: Option<u64>,
    /// One key in how many is selected.
    pub(crate) sample: Option<Sample>,
    /// One machine's share.
    pub(crate) shard: Option<Shard>,
    /// The longest pause that a timed replay of a shard keeps; none where it keeps all.
    pub(crate) longest_pause: Option<Duration>,
}

impl Selection {
    /// Whether it leaves nothing out.
    pub(crate) fn is_everything(&self) -> bool {
        let clock = self.clock;
        *self
            == Self {
                clock,
                ..Self::default()
            }
    }

    /// Whether times decide.
    pub(crate) fn has_window(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }
}

/// Which time of a record counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Clock {
    /// When the application received it, or sent it.
    #[default]
    Capture,
    /// Its own timestamp.
    Record,
}

impl Clock {
    /// The value of `--clock`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Record => "record",
        }
    }
}
