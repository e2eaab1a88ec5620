//! Says whether two sets of records are the same, and where they differ. This is pure: the caller adds the
//! records to one side or the other, in any interleaving, and asks at the end.
//!
//! Records of one topic and key have an order, all others have none: that is the dependence that Kafka
//! itself keeps. So records are compared topic by topic and key by key (`group/`), values as JSON where
//! they are JSON (`content.rs`, `difference.rs`).
//!
//! A record costs its hash and its place, up to [`MOST_REMEMBERED`]. Contents are kept to show what differs,
//! up to [`MOST_KEPT`]; beyond that a difference is counted and named by its place only.

mod content;
mod difference;
mod group;
mod key;
mod learn;
mod noise;
mod terms;

use std::collections::{HashMap, hash_map};

use self::content::ComparedContent;
pub(crate) use self::content::LONGEST_JSON;
pub(crate) use self::difference::{Difference, DifferenceHalf, HEADER};
use self::group::{Entry, KeyGroup, KeyScope};
use self::key::ComparedKey;
pub(crate) use self::learn::NoiseLearner;
use self::noise::IdMapping;
pub(crate) use self::terms::{
    Ignore, NoisePart, NoiseRule, RecordPlace, Rules, Side, Subject, ValueStep,
};
use crate::config::Depth;
use crate::error::Error;
use crate::report::Compared;
use crate::report::rendering::figures::{HumanCount, whole_mib};

/// The most bytes of contents that are kept to show what differs. Those of equal records are dropped when it
/// is reached, so that only a comparison with this much difference loses any.
const MOST_KEPT: usize = 64 << 20;

/// The most bytes of the hashes and places of all records, and of their keys: 22 million records without a
/// key, or 6 million if each key has one on both sides.
const MOST_REMEMBERED: usize = 2 << 30;
/// What a record costs: lists have room for twice as many.
const RECORD_COST: usize = 2 * size_of::<Entry>();
/// What the first record of a key costs besides: lists of four on both sides, and a table that is half full,
/// or grows.
const GROUP_COST: usize = 3 * size_of::<(GroupKey, KeyGroup)>() + 4 * size_of::<Entry>();
/// What an id costs that has to stay the same: in its record, and in the table of all ids.
const ID_COST: usize = 64;

/// The records of a topic and key; those without a key form one group without an order.
type GroupKey = (u32, Option<ComparedKey>);

/// Two sets of records, as far as they are known.
pub(crate) struct RecordComparison {
    rules: Rules,
    topics: Vec<TopicTotals>,
    numbers: HashMap<String, u32>,
    groups: HashMap<GroupKey, KeyGroup>,
    /// Bytes of contents in all groups.
    kept: usize,
    most_kept: usize,
    /// Bytes of everything else.
    remembered: usize,
    most_remembered: usize,
    keeping: Keeping,
}

/// Whether contents are still kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeping {
    Open,
    /// So much differs that there is no room for more.
    Full,
}

/// The records of one topic by number.
struct TopicTotals {
    name: String,
    expected: u64,
    observed: u64,
}

impl RecordComparison {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            topics: Vec::new(),
            numbers: HashMap::new(),
            groups: HashMap::new(),
            kept: 0,
            most_kept: MOST_KEPT,
            remembered: 0,
            most_remembered: MOST_REMEMBERED,
            keeping: Keeping::Open,
        }
    }

    /// Adds a record to one side. Within a side, records of one topic and key come in their order.
    ///
    /// # Errors
    /// Returns [`Error::Config`] if there are more records than can be remembered.
    pub(crate) fn add(&mut self, side: Side, subject: &Subject<'_>) -> Result<(), Error> {
        let topic = self.topic(subject.topic);
        let counted = &mut self.topics[topic as usize];
        match side {
            Side::Expected => counted.expected += 1,
            Side::Observed => counted.observed += 1,
        }
        if self.rules.depth == Depth::Counts {
            return Ok(());
        }
        if self.remembered > self.most_remembered {
            return Err(self.too_many());
        }
        let content = ComparedContent::of(subject, self.rules.headers);
        let (hash, ids) = content.hash(&self.rules, subject.topic);
        let size = content.size();
        if self.kept + size > self.most_kept && self.keeping == Keeping::Open {
            self.free_equal();
        }
        let is_kept = self.kept + size <= self.most_kept && self.keeping == Keeping::Open;
        self.remembered += ids.len() * ID_COST;
        let group = match self.groups.entry((topic, subject.key.map(ComparedKey::of))) {
            hash_map::Entry::Occupied(group) => group.into_mut(),
            hash_map::Entry::Vacant(group) => {
                self.remembered += GROUP_COST + group.key().1.as_ref().map_or(0, ComparedKey::size);
                group.insert(KeyGroup::default())
            }
        };
        let entry = Entry {
            hash,
            ids: ids.into_boxed_slice(),
            place: subject.place,
            content: is_kept.then(|| Box::new(content)),
        };
        let gone = match self.rules.depth {
            Depth::Last => group.replace(side, entry),
            _ => {
                self.remembered += RECORD_COST;
                group.push(side, entry)
            }
        };
        self.kept = self.kept + if is_kept { size } else { 0 } - gone;
        Ok(())
    }

    fn too_many(&self) -> Error {
        let records = self
            .topics
            .iter()
            .map(|topic| topic.expected + topic.observed);
        Error::Config {
            message: format!(
                "comparing the records would take more than {}, for {} records",
                whole_mib(self.most_remembered as u64),
                HumanCount(records.sum::<u64>())
            ),
            hint: Some(
                "`--topics` selects some of them; `--expect-count` compares only their number"
                    .into(),
            ),
        }
    }

    fn topic(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.topics.len()).expect("fewer topics than records");
        self.topics.push(TopicTotals {
            name: name.to_owned(),
            expected: 0,
            observed: 0,
        });
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// Drops the contents of records that both sides have. If that frees less than half of them, nothing more
    /// is kept: looking through all groups again and again would be quadratic.
    fn free_equal(&mut self) {
        for group in self.groups.values_mut() {
            self.kept -= group.free_equal();
        }
        if self.kept > self.most_kept / 2 {
            self.keeping = Keeping::Full;
        }
    }

    /// Compares the sides; `show` gets each difference, topic by topic and key by key, in order. Returns the
    /// counts of each topic, in the order of the topics' names.
    pub(crate) fn finish(self, mut show: impl FnMut(&Difference<'_>)) -> Vec<(String, Compared)> {
        let mut counts: Vec<Compared> = self.topics.iter().map(|_| Compared::default()).collect();
        if self.rules.depth == Depth::Counts {
            for (topic, counts) in self.topics.iter().zip(&mut counts) {
                counts.equal = topic.expected.min(topic.observed);
                counts.missing = topic.expected - counts.equal;
                counts.extra = topic.observed - counts.equal;
            }
        }
        let mut mapping = IdMapping::default();
        let mut groups: Vec<_> = self.groups.iter().collect();
        let name = |topic: u32| self.topics[topic as usize].name.as_str();
        groups.sort_unstable_by_key(|((topic, key), _)| (name(*topic), key));
        for ((topic, key), group) in groups {
            let scope = KeyScope {
                rules: &self.rules,
                topic: name(*topic),
                key: key.as_ref().map(ComparedKey::shown),
            };
            let found = group.compare(scope, &mut mapping, &mut show);
            counts[*topic as usize].add(&found);
        }
        let names = self.topics.into_iter().map(|topic| topic.name);
        let mut counts: Vec<_> = names.zip(counts).collect();
        counts.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        counts
    }
}

#[cfg(test)]
mod tests;
