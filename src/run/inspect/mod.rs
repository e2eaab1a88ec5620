//! `kreplay inspect`: examines what extraction yields and sends nothing. This module is separate from
//! `print.rs` because it keeps only sums over the records. As for every command, both ends of the channel
//! meet here: `contents.rs` sums up records, and extraction's [`Census`] has what else the RRPairs show.

mod contents;
mod distinct;
mod sizes;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use self::contents::CapturedContents;
use super::driver::{
    AfterSignal, Driver, ReadingOptions, SourceReading, UnfinishedWork, on_thread,
};
use crate::config::{Config, View};
use crate::error::Error;
use crate::extract;
use crate::extract::{Aside, Census, Purpose};
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
    /// How the source ended; `None` if it was not read to its end.
    source_end: Option<Result<(), Error>>,
    failure: Option<Error>,
}

/// Examines the source of `config`; the first signal ends it, and the result shows what was seen by then.
///
/// # Errors
/// Returns [`Error::Config`] for paths and filters that do not parse.
pub(crate) async fn run(config: Config, view: View, mut driver: Driver) -> Result<Product, Error> {
    extract::check(&config.source, &config.extraction)?;
    let census = Census::of(view);
    let options = ReadingOptions {
        aside: Aside {
            census: census.clone(),
            ..Aside::default()
        },
        ..ReadingOptions::of(config.source.clone(), &config, Purpose::Look)
    };
    let (reading, receiver) = SourceReading::start(options, &driver.console);
    let (seen, ended) = start(receiver);
    let looked = driver.take(&reading, ended, AfterSignal::Wait).await;
    let description = reading.end().await;
    let mut seen = std::mem::take(&mut *lock(&seen));
    if !matches!(looked, Some(Ok(()))) {
        let what = "the looking thread ended in a panic".into();
        seen.failure = Some(Error::Defect { what });
    }
    let source = description.source(config.source.kind(), seen.source_end.as_ref());
    let unfinished = UnfinishedWork::reading(seen.source_end.as_ref());
    let signal = driver.counting_signal(unfinished);
    let nothing = match (signal, view) {
        (None, View::Contents) => report::nothing_found(&source, &seen.tally, config.empty),
        (None, View::Paths) => report::no_path_found(&source, &seen.tally, config.empty),
        (Some(_), _) => None,
    };
    seen.failure = seen.failure.or(nothing);
    Ok(product(seen, source, signal, &census, driver.elapsed()))
}

fn product(
    seen: InspectionProgress,
    source: report::SourceReport,
    signal: Option<Signal>,
    census: &Census,
    elapsed: Duration,
) -> Product {
    let source_failure = seen.source_end.and_then(Result::err);
    let failures = seen.failure.into_iter().chain(source_failure).collect();
    let mut tally = seen.tally;
    seen.contents.name_uncounted(&mut tally.problems);
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

/// Starts to examine what `receiver` yields, on its own thread.
fn start(receiver: Receiver) -> (Arc<Mutex<InspectionProgress>>, oneshot::Receiver<()>) {
    let seen: Arc<Mutex<InspectionProgress>> = Arc::default();
    let shared = seen.clone();
    let ended = on_thread(move || look_at_all(receiver, &mut lock(&shared)));
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
