//! The beginning of a timed replay: speed and rates grow linearly from zero.
//!
//! Everything timed is planned in *steady time*, the clock of a replay that runs at its full speed from the
//! first moment. The ramp translates between that and real time, so that no other part of the schedule has to
//! know about it.

use std::time::Duration;

/// The relation of steady time to real time: both are seconds since the start of the pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ramp {
    /// How long the growth takes, in seconds; zero for no ramp.
    length: f64,
}

impl Ramp {
    pub(super) fn new(length: Duration) -> Self {
        Self {
            length: length.as_secs_f64(),
        }
    }

    /// The steady time that is reached at a real time: the integral of the share of the full speed.
    pub(super) fn steady(self, real: f64) -> f64 {
        if real < self.length {
            real * real / (2.0 * self.length)
        } else {
            real - self.length / 2.0
        }
    }

    /// The real time at which a steady time is reached.
    pub(super) fn real(self, steady: f64) -> f64 {
        if steady < self.length / 2.0 {
            (2.0 * self.length * steady).sqrt()
        } else {
            steady + self.length / 2.0
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn without_a_ramp_steady_time_is_real_time() {
        let ramp = Ramp::new(Duration::ZERO);
        assert_eq!(ramp.steady(0.0), 0.0);
        assert_eq!(ramp.steady(12.5), 12.5);
        assert_eq!(ramp.real(12.5), 12.5);
    }

    #[test]
    fn a_ramp_costs_half_of_its_length() {
        let ramp = Ramp::new(Duration::from_secs(10));
        // A quarter of the way through the ramp, a sixteenth of its work is done.
        assert_eq!(ramp.steady(2.5), 5.0 / 16.0);
        assert_eq!(ramp.steady(10.0), 5.0);
        assert_eq!(ramp.steady(30.0), 25.0);
    }

    proptest! {
        #[test]
        fn real_and_steady_time_are_inverse(length in 0u32..10_000, at in 0.0..1e6) {
            let ramp = Ramp::new(Duration::from_millis(length.into()));
            let there = ramp.real(ramp.steady(at));
            prop_assert!((there - at).abs() <= 1e-9 * at.max(1.0), "{there} for {at}");
        }
    }
}
