//! Who receives the records that the application wrote, and how these are read. This file is separate from
//! the reading, which every part of an extraction leads to.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::{
    AbortedRecords, BuiltInProfile, Duplicates, Extraction as Options, InputKind, Overrides,
    ProfileChoice, RetriedRequests,
};
use crate::error::Error;
use crate::record::channel::SourceBatch;
use crate::record::select::Selection;

/// What is sent of the expected records.
#[derive(Debug)]
pub(crate) enum ExpectedBatch {
    Records(Box<SourceBatch>),
    /// The capture was read to its end.
    End,
}

type Taker = dyn FnMut(ExpectedBatch) -> Result<(), Error> + Send;

/// The receiver of the expected records, called before anything that comes later in the capture is replayed.
/// Its refusal ends the reading.
#[derive(Clone)]
pub(crate) struct Expecting {
    pub(in crate::extract) options: Options,
    taker: Arc<Mutex<Taker>>,
}

impl fmt::Debug for Expecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expecting").finish_non_exhaustive()
    }
}

impl Expecting {
    /// Expects what was written, while `options` say what is replayed.
    pub(crate) fn new(
        options: &Options,
        taker: impl FnMut(ExpectedBatch) -> Result<(), Error> + Send + 'static,
    ) -> Self {
        Self {
            options: written(options),
            taker: Arc::new(Mutex::new(taker)),
        }
    }

    /// Refuses a source without Produce requests.
    ///
    /// # Errors
    /// Returns [`Error::Config`] for anything but RRPairs.
    pub(in crate::extract) fn check_kind(&self, kind: InputKind) -> Result<(), Error> {
        match kind {
            InputKind::RrPairs => Ok(()),
            InputKind::Csv | InputKind::Records => Err(Error::Config {
                message: format!(
                    "`--expect` reads Produce requests, but the source is {}",
                    kind.name()
                ),
                hint: Some(
                    "replay the RRPairs, or name the expected records with `--expect-from`".into(),
                ),
            }),
        }
    }

    /// Sends a batch of expected records.
    ///
    /// # Errors
    /// Returns why the reading ends.
    pub(in crate::extract) fn give(&self, source_batch: ExpectedBatch) -> Result<(), Error> {
        let mut taker = self.taker.lock().unwrap_or_else(PoisonError::into_inner);
        taker(source_batch)
    }
}

/// How to read what an application has written, from a capture that `options` say how to replay: all of it,
/// whatever they select.
pub(crate) fn written(options: &Options) -> Options {
    Options {
        profile: ProfileChoice::BuiltIn(BuiltInProfile::Produce),
        overrides: Overrides::default(),
        duplicates: Duplicates::Keep,
        aborted: AbortedRecords::LeaveOut,
        retried: RetriedRequests::LeaveOut,
        topic_ids: options.topic_ids.clone(),
        selection: Selection::default(),
    }
}
