//! What production has to do, and what it counts for the progress. This file is separate because the
//! connection, the deliveries and the session all need it, and it needs none of them.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::delivery::journal::Identity;
use super::order::Order;
use super::schedule::Forecast;
use crate::config::{
    Destination, OnRefused, Repetition, SubstitutePolicy, Timing, Verbosity, WaitedGroups,
};
use crate::host::console::Console;
use crate::host::control::Control;
use crate::record::{Batch, Origin, Record};
use crate::report;
use crate::verify::group::observer::GroupProgress;

/// Called for each record that is sent.
pub(crate) type SendingWatch = dyn Fn(&Batch, &Record) + Send + Sync;

/// What production needs to know about the run.
pub(crate) struct Job {
    pub(crate) destination: Destination,
    pub(crate) order: Order,
    pub(crate) timing: Timing,
    /// The file for records that are not delivered.
    pub(crate) rejects: Option<PathBuf>,
    /// Where delivered records are written down, and what that journal belongs to.
    pub(crate) journal: Option<(PathBuf, Identity)>,
    /// What to do with the batch of a record that a broker refuses.
    pub(crate) on_refused: OnRefused,
    /// How long the run waits without an acknowledgement while records are in flight.
    pub(crate) give_up_after: Duration,
    /// How often to read the source, and for how long to send records.
    pub(crate) repetition: Repetition,
    /// The consumer groups to wait for at the end.
    pub(crate) groups: WaitedGroups,
    /// Called for each record that is about to be sent.
    pub(crate) sending: Option<Arc<SendingWatch>>,
    /// What to do about records whose texts differ from what was captured.
    pub(crate) substitutes: SubstitutePolicy,
    /// When the replay begins: dates are resolved against it.
    pub(crate) begins: SystemTime,
    pub(crate) verbosity: Verbosity,
    pub(crate) console: Console,
    pub(crate) control: Control,
    pub(crate) counters: Arc<Counters>,
}

/// What both halves count for the progress. The report has its own numbers, unless the thread that holds them
/// panics.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Input bytes of the batches that were received.
    pub(crate) bytes: AtomicU64,
    /// Records found in them.
    pub(crate) found: AtomicU64,
    pub(crate) delivered: AtomicU64,
    /// Records that are planned so far.
    pub(crate) planned: AtomicU64,
    /// Records that are certain not to be in the log, or may not be.
    pub(crate) failed: AtomicU64,
    /// How many milliseconds after it was due the last record was sent.
    pub(crate) late_ms: AtomicU64,
    forecast: Mutex<Option<Forecast>>,
    silence: Mutex<Option<(Instant, String)>>,
    start: Mutex<Option<Instant>>,
    groups: Mutex<Option<GroupProgress>>,
    /// Whether `found` is final.
    pub(crate) complete: AtomicBool,
    input_names: Mutex<Option<InputNames>>,
}

impl Counters {
    /// Notes how far the schedule is.
    pub(in crate::produce) fn forecast(&self, forecast: Forecast) {
        *lock(&self.forecast) = Some(forecast);
    }

    /// How long the schedule continues, if `share` of the source is done; `None` without a schedule.
    pub(crate) fn schedule_eta(&self, share: Option<f64>) -> Option<Duration> {
        let forecast = *lock(&self.forecast);
        forecast.and_then(|forecast| forecast.eta(Instant::now(), share))
    }

    /// Notes until when nothing is sent, or that sending has begun.
    pub(in crate::produce) fn await_start(&self, start: Option<Instant>) {
        *lock(&self.start) = start;
    }

    /// How long it takes until sending begins; `None` once it has, or if it begins at once.
    pub(crate) fn starts_in(&self) -> Option<Duration> {
        let start = *lock(&self.start);
        Some(start?.saturating_duration_since(Instant::now()))
    }

    /// Notes since when nothing is acknowledged and why, or that something is.
    pub(in crate::produce) fn report_silence(&self, silence: Option<(Instant, String)>) {
        *lock(&self.silence) = silence;
    }

    /// Notes how far the awaited consumer groups are.
    pub(in crate::produce) fn note_groups(&self, progress: GroupProgress) {
        *lock(&self.groups) = Some(progress);
    }

    /// How far the consumer group is that lags most; `None` if the run waits for none.
    pub(crate) fn groups(&self) -> Option<GroupProgress> {
        *lock(&self.groups)
    }

    /// Since when nothing is acknowledged, and why.
    pub(crate) fn silence(&self) -> Option<(Instant, String)> {
        lock(&self.silence).clone()
    }

    /// Uses `input_names` for places from now on.
    pub(crate) fn name_inputs_by(&self, input_names: impl Fn(Origin) -> String + Send + 'static) {
        *self
            .input_names
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(InputNames(Box::new(input_names)));
    }

    pub(in crate::produce) fn place(&self, origin: Origin) -> String {
        let input_names = self
            .input_names
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        input_names.as_ref().map_or_else(
            || report::place(&[], origin),
            |InputNames(name)| name(origin),
        )
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says where in the input something is.
struct InputNames(Box<dyn Fn(Origin) -> String + Send>);

impl fmt::Debug for InputNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InputNames")
    }
}
