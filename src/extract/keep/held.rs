//! Records whose topic is known only by an id, from an input that cannot be read ahead: they wait
//! for the name within bounds, in order, so that a name that comes a little later is not too late.

use std::collections::HashMap;

use super::aborted::Given;
use super::topic_ids::TopicIds;
use crate::record::{Batch, Record, TopicId};

/// Bytes that all waiting records may take.
const MOST_BYTES: usize = 16 << 20;

/// Records of one topic, in order.
#[derive(Debug, Default)]
pub(in crate::extract) struct HeldRecords {
    pub(in crate::extract) batch: Batch,
    given: Vec<Given>,
}

impl HeldRecords {
    pub(in crate::extract) fn records(&self) -> impl Iterator<Item = (&Record, Given)> {
        self.batch.records.iter().zip(self.given.iter().copied())
    }
}

/// All waiting records, by their topic's id.
#[derive(Debug, Default)]
pub(in crate::extract) struct Held {
    topics: HashMap<TopicId, HeldRecords>,
    /// Ids in the order of their first record.
    order: Vec<TopicId>,
    weight: usize,
}

impl Held {
    /// Keeps a copy of `record`; `false` when there is no room.
    pub(in crate::extract) fn hold(
        &mut self,
        id: TopicId,
        batch: &Batch,
        record: &Record,
        given: Given,
    ) -> bool {
        if self.weight >= MOST_BYTES {
            return false;
        }
        if !self.topics.contains_key(&id) {
            self.order.push(id);
        }
        let held = self.topics.entry(id).or_default();
        let before = held.batch.weight();
        held.batch.push_copy(batch, record);
        held.given.push(given);
        self.weight += held.batch.weight() - before;
        true
    }

    /// Records of a topic whose name is known by now.
    pub(in crate::extract) fn take_known(
        &mut self,
        ids: &TopicIds,
    ) -> Option<(TopicId, HeldRecords)> {
        let at = self.order.iter().position(|id| ids.known(*id).is_some())?;
        let id = self.order.remove(at);
        let held = self.topics.remove(&id)?;
        self.weight -= held.batch.weight();
        Some((id, held))
    }

    /// All that still wait.
    pub(in crate::extract) fn take_all(&mut self) -> Vec<HeldRecords> {
        self.weight = 0;
        self.order
            .drain(..)
            .filter_map(|id| self.topics.remove(&id))
            .collect()
    }
}
