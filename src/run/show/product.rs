//! What a command returns to be shown.

use crate::report::{ComparisonReport, Inspection, PathList, PlanReport, Printout, Report};

/// The result of a run.
#[derive(Debug)]
pub(crate) enum Product {
    /// The report of a replay.
    Report(Box<Report>),
    /// The forecast of a replay.
    Plan(Box<PlanReport>),
    /// The account of the records that were printed.
    Printout(Box<Printout>),
    /// The description of a capture.
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
