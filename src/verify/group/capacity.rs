//! The capacity of a service, from a run that held the lag of its group near a number of records. This is pure.

use std::time::Duration;

use super::rates::CommitProgress;
use crate::report::{CapacityBound, Confirmation, Confirmed, LagPoint, ServiceCapacity};

/// How many windows are remembered. When there are more, two become one: half as many say as much about a run
/// that is twice as long.
const MOST_WINDOWS: usize = 1 << 12;
/// A steady time has at least this many windows, and so has a confirmation.
pub(crate) const LEAST_STEADY: usize = 5;
/// The lag changes by less than this share of the rate while it is steady, and grows by less in a
/// confirmation.
const STEADY_SLOPE: f64 = 0.01;
/// Sending has to be held back in this share of the steady windows if the service is the limit.
const MOSTLY: f64 = 0.8;
/// The first windows, in which the rate is still being searched.
const WARM_UP: usize = 2;
/// The shortest windows in which the capacity is measured, and how many there are at most.
const CAPACITY_WINDOW: Duration = Duration::from_secs(2);
const MOST_RATES: u32 = 10;
/// The share of the rate that a confirmation has to send; with less, nothing is confirmed.
const LEAST_SENT: f64 = 0.99;
/// The cluster keeps up if it takes at least this share of what is sent: the rest is in flight at the ends of a
/// span of time.
const KEEPS_UP: f64 = 0.9;

/// One period of control.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LagWindow {
    pub(crate) end: Duration,
    /// Its length in seconds.
    pub(crate) length: f64,
    /// Records a second that were allowed, sent, delivered and committed.
    pub(crate) allowed: f64,
    pub(crate) sent: f64,
    pub(crate) delivered: f64,
    pub(crate) committed: f64,
    /// The least lag in it.
    pub(crate) lag: u64,
    /// Whether sending was held back.
    pub(crate) is_held: bool,
}

/// All measurements.
#[derive(Debug, Default)]
pub(crate) struct MeasuredLag {
    windows: Vec<LagWindow>,
    commits: CommitProgress,
    confirmation: Option<ConfirmationWindows>,
}

/// The confirmation, which sends a share of the capacity whatever the lag is.
#[derive(Debug, Default)]
struct ConfirmationWindows {
    /// Records a second.
    rate: f64,
    windows: Vec<LagWindow>,
    /// Whether the lag has grown so far that the rate was changed again.
    is_refuted: bool,
}

impl MeasuredLag {
    /// Notes that this many records are committed by `now`.
    pub(crate) fn commit(&mut self, now: Duration, done: u64) {
        self.commits.add(now, done);
    }

    pub(crate) fn add(&mut self, window: LagWindow) {
        let windows = match &mut self.confirmation {
            Some(confirmation) => &mut confirmation.windows,
            None => &mut self.windows,
        };
        if windows.len() == MOST_WINDOWS {
            let pairs = windows.chunks(2);
            *windows = pairs.filter_map(joined).collect();
        }
        windows.push(window);
    }

    /// Makes the windows from now on confirm that the service can do `rate`.
    pub(crate) fn confirm(&mut self, rate: f64) {
        self.confirmation = Some(ConfirmationWindows {
            rate,
            ..ConfirmationWindows::default()
        });
    }

    /// Notes that the service cannot do that.
    pub(crate) fn refute(&mut self) {
        if let Some(confirmation) = &mut self.confirmation {
            confirmation.is_refuted = true;
        }
    }

    /// Whether the service did what it had to confirm; `None` if that was not tried for long enough.
    pub(crate) fn confirmation(&self) -> Option<Confirmation> {
        let ConfirmationWindows {
            rate,
            windows,
            is_refuted,
        } = self.confirmation.as_ref()?;
        if windows.len() < LEAST_STEADY && !is_refuted {
            return None;
        }
        let time: f64 = windows.iter().map(|window| window.length).sum();
        let sent = windows.iter().map(|window| window.sent * window.length);
        let sent = sent.sum::<f64>() / time.max(f64::EPSILON);
        let growth = slope(windows);
        let confirmed = match () {
            () if *is_refuted || growth >= STEADY_SLOPE * rate => Confirmed::LagGrew,
            () if sent < LEAST_SENT * rate => Confirmed::SentTooLittle,
            () => Confirmed::Yes,
        };
        Some(Confirmation {
            confirmed,
            rate: *rate,
            sent,
            growth,
            time: Duration::from_secs_f64(time),
            windows: windows.len(),
        })
    }

    /// The latest window in which the lag was held.
    #[cfg(test)]
    pub(crate) fn last(&self) -> Option<&LagWindow> {
        self.windows.last()
    }

    /// Records a second that were committed in the last `windows` windows. The first one does not count if
    /// there are others: the group had to begin in it.
    pub(crate) fn recent_rate(&self, windows: usize) -> f64 {
        let last = self.windows.len().saturating_sub(1);
        let from = self.windows.len().saturating_sub(windows);
        let recent = &self.windows[from.max(last.min(1))..];
        let time: f64 = recent.iter().map(|window| window.length).sum();
        let committed = recent.iter().map(|window| window.committed * window.length);
        committed.sum::<f64>() / time.max(f64::EPSILON)
    }

    /// The capacity of the service, if there was a steady time with a lag near `wanted`; `otherwise` is what
    /// limits the rate if the service does not.
    pub(crate) fn capacity(
        &self,
        wanted: u64,
        otherwise: CapacityBound,
    ) -> Option<ServiceCapacity> {
        let steady = self.steady(wanted)?;
        let first = steady.first()?;
        let from = first
            .end
            .saturating_sub(Duration::from_secs_f64(first.length));
        let until = steady.last()?.end;
        let longest = steady.iter().map(|window| window.length);
        let window = Duration::from_secs_f64(longest.fold(0.0, f64::max) * 2.0);
        // The longer a window, the less it matters when its commits were seen.
        let window = window.max((until - from) / MOST_RATES);
        let rates = self
            .commits
            .rates_within(from, until, window.max(CAPACITY_WINDOW))?;
        let held = steady.iter().filter(|window| window.is_held).count();
        let held = held as f64 / steady.len() as f64;
        let total = |of: fn(&LagWindow) -> f64| -> f64 {
            steady.iter().map(|window| of(window) * window.length).sum()
        };
        let (sent, delivered) = (
            total(|window| window.sent),
            total(|window| window.delivered),
        );
        Some(ServiceCapacity {
            rates,
            held_share: held,
            bound: match () {
                () if held >= MOSTLY => CapacityBound::Service,
                () if delivered < KEEPS_UP * sent => CapacityBound::Cluster,
                () => otherwise,
            },
        })
    }

    /// The longest time up to the end in which the lag neither grows nor falls.
    fn steady(&self, wanted: u64) -> Option<&[LagWindow]> {
        // A group is warm if it lags as wanted, or gets less than it can do.
        let is_warm = |window: &LagWindow| 2 * window.lag >= wanted || !window.is_held;
        let warm = self.windows.iter().position(is_warm)?.max(WARM_UP);
        let starts = warm..=self.windows.len().checked_sub(LEAST_STEADY)?;
        let mut candidates = starts.map(|start| &self.windows[start..]);
        candidates.find(|windows| {
            let time: f64 = windows.iter().map(|window| window.length).sum();
            let committed = windows
                .iter()
                .map(|window| window.committed * window.length);
            let rate = committed.sum::<f64>() / time.max(f64::EPSILON);
            rate > 0.0 && slope(windows).abs() < STEADY_SLOPE * rate
        })
    }

    /// The series for the report.
    pub(crate) fn series(&self) -> Vec<LagPoint> {
        let confirming = self.confirmation.iter();
        let confirming = confirming.flat_map(|confirmation| &confirmation.windows);
        let windows = self.windows.iter().chain(confirming);
        windows
            .map(|window| LagPoint {
                end: window.end,
                allowed: window.allowed,
                sent: window.sent,
                committed: window.committed,
                lag: window.lag,
            })
            .collect()
    }
}

/// Joins two neighbouring windows.
fn joined(pair: &[LagWindow]) -> Option<LagWindow> {
    let (first, last) = (pair.first()?, pair.last()?);
    let time: f64 = pair.iter().map(|window| window.length).sum();
    let mean = |of: fn(&LagWindow) -> f64| {
        let parts = pair.iter().map(|window| of(window) * window.length);
        parts.sum::<f64>() / time.max(f64::EPSILON)
    };
    Some(LagWindow {
        end: last.end,
        length: time,
        allowed: mean(|window| window.allowed),
        sent: mean(|window| window.sent),
        delivered: mean(|window| window.delivered),
        committed: mean(|window| window.committed),
        lag: first.lag.min(last.lag),
        is_held: first.is_held && last.is_held,
    })
}

/// By how many records a second the lag grows, by least squares.
fn slope(windows: &[LagWindow]) -> f64 {
    let count = windows.len() as f64;
    let times = windows.iter().map(|window| window.end.as_secs_f64());
    let mean_time = times.sum::<f64>() / count;
    let mean_lag = windows.iter().map(|window| window.lag as f64).sum::<f64>() / count;
    let (mut both, mut square) = (0.0, 0.0);
    for window in windows {
        let time = window.end.as_secs_f64() - mean_time;
        both += time * (window.lag as f64 - mean_lag);
        square += time * time;
    }
    both / square.max(f64::EPSILON)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows of a second, with this lag at the end of each; a hundred records a second are committed.
    fn measured(lags: &[u64], is_held: impl Fn(usize) -> bool) -> MeasuredLag {
        let mut measured = MeasuredLag::default();
        for (index, lag) in lags.iter().enumerate() {
            let end = Duration::from_secs(index as u64 + 1);
            measured.commit(end, (index as u64 + 1) * 100);
            measured.add(LagWindow {
                end,
                length: 1.0,
                allowed: 100.0,
                sent: 100.0,
                delivered: 100.0,
                committed: 100.0,
                lag: *lag,
                is_held: is_held(index),
            });
        }
        measured
    }

    #[test]
    fn only_a_steady_lag_shows_what_a_service_can_do() {
        let growing: Vec<u64> = (0..40).map(|n| 500 + 2 * n).collect();
        assert_eq!(
            measured(&growing, |_| true).capacity(500, CapacityBound::Input),
            None
        );
        let steady = [500; 40];
        let found = measured(&steady, |_| true)
            .capacity(500, CapacityBound::Input)
            .expect("it is steady");
        assert_eq!((found.rates.median, found.held_share), (100.0, 1.0));
        assert_eq!(found.bound, CapacityBound::Service);
        assert_eq!(
            measured(&[500; 6], |_| true).capacity(500, CapacityBound::Input),
            None
        );
    }

    #[test]
    fn a_service_counts_as_the_limit_only_where_sending_was_held_back() {
        let of_every = |n: usize| {
            let measured = measured(&[500; 42], |index| !index.is_multiple_of(n));
            measured
                .capacity(500, CapacityBound::Input)
                .expect("it is steady")
        };
        let (often, rarely) = (of_every(10), of_every(4));
        assert_eq!(
            (often.held_share, often.bound),
            (0.9, CapacityBound::Service)
        );
        assert_eq!(
            (rarely.held_share, rarely.bound),
            (0.75, CapacityBound::Input)
        );
    }

    #[test]
    fn the_beginning_is_left_out_of_the_capacity() {
        let lags: Vec<u64> = (0..60).map(|n: u64| (n * 50).min(500)).collect();
        let found = measured(&lags, |_| true)
            .capacity(500, CapacityBound::Input)
            .expect("it becomes steady");
        assert_eq!(found.rates.median, 100.0);
    }

    #[test]
    fn what_is_remembered_does_not_grow_with_time() {
        let measured = measured(&[500; 20_000], |_| true);
        assert!(measured.windows.len() <= MOST_WINDOWS);
        let found = measured
            .capacity(500, CapacityBound::Input)
            .expect("it is steady");
        assert_eq!(found.rates.median, 100.0);
    }
}
