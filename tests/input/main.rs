//! What kreplay reads: every form of a capture, and every way in which one can be damaged.

#[path = "../harness/mod.rs"]
mod harness;

mod bad_input;
mod byoc;
mod csv_properties;
mod forms;
mod markdown;
mod record_lines;
mod sources;
mod truncation;
