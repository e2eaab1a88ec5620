//! Where records come from: RRPairs, record lines, a snapshot.

mod by_line;
pub(super) mod check;
pub(super) mod expected;
pub(super) mod expecting;
pub(super) mod records;
pub(super) mod rrpairs;
pub(super) mod snapshot;
