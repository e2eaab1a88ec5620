//! Where records come from: RRPairs, record lines, a snapshot; and `trial.rs` for the fuzzer.

mod by_line;
pub(super) mod check;
pub(super) mod expected;
pub(super) mod expecting;
pub(super) mod records;
pub(super) mod rrpairs;
pub(super) mod snapshot;
pub(super) mod trial;
