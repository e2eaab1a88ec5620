//! How often the source is read, and for how long records are sent.

use std::num::NonZeroU64;
use std::time::Duration;

/// How often to read the source, and for how long to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repetition {
    /// How many times; with `None`, until the run is stopped.
    pub passes: Option<NonZeroU64>,
    /// For how long, from the first record on; with `None`, until the source ends.
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

    /// The bytes that all passes read from a source of this size; `None` if that depends on the time.
    pub(crate) fn all_bytes(self, source: u64) -> Option<u64> {
        match (self.passes, self.sends_for) {
            (Some(passes), None) => source.checked_mul(passes.get()),
            _ => None,
        }
    }
}
