//! The forecast as a whole, once the source has ended or planning has stopped.

use super::Planner;
use crate::error::Error;
use crate::produce::plan::outcome::PlanOutcome;
use crate::report::{PlanForecast, PlanReach, PlannedSchedule, SlowedBy, WaitTimes};

impl Planner<'_> {
    pub(super) fn outcome(
        mut self,
        source_end: Option<Result<(), Error>>,
        mut failures: Vec<Error>,
        reach: PlanReach,
    ) -> PlanOutcome {
        let job = self.job;
        let place = |origin| job.counters.place(origin);
        failures.extend(self.refused.take());
        failures.extend(self.topics.take_failures(place));
        failures.extend(self.expired.take());
        let is_whole = source_end == Some(Ok(())) && !self.tally.unselected.ended_early;
        if is_whole {
            _ = self.topics.renamings.name_unmatched(&mut self.problems);
        }
        let mut problems = self.tally.problems.clone();
        problems.merge(self.problems);
        let schedule = self.turns.as_ref().map(|turns| {
            let first = self.first.unwrap_or(self.clock.now);
            let (second, ten_ms) = self.peaks.peaks();
            PlannedSchedule {
                duration: self.clock.now.saturating_duration_since(first),
                busiest_second: second,
                busiest_ten_ms: ten_ms,
                pacing: turns.pacing(WaitTimes::default(), SlowedBy::Rate, None, None),
            }
        });
        let mut hottest = self.keys.hottest();
        let topics = self.topics.targets.iter().enumerate();
        let topics = topics.map(|(index, target)| target.report(hottest.remove(&index)));
        PlanOutcome {
            forecast: PlanForecast {
                brokers: None,
                topics: topics.collect(),
                placement: self.placement,
                unplaced: self.unplaced,
                to_send: self.to_send,
                not_written: self.not_written,
                lacking: self.lacking,
                left: self.left,
                schedule,
                passes: self.passes,
                reach,
                problems,
            },
            tally: self.tally,
            source_end,
            failures,
        }
    }
}
