//! What is watched besides: a cluster that is silent, a process that was stopped, and the awaited consumer
//! groups.

pub(super) mod groups;
pub(super) mod pause;
pub(super) mod stall;
