//! `--rate` and `--byte-rate`: limits the amount per second, by delay alone.

/// How much of a rate may be made up after a late moment, in seconds of it. A wake-up is late by some tens of
/// microseconds, on a busy machine by some milliseconds; what is missed beyond that is not sent in a burst
/// later.
pub(super) const BURST: f64 = 0.010;

/// A token bucket, kept as the time at which it allows the next unit: it adds nothing up, so nothing drifts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    /// Seconds that a unit costs.
    cost: f64,
    /// When the next record is due, in steady seconds.
    next: f64,
    /// How much may be made up, in seconds.
    burst: f64,
}

impl Rate {
    /// A rate of at most `per_second` units.
    ///
    /// # Panics
    /// Panics if that is not above zero, which the command line refuses.
    pub(super) fn new(per_second: f64) -> Self {
        assert!(per_second > 0.0, "a rate is above zero");
        Self {
            cost: per_second.recip(),
            next: 0.0,
            burst: BURST,
        }
    }

    /// A rate of this many units from `now` on, and no fewer: what is missed is made up.
    pub(super) fn open_loop(per_second: f64, now: f64) -> Self {
        Self {
            next: now,
            burst: f64::INFINITY,
            ..Self::new(per_second)
        }
    }

    /// When the next record may be sent, in steady seconds.
    pub(super) fn due(&self) -> f64 {
        self.next
    }

    /// Seconds that this many units take.
    pub(super) fn costs(&self, units: f64) -> f64 {
        units * self.cost
    }

    /// Allows this many units a second from `now` on; a wait that has begun becomes longer or shorter
    /// accordingly.
    pub(super) fn change(&mut self, per_second: f64, now: f64) {
        let cost = per_second.recip();
        let left = (self.next - now).max(0.0);
        if left > 0.0 {
            self.next = now + left * cost / self.cost;
        }
        self.cost = cost;
    }

    /// Notes a record of this many units that is sent at the steady time `now`.
    pub(super) fn spend(&mut self, units: f64, now: f64) {
        self.next = self.next.max(now - self.burst) + units * self.cost;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The times at which a sender sends that is late by each of `late`.
    fn sent(per_second: f64, late: &[f64]) -> Vec<f64> {
        let (mut rate, mut now) = (Rate::new(per_second), 0.0_f64);
        let send = |late: &f64| {
            now = now.max(rate.due()) + late;
            rate.spend(1.0, now);
            now
        };
        late.iter().map(send).collect()
    }

    #[test]
    fn records_are_a_whole_interval_apart_from_the_first_one_on() {
        assert_eq!(sent(4.0, &[0.0; 4]), [0.0, 0.25, 0.5, 0.75]);
        let fast = sent(200_000.0, &[0.0; 200_001]);
        assert!((fast[200_000] - 1.0).abs() < 1e-6, "{}", fast[200_000]);
    }

    #[test]
    fn a_late_record_does_not_delay_those_after_it() {
        let times = sent(1000.0, &[0.0, 0.0005, 0.0, 0.0]);
        let expected = [0.0, 0.0015, 0.002, 0.003];
        for (time, expected) in times.iter().zip(expected) {
            assert!((time - expected).abs() < 1e-12, "{times:?}");
        }
    }

    #[test]
    fn a_large_record_is_paid_for_by_those_after_it() {
        let mut rate = Rate::new(1000.0);
        rate.spend(5000.0, 0.0);
        assert_eq!(rate.due(), 5.0);
    }

    #[test]
    fn a_changed_rate_applies_to_a_wait_that_has_begun() {
        let mut rate = Rate::new(0.1);
        rate.spend(1.0, 0.0);
        assert_eq!(rate.due(), 10.0);
        rate.change(1.0, 5.0);
        assert_eq!(rate.due(), 5.5);
        rate.change(0.5, 6.0);
        rate.spend(1.0, 6.0);
        assert!((rate.due() - (6.0 - BURST + 2.0)).abs() < 1e-9, "{rate:?}");
    }

    proptest! {
        /// Over every window, with a sender that is late by any amount.
        #[test]
        fn no_window_holds_more_than_its_share_and_a_burst(
            per_second in 1.0..100_000.0_f64,
            late in prop::collection::vec(prop_oneof![4 => Just(0.0), 1 => 0.0..0.2_f64], 1..200),
        ) {
            let times = sent(per_second, &late);
            for from in 0..times.len() {
                for to in from..times.len() {
                    let count = (to - from + 1) as f64;
                    let window = times[to] - times[from];
                    let most = per_second * (window + BURST) + 1.0;
                    prop_assert!(count <= most + 1e-6, "{count} records in {window} s");
                }
            }
        }
    }
}
