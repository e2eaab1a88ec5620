//! What every command grants its source.

use std::time::Duration;

use crate::record::channel::Limits;

/// What may wait between the halves. Extraction is the faster one on most machines, so this is
/// memory that is used.
pub(super) const CHANNEL: Limits = Limits {
    records: 32 << 10,
    bytes: 12 << 20,
};
/// How long speedctl may take to go when the run is over. Other sources are not waited for: a read of
/// stdin may never return.
pub(super) const STOP_LIMIT: Duration = Duration::from_secs(5);
