//! Which candidates become records: duplicates, transactions, topic ids.

pub(super) mod aborted;
pub(super) mod admission;
pub(super) mod collect;
mod held;
pub(super) mod identities;
mod seen;
pub(super) mod sink;
mod topic_ids;
