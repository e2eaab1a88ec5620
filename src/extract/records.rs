//! Record lines as a source: what `kreplay extract` has printed, and the output of `kcat -J`.

use super::Stop;
use super::by_line::{self, BadLine};
use super::sink::Sink;
use crate::channel::Sender;
use crate::config::Input;
use crate::record_line;

/// Reads all `inputs` in order and hands their records to `sender`.
///
/// # Errors
/// As of [`by_line::read`].
pub(super) fn read(inputs: &[Input], sender: &Sender) -> Result<(), Stop> {
    by_line::read(inputs, Sink::new(sender), |line, origin, sink| {
        sink.tally.lines += 1;
        record_line::read(line, origin, &mut sink.batch).map_err(|e| BadLine {
            why: e.to_string(),
            ends_early: e.ends_early,
        })?;
        sink.tally.found += 1;
        Ok(())
    })
}
