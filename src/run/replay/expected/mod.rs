//! `--expect`: compares what the service under test writes during a run with what it is expected to write.
//! The expectation comes from the capture while it is replayed, or from another source before that
//! (`expectation.rs`, `start.rs`). The output is read from where its topics (`outputs.rs`) ended before the
//! first record was sent (`observer.rs`, `partitions.rs`). `verify/compare/` decides what counts as the same.

mod correlation;
mod end;
mod expectation;
mod noise;
mod observer;
mod outputs;
mod partitions;
mod start;

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::sync::oneshot;

use self::correlation::Correlation;
use self::end::ObservationEnd;
use self::expectation::{ExpectationState, SharedExpectation};
pub(super) use self::observer::ObservedOutput;
pub(super) use self::start::ExpectationStart;
use crate::cluster::reader::Isolation;
use crate::config::{Config, OutputExpectation};
use crate::error::Error;
use crate::host::console::Console;
use crate::host::control::Control;
use crate::report::{Compared, ExpectedReport, LearnedNoise, PlaceNames, Report};
use crate::run::compare::differences::Differences;
use crate::run::compare::ignored::IgnoredPath;
use crate::run::driver::on_thread;
use crate::verify::compare::NoiseLearner;

/// The expectation of one run.
pub(super) struct ExpectedOutput {
    settings: OutputExpectation,
    ignored: Vec<IgnoredPath>,
    /// `None` once the comparison has them.
    differences: Option<Differences>,
    pub(super) start: ExpectationStart,
}

/// The result of comparing the output.
pub(super) struct ComparedOutput {
    topics: Vec<(String, Compared)>,
    /// Topics that the run itself sends to.
    own: Vec<(String, Compared)>,
    differences: Differences,
    learner: NoiseLearner,
    state: ExpectationState,
}

impl ExpectedOutput {
    /// The expectation of `config`; `None` if nothing is expected.
    ///
    /// # Errors
    /// Returns [`Error::Config`] for paths that do not parse, and for a file of differences that cannot be
    /// written.
    pub(super) fn of(config: &Config, control: &Control) -> Result<Option<Self>, Error> {
        let Some(settings) = &config.expected else {
            return Ok(None);
        };
        let ignored = IgnoredPath::parse_all(&settings.rules.ignore, control)?;
        let differences = Differences::open(settings.rules.differences.as_deref())?;
        let rules = ignored.iter().map(IgnoredPath::rule).collect();
        settings.learn.as_deref().map_or(Ok(()), noise::check_new)?;
        Ok(Some(Self {
            start: ExpectationStart::new(SharedExpectation::new(config, settings, rules, control)?),
            settings: settings.clone(),
            ignored,
            differences: Some(differences),
        }))
    }

    /// Ends the observer: at once if the run has failed, otherwise when nothing more comes. `None` if it was
    /// never started.
    pub(super) fn wind_up(
        &self,
        is_settled: bool,
        report: &Report,
        console: &Console,
    ) -> Option<oneshot::Receiver<ObservedOutput>> {
        let is_whole = is_settled && report.failures.is_empty() && report.signal.is_none();
        let observed = self.start.observed().take()?;
        if is_whole {
            let quiet = humantime::format_duration(self.settings.quiet);
            console.note(&format!(
                "every record is delivered; reading the output until nothing has arrived for {quiet}"
            ));
        }
        let flag = match is_whole {
            true => &self.start.shared.is_sending_over,
            false => &self.start.shared.is_given_up,
        };
        flag.store(true, Ordering::SeqCst);
        Some(observed)
    }

    /// Compares on its own thread, which may take a while; `None` if that was done before.
    pub(super) fn compare(
        &mut self,
        report: &Report,
        observed: &ObservedOutput,
    ) -> Option<oneshot::Receiver<ComparedOutput>> {
        let (comparison, state) = self.start.shared.take()?;
        let mut differences = self.differences.take()?;
        let sent_to = report.topics.iter().map(|topic| topic.name.clone());
        let sent_to: Vec<String> = sent_to.collect();
        let (source, observed) = (report.source.clone(), observed.names.clone());
        let learns = self.settings.learn.is_some();
        Some(on_thread(move || {
            let expected_names = match state.names.is_empty() {
                true => source.places(),
                false => PlaceNames::Inputs(&state.names),
            };
            let names = [expected_names, PlaceNames::Partitions(&observed)];
            let is_own = |topic: &str| sent_to.iter().any(|own| own == topic);
            let mut learner = NoiseLearner::default();
            let topics = comparison.finish(|difference| {
                if !is_own(difference.topic) {
                    differences.add(difference, names);
                    if learns {
                        learner.add(difference);
                    }
                }
            });
            let (own, topics) = topics.into_iter().partition(|(topic, _)| is_own(topic));
            ComparedOutput {
                topics,
                own,
                differences,
                learner,
                state,
            }
        }))
    }

    /// Puts the result into `report`; returns whether the observer had to stop.
    pub(super) fn conclude(
        self,
        report: &mut Report,
        observed: ObservedOutput,
        compared: Option<ComparedOutput>,
        began: Instant,
    ) -> bool {
        let mut found = ExpectedReport {
            excused: self.settings.rules.excused,
            ignored: self.settings.rules.ignore.clone(),
            observed: observed.records,
            waited: began.elapsed(),
            ..ExpectedReport::default()
        };
        found.isolation = observed.isolation.map(Isolation::name);
        found.incomplete = observed.end.why(self.settings.limit, self.settings.quiet);
        let was_stopped = matches!(observed.end, ObservationEnd::Stopped);
        if let ObservationEnd::Failed(error) = observed.end {
            report.failures.push(error);
        }
        let is_whole = compared.is_some() && report.failures.is_empty() && report.signal.is_none();
        if !is_whole {
            let why = || "the run did not complete".into();
            found.incomplete.get_or_insert_with(why);
        }
        found.correlation = self.start.shared.correlation().map(Correlation::report);
        if let Some(compared) = compared {
            let unmatched = self.ignored.iter().filter_map(IgnoredPath::unmatched);
            found.unmatched = unmatched.collect();
            found.expected = compared.state.expected;
            found.unreadable = compared.state.unreadable;
            found.redacted = compared.state.redacted;
            found.dated = compared.state.dated;
            found.noise = compared.state.noise_of_file();
            found.topics = compared.topics;
            found.own = compared.own.into_iter().map(|(topic, _)| topic).collect();
            let (shown, failure) = compared.differences.finish();
            found.shown = shown;
            let file = self.settings.learn.as_deref();
            let unwritten = learn(file, &compared.learner, &compared.state, &mut found);
            report.failures.extend(unwritten.into_iter().chain(failure));
        }
        report.expected = Some(found);
        was_stopped
    }
}

/// Writes what was learned to `file`, if the user asks for that and the output is complete; the error says
/// why not.
fn learn(
    file: Option<&Path>,
    learner: &NoiseLearner,
    state: &ExpectationState,
    found: &mut ExpectedReport,
) -> Option<Error> {
    let file = file?;
    let paths = state.as_captured(learner.learned());
    let written = match found.incomplete {
        None => noise::write(file, state.mark, &paths),
        Some(_) => Ok(()),
    };
    found.learned = Some(LearnedNoise {
        file: file.display().to_string(),
        paths,
        unlearned: learner.unlearned,
    });
    written.err()
}
