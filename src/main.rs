//! The binary: what was typed, one run, what is printed, the exit code.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use kreplay::cli::Cli;
use kreplay::config::{Config, Output, ReportForm, Verbosity};
use kreplay::error::{self, Error};
use kreplay::report::{Printout, Report};
use kreplay::{Product, run, signals};

/// librdkafka allocates for each record; this allocator serves its C code too and halves the cost.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(e) => {
            return fail(&Error::Defect {
                what: format!("no threads to run on: {e}"),
            });
        }
    };
    let config = match Config::from_cli(Cli::parse()) {
        Ok(config) => config,
        Err(error) => return fail(&error),
    };
    let output = config.output.clone();
    if let Err(error) = check_report_file(&output) {
        return fail(&error);
    }
    let product = runtime.block_on(async {
        let signals = signals().map_err(|e| Error::Defect {
            what: format!("no signal handlers: {e}"),
        })?;
        run(config, signals).await
    });
    // A thread may still wait for stdin; it ends with the process.
    runtime.shutdown_background();
    match product {
        Ok(Product::Report(report)) => print_report(&report, &output),
        Ok(Product::Printout(printout)) => tell_printout(&printout, &output),
        Ok(Product::Inspection(seen)) => {
            let told = in_form(&output, || seen.to_string(), || seen.to_json());
            tell(&told, &seen.failures, seen.exit())
        }
        Ok(Product::Paths(list)) => {
            let told = in_form(&output, || list.to_string(), || list.to_json());
            tell(&told, &list.failures, list.exit())
        }
        Ok(Product::Profile(text)) => print(text),
        Ok(Product::Command(command)) => print(&format!("{command}\n")),
        Err(error) => fail(&error),
    }
}

fn print_report(report: &Report, output: &Output) -> ExitCode {
    let mut exit = report.exit().into();
    if let Some(path) = &output.report_file
        && let Err(e) = fs::write(path, report.to_json() + "\n")
    {
        exit = fail(&cannot_write(path, &e));
    }
    match output.report {
        ReportForm::Text => _ = print(&report.to_string()),
        ReportForm::Json => _ = print(&(report.to_json() + "\n")),
        ReportForm::None => {}
    }
    report.failures.iter().for_each(|failure| _ = fail(failure));
    exit
}

fn in_form(output: &Output, text: impl Fn() -> String, json: impl Fn() -> String) -> String {
    match output.report {
        ReportForm::Text => text(),
        ReportForm::Json => json() + "\n",
        ReportForm::None => String::new(),
    }
}

/// What was looked at goes to stdout, what ended it to stderr.
fn tell(told: &str, failures: &[Error], exit: error::ExitCode) -> ExitCode {
    _ = print(told);
    failures.iter().for_each(|failure| _ = fail(failure));
    exit.into()
}

/// Stdout has the records; the account of them goes to stderr.
fn tell_printout(printout: &Printout, output: &Output) -> ExitCode {
    let account = match output.verbosity {
        Verbosity::Quiet => printout.problems().to_string(),
        Verbosity::Normal | Verbosity::Verbose => printout.to_string(),
    };
    _ = io::stderr().lock().write_all(account.as_bytes());
    printout
        .failures
        .iter()
        .for_each(|failure| _ = fail(failure));
    printout.exit().into()
}

/// A report that cannot be written is told before anything is sent.
fn check_report_file(output: &Output) -> Result<(), Error> {
    let Some(path) = &output.report_file else {
        return Ok(());
    };
    let opened = fs::OpenOptions::new().append(true).create(true).open(path);
    opened.map(|_| ()).map_err(|e| cannot_write(path, &e))
}

fn cannot_write(path: &Path, error: &io::Error) -> Error {
    Error::config(format!(
        "cannot write the report to {}: {error}",
        path.display()
    ))
}

/// Writes to stdout; a reader that has gone is no failure.
fn print(text: &str) -> ExitCode {
    _ = io::stdout().lock().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// Tells what ended the run.
fn fail(error: &Error) -> ExitCode {
    let mut stderr = io::stderr().lock();
    _ = writeln!(stderr, "kreplay: {error}");
    if let Some(hint) = error.hint() {
        _ = writeln!(stderr, "hint: {hint}");
    }
    error.exit().into()
}
