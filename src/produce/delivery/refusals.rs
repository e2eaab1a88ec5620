//! Holds records of refused batches until it is known which of them the broker refuses, and records whose topic
//! or partition is missing until it is there again. This file is separate from `isolation/`, which sends them
//! again: this is what the polling thread notes, and how it is judged.

use std::collections::{BTreeMap, HashMap};

use crate::cluster::native::{Code, InFlightRecord};

/// How many records may be refused before another producer takes over: librdkafka takes a new epoch for each
/// refused batch, and does not check the end of their 15 bits (rd_kafka_pid_bump). The rest of the 32,768 is
/// for what is refused until everything in flight is answered.
pub(in crate::produce) const MOST_REFUSED: u64 = 16_384;

/// Why records came back. With each of these, nothing of their batch is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::produce) enum Cause {
    Record,
    Timestamp,
    TooLarge,
    /// The broker said that another record of the batch is the cause (KIP-467).
    Neighbour,
    /// The cluster's metadata lacks the topic or the partition, so that librdkafka does not keep the record. What
    /// was there when the record was handed over may return.
    Absent,
}

impl Cause {
    /// `None` for an error that another try of the same records would not change.
    pub(in crate::produce) fn of(code: Code) -> Option<Self> {
        match code {
            Code::INVALID_RECORD => Some(Self::Record),
            Code::INVALID_TIMESTAMP => Some(Self::Timestamp),
            Code::MESSAGE_SIZE_TOO_LARGE | Code::RECORD_LIST_TOO_LARGE => Some(Self::TooLarge),
            Code::INVALID_DIFFERENT_RECORD => Some(Self::Neighbour),
            // Records in the queue of a removed partition get the first code from rd_kafka_broker_op_serve;
            // others get one of the middle ones from rd_kafka_topic_assign_uas or rd_kafka_msg_partitioner; and
            // what came back to a removed partition gets the last one from rd_kafka_toppar_destroy_final.
            Code::UNKNOWN_PARTITION
            | Code::UNKNOWN_TOPIC
            | Code::UNKNOWN_TOPIC_OR_PARTITION
            | Code::UNKNOWN_TOPIC_ID
            | Code::DESTROYED => Some(Self::Absent),
            _ => None,
        }
    }
}

/// A record of a refused batch.
#[derive(Debug, Clone)]
pub(in crate::produce) struct RefusedRecord {
    pub(in crate::produce) record: InFlightRecord,
    pub(in crate::produce) cause: Cause,
    pub(in crate::produce) bytes: usize,
    /// Equal for records that were refused one after the other: those of one batch, or of several.
    pub(in crate::produce) group: u64,
}

/// When a record was refused for the first time.
#[derive(Debug, Clone, Copy)]
struct FirstRefusal {
    /// How many other records were delivered by then that were never refused.
    fresh: u64,
    /// Its number among the refused ones, from 1.
    number: u64,
}

/// A partition that has refused records.
#[derive(Debug, Default)]
struct RefusingPartition {
    held: Vec<RefusedRecord>,
    group: u64,
    /// Records delivered that were never refused.
    fresh: u64,
    /// What a refused record has to be compared with, by its position in the source.
    returning: HashMap<u64, FirstRefusal>,
    /// Records refused for the first time so far.
    refused: u64,
    /// Of those delivered since, the number of the last one in the order of sending.
    last_returned: u64,
}

/// All refused records whose outcome is open.
#[derive(Debug, Default)]
pub(in crate::produce) struct Refusals {
    topics: HashMap<String, BTreeMap<i32, RefusingPartition>>,
    held: u64,
    /// Records refused since another producer last took over.
    pub(in crate::produce) since_renewal: u64,
    /// Whether brokers have marked the cause within a batch: a batch in which all are marked has no innocent
    /// records.
    pub(in crate::produce) marked: bool,
}

impl Refusals {
    /// How many records are held.
    pub(in crate::produce) fn held(&self) -> u64 {
        self.held
    }

    /// Adds a record of a refused batch.
    pub(in crate::produce) fn hold(
        &mut self,
        (topic, partition): (&str, i32),
        record: InFlightRecord,
        cause: Cause,
        bytes: usize,
    ) {
        self.held += 1;
        self.since_renewal += 1;
        self.marked |= cause == Cause::Neighbour;
        let partition = self.partition(topic, partition);
        let (group, fresh) = (partition.group, partition.fresh);
        let refused = &mut partition.refused;
        let first = partition.returning.entry(record.position());
        first.or_insert_with(|| {
            *refused += 1;
            let number = *refused;
            FirstRefusal { fresh, number }
        });
        partition.held.push(RefusedRecord {
            record,
            cause,
            bytes,
            group,
        });
    }

    /// Notes that a record is in the log; `true` if later ones of its partition were there before.
    pub(in crate::produce) fn delivered(
        &mut self,
        topic: &str,
        partition: i32,
        position: u64,
    ) -> bool {
        let known = self.topics.get_mut(topic);
        let Some(partition) = known.and_then(|known| known.get_mut(&partition)) else {
            return false;
        };
        partition.group += 1;
        match partition.returning.remove(&position) {
            Some(first) => {
                let is_late = first.number < partition.last_returned;
                partition.last_returned = partition.last_returned.max(first.number);
                is_late || first.fresh < partition.fresh
            }
            None => {
                partition.fresh += 1;
                false
            }
        }
    }

    /// Returns what is held, by partition and in the order of sending.
    pub(in crate::produce) fn take(&mut self) -> Vec<(String, i32, Vec<RefusedRecord>)> {
        self.held = 0;
        let mut all = Vec::new();
        for (topic, partitions) in &mut self.topics {
            for (number, partition) in partitions {
                partition.group += 1;
                if partition.held.is_empty() {
                    continue;
                }
                let mut held = std::mem::take(&mut partition.held);
                // The sending thread learns of some records at once, and the polling thread only later of
                // earlier ones.
                if held.iter().any(|refused| refused.cause == Cause::Absent) {
                    held.sort_by_key(|refused| refused.record.position());
                }
                all.push((topic.clone(), *number, held));
            }
        }
        all
    }

    /// The topics of which held records wait for a partition, each with the highest of these.
    pub(in crate::produce) fn absent(&self) -> Vec<(String, i32)> {
        let is_absent = |refused: &RefusedRecord| refused.cause == Cause::Absent;
        let mut absent = Vec::new();
        for (topic, partitions) in &self.topics {
            let waiting = partitions
                .iter()
                .filter(|(_, p)| p.held.iter().any(is_absent));
            let highest = waiting.map(|(number, _)| *number).max();
            absent.extend(highest.map(|highest| (topic.clone(), highest)));
        }
        absent
    }

    fn partition(&mut self, topic: &str, partition: i32) -> &mut RefusingPartition {
        if !self.topics.contains_key(topic) {
            self.topics.insert(topic.to_owned(), BTreeMap::new());
        }
        let partitions = self.topics.entry(topic.to_owned()).or_default();
        partitions.entry(partition).or_default()
    }
}

/// What is known about refused records.
#[derive(Debug, Default)]
pub(in crate::produce) struct Judgement {
    /// Those that are certain to be refused again.
    pub(in crate::produce) culprits: Vec<RefusedRecord>,
    /// Those that may be accepted without the culprits.
    pub(in crate::produce) suspects: Vec<RefusedRecord>,
    /// The length of the longest group without a known culprit.
    pub(in crate::produce) unclear: usize,
}

/// Judges the refused records of a partition. `alone` means that what was sent is a single record, and `marked`
/// that these brokers mark the culprits; a record of at least `batch_size` bytes had its own batch.
pub(in crate::produce) fn judge(
    refused: &[RefusedRecord],
    alone: bool,
    marked: bool,
    batch_size: usize,
) -> Judgement {
    let mut judgement = Judgement::default();
    for group in refused.chunk_by(|a, b| a.group == b.group) {
        let has_neighbours = group.iter().any(|r| r.cause == Cause::Neighbour);
        let is_single = group.len() == 1 && (alone || !has_neighbours);
        let is_absent = |r: &RefusedRecord| r.cause == Cause::Absent;
        let knows = |r: &RefusedRecord| {
            if is_absent(r) {
                return false;
            }
            let is_marked = matches!(r.cause, Cause::Record | Cause::Timestamp);
            let is_large = r.cause == Cause::TooLarge && r.bytes >= batch_size;
            is_single || is_large || (is_marked && (has_neighbours || marked))
        };
        let (culprits, suspects): (Vec<RefusedRecord>, Vec<RefusedRecord>) =
            group.iter().cloned().partition(knows);
        if culprits.is_empty() && !suspects.iter().all(is_absent) {
            judgement.unclear = judgement.unclear.max(suspects.len());
        }
        judgement.culprits.extend(culprits);
        judgement.suspects.extend(suspects);
    }
    judgement
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cluster::native::InFlightBatch;
    use crate::record::in_flight::NumberedBatch;
    use crate::record::in_flight::Positions;
    use crate::record::lines;
    use crate::record::{Batch, Origin};

    fn batch(records: u64) -> Arc<InFlightBatch> {
        let mut batch = Batch::default();
        for line in 0..records {
            let origin = Origin { input: 0, line };
            lines::read(br#"{"value":"v"}"#, origin, &mut batch).expect("a record line");
        }
        let positions = Positions::From(0);
        InFlightBatch::new(NumberedBatch::new(batch, positions))
    }

    fn judged(causes: &[(Cause, u64)], alone: bool, marked: bool) -> (Vec<u64>, usize, usize) {
        let batch = batch(causes.len() as u64);
        let refused = causes.iter().enumerate();
        let refused = refused.map(|(index, (cause, group))| RefusedRecord {
            record: InFlightRecord::new(&batch, index),
            cause: *cause,
            bytes: 100,
            group: *group,
        });
        let judgement = judge(&refused.collect::<Vec<_>>(), alone, marked, 1000);
        let culprits = judgement.culprits.iter();
        let culprits = culprits.map(|culprit| culprit.record.position()).collect();
        (culprits, judgement.suspects.len(), judgement.unclear)
    }

    #[test]
    fn a_record_is_blamed_when_the_broker_marks_it_or_it_was_alone_in_its_batch() {
        use Cause::{Neighbour, Record, Timestamp, TooLarge};
        let n = (Neighbour, 0);
        let r = (Record, 0);
        assert_eq!(
            judged(&[n, (Timestamp, 0), n], false, true),
            (vec![1], 2, 0)
        );
        assert_eq!(judged(&[r, r, r], false, false), (vec![], 3, 3));
        assert_eq!(judged(&[r, r, r], false, true), (vec![0, 1, 2], 0, 0));
        assert_eq!(judged(&[r, (Record, 1)], false, false), (vec![0, 1], 0, 0));
        assert_eq!(judged(&[(TooLarge, 0); 4], false, true), (vec![], 4, 4));
        assert_eq!(judged(&[n], false, true), (vec![], 1, 1));
        assert_eq!(judged(&[n], true, true), (vec![0], 0, 0));
        // No record is to blame for a missing partition, and halving does not find the cause.
        let a = (Cause::Absent, 0);
        assert_eq!(judged(&[a], true, true), (vec![], 1, 0));
        assert_eq!(judged(&[a, a, a], false, false), (vec![], 3, 0));
        assert_eq!(judged(&[n, (Record, 0), a], false, true), (vec![1], 2, 0));
    }

    #[test]
    fn what_is_delivered_behind_a_later_record_is_out_of_order() {
        let batch = batch(4);
        let mut refusals = Refusals::default();
        assert!(!refusals.delivered("t", 0, 0));
        let record = InFlightRecord::new(&batch, 1);
        refusals.hold(("t", 0), record, Cause::Record, 1);
        assert!(!refusals.delivered("t", 0, 3));
        assert!(refusals.delivered("t", 0, 1));
        assert!(!refusals.delivered("t", 1, 2), "another partition");
        assert_eq!((refusals.held(), refusals.take().len()), (1, 1));
        // Of records that were refused alike, one that is sent again in vain is overtaken by the next.
        let mut refusals = Refusals::default();
        for index in [0, 1, 2, 1] {
            let record = InFlightRecord::new(&batch, index);
            refusals.hold(("t", 0), record, Cause::TooLarge, 1);
        }
        let late = [0, 2, 1].map(|position| refusals.delivered("t", 0, position));
        assert_eq!(late, [false, false, true]);
        assert_eq!((refusals.take().len(), refusals.held()), (1, 0));
    }

    #[test]
    fn records_of_a_missing_partition_come_back_in_the_order_of_the_source() {
        let batch = batch(5);
        let mut refusals = Refusals::default();
        let places = [
            ("t", 0, 3),
            ("t", 0, 1),
            ("t", 2, 0),
            ("u", 1, 4),
            ("t", 0, 2),
        ];
        for (topic, partition, index) in places {
            let record = InFlightRecord::new(&batch, index);
            let cause = match topic {
                "t" => Cause::Absent,
                _ => Cause::TooLarge,
            };
            refusals.hold((topic, partition), record, cause, 1);
        }
        assert_eq!(refusals.absent(), [("t".to_owned(), 2)]);
        let taken = refusals.take();
        let of = |topic: &str, partition| {
            let found = taken.iter().find(|(t, p, _)| t == topic && *p == partition);
            let records = found.map_or(&[][..], |(_, _, records)| records);
            let positions = records.iter().map(|refused| refused.record.position());
            positions.collect::<Vec<_>>()
        };
        assert_eq!((of("t", 0), of("t", 2)), (vec![1, 2, 3], vec![0]));
        assert_eq!(of("u", 1), [4]);
        assert_eq!(refusals.absent(), []);
    }
}
