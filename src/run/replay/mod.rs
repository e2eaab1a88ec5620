//! `kreplay replay` and `kreplay snapshot`: an extraction and a production, joined by the channel, and
//! the watch that shows progress and passes signals on.

mod expected;
pub(super) mod progress;
pub(super) mod reading;
mod status;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{interval, timeout};

use self::expected::{ExpectationStart, ExpectedOutput, ObservedOutput};
use self::progress::{Progress, TICK};
use self::reading::{CurrentReading, lock};
use super::limits::{CHANNEL, STOP_LIMIT};
use crate::config::properties::security;
use crate::config::{
    CapturedCluster, Cluster, Config, Duplicates, MissingTopics, ProfileChoice, Repetition, Source,
    Speed, Timestamps, TopicNames,
};
use crate::error::Error;
use crate::extract::{Expecting, ExtractionThread};
use crate::host::console::Console;
use crate::produce::{Control, Counters, Identity, Job, Order, ReplayOutcome, Shutdown};
use crate::record::channel::{self, Gate, Receiver};
use crate::report::{DestinationReport, Outcome, Report, Signal};
use crate::{config, error, extract, produce, report};

/// The one function in which both halves of a replay meet.
pub(super) async fn replay(
    config: Config,
    signals: mpsc::Receiver<Signal>,
    console: Console,
) -> Result<Report, Error> {
    let started = Instant::now();
    extract::check(&config.source, &config.extraction)?;
    let kind = extract::kind(&config.source, &config.extraction)?;
    tell_settings(&config.destination, &console);
    let expected = ExpectedOutput::of(&config)?;
    let control = Control::default();
    let counters = Arc::new(Counters::default());
    let reading = Arc::new(Mutex::new(CurrentReading::default()));
    let mut watch = ReplayWatch {
        control: control.clone(),
        reading: reading.clone(),
        signals,
        signal: None,
        counters: counters.clone(),
        progress: Progress::new(config.output.progress, config.output.verbosity, &console),
        repetition: config.repetition,
    };
    let brokers = config.destination.cluster.bootstrap_servers().to_string();
    let mut job = job(&config, kind, &console, control.clone(), counters.clone())?;
    job.sending = expected
        .as_ref()
        .and_then(|expected| expected.start.shared.sending());
    let mut report = begun(&config, kind);
    let runs_speedctl = matches!(config.source, Source::Snapshot(_));
    let empty = config.empty;
    let passes = Passes {
        config,
        expected: expected.as_ref().map(|expected| expected.start.clone()),
        begun: 0,
        console: console.clone(),
        control,
        counters,
        reading,
    };
    let outcome = watch.until_done(produce::start(job, passes.each())).await;
    let outcome = outcome.unwrap_or_else(|| ReplayOutcome::panicked(&watch.counters, brokers));
    let extraction = watch.reading().extraction.take();
    if let Some(mut extraction) = extraction {
        extraction.stop();
        if runs_speedctl {
            _ = timeout(STOP_LIMIT, extraction.ended()).await;
        }
        let description = extraction.description();
        describe(&mut report.source, description);
    }
    watch.progress.finish(&console);
    let group_wait = outcome.group_wait;
    let settled = conclude(&mut report, outcome, watch.signal);
    let settled = settled.and_then(|()| name_nothing(&mut report, empty));
    report.elapsed = started.elapsed().saturating_sub(group_wait);
    if let Some(expected) = expected {
        watch
            .compare(expected, settled.is_ok(), &mut report, &console)
            .await;
    }
    settled.map(|()| report)
}

/// The report of a run of which nothing is known yet but what it is to do.
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

pub(super) fn describe(source: &mut report::SourceReport, known: extract::Description) {
    source.kind = known.kind.or(source.kind);
    source.inputs = known.inputs;
    source.names = known.names;
    source.via = known.via;
}

/// A source without records is a failure where nothing else says more.
///
/// # Errors
/// That no record is in the window that was asked for: nothing was sent, and there is nothing to report.
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
) -> Result<Job, Error> {
    let journal = match &config.delivery.journal {
        Some(path) => Some((path.clone(), identity(config, kind)?)),
        None => None,
    };
    Ok(Job {
        destination: config.destination.clone(),
        order: match config.extraction.duplicates {
            Duplicates::LeaveOut => Order::ByOffset,
            Duplicates::Keep => Order::AsCaptured,
        },
        timing: config.timing,
        rejects: config.delivery.rejects.clone(),
        on_refused: config.delivery.on_refused,
        give_up_after: config.delivery.give_up_after,
        sends_for: config.repetition.sends_for,
        groups: config.delivery.groups.clone(),
        sending: None,
        journal,
        verbosity: config.output.verbosity,
        console: console.clone(),
        control,
        counters,
    })
}

/// What a journal of this run belongs to.
fn identity(config: &Config, kind: Option<&str>) -> Result<Identity, Error> {
    let profile = match &config.extraction.profile {
        ProfileChoice::BuiltIn(name) => extract::profile_text(name)?,
        ProfileChoice::File { name: _, text } => text,
    };
    Ok(Identity::of(config, kind, profile))
}

/// Settings that switch off a part of TLS's check of the brokers.
fn unchecked(destination: &config::Destination) -> Vec<String> {
    match &destination.cluster {
        Cluster::Brokers(brokers) => security::unchecked(&destination.properties, brokers),
        Cluster::Rehearsal => Vec::new(),
    }
}

/// Says which settings do less than they seem to, or switch something off.
pub(super) fn tell_settings(destination: &config::Destination, console: &Console) {
    let (unused, unchecked) = (&destination.unused_properties, unchecked(destination));
    if !unused.is_empty() {
        let unused = error::quoted(unused);
        console.note(&format!("not used, as kreplay only produces: {unused}"));
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
        // The one topic is known, and neither the captured cluster nor original times, partitions or
        // topic ids are asked for: there is nothing to look for in the records.
        Gate::WhenKnown
            if one_topic
                && !keeps
                && !names_ids
                && destination.missing_topics == MissingTopics::Refuse
                && destination.captured_cluster == CapturedCluster::Allow
                && destination.timestamps == Timestamps::Now
                && config.timing.speed == Speed::Max =>
        {
            Gate::AtOnce
        }
        gate => gate,
    }
}

/// Puts the outcome into the report.
///
/// # Errors
/// A failure of the configuration kind, when nothing was sent: such a run has no report.
fn conclude(
    report: &mut Report,
    outcome: ReplayOutcome,
    signal: Option<Signal>,
) -> Result<(), Error> {
    let source_failure = match &outcome.source_end {
        Some(Err(error)) => Some(error.clone()),
        Some(Ok(())) | None => None,
    };
    report.source.complete = outcome.source_end == Some(Ok(()));
    let awaits_groups = outcome.groups.iter().any(|group| !group.is_drained());
    let kept_back = awaits_groups
        || outcome.ledger[Outcome::Unsent] > 0
        || outcome.source_end.is_none()
        || outcome.ledger[Outcome::Unknown] > 0;
    report.signal = signal.filter(|_| kept_back || outcome.ledger[Outcome::NotWritten] > 0);
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

/// The readings of the source, each of which is a pass of the replay.
pub(super) struct Passes {
    config: Config,
    expected: Option<ExpectationStart>,
    /// How often its source was read.
    begun: u64,
    console: Console,
    control: Control,
    counters: Arc<Counters>,
    reading: Arc<Mutex<CurrentReading>>,
}

impl Passes {
    /// Readings of which no output is expected.
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

    /// What production asks for each reading.
    pub(super) fn each(mut self) -> impl FnMut() -> Option<Receiver> + Send {
        move || self.begin()
    }

    /// Begins the next reading; none when there is nothing more to read.
    fn begin(&mut self) -> Option<Receiver> {
        let config = &self.config;
        let passes = config.repetition.passes;
        if passes.is_some_and(|passes| self.begun >= passes.get()) {
            return None;
        }
        let gate = match (self.begun, gate(config)) {
            (0, gate) | (_, gate @ Gate::WhenSure) => gate,
            // The look at what is known before the first record has been.
            (_, Gate::AtOnce | Gate::WhenKnown) => Gate::AtOnce,
        };
        let expecting = match self.begin_expecting() {
            Ok(expecting) => expecting,
            Err(error) => return Some(self.end_before_it_begins(error)),
        };
        // What is expected may be refused before anything is sent.
        let gate = if expecting.is_some() {
            Gate::WhenSure
        } else {
            gate
        };
        let (sender, receiver) = channel::bounded(CHANNEL, gate);
        if let Some(expected) = &self.expected {
            // A receiver that has gone knows of it.
            _ = sender.send(expected.shared.outputs());
        }
        let mut reading = lock(&self.reading);
        if self.begun > 0 && self.control.is_stopping() {
            // A pass that is ended before it has begun: the run is interrupted, and touches nothing more.
            receiver.closer().close();
            sender.finish(Ok(()));
            return Some(receiver);
        }
        self.begun += 1;
        let topics = self.config.destination.topics.clone();
        let sending = (topics, extract::Purpose::Send);
        let (source, options) = (self.config.source.clone(), self.config.extraction.clone());
        let aside = extract::Aside {
            expecting,
            ..extract::Aside::default()
        };
        let console = self.console.clone();
        let extraction = extract::start_with(source, options, sending, console, sender, aside);
        self.counters.name_inputs_by(extraction.namer());
        *reading = CurrentReading {
            closer: Some(receiver.closer()),
            extraction: Some(extraction),
        };
        // The signal may have come when there was nothing to end yet.
        if self.control.is_stopping() {
            reading.stop();
        }
        Some(receiver)
    }
}

impl Passes {
    /// Prepares the comparison of the output before the first reading, where there is one.
    fn begin_expecting(&self) -> Result<Option<Expecting>, Error> {
        let Some(expected) = &self.expected else {
            return Ok(None);
        };
        if self.begun == 0 {
            let told = (&self.console, &self.control);
            expected.begin(&self.config, told, &self.reading)?;
        }
        Ok(expected.shared.expecting(&self.config.extraction))
    }

    /// A reading that gives nothing but the reason for that.
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

/// Looks on while both halves work: shows progress and passes signals on.
pub(super) struct ReplayWatch {
    pub(super) control: Control,
    pub(super) reading: Arc<Mutex<CurrentReading>>,
    pub(super) signals: mpsc::Receiver<Signal>,
    pub(super) signal: Option<Signal>,
    pub(super) counters: Arc<Counters>,
    pub(super) progress: Progress,
    pub(super) repetition: Repetition,
}

impl ReplayWatch {
    /// The outcome, once it has come; none where a panic took it.
    pub(super) async fn until_done<T>(&mut self, mut outcome: oneshot::Receiver<T>) -> Option<T> {
        let mut tick = interval(TICK);
        loop {
            tokio::select! {
                outcome = &mut outcome => return outcome.ok(),
                Some(signal) = self.signals.recv() => self.pass_on(signal),
                _ = tick.tick() => self.show(),
            }
        }
    }

    /// Waits for the rest of the output and compares it, where the run came to a good end.
    async fn compare(
        &mut self,
        expected: ExpectedOutput,
        is_settled: bool,
        report: &mut Report,
        console: &Console,
    ) {
        let began = Instant::now();
        let mut observed = None;
        if let Some(observing) = expected.wind_up(is_settled, report, console) {
            observed = self.until_observed(observing).await;
        }
        if expected.conclude(report, observed, began) {
            report.signal = report.signal.or(self.signal);
        }
    }

    async fn until_observed(
        &mut self,
        mut observing: oneshot::Receiver<ObservedOutput>,
    ) -> Option<ObservedOutput> {
        loop {
            tokio::select! {
                observed = &mut observing => return observed.ok(),
                Some(signal) = self.signals.recv() => self.pass_on(signal),
            }
        }
    }

    pub(super) fn reading(&self) -> MutexGuard<'_, CurrentReading> {
        lock(&self.reading)
    }

    fn pass_on(&mut self, signal: Signal) {
        let shutdown = if self.signal.is_none() {
            Shutdown::Drain
        } else {
            Shutdown::Immediate
        };
        self.signal.get_or_insert(signal);
        self.control.escalate(shutdown);
        self.reading().stop();
    }

    fn show(&mut self) {
        let description = self
            .reading()
            .extraction
            .as_ref()
            .map(ExtractionThread::description);
        let total_bytes = description.and_then(|description| description.total_bytes);
        let total_bytes = total_bytes.and_then(|bytes| self.repetition.all_bytes(bytes));
        let shutdown = self.control.shutdown();
        self.progress.show(&self.counters, total_bytes, shutdown);
    }
}
