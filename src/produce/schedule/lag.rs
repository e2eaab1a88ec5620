//! `--max-lag`: sends as fast as a consumer group reads, by holding its lag near a number of records.
//!
//! Far from that number, the rule is that of the OpenMessaging Benchmark's rate controller: with too much
//! lag, the rate falls to what was read, less the excess, and the ramp is halved; with little lag, the rate
//! grows by the ramp, which doubles. That rule alone lets the lag run to zero and up again, and a service
//! without work does not show what it can do. So near the number, the rate is what was read lately, corrected
//! by a part of the distance.
//!
//! A period ends with a commit: it contains a whole number of commits, and the rate does not depend on
//! whether it happens to contain one more or less.
//!
//! If it is known when sending ends, the last third of the time confirms what was found: records go at 0.95
//! of the capacity, whatever the lag is, and the lag must not grow.

use std::time::Duration;

use super::rate::Rate;
use crate::report::CapacityBound;
use crate::verify::group::capacity::{LEAST_STEADY, LagWindow, MeasuredLag};
use crate::verify::group::observer::GroupProgress;

/// The shortest time between two changes of the rate; with a longer commit interval it is two of those, or
/// the rate would follow single commits.
const SHORTEST_PERIOD: f64 = 0.5;
const INTERVALS_PER_PERIOD: f64 = 2.0;
/// A period this close to its end ends with the next commit: the one after that is an interval away.
const NEARLY: f64 = 0.9;
/// Without a commit for this many periods, a period ends without one.
const PERIODS_WITHOUT_COMMIT: f64 = 3.0;
/// The share of the sending time for finding the capacity; the rest confirms it.
const SEARCH_SHARE: f64 = 2.0 / 3.0;
/// The shortest time that confirms, in seconds.
const SHORTEST_CONFIRMATION: f64 = 5.0;
/// The share of the capacity that a service has to do without a growing lag.
const CONFIRMED_SHARE: f64 = 0.95;
/// The ramp: the rate at most doubles (OpenMessaging Benchmark).
const LEAST_RAMP: f64 = 0.01;
const MOST_RAMP: f64 = 1.0;
/// In how many periods a distance from the wanted lag is corrected, and in how many seconds at least: a short
/// period says little, because kreplay sees commits only some looks later.
const CORRECTION_PERIODS: f64 = 2.0;
const SHORTEST_CORRECTION: f64 = 2.0;
/// Over how many periods the speed of the group is averaged.
const AVERAGED: usize = 6;
/// The slowest rate, in records a second: a group that does not move still gets some.
const SLOWEST: f64 = 0.1;
/// Sending counts as held back if this share of what was allowed was delivered: on a busy machine a tenth and
/// more is lost to late wake-ups, and if the input is the limit, twice as much is allowed as is sent. Records
/// that only wait in flight are not part of the service's lag.
const HELD_BACK: f64 = 0.75;

/// The controller, in steady time.
#[derive(Debug)]
pub(super) struct LagController {
    max_lag: u64,
    wanted: f64,
    pace: Rate,
    /// Records a second that are allowed now.
    allowed: f64,
    ramp: f64,
    /// Records that have been sent.
    sent: u64,
    /// The current period; `None` before the first sample.
    period: Option<Period>,
    measured: MeasuredLag,
    /// When sending ends, in steady seconds; `None` if that is unknown.
    ends: Option<f64>,
    phase: Phase,
}

/// What determines the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The lag, which is held.
    Hold,
    /// The capacity that was found, of which a share is sent whatever the lag is.
    Confirm,
    /// The lag again, because it has grown.
    Refuted,
}

/// What is known about a period.
#[derive(Debug, Clone, Copy)]
struct Period {
    began: f64,
    /// Records sent, delivered and committed when it began.
    sent: u64,
    delivered: u64,
    done: u64,
    /// The lag at the last commit in it, or the latest one if there was none: any other includes what is read
    /// and not committed yet.
    lag: u64,
    /// Records committed at the last look.
    latest_done: u64,
    has_commit: bool,
}

impl LagController {
    /// A controller that holds the lag near `max_lag`. Sending ends at the steady second `ends`, if that is
    /// known.
    pub(super) fn new(max_lag: u64, ends: Option<f64>) -> Self {
        let wanted = max_lag as f64;
        // The records sent before the first change are those that may lag.
        let allowed = (wanted / SHORTEST_PERIOD).max(1.0);
        Self {
            max_lag,
            wanted,
            pace: Rate::new(allowed),
            allowed,
            ramp: MOST_RAMP,
            sent: 0,
            period: None,
            measured: MeasuredLag::default(),
            ends,
            phase: Phase::Hold,
        }
    }

    /// When the next record may be sent, in steady seconds.
    pub(super) fn due(&self) -> f64 {
        self.pace.due()
    }

    /// Notes a record that is sent at `now`.
    pub(super) fn spend(&mut self, now: f64) {
        self.pace.spend(1.0, now);
        self.sent += 1;
    }

    /// Notes how far the group is at `now`.
    pub(super) fn observe(&mut self, progress: &GroupProgress, now: f64) {
        self.measured
            .commit(Duration::from_secs_f64(now), progress.done);
        let begin = Period::begin(now, self.sent, progress);
        let Some(period) = &mut self.period else {
            self.period = Some(begin);
            return;
        };
        let is_commit = period.observe(progress);
        let length = period_length(progress);
        let elapsed = now - period.began;
        // Too much lag is acted on at once.
        let is_far = progress.lag as f64 > 2.0 * self.wanted && elapsed >= SHORTEST_PERIOD;
        let is_over = match is_commit {
            true => elapsed >= NEARLY * length,
            false => progress.done > 0 && elapsed >= PERIODS_WITHOUT_COMMIT * length,
        };
        if !is_over && !is_far {
            if progress.done == 0 && self.sent as f64 >= self.wanted {
                // Nobody knows what the group can do, and it has enough for now.
                self.allow(SLOWEST, now);
            }
            return;
        }
        let delivered = delivered(progress).saturating_sub(period.delivered) as f64 / elapsed;
        let window = LagWindow {
            end: Duration::from_secs_f64(now),
            length: elapsed,
            allowed: self.allowed,
            sent: (self.sent - period.sent) as f64 / elapsed,
            delivered,
            committed: progress.done.saturating_sub(period.done) as f64 / elapsed,
            lag: period.lag,
            is_held: delivered >= HELD_BACK * self.allowed,
        };
        self.period = Some(begin);
        self.measured.add(window);
        self.go_on(&window, length, now);
    }

    /// Sets the rate for the next period, which takes `length` seconds.
    fn go_on(&mut self, window: &LagWindow, length: f64, now: f64) {
        if self.phase == Phase::Confirm {
            if window.lag as f64 <= 2.0 * self.wanted {
                return;
            }
            self.measured.refute();
            self.phase = Phase::Refuted;
            self.pace = Rate::new(self.allowed);
        }
        if self.phase == Phase::Hold
            && self.is_time_to_confirm(length, now)
            && let Some(capacity) = self.found()
        {
            let rate = CONFIRMED_SHARE * capacity;
            self.measured.confirm(rate);
            self.phase = Phase::Confirm;
            self.allowed = rate;
            self.pace = Rate::open_loop(rate, now);
            return;
        }
        let next = self.next_rate(window, length).max(SLOWEST);
        self.allow(next, now);
    }

    fn allow(&mut self, rate: f64, now: f64) {
        self.pace.change(rate, now);
        self.allowed = rate;
    }

    /// Whether as much time is left as a confirmation takes, and not much more.
    fn is_time_to_confirm(&self, length: f64, now: f64) -> bool {
        let least = SHORTEST_CONFIRMATION.max(LEAST_STEADY as f64 * length);
        self.ends
            .is_some_and(|ends| now >= SEARCH_SHARE * ends && ends - now >= least)
    }

    /// The capacity as far as it is known; `None` if something other than the service is the limit.
    fn found(&self) -> Option<f64> {
        // It does not matter here what else the limit may be.
        let found = self.measured.capacity(self.max_lag, CapacityBound::Input)?;
        (found.bound == CapacityBound::Service).then_some(found.rates.median)
    }

    /// The rate for the next period, which takes `length` seconds.
    fn next_rate(&mut self, window: &LagWindow, length: f64) -> f64 {
        let lag = window.lag as f64;
        let excess = lag - self.wanted;
        if lag > 2.0 * self.wanted {
            self.ramp = (self.ramp / 2.0).max(LEAST_RAMP);
            return (self.allowed - excess / length).min(window.committed);
        }
        if lag < self.wanted / 2.0 {
            self.ramp = (self.ramp * 2.0).min(MOST_RAMP);
            // An unused rate does not grow.
            let used = self.allowed.min(window.sent).max(window.committed);
            // A period may add no more than the wanted lag in all.
            let most = self.measured.recent_rate(2) + self.wanted / length;
            return (used.max(1.0) * (1.0 + self.ramp)).min(most);
        }
        let correction = excess / (CORRECTION_PERIODS * length).max(SHORTEST_CORRECTION);
        self.measured.recent_rate(AVERAGED) - correction
    }

    /// What was measured so far.
    pub(super) fn measured(&self) -> &MeasuredLag {
        &self.measured
    }
}

impl Period {
    fn begin(now: f64, sent: u64, progress: &GroupProgress) -> Self {
        Self {
            began: now,
            sent,
            delivered: delivered(progress),
            done: progress.done,
            lag: progress.lag,
            latest_done: progress.done,
            has_commit: false,
        }
    }

    /// Notes a look; returns whether it shows a commit.
    fn observe(&mut self, progress: &GroupProgress) -> bool {
        let is_commit = progress.done > self.latest_done;
        if is_commit || !self.has_commit {
            self.lag = progress.lag;
        }
        self.latest_done = progress.done;
        self.has_commit |= is_commit;
        is_commit
    }
}

/// Records that the cluster has taken.
fn delivered(progress: &GroupProgress) -> u64 {
    progress.done + progress.lag
}

/// How long a period is, in seconds.
fn period_length(progress: &GroupProgress) -> f64 {
    let interval = progress.commit_interval.unwrap_or_default().as_secs_f64();
    SHORTEST_PERIOD.max(interval * INTERVALS_PER_PERIOD)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::Confirmed;

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small number above zero"
    )]
    fn whole(n: f64) -> u64 {
        n as u64
    }

    /// A service that reads `capacity` records a second and commits every `interval` seconds.
    struct Simulated {
        capacity: f64,
        interval: f64,
        /// Records a second that the input yields and the cluster takes, at most.
        input: f64,
        cluster: f64,
        /// Seconds until it begins to read, and the longest time between two looks at it.
        delay: f64,
        look_every: f64,
        /// When sending ends, if that is known.
        ends: Option<f64>,
        /// When the service becomes slower, and how much of its speed is left.
        slower: (f64, f64),
    }

    /// Nothing but the service is a limit, and it is never slower.
    const UNLIMITED: Simulated = Simulated {
        capacity: 100.0,
        interval: 0.2,
        input: f64::INFINITY,
        cluster: f64::INFINITY,
        delay: 0.0,
        look_every: 0.05,
        ends: None,
        slower: (f64::INFINITY, 1.0),
    };

    impl Simulated {
        /// Runs for this many seconds; returns the controller, and how long the service had nothing to do
        /// after the first quarter.
        fn run(&self, wanted: u64, seconds: f64) -> (LagController, f64) {
            const STEP: f64 = 0.001;
            let mut controller = LagController::new(wanted, self.ends);
            let (mut read, mut committed, mut next_commit) = (0.0_f64, 0.0, self.interval);
            let (mut given, mut idle, mut now) = (0.0, 0.0, 0.0);
            let mut delivered = 0.0_f64;
            let (mut looks, mut next_look) = (0_u32, 0.0);
            while now < seconds {
                now += STEP;
                given += self.input * STEP;
                while controller.due() <= now && (controller.sent as f64) < given {
                    controller.spend(now);
                }
                delivered = (controller.sent as f64).min(delivered + self.cluster * STEP);
                let backlog = delivered - read;
                let able = match now {
                    now if now < self.delay => 0.0,
                    now if now > self.slower.0 => self.capacity * self.slower.1,
                    _ => self.capacity,
                };
                let reads = (able * STEP).min(backlog);
                if reads < self.capacity * STEP && now > seconds / 4.0 {
                    idle += STEP;
                }
                read += reads;
                if now >= next_commit {
                    committed = read.floor();
                    next_commit += self.interval;
                }
                if now >= next_look {
                    looks += 1;
                    // Some looks take longer than others.
                    next_look = now + 0.05 + self.look_every * f64::from(looks * 7 % 10) / 10.0;
                    let done = whole(committed);
                    let progress = GroupProgress {
                        lag: whole(delivered) - done,
                        rate: None,
                        done,
                        commit_interval: Some(Duration::from_secs_f64(self.interval)),
                        look: looks.into(),
                    };
                    controller.observe(&progress, now);
                }
            }
            (controller, idle)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_capacity_of_a_service_is_found_within_five_percent(
            capacity in 20.0..5_000.0_f64,
            interval in 0.05..2.0_f64,
            more in 1.5..6.0_f64,
            (delay, look_every) in (0.0..3.0_f64, 0.0..0.2_f64),
        ) {
            let service =
                Simulated { capacity, interval, delay, look_every, ..UNLIMITED };
            // More than is read between two changes of the rate.
            let wanted = whole(capacity * more * interval.max(1.0)) + 20;
            let (controller, idle) = service.run(wanted, 60.0);
            let found = controller.measured().capacity(wanted, CapacityBound::Input).expect("a steady time");
            let rates = found.rates;
            prop_assert!((rates.median / capacity - 1.0).abs() < 0.05, "{rates:?} for {capacity}");
            prop_assert_eq!(found.bound, CapacityBound::Service);
            prop_assert!(idle < 1.0, "idle for {idle} s");
            let last = controller.measured().last().expect("many");
            let distance = (last.lag as f64 - wanted as f64).abs();
            prop_assert!(distance < wanted as f64, "{} of {wanted}", last.lag);
            let most = controller.measured().series().iter().map(|point| point.lag).max();
            prop_assert!(most < Some(4 * wanted), "{most:?} of {wanted}");
        }

        #[test]
        fn an_input_or_a_cluster_slower_than_the_service_measures_no_capacity(
            capacity in 100.0..5_000.0_f64,
            share in 0.1..0.7_f64,
        ) {
            let least = capacity * share;
            let service = Simulated { capacity, delay: 0.5, look_every: 0.1, ..UNLIMITED };
            for (service, bound) in [
                (Simulated { input: least, ..service }, CapacityBound::Input),
                (Simulated { cluster: least, ..service }, CapacityBound::Cluster),
            ] {
                let wanted = whole(capacity * 2.0);
                let (controller, _) = service.run(wanted, 30.0);
                let found = controller.measured().capacity(wanted, CapacityBound::Input).expect("a steady time");
                prop_assert_eq!(found.bound, bound);
                prop_assert!((found.rates.median / least - 1.0).abs() < 0.1, "{:?} for {least}", found.rates);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_capacity_is_confirmed_unless_the_service_cannot_keep_it_up(
            capacity in 50.0..5_000.0_f64,
            interval in 0.05..1.0_f64,
            left in prop::sample::select(vec![0.5, 0.8, 0.9, 0.97, 1.0]),
        ) {
            let service = Simulated {
                capacity,
                interval,
                delay: 0.3,
                ends: Some(60.0),
                slower: (42.0, left),
                ..UNLIMITED
            };
            let wanted = whole(capacity * 2.0 * interval.max(1.0)) + 20;
            let (controller, _) = service.run(wanted, 60.0);
            let found = controller.measured().confirmation().expect("there is time for it");
            let rate = found.rate;
            prop_assert!((rate / (0.95 * capacity) - 1.0).abs() < 0.03, "{rate} of {capacity}");
            // It began at the fortieth second.
            prop_assert!((12.0..=20.1).contains(&found.time.as_secs_f64()), "{found:?}");
            let expected = if left > 0.95 { Confirmed::Yes } else { Confirmed::LagGrew };
            prop_assert_eq!(found.confirmed, expected, "{:?}", found);
        }
    }

    #[test]
    fn without_an_end_or_a_capacity_nothing_is_confirmed() {
        let service = |ends, input| Simulated {
            capacity: 200.0,
            input,
            ends,
            ..UNLIMITED
        };
        for (ends, input) in [
            (None, f64::INFINITY),
            (Some(30.0), 100.0),
            (Some(6.0), f64::INFINITY),
        ] {
            let (controller, _) = service(ends, input).run(400, ends.unwrap_or(30.0));
            assert_eq!(
                controller.measured().confirmation(),
                None,
                "{ends:?} {input}"
            );
        }
    }

    #[test]
    fn a_stalled_group_is_sent_hardly_more_than_the_allowed_lag() {
        let service = Simulated {
            capacity: 0.0,
            look_every: 0.1,
            ..UNLIMITED
        };
        let (controller, _) = service.run(1000, 60.0);
        assert!(controller.sent < 4_000, "{}", controller.sent);
        assert_eq!(
            controller.measured().capacity(1000, CapacityBound::Input),
            None
        );
    }
}
