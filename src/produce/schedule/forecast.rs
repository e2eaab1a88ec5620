//! How long a timed replay continues, for the progress.

use std::time::{Duration, Instant};

/// When the time for sending (`--for`) is over.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::produce) struct SendingEnd(Option<Instant>);

impl SendingEnd {
    /// The end if sending begins at `began`; there is none without a limit, or beyond what a clock can hold.
    pub(in crate::produce) fn of(began: Instant, sends_for: Option<Duration>) -> Self {
        Self(sends_for.and_then(|time| began.checked_add(time)))
    }

    /// Whether it is too late at `at` to send a record.
    pub(in crate::produce) fn is_over(self, at: Instant) -> bool {
        self.0.is_some_and(|end| at >= end)
    }

    /// The moment; `None` if the time for sending is not limited.
    pub(in crate::produce) fn moment(self) -> Option<Instant> {
        self.0
    }
}

/// How far the schedule of a timed replay is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forecast {
    pub(crate) began: Instant,
    /// When the last record was due.
    pub(crate) due: Instant,
    /// When the last of all is due, if that is known.
    pub(crate) end: Option<Instant>,
    /// When the time for sending is over, if that is limited.
    pub(crate) latest: Option<Instant>,
}

impl Forecast {
    /// The forecast of a schedule that begins at `now`.
    pub(in crate::produce) fn beginning(now: Instant) -> Self {
        Self {
            began: now,
            due: now,
            end: None,
            latest: None,
        }
    }

    /// The same forecast if this many passes follow that take as long as the one that began at `began`;
    /// `None` for endless passes.
    pub(in crate::produce) fn followed_by(self, passes: Option<u64>, began: Instant) -> Self {
        let last = |end: Instant| {
            let pass = end.saturating_duration_since(began);
            let passes = u32::try_from(passes?).ok()?;
            end.checked_add(pass.checked_mul(passes)?)
        };
        Self {
            end: self.end.and_then(last),
            ..self
        }
    }

    /// The same forecast if the time for sending ends at `end`.
    pub(in crate::produce) fn ending_by(self, end: SendingEnd) -> Self {
        Self {
            latest: end.moment(),
            ..self
        }
    }

    /// How long the schedule continues after `now`, if `share` of the source is done.
    pub(in crate::produce) fn eta(&self, now: Instant, share: Option<f64>) -> Option<Duration> {
        let scheduled = self.due.saturating_duration_since(self.began);
        let whole = || {
            // Before the first record is sent, what is read says nothing.
            let share = share.filter(|share| *share > 0.0 && !scheduled.is_zero())?;
            self.began.checked_add(scheduled.div_f64(share))
        };
        let ends = [self.end.or_else(whole), self.latest];
        let end = ends.into_iter().flatten().min()?;
        Some(end.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_ends_when_its_last_record_is_due_or_by_the_share_that_is_done() {
        let began = Instant::now();
        let after = |s| began + Duration::from_secs(s);
        let mut forecast = Forecast {
            began,
            due: after(30),
            ..Forecast::beginning(began)
        };
        let seconds = |s| Some(Duration::from_secs(s));
        assert_eq!(forecast.eta(after(40), None), None);
        // A third is done after 30 s, and 10 s are lost already.
        assert_eq!(forecast.eta(after(40), Some(1.0 / 3.0)), seconds(50));
        forecast.end = Some(after(3600));
        assert_eq!(forecast.eta(after(40), Some(1.0)), seconds(3560));
        assert_eq!(forecast.eta(after(4000), Some(1.0)), seconds(0));
    }

    #[test]
    fn a_record_that_is_due_when_the_time_is_over_is_not_sent_any_more() {
        let began = Instant::now();
        let after = |ms| began + Duration::from_millis(ms);
        let end = SendingEnd::of(began, Some(Duration::from_secs(1)));
        for (at, is_over) in [(0, false), (999, false), (1000, true), (1001, true)] {
            assert_eq!(end.is_over(after(at)), is_over, "{at} ms");
        }
        assert_eq!(end.moment(), Some(after(1000)));
        for for_ever in [None, Some(Duration::MAX)] {
            let end = SendingEnd::of(began, for_ever);
            assert_eq!(end.moment(), None, "{for_ever:?}");
            assert!(!end.is_over(after(1 << 40)), "{for_ever:?}");
        }
    }

    #[test]
    fn the_passes_that_follow_take_as_long_as_this_one() {
        let began = Instant::now();
        let after = |s| began + Duration::from_secs(s);
        // The second of three passes of 100 s each.
        let forecast = Forecast {
            due: after(130),
            end: Some(after(200)),
            ..Forecast::beginning(began)
        };
        let eta = |passes| {
            forecast
                .followed_by(passes, after(100))
                .eta(after(130), None)
        };
        assert_eq!(eta(Some(0)), Some(Duration::from_secs(70)));
        assert_eq!(eta(Some(1)), Some(Duration::from_secs(170)));
        assert_eq!((eta(None), eta(Some(u64::MAX))), (None, None));
    }

    #[test]
    fn the_schedule_goes_on_no_longer_than_records_are_sent() {
        let began = Instant::now();
        let after = |s| began + Duration::from_secs(s);
        let seconds = |s| Some(Duration::from_secs(s));
        let beginning = Forecast::beginning(began);
        assert_eq!(beginning.eta(began, Some(0.5)), None);
        let limited = beginning.ending_by(SendingEnd::of(began, Some(Duration::from_secs(60))));
        assert_eq!(limited.eta(after(10), None), seconds(50));
        assert_eq!(limited.eta(after(10), Some(0.5)), seconds(50));
        for (end, expected) in [(30, 20), (90, 50)] {
            let known = Forecast {
                end: Some(after(end)),
                ..limited
            };
            assert_eq!(known.eta(after(10), None), seconds(expected));
        }
    }
}
