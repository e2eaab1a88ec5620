//! Chooses the partition of a record (`--partition`), by how many its topic has, or would be created with.

use crate::cluster::native::murmur2_partition;
use crate::config::PartitionChoice;

/// The partitions of a topic, and the next one for a record without a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicPartitions {
    pub(crate) count: i32,
    turn: i32,
}

/// The partition of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChosenPartition {
    /// The captured one.
    Captured(i32),
    /// By the hash of its key, as the Java client does.
    ByKey(i32),
    /// The next one in turn, for a record without a key.
    InTurn(i32),
    /// librdkafka chooses when it makes a batch.
    ByLibrdkafka,
    /// `--partition keep` asks for this one, and the topic lacks it.
    Lacking(i32),
}

impl TopicPartitions {
    pub(crate) fn new(count: i32) -> Self {
        Self { count, turn: 0 }
    }

    /// The captured partition that a record has to keep and that the topic lacks: a topic that is created for
    /// the capture grows to hold it.
    pub(crate) fn lacks(&self, how: PartitionChoice, captured: Option<i32>) -> Option<i32> {
        captured.filter(|partition| keeps(how) && *partition >= self.count)
    }

    /// The partition for a record that was captured in `captured`.
    pub(crate) fn choose(
        &mut self,
        how: PartitionChoice,
        captured: Option<i32>,
        key: Option<&[u8]>,
    ) -> ChosenPartition {
        if let Some(partition) = captured.filter(|_| keeps(how)) {
            if partition < self.count {
                return ChosenPartition::Captured(partition);
            }
            if how == PartitionChoice::Keep {
                return ChosenPartition::Lacking(partition);
            }
        }
        match (how, key) {
            (PartitionChoice::Any, _) | (PartitionChoice::Key, None) => {
                ChosenPartition::ByLibrdkafka
            }
            // If captured partitions are kept as well, the choice is made here: librdkafka's partitioner and
            // explicit partitions do not mix before it knows the topic.
            (_, Some(key)) => ChosenPartition::ByKey(murmur2_partition(key, self.count)),
            (_, None) => {
                self.turn = (self.turn + 1) % self.count;
                ChosenPartition::InTurn(self.turn)
            }
        }
    }
}

fn keeps(how: PartitionChoice) -> bool {
    matches!(how, PartitionChoice::Auto | PartitionChoice::Keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_captured_partition_is_kept_where_the_topic_has_it() {
        // murmur2("21") is -973932308 in Apache Kafka's UtilsTest; its positive part modulo 4 is 0.
        let by_key = ChosenPartition::ByKey(((-973_932_308_i32) & 0x7fff_ffff) % 4);
        let [auto, keep] = [PartitionChoice::Auto, PartitionChoice::Keep];
        for (how, captured, choice) in [
            (auto, Some(3), ChosenPartition::Captured(3)),
            (keep, Some(3), ChosenPartition::Captured(3)),
            (auto, Some(4), by_key),
            (keep, Some(4), ChosenPartition::Lacking(4)),
            (auto, None, by_key),
            (keep, None, by_key),
            (PartitionChoice::Key, Some(3), by_key),
            (PartitionChoice::Any, Some(3), ChosenPartition::ByLibrdkafka),
        ] {
            let mut partitions = TopicPartitions::new(4);
            let chosen = partitions.choose(how, captured, Some(b"21"));
            assert_eq!(chosen, choice, "{how:?} {captured:?}");
        }
    }

    #[test]
    fn records_without_a_key_take_turns() {
        let mut partitions = TopicPartitions::new(3);
        let mut chosen = || partitions.choose(PartitionChoice::Auto, None, None);
        for turn in [1, 2, 0, 1] {
            assert_eq!(chosen(), ChosenPartition::InTurn(turn));
        }
        let by_client = partitions.choose(PartitionChoice::Key, None, None);
        assert_eq!(by_client, ChosenPartition::ByLibrdkafka);
    }

    #[test]
    fn a_partition_can_be_missing_only_where_it_is_to_be_kept() {
        let partitions = TopicPartitions::new(2);
        for (how, captured, lacking) in [
            (PartitionChoice::Auto, Some(2), Some(2)),
            (PartitionChoice::Keep, Some(5), Some(5)),
            (PartitionChoice::Keep, Some(1), None),
            (PartitionChoice::Key, Some(5), None),
            (PartitionChoice::Any, Some(5), None),
            (PartitionChoice::Auto, None, None),
        ] {
            assert_eq!(
                partitions.lacks(how, captured),
                lacking,
                "{how:?} {captured:?}"
            );
        }
    }
}
