//! The result of a plan, added up for the report.

use crate::error::Error;
use crate::report::{PlanForecast, Tally};

/// The result of a plan.
#[derive(Debug, Default)]
pub(crate) struct PlanOutcome {
    pub(crate) tally: Tally,
    pub(crate) forecast: PlanForecast,
    /// How the source ended; `None` if it was not read to its end.
    pub(crate) source_end: Option<Result<(), Error>>,
    /// What speaks against the replay, or ended the planning, the most severe first.
    pub(crate) failures: Vec<Error>,
}

impl PlanOutcome {
    /// The result for a cluster at `brokers` that cannot be checked.
    pub(super) fn failed(error: Error, brokers: &str) -> Self {
        let mut outcome = Self {
            failures: vec![error],
            ..Self::default()
        };
        outcome.forecast.brokers = Some(brokers.to_owned());
        outcome
    }
}
