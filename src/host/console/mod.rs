//! What kreplay says to a person while it runs: notes on stderr. This module is separate so that a
//! progress bar on the same terminal can make way for a note.

mod stderr;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use self::stderr::{report_panics, stderr};
use super::visible::{shortened, visible};
use crate::config::Verbosity;

/// The most bytes of a note that are shown: the names of some topics and groups, and words.
const LONGEST_NOTE: usize = 8 << 10;

/// Shows a line instead of writing it to stderr.
type LinePrinter = Box<dyn Fn(&str) + Send>;

/// A handle on stderr.
#[derive(Clone)]
pub(crate) struct Console {
    verbosity: Verbosity,
    printer: Arc<Mutex<Option<LinePrinter>>>,
}

impl Console {
    pub(crate) fn new(verbosity: Verbosity) -> Self {
        Self {
            verbosity,
            printer: Arc::default(),
        }
    }

    /// Prints something that the user should know, unless `-q` is given.
    pub(crate) fn note(&self, text: &str) {
        if self.verbosity != Verbosity::Quiet {
            self.print(text);
        }
    }

    /// Prints an error that does not end the run, also if `-q` is given.
    pub(crate) fn error(&self, text: &str) {
        self.print(text);
    }

    /// Prints something that the user asked for with `-v`.
    pub(crate) fn verbose(&self, text: &str) {
        if self.verbosity == Verbosity::Verbose {
            self.print(text);
        }
    }

    /// Passes lines to `printer` from now on, or to stderr again.
    pub(crate) fn print_through(&self, printer: Option<LinePrinter>) {
        *self.printer.lock().unwrap_or_else(PoisonError::into_inner) = printer;
    }

    /// Prints a note as one line, whatever names it contains.
    fn print(&self, text: &str) {
        let text = shortened(text, LONGEST_NOTE);
        let text = visible(&text);
        let printer = self.printer.lock().unwrap_or_else(PoisonError::into_inner);
        match &*printer {
            Some(printer) => printer(&format!("kreplay: {text}")),
            None => stderr().note(format!("kreplay: {text}\n")),
        }
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console")
            .field("verbosity", &self.verbosity)
            .finish_non_exhaustive()
    }
}
