//! Topics under two identities: Fetches of version 13 and later know a topic only by its id (KIP-516), older
//! ones by its name. This file applies `--topic-id`, notes which ids occur, and finds the name under which
//! the same batches occur as under an id without a name.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::config::TopicIdNames;
use crate::config::nearest;
use crate::record::{Batch, CapturedTopic, Origin, Record, TopicId};
use crate::report::{ProblemKind, Tally};

/// How many ids are kept to name them, and how many topics have their batches compared. A capture has more
/// only if a path leads to something that is not a topic.
const MOST_TOPICS: usize = 1000;
/// How many batches are kept for the comparison, over all topics: 2 MB. If there are more, only a part of
/// them is kept, the same part under every identity.
const MOST_BATCHES: usize = 1 << 15;
/// How many ids are named if a given one does not occur.
const MOST_NAMED: usize = 10;

/// What is known about the topics of a run.
#[derive(Debug)]
pub(in crate::extract) struct Identities {
    given: TopicIdNames,
    ids: HashSet<TopicId>,
    has_records: bool,
    batches: SeenBatches,
}

/// What identifies a batch under another identity of its topic: its place, and the checksum that its producer
/// gave it. If the capture has no CRC (a CSV, record lines, a profile of the user's own), the time, key and
/// value of the first record seen of it are compared instead; and if it has no base offset, each record is a
/// batch of its own.
#[derive(Debug, Clone, Copy)]
pub(in crate::extract) struct BatchMark {
    pub(in crate::extract) base_offset: Option<i64>,
    pub(in crate::extract) crc: Option<i64>,
}

impl BatchMark {
    /// The mark of records that come without their batches.
    pub(in crate::extract) const NONE: Self = Self {
        base_offset: None,
        crc: None,
    };
}

impl Identities {
    pub(in crate::extract) fn new(given: &TopicIdNames) -> Self {
        Self {
            given: given.clone(),
            ids: HashSet::new(),
            has_records: false,
            batches: SeenBatches::default(),
        }
    }

    /// The name that the user gives the topic with this id.
    pub(in crate::extract) fn given(&self, id: TopicId) -> Option<&str> {
        self.given.name(id)
    }

    /// Gives `record` the name that the user gives its topic, if it is known only by its id.
    pub(in crate::extract) fn name(&mut self, batch: &mut Batch, record: &mut Record) {
        let Some(CapturedTopic::Id(id)) = batch.topic(record) else {
            return;
        };
        let id = *id;
        self.observe_id(id);
        if let Some(name) = self.given.name(id) {
            record.topic = Some(batch.topic_index_of_name(name));
        }
    }

    /// Takes note of an id that occurs.
    pub(in crate::extract) fn observe_id(&mut self, id: TopicId) {
        self.has_records = true;
        if self.ids.len() < MOST_TOPICS || self.given.name(id).is_some() {
            self.ids.insert(id);
        }
    }

    /// Notes a record of `batch`, under its current name.
    pub(in crate::extract) fn observe(&mut self, batch: &Batch, record: &Record, mark: BatchMark) {
        self.has_records = true;
        let base = mark.base_offset.or(record.offset);
        if let (Some(topic), Some(partition), Some(base)) =
            (batch.topic(record), record.partition, base)
        {
            let proof = || match mark.crc {
                Some(crc) => hash_of(&(1, crc)),
                None => {
                    let bytes = |span| batch.slice(span);
                    let (key, value) = (record.key.map(bytes), record.value.map(bytes));
                    hash_of(&(2, record.timestamp_ms, key, value))
                }
            };
            self.batches.observe(topic, (partition, base), proof);
        }
    }

    /// Reports, after everything was read, ids that occur without a name, and names that belong to no id.
    pub(in crate::extract) fn finish(&self, tally: &mut Tally) {
        for (id, name) in self.batches.names() {
            tally.unresolved.occurs_as(id, name);
        }
        // In an empty input no id is misspelt.
        if !self.has_records {
            return;
        }
        let given = self.given.iter();
        let unmatched = given.filter(|(id, _)| !self.ids.contains(id));
        let whys: Vec<String> = unmatched.map(|(id, name)| self.explain(id, name)).collect();
        let whole = Origin { input: 0, line: 0 };
        for _ in &whys {
            let problems = &mut tally.problems;
            problems.add(ProblemKind::TopicIdUnmatched, whole, || whys.join("; "));
        }
    }

    /// The message about an id that does not occur.
    fn explain(&self, id: TopicId, name: &str) -> String {
        let text = format!("`--topic-id {id}={name}` matches nothing: no topic has this id");
        let mut ids: Vec<String> = self.ids.iter().map(TopicId::to_string).collect();
        ids.sort_unstable();
        let wanted = id.to_string();
        if let Some(nearest) = nearest::nearest(&wanted, ids.iter().map(String::as_str)) {
            return nearest::with_nearest(text, Some(nearest));
        }
        let shown = &ids[..ids.len().min(MOST_NAMED)];
        match (shown, ids.len() - shown.len()) {
            ([], _) => format!("{text}, and the capture contains no topic ids"),
            (shown, 0) => format!("{text}, only {}", shown.join(", ")),
            (shown, more) => format!("{text}, only {} and {more} more", shown.join(", ")),
        }
    }
}

/// Batches by topic, in memory that does not grow with them.
#[derive(Debug)]
struct SeenBatches {
    topics: Vec<CapturedTopic>,
    indices: HashMap<CapturedTopic, usize>,
    /// What proves that it is the same batch, by its topic and the hash of its place.
    proofs: HashMap<(usize, u64), u64>,
    /// Places with higher hashes are left out.
    highest: u64,
    last: Option<(usize, (i32, i64))>,
}

impl Default for SeenBatches {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            indices: HashMap::new(),
            proofs: HashMap::new(),
            highest: u64::MAX,
            last: None,
        }
    }
}

impl SeenBatches {
    fn observe(&mut self, topic: &CapturedTopic, place: (i32, i64), proof: impl FnOnce() -> u64) {
        let Some(index) = self.index(topic) else {
            return;
        };
        // The records of a batch follow each other.
        if self.last == Some((index, place)) {
            return;
        }
        self.last = Some((index, place));
        let place = hash_of(&place);
        if place > self.highest {
            return;
        }
        self.proofs.insert((index, place), proof());
        if self.proofs.len() > MOST_BATCHES {
            self.highest /= 2;
            let highest = self.highest;
            self.proofs.retain(|(_, place), _| *place <= highest);
        }
    }

    fn index(&mut self, topic: &CapturedTopic) -> Option<usize> {
        if let Some((last, _)) = self.last
            && self.topics[last] == *topic
        {
            return Some(last);
        }
        if let Some(index) = self.indices.get(topic) {
            return Some(*index);
        }
        let index = self.topics.len();
        (index < MOST_TOPICS).then(|| {
            self.topics.push(topic.clone());
            self.indices.insert(topic.clone(), index);
            index
        })
    }

    /// The ids whose batches also occur under a name: of several names the one with the most of them, and
    /// `None` if two have equally many.
    fn names(&self) -> Vec<(TopicId, &str)> {
        let mut named: HashMap<(u64, u64), Vec<&str>> = HashMap::new();
        for ((topic, place), proof) in &self.proofs {
            if let CapturedTopic::Name(name) = &self.topics[*topic] {
                named.entry((*place, *proof)).or_default().push(name);
            }
        }
        let mut shared: BTreeMap<String, (TopicId, BTreeMap<&str, u64>)> = BTreeMap::new();
        for ((topic, place), proof) in &self.proofs {
            if let CapturedTopic::Id(id) = &self.topics[*topic]
                && let Some(names) = named.get(&(*place, *proof))
            {
                let (_, counts) = shared
                    .entry(id.to_string())
                    .or_insert_with(|| (*id, BTreeMap::new()));
                for name in names {
                    *counts.entry(name).or_default() += 1;
                }
            }
        }
        let best = |(id, counts): (TopicId, BTreeMap<&'_ str, u64>)| {
            let most = counts.values().max().copied()?;
            let mut best = counts.iter().filter(|(_, n)| **n == most);
            match (best.next(), best.next()) {
                (Some((name, _)), None) => {
                    let name = self.topics.iter().find_map(|topic| match topic {
                        CapturedTopic::Name(known) if known == name => Some(known.as_str()),
                        _ => None,
                    })?;
                    Some((id, name))
                }
                _ => None,
            }
        };
        shared.into_values().filter_map(best).collect()
    }
}

fn hash_of(thing: &impl Hash) -> u64 {
    // The hasher is the same in every run, so that what is found does not depend on chance.
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "F6sC8x-GQPaI5g9Nn7Nhwg";

    fn id(text: &str) -> TopicId {
        TopicId::parse(text).expect("an id")
    }

    fn named(name: &str) -> CapturedTopic {
        CapturedTopic::Name(name.into())
    }

    fn seen(batches: &[(CapturedTopic, i32, i64, u64)]) -> SeenBatches {
        let mut seen = SeenBatches::default();
        for (topic, partition, base, proof) in batches {
            seen.observe(topic, (*partition, *base), || *proof);
        }
        seen
    }

    #[test]
    fn an_id_is_matched_to_the_topic_with_the_same_batches() {
        let by_id = || CapturedTopic::Id(id(ID));
        let seen_as = |others: &[(&str, i32, i64, u64)]| {
            let mut batches = vec![
                (by_id(), 0, 0, 11),
                (by_id(), 0, 50, 12),
                (by_id(), 1, 0, 13),
            ];
            let others = others.iter();
            batches.extend(others.map(|(name, p, base, crc)| (named(name), *p, *base, *crc)));
            let seen = seen(&batches);
            let names = seen.names();
            names.first().map(|(_, name)| (*name).to_owned())
        };
        let orders = Some("orders".to_owned());
        assert_eq!(seen_as(&[("orders", 0, 50, 12)]), orders);
        // The place alone proves nothing, and neither does the checksum.
        assert_eq!(
            seen_as(&[("orders", 0, 50, 99), ("orders", 0, 51, 12)]),
            None
        );
        let two = [
            ("orders", 0, 0, 11),
            ("orders", 1, 0, 13),
            ("copy", 0, 0, 11),
        ];
        assert_eq!(seen_as(&two), orders);
        assert_eq!(seen_as(&[("orders", 0, 0, 11), ("copy", 0, 0, 11)]), None);
    }

    #[test]
    fn an_id_is_matched_in_bounded_memory() {
        let mut seen = SeenBatches::default();
        for base in 0..400_000_i64 {
            seen.observe(&named("orders"), (0, base), || base.unsigned_abs());
        }
        for base in 200_000..300_000_i64 {
            seen.observe(&CapturedTopic::Id(id(ID)), (0, base), || {
                base.unsigned_abs()
            });
        }
        assert!(seen.proofs.len() <= MOST_BATCHES);
        assert_eq!(seen.names(), [(id(ID), "orders")]);
    }

    #[test]
    fn an_unknown_id_is_reported_with_those_that_occur() {
        let given = TopicIdNames::of([(id(ID), "orders".to_owned())]);
        let said = |ids: &[&str]| {
            let mut identities = Identities::new(&given);
            identities.has_records = true;
            ids.iter().for_each(|text| identities.observe_id(id(text)));
            let mut tally = Tally::default();
            identities.finish(&mut tally);
            let mut problems = tally.problems.iter();
            problems.next().map(|problem| problem.why.clone())
        };
        assert_eq!(said(&[ID]), None);
        let begins = format!("`--topic-id {ID}=orders` matches nothing: no topic has this id");
        let none = format!("{begins}, and the capture contains no topic ids");
        assert_eq!(said(&[]), Some(none));
        let near = format!("{begins} (did you mean `F6sC8x-GQPaI5g9Nn7Nhww`?)");
        let others = ["4jfhP0BF2SmV6Nl7qrdn9Q", "F6sC8x-GQPaI5g9Nn7Nhww"];
        // Only the last letter differs, which is one that an id can end with.
        assert_eq!(said(&others), Some(near));
        let other = format!("{begins}, only 4jfhP0BF2SmV6Nl7qrdn9Q");
        assert_eq!(said(&others[..1]), Some(other));
    }
}
