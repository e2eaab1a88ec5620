//! What counts as the same when records are compared.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::duration;
use crate::config::CorrelateBy;

/// What kreplay expects of the service behind the destination.
#[derive(Debug, Args)]
#[command(next_help_heading = "After the replay")]
pub(crate) struct ExpectationArguments {
    /// Compare what the service writes during the run with what it wrote in the capture.
    ///
    /// kreplay takes the expected records from the Produce requests of the capture, in the same pass, and
    /// --map renames their topics as well. It reads the output from where the topics ended before the first
    /// record was sent, without a consumer group, and only committed records if the capture shows
    /// transactions. A difference ends the run with exit code 1.
    #[arg(long, conflicts_with = "expect_from", hide_short_help = true)]
    pub expect: bool,
    /// Like --expect, but take the expected records from another capture, record lines, or `snapshot:<ID>`.
    #[arg(long, value_name = "SOURCE", hide_short_help = true)]
    pub expect_from: Option<PathBuf>,
    /// Consider the output complete after nothing has arrived for this long.
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = duration, allow_hyphen_values = true, hide_short_help = true)]
    pub expect_quiet: Duration,
    /// Wait for the output at most this long after the last record.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration, allow_hyphen_values = true, hide_short_help = true)]
    pub expect_timeout: Duration,
    /// Write what differs from the expectation to a new file, as noise. Run this with the version of the
    /// service that was captured. The file records the kind of each part that differs: time, epoch, uuid,
    /// number or text.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "noise",
        hide_short_help = true
    )]
    pub learn: Option<PathBuf>,
    /// Accept the differences in a file written by --learn, as long as each part keeps its kind. Ids that
    /// were equal must still be equal.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub noise: Option<PathBuf>,
    /// Measure the time from sending a record until output with the same value appears: the value of the
    /// `key`, of `header:NAME` or of `value:PATH`.
    #[arg(long, value_name = "BY", hide_short_help = true)]
    pub correlate: Option<CorrelateBy>,
    /// What counts as the same.
    #[command(flatten)]
    pub comparison: ComparisonArguments,
}

/// What counts as the same.
#[derive(Debug, Args)]
#[command(next_help_heading = "Comparison")]
pub(crate) struct ComparisonArguments {
    /// Leave a part of JSON values out of the comparison (repeatable): a JSONPath within the record's
    /// value, such as `$.meta.id`.
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub ignore: Vec<String>,
    /// Accept members of JSON objects that the expectation lacks.
    #[arg(long, hide_short_help = true)]
    pub allow_new: bool,
    /// Accept records that occur more than once.
    #[arg(long, hide_short_help = true)]
    pub allow_repeated: bool,
    /// Also compare headers: their names, values and order.
    #[arg(long, hide_short_help = true)]
    pub expect_headers: bool,
    /// Compare only how many records each topic has.
    #[arg(long, hide_short_help = true)]
    #[arg(conflicts_with_all = ["expect_last", "ignore", "allow_new", "expect_headers"])]
    pub expect_count: bool,
    /// Compare only the last record of each key.
    #[arg(long, hide_short_help = true)]
    pub expect_last: bool,
    /// Write every difference to a new file, one JSON object per line.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub expect_diff: Option<PathBuf>,
}
