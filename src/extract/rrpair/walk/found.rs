//! The findings of a pass over a line, and the scopes that are open during it.

use std::fmt;

use crate::extract::profile::filter::Captured;
use crate::extract::rrpair::automaton::{FieldAt, Group};
use crate::extract::rrpair::fields::{Bad, FieldSet, Slot};
use crate::host::visible::beginning;
use crate::record::NameFault;

/// How many records, and aborted transactions, one RRPair may hold. An RRPair has at most 64 MiB of JSON, so
/// this allows records of 128 bytes of JSON on average. `{}` is a record as well, and takes a hundred times
/// its length in memory.
pub(in crate::extract) const MOST_RECORDS: usize = 1 << 19;
/// How many topics one RRPair may name, about as many as the largest clusters have partitions (200,000 with
/// ZooKeeper, KIP-500).
pub(in crate::extract) const MOST_TOPICS: usize = 1 << 18;
/// Bytes that are kept of the name of an unknown member: it is only shown.
const LONGEST_NAME: usize = 1 << 10;

/// A record as its line contains it.
#[derive(Debug, Clone)]
pub(in crate::extract) struct PartialRecord {
    pub(in crate::extract) fields: FieldSet,
    /// The source of the record's path.
    pub(in crate::extract) item: usize,
    /// Its place among all records, if a query orders them.
    pub(in crate::extract) order: usize,
    /// Its unknown members.
    pub(in crate::extract) unknown: MemberSet,
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::extract) enum RecordError {
    /// It has an unknown member, and none that holds a value.
    NoKnownValue(String),
    /// A text that should be base64 is not.
    NotBase64(&'static str),
    /// The topic's name is not one that Kafka takes.
    NoTopicName(NameFault),
    NotAString(&'static str),
    /// A header lacks its name or value, and has an unknown member.
    UnknownHeaderMember(String),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKnownValue(name) => {
                write!(
                    f,
                    "a record has no known value member, but one called `{name}`"
                )
            }
            Self::NotBase64(what) => write!(f, "a record's {what} should be base64 and is not"),
            Self::NotAString(what) => write!(f, "a record's {what} is not a string"),
            Self::NoTopicName(fault) => fault.fmt(f),
            Self::UnknownHeaderMember(name) => {
                write!(f, "a record's header has an unknown member called `{name}`")
            }
        }
    }
}

/// The findings in a line, besides the bytes in the batch. Kept from line to line for its memory.
#[derive(Debug)]
pub(in crate::extract) struct LineFindings {
    pub(in crate::extract) records: Vec<PartialRecord>,
    /// Aborted transactions, each with its topic and partition.
    pub(in crate::extract) aborted: Vec<FieldSet>,
    /// The broker's answers, by topic and partition.
    pub(in crate::extract) answers: Vec<FieldSet>,
    /// Indexes into the batch's topics: ids, each with its name.
    pub(in crate::extract) known_topics: Vec<(u32, u32)>,
    /// The texts that the filter reads, by its own indexes.
    pub(in crate::extract) filtered_on: Captured,
    /// Which of the profile's paths have matched something.
    pub(in crate::extract) matched: Vec<bool>,
    pub(in crate::extract) scopes: Vec<Scope>,
    /// The names of unknown members, kept from line to line.
    pub(in crate::extract) unknown: UnknownNames,
}

/// Unknown members, by the bits of their numbers in [`UnknownNames`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::extract) struct MemberSet(u32);

impl MemberSet {
    pub(in crate::extract) fn add(&mut self, number: u8) {
        self.0 |= 1 << u32::from(number);
    }

    /// The numbers of the members, in ascending order.
    pub(in crate::extract) fn numbers(self) -> impl Iterator<Item = u8> {
        (0..=MOST_UNKNOWN).filter(move |number| self.0 >> u32::from(*number) & 1 == 1)
    }
}

/// Unknown names that are kept apart. A capture with other spellings has a few, a hostile one any number.
const MOST_UNKNOWN: u8 = 31;

/// The names of unknown members, each once.
#[derive(Debug, Default)]
pub(in crate::extract) struct UnknownNames(Vec<String>);

impl UnknownNames {
    /// The number of `name`. All names beyond those that are kept apart share the last number.
    pub(in crate::extract) fn number(&mut self, name: &str) -> u8 {
        let name = beginning(name, LONGEST_NAME);
        let known = self.0.iter().position(|known| known == name);
        let number = known.unwrap_or(self.0.len());
        let number = u8::try_from(number)
            .unwrap_or(MOST_UNKNOWN)
            .min(MOST_UNKNOWN);
        if known.is_none() && number < MOST_UNKNOWN {
            self.0.push(name.into());
        }
        number
    }

    pub(in crate::extract) fn name(&self, number: u8) -> &str {
        self.0
            .get(usize::from(number))
            .map_or("...", String::as_str)
    }
}

impl LineFindings {
    /// Empty findings, for a profile with this many paths, and this many members to capture.
    pub(in crate::extract) fn new(paths: usize, captured: usize) -> Self {
        Self {
            records: Vec::new(),
            aborted: Vec::new(),
            answers: Vec::new(),
            known_topics: Vec::new(),
            filtered_on: Captured::with_room(captured),
            matched: vec![false; paths],
            scopes: Vec::new(),
            unknown: UnknownNames::default(),
        }
    }

    /// Why a record cannot be read, if it cannot.
    pub(in crate::extract) fn error(&self, partial: &PartialRecord) -> Option<RecordError> {
        let name = |number| self.unknown.name(number).to_string();
        let bad = partial.fields.bad().map(|bad| match bad {
            Bad::NotBase64(slot) => RecordError::NotBase64(slot.noun()),
            Bad::NotAString(slot) => RecordError::NotAString(slot.noun()),
            Bad::NoTopicName(fault) => RecordError::NoTopicName(fault),
            Bad::UnknownHeaderMember(number) => RecordError::UnknownHeaderMember(name(number)),
        });
        let mut unknown = partial.unknown.numbers();
        bad.or_else(|| match partial.fields.has(Slot::Value) {
            true => None,
            false => unknown.next().map(|n| RecordError::NoKnownValue(name(n))),
        })
    }

    pub(in crate::extract) fn clear(&mut self) {
        self.records.clear();
        self.aborted.clear();
        self.answers.clear();
        self.known_topics.clear();
        self.filtered_on.clear();
        self.matched.fill(false);
        self.scopes.clear();
    }

    /// Every set of fields that the field at `at` belongs to.
    pub(in crate::extract) fn kept_for(
        &mut self,
        at: &FieldAt,
    ) -> impl Iterator<Item = &mut FieldSet> {
        // The innermost scopes are the last.
        let open = self.scopes.iter_mut().rev();
        let deep_enough = open.take_while(|scope| scope.depth >= at.shallowest);
        let own = deep_enough
            .filter(|scope| scope.group == at.group && at.is_anchored_at(scope.depth, scope.item));
        own.map(|scope| &mut scope.fields)
    }
}

/// An open node, with the fields kept there.
#[derive(Debug)]
pub(in crate::extract) struct Scope {
    pub(in crate::extract) depth: usize,
    pub(in crate::extract) group: Group,
    /// The source of the path of the items that the fields are for.
    pub(in crate::extract) item: usize,
    pub(in crate::extract) fields: FieldSet,
    /// See [`PartialRecord::order`].
    pub(in crate::extract) order: usize,
    /// How many of the group's things were found before it.
    pub(in crate::extract) before: usize,
}
