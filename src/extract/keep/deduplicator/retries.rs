//! Produce requests that wrote nothing of their own: one that the broker refused, and one that a producer
//! sent again because it got no answer. The log has the records of the latter once, and so do its readers.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::extract::rrpair::fields::{FieldSet, Slot};
use crate::extract::rrpair::walk::found::LineFindings;
use crate::record::{Batch, CapturedTopic};

/// How many batches of a producer are remembered for a partition: the broker, too, recognises a batch that
/// comes again among the last five (KIP-98, `ProducerStateEntry.NUM_BATCHES_TO_RETAIN`).
const REMEMBERED: usize = 5;
/// How many producers and partitions are remembered. With more, all are forgotten: a batch may then count
/// twice.
const MOST_PRODUCERS: usize = 1 << 16;

/// Who writes where: sequences count within that (KIP-98).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct SequenceScope {
    topic: Option<CapturedTopic>,
    partition: i64,
    producer: i64,
    epoch: i64,
}

/// A topic and partition, as one line names them.
type RequestedPartition = (Option<u32>, Option<u32>, i64);

/// The batches that were written last.
#[derive(Debug, Default)]
pub(in crate::extract) struct RetriedBatches {
    written: HashMap<SequenceScope, VecDeque<i64>>,
}

impl RetriedBatches {
    /// Says for each record of `found`, whose topics are those of `batch`, whether it wrote nothing.
    pub(in crate::extract) fn wrote_nothing(
        &mut self,
        found: &LineFindings,
        batch: &Batch,
    ) -> Vec<bool> {
        let refused = found.answers.iter().filter(|answer| is_refusal(answer));
        let refused: HashSet<RequestedPartition> = refused.map(place).collect();
        // All records of a batch have its sequence.
        let mut batches: HashMap<(SequenceScope, i64), bool> = HashMap::new();
        let records = found.records.iter().map(|partial| {
            if refused.contains(&place(&partial.fields)) {
                return true;
            }
            let Some((scope, sequence)) = sequence(&partial.fields, batch) else {
                return false;
            };
            let known = batches.entry((scope, sequence));
            match known {
                std::collections::hash_map::Entry::Occupied(known) => *known.get(),
                std::collections::hash_map::Entry::Vacant(new) => {
                    let is_again = self.is_again(new.key());
                    *new.insert(is_again)
                }
            }
        });
        records.collect()
    }

    /// Whether a batch is one of the last of its producer.
    fn is_again(&mut self, (scope, sequence): &(SequenceScope, i64)) -> bool {
        if self.written.len() >= MOST_PRODUCERS && !self.written.contains_key(scope) {
            self.written.clear();
        }
        let last = self.written.entry(scope.clone()).or_default();
        if last.contains(sequence) {
            return true;
        }
        if last.len() == REMEMBERED {
            last.pop_front();
        }
        last.push_back(*sequence);
        false
    }
}

fn place(fields: &FieldSet) -> RequestedPartition {
    let partition = fields.number(Slot::Partition).unwrap_or(0);
    (
        fields.topic(Slot::Topic),
        fields.topic(Slot::TopicId),
        partition,
    )
}

/// Whether the broker has not written the batch, or had it already (`DUPLICATE_SEQUENCE_NUMBER`).
fn is_refusal(answer: &FieldSet) -> bool {
    answer
        .number(Slot::ErrorCode)
        .is_some_and(|error| error != 0)
}

/// Where in its producer's sequence a record's batch is; `None` without idempotence, and if the capture has
/// none of the three numbers. Protobuf's JSON mapping leaves out a 0.
fn sequence(fields: &FieldSet, batch: &Batch) -> Option<(SequenceScope, i64)> {
    let slots = [Slot::ProducerId, Slot::ProducerEpoch, Slot::Sequence];
    if !slots.into_iter().any(|slot| fields.has(slot)) {
        return None;
    }
    let [producer, epoch, sequence] = slots.map(|slot| fields.number(slot).unwrap_or(0));
    let topic = fields.topic(Slot::Topic).or(fields.topic(Slot::TopicId));
    let scope = SequenceScope {
        topic: topic.and_then(|index| batch.topics.get(index as usize).cloned()),
        partition: fields.number(Slot::Partition).unwrap_or(0),
        producer,
        epoch,
    };
    (producer >= 0 && sequence >= 0).then_some((scope, sequence))
}
