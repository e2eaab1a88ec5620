//! Decides when a cluster has been silent for too long: a line after some seconds, and the end of the run
//! after `--give-up-after`. This is pure: the caller passes the time.

use std::time::{Duration, Instant};

use crate::produce::delivery::ages::running_time;

/// How long a cluster is silent before a line says so; the next comes after twice that, and so on.
const FIRST_LINE: Duration = Duration::from_secs(5);

/// How long no record was acknowledged while some were in flight.
#[derive(Debug)]
pub(in crate::produce) struct Stall {
    give_up_after: Duration,
    looked: Instant,
    acknowledged: u64,
    quiet: Duration,
    next_line: Duration,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::produce) enum StallVerdict {
    Fine,
    /// It is time for a line: nothing was acknowledged for this long.
    Say(Duration),
    GiveUp,
}

impl Stall {
    pub(in crate::produce) fn new(now: Instant, give_up_after: Duration) -> Self {
        Self {
            give_up_after,
            looked: now,
            acknowledged: 0,
            quiet: Duration::ZERO,
            next_line: FIRST_LINE,
        }
    }

    /// How long nothing was acknowledged, once that is worth a line.
    pub(in crate::produce) fn quiet(&self) -> Option<Duration> {
        (self.quiet >= FIRST_LINE).then_some(self.quiet)
    }

    /// Judges the state at `now`: how many records brokers have answered for so far, and whether
    /// others are in flight.
    pub(in crate::produce) fn look(
        &mut self,
        now: Instant,
        acknowledged: u64,
        in_flight: bool,
    ) -> StallVerdict {
        let step = running_time(self.looked, now);
        self.looked = now;
        if acknowledged != self.acknowledged || !in_flight {
            self.acknowledged = acknowledged;
            self.quiet = Duration::ZERO;
            self.next_line = FIRST_LINE;
            return StallVerdict::Fine;
        }
        self.quiet += step;
        if self.quiet >= self.give_up_after {
            return StallVerdict::GiveUp;
        }
        if self.quiet >= self.next_line {
            let said = self.next_line;
            self.next_line *= 2;
            return StallVerdict::Say(said);
        }
        StallVerdict::Fine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(100);

    /// The results for each tenth of a second, when the clock advances by this much at every check.
    fn verdicts(
        stall: &mut Stall,
        start: Instant,
        tenths: u32,
        acknowledged: u64,
    ) -> Vec<StallVerdict> {
        let looks = (1..=tenths).map(|i| stall.look(start + STEP * i, acknowledged, true));
        looks
            .filter(|verdict| *verdict != StallVerdict::Fine)
            .collect()
    }

    #[test]
    fn lines_get_rarer_until_the_run_is_given_up() {
        let start = Instant::now();
        let mut stall = Stall::new(start, Duration::from_secs(30));
        let said = [5, 10, 20].map(|s| StallVerdict::Say(Duration::from_secs(s)));
        let expected = [&said[..], &[StallVerdict::GiveUp]].concat();
        assert_eq!(verdicts(&mut stall, start, 300, 0), expected);
    }

    #[test]
    fn an_answer_or_an_empty_flight_resets_the_stall() {
        let start = Instant::now();
        let mut stall = Stall::new(start, Duration::from_secs(8));
        assert_eq!(verdicts(&mut stall, start, 49, 0), []);
        let later = start + STEP * 49;
        assert_eq!(stall.look(later, 1, true), StallVerdict::Fine);
        assert_eq!(verdicts(&mut stall, later, 49, 1), []);
        let later = later + STEP * 49;
        assert_eq!(stall.look(later, 1, false), StallVerdict::Fine);
        assert_eq!(verdicts(&mut stall, later, 49, 1), []);
    }

    #[test]
    fn the_pause_of_a_stopped_process_is_not_counted_as_a_stall() {
        let start = Instant::now();
        let mut stall = Stall::new(start, Duration::from_secs(120));
        let woken = start + Duration::from_secs(3600);
        assert_eq!(stall.look(woken, 0, true), StallVerdict::Fine);
    }
}
