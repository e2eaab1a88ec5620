//! What a comparison is asked: which records, on which side, and what counts as the same.

use serde_json::Value;

use crate::config::{Depth, HeaderRule, NewMembers};

/// What counts as the same.
#[derive(Default)]
pub(crate) struct Rules {
    /// Parts of JSON values that are not compared.
    pub(crate) ignore: Vec<Box<dyn Ignore>>,
    pub(crate) members: NewMembers,
    pub(crate) headers: HeaderRule,
    pub(crate) depth: Depth,
}

/// One of the two sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Expected,
    Observed,
}

/// A record to compare. `input` and `number` are its place, in the caller's terms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) topic: &'a str,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) headers: &'a [(&'a [u8], Option<&'a [u8]>)],
    pub(crate) place: RecordPlace,
}

/// Where a record is, in the caller's terms: an input and a line, or a partition and an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RecordPlace {
    pub(crate) input: u32,
    pub(crate) number: u64,
}

/// Where something is in a JSON value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ValueStep {
    Member(String),
    Element(usize),
}

/// A part of a JSON value that is not compared.
pub(crate) trait Ignore: Send {
    /// Where that part is in `value`.
    fn find(&self, value: &Value) -> Vec<Vec<ValueStep>>;
}
