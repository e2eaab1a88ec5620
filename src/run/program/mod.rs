//! What surrounds a run: turns the command line into settings, checks the files, provides a runtime and
//! signals, and shows the result. It serves the binary, and programs that link kreplay.

mod uses;

use std::ffi::OsString;
use std::process;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use super::show::product::Product;
use super::{run, show};
use crate::cli::{self, When};
use crate::config::{Config, Verbosity};
use crate::error::Error;
use crate::host::signals::Signals;
use crate::report::Report;

/// The whole program: reads the command line, runs it, and shows the result. Ends the process if help or a
/// version is asked for, or if the command line is wrong.
#[doc(hidden)]
#[must_use]
pub fn main() -> process::ExitCode {
    show::report_panics();
    let exit = run_command(cli::parse_or_exit(&crate::linked_versions()));
    let exit = exit.unwrap_or_else(|error| show::failure(&error).into());
    show::flush();
    exit
}

fn run_command(cli: cli::Cli) -> Result<process::ExitCode, Error> {
    let config = Config::from_cli(cli)?;
    let output = config.output.clone();
    check_files(&config)?;
    let runtime = runtime()?;
    let signals = Signals::listen().map_err(|e| defect(&format!("cannot handle signals: {e}")))?;
    let end = signals.end();
    let product = runtime.block_on(run(config, signals.received));
    end.has_come();
    // A thread may still wait for stdin; it ends with the process.
    runtime.shutdown_background();
    Ok(show::product(product, &output).into())
}

/// Replays as `kreplay replay ARGUMENTS` does, with the same sources and flags, and returns the report.
/// Blocks until everything is delivered or accounted for; call it from a thread that may wait. It handles no
/// signals, and writes nothing to stdout or stderr.
///
/// # Errors
/// Returns what is wrong before anything has begun, such as [`Error::Config`] for arguments that make no
/// sense. A replay that fails later has a report that says so: see [`Report::exit`].
///
/// # Examples
/// ```
/// let report = kreplay::replay(["fixtures/demo.jsonl", "--rehearse"])?;
/// assert!(report.ledger.balances());
/// assert_eq!(report.exit(), kreplay::ExitCode::Success);
/// # Ok::<(), kreplay::Error>(())
/// ```
pub fn replay<I>(arguments: I) -> Result<Report, Error>
where
    I: IntoIterator,
    I::Item: Into<OsString>,
{
    let config = quiet_config("replay", arguments)?;
    let runtime = runtime()?;
    // Nobody sends a signal.
    let (_signals, received) = mpsc::channel(1);
    let product = runtime.block_on(run(config, received));
    runtime.shutdown_background();
    match product? {
        Product::Report(report) => Ok(*report),
        _ => Err(Error::config("`--print-command` replays nothing")),
    }
}

/// The settings of `kreplay COMMAND ARGUMENTS`, with nothing printed on stderr.
///
/// # Errors
/// Returns [`Error::Config`] for arguments that make no sense.
pub(super) fn quiet_config<I>(command: &str, arguments: I) -> Result<Config, Error>
where
    I: IntoIterator,
    I::Item: Into<OsString>,
{
    let words = ["kreplay", command].into_iter().map(OsString::from);
    let words = words.chain(arguments.into_iter().map(Into::into));
    let mut config = Config::from_cli(cli::parse(words)?)?;
    config.output.verbosity = Verbosity::Quiet;
    config.output.progress = When::Never;
    check_files(&config)?;
    Ok(config)
}

/// Checks that the run destroys no file of the user's: it writes nothing that it reads and nothing twice, and
/// replaces a file only by one of the same kind.
///
/// # Errors
/// Returns [`Error::Config`], which names the file.
fn check_files(config: &Config) -> Result<(), Error> {
    uses::overlap(config).check()?;
    show::check_report_file(&config.output)
}

/// The runtime of speedctl, timers and signals; everything else has its own threads.
///
/// # Errors
/// Returns [`Error::Defect`] if the system provides no threads.
pub(super) fn runtime() -> Result<Runtime, Error> {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build();
    runtime.map_err(|e| defect(&format!("cannot start threads: {e}")))
}

fn defect(what: &str) -> Error {
    Error::Defect { what: what.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ExitCode;
    use crate::report::Outcome;

    #[test]
    fn the_library_returns_the_report_of_a_replay() {
        // The report of the binary says the same: tests/program/rehearsal/.
        let report = replay(["fixtures/cut.jsonl", "--rehearse"]).expect("a report");
        assert_eq!(report.exit(), ExitCode::Source);
        assert_eq!(report.ledger.found, 4);
        assert_eq!(report.ledger[Outcome::Delivered], 3);
        assert_eq!(report.ledger[Outcome::Unreadable], 1);
    }

    #[test]
    fn a_replay_without_a_destination_is_refused() {
        let error = replay(["fixtures/demo.jsonl"]).expect_err("no brokers");
        assert!(matches!(error, Error::Config { .. }), "{error:?}");
    }
}
