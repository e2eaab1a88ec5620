//! The walk through one RRPair: what the automaton names goes straight into the batch. No document is built,
//! and unknown members are skipped unseen.
//!
//! `pass.rs` makes the walk; `visit.rs` takes serde's events and drives it; `scopes.rs` has the nodes that
//! are open, `node.rs` what their content becomes, `found.rs` what is found.

pub(crate) mod found;
mod node;
pub(super) mod pass;
mod scopes;
mod visit;

use std::fmt;

use serde::de;

use self::found::{LineFindings, MemberSet};
use super::automaton::{AutomatonState, NodeShape, PathAutomaton};
use super::fields::Slot;
use crate::record::Batch;
use crate::report::rendering::figures::count;

/// How a node belongs to the one around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    /// The whole line.
    Root,
    Member,
    Element,
}

/// A pass over a line, while it lasts.
struct Walk<'a> {
    automaton: &'a PathAutomaton,
    batch: &'a mut Batch,
    found: &'a mut LineFindings,
    /// The unknown members of the record that is open.
    unknown: MemberSet,
    /// Whether the JSON text of a node is needed: the line is then read once more.
    again: bool,
    ambiguous: Option<Slot>,
    /// The limit that the line exceeds.
    excess: Option<Excess>,
}

/// A limit that one RRPair exceeds; it is then not read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) struct Excess {
    most: usize,
    what: &'static str,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "it holds more than {}",
            count(self.most as u64, self.what)
        )
    }
}

impl<'a> Walk<'a> {
    fn new(
        automaton: &'a PathAutomaton,
        batch: &'a mut Batch,
        found: &'a mut LineFindings,
    ) -> Self {
        found.clear();
        Self {
            automaton,
            batch,
            found,
            unknown: MemberSet::default(),
            again: false,
            ambiguous: None,
            excess: None,
        }
    }

    /// Refuses a node of another shape than the profile's, which would hide its records in silence. Only a
    /// profile that lists the members of its records is that certain of the shapes.
    fn check_shape<E: de::Error>(
        &self,
        state: &AutomatonState,
        place: Nesting,
        shape: NodeShape,
    ) -> Result<(), E> {
        if place == Nesting::Root && shape != NodeShape::Object {
            return Err(E::custom("expected an RRPair, which is a JSON object"));
        }
        let absent = shape == NodeShape::Null && place == Nesting::Member;
        if absent || self.automaton.known.is_none() {
            return Ok(());
        }
        match state.misses(shape) {
            Some(wanted) => Err(E::custom(format!(
                "expected {wanted} on the path to the records"
            ))),
            None => Ok(()),
        }
    }
}
