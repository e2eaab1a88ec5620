//! A profile's plain paths as one automaton: a pass over a line follows all of them at once and
//! skips everything else unseen. A state is the set of (path, steps taken) that a node's place in
//! the line corresponds to; all of a state's paths have taken the same number of steps.
//!
//! Fields are joined with the records whose array elements they share: the deepest node that is on
//! the way to both is the field's *anchor*. What the field holds is kept there and given to every
//! record below it when the node ends, so that it does not matter which comes first in the text.

use std::cell::Cell;
use std::collections::HashMap;

use super::fields::Slot;
use super::path::Step;
use super::profile::Encoding;

/// What is collected: records, and what has to be known besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Record,
    AbortedTransaction,
    KnownTopic,
}

/// What a path's node means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// One of the group's things begins here.
    Item(Group),
    /// A field of the things of a group.
    Field {
        group: Group,
        slot: Slot,
        encoding: Encoding,
        rank: u8,
    },
    /// A member that the filter reads, by its index there; as its text or its JSON text.
    Filter(usize, Encoding),
}

/// A plain path and what it leads to.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) steps: Vec<Step>,
    pub(super) role: Role,
    /// Which of the profile's paths it came from, for errors and for telling which matched.
    pub(super) source: usize,
}

/// A field at a state, with the depths of its anchors.
#[derive(Debug, Clone)]
pub(super) struct FieldAt {
    pub(super) group: Group,
    pub(super) slot: Slot,
    pub(super) encoding: Encoding,
    pub(super) rank: u8,
    pub(super) source: usize,
    anchors: Vec<usize>,
}

impl FieldAt {
    pub(super) fn is_anchored_at(&self, depth: usize) -> bool {
        self.anchors.contains(&depth)
    }
}

/// A state of the automaton.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) depth: usize,
    names: Vec<(String, usize)>,
    indexes: Vec<(usize, usize)>,
    /// Any other member or element.
    each: Option<usize>,
    pub(super) fields: Vec<FieldAt>,
    pub(super) filters: Vec<usize>,
    /// Groups with a field anchored here.
    pub(super) anchors: Vec<Group>,
    /// Groups of which a thing begins here, with the path's source.
    pub(super) items: Vec<(Group, usize)>,
    /// Whether the node's JSON text is needed: always, or since a node was seen that is no string.
    pub(super) raw: Cell<bool>,
}

impl State {
    pub(super) fn leads_on(&self) -> bool {
        self.each.is_some() || !self.names.is_empty() || !self.indexes.is_empty()
    }
}

/// The next state of a member, and the member's number among those named, if it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    To { state: usize, named: Option<usize> },
    Nowhere,
}

/// The automaton; state 0 is the whole line.
#[derive(Debug)]
pub(super) struct Plan {
    states: Vec<State>,
    /// Members of a record that say nothing about its value, where the profile lists them.
    pub(super) known: Option<Vec<String>>,
}

/// Positions in patterns: (pattern, steps taken), sorted.
type Places = Vec<(usize, usize)>;

impl Plan {
    pub(super) fn of(patterns: &[Pattern], known: Option<Vec<String>>) -> Self {
        let anchors: Vec<Vec<usize>> = patterns.iter().map(|p| anchors(p, patterns)).collect();
        let start: Places = (0..patterns.len()).map(|pattern| (pattern, 0)).collect();
        let mut numbers = HashMap::from([(start.clone(), 0)]);
        let mut open = vec![(start, 0)];
        let mut states = Vec::new();
        // States are numbered when they are first met and built in that order.
        let mut next = 0;
        while next < open.len() {
            let (places, depth) = open[next].clone();
            let mut number = |places: Places| {
                (!places.is_empty()).then(|| {
                    *numbers.entry(places.clone()).or_insert_with(|| {
                        open.push((places, depth + 1));
                        open.len() - 1
                    })
                })
            };
            states.push(build(patterns, &anchors, &places, depth, &mut number));
            next += 1;
        }
        Self { states, known }
    }

    pub(super) fn state(&self, number: usize) -> &State {
        &self.states[number]
    }

    /// Where the member `name` of an object at `state` leads.
    pub(super) fn member(&self, state: &State, name: &str) -> Next {
        let named = state.names.iter().position(|(known, _)| known == name);
        let to = named.map(|named| state.names[named].1).or(state.each);
        to.map_or(Next::Nowhere, |state| Next::To { state, named })
    }

    /// Where the element `index` of an array at `state` leads.
    pub(super) fn element(&self, state: &State, index: usize) -> Option<usize> {
        let found = state
            .indexes
            .binary_search_by_key(&index, |(known, _)| *known);
        found.map(|at| state.indexes[at].1).ok().or(state.each)
    }
}

fn build(
    patterns: &[Pattern],
    anchors: &[Vec<usize>],
    places: &Places,
    depth: usize,
    number: &mut impl FnMut(Places) -> Option<usize>,
) -> State {
    let mut state = State {
        depth,
        ..State::default()
    };
    let advance = |fits: &dyn Fn(&Step) -> bool| -> Places {
        let next = places
            .iter()
            .filter(|(p, at)| patterns[*p].steps.get(*at).is_some_and(fits));
        next.map(|(p, at)| (*p, at + 1)).collect()
    };
    for (pattern, at) in places {
        match patterns[*pattern].steps.get(*at) {
            Some(Step::Name(name)) if state.names.iter().all(|(known, _)| known != name) => {
                let next =
                    advance(&|s| *s == Step::Each || matches!(s, Step::Name(n) if n == name));
                state
                    .names
                    .extend(number(next).map(|to| (name.clone(), to)));
            }
            Some(Step::Index(index)) if state.indexes.iter().all(|(known, _)| known != index) => {
                let next = advance(&|s| *s == Step::Each || *s == Step::Index(*index));
                state.indexes.extend(number(next).map(|to| (*index, to)));
            }
            Some(_) => {}
            None => accept(&mut state, &patterns[*pattern], &anchors[*pattern]),
        }
        if let Role::Field { group, .. } = patterns[*pattern].role
            && anchors[*pattern].contains(at)
            && !state.anchors.contains(&group)
        {
            state.anchors.push(group);
        }
    }
    state.each = number(advance(&|step| *step == Step::Each));
    state.indexes.sort_unstable();
    // A thing's own node is where its fields are kept, so it is no anchor besides.
    let items = state.items.clone();
    state
        .anchors
        .retain(|group| items.iter().all(|(item, _)| item != group));
    state
}

fn accept(state: &mut State, pattern: &Pattern, anchors: &[usize]) {
    let source = pattern.source;
    match pattern.role {
        Role::Item(group) => state.items.push((group, source)),
        Role::Filter(index, encoding) => {
            state.raw.set(state.raw.get() || encoding == Encoding::Json);
            state.filters.push(index);
        }
        Role::Field {
            group,
            slot,
            encoding,
            rank,
        } => {
            state.raw.set(state.raw.get() || encoding == Encoding::Json);
            let anchors = anchors.to_vec();
            state.fields.push(FieldAt {
                group,
                slot,
                encoding,
                rank,
                source,
                anchors,
            });
        }
    }
}

/// The depths of a field's anchors: for each path of its group's things the longest way that both
/// go together. What lies in another element of the same array is not joined.
fn anchors(field: &Pattern, patterns: &[Pattern]) -> Vec<usize> {
    let Role::Field { group, .. } = field.role else {
        return Vec::new();
    };
    let items = patterns
        .iter()
        .filter(|item| item.role == Role::Item(group));
    // What is below a thing's node is its own, whatever other paths lead to things.
    let is_below = |item: &&Pattern| shared(&field.steps, &item.steps) == item.steps.len();
    let own = items.clone().filter(is_below);
    let own: Vec<usize> = own.map(|item| item.steps.len()).collect();
    if !own.is_empty() {
        return own;
    }
    let depth = |item: &Pattern| {
        let depth = shared(&field.steps, &item.steps);
        let parting = (field.steps.get(depth), item.steps.get(depth));
        (!matches!(parting, (Some(Step::Index(_)), Some(Step::Index(_))))).then_some(depth)
    };
    let mut depths: Vec<usize> = items.filter_map(depth).collect();
    depths.sort_unstable();
    depths.dedup();
    depths
}

/// How many steps two paths can take together.
pub(super) fn shared(a: &[Step], b: &[Step]) -> usize {
    let together = |(a, b): &(&Step, &Step)| match (a, b) {
        (Step::Each, Step::Index(_)) | (Step::Index(_), Step::Each) => true,
        (a, b) => a == b,
    };
    a.iter().zip(b).take_while(together).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::path::Path;

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
        }
    }

    fn field(path: &str, slot: Slot, rank: u8) -> Pattern {
        pattern(
            path,
            Role::Field {
                group: Group::Record,
                slot,
                encoding: Encoding::Auto,
                rank,
            },
        )
    }

    fn follow<'a>(plan: &'a Plan, names: &[&str]) -> Option<&'a State> {
        names.iter().try_fold(plan.state(0), |state, name| {
            let to = match name.parse() {
                Ok(index) => plan.element(state, index)?,
                Err(_) => match plan.member(state, name) {
                    Next::To { state, .. } => state,
                    Next::Nowhere => return None,
                },
            };
            Some(plan.state(to))
        })
    }

    #[test]
    fn paths_that_go_together_share_their_states() {
        let patterns = [
            pattern("$.a[*].r[*]", Role::Item(Group::Record)),
            field("$.a[*].r[*].v", Slot::Value, 0),
            field("$.a[*].name", Slot::Topic, 0),
        ];
        let plan = Plan::of(&patterns, None);
        assert_eq!(plan.states.len(), 7);
        let name = follow(&plan, &["a", "7", "name"]).expect("it is in the plan");
        assert!(name.fields[0].is_anchored_at(2) && name.depth == 3);
        let element = follow(&plan, &["a", "0"]).expect("it is in the plan");
        assert_eq!(element.anchors, [Group::Record]);
        let record = follow(&plan, &["a", "0", "r", "1"]).expect("it is in the plan");
        assert_eq!((record.items.len(), record.anchors.len()), (1, 0));
        assert!(follow(&plan, &["a", "0", "other"]).is_none());
    }

    #[test]
    fn names_indexes_and_wildcards_may_lead_to_the_same_node() {
        let patterns = [
            pattern("$.a[*]", Role::Item(Group::Record)),
            field("$.a[1]", Slot::Value, 0),
            field("$.*[*]", Slot::Key, 0),
        ];
        let plan = Plan::of(&patterns, None);
        let slots = |names: &[&str]| {
            let state = follow(&plan, names).expect("it is in the plan");
            state.fields.iter().map(|f| f.slot).collect::<Vec<_>>()
        };
        assert_eq!(slots(&["a", "1"]), [Slot::Value, Slot::Key]);
        assert_eq!(slots(&["a", "0"]), [Slot::Key]);
        assert_eq!(slots(&["b", "0"]), [Slot::Key]);
    }
}
