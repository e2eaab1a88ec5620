//! The text of one RRPair to candidate records.

pub(super) mod automaton;
pub(super) mod engine;
pub(super) mod fields;
mod headers;
pub(super) mod json;
pub(super) mod sources;
pub(super) mod walk;
