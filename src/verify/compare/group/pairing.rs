//! The records of a group that have no equal on the other side: which of them are one record with changes, and what
//! changed in it.

use super::{Entry, KeyGroup, KeyScope, Matches};
use crate::config::NewMembers;
use crate::report::Change;
use crate::verify::compare::difference::{Changes, changes};
use crate::verify::compare::noise::IdMapping;

/// The most pairs whose difference is computed to find the smallest. Beyond that, records are paired in
/// their order: nobody reads a group record by record where so many differ.
const MOST_PAIRS: usize = 1 << 12;

/// The most bytes of contents that are compared for that: a second or two.
const MOST_LOOKED_AT: usize = 256 << 20;

/// Two records that are one with changes. The changes are found when they are shown: all of them at once may be much
/// larger than the records.
pub(super) struct Pair {
    pub(super) expected: usize,
    pub(super) observed: usize,
    why: PairedBy,
}

/// Why two records are a pair.
#[derive(Clone, Copy)]
enum PairedBy {
    /// Both records were left over.
    Resemblance,
    /// The records are equal except for an id at the path of this rule.
    BrokenId(usize),
}

impl KeyGroup {
    /// Pairs the records left over on both sides; returns those that still have no partner.
    pub(super) fn pair(
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
                // Records without a key only have their values in common.
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

    /// Whether it would take too long to compare each record of one side with each of the other.
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

    /// Takes out those pairs whose ids differ from earlier ones. Without a key kreplay does not know which of several
    /// equal records belong together.
    pub(super) fn take_broken(
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

    /// What changed in a pair; `None` if a content was not kept.
    pub(super) fn changes_of(&self, scope: KeyScope<'_>, pair: &Pair) -> Option<Changes> {
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
