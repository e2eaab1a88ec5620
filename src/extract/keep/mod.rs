//! Decides which candidates become records: duplicates, transactions, topic ids.

pub(super) mod aborted;
pub(super) mod collect;
pub(super) mod deduplicator;
pub(super) mod identities;
mod pending;
pub(super) mod sink;
mod topic_ids;
