//! `kreplay plan`: everything that a replay does except for the sending. It reads the source as a replay
//! does, pass by pass, and stops for the same signals; the receiver of the records forecasts instead of
//! sending.

use std::sync::{Arc, Mutex};

use super::driver::{AfterSignal, Driver, UnfinishedWork};
use super::replay::progress::Progress;
use super::replay::reading::{CurrentReading, lock};
use super::replay::status::Done;
use super::replay::{Passes, ReplayWatch, job, note_settings};
use crate::config::{Cluster, Config};
use crate::error::{Error, ExitCode};
use crate::produce::{Control, Counters, PlanOutcome};
use crate::report::{EmptySource, PlanReport, SourceReport, nothing_found};
use crate::{extract, produce};

/// Plans the replay that `config` describes; the first signal ends it, and the plan then covers what was read
/// by then.
///
/// # Errors
/// Returns what is wrong with the configuration: such a plan has no report.
pub(super) async fn plan(config: Config, mut driver: Driver) -> Result<PlanReport, Error> {
    extract::check(&config.source, &config.extraction)?;
    let kind = extract::kind(&config.source, &config.extraction)?;
    let console = driver.console.clone();
    if config.destination.cluster != Cluster::Rehearsal {
        note_settings(&config.destination, &console);
    }
    let control = Control::default();
    let counters = Arc::new(Counters::default());
    let reading = Arc::new(Mutex::new(CurrentReading::default()));
    let repetition = config.repetition;
    let mut watch = ReplayWatch {
        control: control.clone(),
        reading: reading.clone(),
        counters: counters.clone(),
        progress: Progress::new(&config.output, Done::Planned, &console),
        repetition,
    };
    let job = job(&config, kind, &console, control.clone(), counters.clone());
    let (empty, reordered) = (config.empty, config.delivery.reordered);
    let passes = Passes::of(
        config,
        console.clone(),
        (control, counters),
        reading.clone(),
    );
    let planned = produce::start_plan(job, passes.each());
    let outcome = driver.wait(planned, AfterSignal::Wait, |event| watch.follow(event));
    let outcome = outcome.await.and_then(Result::ok);
    let outcome = outcome.unwrap_or_else(panicked);
    watch.progress.finish(&console);
    let mut source = SourceReport {
        kind,
        ..SourceReport::default()
    };
    let last = lock(&reading).source.take();
    if let Some(last) = last {
        let end = outcome.source_end.as_ref();
        source = last.end().await.source(kind, end);
    }
    let unfinished = UnfinishedWork::reading(outcome.source_end.as_ref());
    let signal = driver.counting_signal(unfinished);
    let report = PlanReport {
        source,
        tally: outcome.tally,
        forecast: outcome.forecast,
        reordered,
        elapsed: driver.elapsed(),
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
/// Returns a failure of the configuration kind: such a plan has no report.
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
