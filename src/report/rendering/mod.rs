//! What several reports share: the lines and members that say what was read and what went wrong, how numbers
//! are written, and the replay's own report in full.

pub(crate) mod figures;
pub(super) mod headline;
pub(super) mod json;
pub(super) mod nothing;
pub(crate) mod percentile;
pub(super) mod text;
