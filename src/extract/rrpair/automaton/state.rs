//! What a state of the automaton knows: the fields and patterns that are accepted there, and where each member leads.

use std::cell::Cell;

use crate::extract::profile::Encoding;
use crate::extract::profile::path::PathStep;
use crate::extract::rrpair::fields::Slot;

/// What is collected: records, and what else has to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum Group {
    Record,
    AbortedTransaction,
    KnownTopic,
    /// The broker's answer for a batch.
    Answer,
}

/// What a path's node means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum Role {
    /// One of the group's things begins here.
    Item(Group),
    /// A field of the things of a group; only of `own`, if it is below that item's path.
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
    /// Which of the profile's paths it came from, for errors and to know which matched.
    pub(in crate::extract) source: usize,
    /// The position of its nodes among all things, if a query determines it.
    pub(in crate::extract) order: usize,
    /// Whether its numbers may also be names.
    pub(in crate::extract) is_dotted: bool,
}

impl Pattern {
    /// Whether it belongs to the profile's own shapes, and not to what is collected besides.
    pub(super) fn is_of_shape(&self) -> bool {
        // A broker's answer hides no record.
        !matches!(
            self.role,
            Role::Filter(..)
                | Role::Item(Group::Answer)
                | Role::Field {
                    group: Group::Answer,
                    ..
                }
        )
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
    /// Depths, each with the source of the item's path that it belongs to.
    pub(super) anchors: Vec<(usize, usize)>,
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
    /// See [`Pattern::order`].
    pub(in crate::extract) order: usize,
}

/// A state of the automaton.
#[derive(Debug, Default)]
pub(in crate::extract) struct AutomatonState {
    pub(in crate::extract) depth: usize,
    pub(super) names: Vec<NamedMember>,
    /// The named member that an object began with when one was last read.
    pub(super) begins_with: Cell<usize>,
    pub(super) indexes: Vec<(usize, usize)>,
    /// Any other element of a list.
    pub(super) each: Option<usize>,
    /// Any other member of an object.
    pub(super) member: Option<usize>,
    pub(in crate::extract) fields: Vec<FieldAt>,
    pub(in crate::extract) filters: Vec<usize>,
    /// Groups with a field anchored here, each with the source of the item's path.
    pub(in crate::extract) anchors: Vec<(Group, usize)>,
    /// Things that begin here.
    pub(in crate::extract) items: Vec<ItemAt>,
    /// Whether records are below, so that a node of another shape would hide some.
    pub(super) on_the_way: bool,
    /// Whether the node's JSON text is needed: always, or since a node was seen that is not a string.
    pub(in crate::extract) raw: Cell<bool>,
}

/// A member that paths name.
#[derive(Debug)]
pub(super) struct NamedMember {
    pub(super) text: String,
    /// The state that it leads to.
    pub(super) to: usize,
    /// The named member that followed it when an object was last read: objects of one kind have their members
    /// in one order, and a guess saves the search.
    pub(super) before: Cell<usize>,
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
    /// What was expected on the path to records instead of a node of this shape.
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

    /// Whether such a node has no meaning of its own.
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

/// What a wildcard matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wildcard {
    /// Elements of lists and members of objects (RFC 9535, section 2.3.2).
    Any,
    /// On the path to records, only elements of lists: a profile that lists what its records hold knows its
    /// shapes, and an object instead of a list is an error.
    Elements,
}

/// Positions in patterns: (pattern, steps taken), sorted.
pub(super) type PatternPositions = Vec<(usize, usize)>;
