//! What the broker has after a replay, and what it refuses.

pub(crate) mod broker_errors;
pub(crate) mod contents;
pub(crate) mod isolated;
pub(crate) mod live_line;
pub(crate) mod refused;
pub(crate) mod timing;
pub(crate) mod volume;
