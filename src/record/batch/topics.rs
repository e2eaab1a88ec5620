//! The indices by which the records of a batch refer to its topics.

use std::collections::HashMap;

use crate::record::{CapturedTopic, TopicId};

/// The indices of a batch's topics.
#[derive(Debug, Default)]
pub(super) struct TopicNumbers {
    names: HashMap<String, u32>,
    ids: HashMap<TopicId, u32>,
    /// Bytes of the names.
    pub(super) bytes: usize,
}

impl TopicNumbers {
    pub(super) fn get(&self, topic: &CapturedTopic) -> Option<u32> {
        match topic {
            CapturedTopic::Name(name) => self.names.get(name).copied(),
            CapturedTopic::Id(id) => self.ids.get(id).copied(),
        }
    }

    pub(super) fn of_name(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }

    pub(super) fn add(&mut self, topic: &CapturedTopic, index: u32) {
        match topic {
            CapturedTopic::Name(name) => {
                self.bytes += name.len();
                self.names.insert(name.clone(), index);
            }
            CapturedTopic::Id(id) => {
                self.ids.insert(*id, index);
            }
        }
    }
}
