//! The brokers of a test run: started when the first trial needs one, ended after the last trial.
//!
//! A listing of the trials, or a run of some of them, starts only the brokers that it needs.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Kafka, KafkaOptions};

/// A broker that starts on demand.
pub(crate) struct OnDemand {
    options: Box<dyn Fn() -> Result<KafkaOptions, String> + Send + Sync>,
    state: Mutex<Option<Result<Arc<Kafka>, String>>>,
}

impl OnDemand {
    /// Prepares a broker with these properties. Captured times are kept whatever the calendar says:
    /// otherwise the broker refuses or deletes records with times far from its own.
    pub(crate) fn new(properties: &[(&str, &str)]) -> Self {
        let always = [
            ("log.retention.ms", "-1"),
            ("log.message.timestamp.before.max.ms", "9223372036854775807"),
            ("log.message.timestamp.after.max.ms", "9223372036854775807"),
        ];
        let properties = always.iter().chain(properties);
        let properties = properties.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let options = KafkaOptions {
            properties: properties.collect(),
            ..KafkaOptions::default()
        };
        Self::with(move || Ok(options.clone()))
    }

    /// Prepares a broker with options that take time to make.
    pub(crate) fn with(
        options: impl Fn() -> Result<KafkaOptions, String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            options: Box::new(options),
            state: Mutex::new(None),
        }
    }

    /// The broker, started by the first call.
    ///
    /// # Errors
    /// Returns why it could not start; no later call tries again.
    pub(crate) fn get(&self) -> Result<Arc<Kafka>, String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let start = || Kafka::start_with(&(self.options)()?).map(Arc::new);
        state.get_or_insert_with(start).clone()
    }

    /// Ends the broker if it was started. No trial may use it any more.
    pub(crate) fn stop(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        drop(state.take());
    }
}
