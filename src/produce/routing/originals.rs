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
        Self::at(now_ms())
    }

    /// Checks times as they are at `now_ms`.
    pub(in crate::produce) fn at(now_ms: i64) -> Self {
        Self {
            now_ms,
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
            self.look_at(topic, rules, timestamp_ms);
        }
    }

    /// Checks the time of one record that goes to `topic`.
    pub(in crate::produce) fn look_at(
        &mut self,
        topic: &str,
        rules: &TopicRules,
        timestamp_ms: i64,
    ) {
        let Some(keeps_ms) = rules.keeps_ms() else {
            return;
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
            return;
        };
        ages.looked_at += 1;
        ages.oldest_ms = ages.oldest_ms.min(timestamp_ms);
        ages.expired += u64::from(rules.expires(timestamp_ms, self.now_ms).is_some());
    }

    /// Refuses the first topic, by name, that would delete some of them at once. A run that has sent nothing ends
    /// with this error; a later record that is too old is left out alone.
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
fn expired(topic: &str, age_ms: i64, keeps_ms: i64, (expired, looked_at): (u64, u64)) -> Error {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-27T00:00:00Z.
    const NOW: i64 = 1_795_737_600_000;
    const DAY: i64 = 86_400_000;

    fn rules(settings: &[(&str, &str)]) -> TopicRules {
        let owned = settings.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        TopicRules::of(&owned.collect::<Vec<_>>())
    }

    fn said(seen: &[(&str, &TopicRules, i64)]) -> Option<String> {
        let mut originals = OriginalTimes::at(NOW);
        for (topic, rules, days) in seen {
            originals.look_at(topic, rules, NOW - days * DAY);
        }
        originals.check().err().map(|error| error.to_string())
    }

    #[test]
    fn a_run_is_refused_for_the_first_topic_that_would_delete_an_original_at_once() {
        let week = rules(&[("cleanup.policy", "delete"), ("retention.ms", "604800000")]);
        let for_ever = rules(&[("cleanup.policy", "compact"), ("retention.ms", "604800000")]);
        assert_eq!(said(&[]), None);
        assert_eq!(said(&[("a", &week, 6), ("b", &for_ever, 900)]), None);
        let one = said(&[("a", &week, 8)]).expect("it is too old");
        assert!(
            one.contains("originals are 8 days old, but `a` keeps 7 days"),
            "{one}"
        );
        let mixed = said(&[("z", &week, 9), ("b", &week, 6), ("b", &week, 8)]);
        let mixed = mixed.expect("one is too old");
        let words = "1 of the first 2 originals are too old, up to 8 days, but `b` keeps 7 days";
        assert!(mixed.contains(words), "{mixed}");
    }
}
