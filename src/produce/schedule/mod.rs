//! Decides when the next record goes. This is pure: the caller passes the time, so that tests need neither a
//! clock nor a broker.
//!
//! Every limit is a time from which on a record may go, and the latest one counts: the capture's rhythm
//! (`timeline.rs`), rates (`rate.rs`) and what the lag of a consumer group allows (`lag.rs`), all translated
//! by the ramp (`ramp.rs`). Each is absolute: a late record does not delay what follows.

mod forecast;
mod lag;
mod ramp;
mod rate;
mod shift;
mod timeline;
mod turns;

use std::time::Duration;

pub(crate) use self::forecast::Forecast;
pub(super) use self::forecast::SendingEnd;
use self::lag::LagController;
use self::ramp::Ramp;
use self::rate::Rate;
pub(super) use self::shift::{Shifts, kept_timestamp_ms};
pub(super) use self::timeline::TimeOddity;
use self::timeline::{Rhythm, Timeline};
pub(super) use self::turns::{Turn, Turns, moment_of};
use crate::config::{Speed, Timing};
use crate::record::select::OtherShards;
use crate::verify::group::capacity::MeasuredLag;
use crate::verify::group::observer::GroupProgress;

/// What the schedule needs to know about a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScheduledRecord {
    /// Its time in the capture, in nanoseconds since 1970; `None` if it is unknown.
    pub(super) time_ns: Option<i64>,
    /// The captured partition that it belongs to: an index that the caller chooses.
    pub(super) partition: usize,
    /// Bytes of its key, value and headers.
    pub(super) bytes: u64,
}

/// What to do with a record now. Times count from the beginning of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Send it; it was due then.
    Send { due: Duration },
    /// Wait: it is due later, and nothing goes before that.
    WaitUntil(Duration),
}

/// How fast records went, in the units in which it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Reached {
    /// Seconds of the capture per second; `None` if no speed was asked for, or if there was only one record.
    pub(super) speed: Option<f64>,
    /// Records and bytes a second.
    pub(super) rate: Option<f64>,
    pub(super) byte_rate: Option<f64>,
    /// Seconds from the first record to the last one, and how many they should have been by the rhythm and by
    /// the rates.
    pub(super) took: f64,
    pub(super) by_rhythm: f64,
    pub(super) by_rate: f64,
}

/// The schedule of a replay over all its passes.
#[derive(Debug)]
pub(super) struct Scheduler {
    ramp: Ramp,
    timeline: Option<Timeline>,
    rate: Option<Rate>,
    byte_rate: Option<Rate>,
    lag: Option<LagController>,
    /// The steady time of the record that was asked about and has not gone yet.
    waiting: Option<f64>,
    sent: Sent,
}

/// What has been sent, in steady time.
#[derive(Debug, Clone, Copy, Default)]
struct Sent {
    records: u64,
    bytes: u64,
    /// Bytes of the last record, which are paid for after it.
    last_bytes: u64,
    first: f64,
    last: f64,
    /// How much of the capture these records cover, in steady seconds. The next one may wait for long.
    covered: f64,
}

impl Scheduler {
    /// A schedule that begins at the given start time, or else with its first record.
    pub(super) fn new(timing: &Timing) -> Self {
        let given_start = timing.start_at.map(|_| 0.0);
        let timeline = match timing.speed {
            Speed::Max => None,
            Speed::Factor(speed) => Some(Timeline::new(speed, timing.max_gap, given_start)),
        };
        let ramp = Ramp::new(timing.ramp);
        let ends = timing.sends_for;
        let ends = ends.map(|time| ramp.steady(time.as_secs_f64()));
        Self {
            ramp,
            timeline,
            rate: timing.rate.map(Rate::new),
            byte_rate: timing.byte_rate.map(Rate::new),
            lag: timing.max_lag.map(|lag| LagController::new(lag, ends)),
            waiting: None,
            sent: Sent::default(),
        }
    }

    /// Whether the next record goes at `now`. The caller asks for the same record again after
    /// [`Decision::WaitUntil`], and for the next one after [`Decision::Send`].
    pub(super) fn next(&mut self, record: &ScheduledRecord, now: Duration) -> Decision {
        let steady = self.ramp.steady(now.as_secs_f64());
        let steady_due = match self.waiting {
            Some(due) => due,
            None => self.steady_due(record, steady),
        };
        // The rate that the lag allows may have changed since the last question about the record.
        let by_lag = self.lag.as_ref().map_or(0.0, LagController::due);
        let due = self.ramp.real(steady_due.max(by_lag)).min(FOREVER);
        let due = Duration::from_secs_f64(due);
        if due > now {
            self.waiting = Some(steady_due);
            return Decision::WaitUntil(due);
        }
        self.waiting = None;
        if let Some(rate) = &mut self.rate {
            rate.spend(1.0, steady);
        }
        if let Some(rate) = &mut self.byte_rate {
            rate.spend(record.bytes as f64, steady);
        }
        if let Some(lag) = &mut self.lag {
            lag.spend(steady);
        }
        let covered = self.timeline.as_ref().map_or(0.0, Timeline::covered);
        self.sent.note(record.bytes, steady, covered);
        Decision::Send { due }
    }

    /// Notes how far the consumer group whose lag has to be held is at `now`.
    pub(super) fn observe(&mut self, progress: &GroupProgress, now: Duration) {
        let steady = self.ramp.steady(now.as_secs_f64());
        if let Some(lag) = &mut self.lag {
            lag.observe(progress, steady);
        }
    }

    /// Uses the times of the whole capture, of which this machine has a share.
    pub(super) fn share(&mut self, first_ns: i64) {
        if let Some(timeline) = &mut self.timeline {
            timeline.share(first_ns);
        }
    }

    /// Notes when other machines have records.
    pub(super) fn note_others(&mut self, others: &OtherShards) {
        if let Some(timeline) = &mut self.timeline {
            timeline.note_others(others);
        }
    }

    /// When the pass of the whole capture began; `None` if no other machine has a share of it.
    pub(super) fn shared_start(&self) -> Option<Duration> {
        let start = self.timeline.as_ref()?.shared_start()?;
        Some(Duration::from_secs_f64(self.ramp.real(start).min(FOREVER)))
    }

    /// What was measured of the service; `None` if no lag is held.
    pub(super) fn measured(&self) -> Option<&MeasuredLag> {
        self.lag.as_ref().map(LagController::measured)
    }

    fn steady_due(&mut self, record: &ScheduledRecord, steady: f64) -> f64 {
        let rhythm = match &mut self.timeline {
            Some(timeline) => timeline.due(record.time_ns, record.partition, steady),
            None => 0.0,
        };
        let rates = [&self.rate, &self.byte_rate].into_iter().flatten();
        rates.map(Rate::due).fold(rhythm, f64::max)
    }

    /// When the last record is due, as of `now`, if `left` records are to come, the last of them with
    /// `latest_ns`.
    pub(super) fn forecast(&self, latest_ns: Option<i64>, left: usize, now: Duration) -> Duration {
        let timeline = self.timeline.as_ref();
        let by_rhythm = timeline
            .zip(latest_ns)
            .and_then(|(known, time)| known.forecast(time));
        let now = self.ramp.steady(now.as_secs_f64());
        let by_rate = self
            .rate
            .as_ref()
            .map_or(0.0, |rate| now + rate.costs(left as f64));
        let end = by_rhythm.map_or(by_rate, |by_rhythm| by_rhythm.max(by_rate));
        Duration::from_secs_f64(self.ramp.real(end).min(FOREVER))
    }

    /// Ends a pass: the rhythm begins anew with the next record, rates continue.
    pub(super) fn end_pass(&mut self) {
        self.waiting = None;
        if let Some(timeline) = &mut self.timeline {
            timeline.end_pass();
        }
    }

    /// What the capture's times turned out to be so far.
    fn rhythm(&self) -> Rhythm {
        self.timeline
            .as_ref()
            .map_or_else(Rhythm::default, Timeline::rhythm)
    }

    /// How fast records went so far. The time that a ramp takes does not count as slow.
    pub(super) fn reached(&self) -> Reached {
        let Sent {
            records,
            bytes,
            last_bytes,
            first,
            last,
            covered,
        } = self.sent;
        let took = last - first;
        let by_time = |n: f64| (took > 0.0).then(|| n / took);
        let timeline = self.timeline.as_ref();
        // The bytes of the last record are paid for in the time after it.
        let (records, bytes) = (
            records.saturating_sub(1) as f64,
            (bytes - last_bytes) as f64,
        );
        let by = |rate: &Option<Rate>, n| rate.as_ref().map_or(0.0, |rate| rate.costs(n));
        Reached {
            speed: timeline.and_then(|known| by_time(covered * known.speed())),
            rate: by_time(records),
            byte_rate: by_time(bytes),
            took,
            by_rhythm: covered,
            by_rate: by(&self.rate, records).max(by(&self.byte_rate, bytes)),
        }
    }
}

impl Sent {
    fn note(&mut self, bytes: u64, steady: f64, covered: f64) {
        if self.records == 0 {
            self.first = steady;
        }
        self.records += 1;
        self.bytes += bytes;
        self.last_bytes = bytes;
        self.last = steady;
        self.covered = covered;
    }
}

/// The latest due time, in seconds: some 30,000 years, which any clock can still add to its own.
const FOREVER: f64 = 1e12;

#[cfg(test)]
mod tests;
