//! What a pass over a line finds, and the nodes that are open while it does.

use std::fmt;

use super::fields::Fields;
use super::filter::Captured;
use super::json::Scratch;
use super::plan::{FieldAt, Group};

/// A record as its line tells it.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) fields: Fields,
    /// The source of the record's path.
    pub(super) item: usize,
    pub(super) trouble: Option<Trouble>,
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No member that holds a value, but one that nobody knows.
    NoKnownValue(String),
    NotBase64,
    NotAString,
    /// A header without name or value, with a member that nobody knows.
    UnknownHeaderMember(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKnownValue(name) => {
                write!(
                    f,
                    "a record has none of the known value members, but one called `{name}`"
                )
            }
            Self::NotBase64 => f.write_str("a record's member should be base64 and is not"),
            Self::NotAString => f.write_str("a record's key, value or header is not a string"),
            Self::UnknownHeaderMember(name) => {
                write!(f, "a record's header has an unknown member called `{name}`")
            }
        }
    }
}

/// What a line held, besides the bytes in the batch. Kept from line to line for its memory.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) records: Vec<Draft>,
    /// Aborted transactions, with the topic and partition that they are of.
    pub(super) aborted: Vec<Fields>,
    /// Indexes into the batch's topics: ids, each with its name.
    pub(super) known_topics: Vec<(u32, u32)>,
    /// What the filter reads, by its own indexes.
    pub(super) filtered_on: Captured,
    /// Which of the profile's paths have matched something.
    pub(super) matched: Vec<bool>,
    pub(super) scopes: Vec<Scope>,
    pub(super) scratch: Scratch,
}

impl Found {
    /// Nothing yet, for a profile with this many paths, and this many members to capture.
    pub(super) fn new(paths: usize, captured: usize) -> Self {
        Self {
            records: Vec::new(),
            aborted: Vec::new(),
            known_topics: Vec::new(),
            filtered_on: Captured::with_room(captured),
            matched: vec![false; paths],
            scopes: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.aborted.clear();
        self.known_topics.clear();
        self.filtered_on.clear();
        self.matched.fill(false);
        self.scopes.clear();
    }

    /// Every set of fields that the field at `at` belongs to.
    pub(super) fn kept_for(&mut self, at: &FieldAt) -> impl Iterator<Item = &mut Fields> {
        // The innermost stand last.
        let open = self.scopes.iter_mut().rev();
        let deep_enough = open.take_while(|scope| scope.depth >= at.shallowest);
        let own = deep_enough
            .filter(|scope| scope.group == at.group && at.is_anchored_at(scope.depth, scope.item));
        own.map(|scope| &mut scope.fields)
    }
}

/// A node that is open, with the fields kept there.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) depth: usize,
    pub(super) group: Group,
    /// The source of the path of the items that the fields are for.
    pub(super) item: usize,
    pub(super) fields: Fields,
    /// How many of the group's things were found before it.
    pub(super) before: usize,
}
