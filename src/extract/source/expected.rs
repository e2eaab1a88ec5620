//! The records that the application wrote, in the Produce requests of the capture: read beside those that are
//! replayed, from the same texts. One reading serves two profiles.

use std::collections::HashSet;

use super::expecting::{ExpectedBatch, Expecting};
use crate::config::Input;
use crate::error::Error;
use crate::extract::census::Census;
use crate::extract::context::ReadStop;
use crate::extract::keep::collect::Collector;
use crate::extract::keep::sink::Sink;
use crate::record::{CapturedTopic, Origin};

/// The number of records at which a batch is sent on.
const MOST_RECORDS: usize = 1024;
/// The number of bytes at which a batch is sent on.
const MOST_BYTES: usize = 1 << 18;

/// Reads texts for their expected records.
pub(in crate::extract) struct ExpectedReader {
    collector: Collector,
    sink: Sink<'static>,
    expecting: Expecting,
    /// Topics of the records read so far.
    named: HashSet<CapturedTopic>,
}

impl ExpectedReader {
    /// # Errors
    /// Fails as [`Collector::new`] does.
    pub(in crate::extract) fn new(
        expecting: &Expecting,
        inputs: Vec<Input>,
    ) -> Result<Self, Error> {
        Ok(Self {
            collector: Collector::new(&expecting.options, inputs, Census::Nothing)?,
            sink: Sink::detached(),
            expecting: expecting.clone(),
            named: HashSet::new(),
        })
    }

    /// Reads a text that could be read for the replay. Adds topics that no expected record had before to
    /// `captured`: renamings apply to them as well.
    ///
    /// # Errors
    /// Returns what ends the reading.
    pub(in crate::extract) fn read(
        &mut self,
        text: &str,
        origin: Origin,
        captured: &mut Vec<(CapturedTopic, Option<i32>)>,
    ) -> Result<(), ReadStop> {
        let first = self.sink.batch.records.len();
        // Its damage was named when it was read for the replay.
        _ = self.collector.read(text, origin, &mut self.sink);
        let batch = &self.sink.batch;
        for record in batch.records.iter().skip(first) {
            if let Some(topic) = batch.topic(record)
                && !self.named.contains(topic)
            {
                self.named.insert(topic.clone());
                captured.push((topic.clone(), None));
            }
        }
        match batch.records.len() >= MOST_RECORDS || batch.weight() >= MOST_BYTES {
            true => self.give(),
            false => Ok(()),
        }
    }

    /// Sends the rest, and says that there is no more.
    ///
    /// # Errors
    /// Returns what ends the reading.
    pub(in crate::extract) fn finish(mut self) -> Result<(), ReadStop> {
        self.collector.finish(&mut self.sink);
        self.give()?;
        let ended = self.expecting.give(ExpectedBatch::End);
        ended.map_err(ReadStop::Failed)
    }

    fn give(&mut self) -> Result<(), ReadStop> {
        let source_batch = Box::new(self.sink.take());
        let given = self.expecting.give(ExpectedBatch::Records(source_batch));
        given.map_err(ReadStop::Failed)
    }
}
