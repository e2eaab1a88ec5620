//! `kreplay snapshot`, `csv`, `raw`, `records`: an extraction and a production, joined by the channel, and
//! the watch that shows progress and passes signals on.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::time::{interval, timeout};

use super::limits::{CHANNEL, STOP_LIMIT};
use crate::config::{
    CapturedCluster, Cluster, Config, Duplicates, MissingTopics, ProfileChoice, Source, Timestamps,
    TopicNames,
};
use crate::error::Error;
use crate::extract::Extraction;
use crate::host::console::Console;
use crate::produce::{Control, Counters, Identity, Job, Order, Outcome, Pace, Progress};
use crate::record::channel::{self, Closer, Gate};
use crate::report::{Destination, Report, Signal};
use crate::{config, error, extract, produce, report};

/// The one function in which both halves of a replay meet.
pub(super) async fn replay(
    config: Config,
    signals: mpsc::Receiver<Signal>,
    console: Console,
) -> Result<Report, Error> {
    let started = Instant::now();
    extract::check(&config.source, &config.extraction)?;
    let unused = &config.destination.unused_properties;
    if !unused.is_empty() {
        let unused = error::quoted(unused);
        console.note(&format!("not used, as kreplay only produces: {unused}"));
    }
    let gate = gate(&config);
    let (sender, receiver) = channel::bounded(CHANNEL, gate);
    let control = Control::default();
    let counters = Arc::new(Counters::default());
    let mut watch = Watch {
        control: control.clone(),
        closer: receiver.closer(),
        signals,
        signal: None,
        counters: counters.clone(),
        brokers: config.destination.cluster.bootstrap_servers().to_string(),
        progress: Progress::new(config.output.progress, config.output.verbosity, &console),
        extraction: None,
    };
    let job = job(&config, &console, control, counters)?;
    let mut report = Report {
        source: report::Source {
            kind: config.source.kind(),
            ..report::Source::default()
        },
        destination: Destination {
            brokers: String::new(),
            rehearsal: config.destination.cluster == Cluster::Rehearsal,
            idempotence: config.destination.idempotence == config::Idempotence::On,
        },
        reordered: config.delivery.reordered,
        ..Report::default()
    };
    let runs_speedctl = matches!(config.source, Source::Snapshot(_));
    let production = produce::start(job, receiver);
    // The source is touched only when the destination was found good.
    let (source, topics) = (config.source, config.destination.topics);
    let begin = || {
        let sending = (topics, extract::Purpose::Send);
        extract::start(source, config.extraction, sending, console.clone(), sender)
    };
    let outcome = watch.until_done(production, begin).await;
    if let Some(extraction) = &mut watch.extraction {
        extraction.stop();
        if runs_speedctl {
            _ = timeout(STOP_LIMIT, extraction.ended()).await;
        }
        let description = extraction.description();
        describe(&mut report.source, description);
    }
    watch.progress.finish(&console);
    settle(&mut report, outcome, watch.signal)?;
    name_nothing(&mut report, config.empty);
    report.elapsed = started.elapsed();
    Ok(report)
}

fn describe(source: &mut report::Source, known: extract::Description) {
    source.kind = known.kind.unwrap_or(source.kind);
    source.inputs = known.inputs;
    source.names = known.names;
    source.via = known.via;
}

/// A source without records is a failure where nothing else says more.
fn name_nothing(report: &mut Report, empty: config::EmptySource) {
    if report.failures.is_empty() && report.signal.is_none() {
        let nothing = report::nothing_found(&report.source, &report.tally, empty);
        report.failures.extend(nothing);
    }
}

fn job(
    config: &Config,
    console: &Console,
    control: Control,
    counters: Arc<Counters>,
) -> Result<Job, Error> {
    let journal = match &config.delivery.journal {
        Some(path) => Some((path.clone(), identity(config)?)),
        None => None,
    };
    Ok(Job {
        destination: config.destination.clone(),
        order: match config.extraction.duplicates {
            Duplicates::LeaveOut => Order::ByOffset,
            Duplicates::Keep => Order::AsCaptured,
        },
        rejects: config.delivery.rejects.clone(),
        on_refused: config.delivery.on_refused,
        give_up_after: config.delivery.give_up_after,
        journal,
        verbosity: config.output.verbosity,
        console: console.clone(),
        control,
        counters,
    })
}

/// What a journal of this run belongs to.
fn identity(config: &Config) -> Result<Identity, Error> {
    let profile = match &config.extraction.profile {
        ProfileChoice::BuiltIn(name) => extract::profile_text(name)?,
        ProfileChoice::File { name: _, text } => text,
    };
    Ok(Identity::of(config, config.source.kind(), profile))
}

/// When the first record may be sent.
fn gate(config: &Config) -> Gate {
    let destination = &config.destination;
    let one_topic = matches!(destination.topics, TopicNames::One(_));
    let names_ids = config.extraction.topic_ids.iter().next().is_some();
    let keeps = destination.partition == config::Partition::Keep;
    match extract::gate(&config.source) {
        // The one topic is known, and neither the captured cluster nor original times, partitions or
        // topic ids are asked for: there is nothing to look for in the records.
        Gate::WhenKnown
            if one_topic
                && !keeps
                && !names_ids
                && destination.missing_topics == MissingTopics::Refuse
                && destination.captured_cluster == CapturedCluster::Allow
                && destination.timestamps == Timestamps::Now =>
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
fn settle(report: &mut Report, outcome: Outcome, signal: Option<Signal>) -> Result<(), Error> {
    let source_failure = match &outcome.source_end {
        Some(Err(error)) => Some(error.clone()),
        Some(Ok(())) | None => None,
    };
    report.source.complete = outcome.source_end == Some(Ok(()));
    let kept_back =
        outcome.ledger.unsent > 0 || outcome.source_end.is_none() || outcome.ledger.unknown > 0;
    report.signal = signal.filter(|_| kept_back || outcome.ledger.not_written > 0);
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
    report
        .failures
        .extend(outcome.failures.into_iter().chain(source_failure));
    let usage = report
        .failures
        .iter()
        .find(|failure| failure.exit() == error::ExitCode::Usage);
    match usage {
        Some(failure) if report.ledger.delivered == 0 && report.signal.is_none() => {
            Err(failure.clone())
        }
        _ => Ok(()),
    }
}

/// Looks on while both halves work: shows progress and passes signals on.
struct Watch {
    control: Control,
    closer: Closer,
    signals: mpsc::Receiver<Signal>,
    signal: Option<Signal>,
    counters: Arc<Counters>,
    brokers: String,
    progress: Progress,
    extraction: Option<Extraction>,
}

impl Watch {
    async fn until_done(
        &mut self,
        mut production: produce::Production,
        begin: impl FnOnce() -> Extraction,
    ) -> Outcome {
        let mut begin = Some(begin);
        let mut tick = interval(produce::TICK);
        loop {
            tokio::select! {
                outcome = &mut production.outcome => {
                    return outcome.unwrap_or_else(|_| {
                        Outcome::panicked(&self.counters, self.brokers.clone())
                    });
                }
                ready = &mut production.ready, if begin.is_some() => {
                    let begin = begin.take();
                    self.extraction = ready.ok().and(begin).map(|begin| begin());
                    if let Some(extraction) = &self.extraction {
                        self.counters.name_places_by(extraction.namer());
                    }
                }
                Some(signal) = self.signals.recv() => self.pass_on(signal),
                _ = tick.tick() => self.show(),
            }
        }
    }

    fn pass_on(&mut self, signal: Signal) {
        let pace = if self.signal.is_none() {
            Pace::Draining
        } else {
            Pace::Leaving
        };
        self.signal.get_or_insert(signal);
        self.control.hurry(pace);
        self.closer.close();
        if let Some(extraction) = &self.extraction {
            extraction.stop();
        }
    }

    fn show(&mut self) {
        let description = self
            .extraction
            .as_ref()
            .map(Extraction::description)
            .unwrap_or_default();
        self.progress.show(&self.counters, description.total_bytes);
    }
}
