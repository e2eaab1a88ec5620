//! The binary: what was typed, one run, what is shown, the exit code.

use std::process::ExitCode;

use clap::Parser;
use kreplay::cli::Cli;
use kreplay::config::Config;
use kreplay::error::Error;
use kreplay::{Signals, check_files, run, show};
use tokio::runtime::Builder;

/// librdkafka allocates for each record; this allocator serves its C code too and halves the cost.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    show::report_panics();
    let exit = replay(Cli::parse()).unwrap_or_else(|error| show::failure(&error).into());
    show::flush();
    exit
}

fn replay(cli: Cli) -> Result<ExitCode, Error> {
    let config = Config::from_cli(cli)?;
    let output = config.output.clone();
    check_files(&config)?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|e| defect(&format!("no threads to run on: {e}")))?;
    let signals = Signals::listen().map_err(|e| defect(&format!("no signal handlers: {e}")))?;
    let end = signals.end();
    let product = runtime.block_on(run(config, signals.received));
    end.has_come();
    // A thread may still wait for stdin; it ends with the process.
    runtime.shutdown_background();
    Ok(show::product(product, &output).into())
}

fn defect(what: &str) -> Error {
    Error::Defect { what: what.into() }
}
