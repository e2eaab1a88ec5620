//! Counts what was delivered and what was not.

use std::time::Duration;

use super::distribution::Distribution;
use crate::cluster::native::{Code, DeliveryFailure, Persisted};
use crate::config::PartitionChoice;
use crate::record::{Origin, Record};
use crate::report::{Latency, Outcome, PartitionDelivery, Placement, ProblemKind, Problems};

/// What was delivered to one topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::produce) struct TopicCount {
    pub(in crate::produce) delivered: u64,
    pub(in crate::produce) bytes: u64,
    /// By the number of the partition, up to the last one with a delivery.
    partitions: Vec<PartitionCount>,
}

/// What was delivered to one partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct PartitionCount {
    delivered: u64,
    /// The first and the last offset; `None` if no broker has named one.
    offsets: Option<(i64, i64)>,
}

impl PartitionCount {
    fn deliver(&mut self, offset: Option<i64>) {
        self.delivered += 1;
        if let Some(offset) = offset {
            let (first, last) = self.offsets.unwrap_or((offset, offset));
            self.offsets = Some((first.min(offset), last.max(offset)));
        }
    }
}

impl TopicCount {
    /// The partitions with deliveries.
    pub(in crate::produce) fn per_partition(&self) -> Vec<PartitionDelivery> {
        let numbered = (0_u32..).zip(&self.partitions);
        let reached = numbered.filter(|(_, count)| count.delivered > 0);
        let reached = reached.map(|(partition, count)| PartitionDelivery {
            partition,
            first_offset: count.offsets.map(|(first, _)| first),
            last_offset: count.offsets.map(|(_, last)| last),
            delivered: count.delivered,
        });
        reached.collect()
    }
}

/// Why a record is not delivered.
#[derive(Debug, Clone, Copy)]
pub(in crate::produce) enum Undelivered {
    /// Its answer says so.
    Failed(DeliveryFailure),
    /// It is certain that no broker has accepted it, and kreplay does not send it again.
    Refused,
    /// The run ended before an answer came.
    Unanswered,
}

impl Undelivered {
    fn outcome(self) -> Outcome {
        match self {
            Self::Refused => Outcome::NotWritten,
            Self::Failed(failure) => match failure.persisted {
                Persisted::No => Outcome::NotWritten,
                Persisted::Possibly | Persisted::Yes => Outcome::Unknown,
            },
            Self::Unanswered => Outcome::Unknown,
        }
    }
}

/// All deliveries so far.
#[derive(Debug)]
pub(in crate::produce) struct DeliveryCounts {
    pub(in crate::produce) delivered: u64,
    pub(in crate::produce) not_written: u64,
    pub(in crate::produce) unknown: u64,
    /// How many of `not_written` librdkafka refused to take.
    pub(in crate::produce) refused: u64,
    /// How many of `not_written` were taken back from librdkafka's queue.
    pub(in crate::produce) purged_from_queue: u64,
    /// How many of `unknown` were given up in flight.
    pub(in crate::produce) purged_in_flight: u64,
    /// How many failed because librdkafka gave up: the time had passed, or it cannot continue.
    pub(in crate::produce) given_up: u64,
    /// How records are placed in partitions.
    pub(in crate::produce) partition: PartitionChoice,
    /// How the delivered ones were placed.
    pub(in crate::produce) placement: Placement,
    /// By the index of the target.
    pub(in crate::produce) topics: Vec<TopicCount>,
    pub(in crate::produce) problems: Problems,
    latency: Distribution,
    /// Sent minus due, of records that are timed.
    lateness: Distribution,
    /// Acknowledged minus due.
    response: Distribution,
}

impl DeliveryCounts {
    pub(in crate::produce) fn new() -> Self {
        Self {
            delivered: 0,
            not_written: 0,
            unknown: 0,
            refused: 0,
            purged_from_queue: 0,
            purged_in_flight: 0,
            given_up: 0,
            partition: PartitionChoice::Auto,
            placement: Placement::default(),
            topics: Vec::new(),
            problems: Problems::default(),
            latency: Distribution::default(),
            lateness: Distribution::default(),
            response: Distribution::default(),
        }
    }

    /// How many of the records that librdkafka has taken are answered.
    pub(in crate::produce) fn answered(&self) -> u64 {
        self.delivered + self.not_written + self.unknown - self.refused
    }

    /// Counts a delivery to a partition of a target; `bytes` are those of key and value.
    pub(in crate::produce) fn deliver(
        &mut self,
        (target, partition): (usize, i32),
        offset: Option<i64>,
        bytes: usize,
        latency: Option<Duration>,
    ) {
        self.delivered += 1;
        if let Some(latency) = latency {
            self.latency.record(latency);
        }
        let topic = at(&mut self.topics, target);
        topic.delivered += 1;
        topic.bytes += bytes as u64;
        // An acknowledged record has a partition.
        if let Ok(partition) = usize::try_from(partition) {
            at(&mut topic.partitions, partition).deliver(offset);
        }
    }

    /// Counts how long after its due time a record was acknowledged, and how long after it was sent
    /// (`latency`).
    pub(in crate::produce) fn keep_time(&mut self, response: Duration, latency: Duration) {
        self.response.record(response);
        self.lateness.record(response.saturating_sub(latency));
    }

    /// Counts how a delivered record was placed in `partition`.
    pub(in crate::produce) fn place(&mut self, record: &Record, partition: i32) {
        count_placement(&mut self.placement, self.partition, record, Some(partition));
    }

    /// Counts an answer with a `code` that did not come from a broker and is no purge.
    pub(in crate::produce) fn note_answer(&mut self, code: Code) {
        self.given_up += u64::from(code.is_local() && !code.is_purge());
    }

    /// Counts a record that is not delivered, and returns its outcome.
    pub(in crate::produce) fn fail(
        &mut self,
        how: Undelivered,
        origin: Origin,
        why: &str,
    ) -> Outcome {
        let outcome = how.outcome();
        let code = match how {
            Undelivered::Failed(failure) => Some(failure.code),
            Undelivered::Refused | Undelivered::Unanswered => None,
        };
        let what = match outcome {
            Outcome::NotWritten => {
                self.not_written += 1;
                self.purged_from_queue += u64::from(code == Some(Code::PURGED_FROM_QUEUE));
                ProblemKind::NotWritten
            }
            _ => {
                self.unknown += 1;
                // Also those that waited in the queue for another try.
                self.purged_in_flight += u64::from(code.is_some_and(Code::is_purge));
                ProblemKind::Unknown
            }
        };
        self.problems.add(what, origin, || why.into());
        outcome
    }

    /// `None` if nothing was delivered.
    pub(in crate::produce) fn latency(&self) -> Option<Latency> {
        self.latency.summary()
    }

    /// `None` if nothing timed was delivered.
    pub(in crate::produce) fn lateness(&self) -> Option<Latency> {
        self.lateness.summary()
    }

    /// `None` if nothing timed was delivered.
    pub(in crate::produce) fn response(&self) -> Option<Latency> {
        self.response.summary()
    }
}

/// The entry at `index`, which is added if the list is shorter.
fn at<T: Clone + Default>(list: &mut Vec<T>, index: usize) -> &mut T {
    if index >= list.len() {
        list.resize(index + 1, T::default());
    }
    &mut list[index]
}

/// Counts how a record is placed in `partition`; `None` means that librdkafka chooses later.
pub(in crate::produce) fn count_placement(
    placement: &mut Placement,
    how: PartitionChoice,
    record: &Record,
    partition: Option<i32>,
) {
    let keeps = matches!(how, PartitionChoice::Auto | PartitionChoice::Keep);
    match (how, record.key) {
        _ if keeps && partition.is_some() && record.partition == partition => placement.kept += 1,
        (PartitionChoice::Any, _) | (_, None) => placement.spread += 1,
        (_, Some(_)) => placement.by_key += 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_are_counted_by_partition_with_the_first_and_the_last_offset() {
        let mut counts = DeliveryCounts::new();
        for (place, offset) in [
            ((1, 2), Some(7)),
            ((1, 2), Some(5)),
            // The broker had this record already, so it names no offset.
            ((1, 2), None),
            ((1, 0), None),
            ((3, 1), Some(0)),
        ] {
            counts.deliver(place, offset, 10, None);
        }
        let delivered = counts.topics.iter().map(|topic| topic.delivered);
        assert_eq!(delivered.collect::<Vec<_>>(), [0, 4, 0, 1]);
        let partition = |partition, offsets: Option<(i64, i64)>, delivered| PartitionDelivery {
            partition,
            first_offset: offsets.map(|(first, _)| first),
            last_offset: offsets.map(|(_, last)| last),
            delivered,
        };
        let expected = [partition(0, None, 1), partition(2, Some((5, 7)), 3)];
        assert_eq!(counts.topics[1].per_partition(), expected);
        let expected = [partition(1, Some((0, 0)), 1)];
        assert_eq!(counts.topics[3].per_partition(), expected);
        assert_eq!(counts.topics[0].per_partition(), []);
    }
}
