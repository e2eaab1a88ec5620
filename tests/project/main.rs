//! The shape of the source and the notices: no test here runs kreplay.

mod notices;
mod structure;
