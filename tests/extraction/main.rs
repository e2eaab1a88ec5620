//! What kreplay takes out of a capture, and what it counts.

#[path = "../harness/mod.rs"]
mod harness;

mod capture_time;
mod figures;
mod inspect;
mod profiles;
mod selection;
mod speedctl;
mod substitutes;
mod topic_ids;
