//! When to send records; refuses flags that contradict each other.

use std::time::{Duration, SystemTime};

use crate::cli;
use crate::cli::Speed;
use crate::error::Error;
use crate::record::select::Clock;

/// How to time a replay.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Timing {
    /// How fast the capture's time passes.
    pub speed: Speed,
    /// Which time of a record this uses.
    pub clock: Clock,
    /// The longest pause to keep.
    pub max_gap: Option<Duration>,
    /// Records a second.
    pub rate: Option<f64>,
    /// Bytes a second: those of keys, values and headers.
    pub byte_rate: Option<f64>,
    /// How many records the awaited consumer groups may lag behind.
    pub max_lag: Option<u64>,
    /// For how long to send records, if that is known beforehand.
    pub sends_for: Option<Duration>,
    /// How long speed and rates grow.
    pub ramp: Duration,
    /// When the first record is due.
    pub start_at: Option<SystemTime>,
}

impl Timing {
    /// Whether records ever wait for their time.
    pub(crate) fn is_timed(&self) -> bool {
        let has_rate = self.rate.is_some() || self.byte_rate.is_some();
        self.speed != Speed::Max || has_rate || self.max_lag.is_some()
    }

    /// What the flags mean together.
    ///
    /// # Errors
    /// Returns [`Error::Config`], which names the flags that contradict each other, or a start that
    /// has passed.
    pub(in crate::config) fn from_flags(
        flags: cli::TimingArguments,
        clock: Clock,
        now: SystemTime,
    ) -> Result<Self, Error> {
        let timing = Self {
            speed: flags.speed,
            clock,
            max_gap: flags.max_gap,
            rate: flags.rate,
            byte_rate: flags.byte_rate,
            max_lag: None,
            sends_for: None,
            ramp: flags.ramp.unwrap_or_default(),
            start_at: flags.start_at,
        };
        timing.check()?;
        if let Some(over) = timing
            .start_at
            .and_then(|start| now.duration_since(start).ok())
        {
            let over = humantime::format_duration(Duration::from_secs(over.as_secs()));
            return Err(Error::Config {
                message: format!("`--start-at` is {over} in the past"),
                hint: Some(
                    "give a time in the future; without the flag the replay begins at once".into(),
                ),
            });
        }
        Ok(timing)
    }

    fn check(&self) -> Result<(), Error> {
        let contradicts = |message: &str, hint: &str| {
            Err(Error::Config {
                message: message.into(),
                hint: Some(hint.into()),
            })
        };
        if self.max_gap.is_some() && self.speed == Speed::Max {
            return contradicts(
                "`--max-gap` cuts pauses, but `--speed max` keeps no pauses",
                "`--speed 1x` keeps the original rhythm",
            );
        }
        if self.ramp > Duration::ZERO && !self.is_timed() {
            return contradicts(
                "`--ramp` lets a speed or a rate grow, but `--speed max` sets neither",
                "give a `--rate`, or a `--speed` such as `1x`",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_contradict_each_other_are_both_named() {
        let gap = Timing {
            max_gap: Some(Duration::from_secs(1)),
            rate: Some(1.0),
            ..Timing::default()
        };
        let ramp = Timing {
            ramp: Duration::from_secs(1),
            ..Timing::default()
        };
        for (timing, flags) in [
            (gap, ["--max-gap", "--speed max"]),
            (ramp, ["--ramp", "--speed max"]),
        ] {
            let error = timing.check().expect_err("a contradiction");
            assert_eq!(error.exit().code(), 2);
            let said = error.to_string();
            assert!(flags.iter().all(|flag| said.contains(flag)), "{said}");
        }
        let ramp_of_rate = Timing {
            ramp: Duration::from_secs(1),
            rate: Some(1.0),
            ..Timing::default()
        };
        assert_eq!(ramp_of_rate.check(), Ok(()));
    }

    #[test]
    fn a_start_time_must_be_in_the_future() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let start_at = |start| {
            let flags = cli::TimingArguments {
                start_at: Some(start),
                ..cli::TimingArguments::default()
            };
            Timing::from_flags(flags, Clock::Capture, now).map(|timing| timing.start_at)
        };
        let later = now + Duration::from_secs(5);
        assert_eq!(start_at(later), Ok(Some(later)));
        let error = start_at(now - Duration::from_secs(90)).expect_err("it is over");
        assert_eq!(error.exit().code(), 2);
        assert_eq!(error.to_string(), "`--start-at` is 1m 30s in the past");
    }
}
