//! Shows the result of a run on stdout and stderr: stdout carries the product, stderr everything else. A
//! failure to write is reported and never hides another exit code; a reader that has closed the pipe has what
//! it wanted.

pub(super) mod product;

use std::borrow::Cow;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use self::product::Product;
use crate::config::{Output, ReportForm, Verbosity};
use crate::error::{Error, ExitCode, reason};
use crate::host::console::{self, stderr};
use crate::host::outputs::{Replaced, check_replaceable, replace};
use crate::host::visible::{shortened, visible_lines};
use crate::report::{
    Printout, Problems, Report, SourceReport, Tally, is_nothing_read, problems_text,
};

/// Only a report may be replaced by a report.
const REPORT: Replaced = Replaced {
    begin: b"{\"kreplay\":",
    name: "a report of kreplay",
};

/// Shows the result of a run and returns the exit code.
pub(crate) fn product(product: Result<Product, Error>, output: &Output) -> ExitCode {
    match product {
        Ok(Product::Report(mut report)) => print_report(&mut report, output),
        Ok(Product::Printout(printout)) => show_printout(&printout, output),
        Ok(Product::Plan(mut plan)) => {
            let unwritten = write_report_file(output, || plan.to_json()).err();
            plan.failures.extend(unwritten);
            let text = || page(&plan.tally, &plan.failures, &*plan);
            let shown = in_form(output, text, || plan.to_json());
            let problems = (&plan.source, &plan.forecast.problems);
            show_result(output, &shown, problems, &plan.failures, plan.exit())
        }
        Ok(Product::Inspection(seen)) => {
            let text = || page(&seen.tally, &seen.failures, &*seen);
            let product = in_form(output, text, || seen.to_json());
            let problems = (&seen.source, &seen.tally.problems);
            show_result(output, &product, problems, &seen.failures, seen.exit())
        }
        Ok(Product::Paths(list)) => {
            let text = || page(&list.tally, &list.failures, &*list);
            let product = in_form(output, text, || list.to_json());
            let problems = (&list.source, &list.tally.problems);
            show_result(output, &product, problems, &list.failures, list.exit())
        }
        Ok(Product::Completions(script)) => print_product(&script, ExitCode::Success),
        Ok(Product::Comparison(found)) => {
            let text = || visible_lines(&found.to_string()).into_owned();
            let shown = in_form(output, text, || found.to_json());
            let exit = print_product(&shown, found.exit());
            print_failures(&found.failures);
            exit
        }
        Ok(Product::Profile(text)) => print_product(text, ExitCode::Success),
        Ok(Product::Command(command)) => print_product(&format!("{command}\n"), ExitCode::Success),
        Err(error) => failure(&error),
    }
}

fn print_report(report: &mut Report, output: &Output) -> ExitCode {
    // The file comes first, so that the printed report says whether it was written.
    let mut written = write_report(report, output);
    let nothing = says_all(&report.tally, &report.failures);
    let text = || page(&report.tally, &report.failures, &*report);
    let product = in_form(output, text, || report.to_json());
    if let Err(e) = print(&product) {
        report.failures.push(Error::CannotWrite {
            what: "the report to stdout",
            reason: reason(&e),
        });
        // The file now says that the report could not be printed.
        written = written && write_report(report, output);
    }
    let is_shown = output.report != ReportForm::None && written;
    if !is_shown && report.exit() != ExitCode::Success && !nothing {
        write_to_stderr(&visible_lines(&report.why()));
    }
    print_failures(&report.failures);
    report.exit()
}

/// Writes the report to its file, if it has one. Returns whether that succeeded, and otherwise adds the
/// reason to the report.
fn write_report(report: &mut Report, output: &Output) -> bool {
    let written = write_report_file(output, || report.to_json());
    let is_written = written.is_ok();
    report.failures.extend(written.err());
    is_written
}

/// Writes what `json` returns to the file of `--report-file`, if there is one.
///
/// # Errors
/// Returns [`Error::ReportUnwritten`] if the file cannot be written.
fn write_report_file(output: &Output, json: impl FnOnce() -> String) -> Result<(), Error> {
    let Some(path) = &output.report_file else {
        return Ok(());
    };
    let text = json() + "\n";
    replace(path, REPORT, text.as_bytes()).map_err(|e| Error::ReportUnwritten {
        file: path.display().to_string(),
        reason: reason(&e),
    })
}

/// Whether the errors say everything: a page of zeros would only hide them.
fn says_all(tally: &Tally, failures: &[Error]) -> bool {
    is_nothing_read(tally) && !failures.is_empty()
}

/// The page for people, if it says more than the errors.
fn page(tally: &Tally, failures: &[Error], page: impl fmt::Display) -> String {
    match says_all(tally, failures) {
        true => String::new(),
        false => visible_lines(&page.to_string()).into_owned(),
    }
}

fn in_form(output: &Output, text: impl Fn() -> String, json: impl Fn() -> String) -> String {
    match output.report {
        ReportForm::Text => text(),
        ReportForm::Json => json() + "\n",
        ReportForm::None => String::new(),
    }
}

/// Prints the result on stdout, and what ended it on stderr.
fn show_result(
    output: &Output,
    product: &str,
    (source, problems): (&SourceReport, &Problems),
    failures: &[Error],
    exit: ExitCode,
) -> ExitCode {
    let exit = print_product(product, exit);
    if output.report == ReportForm::None {
        write_to_stderr(&visible_lines(&problems_text(source, problems)));
    }
    print_failures(failures);
    exit
}

/// Prints the account of the records on stderr, because stdout has the records.
fn show_printout(printout: &Printout, output: &Output) -> ExitCode {
    let nothing = says_all(&printout.tally, &printout.failures);
    write_to_stderr(&match output.verbosity {
        _ if nothing => String::new(),
        Verbosity::Quiet => visible_lines(&printout.problems().to_string()).into_owned(),
        Verbosity::Normal | Verbosity::Verbose => visible_lines(&printout.to_string()).into_owned(),
    });
    print_failures(&printout.failures);
    printout.exit()
}

/// Refuses a report file that cannot be written, before anything is sent.
///
/// # Errors
/// Returns [`Error::Config`] with the reason.
pub(crate) fn check_report_file(output: &Output) -> Result<(), Error> {
    let Some(path) = &output.report_file else {
        return Ok(());
    };
    check_replaceable(path, REPORT).map_err(|e| cannot_write(path, &e))
}

fn cannot_write(path: &Path, error: &io::Error) -> Error {
    Error::config(format!(
        "cannot write the report to {}: {}",
        path.display(),
        reason(error)
    ))
}

/// Prints the result; a failure adds a code and hides none.
fn print_product(text: &str, exit: ExitCode) -> ExitCode {
    let Err(e) = print(text) else {
        return exit;
    };
    let failed = failure(&Error::CannotWrite {
        what: "to stdout",
        reason: reason(&e),
    });
    ExitCode::gravest([exit, failed])
}

/// Writes to stdout; it is not a failure if the reader has gone.
fn print(text: &str) -> io::Result<()> {
    // Earlier lines on stderr come first if both are the same terminal or file.
    stderr().flush_before_stdout();
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

fn write_to_stderr(text: &str) {
    stderr().say(text.to_owned());
}

/// Reports panics like everything else on stderr.
pub(crate) fn report_panics() {
    console::report_panics();
}

/// Waits, for a few seconds at most, until stderr has taken what was shown there. Call it last.
pub(crate) fn flush() {
    stderr().flush();
}

fn print_failures(failures: &[Error]) {
    for error in failures {
        _ = failure(error);
    }
}

/// The most bytes of an error that are shown: 50 topics with names of 249 characters, and some words.
const LONGEST_ERROR: usize = 16 << 10;

/// `text` as an error is shown: cut if it is long, and without a line that looks as if kreplay began to say
/// something else. A file name or a broker's words may hold line ends.
fn own_lines(text: &str) -> Cow<'_, str> {
    let shown = shortened(text, LONGEST_ERROR);
    let begins = |line: &str| line.starts_with("kreplay:") || line.starts_with("hint:");
    if !shown.lines().skip(1).any(begins) {
        return shown;
    }
    let lines = shown.lines().enumerate().map(|(i, line)| match line {
        line if i > 0 && begins(line) => format!("    {line}"),
        line => line.to_owned(),
    });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

/// Says what ended the run, with a hint if there is one.
pub(crate) fn failure(error: &Error) -> ExitCode {
    let hint = error
        .hint()
        .map(|hint| format!("hint: {}\n", own_lines(&hint)));
    let error_text = error.to_string();
    let text = own_lines(&error_text);
    let text = format!("kreplay: {text}\n{}", hint.unwrap_or_default());
    write_to_stderr(&visible_lines(&text));
    error.exit()
}
