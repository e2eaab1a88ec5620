//! The terms of a comparison: which records, on which side, and what counts as the same.

use serde_json::Value;

use crate::config::{Depth, HeaderRule, NewMembers};
use crate::report::NoiseKind;

/// What counts as the same.
#[derive(Default)]
pub(crate) struct Rules {
    /// Parts of JSON values that are left out.
    pub(crate) ignore: Vec<Box<dyn Ignore>>,
    /// Parts that differ from run to run.
    pub(crate) noise: Vec<NoiseRule>,
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

/// A part of a JSON value that is left out of the comparison.
pub(crate) trait Ignore: Send {
    /// Where that part is in `value`.
    fn find(&self, value: &Value) -> Vec<Vec<ValueStep>>;
}

/// A part of the records of a topic whose differences are accepted.
pub(crate) struct NoiseRule {
    pub(crate) topic: String,
    pub(crate) path: String,
    pub(crate) kind: NoiseKind,
    /// Whether each old value has one new value: equal ids must still be equal.
    pub(crate) is_consistent: bool,
    pub(crate) part: NoisePart,
}

/// A header's name and value.
pub(super) type OwnHeader = (Box<[u8]>, Option<Box<[u8]>>);

/// Which part of a record is accepted.
pub(crate) enum NoisePart {
    /// A part of its JSON value.
    Value(Box<dyn Ignore>),
    /// The values of its headers of this name.
    Header(String),
}

/// The node at `steps`.
pub(super) fn leaf_mut<'a>(value: &'a mut Value, steps: &[ValueStep]) -> Option<&'a mut Value> {
    let mut at = value;
    for step in steps {
        at = match step {
            ValueStep::Member(name) => at.get_mut(name.as_str())?,
            ValueStep::Element(index) => at.get_mut(*index)?,
        };
    }
    Some(at)
}

/// Takes the node at `steps` out of the comparison: a member is removed, an element keeps its place.
pub(super) fn blank(value: &mut Value, steps: &[ValueStep]) {
    let Some((last, way)) = steps.split_last() else {
        *value = Value::Null;
        return;
    };
    let mut at = value;
    for step in way {
        let next = match step {
            ValueStep::Member(name) => at.get_mut(name.as_str()),
            ValueStep::Element(index) => at.get_mut(*index),
        };
        match next {
            Some(next) => at = next,
            None => return,
        }
    }
    match (last, at) {
        (ValueStep::Member(name), Value::Object(members)) => {
            members.shift_remove(name);
        }
        (ValueStep::Element(index), Value::Array(elements)) => {
            if let Some(element) = elements.get_mut(*index) {
                *element = Value::Null;
            }
        }
        _ => {}
    }
}
