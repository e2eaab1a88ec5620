//! One replay, from the first look at the destination to the last delivery.

pub(super) mod drain;
mod isolation;
pub(super) mod outcome;
pub(super) mod pause;
pub(super) mod replay;
mod send;
mod stall;
