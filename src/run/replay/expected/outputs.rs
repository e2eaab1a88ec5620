//! Notes the topics of the destination before the first record is sent: where they end, and which of them the
//! user may not read. Then checks that those being read still exist.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use crate::cluster::native::offsets::LogEnd;
use crate::cluster::native::topic_ids::FoundTopic;
use crate::cluster::reader::{Isolation, LogReader};
use crate::error::{Error, Right};
use crate::record::TopicId;

/// How often to check that topics still exist.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where a partition ended before the first record was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutputEnd {
    /// The end for a reader of committed records.
    pub(super) stable: i64,
    /// The end for a reader of all records.
    pub(super) high: i64,
}

impl OutputEnd {
    /// The end for a reader of these records.
    pub(super) fn of(self, isolation: Isolation) -> i64 {
        match isolation {
            Isolation::Committed => self.stable,
            Isolation::Uncommitted => self.high,
        }
    }
}

/// Topics that may be outputs.
#[derive(Debug, Default)]
pub(super) struct OutputTopics {
    brokers: String,
    /// The ends of each topic, partition by partition.
    ends: BTreeMap<String, Vec<OutputEnd>>,
    /// Topics that the user may see but not read.
    denied: BTreeSet<String>,
}

impl OutputTopics {
    /// Notes where topics end, given with their numbers of partitions.
    ///
    /// # Errors
    /// Returns an error if the cluster does not say where they end.
    pub(super) fn look(
        reader: &mut LogReader,
        brokers: &str,
        topics: impl Iterator<Item = (String, i32)>,
    ) -> Result<Self, Error> {
        let ends = ends_of(reader, topics)?;
        let names: Vec<&str> = ends.keys().map(String::as_str).collect();
        let denied = reader.denied(&names).into_iter().collect();
        Ok(Self {
            brokers: brokers.to_owned(),
            ends,
            denied,
        })
    }

    /// Where the partitions of a topic ended.
    pub(super) fn ends(&self, topic: &str) -> Option<&[OutputEnd]> {
        self.ends.get(topic).map(Vec::as_slice)
    }

    /// Finds out whether the topics called `wanted` can be read.
    ///
    /// # Errors
    /// Returns [`Error::OutputsMissing`] or [`Error::RightMissing`], which names all topics that it applies to.
    pub(super) fn check<'a>(&self, wanted: impl Iterator<Item = &'a String>) -> Result<(), Error> {
        let (there, missing): (Vec<&String>, Vec<&String>) =
            wanted.partition(|topic| self.ends.contains_key(*topic));
        let brokers = self.brokers.clone();
        if !missing.is_empty() {
            let topics = missing.into_iter().cloned().collect();
            return Err(Error::OutputsMissing { topics, brokers });
        }
        let denied = there.into_iter().filter(|t| self.denied.contains(*t));
        let topics: Vec<String> = denied.cloned().collect();
        match topics.is_empty() {
            true => Ok(()),
            false => Err(Error::RightMissing {
                right: Right::Read { topics },
                brokers,
            }),
        }
    }
}

/// Checks that topics still exist: librdkafka reports nothing to a reader when a topic is deleted.
pub(super) struct TopicPresence {
    looked: Instant,
    ids: HashMap<String, TopicId>,
    /// Topics that the last answer lacked.
    missing: BTreeSet<String>,
}

impl TopicPresence {
    pub(super) fn new() -> Self {
        Self {
            looked: Instant::now(),
            ids: HashMap::new(),
            missing: BTreeSet::new(),
        }
    }

    /// Asks the cluster for topics from time to time.
    ///
    /// # Errors
    /// Returns [`Error::TopicRefused`] for a topic that is gone.
    pub(super) fn check<'a>(
        &mut self,
        reader: &LogReader,
        topics: impl Iterator<Item = &'a str>,
    ) -> Result<(), Error> {
        if self.looked.elapsed() < LOOK_EVERY {
            return Ok(());
        }
        self.looked = Instant::now();
        let topics: Vec<&str> = topics.collect();
        if topics.is_empty() {
            return Ok(());
        }
        let gone = self.gone(reader.ids(&topics));
        gone.map_or(Ok(()), |(topic, why)| Err(reader.unread(&topic, why)))
    }

    /// A topic that is gone according to this answer, and what became of it.
    fn gone(&mut self, found: Vec<(String, FoundTopic)>) -> Option<(String, &'static str)> {
        let mut missing = BTreeSet::new();
        for (topic, found) in found {
            match found {
                FoundTopic::Id(id) if *self.ids.entry(topic.clone()).or_insert(id) != id => {
                    return Some((topic, "it was deleted and created again"));
                }
                FoundTopic::Missing => _ = missing.insert(topic),
                FoundTopic::Id(_) | FoundTopic::Unknown => {}
            }
        }
        // One broker may hear of a topic later than another.
        let twice = missing.intersection(&self.missing).next().cloned();
        self.missing = missing;
        twice.map(|topic| (topic, "it was deleted during the run"))
    }
}

/// Where topics end, partition by partition. The stable ends come first, so that they do not lie after the
/// others.
fn ends_of(
    reader: &mut LogReader,
    topics: impl Iterator<Item = (String, i32)>,
) -> Result<BTreeMap<String, Vec<OutputEnd>>, Error> {
    let each = |(topic, count): (String, i32)| (0..count).map(move |n| (topic.clone(), n));
    let partitions: Vec<(String, i32)> = topics.flat_map(each).collect();
    let stable = reader.offsets(&partitions, LogEnd::LastStable)?;
    let high = reader.offsets(&partitions, LogEnd::High)?;
    let mut ends: BTreeMap<String, Vec<OutputEnd>> = BTreeMap::new();
    for ((topic, _), (stable, high)) in partitions.into_iter().zip(stable.into_iter().zip(high)) {
        let of_topic = ends.entry(topic).or_default();
        of_topic.push(OutputEnd { stable, high });
    }
    Ok(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_before_what_may_not_be_read() {
        let end = OutputEnd { stable: 3, high: 5 };
        let topics = ["open", "closed", "locked"].map(|name| (name.to_owned(), vec![end]));
        let outputs = OutputTopics {
            brokers: "localhost:9092".into(),
            ends: BTreeMap::from(topics),
            denied: BTreeSet::from(["closed", "locked"].map(str::to_owned)),
        };
        let check = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let checked = outputs.check(names.iter());
            checked.map_err(|error| (error.to_string(), error.exit().code()))
        };
        assert_eq!(check(&["open"]), Ok(()));
        let said = "topic `gone` does not exist on localhost:9092";
        let found = check(&["closed", "gone", "open"]);
        assert_eq!(found, Err((said.to_owned(), 3)));
        let said = "the user may not read from localhost:9092: the right `Read` on topics `closed`, `locked` is missing";
        let found = check(&["closed", "open", "locked"]);
        assert_eq!(found, Err((said.to_owned(), 3)));
    }

    #[test]
    fn a_topic_is_gone_when_two_answers_lack_it_or_its_id_has_changed() {
        let id = |text: &str| FoundTopic::Id(TopicId::parse(text).expect("an id"));
        let (one, other) = (id("F6sC8x-GQPaI5g9Nn7Nhwg"), id("4jfhP0BF2SmV6Nl7qrdn9Q"));
        let answer = |found| vec![("invoices".to_owned(), found)];
        let deleted = Some(("invoices".to_owned(), "it was deleted during the run"));
        let again = Some(("invoices".to_owned(), "it was deleted and created again"));
        for (answers, expected) in [
            (vec![one, one, FoundTopic::Unknown, one], None),
            (
                vec![one, FoundTopic::Missing, one, FoundTopic::Missing],
                None,
            ),
            (vec![one, FoundTopic::Missing, FoundTopic::Missing], deleted),
            (vec![one, other], again),
        ] {
            let mut presence = TopicPresence::new();
            let gone = answers
                .into_iter()
                .map(|found| presence.gone(answer(found)));
            assert_eq!(gone.last(), Some(expected));
        }
    }
}
