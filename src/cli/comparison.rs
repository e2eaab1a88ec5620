//! What counts as the same when records are compared.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::config::CorrelateBy;

/// What is expected of the service behind the destination.
#[derive(Debug, Args)]
#[command(next_help_heading = "After the replay")]
pub(crate) struct ExpectationArguments {
    /// Compare what the service writes during the run with what the capture shows it to have written.
    ///
    /// What is expected is in the Produce requests of the capture, which is read once for both. Topics are
    /// renamed by --map as those of the records sent. The output is read from where it ended before the
    /// first record was sent, without a consumer group; as committed records where the capture shows
    /// transactions. A difference is exit code 1.
    #[arg(long, conflicts_with = "expect_from", hide_short_help = true)]
    pub expect: bool,
    /// The same, with what is expected in another source: a capture, record lines, or `snapshot:<ID>`.
    #[arg(long, value_name = "SOURCE", hide_short_help = true)]
    pub expect_from: Option<PathBuf>,
    /// How long nothing must have come before the output is taken for whole.
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = humantime::parse_duration, hide_short_help = true)]
    pub expect_quiet: Duration,
    /// How long after the last record the output is waited for at most.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = humantime::parse_duration, hide_short_help = true)]
    pub expect_timeout: Duration,
    /// Write what differs from the expectation to a new file: the service is of the version that was
    /// captured, so that is noise. Of each part of a value its kind: time, epoch, uuid, number, text.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "noise",
        hide_short_help = true
    )]
    pub learn: Option<PathBuf>,
    /// Excuse the noise that a file of --learn holds, each part as long as it is of the kind learned. An id
    /// that was one before must still be one.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub noise: Option<PathBuf>,
    /// Measure the time from sending a record to the appearance of the output that carries the same value:
    /// `key`, `header:NAME` or `value:PATH`.
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
    /// Leave a part of JSON values out of the comparison, repeatable: a JSONPath below the record's
    /// value, such as `$.meta.id`.
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub ignore: Vec<String>,
    /// Members of JSON objects that the expectation lacks do not differ.
    #[arg(long, hide_short_help = true)]
    pub allow_new: bool,
    /// Records that come more than once do not differ.
    #[arg(long, hide_short_help = true)]
    pub allow_repeated: bool,
    /// Compare headers, too: their names, values and order.
    #[arg(long, hide_short_help = true)]
    pub expect_headers: bool,
    /// Compare only how many records each topic has.
    #[arg(long, hide_short_help = true)]
    #[arg(conflicts_with_all = ["expect_last", "ignore", "allow_new", "expect_headers"])]
    pub expect_count: bool,
    /// Compare only the last record of each key.
    #[arg(long, hide_short_help = true)]
    pub expect_last: bool,
    /// Write every difference to a new file, one JSON object a line.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub expect_diff: Option<PathBuf>,
}
