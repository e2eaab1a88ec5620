//! The looks at the destination before the first record, by what is known of the source then: nothing
//! is sent when a topic or a partition is missing, or a renaming matches nothing, and all that is wrong
//! of one kind is named at once.

use std::collections::HashMap;

use super::captured::{CapturedPartitions, check_count};
use super::route::{Made, Router};
use crate::config::{MissingTopics, PartitionChoice, TopicNames};
use crate::error::{Error, MissingPartitions};
use crate::produce::connection::announce::Announcement;
use crate::produce::connection::topics::TopicState;
use crate::record::channel::Extent;
use crate::record::{Batch, Origin};

impl Router<'_> {
    /// Takes note of what is in `batch`, and of the cluster that it comes from.
    pub(in crate::produce) fn survey(&mut self, batch: &Batch) {
        self.compare(batch);
        self.renamings.meet(batch);
        self.captured.survey(batch);
    }

    /// Looks at the destinations of all topics that were surveyed, before anything is sent. `place`
    /// names where a record was read.
    ///
    /// # Errors
    /// What [`Router::check_source`] and [`Router::route`] say, and [`Error::Config`] for renamings
    /// that match nothing.
    pub(in crate::produce) fn look(
        &mut self,
        extent: Extent,
        place: impl Fn(Origin) -> String,
    ) -> Result<(), Error> {
        self.check_shared()?;
        self.renamings.check(extent)?;
        let wanted = self.wanted();
        self.find_targets(&wanted)?;
        self.check_partitions(&wanted, place)?;
        self.warnings.tell(&self.connection.console);
        if !self.connection.is_rehearsal() && !self.targets.is_empty() {
            let topics = self.targets.iter();
            let topics = topics.map(|target| (target.name.clone(), target.partitions));
            let announcement = Announcement::start(self.connection, topics.collect());
            self.announcement = Some(announcement);
        }
        Ok(())
    }

    /// The topics of the destination that the surveyed records go to, in the order of their first
    /// record, each with the captured partitions that go there.
    fn wanted(&self) -> Vec<(String, CapturedPartitions)> {
        let mut wanted: Vec<(String, CapturedPartitions)> = Vec::new();
        let mut indices = HashMap::new();
        let mut add = |name: String, partitions: &CapturedPartitions| {
            let index = *indices.entry(name.clone()).or_insert_with(|| {
                wanted.push((name, CapturedPartitions::default()));
                wanted.len() - 1
            });
            wanted[index].1.merge(partitions);
        };
        if let TopicNames::One(name) = &self.destination.topics
            && self.captured.has_records
        {
            // Records without a topic of their own go there, too.
            add(name.clone(), &CapturedPartitions::default());
        }
        for (topic, partitions) in self.captured.iter() {
            if let Some(name) = self.renamings.destination(topic) {
                add(name, partitions);
            }
        }
        wanted
    }

    /// Finds or makes all of `wanted`. None is made when another one cannot be used.
    fn find_targets(&mut self, wanted: &[(String, CapturedPartitions)]) -> Result<(), Error> {
        let is_new = |(name, _): &&(String, CapturedPartitions)| !self.has_target(name);
        let new: Vec<_> = wanted.iter().filter(is_new).collect();
        let names: Vec<&str> = new.iter().map(|(name, _)| name.as_str()).collect();
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for ((name, partitions), state) in new.iter().zip(self.find(&names)?) {
            match state {
                TopicState::Present(shape) => found.push((name.as_str(), shape)),
                TopicState::Missing => missing.push((name.as_str(), partitions.size())),
            }
        }
        if !missing.is_empty() && self.destination.missing_topics == MissingTopics::Refuse {
            return Err(self.missing(&counts(&missing)));
        }
        for (name, (partitions, in_use)) in &missing {
            let missing_topics = self.destination.missing_topics;
            check_count(name, (*partitions).max(1), *in_use, missing_topics)?;
        }
        let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
        self.connection.check_writing(&names)?;
        self.add_targets(&found, Made::Before)?;
        self.make_targets(&counts(&missing))
    }

    /// Looks for captured partitions that their topics lack, where they are to be kept.
    fn check_partitions(
        &self,
        wanted: &[(String, CapturedPartitions)],
        place: impl Fn(Origin) -> String,
    ) -> Result<(), Error> {
        if self.destination.partition != PartitionChoice::Keep {
            return Ok(());
        }
        let mut lacking = Vec::new();
        for (name, captured) in wanted {
            let Some(target) = self.target_called(name) else {
                continue;
            };
            let missing = captured.each.range(target.partitions..);
            let first = missing.clone().map(|(_, origin)| *origin).min();
            if let Some(first) = first {
                lacking.push(MissingPartitions {
                    topic: name.clone(),
                    partitions: target.partitions,
                    missing: missing.map(|(partition, _)| *partition).collect(),
                    place: place(first),
                });
            }
        }
        match lacking.is_empty() {
            true => Ok(()),
            false => Err(Error::PartitionsMissing { topics: lacking }),
        }
    }
}

/// Missing topics with their captured partitions, without how many of these are in use.
fn counts<'a>(missing: &[(&'a str, (i32, usize))]) -> Vec<(&'a str, i32)> {
    let missing = missing.iter();
    missing
        .map(|(name, (partitions, _))| (*name, *partitions))
        .collect()
}
