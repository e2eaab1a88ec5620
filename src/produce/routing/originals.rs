//! Checks the original timestamps before the first record: a topic that keeps records for a week accepts
//! older ones, acknowledges them, and deletes them minutes later.

use std::collections::HashMap;

use super::acceptance::{TopicRules, now_ms};
use crate::error::Error;
use crate::record::Batch;
use crate::record::select::known_timestamp_ms;
use crate::report::rendering::figures::{count, span};

/// What was seen of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TopicAges {
    looked_at: u64,
    expired: u64,
    oldest_ms: i64,
    keeps_ms: i64,
}

/// The original times of records that wait to be sent.
#[derive(Debug)]
pub(in crate::produce) struct OriginalTimes {
    now_ms: i64,
    topics: HashMap<String, TopicAges>,
}

impl OriginalTimes {
    pub(in crate::produce) fn new() -> Self {
        Self {
            now_ms: now_ms(),
            topics: HashMap::new(),
        }
    }

    /// Checks the records of a batch; `rules` returns the destination and the rules of a captured topic by
    /// its index in the batch.
    pub(in crate::produce) fn look<'r>(
        &mut self,
        batch: &Batch,
        rules: impl Fn(Option<u32>) -> Option<(&'r str, &'r TopicRules)>,
    ) {
        let mut last = (None, rules(None));
        for record in &batch.records {
            if record.topic != last.0 {
                last = (record.topic, rules(record.topic));
            }
            let (Some((topic, rules)), Some(timestamp_ms)) = (last.1, known_timestamp_ms(record))
            else {
                continue;
            };
            let Some(keeps_ms) = rules.keeps_ms() else {
                continue;
            };
            if !self.topics.contains_key(topic) {
                let none = TopicAges {
                    looked_at: 0,
                    expired: 0,
                    oldest_ms: timestamp_ms,
                    keeps_ms,
                };
                self.topics.insert(topic.to_owned(), none);
            }
            let Some(ages) = self.topics.get_mut(topic) else {
                continue;
            };
            ages.looked_at += 1;
            ages.oldest_ms = ages.oldest_ms.min(timestamp_ms);
            ages.expired += u64::from(rules.expires(timestamp_ms, self.now_ms).is_some());
        }
    }

    /// Refuses the first topic, by name, that would delete some of them at once.
    ///
    /// # Errors
    /// Returns [`Error::OriginalsExpired`] for that topic.
    pub(in crate::produce) fn check(&self) -> Result<(), Error> {
        let too_old = self.topics.iter().filter(|(_, ages)| ages.expired > 0);
        let Some((topic, ages)) = too_old.min_by_key(|(topic, _)| *topic) else {
            return Ok(());
        };
        let age_ms = self.now_ms.saturating_sub(ages.oldest_ms);
        let counts = (ages.expired, ages.looked_at);
        Err(expired(topic, age_ms, ages.keeps_ms, counts))
    }
}

/// Says how many of the checked originals are too old for a topic.
pub(in crate::produce) fn expired(
    topic: &str,
    age_ms: i64,
    keeps_ms: i64,
    (expired, looked_at): (u64, u64),
) -> Error {
    let (age, keeps) = (span(age_ms), span(keeps_ms));
    let originals = match expired == looked_at {
        true => format!("originals are {age} old"),
        false => format!(
            "{expired} of the first {} are too old, up to {age}",
            count(looked_at, "original")
        ),
    };
    Error::OriginalsExpired {
        message: format!("{originals}, but `{topic}` keeps {keeps}: they would be deleted at once"),
    }
}
