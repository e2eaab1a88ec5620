//! Reads a topic as one side of a comparison: from its first record to the end that it has when the reading
//! begins.

use std::time::Duration;

use crate::cluster::fetched::push;
use crate::cluster::native::Fetched;
use crate::cluster::native::offsets::LogEnd;
use crate::cluster::reader::{Isolation, LogReader};
use crate::config::Destination;
use crate::error::Error;
use crate::host::console::Console;
use crate::host::control::Control;
use crate::record::channel::{Closed, Sender, SourceBatch};
use crate::report;

/// The longest wait for records; an interruption is noticed after it.
const STEP: Duration = Duration::from_millis(50);
/// Bytes of a batch at which it is sent on.
const MOST_BYTES: usize = 1 << 20;

pub(super) struct TopicToRead {
    pub(super) name: String,
    /// The name of the topic in the comparison.
    pub(super) compared_as: String,
    pub(super) console: Console,
}

/// Why the reading ended early.
enum TopicEnd {
    Interrupted,
    Failed(Error),
}

impl From<Error> for TopicEnd {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Closed> for TopicEnd {
    fn from(_: Closed) -> Self {
        Self::Interrupted
    }
}

impl TopicToRead {
    /// The topic as a report has it.
    pub(super) fn source(&self) -> report::SourceReport {
        report::SourceReport {
            kind: Some(report::SourceReport::TOPIC),
            inputs: vec![self.name.clone()],
            ..report::SourceReport::default()
        }
    }

    /// Reads the topic into `sender`; returns the names of its partitions.
    pub(super) fn read(
        &self,
        destination: &Destination,
        control: &Control,
        sender: Sender,
    ) -> Vec<String> {
        let mut names = Vec::new();
        match self.read_all(destination, control, &sender, &mut names) {
            Ok(()) => sender.finish(Ok(())),
            Err(TopicEnd::Failed(error)) if !control.is_stopping() => sender.finish(Err(error)),
            Err(_) => sender.finish_early(),
        }
        names
    }

    fn read_all(
        &self,
        destination: &Destination,
        control: &Control,
        sender: &Sender,
        names: &mut Vec<String>,
    ) -> Result<(), TopicEnd> {
        let watch = (&self.console, control);
        let mut reader = LogReader::open(destination, Isolation::Committed, watch)?;
        let partitions = reader.partitions(&self.name)?;
        *names = (0..partitions)
            .map(|partition| format!("{} [{partition}]", self.name))
            .collect();
        let all: Vec<_> = (0..partitions)
            .map(|partition| (self.name.clone(), partition))
            .collect();
        let starts = reader.offsets(&all, LogEnd::Start)?;
        let stable = reader.offsets(&all, LogEnd::LastStable)?;
        // The end of each partition that has not been reached yet.
        let mut ends = Vec::new();
        for ((_, partition), (start, end)) in all.iter().zip(starts.into_iter().zip(stable)) {
            ends.push((start < end).then_some(end));
            if start < end {
                reader.start(&self.name, *partition, start)?;
            }
        }
        let mut source_batch = SourceBatch::default();
        while ends.iter().any(Option::is_some) {
            if control.is_stopping() {
                return Err(TopicEnd::Interrupted);
            }
            let mut failed = None;
            reader.poll(STEP, |fetched| match fetched {
                Fetched::Record(record) => {
                    let end = end_of(&mut ends, record.partition);
                    if end.is_some_and(|end| record.offset < end) {
                        let (name, input) = (&self.compared_as, record.partition.unsigned_abs());
                        let bytes = push(&mut source_batch.batch, name, input, &record);
                        source_batch.tally.bytes += bytes as u64;
                    }
                    reached(&mut ends, record.partition, record.offset + 1);
                }
                Fetched::AtEnd {
                    partition, offset, ..
                } => reached(&mut ends, partition, offset),
                Fetched::Failed { why, .. } => failed = Some(why),
            });
            if let Some(why) = failed {
                return Err(reader.unread(&self.name, &why).into());
            }
            if source_batch.batch.weight() >= MOST_BYTES {
                sender.send(std::mem::take(&mut source_batch))?;
            }
        }
        Ok(sender.send(source_batch)?)
    }
}

fn end_of(ends: &mut [Option<i64>], partition: i32) -> Option<i64> {
    let index = usize::try_from(partition).ok()?;
    ends.get(index).copied().flatten()
}

/// Notes that everything before `offset` was read.
fn reached(ends: &mut [Option<i64>], partition: i32, offset: i64) {
    let end = usize::try_from(partition).ok();
    if let Some(end) = end.and_then(|index| ends.get_mut(index)) {
        *end = end.filter(|end| offset < *end);
    }
}
