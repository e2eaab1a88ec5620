//! What a session watches while it sends: a cluster that is silent, a process that was stopped, and the
//! awaited consumer groups.

pub(super) mod groups;
pub(super) mod pause;
pub(super) mod stall;
