//! One topic of the destination in a plan: what is known about it, and what records add to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::MissingPartitions;
use crate::produce::connection::topics::{TopicSettings, TopicShape};
use crate::produce::routing::acceptance::TopicRules;
use crate::produce::routing::placement::{TopicPartitions, partitions_to_create};
use crate::produce::routing::sizes::{SizeWishes, Sizes};
use crate::record::Origin;
use crate::report::{
    ASSUMED_SETTINGS, HottestKey, PlannedPartition, PlannedTopic, RefusedRecords, TopicStanding,
};

/// A topic that records go to, before anything is planned for it.
pub(super) struct FoundTarget<'n> {
    pub(super) name: &'n str,
    pub(super) captured: (i32, usize),
    pub(super) standing: TopicStanding,
    /// `None` if the topic does not exist.
    pub(super) shape: Option<TopicShape>,
}

/// What is planned for a topic of the destination.
pub(super) struct PlannedTarget {
    pub(super) name: String,
    pub(super) standing: TopicStanding,
    pub(super) partitions: TopicPartitions,
    pub(super) rules: TopicRules,
    /// `max.message.bytes`, if it is known.
    pub(super) limit: Option<usize>,
    pub(super) sizes: Sizes,
    /// Captured partitions that records have to keep and the topic lacks.
    lacking: BTreeSet<i32>,
    /// Where the first such record is.
    first_lacking: Option<Origin>,
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) per_partition: BTreeMap<i32, u64>,
    pub(super) refused: RefusedRecords,
    /// Records whose captured partition it lacks and that go to another one.
    pub(super) displaced: u64,
}

impl PlannedTarget {
    /// A topic for which no record is planned yet; `settings` are those that the cluster describes.
    pub(super) fn new(
        found: &FoundTarget<'_>,
        settings: Option<TopicSettings>,
        wishes: &SizeWishes,
    ) -> Self {
        let (captured, _) = found.captured;
        let partitions = found
            .shape
            .map_or_else(|| partitions_to_create(captured), |shape| shape.partitions);
        let (rules, limit) = match settings {
            Some(settings) => (settings.rules, settings.max_message_bytes),
            None => (assumed_rules(), None),
        };
        Self {
            name: found.name.into(),
            standing: found.standing,
            partitions: TopicPartitions::new(partitions),
            rules,
            limit,
            sizes: wishes.for_limit(limit),
            lacking: BTreeSet::new(),
            first_lacking: None,
            records: 0,
            bytes: 0,
            per_partition: BTreeMap::new(),
            refused: RefusedRecords::default(),
            displaced: 0,
        }
    }

    /// Notes a captured partition that a record has to keep and the topic lacks.
    pub(super) fn lack(&mut self, partition: i32, origin: Origin) {
        self.lacking.insert(partition);
        self.first_lacking.get_or_insert(origin);
    }

    /// The partitions that the topic lacks, if any; `place` names where a record was read.
    pub(super) fn missing_partitions(
        &self,
        place: impl Fn(Origin) -> String,
    ) -> Option<MissingPartitions> {
        Some(MissingPartitions {
            topic: self.name.clone(),
            partitions: self.partitions.count,
            missing: self.lacking.iter().copied().collect(),
            place: place(self.first_lacking?),
        })
    }

    /// The topic in the plan's report.
    pub(super) fn report(&self, hottest_key: Option<HottestKey>) -> PlannedTopic {
        let per_partition = self.per_partition.iter();
        let per_partition = per_partition.map(|(partition, records)| PlannedPartition {
            partition: partition.unsigned_abs(),
            records: *records,
        });
        let lacking = self.lacking.iter().copied();
        PlannedTopic {
            name: self.name.clone(),
            standing: self.standing,
            partitions: self.partitions.count.unsigned_abs(),
            limit: self.limit,
            records: self.records,
            bytes: self.bytes,
            per_partition: per_partition.collect(),
            hottest_key,
            refused: self.refused,
            displaced: self.displaced,
            missing_partitions: lacking.map(i32::unsigned_abs).collect(),
        }
    }
}

/// The rules of a topic with default settings.
fn assumed_rules() -> TopicRules {
    let settings = ASSUMED_SETTINGS.iter();
    let settings = settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    TopicRules::of(&settings.collect::<Vec<_>>())
}
