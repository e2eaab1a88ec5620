//! Where a record goes: its destination topic, looked at before the first record, and its
//! partition.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::acceptance::TopicRules;
use super::announce::Announcement;
use super::client::{ASK_LIMIT, Connection};
use super::control::Control;
use super::guard::Comparison;
use super::native::{Client, TopicHandle, UNASSIGNED, murmur2_partition};
use super::originals::Originals;
use super::sizes::Sizes;
use super::topics::TopicState;
use super::warnings::Warnings;
use crate::config::{CapturedCluster, Destination, MissingTopics, Partition, TopicNames};
use crate::error::Error;
use crate::record::{Batch, CapturedTopic, NameFault, TopicId};

/// A topic of the destination.
pub(super) struct Target {
    pub(super) name: String,
    pub(super) handle: TopicHandle,
    pub(super) partitions: i32,
    /// Whether this run has made it, and may so give it more partitions.
    created: bool,
    /// The next partition for a record without a key.
    turn: i32,
    /// Which records it does not take.
    pub(super) rules: TopicRules,
    /// `max.message.bytes`, where the cluster tells it.
    pub(super) limit: Option<usize>,
    /// What its producer sends at most.
    pub(super) sizes: Sizes,
}

/// So many topics are asked about at the end; the others are left to the next replay.
const MOST_ASKED_ABOUT: usize = 100;

/// What is known of a captured topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// Index of the target.
    To(usize),
    /// Known only by an id that no `--map` names.
    Unknown,
}

/// All targets met so far.
pub(super) struct Router<'a> {
    connection: &'a Connection,
    control: &'a Control,
    destination: &'a Destination,
    /// The captured ids and names of `--map`.
    renamed: HashMap<CapturedTopic, String>,
    pub(super) targets: Vec<Target>,
    /// Partitions seen of a captured topic before the first record was sent.
    captured: HashMap<CapturedTopic, i32>,
    /// The topics of `captured` in the order of their first record.
    surveyed: Vec<CapturedTopic>,
    /// Indices of `targets` by their names.
    by_name: HashMap<String, usize>,
    /// Partitions of all targets.
    partitions: usize,
    /// Topics that were asked for.
    met: HashSet<CapturedTopic>,
    warnings: Warnings,
    /// What the destination has in common with the captured cluster.
    comparison: Comparison,
    /// What was told of the destination before the first record.
    announcement: Option<Announcement>,
}

impl<'a> Router<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        destination: &'a Destination,
        control: &'a Control,
    ) -> Self {
        let renamed = match &destination.topics {
            TopicNames::One(_) => HashMap::new(),
            // The first of several for one topic counts.
            TopicNames::Mapped(map) => map
                .iter()
                .rev()
                .flat_map(|(from, to)| renamings(from, to))
                .collect(),
        };
        Self {
            connection,
            control,
            destination,
            renamed,
            targets: Vec::new(),
            captured: HashMap::new(),
            surveyed: Vec::new(),
            by_name: HashMap::new(),
            partitions: 0,
            met: HashSet::new(),
            warnings: Warnings::default(),
            comparison: Comparison::default(),
            announcement: None,
        }
    }

    /// The one topic of `-t` can be looked at before anything is read.
    ///
    /// # Errors
    /// As of [`Router::route`].
    pub(super) fn check_named_topic(&mut self) -> Result<(), Error> {
        match (&self.destination.topics, self.destination.missing_topics) {
            (TopicNames::One(name), MissingTopics::Refuse) => {
                self.target(&name.clone(), 1).map(|_| ())
            }
            _ => Ok(()),
        }
    }

    /// The names and ids of `--map` that no captured topic had.
    pub(super) fn unused_renamings(&self) -> Vec<&str> {
        let TopicNames::Mapped(map) = &self.destination.topics else {
            return Vec::new();
        };
        let met = |from: &str| {
            let renamings = renamings(from, "").into_iter();
            from == "*"
                || renamings
                    .map(|(topic, _)| topic)
                    .any(|topic| self.met.contains(&topic))
        };
        let unused = map.iter().map(|(from, _)| from.as_str());
        unused.filter(|from| !met(from)).collect()
    }

    /// Takes note of the partitions in `batch`, and of the cluster that it comes from.
    pub(super) fn survey(&mut self, batch: &Batch) {
        self.compare(batch);
        for record in &batch.records {
            let (Some(topic), Some(partition)) = (batch.topic(record), record.partition) else {
                continue;
            };
            let seen = partition.saturating_add(1);
            match self.captured.get_mut(topic) {
                Some(partitions) => *partitions = seen.max(*partitions),
                None => {
                    self.surveyed.push(topic.clone());
                    self.captured.insert(topic.clone(), seen);
                }
            }
        }
    }

    /// Looks at the destinations of all topics that were surveyed, before anything is sent.
    ///
    /// # Errors
    /// As of [`Router::route`] and [`Router::check_source`].
    pub(super) fn check_surveyed_topics(&mut self) -> Result<(), Error> {
        self.check_shared()?;
        let topics: Vec<CapturedTopic> = self.surveyed.clone();
        topics
            .iter()
            .try_for_each(|topic| self.route(topic).map(|_| ()))?;
        self.warnings.tell(&self.connection.console);
        if !self.connection.is_rehearsal() && !self.targets.is_empty() {
            let topics = self.targets.iter();
            let topics = topics.map(|target| (target.name.clone(), target.partitions));
            let announcement = Announcement::start(self.connection, topics.collect());
            self.announcement = Some(announcement);
        }
        Ok(())
    }

    /// Looks at the original times in `batch`, as far as the destinations are known.
    pub(super) fn look_at_times(&self, batch: &Batch, originals: &mut Originals) {
        let rules: Vec<_> = batch
            .topics
            .iter()
            .map(|topic| self.rules(self.destination_name(topic)))
            .collect();
        let untold = match &self.destination.topics {
            TopicNames::One(name) => self.rules(Some(name.clone())),
            TopicNames::Mapped(_) => None,
        };
        originals.look(batch, |topic| match topic {
            Some(index) => rules.get(index as usize).copied().flatten(),
            None => untold,
        });
    }

    fn rules(&self, destination: Option<String>) -> Option<(&str, &TopicRules)> {
        let name = destination?;
        let target = self.targets.iter().find(|target| target.name == name)?;
        Some((&target.name, &target.rules))
    }

    /// Sends to a target by a producer of these sizes. Nothing may be in flight to it.
    ///
    /// # Errors
    /// As of [`Connection::client_of`].
    pub(super) fn change_sizes(&mut self, target: usize, sizes: Sizes) -> Result<(), Error> {
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
    pub(super) fn change_producers(&mut self) -> Result<(), Error> {
        for target in 0..self.targets.len() {
            self.change_sizes(target, self.targets[target].sizes)?;
        }
        Ok(())
    }

    /// Says which topics have more partitions by now than when they were looked at.
    pub(super) fn tell_new_partitions(&self) {
        for target in self.targets.iter().take(MOST_ASKED_ABOUT) {
            let (name, had) = (target.name.clone(), target.partitions);
            let answer = self
                .connection
                .ask(move |client| client.metadata(&name, ASK_LIMIT));
            // Who stops the run, and a cluster that is silent, is not asked for long.
            let Some(Ok(metadata)) = answer else {
                return;
            };
            let mut topics = metadata.topics.iter();
            let found = topics.find(|topic| topic.name == target.name);
            let has = found.map_or(0, |topic| topic.partitions.len());
            if has > usize::try_from(had).unwrap_or(usize::MAX) {
                self.connection.console.note(&format!(
                    "topic `{}` has {has} partitions now, and had {had} when it was looked at: the new ones \
                     got none of these records",
                    target.name
                ));
            }
        }
    }

    /// Bytes at which a record has a batch of its own.
    pub(super) fn batch_size(&self, topic: &str) -> usize {
        let target = self.targets.iter().find(|target| target.name == topic);
        target.map_or(usize::MAX, |target| target.sizes.batch_size)
    }

    /// Looks at what `batch` tells of the captured cluster.
    ///
    /// # Errors
    /// [`Error::SameCluster`] when that is the destination, and it was not asked for.
    pub(super) fn check_source(&mut self, batch: &Batch) -> Result<(), Error> {
        self.compare(batch);
        self.check_shared()
    }

    fn compare(&mut self, batch: &Batch) {
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

    fn check_shared(&mut self) -> Result<(), Error> {
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

    /// Where records of `topic` go.
    ///
    /// # Errors
    /// [`Error::TopicMissing`] and [`Error::TopicRefused`]: the run cannot go on.
    pub(super) fn route(&mut self, topic: &CapturedTopic) -> Result<Route, Error> {
        if !self.met.contains(topic) {
            self.met.insert(topic.clone());
        }
        let Some(name) = self.destination_name(topic) else {
            return Ok(Route::Unknown);
        };
        let captured = match &self.destination.topics {
            TopicNames::One(_) => self.captured.values().max().copied(),
            TopicNames::Mapped(_) => self.captured.get(topic).copied(),
        };
        self.target(&name, captured.unwrap_or(1)).map(Route::To)
    }

    /// Where a record goes whose topic the capture does not tell; none without `-t`.
    ///
    /// # Errors
    /// As of [`Router::route`].
    pub(super) fn route_untold(&mut self) -> Result<Option<usize>, Error> {
        let TopicNames::One(name) = &self.destination.topics else {
            return Ok(None);
        };
        let captured = self.captured.values().max().copied().unwrap_or(1);
        self.target(&name.clone(), captured).map(Some)
    }

    fn destination_name(&self, topic: &CapturedTopic) -> Option<String> {
        let map = match &self.destination.topics {
            TopicNames::One(name) => return Some(name.clone()),
            TopicNames::Mapped(map) => map,
        };
        if let Some(to) = self.renamed.get(topic) {
            return Some(to.clone());
        }
        let CapturedTopic::Name(name) = topic else {
            return None;
        };
        let others = map.iter().find(|(from, _)| from == "*");
        Some(others.map_or_else(|| name.clone(), |(_, to)| to.replace("{topic}", name)))
    }

    /// The index of the target called `name`, which is looked at, or created, when it is new.
    fn target(&mut self, name: &str, captured: i32) -> Result<usize, Error> {
        if let Some(known) = self.by_name.get(name) {
            return Ok(*known);
        }
        if let Some(fault) = NameFault::of(name) {
            return Err(Error::config(format!(
                "the records of a topic would go to `{name:.60}`: {fault}"
            )));
        }
        let (shape, created) = match self.connection.topic_state(name, self.control)? {
            TopicState::Present(shape) => (shape, false),
            TopicState::Missing if self.destination.missing_topics == MissingTopics::Create => {
                let shape = self.connection.create_topic(name, captured, self.control)?;
                (shape, true)
            }
            TopicState::Missing => {
                return Err(Error::TopicMissing {
                    topic: name.into(),
                    brokers: self.connection.brokers.clone(),
                    captured_partitions: captured.unsigned_abs(),
                });
            }
        };
        let settings = self.connection.topic_settings(name);
        self.warnings
            .look_at(name, shape, &settings, self.destination);
        if self.announcement.is_some() {
            self.warnings.tell(&self.connection.console);
        }
        let sizes = self.connection.sizes_for(name, settings.max_message_bytes);
        let client = self.connection.client_of(name, sizes)?;
        let handle = handle(&client, name)?;
        self.partitions += shape.partitions.unsigned_abs() as usize;
        self.connection.deliveries().budget.widen(self.partitions);
        self.by_name.insert(name.into(), self.targets.len());
        self.targets.push(Target {
            name: name.into(),
            handle,
            partitions: shape.partitions,
            created,
            turn: 0,
            rules: settings.rules,
            limit: settings.max_message_bytes,
            sizes,
        });
        Ok(self.targets.len() - 1)
    }

    /// The partition for a record of `target`, as librdkafka is to be told.
    ///
    /// # Errors
    /// [`Error::PartitionMissing`] with `--partition keep`; the cluster's when a topic that this
    /// run has created cannot get the partition.
    pub(super) fn partition(
        &mut self,
        target: usize,
        captured: Option<i32>,
        key: Option<&[u8]>,
        place: impl FnOnce() -> String,
    ) -> Result<i32, Error> {
        let how = self.destination.partition;
        let keeps = matches!(how, Partition::Auto | Partition::Keep);
        if let Some(partition) = captured.filter(|_| keeps) {
            if partition >= self.targets[target].partitions {
                self.grow(target, partition)?;
            }
            let target = &self.targets[target];
            if partition < target.partitions {
                return Ok(partition);
            }
            if how == Partition::Keep {
                let (topic, partitions) = (target.name.clone(), target.partitions);
                return Err(Error::PartitionMissing {
                    topic,
                    partition,
                    partitions,
                    place: place(),
                });
            }
        }
        let target = &mut self.targets[target];
        Ok(match (how, key) {
            (Partition::Any, _) | (Partition::Key, None) => UNASSIGNED,
            // Where captured partitions are kept beside it, the choice is made here: librdkafka's
            // partitioner and explicit partitions do not mix before it knows the topic.
            (_, Some(key)) => murmur2_partition(key, target.partitions),
            (_, None) => {
                target.turn = (target.turn + 1) % target.partitions;
                target.turn
            }
        })
    }

    fn grow(&mut self, target: usize, partition: i32) -> Result<(), Error> {
        let Target {
            name,
            created: true,
            ..
        } = &self.targets[target]
        else {
            return Ok(());
        };
        let wanted = partition.saturating_add(1);
        if self.connection.grow_topic(name, wanted, self.control)? {
            self.targets[target].partitions = wanted;
        }
        Ok(())
    }
}

/// FROM may be a name, or an id in any spelling.
fn renamings(from: &str, to: &str) -> Vec<(CapturedTopic, String)> {
    if from == "*" {
        return Vec::new();
    }
    let to_name = to.replace("{topic}", from);
    let mut renamings = vec![(CapturedTopic::Name(from.into()), to_name)];
    renamings.extend(TopicId::parse(from).map(|id| (CapturedTopic::Id(id), to.into())));
    renamings
}

fn handle(client: &Arc<Client>, name: &str) -> Result<TopicHandle, Error> {
    TopicHandle::new(client, name).ok_or_else(|| Error::TopicRefused {
        topic: name.into(),
        action: "use",
        reason: "librdkafka does not take the name".into(),
    })
}
