//! The connection to the destination, and what kreplay checks before the first record.

pub(super) mod announce;
pub(super) mod client;
mod context;
pub(super) mod creation;
mod preflight;
pub(super) mod timeouts;
pub(super) mod topics;
