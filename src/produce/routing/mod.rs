//! Which topic and partition a record goes to, and what a topic accepts.

pub(super) mod acceptance;
mod captured;
mod looks;
pub(super) mod originals;
mod renamings;
pub(super) mod route;
pub(super) mod sizes;
mod warnings;
