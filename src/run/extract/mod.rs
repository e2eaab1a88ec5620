//! `kreplay extract`: an extraction whose records are printed (`print.rs`); nothing is sent.

mod print;

use std::time::Instant;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::limits::{CHANNEL, STOP_LIMIT};
use crate::config::{Config, Source};
use crate::error::Error;
use crate::host::console::Console;
use crate::record::channel::{self, Gate};
use crate::report::{Printout, Signal};
use crate::{extract, report};

/// Prints the records of the source; nothing is sent.
pub(super) async fn extract(
    config: Config,
    mut signals: mpsc::Receiver<Signal>,
) -> Result<Printout, Error> {
    let started = Instant::now();
    extract::check(&config.source, &config.extraction)?;
    let console = Console::new(config.output.verbosity);
    let gate = match extract::gate(&config.source) {
        // There is nothing to look at before the first line.
        Gate::WhenKnown => Gate::AtOnce,
        gate => gate,
    };
    let (sender, receiver) = channel::bounded(CHANNEL, gate);
    let closer = receiver.closer();
    let kind = config.source.kind();
    let runs_speedctl = matches!(config.source, Source::Snapshot(_));
    let mut printing = print::start(receiver);
    let topics = (config.destination.topics, extract::Purpose::Look);
    let mut extraction = extract::start(config.source, config.extraction, topics, console, sender);
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
    let source = description.source(kind, printed.source_end.as_ref());
    let nothing = report::nothing_found(&source, &printed.tally, config.empty);
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
