//! How far a run has been told to stop: the one word that the signal handling, the sending thread
//! and its waits share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// How long outputs may stall once the run was told to stop, and once it was told to leave.
const STOPPING_PATIENCE: Duration = Duration::from_secs(3);
const LEAVING_PATIENCE: Duration = Duration::from_millis(200);

/// How a run is to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    Running,
    /// Send no more, wait for what librdkafka holds.
    Draining,
    /// Wait for nothing.
    Leaving,
}

/// A shared [`Pace`] that only ever gets more urgent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Control(Arc<AtomicU8>);

impl Control {
    pub(crate) fn pace(&self) -> Pace {
        match self.0.load(Ordering::SeqCst) {
            0 => Pace::Running,
            1 => Pace::Draining,
            _ => Pace::Leaving,
        }
    }

    pub(crate) fn hurry(&self, pace: Pace) {
        self.0.fetch_max(pace as u8, Ordering::SeqCst);
    }

    /// How long an output may take nothing; none for as long as it likes, while nobody wants an end.
    pub(crate) fn patience(&self) -> Option<Duration> {
        match self.pace() {
            Pace::Running => None,
            Pace::Draining => Some(STOPPING_PATIENCE),
            Pace::Leaving => Some(LEAVING_PATIENCE),
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.pace() > Pace::Running
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_never_slows_down_again_once_it_was_told_to_leave() {
        let control = Control::default();
        assert_eq!(control.pace(), Pace::Running);
        control.clone().hurry(Pace::Leaving);
        control.hurry(Pace::Draining);
        assert_eq!(control.pace(), Pace::Leaving);
    }
}
