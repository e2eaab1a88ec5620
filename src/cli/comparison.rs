//! What counts as the same when records are compared.

use std::path::PathBuf;

use clap::Args;

/// What counts as the same.
#[derive(Debug, Args)]
#[command(next_help_heading = "Comparison")]
pub struct ComparisonArguments {
    /// Leave a part of JSON values out of the comparison, repeatable: a JSONPath below the record's
    /// value, such as `$.meta.id`.
    #[arg(long, value_name = "PATH")]
    pub ignore: Vec<String>,
    /// Members of JSON objects that the expectation lacks do not differ.
    #[arg(long)]
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
    #[arg(long, value_name = "FILE")]
    pub expect_diff: Option<PathBuf>,
}
