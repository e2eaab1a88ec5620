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
use crate::extract::profile::Encoding;
use crate::extract::profile::path::PathStep;

/// What is collected: records, and what has to be known besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum Group {
    Record,
    AbortedTransaction,
    KnownTopic,
}

/// What a path's node means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum Role {
    /// One of the group's things begins here.
    Item(Group),
    /// A field of the things of a group; of `own` alone, where it is told below that item's path.
    Field {
        group: Group,
        own: Option<usize>,
        slot: Slot,
        encoding: Encoding,
        rank: u8,
    },
    /// A member that the filter reads, by its index there; as its text or its JSON text.
    Filter(usize, Encoding),
}

/// A plain path and what it leads to.
#[derive(Debug, Clone)]
pub(in crate::extract) struct Pattern {
    pub(in crate::extract) steps: Vec<PathStep>,
    pub(in crate::extract) role: Role,
    /// Which of the profile's paths it came from, for errors and for telling which matched.
    pub(in crate::extract) source: usize,
    /// Where among all things its nodes come, where a query says so.
    pub(in crate::extract) order: usize,
    /// Whether its numbers are names, too.
    pub(in crate::extract) is_dotted: bool,
}

impl Pattern {
    /// Whether it is of the profile's own shapes, and not of what is looked at besides.
    fn is_of_shape(&self) -> bool {
        !matches!(self.role, Role::Filter(..))
    }
}

/// A field at a state, with the depths of its anchors.
#[derive(Debug, Clone)]
pub(in crate::extract) struct FieldAt {
    pub(in crate::extract) group: Group,
    pub(in crate::extract) slot: Slot,
    pub(in crate::extract) encoding: Encoding,
    pub(in crate::extract) rank: u8,
    pub(in crate::extract) source: usize,
    /// Depths, each with the source of the item's path that it is for.
    anchors: Vec<(usize, usize)>,
    /// The least depth of an anchor.
    pub(in crate::extract) shallowest: usize,
}

impl FieldAt {
    pub(in crate::extract) fn is_anchored_at(&self, depth: usize, item: usize) -> bool {
        self.anchors.contains(&(depth, item))
    }

    /// Whether it can be the JSON text of any node.
    pub(in crate::extract) fn takes_texts(&self) -> bool {
        matches!(self.slot, Slot::Value | Slot::Key)
            && matches!(self.encoding, Encoding::Auto | Encoding::Json)
    }
}

/// A thing that begins at a state.
#[derive(Debug, Clone, Copy)]
pub(in crate::extract) struct ItemAt {
    pub(in crate::extract) group: Group,
    /// The path's source.
    pub(in crate::extract) source: usize,
    /// As of [`Pattern::order`].
    pub(in crate::extract) order: usize,
}

/// A state of the automaton.
#[derive(Debug, Default)]
pub(in crate::extract) struct AutomatonState {
    pub(in crate::extract) depth: usize,
    names: Vec<NamedMember>,
    /// The named member that an object began with when one was last read.
    begins_with: Cell<usize>,
    indexes: Vec<(usize, usize)>,
    /// Any other element of a list.
    each: Option<usize>,
    /// Any other member of an object.
    member: Option<usize>,
    pub(in crate::extract) fields: Vec<FieldAt>,
    pub(in crate::extract) filters: Vec<usize>,
    /// Groups with a field anchored here, each with the source of the item's path.
    pub(in crate::extract) anchors: Vec<(Group, usize)>,
    /// Things that begin here.
    pub(in crate::extract) items: Vec<ItemAt>,
    /// Whether records lie below, so that a node of another shape would hide some.
    on_the_way: bool,
    /// Whether the node's JSON text is needed: always, or since a node was seen that is no string.
    pub(in crate::extract) raw: Cell<bool>,
}

/// A member that paths name.
#[derive(Debug)]
struct NamedMember {
    text: String,
    /// The state that it leads to.
    to: usize,
    /// The named member that stood behind it when an object was last read: objects of one kind
    /// have their members in one order, and a guess saves the search.
    before: Cell<usize>,
}

/// What JSON a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum NodeShape {
    Object,
    List,
    Null,
    Scalar,
}

impl AutomatonState {
    /// What was expected on the way to records instead of a node of this shape.
    pub(in crate::extract) fn misses(&self, shape: NodeShape) -> Option<&'static str> {
        if !self.on_the_way {
            return None;
        }
        let wants_object = !self.names.is_empty() || self.member.is_some();
        let wants_list = self.each.is_some() || !self.indexes.is_empty();
        let is_field = !self.fields.is_empty() || !self.filters.is_empty();
        let fits = match shape {
            NodeShape::Object => wants_object || is_field,
            NodeShape::List => wants_list || is_field,
            NodeShape::Null => false,
            NodeShape::Scalar => is_field,
        };
        match (fits, wants_object, wants_list) {
            (true, ..) | (_, false, false) => None,
            (_, true, true) => Some("an object or a list"),
            (_, true, false) => Some("an object"),
            (_, false, true) => Some("a list"),
        }
    }

    /// Whether fields are kept at such a node, or a thing begins there.
    pub(in crate::extract) fn keeps_fields(&self) -> bool {
        !self.anchors.is_empty() || !self.items.is_empty()
    }

    /// Whether such a node means nothing by itself.
    pub(in crate::extract) fn is_way(&self) -> bool {
        self.fields.is_empty() && self.filters.is_empty()
    }

    pub(in crate::extract) fn leads_on(&self) -> bool {
        self.each.is_some() || !self.names.is_empty() || !self.indexes.is_empty()
    }
}

/// The next state of a member, and the member's number among those named, if it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum NextState {
    To { state: usize, named: Option<usize> },
    Nowhere,
}

/// What a wildcard stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wildcard {
    /// Elements of lists and members of objects (RFC 9535, section 2.3.2).
    Any,
    /// On the way to records elements of lists alone: a profile that lists what its records hold
    /// knows its shapes, and an object in the place of a list is worth an error.
    Elements,
}

/// The automaton; state 0 is the whole line.
#[derive(Debug)]
pub(in crate::extract) struct PathAutomaton {
    states: Vec<AutomatonState>,
    /// Members of a record that say nothing about its value, where the profile lists them.
    pub(in crate::extract) known: Option<Vec<String>>,
}

/// Positions in patterns: (pattern, steps taken), sorted.
type PatternPositions = Vec<(usize, usize)>;

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

    /// Where the member `name` of an object at `state` leads, behind its named member `last`.
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
    // Whether a pattern's wildcard stands for the members of an object, too.
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
    // A thing's own node is where its fields are kept, so it is no anchor besides.
    let items = state.items.clone();
    let is_item = |anchor: &(Group, usize)| {
        let mut items = items.iter();
        items.any(|item| (item.group, item.source) == *anchor)
    };
    state.anchors.retain(|anchor| !is_item(anchor));
    state
}

/// The names that lead on from `places`, each once.
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

/// The depths of a field's anchors: for each path of its group's things the longest way that both
/// go together. What lies in another element of the same array is not joined, and a thing's own
/// field is joined with that thing alone.
fn anchors(field: &Pattern, patterns: &[Pattern], wildcard: Wildcard) -> Vec<(usize, usize)> {
    let Role::Field { group, own, .. } = field.role else {
        return Vec::new();
    };
    let items = patterns
        .iter()
        .filter(|item| item.role == Role::Item(group) && own.is_none_or(|own| own == item.source));
    if own.is_some() {
        // Things that a query finds may lie inside each other: the innermost has the field.
        let around = items.filter(|item| field.steps.starts_with(&item.steps));
        let innermost = around.max_by_key(|item| item.steps.len());
        let anchor = innermost.map(|item| (item.steps.len(), item.source));
        return anchor.into_iter().collect();
    }
    let anchor = |item: &Pattern| {
        let depth = way_together(&field.steps, &item.steps, wildcard);
        let parting = (field.steps.get(depth), item.steps.get(depth));
        // Two numbers that the user wrote may as well be two members.
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

/// As [`shared`], with wildcards that may stand for members.
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

/// How many steps two paths can take together.
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
