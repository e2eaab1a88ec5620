//! Decides where a record goes, by names, flags and partition counts alone. It asks no cluster: the counts
//! may be those that topics have, or those that they would be created with.
//!
//! | question | answer |
//! |---|---|
//! | which topic a record goes to | [`Renamings::destination`] |
//! | which partition it gets there | [`TopicPartitions::choose`] |
//! | which topics and captured partitions the records read so far have | [`CapturedTopics`] |
//! | whether a topic that the destination lacks is refused or created | [`MissingTopicFate::of`] |
//! | which topics they go to, and what would be created of each | [`destinations`], [`partitions_to_create`], [`check_count`] |

mod captured;
mod missing;
mod partition;
mod renamings;

use std::collections::HashMap;

pub(crate) use self::captured::{
    CapturedPartitions, CapturedTopics, check_count, check_topics, partitions_to_create,
};
pub(crate) use self::missing::MissingTopicFate;
pub(crate) use self::partition::{ChosenPartition, TopicPartitions};
pub(crate) use self::renamings::Renamings;

/// The topics of the destination that the records of `captured` go to, in the order of their first record,
/// each with the captured partitions that go there.
pub(crate) fn destinations(
    renamings: &Renamings<'_>,
    captured: &CapturedTopics,
) -> Vec<(String, CapturedPartitions)> {
    let mut wanted: Vec<(String, CapturedPartitions)> = Vec::new();
    let mut indices = HashMap::new();
    let mut add = |name: String, partitions: &CapturedPartitions| {
        let index = *indices.entry(name.clone()).or_insert_with(|| {
            wanted.push((name, CapturedPartitions::default()));
            wanted.len() - 1
        });
        wanted[index].1.merge(partitions);
    };
    // With `-t`, records without a topic go to that topic as well.
    if let Some(name) = renamings.destination(None)
        && captured.has_records
    {
        add(name, &CapturedPartitions::default());
    }
    for (topic, partitions) in captured.iter() {
        if let Some(name) = renamings.destination(Some(topic)) {
            add(name, partitions);
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{PartitionChoice, TopicNames};
    use crate::record::{Batch, Origin, lines};

    fn captured(lines: &[&str]) -> CapturedTopics {
        let mut batch = Batch::default();
        for (line, text) in (1..).zip(lines) {
            let origin = Origin { input: 0, line };
            lines::read(text.as_bytes(), origin, &mut batch).expect("a record line");
        }
        let mut topics = CapturedTopics::new(PartitionChoice::Auto);
        topics.observe(&batch);
        topics
    }

    fn found(names: &TopicNames, captured: &CapturedTopics) -> Vec<(String, i32)> {
        let destinations = destinations(&Renamings::new(names), captured).into_iter();
        destinations
            .map(|(name, partitions)| (name, partitions_to_create(partitions.size().0)))
            .collect()
    }

    #[test]
    fn topics_that_are_merged_get_the_partitions_of_the_largest() {
        let captured = captured(&[
            r#"{"topic":"b","partition":1,"value":""}"#,
            r#"{"topic":"a","partition":6,"value":""}"#,
            r#"{"topic":"c","value":""}"#,
        ]);
        let pairs = [("a", "x"), ("b", "x")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        let mapped = TopicNames::Mapped(pairs.to_vec());
        assert_eq!(
            found(&mapped, &captured),
            [("x".into(), 7), ("c".into(), 1)]
        );
        let one = TopicNames::One("y".into());
        assert_eq!(found(&one, &captured), [("y".into(), 7)]);
    }

    #[test]
    fn records_without_a_topic_go_to_the_one_that_is_named() {
        let captured = captured(&[r#"{"value":""}"#]);
        let one = TopicNames::One("y".into());
        assert_eq!(found(&one, &captured), [("y".into(), 1)]);
        assert_eq!(found(&TopicNames::Mapped(Vec::new()), &captured), []);
    }
}
