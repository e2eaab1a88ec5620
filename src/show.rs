//! What a run has given, on stdout and stderr: stdout carries the product, stderr everything else.
//! A closed stdout never changes the exit code.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::Product;
use crate::config::{Output, ReportForm, Verbosity};
use crate::error::{Error, ExitCode};
use crate::report::{Printout, Report};

/// Shows what a run has given and tells how the program is to end.
pub fn product(product: Result<Product, Error>, output: &Output) -> ExitCode {
    match product {
        Ok(Product::Report(report)) => print_report(&report, output),
        Ok(Product::Printout(printout)) => tell_printout(&printout, output),
        Ok(Product::Inspection(seen)) => {
            let told = in_form(output, || seen.to_string(), || seen.to_json());
            tell(&told, &seen.failures, seen.exit())
        }
        Ok(Product::Paths(list)) => {
            let told = in_form(output, || list.to_string(), || list.to_json());
            tell(&told, &list.failures, list.exit())
        }
        Ok(Product::Profile(text)) => print(text),
        Ok(Product::Command(command)) => print(&format!("{command}\n")),
        Err(error) => failure(&error),
    }
}

fn print_report(report: &Report, output: &Output) -> ExitCode {
    let mut exit = report.exit();
    if let Some(path) = &output.report_file
        && let Err(e) = fs::write(path, report.to_json() + "\n")
    {
        exit = failure(&cannot_write(path, &e));
    }
    match output.report {
        ReportForm::Text => _ = print(&report.to_string()),
        ReportForm::Json => _ = print(&(report.to_json() + "\n")),
        ReportForm::None => {}
    }
    report
        .failures
        .iter()
        .for_each(|failure| _ = self::failure(failure));
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
fn tell(told: &str, failures: &[Error], exit: ExitCode) -> ExitCode {
    _ = print(told);
    failures
        .iter()
        .for_each(|failure| _ = self::failure(failure));
    exit
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
        .for_each(|failure| _ = self::failure(failure));
    printout.exit()
}

/// A report that cannot be written is told before anything is sent.
///
/// # Errors
/// [`Error::Config`] with the system's reason.
pub fn check_report_file(output: &Output) -> Result<(), Error> {
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
    ExitCode::Success
}

/// Tells what ended the run, with a hint where there is one.
pub fn failure(error: &Error) -> ExitCode {
    let mut stderr = io::stderr().lock();
    _ = writeln!(stderr, "kreplay: {error}");
    if let Some(hint) = error.hint() {
        _ = writeln!(stderr, "hint: {hint}");
    }
    error.exit()
}
