//! The destination's topics as a plan knows them: as the cluster describes them, or as kreplay assumes them if it
//! asks no cluster.

use std::collections::HashMap;

use super::target::{FoundTarget, PlannedTarget};
use crate::config::Destination;
use crate::error::{Error, MissingPartitions};
use crate::produce::connection::announce::Announcement;
use crate::produce::connection::client::Connection;
use crate::produce::connection::creation::check_creation;
use crate::produce::connection::topics::{TopicSettings, TopicState};
use crate::produce::routing::originals::OriginalTimes;
use crate::produce::routing::placement::{
    CapturedTopics, MissingTopicFate, Renamings, check_count, destinations, partitions_to_create,
};
use crate::produce::routing::route::Router;
use crate::produce::routing::sizes::SizeWishes;
use crate::record::channel::Extent;
use crate::record::{Batch, CapturedTopic, MOST_CREATED_PARTITIONS, NameFault, Origin};
use crate::report::TopicStanding;

/// All topics that records go to.
pub(super) struct PlannedTopics<'a> {
    destination: &'a Destination,
    /// Asks the cluster; `None` if kreplay asks no cluster.
    router: Option<Router<'a>>,
    pub(super) renamings: Renamings<'a>,
    pub(super) captured: CapturedTopics,
    wishes: SizeWishes,
    pub(super) targets: Vec<PlannedTarget>,
    by_name: HashMap<String, usize>,
    /// Partitions of all of them.
    partitions: usize,
    /// What is wrong with a replay into this cluster.
    failures: Vec<Error>,
    /// The line that says who reads the topics.
    announcement: Option<Announcement>,
}

impl<'a> PlannedTopics<'a> {
    pub(super) fn new(destination: &'a Destination, router: Option<Router<'a>>) -> Self {
        Self {
            destination,
            router,
            renamings: Renamings::new(&destination.topics),
            captured: CapturedTopics::new(destination.partition),
            wishes: SizeWishes::of(&destination.properties),
            targets: Vec::new(),
            by_name: HashMap::new(),
            partitions: 0,
            failures: Vec::new(),
            announcement: None,
        }
    }

    /// Notes what is known about the source before its first record is sent.
    pub(super) fn observe(&mut self, batch: &Batch) {
        self.meet(batch);
        self.captured.observe(batch);
    }

    /// Notes the topics of records, and the cluster that they come from.
    pub(super) fn meet(&mut self, batch: &Batch) {
        self.renamings.meet(batch);
        if let Some(router) = &mut self.router {
            router.compare(batch);
        }
    }

    /// Checks the topics that the observed records go to.
    ///
    /// # Errors
    /// Returns [`Error::Config`] for renamings that match nothing.
    pub(super) fn look(&mut self, extent: Extent) -> Result<(), Error> {
        self.renamings.check(extent)?;
        let wanted = destinations(&self.renamings, &self.captured).into_iter();
        let wanted: Vec<(String, (i32, usize))> = wanted
            .map(|(name, partitions)| (name, partitions.size()))
            .collect();
        self.add(&wanted)?;
        let present = self.targets.iter();
        let present = present.filter(|target| target.standing == TopicStanding::Present);
        let present: Vec<(String, i32)> = present
            .map(|target| (target.name.clone(), target.partitions.count))
            .collect();
        if let Some(connection) = self.connection()
            && !present.is_empty()
        {
            self.announcement = Some(Announcement::start(connection, present));
        }
        Ok(())
    }

    /// Where records of `topic` go; `None` if only its id is known, or it has no name at all, unless
    /// all go to one topic.
    ///
    /// # Errors
    /// Returns [`Error::Config`] as [`PlannedTopics::look`] does.
    pub(super) fn route(&mut self, topic: Option<&CapturedTopic>) -> Result<Option<usize>, Error> {
        let Some(name) = self.renamings.destination(topic) else {
            return Ok(None);
        };
        if let Some(known) = self.by_name.get(&name) {
            return Ok(Some(*known));
        }
        let captured = match topic {
            Some(topic) if self.renamings.destination(None).is_none() => self.captured.count(topic),
            _ => self.captured.most(),
        };
        self.add(&[(name.clone(), captured)])?;
        Ok(self.by_name.get(&name).copied())
    }

    /// Checks the original times in `batch`, as far as a cluster says what its topics keep.
    pub(super) fn look_at_times(&self, batch: &Batch, originals: &mut OriginalTimes) {
        if self.router.is_none() {
            return;
        }
        let rules = |topic| {
            let destination = self.renamings.destination(topic)?;
            let target = &self.targets[*self.by_name.get(&destination)?];
            Some((target.name.as_str(), &target.rules))
        };
        let known: Vec<_> = batch
            .topics
            .iter()
            .map(|topic| rules(Some(topic)))
            .collect();
        let without_topic = rules(None);
        originals.look(batch, |topic| match topic {
            Some(index) => known.get(index as usize).copied().flatten(),
            None => without_topic,
        });
    }

    /// Partitions of all topics, as far as these are known.
    pub(super) fn partitions(&self) -> usize {
        self.partitions
    }

    /// Adds the partition that a record has to keep to a topic that is created for the capture, or assumed.
    ///
    /// # Errors
    /// Returns [`Error::Config`] or [`Error::TopicRefused`] for more partitions than a topic is created with.
    pub(super) fn grow(&mut self, target: usize, partition: i32) -> Result<(), Error> {
        let target = &mut self.targets[target];
        if target.standing == TopicStanding::Present || partition >= MOST_CREATED_PARTITIONS {
            return Ok(());
        }
        let wanted = partition.saturating_add(1);
        if target.standing == TopicStanding::Created {
            let in_use = usize::try_from(target.partitions.count).unwrap_or_default();
            check_count(
                &target.name,
                wanted,
                in_use,
                self.destination.missing_topics,
            )?;
        }
        let more = wanted.saturating_sub(target.partitions.count);
        self.partitions += more.unsigned_abs() as usize;
        target.partitions.count = wanted;
        Ok(())
    }

    /// What limits the records of a topic, in words.
    pub(super) fn describe_limit(&self, target: usize) -> String {
        self.wishes.describe(self.targets[target].limit)
    }

    /// Adds new topics, given with their captured partitions.
    fn add(&mut self, wanted: &[(String, (i32, usize))]) -> Result<(), Error> {
        for (name, _) in wanted {
            if let Some(fault) = NameFault::of(name) {
                return Err(Error::config(format!(
                    "the records of a topic would go to `{name:.60}`: {fault}"
                )));
            }
        }
        let found = self.find(wanted);
        self.look_at(found)
    }

    /// Finds each of `wanted` at the destination.
    fn find<'n>(&mut self, wanted: &'n [(String, (i32, usize))]) -> Vec<FoundTarget<'n>> {
        let Some(router) = &self.router else {
            let assumed = |(name, captured): &'n (String, (i32, usize))| FoundTarget {
                name,
                captured: *captured,
                standing: TopicStanding::Assumed,
                shape: None,
            };
            return wanted.iter().map(assumed).collect();
        };
        let names: Vec<&str> = wanted.iter().map(|(name, _)| name.as_str()).collect();
        let states = match router.find(&names) {
            Ok(states) => states.into_iter().map(Ok).collect(),
            // One topic that cannot be described says nothing about the others.
            Err(_) => names
                .iter()
                .map(|name| one(router, name))
                .collect::<Vec<_>>(),
        };
        let found = wanted.iter().zip(states).map(|((name, captured), state)| {
            let (standing, shape) = match state {
                Ok(TopicState::Present(shape)) => (TopicStanding::Present, Some(shape)),
                Ok(TopicState::Missing) => (TopicStanding::Missing, None),
                Err(error) => {
                    self.failures.push(error);
                    (TopicStanding::Refused, None)
                }
            };
            FoundTarget {
                name,
                captured: *captured,
                standing,
                shape,
            }
        });
        found.collect()
    }

    /// Adds topics with their settings.
    fn look_at(&mut self, found: Vec<FoundTarget<'_>>) -> Result<(), Error> {
        let present = |found: &&FoundTarget<'_>| found.shape.is_some();
        let names: Vec<&str> = found
            .iter()
            .filter(present)
            .map(|found| found.name)
            .collect();
        let mut settings = self.settings(&names).into_iter();
        for mut found in found {
            let described = found.shape.and_then(|_| settings.next());
            if let (Some(shape), Some(settings), Some(router)) =
                (found.shape, &described, &mut self.router)
            {
                let warnings = &mut router.warnings;
                warnings.look_at(found.name, shape, settings, self.destination);
            }
            let how = self.destination.missing_topics;
            if found.standing == TopicStanding::Missing
                && let MissingTopicFate::Created(_) =
                    MissingTopicFate::of(found.name, Some(found.captured), how)?
            {
                found.standing = TopicStanding::Created;
            }
            if matches!(
                found.standing,
                TopicStanding::Created | TopicStanding::Assumed
            ) {
                let partitions = partitions_to_create(found.captured.0);
                self.failures
                    .extend(check_creation(found.name, partitions).err());
            }
            self.push(&found, described);
        }
        if let Some(router) = &mut self.router {
            router.warnings.print(&router.connection.console);
        }
        Ok(())
    }

    /// The settings of the topics called `names`. Notes if the user may not write to them.
    fn settings(&mut self, names: &[&str]) -> Vec<TopicSettings> {
        let Some(connection) = self.connection() else {
            return Vec::new();
        };
        let writing = connection.check_writing(names);
        let settings = connection.settings_of(names);
        self.failures.extend(writing.err());
        settings
    }

    fn connection(&self) -> Option<&'a Connection> {
        self.router.as_ref().map(|router| router.connection)
    }

    fn push(&mut self, found: &FoundTarget<'_>, described: Option<TopicSettings>) {
        let target = PlannedTarget::new(found, described, &self.wishes);
        self.partitions += target.partitions.count.unsigned_abs() as usize;
        self.by_name.insert(found.name.into(), self.targets.len());
        self.targets.push(target);
    }

    /// What is wrong with the replay as a whole, once all of the source is known; `place` names where a record was
    /// read.
    pub(super) fn take_failures(&mut self, place: impl Fn(Origin) -> String) -> Vec<Error> {
        let mut failures = Vec::new();
        if let Some(router) = &mut self.router {
            failures.extend(router.check_shared().err());
            let missing = self.targets.iter();
            let missing = missing.filter(|target| target.standing == TopicStanding::Missing);
            let missing: Vec<(&str, i32)> = missing
                .map(|target| (target.name.as_str(), target.partitions.count))
                .collect();
            if !missing.is_empty() {
                failures.push(router.missing(&missing));
            }
        }
        failures.append(&mut self.failures);
        let lacking = self.targets.iter();
        let lacking = lacking.filter_map(|target| target.missing_partitions(&place));
        let topics: Vec<MissingPartitions> = lacking.collect();
        if !topics.is_empty() {
            failures.push(Error::PartitionsMissing { topics });
        }
        failures
    }
}

fn one(router: &Router<'_>, name: &str) -> Result<TopicState, Error> {
    let mut state = router.find(&[name])?;
    Ok(state.pop().unwrap_or(TopicState::Missing))
}
