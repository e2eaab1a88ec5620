//! The beginning of a comparison, before the first record is sent: reads the expected records of another
//! source, notes where topics end, and starts the observer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::expectation::SharedExpectation;
use super::observer::{ObservedOutput, OutputObserver, OutputReading};
use super::outputs::OutputTopics;
use crate::cluster::reader::LogReader;
use crate::config::{Config, ExpectationSource, InputKind, Source, TopicNames};
use crate::error::Error;
use crate::extract;
use crate::host::console::Console;
use crate::produce::Control;
use crate::record::channel::Receiver;
use crate::run::driver::{ReadingOptions, SourceReading};
use crate::run::replay::reading::{CurrentReading, lock};

/// An expectation, and how its observer ends.
#[derive(Clone)]
pub(in crate::run::replay) struct ExpectationStart {
    pub(in crate::run::replay) shared: Arc<SharedExpectation>,
    /// `None` before the observer has begun.
    observed: Arc<Mutex<Option<oneshot::Receiver<ObservedOutput>>>>,
}

impl ExpectationStart {
    pub(super) fn new(shared: SharedExpectation) -> Self {
        Self {
            shared: Arc::new(shared),
            observed: Arc::default(),
        }
    }

    /// Where the observer reports what it has seen.
    pub(super) fn observed(&self) -> MutexGuard<'_, Option<oneshot::Receiver<ObservedOutput>>> {
        // It is consistent between any two statements, also after a panic.
        self.observed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes where topics end and begins to read what is expected, before the first record is sent. Must
    /// be called on the runtime, by a thread that may block.
    ///
    /// # Errors
    /// Returns what keeps the output from being compared, such as an output topic that does not exist.
    pub(in crate::run::replay) fn begin(
        &self,
        config: &Config,
        (console, control): (&Console, &Control),
        reading: &Mutex<CurrentReading>,
    ) -> Result<(), Error> {
        if let ExpectationSource::Other(source) = &self.shared.settings.source {
            self.read_other(source, config, (console, control), reading)?;
        }
        let isolation = self.shared.isolation();
        let mut reader = LogReader::open(&config.destination, isolation, (console, control))?;
        let all = reader.topics()?;
        let is_known = matches!(self.shared.settings.source, ExpectationSource::Other(_));
        let wanted = self.shared.state().wanted.clone();
        // Kafka's own topics are nobody's output.
        let needed = wanted.clone();
        let is_output =
            move |topic: &str| !topic.starts_with("__") && (!is_known || needed.contains(topic));
        let outputs = all.into_iter().filter(|(topic, _)| is_output(topic));
        let outputs = OutputTopics::look(&mut reader, self.shared.brokers(), outputs)?;
        outputs.check(wanted.iter())?;
        self.shared.state().outputs = Some(outputs);
        let (sender, observed) = oneshot::channel();
        *self.observed() = Some(observed);
        let reading = OutputReading {
            reader,
            isolation,
            destination: config.destination.clone(),
            console: console.clone(),
        };
        let (shared, control) = (self.shared.clone(), control.clone());
        thread::spawn(move || {
            let observed = OutputObserver::new(reading, shared, control).observe();
            // The receiver is gone only if the run ended at once.
            _ = sender.send(observed);
        });
        Ok(())
    }

    /// Reads the expected records from their own source.
    fn read_other(
        &self,
        source: &Source,
        config: &Config,
        (console, control): (&Console, &Control),
        reading: &Mutex<CurrentReading>,
    ) -> Result<(), Error> {
        let options = ReadingOptions {
            extraction: extract::written(&config.extraction),
            topics: TopicNames::Mapped(Vec::new()),
            ..ReadingOptions::of(source.clone(), config, extract::Purpose::Look)
        };
        let (source_reading, receiver) = SourceReading::start(options, console);
        lock(reading).expected = Some(source_reading);
        // The signal may have come before there was anything to end.
        if control.is_stopping() {
            lock(reading).stop();
        }
        let end = self.expect_all(receiver);
        let source_reading = lock(reading).expected.take();
        if let Some(source_reading) = source_reading {
            let description = Handle::current().block_on(source_reading.end());
            let mut state = self.shared.state();
            state.names = description.names.to_vec();
            // Lines and rows do not show which records were in transactions.
            state.shows_transactions = description.kind == Some(InputKind::RrPairs.reported())
                || description.via == Some("raw");
        }
        end?;
        match control.is_stopping() {
            true => Ok(()),
            false => self.shared.check_something(),
        }
    }

    /// Reads the expected records to their end.
    fn expect_all(&self, receiver: Receiver) -> Result<(), Error> {
        while let Some(source_batch) = receiver.recv() {
            self.shared.expect_records(&source_batch)?;
        }
        let (end, rest) = receiver.close();
        for source_batch in rest {
            self.shared.expect_records(&source_batch)?;
        }
        end.unwrap_or(Ok(()))
    }
}
