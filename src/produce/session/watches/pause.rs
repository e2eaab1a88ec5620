//! Notices that the whole process was stopped for long: by a signal, or with its machine. kreplay's own clock
//! (`ages.rs`) stops with it. If librdkafka watches the time, waiting records have timed out when it
//! continues, and the user has to learn why.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::config::Destination;
use crate::host::console::Console;
use crate::produce::connection::timeouts::{TimeOuts, timeout_of};

/// How often to check the time.
const BEAT: Duration = Duration::from_millis(100);
/// A shorter pause only means a busy machine.
const SHORTEST: Duration = Duration::from_secs(1);

/// A watch over the time; it ends when it is dropped.
pub(in crate::produce) struct PauseWatch {
    ending: Arc<(Mutex<bool>, Condvar)>,
    watching: Option<JoinHandle<()>>,
}

impl PauseWatch {
    /// Notes every pause that is longer than the time after which `destination` lets records time out.
    pub(in crate::produce) fn start(console: Console, destination: &Destination) -> Self {
        let timeout = timeout_of(&destination.properties);
        let whose = TimeOuts::of(destination);
        let ending = Arc::new((Mutex::new(false), Condvar::new()));
        let watching = thread::spawn({
            let ending = ending.clone();
            move || {
                let (ended, wake) = &*ending;
                let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
                let mut last = Instant::now();
                while !*ended {
                    let waited = wake.wait_timeout(ended, BEAT);
                    ended = waited.unwrap_or_else(PoisonError::into_inner).0;
                    if let Some(note) = note(last.elapsed(), timeout, whose) {
                        console.note(&note);
                    }
                    last = Instant::now();
                }
            }
        });
        Self {
            ending,
            watching: Some(watching),
        }
    }
}

impl Drop for PauseWatch {
    fn drop(&mut self) {
        let (ended, wake) = &*self.ending;
        *ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        wake.notify_all();
        if let Some(watching) = self.watching.take() {
            // The panic hook has already reported a panic.
            _ = watching.join();
        }
    }
}

/// The text for two beats that are this far apart.
fn note(gap: Duration, timeout: Duration, whose: TimeOuts) -> Option<String> {
    // Records may have waited up to a quarter of their time before.
    let is_long = gap >= SHORTEST && gap >= timeout / 4 * 3;
    is_long.then(|| {
        let (seconds, ms) = (gap.as_secs_f64(), timeout.as_millis());
        let what = match whose {
            TimeOuts::Kreplay => "that time does not count for the records that were waiting",
            TimeOuts::Librdkafka => "the records that were waiting may have timed out",
        };
        format!("kreplay was stopped for {seconds:.1} s and continues; {what} (`message.timeout.ms` is {ms} ms)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pause_that_makes_records_time_out_is_reported() {
        let seconds = Duration::from_secs_f64;
        let ours = TimeOuts::Kreplay;
        assert_eq!(note(seconds(200.0), seconds(300.0), ours), None);
        assert_eq!(note(seconds(0.5), seconds(0.1), ours), None);
        let line = note(seconds(8.04), seconds(5.0), TimeOuts::Librdkafka);
        let expected = "kreplay was stopped for 8.0 s and continues; the records that were waiting may have \
                        timed out (`message.timeout.ms` is 5000 ms)";
        assert_eq!(line.as_deref(), Some(expected));
        let line = note(seconds(8.04), seconds(5.0), ours);
        let expected = "kreplay was stopped for 8.0 s and continues; that time does not count for the \
                        records that were waiting (`message.timeout.ms` is 5000 ms)";
        assert_eq!(line.as_deref(), Some(expected));
    }
}
