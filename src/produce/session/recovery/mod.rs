//! Records that are sent a second time: those of batches that a broker refused, those of producers that had
//! to be ended, and those whose topic or partition was missing for a while. Each is certainly not in the log.

pub(super) mod absence;
mod isolation;
mod reappearance;
mod renewal;
