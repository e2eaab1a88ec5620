//! Checks the destination before the first record, by what is known about the source then: nothing is sent if
//! a topic or a partition is missing, or if a renaming matches nothing, and everything that is wrong of one
//! kind is named at once.

use super::placement::{CapturedPartitions, check_topics, destinations};
use super::route::{Made, Router};
use crate::config::PartitionChoice;
use crate::error::{Error, MissingPartitions};
use crate::produce::connection::announce::Announcement;
use crate::produce::connection::topics::TopicState;
use crate::record::channel::Extent;
use crate::record::{Batch, Origin};

impl Router<'_> {
    /// Notes what is in `batch`, and the cluster that it comes from.
    pub(in crate::produce) fn observe(&mut self, batch: &Batch) {
        self.compare(batch);
        self.renamings.meet(batch);
        self.captured.observe(batch);
    }

    /// Checks the destinations of all topics that were counted, before anything is sent. `place` names where
    /// a record was read.
    ///
    /// # Errors
    /// Fails as [`Router::check_source`] and [`Router::route`] do, and returns [`Error::Config`] for
    /// renamings that match nothing.
    pub(in crate::produce) fn look(
        &mut self,
        extent: Extent,
        place: impl Fn(Origin) -> String,
    ) -> Result<(), Error> {
        self.check_shared()?;
        self.renamings.check(extent)?;
        let wanted = destinations(&self.renamings, &self.captured);
        self.find_targets(&wanted)?;
        self.check_partitions(&wanted, place)?;
        self.warnings.print(&self.connection.console);
        if !self.connection.is_rehearsal() && !self.targets.is_empty() {
            let topics = self.targets.iter();
            let topics = topics.map(|target| (target.name.clone(), target.partitions.count));
            let announcement = Announcement::start(self.connection, topics.collect());
            self.announcement = Some(announcement);
        }
        Ok(())
    }

    /// Finds or creates all of `wanted`. Creates none if another one cannot be used.
    fn find_targets(&mut self, wanted: &[(String, CapturedPartitions)]) -> Result<(), Error> {
        let is_new = |(name, _): &&(String, CapturedPartitions)| !self.has_target(name);
        let new: Vec<_> = wanted.iter().filter(is_new).collect();
        check_topics(self.targets.len() + new.len())?;
        let names: Vec<&str> = new.iter().map(|(name, _)| name.as_str()).collect();
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for ((name, partitions), state) in new.iter().zip(self.find(&names)?) {
            match state {
                TopicState::Present(shape) => found.push((name.as_str(), shape)),
                TopicState::Missing => missing.push((name.as_str(), partitions.size())),
            }
        }
        let to_create = self.judge_missing(&missing)?;
        let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
        self.connection.check_writing(&names)?;
        self.add_targets(&found, Made::Before)?;
        self.make_targets(&to_create)
    }

    /// Finds captured partitions that their topics lack, if they have to be kept.
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
            let missing = captured.each.range(target.partitions.count..);
            let first = missing.clone().map(|(_, origin)| *origin).min();
            if let Some(first) = first {
                lacking.push(MissingPartitions {
                    topic: name.clone(),
                    partitions: target.partitions.count,
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
