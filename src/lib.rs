//! kreplay replays captured Kafka traffic into Kafka: every record delivered, or named.
//!
//! ```text
//! speedctl | CSV | RRPairs | record lines                                       Kafka
//!       |  bytes                                                                  ^  batches
//!   extract --records--> bounded channel --records--> produce --(librdkafka)------+
//!       full: extraction waits                        |  deliveries
//!                                                     v
//!                                                  Report
//! ```
//!
//! | question | file |
//! |---|---|
//! | what a flag means | `cli.rs`, then `config/resolve.rs`; librdkafka's properties `config/properties/mod.rs`, their aliases `config/property_names.rs`, property files `config/properties/file.rs` |
//! | which brokers, TLS and SASL settings are refused before anything is tried | `config/properties/brokers.rs`, `config/properties/security.rs` |
//! | how speedctl is run, and when the CSV is given up for the RRPairs | `extract/input/speedctl.rs`, `extract/source/snapshot.rs` |
//! | which files are read | `extract/input/files.rs` |
//! | what an input is, and what happens when it is not what the command is for | `extract/input/kind.rs` (with `members.rs` and `magic.rs`), `extract/input/encoding/opener.rs` |
//! | in which form RRPairs are | `extract/input/framing/mod.rs` |
//! | what a run says that has found nothing | `report/nothing.rs` |
//! | how text of others is shown without harm | `host/visible.rs` |
//! | how an RRPair becomes records | `extract/profile/profiles/` (where things are), `extract/rrpair/walk/pass.rs` and `extract/rrpair/walk/mod.rs` (the pass), `extract/keep/collect.rs` (what is kept) |
//! | what the sections of a Markdown RRPair say | `extract/input/framing/markdown.rs`, `extract/input/framing/overlay/` |
//! | where RRPairs are inside other JSON (BYOC, Elasticsearch, Loki) | `extract/input/envelope/`, `rrpair` in `extract/profile/profiles/byoc.toml` |
//! | what a topic is called that the capture knows by its id | `extract/keep/topic_ids.rs` (the capture's word), `extract/keep/identities.rs` (`--topic-id`) |
//! | how a CSV row becomes a record | `extract/csv/columns.rs`, `extract/csv/rows.rs` |
//! | what a record line is, read and written | `record/lines/`, `extract/source/records.rs`, `run/print.rs` |
//! | what `kreplay inspect` tells | `run/inspect/`, `extract/survey/mod.rs`, `extract/survey/outline/` (paths), `report/inspection/` |
//! | which nodes a query matches | `extract/profile/query/` |
//! | why a path matches nothing | `extract/survey/unmatched.rs` |
//! | how speedctl and what it starts are ended | `host/process_group.rs` |
//! | what waits between the halves | `record/channel.rs`, `record/mod.rs` |
//! | in which order records are sent | `produce/order/` |
//! | what is looked at before the first record | `produce/connection/preflight.rs`, `produce/routing/looks.rs` |
//! | where a record goes | `produce/routing/route.rs`, `produce/routing/renamings.rs` |
//! | how it is sent and its delivery counted | `produce/session/replay.rs`, `produce/delivery/mod.rs`, `produce/delivery/counts.rs` |
//! | how much may be in flight, and where its bytes are | `produce/delivery/budget.rs`, `record/in_flight.rs` |
//! | what happens when a run is told to stop | `host/signals.rs`, `produce/session/drain.rs` |
//! | what a run says that was stopped by a signal or with its machine | `produce/session/pause.rs` |
//! | what a run reports in which a thread panics | `contain` in `produce/session/replay.rs`, `produce/session/outcome.rs`; tried in `tests.rs` |
//! | what happens when a record waits for longer than `message.timeout.ms` | `produce/delivery/ages.rs`, `produce/connection/renewal.rs` |
//! | what happens when the cluster is silent | `produce/session/stall.rs`, `produce/connection/preflight.rs` |
//! | what happens when a broker refuses a batch for one of its records | `produce/delivery/refusals.rs` (which one), `produce/session/isolation.rs` (the others) |
//! | what becomes of records that are not delivered | `produce/delivery/rejects.rs` |
//! | which files a run may write, and how | `run/uses.rs`, `host/outputs/` |
//! | how a run goes on where another has ended | `produce/journal/` |
//! | what the report says, and the exit code | `report/` |
//!
//! Imports run one way: `main -> lib -> run -> {extract, produce} -> cluster -> host -> config`; `record`, `report` and
//! `error` are leaves. `extract` never names `produce`, nor `produce` it: [`run()`] is where they meet.

pub mod cli;
mod cluster;
pub mod config;
pub mod error;
mod extract;
mod host;
mod produce;
mod record;
pub mod report;
mod run;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::{interval, timeout};

use crate::config::{
    CapturedCluster, Cluster, Config, Duplicates, MissingTopics, ProfileChoice, SnapshotAction,
    Source, Task, Timestamps, TopicNames,
};
use crate::error::Error;
use crate::extract::Extraction;
use crate::host::console::Console;
pub use crate::host::signals::{RunEnd, Signals};
use crate::produce::{Control, Counters, Identity, Job, Order, Outcome, Pace, Progress};
pub use crate::record::Origin;
use crate::record::channel::{Closer, Gate, Limits};
use crate::report::{Destination, Inspection, PathList, Printout, Report, Signal};
pub use crate::run::show;

/// What may wait between the halves. Extraction is the faster one on most machines, so this is
/// memory that is used.
const CHANNEL: Limits = Limits {
    records: 32 << 10,
    bytes: 12 << 20,
};
/// How long speedctl may take to go when the run is over. Other sources are not waited for: a read of
/// stdin may never return.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// What a run gives.
#[derive(Debug)]
pub enum Product {
    /// The report of a replay.
    Report(Box<Report>),
    /// The account of the records that were printed.
    Printout(Box<Printout>),
    /// What is in a capture.
    Inspection(Box<Inspection>),
    /// The paths that occur in it.
    Paths(Box<PathList>),
    /// A command line, for a shell.
    Command(String),
    /// The text of a profile.
    Profile(&'static str),
}

/// Checks that the run destroys no file of the user's: nothing that it reads is written, nothing is
/// written twice, and what takes the place of a file takes that of its own kind.
///
/// # Errors
/// [`Error::Config`] that names the file.
pub fn check_files(config: &Config) -> Result<(), Error> {
    crate::run::uses::overlap(config).check()?;
    crate::run::show::check_report_file(&config.output)
}

/// Does what `config` says. The first of `signals` stops reading and drains what was handed to
/// librdkafka (10 s at most), the second one leaves at once; both end in a report.
///
/// # Errors
/// Only what is wrong before anything has begun; a run that fails later has a report that says so.
pub async fn run(config: Config, signals: mpsc::Receiver<Signal>) -> Result<Product, Error> {
    if let Source::Snapshot(snapshot) = &config.source
        && snapshot.action == SnapshotAction::PrintCommand
    {
        let command = crate::extract::command_line(snapshot, &config.extraction)?;
        return Ok(Product::Command(command));
    }
    Ok(match &config.task {
        Task::Replay => {
            let console = Console::new(config.output.verbosity);
            Product::Report(Box::new(replay(config, signals, console).await?))
        }
        Task::Extract => Product::Printout(Box::new(print(config, signals).await?)),
        Task::Inspect(view) => {
            let view = *view;
            crate::run::inspect::run(config, view, signals).await?
        }
        Task::ShowProfile(name) => Product::Profile(crate::extract::profile_text(name)?),
    })
}

/// The one function in which both halves of a replay meet.
async fn replay(
    config: Config,
    signals: mpsc::Receiver<Signal>,
    console: Console,
) -> Result<Report, Error> {
    let started = Instant::now();
    crate::extract::check(&config.source, &config.extraction)?;
    let unused = &config.destination.unused_properties;
    if !unused.is_empty() {
        let unused = crate::error::quoted(unused);
        console.note(&format!("not used, as kreplay only produces: {unused}"));
    }
    let gate = gate(&config);
    let (sender, receiver) = crate::record::channel::bounded(CHANNEL, gate);
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
        source: crate::report::Source {
            kind: kind(&config.source),
            ..report::Source::default()
        },
        destination: Destination {
            brokers: String::new(),
            rehearsal: config.destination.cluster == Cluster::Rehearsal,
            idempotence: config.destination.idempotence == crate::config::Idempotence::On,
        },
        reordered: config.delivery.reordered,
        ..Report::default()
    };
    let runs_speedctl = matches!(config.source, Source::Snapshot(_));
    let production = crate::produce::start(job, receiver);
    // The source is touched only when the destination was found good.
    let (source, topics) = (config.source, config.destination.topics);
    let begin = || {
        let sending = (topics, crate::extract::Purpose::Send);
        crate::extract::start(source, config.extraction, sending, console.clone(), sender)
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

fn describe(source: &mut crate::report::Source, known: crate::extract::Description) {
    source.kind = known.kind.unwrap_or(source.kind);
    source.inputs = known.inputs;
    source.names = known.names;
    source.via = known.via;
}

/// A source without records is a failure where nothing else says more.
fn name_nothing(report: &mut Report, empty: crate::config::EmptySource) {
    if report.failures.is_empty() && report.signal.is_none() {
        let nothing = crate::report::nothing_found(&report.source, &report.tally, empty);
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
        ProfileChoice::BuiltIn(name) => crate::extract::profile_text(name)?,
        ProfileChoice::File { name: _, text } => text,
    };
    Ok(Identity::of(config, kind(&config.source), profile))
}

/// When the first record may be sent.
fn gate(config: &Config) -> Gate {
    let destination = &config.destination;
    let one_topic = matches!(destination.topics, TopicNames::One(_));
    let names_ids = config.extraction.topic_ids.iter().next().is_some();
    let keeps = destination.partition == crate::config::Partition::Keep;
    match crate::extract::gate(&config.source) {
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

/// Prints the records of the source; nothing is sent.
async fn print(config: Config, mut signals: mpsc::Receiver<Signal>) -> Result<Printout, Error> {
    let started = Instant::now();
    crate::extract::check(&config.source, &config.extraction)?;
    let console = Console::new(config.output.verbosity);
    let gate = match crate::extract::gate(&config.source) {
        // There is nothing to look at before the first line.
        Gate::WhenKnown => Gate::AtOnce,
        gate => gate,
    };
    let (sender, receiver) = crate::record::channel::bounded(CHANNEL, gate);
    let closer = receiver.closer();
    let kind = kind(&config.source);
    let runs_speedctl = matches!(config.source, Source::Snapshot(_));
    let mut printing = crate::run::print::start(receiver);
    let topics = (config.destination.topics, crate::extract::Purpose::Look);
    let mut extraction =
        crate::extract::start(config.source, config.extraction, topics, console, sender);
    let mut signal = None;
    tokio::select! {
        () = printing.ended() => {}
        Some(first) = signals.recv() => {
            signal = Some(first);
            closer.close();
            extraction.stop();
            // Whoever reads stdout may have stopped for good.
            tokio::select! {
                _ = timeout(STOP_LIMIT, printing.ended()) => {}
                Some(_) = signals.recv() => {}
            }
        }
    }
    extraction.stop();
    if runs_speedctl {
        _ = timeout(STOP_LIMIT, extraction.ended()).await;
    }
    let description = extraction.description();
    let printed = printing.so_far();
    let source_failure = printed.source_end.clone().and_then(Result::err);
    let kept_back = printed.unprinted > 0 || printed.source_end.is_none();
    let source = crate::report::Source {
        kind: description.kind.unwrap_or(kind),
        via: description.via,
        inputs: description.inputs,
        names: description.names,
        complete: printed.source_end == Some(Ok(())),
    };
    let nothing = crate::report::nothing_found(&source, &printed.tally, config.empty);
    let failures = printed.failure.into_iter().chain(source_failure);
    Ok(Printout {
        source,
        tally: printed.tally,
        printed: printed.printed,
        unprinted: printed.unprinted,
        reader: printed.reader,
        elapsed: started.elapsed(),
        signal: signal.filter(|_| kept_back),
        failures: failures.chain(nothing).collect(),
    })
}

fn kind(source: &Source) -> &'static str {
    match source {
        Source::Snapshot(_) => "snapshot",
        Source::Csv(_) => "csv",
        Source::Raw(_) => "raw",
        Source::Records(_) => crate::report::Source::RECORDS,
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
        .find(|failure| failure.exit() == crate::error::ExitCode::Usage);
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
        mut production: crate::produce::Production,
        begin: impl FnOnce() -> Extraction,
    ) -> Outcome {
        let mut begin = Some(begin);
        let mut tick = interval(crate::produce::TICK);
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

/// Reads one RRPair by the built-in profiles and by a query; what it holds is dropped. For `fuzz/`.
#[doc(hidden)]
pub fn read_line(line: &str) {
    crate::extract::read_line(line);
}
