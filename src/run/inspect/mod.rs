//! `kreplay inspect`: looks at what extraction gives and sends nothing. Apart from `print.rs`
//! because nothing of a record is kept but what it adds to a sum. As in [`crate::run()`], both ends
//! of the channel meet here: `contents.rs` sums up records, and what the RRPairs tell besides
//! comes from extraction's [`Census`].

mod contents;
mod distinct;
mod sizes;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use self::contents::CapturedContents;
use super::limits::{CHANNEL, STOP_LIMIT};
use crate::config::{Config, EmptySource, Source, View};
use crate::error::Error;
use crate::extract;
use crate::extract::Census;
use crate::host::console::Console;
use crate::record::channel;
use crate::record::channel::Receiver;
use crate::report;
use crate::report::{Inspection, PathList, Signal, Tally};
use crate::run::show::product::Product;

/// What is known so far.
#[derive(Debug, Default)]
struct InspectionProgress {
    tally: Tally,
    contents: CapturedContents,
    /// How the source ended; none when it was not read to its end.
    source_end: Option<Result<(), Error>>,
    failure: Option<Error>,
}

/// Looks at the source of `config`; the first of `signals` ends it, and what was seen by then is told.
///
/// # Errors
/// [`Error::Config`] for paths and filters that do not parse.
pub(crate) async fn run(
    config: Config,
    view: View,
    mut signals: mpsc::Receiver<Signal>,
) -> Result<Product, Error> {
    let started = Instant::now();
    extract::check(&config.source, &config.extraction)?;
    let console = Console::new(config.output.verbosity);
    let (sender, receiver) = channel::bounded(CHANNEL, extract::gate(&config.source));
    let closer = receiver.closer();
    let kind = config.source.kind();
    let runs_speedctl = matches!(config.source, Source::Snapshot(_));
    let census = Census::of(view);
    let (seen, mut ended) = start(receiver);
    let topics = (config.destination.topics, extract::Purpose::Look);
    let options = config.extraction;
    let aside = extract::Aside {
        census: census.clone(),
        ..extract::Aside::default()
    };
    let mut extraction =
        extract::start_with(config.source, options, topics, console, sender, aside);
    let mut signal = None;
    let looked = tokio::select! {
        looked = &mut ended => looked,
        Some(first) = signals.recv() => {
            signal = Some(first);
            closer.close();
            ended.await
        }
    };
    extraction.stop();
    if runs_speedctl {
        _ = timeout(STOP_LIMIT, extraction.ended()).await;
    }
    let mut seen = std::mem::take(&mut *lock(&seen));
    if looked.is_err() {
        let what = "the looking thread ended in a panic".into();
        seen.failure = Some(Error::Defect { what });
    }
    let description = extraction.description();
    let source = description.source(kind, seen.source_end.as_ref());
    let signal = signal.filter(|_| seen.source_end.is_none());
    let nothing = match signal {
        None => nothing_found(&seen.tally, &source, config.empty, view),
        Some(_) => None,
    };
    seen.failure = seen.failure.or(nothing);
    Ok(product(seen, source, signal, &census, started))
}

/// Paths are found in RRPairs whether or not they hold records.
fn nothing_found(
    tally: &Tally,
    source: &report::SourceReport,
    empty: EmptySource,
    view: View,
) -> Option<Error> {
    match view {
        View::Paths if tally.rrpairs > 0 => None,
        View::Paths | View::Contents => report::nothing_found(source, tally, empty),
    }
}

fn product(
    seen: InspectionProgress,
    source: report::SourceReport,
    signal: Option<Signal>,
    census: &Census,
    started: Instant,
) -> Product {
    let source_failure = seen.source_end.and_then(Result::err);
    let failures = seen.failure.into_iter().chain(source_failure).collect();
    let (tally, elapsed) = (seen.tally, started.elapsed());
    if let Some((paths, left_out)) = census.paths() {
        return Product::Paths(Box::new(PathList {
            source,
            tally,
            paths,
            left_out,
            elapsed,
            signal,
            failures,
        }));
    }
    Product::Inspection(Box::new(Inspection {
        source,
        tally,
        census: census.report(),
        topics: seen.contents.topics(),
        records: seen.contents.records,
        other_records: seen.contents.other_records,
        elapsed,
        signal,
        failures,
    }))
}

fn lock(seen: &Mutex<InspectionProgress>) -> MutexGuard<'_, InspectionProgress> {
    // The counts are consistent between any two statements that change them, also after a panic.
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts to look at what `receiver` gives, on a thread of its own.
fn start(receiver: Receiver) -> (Arc<Mutex<InspectionProgress>>, oneshot::Receiver<()>) {
    let (tell_ended, ended) = oneshot::channel();
    let seen: Arc<Mutex<InspectionProgress>> = Arc::default();
    let shared = seen.clone();
    thread::spawn(move || {
        look_at_all(receiver, &mut lock(&shared));
        // Nobody listens only when the run was left at once.
        _ = tell_ended.send(());
    });
    (seen, ended)
}

fn look_at_all(receiver: Receiver, seen: &mut InspectionProgress) {
    let mut add = |source_batch: channel::SourceBatch| {
        seen.contents.add(&source_batch.batch);
        seen.tally.merge(source_batch.tally);
    };
    while let Some(source_batch) = receiver.recv() {
        add(source_batch);
    }
    let (source_end, rest) = receiver.close();
    rest.into_iter().for_each(&mut add);
    seen.source_end = source_end;
}
