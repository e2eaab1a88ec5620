//! How long a timed replay goes on, for whoever looks on.

use std::time::{Duration, Instant};

/// How far the schedule of a timed replay is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forecast {
    pub(crate) began: Instant,
    /// When the last record was due.
    pub(crate) due: Instant,
    /// When the last of all is due, where that is known.
    pub(crate) end: Option<Instant>,
}

impl Forecast {
    /// How long the schedule goes on after `now`, where `share` of the source is done.
    pub(in crate::produce) fn eta(&self, now: Instant, share: Option<f64>) -> Option<Duration> {
        let whole = || {
            let share = share.filter(|share| *share > 0.0)?;
            self.began.checked_add(
                self.due
                    .saturating_duration_since(self.began)
                    .div_f64(share),
            )
        };
        let end = self.end.or_else(whole)?;
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
            end: None,
        };
        let seconds = |s| Some(Duration::from_secs(s));
        assert_eq!(forecast.eta(after(40), None), None);
        // A third is done after 30 s, and 10 s are lost already.
        assert_eq!(forecast.eta(after(40), Some(1.0 / 3.0)), seconds(50));
        forecast.end = Some(after(3600));
        assert_eq!(forecast.eta(after(40), Some(1.0)), seconds(3560));
        assert_eq!(forecast.eta(after(4000), Some(1.0)), seconds(0));
    }
}
