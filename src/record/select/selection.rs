//! Which part of a capture the user asks for.

use std::time::Duration;

use super::clock::Clock;
use super::globs::TopicGlobs;
use super::moment::Moment;
use super::shard::{Sample, Shard};

/// The part that the user asks for; by default the whole capture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Selection {
    /// The captured topics that are selected.
    pub(crate) topics: TopicGlobs,
    /// The time of a record that `from` and `to` refer to.
    pub(crate) clock: Clock,
    /// Records before this time are left out.
    pub(crate) from: Option<Moment>,
    /// Records at this time and later are left out.
    pub(crate) to: Option<Moment>,
    /// How many of the first records are left out.
    pub(crate) skip: u64,
    /// How many records are selected after that, at most.
    pub(crate) limit: Option<u64>,
    /// One key in this many is selected.
    pub(crate) sample: Option<Sample>,
    /// The machine whose share is selected.
    pub(crate) shard: Option<Shard>,
    /// The longest pause that a timed replay of a shard keeps; `None` if it keeps all pauses.
    pub(crate) longest_pause: Option<Duration>,
}

impl Selection {
    /// Whether the selection leaves nothing out.
    pub(crate) fn is_everything(&self) -> bool {
        let clock = self.clock;
        *self
            == Self {
                clock,
                ..Self::default()
            }
    }

    /// Whether times decide what is selected.
    pub(crate) fn has_window(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }
}
