//! The connection to the destination, and what is looked at before the first record.

pub(super) mod announce;
pub(super) mod client;
mod context;
mod preflight;
mod renewal;
pub(super) mod topics;
