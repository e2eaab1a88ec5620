//! How far a run has to shut down: the one state that the signal handling, the sending thread and its waits
//! share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// How long outputs may stall while the run drains, and while it shuts down at once.
const STOPPING_PATIENCE: Duration = Duration::from_secs(3);
const IMMEDIATE_PATIENCE: Duration = Duration::from_millis(200);

/// How far a run has to shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shutdown {
    NotRequested,
    /// Send no more, and wait for what librdkafka holds.
    Drain,
    /// Wait for nothing.
    Immediate,
}

/// A shared [`Shutdown`] that only ever escalates.
#[derive(Debug, Clone, Default)]
pub(crate) struct Control(Arc<AtomicU8>);

impl Control {
    pub(crate) fn shutdown(&self) -> Shutdown {
        match self.0.load(Ordering::SeqCst) {
            0 => Shutdown::NotRequested,
            1 => Shutdown::Drain,
            _ => Shutdown::Immediate,
        }
    }

    pub(crate) fn escalate(&self, shutdown: Shutdown) {
        self.0.fetch_max(shutdown as u8, Ordering::SeqCst);
    }

    /// How long an output may stall; `None` for any time, while the run is not ending.
    pub(crate) fn patience(&self) -> Option<Duration> {
        match self.shutdown() {
            Shutdown::NotRequested => None,
            Shutdown::Drain => Some(STOPPING_PATIENCE),
            Shutdown::Immediate => Some(IMMEDIATE_PATIENCE),
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.shutdown() > Shutdown::NotRequested
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_immediate_shutdown_is_never_taken_back_to_a_drain() {
        let control = Control::default();
        assert_eq!(control.shutdown(), Shutdown::NotRequested);
        control.clone().escalate(Shutdown::Immediate);
        control.escalate(Shutdown::Drain);
        assert_eq!(control.shutdown(), Shutdown::Immediate);
    }
}
