//! Where a record goes: its destination topic, looked at before the first record, and its
//! partition.

use std::collections::HashMap;
use std::sync::Arc;

use super::acceptance::TopicRules;
use super::originals::OriginalTimes;
use super::placement::{
    CapturedTopics, ChosenPartition, Renamings, TopicPartitions, check_count, check_topics,
    partitions_to_create,
};
use super::sizes::Sizes;
use super::warnings::Warnings;
use crate::cluster::guard::ClusterComparison;
use crate::cluster::native::{Client, TopicHandle, UNASSIGNED};
use crate::config::nearest::nearest;
use crate::config::{CapturedCluster, Destination, MissingTopics, TopicNames};
use crate::error::{Error, MissingPartitions, MissingTopic};
use crate::host::control::Control;
use crate::produce::connection::announce::Announcement;
use crate::produce::connection::client::{ASK_LIMIT, Connection};
use crate::produce::connection::topics::{TopicSettings, TopicShape, TopicState};
use crate::record::{Batch, CapturedTopic, NameFault};

/// A topic of the destination.
pub(in crate::produce) struct Target {
    pub(in crate::produce) name: String,
    pub(in crate::produce) handle: TopicHandle,
    pub(in crate::produce) partitions: TopicPartitions,
    /// How many it has at the end, where those are more.
    pub(in crate::produce) partitions_at_end: Option<i32>,
    made: Made,
    /// Which records it does not take.
    pub(in crate::produce) rules: TopicRules,
    /// `max.message.bytes`, where the cluster reports it.
    pub(in crate::produce) limit: Option<usize>,
    /// What that was before it was lowered in the middle of the run.
    pub(in crate::produce) former_limit: Option<usize>,
    /// What its producer sends at most.
    pub(in crate::produce) sizes: Sizes,
}

/// Who has made a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::produce) enum Made {
    Before,
    /// It may be given more partitions.
    ByThisRun,
}

/// What is known of a captured topic.
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
    /// What was seen of the captured topics before the first record was sent.
    pub(in crate::produce) captured: CapturedTopics,
    /// Indices of `targets` by their names.
    by_name: HashMap<String, usize>,
    /// Partitions of all targets.
    partitions: usize,
    pub(in crate::produce) warnings: Warnings,
    /// What the destination has in common with the captured cluster.
    comparison: ClusterComparison,
    /// What was told of the destination before the first record.
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

    /// The one topic of `-t` can be looked at before anything is read.
    ///
    /// # Errors
    /// As of [`Router::route`].
    pub(in crate::produce) fn check_named_topic(&mut self) -> Result<(), Error> {
        match (&self.destination.topics, self.destination.missing_topics) {
            (TopicNames::One(name), MissingTopics::Refuse) => self.target(name, (0, 0)).map(|_| ()),
            _ => Ok(()),
        }
    }

    /// Looks at the original times in `batch`, as far as the destinations are known.
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

    /// Sends to a target by a producer of these sizes. Nothing may be in flight to it.
    ///
    /// # Errors
    /// As of [`Connection::client_of`].
    pub(in crate::produce) fn change_sizes(
        &mut self,
        target: usize,
        sizes: Sizes,
    ) -> Result<(), Error> {
        let name = &self.targets[target].name;
        let client = self.connection.client_of(name, sizes)?;
        let handle = handle(&client, name)?;
        let target = &mut self.targets[target];
        (target.handle, target.sizes) = (handle, sizes);
        Ok(())
    }

    /// Gives all targets to the producers that take the place of those that were ended.
    ///
    /// # Errors
    /// As of [`Connection::client_of`].
    pub(in crate::produce) fn change_producers(&mut self) -> Result<(), Error> {
        for target in 0..self.targets.len() {
            self.change_sizes(target, self.targets[target].sizes)?;
        }
        Ok(())
    }

    /// The index of the target called `name`, if there is one by now.
    pub(in crate::produce) fn index_of(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The same target.
    pub(in crate::produce) fn target_called(&self, name: &str) -> Option<&Target> {
        self.index_of(name).map(|index| &self.targets[index])
    }

    /// Notes which topics have more partitions by now than before the first record.
    pub(in crate::produce) fn count_partitions_again(&mut self) {
        let listed = self.connection.list_for(self.targets.len());
        for target in &mut self.targets {
            let has = match &listed {
                Some(listed) => listed.get(&target.name).map(|shape| shape.partitions),
                None => {
                    let name = target.name.clone();
                    let question = move |client: &Client| client.metadata(&name, ASK_LIMIT);
                    // Who stops the run, and a cluster that is silent, is not asked for long.
                    let Some(Ok(metadata)) = self.connection.ask(question) else {
                        return;
                    };
                    let found = metadata
                        .topics
                        .iter()
                        .find(|topic| topic.name == target.name);
                    found.map(|topic| TopicShape::of(topic).partitions)
                }
            };
            target.partitions_at_end = has.filter(|has| *has > target.partitions.count);
        }
    }

    /// Bytes at which a record has a batch of its own.
    pub(in crate::produce) fn batch_size(&self, topic: &str) -> usize {
        let target = self.target_called(topic);
        target.map_or(usize::MAX, |target| target.sizes.batch_size)
    }

    /// Looks at what `batch` shows of the captured cluster.
    ///
    /// # Errors
    /// [`Error::SameCluster`] when that is the destination, and it was not asked for.
    pub(in crate::produce) fn check_source(&mut self, batch: &Batch) -> Result<(), Error> {
        self.renamings.meet(batch);
        self.compare(batch);
        self.check_shared()
    }

    pub(in crate::produce) fn compare(&mut self, batch: &Batch) {
        for captured in &batch.captured_from {
            let rejects = &mut self.connection.deliveries().account().rejects;
            rejects.note(captured);
        }
        let refuses = self.destination.captured_cluster == CapturedCluster::Refuse;
        if let Some(known) = self.connection.known()
            && refuses
            && !self.connection.is_rehearsal()
        {
            for captured in &batch.captured_from {
                self.comparison.look_at(known, captured);
            }
        }
    }

    pub(in crate::produce) fn check_shared(&mut self) -> Result<(), Error> {
        if let Some(shared) = self.comparison.shared() {
            return Err(Error::SameCluster {
                brokers: self.connection.brokers.clone(),
                shared,
            });
        }
        if let Some(note) = self.comparison.take_note() {
            self.connection.console.note(&note);
        }
        Ok(())
    }

    /// Partitions of all topics that records go to, as far as these are known.
    pub(in crate::produce) fn partitions(&self) -> usize {
        self.partitions
    }

    /// Where records of `topic` go.
    ///
    /// # Errors
    /// [`Error::TopicsMissing`] and [`Error::TopicRefused`]: the run cannot go on.
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

    /// Where a record goes whose topic the capture does not tell; none without `-t`.
    ///
    /// # Errors
    /// As of [`Router::route`].
    pub(in crate::produce) fn route_without_topic(&mut self) -> Result<Option<usize>, Error> {
        let Some(name) = self.renamings.destination(None) else {
            return Ok(None);
        };
        let captured = self.captured.most();
        self.target(&name, captured).map(Some)
    }

    /// The index of the target called `name`, which is looked at, or created, when it is new.
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
                let (captured, in_use) = captured;
                let missing_topics = self.destination.missing_topics;
                if missing_topics != MissingTopics::Refuse {
                    check_count(name, partitions_to_create(captured), in_use, missing_topics)?;
                }
                self.make_targets(&[(name, captured)])?;
            }
        }
        Ok(self.by_name[name])
    }

    /// What the destination says of the topics called `names`, in that order.
    ///
    /// # Errors
    /// [`Error::Config`] for a name that no topic has, [`Error::TopicRefused`].
    pub(in crate::produce) fn find(&self, names: &[&str]) -> Result<Vec<TopicState>, Error> {
        for name in names {
            if let Some(fault) = NameFault::of(name) {
                return Err(Error::config(format!(
                    "the records of a topic would go to `{name:.60}`: {fault}"
                )));
            }
        }
        self.connection.topic_states(names, self.control)
    }

    /// Whether there is a target called `name` by now.
    pub(in crate::produce) fn has_target(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Creates topics that are missing, given with the partitions that were captured of them, where
    /// that is wanted.
    ///
    /// # Errors
    /// [`Error::TopicsMissing`] where it is not, [`Error::TopicRefused`].
    pub(in crate::produce) fn make_targets(
        &mut self,
        missing: &[(&str, i32)],
    ) -> Result<(), Error> {
        if missing.is_empty() {
            return Ok(());
        }
        if self.destination.missing_topics == MissingTopics::Refuse {
            return Err(self.missing(missing));
        }
        let wanted = missing
            .iter()
            .map(|(name, captured)| (*name, partitions_to_create(*captured)));
        let wanted: Vec<(&str, i32)> = wanted.collect();
        let shapes = self.connection.create_topics(&wanted, self.control)?;
        let made: Vec<(&str, TopicShape)> =
            wanted.iter().map(|(name, _)| *name).zip(shapes).collect();
        let names: Vec<&str> = made.iter().map(|(name, _)| *name).collect();
        self.connection.check_writing(&names)?;
        self.add_targets(&made, Made::ByThisRun)
    }

    /// That topics are missing, each with the nearest one that there is.
    pub(in crate::produce) fn missing(&self, topics: &[(&str, i32)]) -> Error {
        let there = self.connection.topic_names();
        let there = || there.iter().map(String::as_str);
        let missing = topics.iter().map(|(name, captured)| MissingTopic {
            name: (*name).into(),
            captured_partitions: captured.unsigned_abs(),
            nearest: nearest(name, there()).map(str::to_owned),
        });
        Error::TopicsMissing {
            topics: missing.collect(),
            brokers: self.connection.brokers.clone(),
        }
    }

    /// Takes up topics of the destination.
    ///
    /// # Errors
    /// [`Error::TopicRefused`] and [`Error::Config`] of librdkafka's.
    pub(in crate::produce) fn add_targets(
        &mut self,
        topics: &[(&str, TopicShape)],
        made: Made,
    ) -> Result<(), Error> {
        let names: Vec<&str> = topics.iter().map(|(name, _)| *name).collect();
        let settings = self.connection.settings_of(&names);
        for ((name, shape), settings) in topics.iter().zip(settings) {
            self.add_target(name, *shape, settings, made)?;
        }
        Ok(())
    }

    fn add_target(
        &mut self,
        name: &str,
        shape: TopicShape,
        settings: TopicSettings,
        made: Made,
    ) -> Result<(), Error> {
        check_topics(self.targets.len() + 1)?;
        self.warnings
            .look_at(name, shape, &settings, self.destination);
        if self.announcement.is_some() {
            self.warnings.tell(&self.connection.console);
        }
        let sizes = self.connection.sizes_for(name, settings.max_message_bytes);
        let client = self.connection.client_of(name, sizes)?;
        let handle = handle(&client, name)?;
        self.partitions += shape.partitions.unsigned_abs() as usize;
        self.by_name.insert(name.into(), self.targets.len());
        self.connection.deliveries().add_target(name);
        self.targets.push(Target {
            name: name.into(),
            handle,
            partitions: TopicPartitions::new(shape.partitions),
            partitions_at_end: None,
            made,
            rules: settings.rules,
            limit: settings.max_message_bytes,
            former_limit: None,
            sizes,
        });
        Ok(())
    }

    /// The partition for a record of `target`, as librdkafka is to be told.
    ///
    /// # Errors
    /// [`Error::PartitionsMissing`] with `--partition keep`; the cluster's when a topic that this
    /// run has created cannot get the partition.
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
        // Those that it has by now were asked for by records.
        let in_use = usize::try_from(self.targets[target].partitions.count).unwrap_or_default();
        check_count(name, wanted, in_use, self.destination.missing_topics)?;
        if self.connection.grow_topic(name, wanted, self.control)? {
            self.targets[target].partitions.count = wanted;
        }
        Ok(())
    }
}

fn handle(client: &Arc<Client>, name: &str) -> Result<TopicHandle, Error> {
    TopicHandle::new(client, name).ok_or_else(|| Error::TopicRefused {
        topic: name.into(),
        action: "use",
        reason: "librdkafka does not take the name".into(),
    })
}
