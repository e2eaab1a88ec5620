//! What a command gives to whoever shows it.

use crate::report::{ComparisonReport, Inspection, PathList, PlanReport, Printout, Report};

/// What a run gives.
#[derive(Debug)]
pub(crate) enum Product {
    /// The report of a replay.
    Report(Box<Report>),
    /// What a replay would do.
    Plan(Box<PlanReport>),
    /// The account of the records that were printed.
    Printout(Box<Printout>),
    /// What is in a capture.
    Inspection(Box<Inspection>),
    /// The paths that occur in it.
    Paths(Box<PathList>),
    /// How two sets of records differ.
    Comparison(Box<ComparisonReport>),
    /// A command line, for a shell.
    Command(String),
    /// The text of a profile.
    Profile(&'static str),
    /// Completions of commands and flags, for a shell.
    Completions(String),
}
