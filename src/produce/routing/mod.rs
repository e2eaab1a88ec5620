//! Which topic and partition a record goes to, and what a topic accepts.

pub(super) mod acceptance;
mod checks;
pub(super) mod originals;
pub(crate) mod placement;
pub(super) mod route;
pub(super) mod sizes;
mod warnings;
