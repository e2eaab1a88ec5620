//! What kreplay checks and makes before the first record.

pub(crate) mod connecting;
pub(crate) mod destination;
pub(crate) mod plan;
pub(crate) mod target;
