//! A profile's plain paths as one automaton: a pass over a line follows all of them at once and skips
//! everything else unread. A state is the set of (path, steps taken) that corresponds to a node's place in
//! the line; all paths of a state have taken the same number of steps.
//!
//! Fields are joined with the records whose array elements they share: the deepest node on the path to both
//! is the field's *anchor*. What the field holds is kept there and given to every record below it when the
//! node ends, so that it does not matter which comes first in the text.

mod state;

use std::cell::Cell;
use std::collections::HashMap;

pub(in crate::extract) use self::state::{
    AutomatonState, FieldAt, Group, ItemAt, NextState, NodeShape, Pattern, Role,
};
use self::state::{NamedMember, PatternPositions, Wildcard};
use crate::extract::profile::Encoding;
use crate::extract::profile::path::PathStep;

/// The automaton; state 0 is the whole line.
#[derive(Debug)]
pub(in crate::extract) struct PathAutomaton {
    states: Vec<AutomatonState>,
    /// Members of a record that say nothing about its value, if the profile lists them.
    pub(in crate::extract) known: Option<Vec<String>>,
}

impl PathAutomaton {
    pub(in crate::extract) fn of(patterns: &[Pattern], known: Option<Vec<String>>) -> Self {
        let wildcard = match known {
            Some(_) => Wildcard::Elements,
            None => Wildcard::Any,
        };
        let anchors: Vec<Vec<(usize, usize)>> = patterns
            .iter()
            .map(|p| anchors(p, patterns, wildcard))
            .collect();
        let start: PatternPositions = (0..patterns.len()).map(|pattern| (pattern, 0)).collect();
        let mut numbers = HashMap::from([(start.clone(), 0)]);
        let mut open = vec![(start, 0)];
        let mut states = Vec::new();
        // States are numbered when they are first met and built in that order.
        let mut next = 0;
        while next < open.len() {
            let (places, depth) = open[next].clone();
            let mut number = |places: PatternPositions| {
                (!places.is_empty()).then(|| {
                    *numbers.entry(places.clone()).or_insert_with(|| {
                        open.push((places, depth + 1));
                        open.len() - 1
                    })
                })
            };
            states.push(build(
                patterns,
                &anchors,
                &places,
                depth,
                wildcard,
                &mut number,
            ));
            next += 1;
        }
        Self { states, known }
    }

    pub(in crate::extract) fn state(&self, number: usize) -> &AutomatonState {
        &self.states[number]
    }

    /// Where the member `name` of an object at `state` leads; `last` is the named member before it.
    #[inline]
    pub(in crate::extract) fn member(
        &self,
        state: &AutomatonState,
        last: Option<usize>,
        name: &str,
    ) -> NextState {
        let guess = last.map_or(&state.begins_with, |last| &state.names[last].before);
        let is_guess = |known: &&NamedMember| known.text == name;
        let named = match state.names.get(guess.get()).filter(is_guess) {
            Some(_) => Some(guess.get()),
            None => {
                let named = state.names.iter().position(|known| known.text == name);
                guess.set(named.unwrap_or(guess.get()));
                named
            }
        };
        let to = named.map(|named| state.names[named].to).or(state.member);
        to.map_or(NextState::Nowhere, |state| NextState::To { state, named })
    }

    /// Where the element `index` of an array at `state` leads.
    pub(in crate::extract) fn element(
        &self,
        state: &AutomatonState,
        index: usize,
    ) -> Option<usize> {
        let found = state
            .indexes
            .binary_search_by_key(&index, |(known, _)| *known);
        found.map(|at| state.indexes[at].1).ok().or(state.each)
    }
}

fn build(
    patterns: &[Pattern],
    anchors: &[Vec<(usize, usize)>],
    places: &PatternPositions,
    depth: usize,
    wildcard: Wildcard,
    number: &mut impl FnMut(PatternPositions) -> Option<usize>,
) -> AutomatonState {
    let mut state = AutomatonState {
        depth,
        ..AutomatonState::default()
    };
    let advance = |fits: &dyn Fn(&Pattern, &PathStep) -> bool| -> PatternPositions {
        let next = places.iter().filter(|(p, at)| {
            let step = patterns[*p].steps.get(*at);
            step.is_some_and(|step| fits(&patterns[*p], step))
        });
        next.map(|(p, at)| (*p, at + 1)).collect()
    };
    // Whether a pattern's wildcard also matches the members of an object.
    let any = |p: &Pattern, s: &PathStep| {
        *s == PathStep::Each && (wildcard == Wildcard::Any || !p.is_of_shape())
    };
    for (pattern, at) in places {
        state.on_the_way |= patterns[*pattern].role == Role::Item(Group::Record);
        match patterns[*pattern].steps.get(*at) {
            Some(PathStep::Index(index))
                if state.indexes.iter().all(|(known, _)| known != index) =>
            {
                let next = advance(&|_, s| *s == PathStep::Each || *s == PathStep::Index(*index));
                state.indexes.extend(number(next).map(|to| (*index, to)));
            }
            Some(_) => {}
            None => accept(&mut state, &patterns[*pattern], &anchors[*pattern]),
        }
        if let Role::Field { group, .. } = patterns[*pattern].role {
            for (_, item) in anchors[*pattern].iter().filter(|(depth, _)| depth == at) {
                if !state.anchors.contains(&(group, *item)) {
                    state.anchors.push((group, *item));
                }
            }
        }
    }
    for name in names(patterns, places) {
        let next = advance(&|p, s| match s {
            PathStep::Name(n) => *n == name,
            PathStep::Index(index) => p.is_dotted && index.to_string() == name,
            PathStep::Each => any(p, s),
        });
        state.names.extend(number(next).map(|to| NamedMember {
            text: name,
            to,
            before: Cell::default(),
        }));
    }
    state.each = number(advance(&|_, step| *step == PathStep::Each));
    state.member = number(advance(&any));
    state.indexes.sort_unstable();
    // A thing's own node keeps its fields, so it is not an anchor as well.
    let items = state.items.clone();
    let is_item = |anchor: &(Group, usize)| {
        let mut items = items.iter();
        items.any(|item| (item.group, item.source) == *anchor)
    };
    state.anchors.retain(|anchor| !is_item(anchor));
    state
}

/// The names that continue the paths at `places`, each once.
fn names(patterns: &[Pattern], places: &PatternPositions) -> Vec<String> {
    let mut names = Vec::new();
    for (pattern, at) in places {
        let pattern = &patterns[*pattern];
        let name = match pattern.steps.get(*at) {
            Some(PathStep::Name(name)) => name.clone(),
            Some(PathStep::Index(index)) if pattern.is_dotted => index.to_string(),
            _ => continue,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn accept(state: &mut AutomatonState, pattern: &Pattern, anchors: &[(usize, usize)]) {
    let source = pattern.source;
    match pattern.role {
        Role::Item(group) => state.items.push(ItemAt {
            group,
            source,
            order: pattern.order,
        }),
        Role::Filter(index, encoding) => {
            state.raw.set(state.raw.get() || encoding == Encoding::Json);
            state.filters.push(index);
        }
        Role::Field {
            group,
            slot,
            encoding,
            rank,
            ..
        } => {
            state.raw.set(state.raw.get() || encoding == Encoding::Json);
            let anchors = anchors.to_vec();
            let shallowest = anchors.iter().map(|(depth, _)| *depth).min();
            state.fields.push(FieldAt {
                group,
                slot,
                encoding,
                rank,
                source,
                anchors,
                shallowest: shallowest.unwrap_or(0),
            });
        }
    }
}

/// The depths of a field's anchors: for each path of its group's things, the longest path that both share.
/// What is in another element of the same array is not joined, and a thing's own field is joined with that
/// thing alone.
fn anchors(field: &Pattern, patterns: &[Pattern], wildcard: Wildcard) -> Vec<(usize, usize)> {
    let Role::Field { group, own, .. } = field.role else {
        return Vec::new();
    };
    let items = patterns
        .iter()
        .filter(|item| item.role == Role::Item(group) && own.is_none_or(|own| own == item.source));
    if own.is_some() {
        // Things that a query finds may be nested: the innermost has the field.
        let around = items.filter(|item| field.steps.starts_with(&item.steps));
        let innermost = around.max_by_key(|item| item.steps.len());
        let anchor = innermost.map(|item| (item.steps.len(), item.source));
        return anchor.into_iter().collect();
    }
    let anchor = |item: &Pattern| {
        let depth = way_together(&field.steps, &item.steps, wildcard);
        let parting = (field.steps.get(depth), item.steps.get(depth));
        // Two numbers that the user wrote may also be two members.
        let elsewhere = matches!(
            parting,
            (Some(PathStep::Index(_)), Some(PathStep::Index(_)))
        ) && !(field.is_dotted && item.is_dotted);
        (!elsewhere).then_some((depth, item.source))
    };
    let mut anchors: Vec<(usize, usize)> = items.filter_map(anchor).collect();
    anchors.sort_unstable();
    anchors.dedup();
    anchors
}

/// Like [`shared`], with wildcards that may match members.
fn way_together(a: &[PathStep], b: &[PathStep], wildcard: Wildcard) -> usize {
    let member = |(a, b): (&PathStep, &PathStep)| {
        let named = matches!(
            (a, b),
            (PathStep::Each, PathStep::Name(_)) | (PathStep::Name(_), PathStep::Each)
        );
        named && wildcard == Wildcard::Any
    };
    let mut depth = 0;
    loop {
        depth += shared(&a[depth..], &b[depth..]);
        match a.get(depth).zip(b.get(depth)).is_some_and(member) {
            true => depth += 1,
            false => return depth,
        }
    }
}

/// How many steps two paths can share.
pub(in crate::extract) fn shared(a: &[PathStep], b: &[PathStep]) -> usize {
    let together = |(a, b): &(&PathStep, &PathStep)| match (a, b) {
        (PathStep::Each, PathStep::Index(_)) | (PathStep::Index(_), PathStep::Each) => true,
        (a, b) => a == b,
    };
    a.iter().zip(b).take_while(together).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::profile::path::Path;
    use crate::extract::rrpair::fields::Slot;

    fn pattern(path: &str, role: Role) -> Pattern {
        let steps = Path::parse(path)
            .expect(path)
            .steps()
            .expect("a plain path")
            .to_vec();
        Pattern {
            steps,
            role,
            source: 0,
            order: 0,
            is_dotted: false,
        }
    }

    fn field(path: &str, slot: Slot, rank: u8) -> Pattern {
        pattern(
            path,
            Role::Field {
                group: Group::Record,
                own: None,
                slot,
                encoding: Encoding::Auto,
                rank,
            },
        )
    }

    fn follow<'a>(automaton: &'a PathAutomaton, names: &[&str]) -> Option<&'a AutomatonState> {
        names.iter().try_fold(automaton.state(0), |state, name| {
            let to = match name.parse() {
                Ok(index) => automaton.element(state, index)?,
                Err(_) => match automaton.member(state, None, name) {
                    NextState::To { state, .. } => state,
                    NextState::Nowhere => return None,
                },
            };
            Some(automaton.state(to))
        })
    }

    #[test]
    fn paths_that_go_together_share_their_states() {
        let patterns = [
            pattern("$.a[*].r[*]", Role::Item(Group::Record)),
            field("$.a[*].r[*].v", Slot::Value, 0),
            field("$.a[*].name", Slot::Topic, 0),
        ];
        let automaton = PathAutomaton::of(&patterns, None);
        assert_eq!(automaton.states.len(), 7);
        let name = follow(&automaton, &["a", "7", "name"]).expect("it is in the automaton");
        assert!(name.fields[0].is_anchored_at(2, 0) && name.depth == 3);
        let element = follow(&automaton, &["a", "0"]).expect("it is in the automaton");
        assert_eq!(element.anchors, [(Group::Record, 0)]);
        let record = follow(&automaton, &["a", "0", "r", "1"]).expect("it is in the automaton");
        assert_eq!((record.items.len(), record.anchors.len()), (1, 0));
        assert!(follow(&automaton, &["a", "0", "other"]).is_none());
    }

    #[test]
    fn names_indexes_and_wildcards_may_lead_to_the_same_node() {
        let patterns = [
            pattern("$.a[*]", Role::Item(Group::Record)),
            field("$.a[1]", Slot::Value, 0),
            field("$.*[*]", Slot::Key, 0),
        ];
        let automaton = PathAutomaton::of(&patterns, None);
        let slots = |names: &[&str]| {
            let state = follow(&automaton, names).expect("it is in the automaton");
            state.fields.iter().map(|f| f.slot).collect::<Vec<_>>()
        };
        assert_eq!(slots(&["a", "1"]), [Slot::Value, Slot::Key]);
        assert_eq!(slots(&["a", "0"]), [Slot::Key]);
        assert_eq!(slots(&["b", "0"]), [Slot::Key]);
    }
}
