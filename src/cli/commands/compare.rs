//! `kreplay compare`: its flags and exit codes.

use std::path::PathBuf;

use clap::Args;

use crate::cli::comparison::ComparisonArguments;
use crate::cli::destination::ConnectionArguments;
use crate::cli::output::ReportForm;
use crate::cli::source::{ExtractionArguments, InputKind, SpeedctlArguments};

pub(super) const COMPARE_EXIT_CODES: &str = "\
Exit codes:
  0    both sides are the same, except for what a flag accepts
  1    they differ, some records are unreadable, a side has none (unless --allow-empty), or an
       --ignore matches nothing
  2    usage or configuration
  3    the cluster: unreachable, not authorised, or a topic missing
  4    a source failed or is incomplete
  130  interrupted (143: terminated by SIGTERM, SIGHUP or SIGQUIT)";

/// `kreplay compare`.
#[derive(Debug, Args)]
#[command(mut_arg("ignore", |arg| arg.hide_short_help(false)))]
#[command(mut_arg("allow_new", |arg| arg.hide_short_help(false)))]
#[command(mut_arg("allow_repeated", |arg| arg.hide_short_help(false)))]
#[command(mut_arg("expect_diff", |arg| arg.hide_short_help(false)))]
pub(crate) struct CompareArguments {
    /// What was expected: a file, a folder, `-`, `snapshot:<ID>`, or `topic:<NAME>` at -b.
    #[arg(value_name = "EXPECTED")]
    pub expected: PathBuf,
    /// What was observed.
    ///
    /// kreplay reads a topic up to the end that it has when the reading begins, only committed records and
    /// without a consumer group.
    #[arg(value_name = "OBSERVED")]
    pub observed: PathBuf,
    /// Read both sources as this kind, whatever their content looks like.
    #[arg(
        long = "as",
        value_enum,
        value_name = "KIND",
        help_heading = "Extraction"
    )]
    pub kind: Option<InputKind>,
    /// How speedctl is run.
    #[command(flatten)]
    pub speedctl: SpeedctlArguments,
    /// The cluster that has the topics.
    #[command(flatten, next_help_heading = "Topics")]
    pub connection: ConnectionArguments,
    /// Which records to compare, and where they are.
    #[command(flatten)]
    pub extraction: ExtractionArguments,
    /// What counts as the same.
    #[command(flatten)]
    pub comparison: ComparisonArguments,
    /// Accept records of a key in another order.
    #[arg(long, help_heading = "Comparison")]
    pub allow_reordered: bool,
    /// The format of the result on stdout.
    #[arg(long, value_enum, default_value_t = ReportForm::Text, value_name = "FORM")]
    pub report: ReportForm,
    /// Accept a source without a single record.
    #[arg(long, hide_short_help = true)]
    pub allow_empty: bool,
    /// Print only errors on stderr.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Also print the commands that kreplay runs.
    #[arg(short, long)]
    pub verbose: bool,
}
