//! Record lines as a source: what `kreplay extract` has printed, and the output of `kcat -J`.

use super::Stop;
use super::by_line;
use super::collect::BadText;
use super::kind;
use super::sink::Sink;
use crate::channel::Sender;
use crate::config::{Input, Uncertain};
use crate::console::Console;
use crate::error::count;
use crate::record_line::{self, Earlier};

/// Reads all `inputs` in order and hands their records to `sender`. Those of which an earlier run
/// does not know whether they are in the log are left out as `filtered`, or read like the others.
///
/// # Errors
/// As of [`by_line::read`].
pub(super) fn read(
    inputs: &[Input],
    uncertain: Uncertain,
    console: &Console,
    sender: &Sender,
) -> Result<(), Stop> {
    let mut left_out = 0;
    let end = by_line::read(inputs, Sink::new(sender), |line, origin, sink| {
        sink.tally.lines += 1;
        let mark = sink.batch.mark();
        let earlier = record_line::read(line, origin, &mut sink.batch).map_err(|e| BadText {
            why: kind::with_hint(e.to_string(), line, origin.line),
            ends_early: e.ends_early,
        })?;
        sink.tally.found += 1;
        if earlier == Earlier::Unknown && uncertain == Uncertain::LeaveOut {
            sink.batch.roll_back(mark);
            sink.tally.filtered += 1;
            left_out += 1;
        }
        Ok(())
    });
    if left_out > 0 {
        let records = count(left_out, "record");
        console.note(&format!(
            "{records} may be in the log already, as an earlier run could not tell: left out; \
             `--send-unknown` sends them"
        ));
    }
    end
}
