//! Records that are sent a second time: those of batches that a broker refused, and those of producers
//! that had to be ended. Each is certainly not in the log.

mod isolation;
mod renewal;
