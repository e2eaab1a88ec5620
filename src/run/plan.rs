//! `kreplay plan`: all of a replay but the sending. It reads the source as a replay does, pass by pass, and
//! stops for the same signals; what takes the records forecasts instead of sending.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::limits::STOP_LIMIT;
use super::replay::progress::Progress;
use super::replay::reading::CurrentReading;
use super::replay::{Passes, ReplayWatch, describe, job, tell_settings};
use crate::config::{Cluster, Config, Source};
use crate::error::{Error, ExitCode};
use crate::host::console::Console;
use crate::produce::{Control, Counters, PlanOutcome};
use crate::report::{EmptySource, PlanReport, Signal, SourceReport, nothing_found};
use crate::{extract, produce};

/// Plans the replay that `config` asks for; the first of `signals` ends it, and what was planned by then is
/// reported.
///
/// # Errors
/// What is wrong with the configuration: such a plan has no report.
pub(super) async fn plan(
    config: Config,
    signals: mpsc::Receiver<Signal>,
    console: Console,
) -> Result<PlanReport, Error> {
    let started = Instant::now();
    extract::check(&config.source, &config.extraction)?;
    let kind = extract::kind(&config.source, &config.extraction)?;
    if config.destination.cluster != Cluster::Rehearsal {
        tell_settings(&config.destination, &console);
    }
    let control = Control::default();
    let counters = Arc::new(Counters::default());
    let reading = Arc::new(Mutex::new(CurrentReading::default()));
    let repetition = config.repetition;
    let mut watch = ReplayWatch {
        control: control.clone(),
        reading: reading.clone(),
        signals,
        signal: None,
        counters: counters.clone(),
        progress: Progress::new(config.output.progress, config.output.verbosity, &console),
        repetition,
    };
    let job = job(&config, kind, &console, control.clone(), counters.clone())?;
    let runs_speedctl = matches!(config.source, Source::Snapshot(_));
    let (empty, reordered) = (config.empty, config.delivery.reordered);
    let passes = Passes::of(config, console, (control, counters), reading);
    let planned = produce::start_plan(job, repetition, passes.each());
    let outcome = watch.until_done(planned).await;
    let mut source = SourceReport {
        kind,
        ..SourceReport::default()
    };
    let extraction = watch.reading().extraction.take();
    if let Some(mut extraction) = extraction {
        extraction.stop();
        if runs_speedctl {
            _ = timeout(STOP_LIMIT, extraction.ended()).await;
        }
        describe(&mut source, extraction.description());
    }
    let outcome = outcome.unwrap_or_else(panicked);
    let signal = watch.signal.filter(|_| outcome.source_end.is_none());
    source.complete = outcome.source_end == Some(Ok(()));
    let report = PlanReport {
        source,
        tally: outcome.tally,
        forecast: outcome.forecast,
        reordered,
        elapsed: started.elapsed(),
        signal,
        failures: outcome.failures,
    };
    conclude(report, outcome.source_end.and_then(Result::err), empty)
}

fn panicked() -> PlanOutcome {
    PlanOutcome {
        failures: vec![Error::Defect {
            what: "the planning thread ended in a panic".into(),
        }],
        ..PlanOutcome::default()
    }
}

/// Adds what is wrong with the source.
///
/// # Errors
/// A failure of the configuration kind: such a plan has no report.
fn conclude(
    mut report: PlanReport,
    source_failure: Option<Error>,
    empty: EmptySource,
) -> Result<PlanReport, Error> {
    if report.failures.is_empty() && report.signal.is_none() {
        let nothing = nothing_found(&report.source, &report.tally, empty);
        report.failures.extend(nothing);
    }
    report.failures.extend(source_failure);
    let mut failures = report.failures.iter();
    match failures.find(|failure| failure.exit() == ExitCode::Usage) {
        Some(failure) => Err(failure.clone()),
        None => Ok(report),
    }
}
