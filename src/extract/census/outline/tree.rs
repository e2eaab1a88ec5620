//! The tree of an outline: a node for each path, and how members become one node when there are too many.

use crate::extract::profile::path::PathStep;

/// How many paths are kept.
pub(super) const MOST_PATHS: usize = 10_000;
/// How many different member names one object may have; with more, they are data and not names.
pub(super) const MOST_MEMBERS: usize = 200;
/// The most bytes of a member's name; a longer one is data.
const LONGEST_NAME: usize = 1 << 10;
/// The most bytes of a listed path: [`MOST_PATHS`] of them are 40 MB.
pub(super) const LONGEST_PATH: usize = 4 << 10;

pub(super) const TYPES: [&str; 6] = ["object", "array", "string", "number", "boolean", "null"];

/// A JSON type: an index into [`TYPES`].
#[derive(Debug, Clone, Copy)]
pub(super) enum Type {
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
}

#[derive(Debug, Default)]
pub(super) struct OutlineBudget {
    pub(super) paths: usize,
    /// The number of nodes without room for their path.
    pub(super) left_out: u64,
}

#[derive(Debug, Default)]
pub(super) struct OutlineNode {
    pub(super) count: u64,
    /// A bit for each of [`TYPES`].
    pub(super) types: u8,
    pub(super) sample: Option<Box<str>>,
    pub(super) members: Vec<(Box<str>, Self)>,
    /// Elements; also members, if there are too many.
    pub(super) each: Option<Box<Self>>,
    pub(super) is_folded: bool,
}

/// A child of a node.
#[derive(Debug, Clone, Copy)]
pub(super) enum Child {
    Member(usize),
    Each,
}

impl OutlineNode {
    pub(super) fn visit(
        &self,
        steps: &mut Vec<PathStep>,
        look: &mut dyn FnMut(&[PathStep], &Self),
    ) {
        let members = self.members.iter();
        let members = members.map(|(name, node)| (PathStep::Name(name.to_string()), node));
        let each = self.each.iter().map(|node| (PathStep::Each, &**node));
        for (step, node) in members.chain(each) {
            steps.push(step);
            look(steps, node);
            node.visit(steps, look);
            steps.pop();
        }
    }

    pub(super) fn is(&mut self, kind: Type) {
        self.types |= 1 << kind as u8;
    }

    /// Notes a scalar. An empty text is a sample only as long as there is no better one.
    pub(super) fn is_scalar(&mut self, kind: Type, sample: impl FnOnce() -> String) {
        self.is(kind);
        if self.sample.as_deref().is_none_or(|sample| sample == "\"\"") {
            self.sample = Some(sample().into());
        }
    }

    /// The child for the member `name`, most likely the one numbered `next`. `None` if there is no room for
    /// it.
    pub(super) fn member(
        &mut self,
        name: &str,
        next: usize,
        room: &mut OutlineBudget,
    ) -> Option<Child> {
        if self.is_folded {
            return self.each(room);
        }
        let is_it = |(known, _): &(Box<str>, Self)| **known == *name;
        if self.members.get(next).is_some_and(is_it) {
            return Some(Child::Member(next));
        }
        if let Some(at) = self.members.iter().position(is_it) {
            return Some(Child::Member(at));
        }
        if self.members.len() == MOST_MEMBERS {
            self.fold(room);
            return self.each(room);
        }
        if name.len() > LONGEST_NAME {
            room.left_out += 1;
            return None;
        }
        if !room.take() {
            return None;
        }
        self.members.push((name.into(), Self::default()));
        Some(Child::Member(self.members.len() - 1))
    }

    pub(super) fn each(&mut self, room: &mut OutlineBudget) -> Option<Child> {
        if self.each.is_none() {
            if !room.take() {
                return None;
            }
            self.each = Some(Box::default());
        }
        Some(Child::Each)
    }

    pub(super) fn child(&mut self, child: Child) -> &mut Self {
        match child {
            Child::Member(at) => &mut self.members[at].1,
            Child::Each => self.each.get_or_insert_default(),
        }
    }

    /// Merges all members into one node.
    pub(super) fn fold(&mut self, room: &mut OutlineBudget) {
        self.is_folded = true;
        for (_, member) in std::mem::take(&mut self.members) {
            match &mut self.each {
                Some(each) => each.merge(member, room),
                None => self.each = Some(Box::new(member)),
            }
        }
    }

    /// Merges `other` with this node; each path that both have then counts once.
    pub(super) fn merge(&mut self, other: Self, room: &mut OutlineBudget) {
        room.paths -= 1;
        self.count += other.count;
        self.types |= other.types;
        self.sample = self.sample.take().or(other.sample);
        for (name, member) in other.members {
            let is_it = |(known, _): &&mut (Box<str>, Self)| *known == name;
            match (&mut self.each, self.members.iter_mut().find(is_it)) {
                (Some(each), _) if self.is_folded => each.merge(member, room),
                (_, Some((_, known))) => known.merge(member, room),
                (_, None) => self.members.push((name, member)),
            }
        }
        match (&mut self.each, other.each) {
            (Some(each), Some(other)) => each.merge(*other, room),
            (each @ None, other) => *each = other,
            (Some(_), None) => {}
        }
        if !self.is_folded && (other.is_folded || self.members.len() > MOST_MEMBERS) {
            self.fold(room);
        }
    }
}

impl OutlineBudget {
    pub(super) fn take(&mut self) -> bool {
        let there = self.paths < MOST_PATHS;
        match there {
            true => self.paths += 1,
            false => self.left_out += 1,
        }
        there
    }
}
