//! The records of one topic and key on both sides, and which of them belong together.
//!
//! Equal records find each other first. What is left is paired by the smallest difference: one record
//! with another value is one change, not a missing record and an extra one.

use std::collections::{HashMap, VecDeque};

use super::content::ComparedContent;
use super::difference::{Changes, Difference, DifferenceHalf, changes};
use super::noise::{IdMapping, IdSeen};
use super::terms::{RecordPlace, Rules, Side};
use crate::config::NewMembers;
use crate::report::{Change, Compared, DifferenceKind};

/// Pairs of which the difference is computed to find the smallest. Beyond that, records are paired in
/// their order: a group where so many differ is not read record by record.
const MOST_PAIRS: usize = 1 << 12;
/// Bytes of contents that are looked at for that: a second or two.
const MOST_LOOKED_AT: usize = 256 << 20;

/// One record of a side.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) hash: u64,
    /// At paths where one old value has one new value.
    pub(super) ids: Box<[IdSeen]>,
    pub(super) place: RecordPlace,
    /// None once it is let go.
    pub(super) content: Option<Box<ComparedContent>>,
}

impl Entry {
    fn half(&self) -> DifferenceHalf<'_> {
        DifferenceHalf {
            place: self.place,
            content: self.content.as_deref(),
        }
    }

    /// Lets the content go; returns its bytes.
    fn let_go(&mut self) -> usize {
        self.content.take().map_or(0, |content| content.size())
    }
}

#[derive(Debug, Default)]
pub(super) struct KeyGroup {
    expected: Vec<Entry>,
    observed: Vec<Entry>,
}

/// What a group is compared by.
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

/// Two records that are one with changes. What changed is found when it is shown: all of it at once may be
/// much more than the records.
struct Pair {
    expected: usize,
    observed: usize,
    why: PairedBy,
}

/// How a pair came to be.
#[derive(Clone, Copy)]
enum PairedBy {
    /// It is what is left on both sides.
    Resemblance,
    /// The records are equal but for an id at the path of this rule.
    BrokenId(usize),
}

impl KeyGroup {
    fn side(&mut self, side: Side) -> &mut Vec<Entry> {
        match side {
            Side::Expected => &mut self.expected,
            Side::Observed => &mut self.observed,
        }
    }

    /// Adds a record; returns the bytes of contents that are let go.
    pub(super) fn push(&mut self, side: Side, entry: Entry) -> usize {
        self.side(side).push(entry);
        0
    }

    /// Puts a record in the place of the one before it; returns the bytes that are let go.
    pub(super) fn replace(&mut self, side: Side, entry: Entry) -> usize {
        let entries = self.side(side);
        let gone = entries.iter_mut().map(Entry::let_go).sum();
        entries.clear();
        entries.push(entry);
        gone
    }

    /// Lets the contents of equal records go; returns their bytes.
    pub(super) fn let_equal_go(&mut self) -> usize {
        let pairs = self.matches().pairs;
        let both = |(expected, observed): (usize, usize)| {
            self.expected[expected].let_go() + self.observed[observed].let_go()
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
            // Without a key there is no order to keep.
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

    /// Pairs what is left on both sides; returns what still has no partner.
    fn pair(
        &self,
        scope: KeyScope<'_>,
        missing: Vec<usize>,
        extra: Vec<usize>,
    ) -> (Vec<Pair>, Vec<usize>, Vec<usize>) {
        if self.are_too_many(&missing, &extra) {
            return pair_in_order(missing, extra);
        }
        let mut candidates = Vec::new();
        for (m, expected) in missing.iter().enumerate() {
            for (e, observed) in extra.iter().enumerate() {
                let changes = self.changes(scope, *expected, *observed);
                // Keyless records have nothing in common but what their values have.
                let is_all = changes.as_ref().is_none_or(Changes::has_whole_value);
                if scope.key.is_none() && is_all {
                    continue;
                }
                let size = changes.map_or(u64::MAX, |changes| changes.count());
                candidates.push((size, m.abs_diff(e), m, e));
            }
        }
        candidates.sort_unstable();
        let mut free = (vec![true; missing.len()], vec![true; extra.len()]);
        let mut pairs = Vec::new();
        for (_, _, m, e) in candidates {
            if free.0[m] && free.1[e] {
                (free.0[m], free.1[e]) = (false, false);
                pairs.push(Pair {
                    expected: missing[m],
                    observed: extra[e],
                    why: PairedBy::Resemblance,
                });
            }
        }
        pairs.sort_unstable_by_key(|pair| pair.expected);
        let rest = |all: Vec<usize>, free: &[bool]| {
            let rest = all.into_iter().zip(free).filter(|(_, free)| **free);
            rest.map(|(index, _)| index).collect()
        };
        (pairs, rest(missing, &free.0), rest(extra, &free.1))
    }

    /// Whether it would take too long to look at each of one side with each of the other.
    fn are_too_many(&self, missing: &[usize], extra: &[usize]) -> bool {
        let bytes = |entries: &[Entry], of: &[usize]| -> usize {
            let contents = of
                .iter()
                .filter_map(|index| entries[*index].content.as_ref());
            contents.map(|content| content.size()).sum()
        };
        let looked_at = bytes(&self.expected, missing).saturating_mul(extra.len());
        let looked_at_too = bytes(&self.observed, extra).saturating_mul(missing.len());
        missing.len().saturating_mul(extra.len()) > MOST_PAIRS
            || looked_at.saturating_add(looked_at_too) > MOST_LOOKED_AT
    }

    /// Takes those pairs out whose ids are others than before. Without a key it is not known which of several
    /// equal records belong together.
    fn take_broken(
        &self,
        scope: KeyScope<'_>,
        matches: &mut Matches,
        mapping: &mut IdMapping,
    ) -> Vec<Pair> {
        let mut broken = Vec::new();
        if scope.key.is_none() || scope.rules.noise.is_empty() {
            return broken;
        }
        matches.pairs.retain(|(expected, observed)| {
            let (old, new) = (&self.expected[*expected].ids, &self.observed[*observed].ids);
            let Some(rule) = mapping.broken(&scope.rules.noise, old, new) else {
                return true;
            };
            broken.push(Pair {
                expected: *expected,
                observed: *observed,
                why: PairedBy::BrokenId(rule),
            });
            false
        });
        broken
    }

    /// What changed in a pair; none where a content is not kept.
    fn changes_of(&self, scope: KeyScope<'_>, pair: &Pair) -> Option<Changes> {
        match pair.why {
            PairedBy::Resemblance => self.changes(scope, pair.expected, pair.observed),
            PairedBy::BrokenId(rule) => Some(Changes::of(Change {
                path: scope.rules.noise[rule].path.clone(),
                expected: Some("the id that had another new value before".into()),
                observed: Some("this one".into()),
            })),
        }
    }

    fn changes(&self, scope: KeyScope<'_>, expected: usize, observed: usize) -> Option<Changes> {
        let (expected, observed) = (&self.expected[expected], &self.observed[observed]);
        if expected.hash != observed.hash || scope.rules.members == NewMembers::Allowed {
            let (one, other) = (expected.content.as_ref()?, observed.content.as_ref()?);
            return Some(changes(one, other, scope.rules, scope.topic));
        }
        Some(Changes::default())
    }
}

fn pair_in_order(
    mut missing: Vec<usize>,
    mut extra: Vec<usize>,
) -> (Vec<Pair>, Vec<usize>, Vec<usize>) {
    let both = missing.len().min(extra.len());
    let rest = (missing.split_off(both), extra.split_off(both));
    let pairs = missing
        .into_iter()
        .zip(extra)
        .map(|(expected, observed)| Pair {
            expected,
            observed,
            why: PairedBy::Resemblance,
        });
    (pairs.collect(), rest.0, rest.1)
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
