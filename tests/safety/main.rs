//! What no input, no name and no file of others can make kreplay do.

#[path = "../harness/mod.rs"]
mod harness;

mod bounds;
mod files;
mod untrusted;
