//! Records whose topic is known only by an id, from an input that cannot be read ahead: they wait for the
//! name within bounds, in order, so that a name that comes a little later is not too late.

use std::collections::HashMap;

use super::aborted::Visibility;
use super::topic_ids::TopicIds;
use crate::record::{Batch, Record, TopicId};

/// The most bytes that all waiting records may take.
const MOST_BYTES: usize = 16 << 20;

/// Records of one topic, in order.
#[derive(Debug, Default)]
pub(in crate::extract) struct PendingRecords {
    pub(in crate::extract) batch: Batch,
    given: Vec<Visibility>,
}

impl PendingRecords {
    pub(in crate::extract) fn records(&self) -> impl Iterator<Item = (&Record, Visibility)> {
        self.batch.records.iter().zip(self.given.iter().copied())
    }
}

/// All waiting records, by their topic's id.
#[derive(Debug, Default)]
pub(in crate::extract) struct PendingTopicIds {
    topics: HashMap<TopicId, PendingRecords>,
    /// Ids in the order of their first record.
    order: Vec<TopicId>,
    weight: usize,
}

impl PendingTopicIds {
    /// Keeps a copy of `record`; `false` if there is no room.
    pub(in crate::extract) fn hold(
        &mut self,
        id: TopicId,
        batch: &Batch,
        record: &Record,
        given: Visibility,
    ) -> bool {
        if self.weight >= MOST_BYTES {
            return false;
        }
        if !self.topics.contains_key(&id) {
            self.order.push(id);
        }
        let pending = self.topics.entry(id).or_default();
        let before = pending.batch.weight();
        pending.batch.push_copy(batch, record);
        pending.given.push(given);
        self.weight += pending.batch.weight() - before;
        true
    }

    /// The records of a topic whose name is known by now.
    pub(in crate::extract) fn take_known(
        &mut self,
        ids: &TopicIds,
    ) -> Option<(TopicId, PendingRecords)> {
        let at = self.order.iter().position(|id| ids.known(*id).is_some())?;
        let id = self.order.remove(at);
        let pending = self.topics.remove(&id)?;
        self.weight -= pending.batch.weight();
        Some((id, pending))
    }

    /// All records that still wait.
    pub(in crate::extract) fn take_all(&mut self) -> Vec<PendingRecords> {
        self.weight = 0;
        self.order
            .drain(..)
            .filter_map(|id| self.topics.remove(&id))
            .collect()
    }
}
