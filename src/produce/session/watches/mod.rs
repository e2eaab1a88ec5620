//! What is watched besides: a cluster that is silent, a process that was stopped.

pub(super) mod pause;
pub(super) mod stall;
