//! The current reading, which the threads of a run share: whichever ends the run ends the reading.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::extract::Description;
use crate::run::driver::SourceReading;

/// What is being read; empty until preflight has passed.
#[derive(Default)]
pub(in crate::run) struct CurrentReading {
    /// The reading of the expected records, which comes before that of the source.
    pub(super) expected: Option<SourceReading>,
    pub(in crate::run) source: Option<SourceReading>,
}

impl CurrentReading {
    /// Ends the reading, because the run has to stop.
    pub(super) fn stop(&self) {
        for reading in [&self.expected, &self.source].into_iter().flatten() {
            reading.stop();
        }
    }

    /// What is known about the source so far.
    pub(super) fn description(&self) -> Option<Description> {
        self.source.as_ref().map(SourceReading::description)
    }
}

/// Locks the current reading.
pub(in crate::run) fn lock(reading: &Mutex<CurrentReading>) -> MutexGuard<'_, CurrentReading> {
    // It is consistent between any two statements that change it, also after a panic.
    reading.lock().unwrap_or_else(PoisonError::into_inner)
}
