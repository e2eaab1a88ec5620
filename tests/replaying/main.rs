//! When and in which order records are sent, interrupted and sent again.

#[path = "../harness/mod.rs"]
mod harness;

mod interruption;
mod order;
mod preflight;
mod rejects;
mod repetition;
mod resume;
mod slow_cluster;
mod timing;
