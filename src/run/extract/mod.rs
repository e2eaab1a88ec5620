//! `kreplay extract`: an extraction whose records are printed (`print.rs`), or passed to a program one by
//! one (`records.rs`); nothing is sent.

mod print;
pub(crate) mod records;

use super::driver::{AfterSignal, Driver, ReadingOptions, SourceReading, UnfinishedWork};
use crate::config::Config;
use crate::error::Error;
use crate::report::{self, Printout};

/// Prints the records of the source; nothing is sent.
pub(super) async fn extract(config: Config, mut driver: Driver) -> Result<Printout, Error> {
    let options = ReadingOptions::to_look(&config)?;
    let (reading, receiver) = SourceReading::start(options, &driver.console);
    let mut printing = print::start(receiver);
    // The counts of a printing that is left behind balance at any time.
    _ = driver
        .take(&reading, printing.ended(), AfterSignal::Leave)
        .await;
    let description = reading.end().await;
    let printed = printing.so_far();
    let source_failure = printed.source_end.clone().and_then(Result::err);
    let signal = driver.counting_signal(UnfinishedWork::Records {
        source_end: printed.source_end.as_ref(),
        records: printed.unprinted,
        groups: 0,
    });
    let source = description.source(config.source.kind(), printed.source_end.as_ref());
    let nothing = report::nothing_found(&source, &printed.tally, config.empty);
    let failures = printed.failure.into_iter().chain(source_failure);
    Ok(Printout {
        source,
        tally: printed.tally,
        printed: printed.printed,
        unprinted: printed.unprinted,
        reader: printed.reader,
        elapsed: driver.elapsed(),
        signal,
        failures: failures.chain(nothing).collect(),
    })
}
