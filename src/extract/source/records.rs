//! Record lines as a source: what `kreplay extract` has printed, the output of `kcat -J`, and the records of
//! other tools (`record/lines/foreign/` says which), on lines, indented or in a list.

use super::by_line;
use crate::config::{Input, TopicIdNames, Uncertain};
use crate::extract::context::ReadStop;
use crate::extract::input::encoding::opener::Opener;
use crate::extract::keep::collect::BadText;
use crate::extract::keep::identities::{BatchMark, Identities};
use crate::extract::keep::sink::{Outlet, Sink};
use crate::host::console::Console;
use crate::record::lines;
use crate::record::lines::Earlier;
use crate::record::{CapturedTopic, Origin};
use crate::report::rendering::figures::count;
use crate::report::{Outcome, ProblemKind};

/// Reads all `inputs` in order and sends their records to `sender`. Records of which an earlier run does not
/// know whether they are in the log are left out as `filtered`, or read like the others.
///
/// # Errors
/// Fails as [`by_line::read`] does.
pub(in crate::extract) fn read(
    inputs: &[Input],
    opener: Opener,
    uncertain: Uncertain,
    given: &TopicIdNames,
    console: &Console,
    sender: &Outlet,
) -> Result<(), ReadStop> {
    let mut left_out = 0;
    let mut identities = Identities::new(given);
    let end = by_line::read(
        inputs,
        opener,
        console,
        Sink::new(sender),
        |line, origin, sink| {
            // kcat writes this about itself; its stderr may go to the same place as its stdout.
            if line.starts_with(b"% ") {
                sink.tally.skipped_lines += 1;
                return Ok(());
            }
            sink.tally.lines += 1;
            let (mark, first) = (sink.batch.mark(), sink.batch.records.len());
            let earlier = match lines::read(line, origin, &mut sink.batch) {
                Ok(earlier) => earlier,
                Err(error) => {
                    let read = read_foreign(line, origin, sink).ok_or_else(|| BadText {
                        why: error.to_string(),
                        ends_early: error.ends_early,
                    });
                    identify(&mut identities, first, sink);
                    return read;
                }
            };
            sink.tally.found += 1;
            if earlier == Earlier::Unknown && uncertain == Uncertain::LeaveOut {
                sink.batch.roll_back(mark);
                sink.tally.outcomes[Outcome::Filtered] += 1;
                left_out += 1;
            }
            identify(&mut identities, first, sink);
            Ok(())
        },
    );
    if !matches!(end, Err(ReadStop::Closed | ReadStop::Enough)) {
        let mut sink = Sink::new(sender);
        identities.finish(&mut sink.tally);
        sink.flush()?;
    }
    if left_out > 0 {
        let records = count(left_out, "record");
        console.note(&format!(
            "{records} may be in the log already, because an earlier run got no answer for \
             them: left out; `--send-unknown` sends them"
        ));
    }
    end
}

/// Gives their user-defined names to the topics of the records from `first` on.
fn identify(identities: &mut Identities, first: usize, sink: &mut Sink<'_>) {
    let Sink { batch, tally, .. } = sink;
    let mut records = batch.records.split_off(first);
    for record in &mut records {
        identities.name(batch, record);
        identities.observe(batch, record, BatchMark::NONE);
        if let Some(CapturedTopic::Id(id)) = batch.topic(record) {
            tally.unresolved.add(*id);
        }
    }
    batch.records.append(&mut records);
}

/// Reads the records of another tool; `None` if the line is not one of theirs.
fn read_foreign(line: &[u8], origin: Origin, sink: &mut Sink<'_>) -> Option<()> {
    let before = sink.batch.records.len();
    let bad = lines::read_foreign(line, origin, &mut sink.batch)?;
    sink.tally.found += (sink.batch.records.len() - before) as u64;
    for why in bad {
        sink.unreadable(ProblemKind::Unreadable, origin, || why);
    }
    Some(())
}
