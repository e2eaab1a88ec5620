//! The reading that is under way, as the threads of a run share it: whoever ends the run ends it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::extract::ExtractionThread;
use crate::record::channel::Closer;

/// The reading of the source that is under way; nothing as long as the destination was not found good.
#[derive(Default)]
pub(in crate::run) struct CurrentReading {
    pub(super) closer: Option<Closer>,
    pub(in crate::run) extraction: Option<ExtractionThread>,
}

impl CurrentReading {
    /// Ends it: the run is told to stop.
    pub(super) fn stop(&self) {
        if let Some(closer) = &self.closer {
            closer.close();
        }
        if let Some(extraction) = &self.extraction {
            extraction.stop();
        }
    }
}

/// Locks it.
pub(super) fn lock(reading: &Mutex<CurrentReading>) -> MutexGuard<'_, CurrentReading> {
    // Whole between any two statements that change it, also after a panic.
    reading.lock().unwrap_or_else(PoisonError::into_inner)
}
