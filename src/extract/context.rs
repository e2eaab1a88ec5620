//! What every part of an extraction knows about the run: what the user asks for, what is known about the
//! source so far, and why reading ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::census::Census;
use super::input::encoding::open::total_size;
use super::source::expecting::Expecting;
use crate::config::{Extraction as Options, Input, TopicNames};
use crate::error::Error;
use crate::host::console::Console;
use crate::record::channel::Closed;
use crate::report;

/// Why reading ended before the end of the input.
#[derive(Debug)]
pub(in crate::extract) enum ReadStop {
    /// Production accepts no more records.
    Closed,
    /// All that is selected was read.
    Enough,
    /// The CSV would lose something, and nothing has been sent yet.
    NeedsRaw(String),
    Failed(Error),
}

impl From<Closed> for ReadStop {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

/// The inputs of a run that cannot be read to their end, or not at all. None of them keeps the others from being
/// read.
#[derive(Debug)]
pub(in crate::extract) struct InputFailures<'c> {
    console: &'c Console,
    first: Option<Error>,
}

impl<'c> InputFailures<'c> {
    pub(in crate::extract) fn new(console: &'c Console) -> Self {
        Self {
            console,
            first: None,
        }
    }

    /// Notes how the reading of one input has ended, if that is a failure. The first one is what the run ends with;
    /// the others are printed at once.
    ///
    /// # Errors
    /// Returns any other reason why reading ended: it ends the reading of all inputs.
    pub(in crate::extract) fn take(&mut self, end: Result<(), ReadStop>) -> Result<(), ReadStop> {
        match (end, &self.first) {
            (Err(ReadStop::Failed(error)), None) => self.first = Some(error),
            (Err(ReadStop::Failed(error)), Some(_)) => self.console.error(&error.to_string()),
            (end, _) => return end,
        }
        Ok(())
    }

    /// Whether every input could be read so far.
    pub(in crate::extract) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Says how the reading of all inputs has ended.
    ///
    /// # Errors
    /// Returns the first failure.
    pub(in crate::extract) fn finish(self) -> Result<(), ReadStop> {
        self.first
            .map_or(Ok(()), |error| Err(ReadStop::Failed(error)))
    }
}

/// What is known about the source while it is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Description {
    /// The inputs as the user named them.
    pub(crate) inputs: Vec<String>,
    /// Names of what is read for them, several for a folder; origins refer to them by index.
    pub(crate) names: Arc<[String]>,
    /// Its kind, as in [`crate::report::SourceReport`]; `None` while it is unknown.
    pub(crate) kind: Option<&'static str>,
    /// For a snapshot, how it is read.
    pub(crate) via: Option<&'static str>,
    /// Bytes of input, if known.
    pub(crate) total_bytes: Option<u64>,
}

impl Description {
    /// Describes a source that is one input, read as it is.
    pub(in crate::extract) fn of_one(&mut self, name: String) {
        self.names = [name.clone()].into();
        self.inputs = vec![name];
    }

    /// The source as a report shows it, after reading it has come to `end`; `asked` is its kind if its
    /// content does not show one.
    pub(crate) fn source(
        self,
        asked: Option<&'static str>,
        end: Option<&Result<(), Error>>,
    ) -> report::SourceReport {
        report::SourceReport {
            kind: self.kind.or(asked),
            via: self.via,
            inputs: self.inputs,
            names: self.names,
            complete: end == Some(&Ok(())),
        }
    }
}

/// The purpose of the reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To send the records, which then need a topic.
    Send,
    /// To examine or print them.
    Look,
}

/// What extraction needs to know about the run.
#[derive(Clone)]
pub(in crate::extract) struct ExtractionContext {
    pub(in crate::extract) options: Options,
    pub(in crate::extract) census: Census,
    /// Who receives what the application wrote.
    pub(in crate::extract) expecting: Option<Expecting>,
    pub(in crate::extract) topics: TopicNames,
    pub(in crate::extract) purpose: Purpose,
    pub(in crate::extract) console: Console,
    pub(in crate::extract) runtime: Handle,
    pub(in crate::extract) stop: watch::Receiver<bool>,
    pub(in crate::extract) description: Arc<Mutex<Description>>,
}

impl ExtractionContext {
    pub(in crate::extract) fn describe(&self) -> MutexGuard<'_, Description> {
        self.description
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What the topics of a CSV's rows are called at the destination.
    pub(in crate::extract) fn topics_of_rows(&self) -> TopicNames {
        match self.purpose {
            Purpose::Send => self.topics.clone(),
            // Nothing is sent, so records may go without a topic.
            Purpose::Look => TopicNames::One(String::new()),
        }
    }

    pub(in crate::extract) fn describe_inputs(&self, inputs: &[Input]) {
        let mut description = self.describe();
        description.inputs = inputs.iter().map(Input::name).collect();
        description.names = description.inputs.clone().into();
        description.total_bytes = total_size(inputs);
    }
}
