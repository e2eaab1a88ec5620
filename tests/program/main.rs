//! What kreplay prints: help, reports, plans, comparisons, the terminal.

#[path = "../harness/mod.rs"]
mod harness;

mod compare;
mod help;
mod plan;
mod progress;
mod rehearsal;
mod schema;
mod settings;
mod stalled_stderr;
