//! Turns the text of one RRPair into candidate records.

pub(super) mod automaton;
pub(super) mod engine;
pub(super) mod fields;
mod headers;
pub(super) mod json;
pub(super) mod sources;
pub(super) mod walk;
