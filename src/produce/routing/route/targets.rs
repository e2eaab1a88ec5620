//! The topics of the destination: how they are found or created, what kreplay knows about them, and by which producers
//! they are sent.

use std::sync::Arc;

use super::{Made, Router, Target};
use crate::cluster::native::{Client, TopicHandle};
use crate::config::nearest::nearest;
use crate::error::{Error, MissingTopic};
use crate::produce::connection::client::ASK_LIMIT;
use crate::produce::connection::topics::{TopicSettings, TopicShape, TopicState};
use crate::produce::routing::placement::{MissingTopicFate, TopicPartitions, check_topics};
use crate::produce::routing::sizes::Sizes;
use crate::record::NameFault;

impl Router<'_> {
    /// What the destination says about the topics called `names`, in that order.
    ///
    /// # Errors
    /// Returns [`Error::Config`] for a name that no topic has, and [`Error::TopicRefused`] if the cluster does not
    /// answer.
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

    /// The topics to create of those that are missing, with their numbers of partitions. `missing` has one more than
    /// the highest captured partition of each, and how many are in use.
    ///
    /// # Errors
    /// Returns [`Error::TopicsMissing`] with all that are refused, and [`Error::Config`] for one that would get too
    /// many partitions.
    pub(in crate::produce) fn judge_missing<'n>(
        &self,
        missing: &[(&'n str, (i32, usize))],
    ) -> Result<Vec<(&'n str, i32)>, Error> {
        let (mut to_create, mut refused) = (Vec::new(), Vec::new());
        for (name, captured) in missing {
            let how = self.destination.missing_topics;
            match MissingTopicFate::of(name, Some(*captured), how)? {
                MissingTopicFate::Created(partitions) => to_create.push((*name, partitions)),
                MissingTopicFate::Refused | MissingTopicFate::Waits => {
                    refused.push((*name, captured.0));
                }
            }
        }
        match refused.is_empty() {
            true => Ok(to_create),
            false => Err(self.missing(&refused)),
        }
    }

    /// Creates topics with these numbers of partitions.
    ///
    /// # Errors
    /// Returns [`Error::TopicRefused`] if the cluster refuses.
    pub(in crate::produce) fn make_targets(&mut self, wanted: &[(&str, i32)]) -> Result<(), Error> {
        if wanted.is_empty() {
            return Ok(());
        }
        let shapes = self.connection.create_topics(wanted, self.control)?;
        let made: Vec<(&str, TopicShape)> =
            wanted.iter().map(|(name, _)| *name).zip(shapes).collect();
        let names: Vec<&str> = made.iter().map(|(name, _)| *name).collect();
        self.connection.check_writing(&names)?;
        self.add_targets(&made, Made::ByThisRun)
    }

    /// The error for missing topics, each with the nearest existing one.
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

    /// Adds topics of the destination, with their settings.
    ///
    /// # Errors
    /// Returns [`Error::TopicRefused`], and [`Error::Config`] for properties that librdkafka does not accept.
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
            self.warnings.print(&self.connection.console);
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

    /// Moves a target to a producer of these sizes. Nothing may be in flight to it.
    ///
    /// # Errors
    /// Fails as [`Connection::client_of`](crate::produce::connection::client::Connection::client_of) does.
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

    /// Moves all targets to the producers that replace the ended ones.
    ///
    /// # Errors
    /// Fails as [`Connection::client_of`](crate::produce::connection::client::Connection::client_of) does.
    pub(in crate::produce) fn change_producers(&mut self) -> Result<(), Error> {
        for target in 0..self.targets.len() {
            self.change_sizes(target, self.targets[target].sizes)?;
        }
        Ok(())
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
                    // If the run stops or the cluster is silent, more answers are not worth the wait.
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
}

fn handle(client: &Arc<Client>, name: &str) -> Result<TopicHandle, Error> {
    TopicHandle::new(client, name).ok_or_else(|| Error::TopicRefused {
        topic: name.into(),
        action: "use",
        reason: "librdkafka does not accept the name".into(),
    })
}
