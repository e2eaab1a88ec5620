//! Faults of kreplay's own process: kills, signals, chains of runs over one journal.

pub(crate) mod artifacts;
pub(crate) mod chain;
pub(crate) mod combined;
pub(crate) mod interruption;
pub(crate) mod source;
