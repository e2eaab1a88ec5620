//! The schedule by the system's clock: when the next record goes, what is odd about a record's time, and how
//! well the schedule was kept.

use std::time::{Duration, Instant, SystemTime};

use super::timeline::{Rhythm, TimeOddity};
use super::{Decision, Forecast, Reached, ScheduledRecord, Scheduler};
use crate::config::{Clock, Speed, Timing};
use crate::error::Error;
use crate::record::select::{FirstRecord, OtherShards};
use crate::record::{Batch, Record};
use crate::report::{Achieved, CapacityBound, LagControl, Latency, Pacing, SlowedBy, WaitTimes};
use crate::verify::group::observer::GroupProgress;

/// A replay that takes this much longer than planned was limited by something: a hundredth of its time, and
/// what a busy machine may lose at once.
const TOLERANCE: f64 = 0.01;
const NOISE: Duration = Duration::from_millis(50);

/// Whether a record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::produce) enum Turn {
    /// It goes now, and was due then.
    Now(Instant),
    /// It does not go before then.
    At(Instant),
}

/// The schedule of a session.
#[derive(Debug)]
pub(in crate::produce) struct Turns {
    timing: Timing,
    scheduler: Scheduler,
    /// When the schedule begins, and the waits until then; `None` before the first record.
    began: Option<(Instant, WaitTimes)>,
    /// What was odd about times so far.
    known: Rhythm,
    /// Whether any record has a time.
    has_times: bool,
    /// The latest time of the records that came.
    latest_ns: Option<i64>,
    /// The last look at the consumer group whose lag is held.
    look: u64,
}

impl Turns {
    /// `None` if records go as fast as the cluster takes them.
    pub(in crate::produce) fn new(timing: &Timing) -> Option<Self> {
        timing.is_timed().then(|| Self {
            timing: *timing,
            scheduler: Scheduler::new(timing),
            began: None,
            known: Rhythm::default(),
            has_times: false,
            latest_ns: None,
            look: 0,
        })
    }

    /// Which of the records' times is used; `None` if they have only a rate.
    pub(in crate::produce) fn clock(&self) -> Option<Clock> {
        (self.timing.speed != Speed::Max).then_some(self.timing.clock)
    }

    /// Looks at records that will be sent.
    pub(in crate::produce) fn look_at(&mut self, batch: &Batch) {
        let mut records = batch.records.iter();
        self.has_times = self.has_times
            || records.any(|record| self.timing.clock.time_ns(batch, record).is_some());
    }

    /// Uses the whole capture, whose first record is `first`: this machine has a share of it.
    pub(in crate::produce) fn share(&mut self, first: FirstRecord) {
        self.scheduler.share(first.time_ns);
    }

    /// Notes when other machines have records.
    pub(in crate::produce) fn note_others(&mut self, others: &OtherShards) {
        self.scheduler.note_others(others);
    }

    /// When the pass of the whole capture began; `None` if no other machine has a share of it, or if records
    /// have no time.
    pub(in crate::produce) fn shared_start(&self) -> Option<Instant> {
        let (began, _) = self.began?;
        began.checked_add(self.scheduler.shared_start()?)
    }

    /// Notes records that will be sent.
    pub(in crate::produce) fn note_times(&mut self, batch: &Batch) {
        if let Some(clock) = self.clock() {
            let records = batch.records.iter();
            let latest = records
                .filter_map(|record| clock.time_ns(batch, record))
                .max();
            self.latest_ns = self.latest_ns.max(latest);
        }
    }

    /// How far the schedule is when a record that was due at `due` goes at `now`; `left` records are to come,
    /// if their number is known.
    pub(in crate::produce) fn forecast(
        &self,
        due: Instant,
        now: Instant,
        left: Option<usize>,
    ) -> Forecast {
        let (began, _) = self.began.unwrap_or((now, WaitTimes::default()));
        let since = now.saturating_duration_since(began);
        // Neither the bytes to come nor what a service can do is known.
        let is_foreseen = self.timing.byte_rate.is_none() && self.timing.max_lag.is_none();
        let left = left.filter(|_| is_foreseen);
        let end = left.map(|left| self.scheduler.forecast(self.latest_ns, left, since));
        Forecast {
            due,
            end: end.and_then(|end| began.checked_add(end)),
            ..Forecast::beginning(began)
        }
    }

    /// Checks that records have times if they go by times: at least one of those known so far, or `record`,
    /// the first one.
    ///
    /// Returns [`Error::Config`] if none has. Returns [`Error::Config`] if none has.
    pub(in crate::produce) fn check_times(
        &mut self,
        batch: &Batch,
        record: &Record,
        place: impl FnOnce() -> String,
    ) -> Result<(), Error> {
        if self.has_times || self.clock().is_none() {
            return Ok(());
        }
        self.has_times = self.timing.clock.time_ns(batch, record).is_some();
        match self.has_times {
            true => Ok(()),
            false => Err(untimed(self.timing.clock, &place())),
        }
    }

    /// Lets the schedule begin at `start`, unless it has begun.
    pub(in crate::produce) fn begin(&mut self, start: Instant, waited: WaitTimes) {
        self.began.get_or_insert((start, waited));
    }

    /// Whether `record`, which belongs to `partition`, goes at `now`. The caller asks about it again until it
    /// goes.
    pub(in crate::produce) fn next(
        &mut self,
        (batch, record): (&Batch, &Record),
        partition: usize,
        now: Instant,
    ) -> Turn {
        let (began, _) = *self.began.get_or_insert((now, WaitTimes::default()));
        let record = ScheduledRecord {
            time_ns: self.timing.clock.time_ns(batch, record),
            partition,
            bytes: batch.size(record) as u64,
        };
        match self
            .scheduler
            .next(&record, now.saturating_duration_since(began))
        {
            Decision::Send { due } => Turn::Now(began + due),
            Decision::WaitUntil(due) => Turn::At(began + due),
        }
    }

    /// Whether records wait for a consumer group.
    pub(in crate::produce) fn holds_lag(&self) -> bool {
        self.timing.max_lag.is_some()
    }

    /// Notes how far the consumer group is at `now`, unless that is known.
    pub(in crate::produce) fn observe(&mut self, progress: &GroupProgress, now: Instant) {
        if self.look < progress.look
            && let Some((began, _)) = self.began
        {
            self.look = progress.look;
            let now = now.saturating_duration_since(began);
            self.scheduler.observe(progress, now);
        }
    }

    /// What was measured of the service; `None` if no lag is held. `waits` are all waits until the last
    /// record went.
    pub(in crate::produce) fn lag_control(&self, waits: WaitTimes) -> Option<LagControl> {
        let (measured, max_lag) = (self.scheduler.measured()?, self.timing.max_lag?);
        let before = self.began.map_or(waits, |(_, before)| before);
        let waits = since(waits, before);
        let is_slowed = Timing {
            max_lag: None,
            ..self.timing
        }
        .is_timed();
        let by_plan = if is_slowed { waits.due } else { Duration::ZERO };
        let causes = [
            (by_plan, CapacityBound::Timing),
            (waits.cluster + waits.in_flight, CapacityBound::Cluster),
            (waits.input, CapacityBound::Input),
        ];
        let longest = causes.into_iter().max_by_key(|(waited, _)| *waited);
        let otherwise = longest.map_or(CapacityBound::Input, |(_, by)| by);
        Some(LagControl {
            max_lag,
            capacity: measured.capacity(max_lag, otherwise),
            confirmation: measured.confirmation(),
            series: measured.series(),
        })
    }

    /// What is odd about the time of the last record that was asked about, if it was not reported yet.
    pub(in crate::produce) fn oddity(&mut self) -> Option<TimeOddity> {
        let (known, now) = (self.known, self.scheduler.rhythm());
        self.known = now;
        now.oddity_since(&known)
    }

    /// Ends a pass: the next record is the first of a new one.
    pub(in crate::produce) fn end_pass(&mut self) {
        self.scheduler.end_pass();
    }

    /// How the schedule was kept; `waits` are all waits until the last record went, and `in_flight` is the
    /// cause if a full window of records in flight was the limit.
    pub(in crate::produce) fn pacing(
        &self,
        waits: WaitTimes,
        in_flight: SlowedBy,
        lateness: Option<Latency>,
        response: Option<Latency>,
    ) -> Pacing {
        let (reached, rhythm) = (self.scheduler.reached(), self.scheduler.rhythm());
        let before = self.began.map_or(waits, |(_, before)| before);
        let achieved = |asked: Option<f64>, reached| asked.map(|asked| Achieved { asked, reached });
        let speed = match self.timing.speed {
            Speed::Max => None,
            Speed::Factor(factor) => Some(factor),
        };
        Pacing {
            speed: achieved(speed, reached.speed),
            rate: achieved(self.timing.rate, reached.rate),
            byte_rate: achieved(self.timing.byte_rate, reached.byte_rate),
            max_lag: self.timing.max_lag,
            // What a lag allows is not planned: the capacity says what the limit was.
            limited_by: slowed_by(&reached, since(waits, before), in_flight)
                .filter(|_| self.timing.max_lag.is_none()),
            gaps: rhythm.gaps,
            gaps_cut: rhythm.cut,
            clamped: rhythm.clamped + rhythm.before_first,
            untimed: rhythm.untimed,
            jumps: rhythm.jumps,
            lateness,
            response,
        }
    }
}

/// The error for a source without times.
fn untimed(clock: Clock, place: &str) -> Error {
    let (what, hint) = match clock {
        Clock::Capture => (
            "`--speed` uses the times at which the application received the records",
            "`--clock record` uses the records' own timestamps; a CSV has those times in the column `ts`, \
             record lines in `captured`, and RRPairs where the profile's `capture-time` says",
        ),
        Clock::Record => (
            "`--clock record` uses the records' timestamps",
            "name them with `--timestamp PATH`, or use `--clock capture` for the times at which the \
             application received the records",
        ),
    };
    Error::Config {
        message: format!("{what}, but {place} has none"),
        hint: Some(hint.into()),
    }
}

fn since(waits: WaitTimes, before: WaitTimes) -> WaitTimes {
    WaitTimes {
        input: waits.input.saturating_sub(before.input),
        in_flight: waits.in_flight.saturating_sub(before.in_flight),
        cluster: waits.cluster.saturating_sub(before.cluster),
        due: waits.due.saturating_sub(before.due),
    }
}

/// What made a replay slower than asked; `None` if it was not. The cause with the longest wait counts.
fn slowed_by(reached: &Reached, waits: WaitTimes, in_flight: SlowedBy) -> Option<SlowedBy> {
    let slack = NOISE.as_secs_f64();
    let planned = reached.by_rate.max(reached.by_rhythm);
    if reached.took <= planned * (1.0 + TOLERANCE) + slack {
        let is_by_rate = reached.speed.is_some()
            && reached.by_rate > reached.by_rhythm * (1.0 + TOLERANCE) + slack;
        return is_by_rate.then_some(SlowedBy::Rate);
    }
    let waited = waits.input + waits.in_flight + waits.cluster + waits.due;
    let busy = Duration::from_secs_f64(reached.took).saturating_sub(waited);
    let causes = [
        (busy, SlowedBy::Kreplay),
        (waits.cluster, SlowedBy::Cluster),
        (waits.in_flight, in_flight),
        (waits.input, SlowedBy::Input),
    ];
    let longest = causes.into_iter().max_by_key(|(waited, _)| *waited);
    longest.map(|(_, by)| by)
}

/// The moment of this clock that corresponds to `time` of the wall clock, as far as is known now. A time
/// before this clock began becomes now.
pub(in crate::produce) fn moment_of(time: SystemTime) -> Instant {
    let (now, wall) = (Instant::now(), SystemTime::now());
    match time.duration_since(wall) {
        Ok(left) => now.checked_add(left).unwrap_or(now),
        Err(over) => now.checked_sub(over.duration()).unwrap_or(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(s: f64) -> Duration {
        Duration::from_secs_f64(s)
    }

    /// A replay at a speed that took this long, and should have taken this long by its rhythm and by its
    /// rate.
    fn took(took: f64, by_rhythm: f64, by_rate: f64) -> Reached {
        Reached {
            speed: Some(1.0),
            took,
            by_rhythm,
            by_rate,
            ..Reached::default()
        }
    }

    #[test]
    fn a_replay_that_keeps_up_is_limited_by_nothing() {
        let waits = WaitTimes {
            input: seconds(9.0),
            ..WaitTimes::default()
        };
        for reached in [
            took(10.0, 10.0, 0.0),
            took(10.09, 10.0, 0.0),
            took(0.04, 0.0, 0.0),
        ] {
            assert_eq!(slowed_by(&reached, waits, SlowedBy::Cluster), None);
        }
    }

    #[test]
    fn the_longest_wait_is_what_limits_a_replay() {
        let waits = |input: f64, in_flight: f64, cluster: f64| WaitTimes {
            input: seconds(input),
            in_flight: seconds(in_flight),
            cluster: seconds(cluster),
            due: seconds(1.0),
        };
        for (waits, expected) in [
            (waits(6.0, 2.0, 1.0), SlowedBy::Input),
            (waits(2.0, 6.0, 1.0), SlowedBy::InFlight),
            (waits(1.0, 2.0, 6.0), SlowedBy::Cluster),
            (waits(1.0, 1.0, 1.0), SlowedBy::Kreplay),
        ] {
            let by = slowed_by(&took(10.0, 5.0, 0.0), waits, SlowedBy::InFlight);
            assert_eq!(by, Some(expected));
        }
    }

    #[test]
    fn a_rate_below_the_speed_is_what_limits_it() {
        let by = slowed_by(
            &took(10.0, 5.0, 10.0),
            WaitTimes::default(),
            SlowedBy::Cluster,
        );
        assert_eq!(by, Some(SlowedBy::Rate));
    }

    #[test]
    fn a_time_of_the_wall_clock_becomes_a_moment() {
        let before = Instant::now();
        let hour = moment_of(SystemTime::now() + seconds(3600.0));
        assert!(hour >= before + seconds(3599.0) && hour <= Instant::now() + seconds(3601.0));
        assert!(moment_of(SystemTime::UNIX_EPOCH) <= Instant::now());
    }
}
