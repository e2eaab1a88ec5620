//! Which topics and partitions the cluster's metadata lacks in the middle of a run, and how long kreplay waits
//! for them. This is pure: the caller asks the cluster and passes the time, by the clock of records in flight.

use std::collections::HashMap;
use std::time::Duration;

/// How often kreplay asks the cluster again for what it has given up, as long as there are records for it.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// A topic that the cluster no longer knows, or no longer knows with all its partitions.
#[derive(Debug)]
struct Absence {
    since: Duration,
    /// How many partitions there are, by the cluster's last answer.
    partitions: i32,
    /// Whether the partitions have returned once, and librdkafka has found them missing again.
    has_returned: bool,
    /// When kreplay gave the topic up, or last asked for it after that; `None` as long as kreplay waits for it.
    given_up: Option<Duration>,
}

/// The result of a look for an absent topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sighting {
    /// It is missing, and was not known to be.
    Missed,
    StillMissed,
    There,
    /// kreplay has waited for it for as long as records may wait.
    GivenUp,
}

/// All absent topics, by the index of the target.
#[derive(Debug, Default)]
pub(in crate::produce) struct Absences(HashMap<usize, Absence>);

impl Absences {
    /// Judges the cluster's answer about a target with records for the partition `highest`. `there` is the
    /// number of partitions that the target has, or `None` if no broker has answered; `limit` is how long a
    /// record may wait.
    pub(super) fn look(
        &mut self,
        target: usize,
        highest: i32,
        there: Option<i32>,
        (now, limit): (Duration, Option<Duration>),
    ) -> Sighting {
        let is_new = !self.0.contains_key(&target);
        let absence = self.0.entry(target).or_insert(Absence {
            since: now,
            partitions: 0,
            has_returned: false,
            given_up: None,
        });
        absence.partitions = there.unwrap_or(absence.partitions);
        let waited = now.saturating_sub(absence.since);
        let is_over = limit.is_some_and(|limit| waited >= limit);
        let is_present = there.is_some_and(|there| highest.max(0) < there);
        // Brokers that disagree about it could keep this up for ever.
        if is_present && !(absence.has_returned && is_over) {
            absence.has_returned = true;
            absence.given_up = None;
            return Sighting::There;
        }
        if is_over || absence.given_up.is_some() {
            if is_present {
                absence.partitions = 0;
            }
            absence.given_up = Some(now);
            return Sighting::GivenUp;
        }
        match is_new {
            true => Sighting::Missed,
            false => Sighting::StillMissed,
        }
    }

    /// Gives up a target that has only `there` partitions, after records have waited for it.
    pub(super) fn give_up(&mut self, target: usize, there: i32, now: Duration) {
        let absence = Absence {
            since: now,
            partitions: there,
            has_returned: false,
            given_up: Some(now),
        };
        self.0.insert(target, absence);
    }

    /// The number of partitions of a target whose `partition` was given up; `None` if it was not. A record
    /// without a partition has a number below 0, and can go to any.
    pub(super) fn given_up(&self, target: usize, partition: i32) -> Option<i32> {
        let absence = self.0.get(&target)?;
        absence.given_up?;
        (absence.partitions <= partition.max(0)).then_some(absence.partitions)
    }

    /// Whether it is time to ask again for a target that was given up.
    pub(super) fn is_question_due(&self, target: usize, now: Duration) -> bool {
        let given_up = self.0.get(&target).and_then(|absence| absence.given_up);
        given_up.is_some_and(|asked| now.saturating_sub(asked) >= ASK_AGAIN)
    }

    /// Notes the answer to that: the target has `there` partitions. If these are more than before, records for
    /// it are sent again.
    pub(super) fn learn(&mut self, target: usize, there: Option<i32>, now: Duration) {
        let Some(absence) = self.0.get_mut(&target) else {
            return;
        };
        absence.given_up = Some(now);
        if there.is_some_and(|there| there > absence.partitions) {
            self.0.remove(&target);
        }
    }

    /// Forgets what kreplay has waited for: its records have been sent, or their run ends.
    pub(super) fn settle(&mut self) {
        self.0.retain(|_, absence| absence.given_up.is_some());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn what_is_missing_is_waited_for_as_long_as_a_record_may_wait() {
        let mut absences = Absences::default();
        let limit = Some(s(10));
        assert_eq!(
            absences.look(0, 2, Some(0), (s(100), limit)),
            Sighting::Missed
        );
        // Two of the three partitions that are needed, then no answer.
        assert_eq!(
            absences.look(0, 2, Some(2), (s(105), limit)),
            Sighting::StillMissed
        );
        assert_eq!(
            absences.look(0, 2, None, (s(109), limit)),
            Sighting::StillMissed
        );
        assert_eq!(absences.given_up(0, 2), None);
        assert_eq!(
            absences.look(0, 2, None, (s(110), limit)),
            Sighting::GivenUp
        );
        // Records for the other partitions can be sent, and so can those that go to any.
        let given_up = [2, 1, 0, -1].map(|partition| absences.given_up(0, partition));
        assert_eq!(given_up, [Some(2), None, None, None]);
        absences.settle();
        assert_eq!(absences.given_up(0, 2), Some(2));
        assert!(!absences.is_question_due(0, s(114)) && absences.is_question_due(0, s(115)));
        absences.learn(0, Some(2), s(115));
        assert!(!absences.is_question_due(0, s(119)) && absences.is_question_due(0, s(120)));
        assert_eq!(absences.given_up(0, 2), Some(2));
        absences.learn(0, Some(3), s(120));
        assert_eq!(absences.given_up(0, 2), None);
        // It may disappear again, and kreplay then waits for it anew.
        assert_eq!(
            absences.look(0, 2, Some(0), (s(130), limit)),
            Sighting::Missed
        );
    }

    #[test]
    fn what_returns_and_goes_again_is_given_up_at_the_same_time() {
        let mut absences = Absences::default();
        let limit = Some(s(10));
        assert_eq!(
            absences.look(0, 0, Some(0), (s(0), limit)),
            Sighting::Missed
        );
        assert_eq!(absences.look(0, 0, Some(1), (s(5), limit)), Sighting::There);
        assert_eq!(absences.look(0, 0, Some(1), (s(9), limit)), Sighting::There);
        assert_eq!(
            absences.look(0, 0, Some(1), (s(10), limit)),
            Sighting::GivenUp
        );
        assert_eq!(absences.given_up(0, 0), Some(0));
    }

    #[test]
    fn once_its_records_are_sent_a_topic_that_goes_again_is_waited_for_anew() {
        let mut absences = Absences::default();
        let limit = Some(s(10));
        assert_eq!(absences.look(0, 0, Some(1), (s(0), limit)), Sighting::There);
        absences.settle();
        assert_eq!(
            absences.look(0, 0, Some(0), (s(60), limit)),
            Sighting::Missed
        );
        assert_eq!(
            absences.look(0, 0, Some(0), (s(69), limit)),
            Sighting::StillMissed
        );
    }

    #[test]
    fn without_a_limit_it_is_waited_for_ever() {
        let mut absences = Absences::default();
        assert_eq!(absences.look(0, 0, Some(0), (s(0), None)), Sighting::Missed);
        let later = s(1 << 40);
        assert_eq!(
            absences.look(0, 0, Some(0), (later, None)),
            Sighting::StillMissed
        );
    }
}
