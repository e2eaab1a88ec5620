//! The reading that is under way, as the threads of a run share it: whoever ends the run ends it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::extract::Description;
use crate::run::driver::SourceReading;

/// What is being read; nothing as long as the destination was not found good.
#[derive(Default)]
pub(in crate::run) struct CurrentReading {
    /// That of what is expected, which is read before the source.
    pub(super) expected: Option<SourceReading>,
    pub(in crate::run) source: Option<SourceReading>,
}

impl CurrentReading {
    /// Ends it: the run is told to stop.
    pub(super) fn stop(&self) {
        for reading in [&self.expected, &self.source].into_iter().flatten() {
            reading.stop();
        }
    }

    /// What is known of the source by now.
    pub(super) fn description(&self) -> Option<Description> {
        self.source.as_ref().map(SourceReading::description)
    }
}

/// Locks it.
pub(in crate::run) fn lock(reading: &Mutex<CurrentReading>) -> MutexGuard<'_, CurrentReading> {
    // Whole between any two statements that change it, also after a panic.
    reading.lock().unwrap_or_else(PoisonError::into_inner)
}
