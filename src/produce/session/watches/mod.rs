//! What is watched besides: a cluster that is silent, a process that was stopped, the consumer groups that are
//! waited for.

pub(super) mod groups;
pub(super) mod pause;
pub(super) mod stall;
