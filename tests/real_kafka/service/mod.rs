//! The service behind the topic: whether it keeps up, and whether it writes what it used to.

pub(crate) mod capacity;
pub(crate) mod compared;
pub(crate) mod drained;
pub(crate) mod expected;
pub(crate) mod groups;
pub(crate) mod share_group;
