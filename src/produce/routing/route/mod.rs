//! Where a record goes: its destination topic, which kreplay checks before the first record, and its partition.

mod guard;
mod targets;

use std::collections::HashMap;

use super::acceptance::TopicRules;
use super::originals::OriginalTimes;
use super::placement::{
    CapturedTopics, ChosenPartition, MissingTopicFate, Renamings, TopicPartitions, check_count,
};
use super::sizes::Sizes;
use super::warnings::Warnings;
use crate::cluster::guard::ClusterComparison;
use crate::cluster::native::{TopicHandle, UNASSIGNED};
use crate::config::{Destination, TopicNames};
use crate::error::{Error, MissingPartitions};
use crate::host::control::Control;
use crate::produce::connection::announce::Announcement;
use crate::produce::connection::client::Connection;
use crate::produce::connection::topics::TopicState;
use crate::record::{Batch, CapturedTopic};

/// A topic of the destination.
pub(in crate::produce) struct Target {
    pub(in crate::produce) name: String,
    pub(in crate::produce) handle: TopicHandle,
    pub(in crate::produce) partitions: TopicPartitions,
    /// How many it has at the end, if it has more by then.
    pub(in crate::produce) partitions_at_end: Option<i32>,
    made: Made,
    /// Which records it refuses.
    pub(in crate::produce) rules: TopicRules,
    /// `max.message.bytes`, if the cluster reports it.
    pub(in crate::produce) limit: Option<usize>,
    /// The former limit, if it was lowered during the run.
    pub(in crate::produce) former_limit: Option<usize>,
    /// The largest record and batch that its producer sends.
    pub(in crate::produce) sizes: Sizes,
}

/// Who made a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::produce) enum Made {
    Before,
    /// It may be given more partitions.
    ByThisRun,
}

/// Where the records of a captured topic go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::produce) enum Route {
    /// Index of the target.
    To(usize),
    /// Known only by an id that nothing names.
    Unknown,
}

/// All targets met so far.
pub(in crate::produce) struct Router<'a> {
    pub(in crate::produce) connection: &'a Connection,
    control: &'a Control,
    pub(in crate::produce) destination: &'a Destination,
    pub(in crate::produce) renamings: Renamings<'a>,
    pub(in crate::produce) targets: Vec<Target>,
    /// The captured topics that were seen before the first record was sent.
    pub(in crate::produce) captured: CapturedTopics,
    /// Indices of `targets` by their names.
    by_name: HashMap<String, usize>,
    /// Partitions of all targets.
    partitions: usize,
    pub(in crate::produce) warnings: Warnings,
    /// What the destination has in common with the captured cluster.
    comparison: ClusterComparison,
    /// What kreplay announced about the destination before the first record.
    pub(in crate::produce) announcement: Option<Announcement>,
}

impl<'a> Router<'a> {
    pub(in crate::produce) fn new(
        connection: &'a Connection,
        destination: &'a Destination,
        control: &'a Control,
    ) -> Self {
        Self {
            connection,
            control,
            destination,
            renamings: Renamings::new(&destination.topics),
            targets: Vec::new(),
            captured: CapturedTopics::new(destination.partition),
            by_name: HashMap::new(),
            partitions: 0,
            warnings: Warnings::default(),
            comparison: ClusterComparison::default(),
            announcement: None,
        }
    }

    /// Checks the one topic of `-t`, which is known before anything is read.
    ///
    /// # Errors
    /// Fails as [`Router::route`] does.
    pub(in crate::produce) fn check_named_topic(&mut self) -> Result<(), Error> {
        let TopicNames::One(name) = &self.destination.topics else {
            return Ok(());
        };
        match MissingTopicFate::of(name, None, self.destination.missing_topics)? {
            MissingTopicFate::Waits => Ok(()),
            MissingTopicFate::Refused | MissingTopicFate::Created(_) => {
                self.target(name, (0, 0)).map(|_| ())
            }
        }
    }

    /// Where records of `topic` go.
    ///
    /// # Errors
    /// Returns [`Error::TopicsMissing`] or [`Error::TopicRefused`]: the run cannot go on.
    pub(in crate::produce) fn route(&mut self, topic: &CapturedTopic) -> Result<Route, Error> {
        let Some(name) = self.renamings.destination(Some(topic)) else {
            return Ok(Route::Unknown);
        };
        let captured = match &self.destination.topics {
            TopicNames::One(_) => self.captured.most(),
            TopicNames::Mapped(_) => self.captured.count(topic),
        };
        self.target(&name, captured).map(Route::To)
    }

    /// Where a record goes if the capture does not name its topic; `None` without `-t`.
    ///
    /// # Errors
    /// Fails as [`Router::route`] does.
    pub(in crate::produce) fn route_without_topic(&mut self) -> Result<Option<usize>, Error> {
        let Some(name) = self.renamings.destination(None) else {
            return Ok(None);
        };
        let captured = self.captured.most();
        self.target(&name, captured).map(Some)
    }

    /// The index of the target called `name`. A new one is looked up, or created.
    fn target(&mut self, name: &str, captured: (i32, usize)) -> Result<usize, Error> {
        if let Some(known) = self.by_name.get(name) {
            return Ok(*known);
        }
        match self.find(&[name])?.first() {
            Some(TopicState::Present(shape)) => {
                self.connection.check_writing(&[name])?;
                self.add_targets(&[(name, *shape)], Made::Before)?;
            }
            Some(TopicState::Missing) | None => {
                let to_create = self.judge_missing(&[(name, captured)])?;
                self.make_targets(&to_create)?;
            }
        }
        Ok(self.by_name[name])
    }

    /// The partition for a record of `target`, in librdkafka's terms.
    ///
    /// # Errors
    /// Returns [`Error::PartitionsMissing`] with `--partition keep`, and the cluster's error if a topic that
    /// this run has created cannot get the partition.
    pub(in crate::produce) fn partition(
        &mut self,
        target: usize,
        captured: Option<i32>,
        key: Option<&[u8]>,
        place: impl FnOnce() -> String,
    ) -> Result<i32, Error> {
        let how = self.destination.partition;
        if let Some(partition) = self.targets[target].partitions.lacks(how, captured) {
            self.grow(target, partition)?;
        }
        let target = &mut self.targets[target];
        match target.partitions.choose(how, captured, key) {
            ChosenPartition::Captured(partition)
            | ChosenPartition::ByKey(partition)
            | ChosenPartition::InTurn(partition) => Ok(partition),
            ChosenPartition::ByLibrdkafka => Ok(UNASSIGNED),
            ChosenPartition::Lacking(partition) => {
                let missing = MissingPartitions {
                    topic: target.name.clone(),
                    partitions: target.partitions.count,
                    missing: vec![partition],
                    place: place(),
                };
                let topics = vec![missing];
                Err(Error::PartitionsMissing { topics })
            }
        }
    }

    fn grow(&mut self, target: usize, partition: i32) -> Result<(), Error> {
        let Target {
            name,
            made: Made::ByThisRun,
            ..
        } = &self.targets[target]
        else {
            return Ok(());
        };
        let wanted = partition.saturating_add(1);
        // Records have needed all partitions that it has by now.
        let in_use = usize::try_from(self.targets[target].partitions.count).unwrap_or_default();
        check_count(name, wanted, in_use, self.destination.missing_topics)?;
        if self.connection.grow_topic(name, wanted, self.control)? {
            self.targets[target].partitions.count = wanted;
        }
        Ok(())
    }

    /// The index of the target called `name`, if there is one by now.
    pub(in crate::produce) fn index_of(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The target called `name`, if there is one by now.
    pub(in crate::produce) fn target_called(&self, name: &str) -> Option<&Target> {
        self.index_of(name).map(|index| &self.targets[index])
    }

    /// Whether there is a target called `name` by now.
    pub(in crate::produce) fn has_target(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// The partitions of all topics that records go to, as far as these are known.
    pub(in crate::produce) fn partitions(&self) -> usize {
        self.partitions
    }

    /// The bytes at which a record has a batch of its own.
    pub(in crate::produce) fn batch_size(&self, topic: &str) -> usize {
        let target = self.target_called(topic);
        target.map_or(usize::MAX, |target| target.sizes.batch_size)
    }

    /// Checks the original times in `batch`, as far as the destinations are known.
    pub(in crate::produce) fn look_at_times(&self, batch: &Batch, originals: &mut OriginalTimes) {
        let rules: Vec<_> = batch
            .topics
            .iter()
            .map(|topic| self.rules(self.renamings.destination(Some(topic))))
            .collect();
        let without_topic = self.rules(self.renamings.destination(None));
        originals.look(batch, |topic| match topic {
            Some(index) => rules.get(index as usize).copied().flatten(),
            None => without_topic,
        });
    }

    fn rules(&self, destination: Option<String>) -> Option<(&str, &TopicRules)> {
        let target = self.target_called(&destination?)?;
        Some((&target.name, &target.rules))
    }
}
