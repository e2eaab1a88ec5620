//! The topics of a batch, each once: records refer to them by their indices.

use std::collections::HashMap;

use super::Batch;
use crate::record::{CapturedTopic, Record, TopicId};

/// The indices of a batch's topics.
#[derive(Debug, Default)]
pub(super) struct TopicNumbers {
    names: HashMap<String, u32>,
    ids: HashMap<TopicId, u32>,
    /// Bytes of the names.
    pub(super) bytes: usize,
}

impl TopicNumbers {
    fn get(&self, topic: &CapturedTopic) -> Option<u32> {
        match topic {
            CapturedTopic::Name(name) => self.names.get(name).copied(),
            CapturedTopic::Id(id) => self.ids.get(id).copied(),
        }
    }

    fn add(&mut self, topic: &CapturedTopic, index: u32) {
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

impl Batch {
    /// The index of `topic` in [`Batch::topics`], which gains it when it is new.
    pub(crate) fn topic_index(&mut self, topic: &CapturedTopic) -> u32 {
        self.topic_numbers.get(topic).unwrap_or_else(|| {
            let index = u32::try_from(self.topics.len()).expect("fewer topics than records");
            self.topics.push(topic.clone());
            self.topic_numbers.add(topic, index);
            index
        })
    }

    /// The index of a topic by its name, which is not copied when it is known.
    pub(crate) fn topic_index_of_name(&mut self, name: &str) -> u32 {
        // Mostly it is that of the record before, which costs no look-up.
        let last = self.records.last().and_then(|record| record.topic);
        let is_named = |index: &u32| matches!(&self.topics[*index as usize], CapturedTopic::Name(n) if n == name);
        if let Some(last) = last.filter(is_named) {
            return last;
        }
        match self.topic_numbers.names.get(name) {
            Some(index) => *index,
            None => self.topic_index(&CapturedTopic::Name(name.to_string())),
        }
    }

    /// The index of `topic`, which mostly is the topic of the record before.
    pub(super) fn topic_index_of(&mut self, topic: &CapturedTopic) -> u32 {
        let last = self.records.last().and_then(|record| record.topic);
        match last.filter(|last| self.topics[*last as usize] == *topic) {
            Some(last) => last,
            None => self.topic_index(topic),
        }
    }

    /// The topic of `record`, where the capture names one.
    pub(crate) fn topic(&self, record: &Record) -> Option<&CapturedTopic> {
        record.topic.map(|index| &self.topics[index as usize])
    }
}
