//! What is known about the captured topics before the first record is sent: which topics and partitions occur
//! in what waits in the channel then (see `channel.rs`).

use std::collections::HashMap;
use std::collections::{BTreeMap, BTreeSet};

use crate::config::{MissingTopics, PartitionChoice};
use crate::error::Error;
use crate::host::visible::visible;
use crate::record::{Batch, CapturedTopic, MOST_CREATED_PARTITIONS, Origin};
use crate::report::rendering::figures::count;

/// The captured topics, in the order of their first record.
pub(crate) struct CapturedTopics {
    /// Whether to keep each captured partition, or only their number.
    partition: PartitionChoice,
    topics: Vec<(CapturedTopic, CapturedPartitions)>,
    indices: HashMap<CapturedTopic, usize>,
    /// Partitions of topics whose records the selection has left out so far: a topic is created for all of
    /// its records, which other machines may send.
    left_out: HashMap<CapturedTopic, i32>,
    /// Whether there is a record at all, even without a topic.
    pub(crate) has_records: bool,
}

/// The captured partitions of a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CapturedPartitions {
    /// One more than the highest; 0 if no record names one.
    pub(crate) count: i32,
    /// Those with records.
    in_use: BTreeSet<i32>,
    /// Each with its first record, if they have to be kept.
    pub(crate) each: BTreeMap<i32, Origin>,
}

impl CapturedTopics {
    pub(crate) fn new(partition: PartitionChoice) -> Self {
        Self {
            partition,
            topics: Vec::new(),
            indices: HashMap::new(),
            left_out: HashMap::new(),
            has_records: false,
        }
    }

    /// Notes the topics and partitions in `batch`.
    pub(crate) fn observe(&mut self, batch: &Batch) {
        self.has_records |= !batch.records.is_empty();
        for (topic, partition) in &batch.left_out {
            self.note_left_out(topic, partition.map_or(0, |last| last.saturating_add(1)));
        }
        let mut last: Option<(u32, usize)> = None;
        for record in &batch.records {
            let Some(number) = record.topic else {
                continue;
            };
            // Records of one topic follow each other.
            let index = match last {
                Some((last, index)) if last == number => index,
                _ => self.index(&batch.topics[number as usize]),
            };
            last = Some((number, index));
            let (_, partitions) = &mut self.topics[index];
            if let Some(partition) = record.partition {
                partitions.count = partitions.count.max(partition.saturating_add(1));
                partitions.in_use.insert(partition);
                if self.partition == PartitionChoice::Keep {
                    partitions.each.entry(partition).or_insert(record.origin);
                }
            }
        }
    }

    fn note_left_out(&mut self, topic: &CapturedTopic, count: i32) {
        let known = match self.indices.get(topic) {
            Some(index) => &mut self.topics[*index].1.count,
            None => self.left_out.entry(topic.clone()).or_default(),
        };
        *known = count.max(*known);
    }

    fn index(&mut self, topic: &CapturedTopic) -> usize {
        if let Some(index) = self.indices.get(topic) {
            return *index;
        }
        let index = self.topics.len();
        let partitions = CapturedPartitions {
            count: self.left_out.remove(topic).unwrap_or_default(),
            ..CapturedPartitions::default()
        };
        self.topics.push((topic.clone(), partitions));
        self.indices.insert(topic.clone(), index);
        index
    }

    /// What was seen of each topic.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&CapturedTopic, &CapturedPartitions)> {
        self.topics
            .iter()
            .map(|(topic, partitions)| (topic, partitions))
    }

    /// The partitions of `topic`, and how many are in use; 0 if none is known.
    pub(crate) fn count(&self, topic: &CapturedTopic) -> (i32, usize) {
        let index = self.indices.get(topic);
        index.map_or((0, 0), |index| self.topics[*index].1.size())
    }

    /// The most partitions of any topic, and how many of them are in use.
    pub(crate) fn most(&self) -> (i32, usize) {
        let sizes = self.topics.iter().map(|(_, partitions)| partitions.size());
        sizes.max().unwrap_or_default()
    }
}

/// How many partitions a topic is created with whatever the capture shows: they cost a cluster nothing.
const ALWAYS: i32 = 32;
/// How many partitions a topic may be created with unless the user allows more; few topics of any cluster
/// have more.
const MOST_UNASKED: i32 = 300;

/// The number of partitions to create for a topic of which `captured` are known.
pub(crate) fn partitions_to_create(captured: i32) -> i32 {
    captured.max(1)
}

/// How many topics one run sends to: librdkafka keeps about 6 KB for each. The check before the first record
/// covers as many, so that a capture with more is refused before anything is created.
const MOST_TOPICS: usize = 20_000;

/// Checks that a run may send to this many topics.
///
/// # Errors
/// Returns [`Error::Config`] if it may not.
pub(crate) fn check_topics(topics: usize) -> Result<(), Error> {
    match topics > MOST_TOPICS {
        true => Err(Error::Config {
            message: format!(
                "the records go to more than {}",
                count(MOST_TOPICS as u64, "topic")
            ),
            hint: Some("`--topics` selects some of them, `-t` sends all to one topic".into()),
        }),
        false => Ok(()),
    }
}

/// Checks that a topic may be created with `wanted` partitions if records of `in_use` of them were seen. The
/// capture comes from others, and a single wrong number in it would create thousands.
///
/// # Errors
/// Returns [`Error::Config`] with the flag that allows them.
pub(crate) fn check_count(
    topic: &str,
    wanted: i32,
    in_use: usize,
    missing_topics: MissingTopics,
) -> Result<(), Error> {
    let most = match missing_topics {
        MissingTopics::Create {
            most_partitions: Some(most),
        } => most,
        MissingTopics::Create { .. } | MissingTopics::Refuse => {
            let twice = i32::try_from(in_use.saturating_mul(2)).unwrap_or(i32::MAX);
            twice.clamp(ALWAYS, MOST_UNASKED)
        }
    };
    // The creation itself refuses more partitions than any topic can have, whatever the flag says.
    if wanted <= most || wanted > MOST_CREATED_PARTITIONS {
        return Ok(());
    }
    let (shown, seen) = (visible(topic), count(in_use as u64, "partition"));
    Err(Error::Config {
        message: format!(
            "topic `{shown}` would be created with {wanted} partitions: the capture names partition {} and \
             shows records of {seen}",
            wanted - 1
        ),
        hint: Some(format!(
            "`--create-partitions-up-to {wanted}` creates them; `--partition key` does not need the \
             captured partitions"
        )),
    })
}

impl CapturedPartitions {
    /// One more than the highest partition, and how many are in use.
    pub(crate) fn size(&self) -> (i32, usize) {
        (self.count, self.in_use.len())
    }

    /// Adds what was seen of another topic with the same destination.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.count = self.count.max(other.count);
        self.in_use.extend(&other.in_use);
        for (partition, origin) in &other.each {
            let first = self.each.entry(*partition).or_insert(*origin);
            *first = (*first).min(*origin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::lines;

    fn counted(how: PartitionChoice, lines: &[&str]) -> CapturedTopics {
        let mut batch = Batch::default();
        for (line, text) in (1..).zip(lines) {
            let origin = Origin { input: 0, line };
            lines::read(text.as_bytes(), origin, &mut batch).expect("a record line");
        }
        let mut topics = CapturedTopics::new(how);
        topics.observe(&batch);
        topics
    }

    #[test]
    fn a_topic_without_a_captured_partition_is_known_too() {
        let lines = [
            r#"{"topic":"a","value":""}"#,
            r#"{"topic":"b","partition":3,"value":""}"#,
            r#"{"topic":"b","partition":1,"value":""}"#,
        ];
        let topics = counted(PartitionChoice::Auto, &lines);
        let seen = topics.iter().map(|(t, p)| (t.to_string(), p.count));
        assert_eq!(seen.collect::<Vec<_>>(), [("a".into(), 0), ("b".into(), 4)]);
        assert_eq!(topics.most(), (4, 2));
    }

    #[test]
    fn a_topic_is_created_with_the_partitions_of_the_capture_or_of_the_flag() {
        let create = |most_partitions| MissingTopics::Create { most_partitions };
        for (wanted, in_use, most, is_taken) in [
            (32, 1, None, true),
            (33, 1, None, false),
            (33, 17, None, true),
            (300, 150, None, true),
            (301, 301, None, false),
            (301, 1, Some(301), true),
            (302, 302, Some(301), false),
            (2001, 1, Some(i32::MAX), true),
        ] {
            let checked = check_count("t", wanted, in_use, create(most));
            assert_eq!(checked.is_ok(), is_taken, "{wanted} {in_use} {most:?}");
        }
    }

    #[test]
    fn with_keep_each_partition_is_known_by_its_first_record() {
        let lines = [
            r#"{"topic":"a","partition":7,"value":""}"#,
            r#"{"topic":"a","partition":2,"value":""}"#,
            r#"{"topic":"a","partition":7,"value":""}"#,
        ];
        let topics = counted(PartitionChoice::Keep, &lines);
        let each = topics.iter().flat_map(|(_, seen)| seen.each.clone());
        let each: Vec<(i32, u64)> = each.map(|(p, origin)| (p, origin.line)).collect();
        assert_eq!(each, [(2, 2), (7, 1)]);
    }
}
