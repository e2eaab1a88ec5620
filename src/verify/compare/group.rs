//! The records of one topic and key on both sides, and which of them belong together.
//!
//! Equal records find each other first. What is left is paired by the smallest difference: one record
//! with another value is one change, not a missing record and an extra one.

use std::collections::{HashMap, VecDeque};

use super::content::ComparedContent;
use super::difference::{Difference, DifferenceHalf, changes};
use super::noise::{IdMapping, IdSeen};
use super::terms::{RecordPlace, Rules, Side};
use crate::config::NewMembers;
use crate::report::{Change, Compared, DifferenceKind};

/// Pairs of which the difference is computed to find the smallest. Beyond that, records are paired in
/// their order: a group where so many differ is not read record by record.
const MOST_PAIRS: usize = 1 << 12;

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

/// Two records that are one with changes.
struct Pair {
    expected: usize,
    observed: usize,
    /// None where a content is not kept.
    changes: Option<Vec<Change>>,
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
        let is_same = |pair: &Pair| pair.changes.as_ref().is_some_and(Vec::is_empty);
        let (same, changed): (Vec<Pair>, Vec<Pair>) = pairs.into_iter().partition(is_same);
        let counts = Compared {
            equal: (matches.pairs.len() - moved.len() + same.len()) as u64,
            changed: changed.len() as u64,
            missing: missing.len() as u64,
            extra: extra.len() as u64,
            repeated: matches.repeated.len() as u64,
            reordered: moved.len() as u64,
        };
        let mut give = |kind, expected: Option<usize>, observed: Option<usize>, changes| {
            show(&Difference {
                kind,
                topic,
                key,
                expected: expected.map(|index| self.expected[index].half()),
                observed: observed.map(|index| self.observed[index].half()),
                changes,
            });
        };
        for pair in changed {
            let changes = pair.changes.unwrap_or_default();
            give(
                DifferenceKind::Changed,
                Some(pair.expected),
                Some(pair.observed),
                changes,
            );
        }
        for index in missing {
            give(DifferenceKind::Missing, Some(index), None, Vec::new());
        }
        for index in extra {
            give(DifferenceKind::Extra, None, Some(index), Vec::new());
        }
        for index in matches.repeated {
            give(DifferenceKind::Repeated, None, Some(index), Vec::new());
        }
        for (expected, observed) in moved {
            give(
                DifferenceKind::Reordered,
                Some(expected),
                Some(observed),
                Vec::new(),
            );
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
        if missing.len().saturating_mul(extra.len()) > MOST_PAIRS {
            return self.pair_in_order(scope, missing, extra);
        }
        let mut candidates = Vec::new();
        for (m, expected) in missing.iter().enumerate() {
            for (e, observed) in extra.iter().enumerate() {
                let changes = self.changes(scope, *expected, *observed);
                // Keyless records have nothing in common but what their values have.
                if scope.key.is_none() && changes.as_ref().is_none_or(|c| is_all(c)) {
                    continue;
                }
                let size = changes.as_ref().map_or(usize::MAX, Vec::len);
                candidates.push((size, m.abs_diff(e), m, e, changes));
            }
        }
        candidates.sort_by_key(|(size, distance, m, e, _)| (*size, *distance, *m, *e));
        let mut free = (vec![true; missing.len()], vec![true; extra.len()]);
        let mut pairs = Vec::new();
        for (_, _, m, e, changes) in candidates {
            if free.0[m] && free.1[e] {
                (free.0[m], free.1[e]) = (false, false);
                pairs.push(Pair {
                    expected: missing[m],
                    observed: extra[e],
                    changes,
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

    fn pair_in_order(
        &self,
        scope: KeyScope<'_>,
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
                changes: self.changes(scope, expected, observed),
            });
        (pairs.collect(), rest.0, rest.1)
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
                changes: Some(vec![Change {
                    path: scope.rules.noise[rule].path.clone(),
                    expected: Some("the id that had another new value before".into()),
                    observed: Some("this one".into()),
                }]),
            });
            false
        });
        broken
    }

    fn changes(
        &self,
        scope: KeyScope<'_>,
        expected: usize,
        observed: usize,
    ) -> Option<Vec<Change>> {
        let (expected, observed) = (&self.expected[expected], &self.observed[observed]);
        if expected.hash != observed.hash || scope.rules.members == NewMembers::Allowed {
            let (one, other) = (expected.content.as_ref()?, observed.content.as_ref()?);
            return Some(changes(one, other, scope.rules, scope.topic));
        }
        Some(Vec::new())
    }
}

/// Whether the whole value is another one.
fn is_all(changes: &[Change]) -> bool {
    changes.iter().any(|change| change.path == "$")
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
