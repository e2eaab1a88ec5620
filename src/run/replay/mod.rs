//! `kreplay replay` and `kreplay snapshot`: an extraction and a production, joined by the channel, and the
//! loop that shows progress and passes signals on.

mod expected;
pub(super) mod progress;
pub(super) mod reading;
pub(super) mod status;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

use self::expected::{ExpectationStart, ExpectedOutput};
use self::progress::Progress;
use self::reading::{CurrentReading, lock};
use self::status::Done;
use super::driver::{
    AfterSignal, CHANNEL, Driver, DriverEvent, ReadingOptions, SourceReading, UnfinishedWork,
};
use crate::config::properties::security;
use crate::config::{
    CapturedCluster, Cluster, Config, Duplicates, MissingTopics, ProfileChoice, Redacted,
    Repetition, Speed, Timestamps, TopicNames,
};
use crate::error::Error;
use crate::extract::{Aside, Expecting, Purpose};
use crate::host::console::Console;
use crate::produce::{Control, Counters, Identity, Job, Order, ReplayOutcome, Shutdown};
use crate::record::channel::{self, Gate, Receiver};
use crate::report::{DestinationReport, Outcome, Report, Signal};
use crate::{config, error, extract, produce, report};

/// The only function in which both halves of a replay meet.
pub(super) async fn replay(config: Config, mut driver: Driver) -> Result<Report, Error> {
    extract::check(&config.source, &config.extraction)?;
    let kind = extract::kind(&config.source, &config.extraction)?;
    let console = driver.console.clone();
    note_settings(&config.destination, &console);
    let control = driver.control.clone();
    let expected = ExpectedOutput::of(&config, &control)?;
    let counters = Arc::new(Counters::default());
    let reading = Arc::new(Mutex::new(CurrentReading::default()));
    let mut watch = ReplayWatch {
        control: control.clone(),
        reading: reading.clone(),
        counters: counters.clone(),
        progress: Progress::new(&config.output, Done::Delivered, &console),
        repetition: config.repetition,
    };
    let mut job = job(&config, kind, &console, control.clone(), counters.clone());
    job.sending = expected
        .as_ref()
        .and_then(|expected| expected.start.shared.sending());
    let mut report = begun(&config, kind);
    let brokers = config.destination.cluster.bootstrap_servers().to_string();
    let empty = config.empty;
    let passes = Passes {
        config,
        expected: expected.as_ref().map(|expected| expected.start.clone()),
        begun: 0,
        console: console.clone(),
        control,
        counters: counters.clone(),
        reading: reading.clone(),
    };
    let outcome = produce::start(job, passes.each());
    let outcome = driver.wait(outcome, AfterSignal::Wait, |event| watch.follow(event));
    let outcome = outcome.await.and_then(Result::ok);
    let outcome = outcome.unwrap_or_else(|| ReplayOutcome::panicked(&counters, brokers));
    let last = lock(&reading).source.take();
    if let Some(last) = last {
        let end = outcome.source_end.as_ref();
        report.source = last.end().await.source(kind, end);
    }
    watch.progress.finish(&console);
    let group_wait = outcome.group_wait;
    let signal = driver.counting_signal(unfinished(&outcome));
    let settled = conclude(&mut report, outcome, signal);
    let settled = settled.and_then(|()| name_nothing(&mut report, empty));
    report.elapsed = driver.elapsed().saturating_sub(group_wait);
    if let Some(expected) = expected {
        let is_settled = settled.is_ok() && !watch.control.is_stopping();
        watch
            .compare(expected, is_settled, &mut report, &mut driver)
            .await;
    }
    settled.map(|()| report)
}

/// The report of a run of which only the settings are known so far.
fn begun(config: &Config, kind: Option<&'static str>) -> Report {
    Report {
        source: report::SourceReport {
            kind,
            ..report::SourceReport::default()
        },
        destination: DestinationReport {
            brokers: String::new(),
            rehearsal: config.destination.cluster == Cluster::Rehearsal,
            idempotence: config.destination.idempotence == config::Idempotence::On,
            unchecked: unchecked(&config.destination),
        },
        passes: (config.repetition != Repetition::default()).then_some(0),
        reordered: config.delivery.reordered,
        ..Report::default()
    }
}

/// Counts a source without records as a failure, unless an error already says more.
///
/// # Errors
/// Returns an error if no record is in the window: nothing was sent, and there is nothing to report.
fn name_nothing(report: &mut Report, empty: config::EmptySource) -> Result<(), Error> {
    if !report.failures.is_empty() || report.signal.is_some() {
        return Ok(());
    }
    match report::nothing_found(&report.source, &report.tally, empty) {
        Some(outside) if outside.exit() == error::ExitCode::Usage => Err(outside),
        nothing => {
            report.failures.extend(nothing);
            Ok(())
        }
    }
}

pub(super) fn job(
    config: &Config,
    kind: Option<&'static str>,
    console: &Console,
    control: Control,
    counters: Arc<Counters>,
) -> Job {
    let journal = config.delivery.journal.as_ref();
    let journal = journal.map(|path| (path.clone(), identity(config, kind)));
    Job {
        destination: config.destination.clone(),
        order: match config.extraction.duplicates {
            Duplicates::LeaveOut => Order::ByOffset,
            Duplicates::Keep => Order::AsCaptured,
        },
        timing: config.timing,
        rejects: config.delivery.rejects.clone(),
        on_refused: config.delivery.on_refused,
        give_up_after: config.delivery.give_up_after,
        repetition: config.repetition,
        groups: config.delivery.groups.clone(),
        sending: None,
        substitutes: config.delivery.substitutes,
        begins: config.timing.start_at.unwrap_or_else(SystemTime::now),
        journal,
        verbosity: config.output.verbosity,
        console: console.clone(),
        control,
        counters,
    }
}

/// What a journal of this run belongs to.
fn identity(config: &Config, kind: Option<&str>) -> Identity {
    let profile = match &config.extraction.profile {
        ProfileChoice::BuiltIn(profile) => extract::built_in_text(*profile),
        ProfileChoice::File { name: _, text } => text,
    };
    Identity::of(config, kind, profile)
}

/// Settings that switch off a part of TLS's check of the brokers.
fn unchecked(destination: &config::Destination) -> Vec<String> {
    match &destination.cluster {
        Cluster::Brokers(brokers) => security::unchecked(&destination.properties, brokers),
        Cluster::Rehearsal => Vec::new(),
    }
}

/// Names settings that do less than they seem to, or that switch something off.
pub(super) fn note_settings(destination: &config::Destination, console: &Console) {
    let (unused, unchecked) = (&destination.unused_properties, unchecked(destination));
    if !unused.is_empty() {
        let unused = error::quoted(unused);
        console.note(&format!("ignored, because kreplay only produces: {unused}"));
    }
    if !unchecked.is_empty() {
        let unchecked = error::quoted(&unchecked);
        console.note(&format!(
            "{unchecked}: kreplay does not check that the brokers are who they say they are"
        ));
    }
}

/// When the first record may be sent.
fn gate(config: &Config) -> Gate {
    let destination = &config.destination;
    let one_topic = matches!(destination.topics, TopicNames::One(_));
    let names_ids = config.extraction.topic_ids.iter().next().is_some();
    let keeps = destination.partition == config::PartitionChoice::Keep;
    match extract::gate(&config.source) {
        // The topic is known, and the run needs neither the captured cluster nor original times, partitions
        // or topic ids: there is nothing to look for in the records.
        Gate::WhenKnown
            if one_topic
                && !keeps
                && !names_ids
                && destination.missing_topics == MissingTopics::Refuse
                && destination.captured_cluster == CapturedCluster::Allow
                && destination.timestamps == Timestamps::Now
                && config.timing.speed == Speed::Max
                && config.delivery.substitutes.redacted == Redacted::Sent =>
        {
            Gate::AtOnce
        }
        Gate::WhenKnown if shares_time(config) => Gate::WhenStartKnown,
        gate => gate,
    }
}

/// Whether this machine sends a share of a capture and keeps the time of the whole capture.
fn shares_time(config: &Config) -> bool {
    let keeps_time =
        config.timing.speed != Speed::Max || config.destination.timestamps == Timestamps::Shift;
    config.extraction.selection.shard.is_some() && keeps_time
}

/// What the replay had not done when it ended.
fn unfinished(outcome: &ReplayOutcome) -> UnfinishedWork<'_> {
    let uncertain = [Outcome::Unsent, Outcome::NotWritten, Outcome::Unknown];
    let undrained = outcome.groups.iter().filter(|group| !group.is_drained());
    UnfinishedWork::Records {
        source_end: outcome.source_end.as_ref(),
        records: uncertain.map(|of| outcome.ledger[of]).iter().sum(),
        groups: undrained.count(),
    }
}

/// Puts the outcome into the report, with the signal that counts.
///
/// # Errors
/// Returns a failure of the configuration kind if nothing was sent: such a run has no report.
fn conclude(
    report: &mut Report,
    outcome: ReplayOutcome,
    signal: Option<Signal>,
) -> Result<(), Error> {
    let source_failure = match &outcome.source_end {
        Some(Err(error)) => Some(error.clone()),
        Some(Ok(())) | None => None,
    };
    report.signal = signal;
    report.destination.brokers = outcome.brokers;
    report.tally = outcome.tally;
    report.ledger = outcome.ledger;
    report.topics = outcome.topics;
    report.placement = outcome.placement;
    report.rejects = outcome.rejects;
    report.resume = outcome.resume;
    report.drain = outcome.drain;
    report.problems = outcome.problems;
    report.better_order = outcome.better_order;
    report.latency = outcome.latency;
    report.pacing = outcome.pacing;
    report.groups = outcome.groups;
    report.lag_control = outcome.lag_control;
    report.waits = outcome.waits;
    report.passes = report.passes.map(|_| outcome.passes);
    report
        .failures
        .extend(outcome.failures.into_iter().chain(source_failure));
    let usage = report
        .failures
        .iter()
        .find(|failure| failure.exit() == error::ExitCode::Usage);
    match usage {
        Some(failure) if report.ledger[Outcome::Delivered] == 0 && report.signal.is_none() => {
            Err(failure.clone())
        }
        _ => Ok(()),
    }
}

/// The readings of the source, each of which is one pass of the replay.
pub(super) struct Passes {
    config: Config,
    expected: Option<ExpectationStart>,
    /// How often the source was read.
    begun: u64,
    console: Console,
    control: Control,
    counters: Arc<Counters>,
    reading: Arc<Mutex<CurrentReading>>,
}

impl Passes {
    /// Readings without an expectation.
    pub(super) fn of(
        config: Config,
        console: Console,
        (control, counters): (Control, Arc<Counters>),
        reading: Arc<Mutex<CurrentReading>>,
    ) -> Self {
        Self {
            config,
            expected: None,
            begun: 0,
            console,
            control,
            counters,
            reading,
        }
    }

    /// What production calls for each reading.
    pub(super) fn each(mut self) -> impl FnMut() -> Option<Receiver> + Send {
        move || self.begin()
    }

    /// Begins the next reading; `None` if there is nothing more to read.
    fn begin(&mut self) -> Option<Receiver> {
        let config = &self.config;
        let passes = config.repetition.passes;
        if passes.is_some_and(|passes| self.begun >= passes.get()) {
            return None;
        }
        let gate = match (self.begun, gate(config)) {
            (0, gate) | (_, gate @ Gate::WhenSure) => gate,
            // The first pass has looked at what is known before the first record.
            (_, Gate::AtOnce | Gate::WhenKnown | Gate::WhenStartKnown) => Gate::AtOnce,
        };
        let expecting = match self.begin_expecting() {
            Ok(expecting) => expecting,
            Err(error) => return Some(self.end_before_it_begins(error)),
        };
        // The expectation may be refused before anything is sent.
        let gate = if expecting.is_some() {
            Gate::WhenSure
        } else {
            gate
        };
        let mut current = lock(&self.reading);
        if self.begun > 0 && self.control.is_stopping() {
            // The pass ended before it began: the run is interrupted, and touches nothing more.
            let (sender, receiver) = channel::bounded(CHANNEL, gate);
            receiver.closer().close();
            sender.finish(Ok(()));
            return Some(receiver);
        }
        self.begun += 1;
        let options = ReadingOptions {
            gate,
            first: self.expected.as_ref().map(|e| e.shared.outputs()),
            aside: Aside {
                expecting,
                ..Aside::default()
            },
            ..ReadingOptions::of(self.config.source.clone(), &self.config, Purpose::Send)
        };
        let (reading, receiver) = SourceReading::start(options, &self.console);
        self.counters.name_inputs_by(reading.input_names());
        // The signal may have come before there was anything to end.
        if self.control.is_stopping() {
            reading.stop();
        }
        current.source = Some(reading);
        Some(receiver)
    }
}

impl Passes {
    /// Prepares the comparison of the output before the first reading, if there is one.
    fn begin_expecting(&self) -> Result<Option<Expecting>, Error> {
        let Some(expected) = &self.expected else {
            return Ok(None);
        };
        if self.begun == 0 {
            let observers = (&self.console, &self.control);
            expected.begin(&self.config, observers, &self.reading)?;
        }
        Ok(expected.shared.expecting(&self.config.extraction))
    }

    /// A reading that yields only the reason for its failure.
    fn end_before_it_begins(&mut self, error: Error) -> Receiver {
        self.begun += 1;
        let (sender, receiver) = channel::bounded(CHANNEL, Gate::AtOnce);
        match self.control.is_stopping() {
            true => {
                receiver.closer().close();
                sender.finish(Ok(()));
            }
            false => sender.finish(Err(error)),
        }
        receiver
    }
}

/// Watches while both halves work: shows progress and passes signals on.
pub(super) struct ReplayWatch {
    pub(super) control: Control,
    pub(super) reading: Arc<Mutex<CurrentReading>>,
    pub(super) counters: Arc<Counters>,
    pub(super) progress: Progress,
    pub(super) repetition: Repetition,
}

impl ReplayWatch {
    pub(super) fn follow(&mut self, event: DriverEvent) {
        match event {
            DriverEvent::Shutdown(shutdown) => self.shut_down(shutdown),
            DriverEvent::Tick => self.show(),
        }
    }

    fn shut_down(&self, shutdown: Shutdown) {
        self.control.escalate(shutdown);
        lock(&self.reading).stop();
    }

    /// Waits for the rest of the output and compares it, if the run completed.
    async fn compare(
        &self,
        mut expected: ExpectedOutput,
        is_settled: bool,
        report: &mut Report,
        driver: &mut Driver,
    ) {
        let began = Instant::now();
        let stop = |event| match event {
            DriverEvent::Shutdown(shutdown) => self.shut_down(shutdown),
            DriverEvent::Tick => {}
        };
        let mut observed = None;
        if let Some(observing) = expected.wind_up(is_settled, report, &driver.console) {
            let seen = driver.wait(observing, AfterSignal::Wait, stop).await;
            observed = seen.and_then(Result::ok);
        }
        let observed = observed.unwrap_or_default();
        let mut compared = None;
        let what = match expected.compare(report, &observed) {
            Some(comparing) => {
                let ended = driver.wait(comparing, AfterSignal::Leave, stop).await;
                let is_panic = matches!(ended, Some(Err(_)));
                compared = ended.and_then(Result::ok);
                is_panic.then_some("the comparing thread ended in a panic")
            }
            None => Some("the expectation is used after its end"),
        };
        let defect = what.map(|what| Error::Defect { what: what.into() });
        report.failures.extend(defect);
        let was_stopped = compared.is_none();
        if expected.conclude(report, observed, compared, began) || was_stopped {
            let counting = driver.counting_signal(UnfinishedWork::Comparison);
            report.signal = report.signal.or(counting);
        }
    }

    fn show(&mut self) {
        let description = lock(&self.reading).description();
        let total_bytes = description.and_then(|description| description.total_bytes);
        let total_bytes = total_bytes.and_then(|bytes| self.repetition.all_bytes(bytes));
        let shutdown = self.control.shutdown();
        self.progress.show(&self.counters, total_bytes, shutdown);
    }
}
