//! The records of one topic and key on both sides, and which of them belong together.
//!
//! Equal records are matched first. The others are paired by the smallest difference (`pairing.rs`): one record
//! with another value is one change, not a missing record and an extra one.

mod pairing;

use std::collections::{HashMap, VecDeque};

use super::content::ComparedContent;
use super::difference::{Changes, Difference, DifferenceHalf};
use super::noise::{IdMapping, IdSeen};
use super::terms::{RecordPlace, Rules, Side};
use crate::report::{Compared, DifferenceKind};

/// One record of a side.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) hash: u64,
    /// The ids at paths where one old value has one new value.
    pub(super) ids: Box<[IdSeen]>,
    pub(super) place: RecordPlace,
    /// `None` once it is freed.
    pub(super) content: Option<Box<ComparedContent>>,
}

impl Entry {
    fn half(&self) -> DifferenceHalf<'_> {
        DifferenceHalf {
            place: self.place,
            content: self.content.as_deref(),
        }
    }

    /// Frees the content; returns its bytes.
    fn free(&mut self) -> usize {
        self.content.take().map_or(0, |content| content.size())
    }
}

/// The records of one topic and key.
#[derive(Debug, Default)]
pub(super) struct KeyGroup {
    expected: Vec<Entry>,
    observed: Vec<Entry>,
}

/// The terms by which a group is compared.
#[derive(Clone, Copy)]
pub(super) struct KeyScope<'a> {
    pub(super) rules: &'a Rules,
    pub(super) topic: &'a str,
    pub(super) key: Option<&'a [u8]>,
}

/// Which records of both sides are equal, by their indices.
struct Matches {
    /// In the order of the observed records.
    pairs: Vec<(usize, usize)>,
    repeated: Vec<usize>,
    missing: Vec<usize>,
    extra: Vec<usize>,
}

impl KeyGroup {
    fn side(&mut self, side: Side) -> &mut Vec<Entry> {
        match side {
            Side::Expected => &mut self.expected,
            Side::Observed => &mut self.observed,
        }
    }

    /// Adds a record; returns the bytes of contents that are freed.
    pub(super) fn push(&mut self, side: Side, entry: Entry) -> usize {
        self.side(side).push(entry);
        0
    }

    /// Replaces the record before it with this one; returns the bytes that are freed.
    pub(super) fn replace(&mut self, side: Side, entry: Entry) -> usize {
        let entries = self.side(side);
        let gone = entries.iter_mut().map(Entry::free).sum();
        entries.clear();
        entries.push(entry);
        gone
    }

    /// Frees the contents of equal records; returns their bytes.
    pub(super) fn free_equal(&mut self) -> usize {
        let pairs = self.matches().pairs;
        let both = |(expected, observed): (usize, usize)| {
            self.expected[expected].free() + self.observed[observed].free()
        };
        pairs.into_iter().map(both).sum()
    }

    fn matches(&self) -> Matches {
        let mut waiting: HashMap<u64, VecDeque<usize>> = HashMap::new();
        for (index, entry) in self.expected.iter().enumerate() {
            waiting.entry(entry.hash).or_default().push_back(index);
        }
        let (mut pairs, mut repeated, mut extra) = (Vec::new(), Vec::new(), Vec::new());
        let mut is_matched = vec![false; self.expected.len()];
        for (observed, entry) in self.observed.iter().enumerate() {
            match waiting.get_mut(&entry.hash) {
                None => extra.push(observed),
                Some(waiting) => match waiting.pop_front() {
                    None => repeated.push(observed),
                    Some(expected) => {
                        is_matched[expected] = true;
                        pairs.push((expected, observed));
                    }
                },
            }
        }
        let missing = (0..is_matched.len()).filter(|index| !is_matched[*index]);
        Matches {
            pairs,
            repeated,
            missing: missing.collect(),
            extra,
        }
    }

    /// Compares both sides and shows each difference.
    pub(super) fn compare(
        &self,
        scope: KeyScope<'_>,
        mapping: &mut IdMapping,
        show: &mut dyn FnMut(&Difference<'_>),
    ) -> Compared {
        let KeyScope { topic, key, .. } = scope;
        let mut matches = self.matches();
        let broken = self.take_broken(scope, &mut matches, mapping);
        let moved = match key {
            Some(_) => out_of_order(&matches.pairs),
            // Records without a key have no order.
            None => Vec::new(),
        };
        let (mut pairs, missing, extra) = self.pair(scope, matches.missing, matches.extra);
        pairs.extend(broken);
        let mut counts = Compared {
            equal: (matches.pairs.len() - moved.len()) as u64,
            changed: 0,
            missing: missing.len() as u64,
            extra: extra.len() as u64,
            repeated: matches.repeated.len() as u64,
            reordered: moved.len() as u64,
        };
        let mut give = |kind, (expected, observed): (Option<usize>, Option<usize>), changes| {
            show(&Difference {
                kind,
                topic,
                key,
                expected: expected.map(|index| self.expected[index].half()),
                observed: observed.map(|index| self.observed[index].half()),
                changes,
            });
        };
        for pair in pairs {
            let changes = self.changes_of(scope, &pair);
            if changes.as_ref().is_some_and(|found| found.count() == 0) {
                counts.equal += 1;
                continue;
            }
            counts.changed += 1;
            let both = (Some(pair.expected), Some(pair.observed));
            give(DifferenceKind::Changed, both, changes.unwrap_or_default());
        }
        let mut give_one = |kind, half| give(kind, half, Changes::default());
        for index in missing {
            give_one(DifferenceKind::Missing, (Some(index), None));
        }
        for index in extra {
            give_one(DifferenceKind::Extra, (None, Some(index)));
        }
        for index in matches.repeated {
            give_one(DifferenceKind::Repeated, (None, Some(index)));
        }
        for (expected, observed) in moved {
            give_one(DifferenceKind::Reordered, (Some(expected), Some(observed)));
        }
        counts
    }
}

/// The pairs that are not in the longest run in which both orders agree: the fewest records that
/// would have to be moved.
fn out_of_order(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    if pairs.is_sorted() {
        return Vec::new();
    }
    // Patience sorting: `ends[n]` is the pair with the smallest expected index that ends a run of n + 1.
    let mut ends: Vec<usize> = Vec::new();
    let mut before = vec![None; pairs.len()];
    for (index, (expected, _)) in pairs.iter().enumerate() {
        let place = ends.partition_point(|end| pairs[*end].0 < *expected);
        before[index] = place.checked_sub(1).map(|place| ends[place]);
        match ends.get_mut(place) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut keeps = vec![false; pairs.len()];
    let mut at = ends.last().copied();
    while let Some(index) = at {
        keeps[index] = true;
        at = before[index];
    }
    let moved = pairs.iter().zip(keeps).filter(|(_, keeps)| !keeps);
    moved.map(|(pair, _)| *pair).collect()
}
