//! `kreplay inspect`: its flags and exit codes.

use clap::Args;

use crate::cli::output::ReportForm;
use crate::cli::source::{ExtractionArguments, SourceArguments};

pub(super) const INSPECT_EXIT_CODES: &str = "\
Exit codes:
  0    everything was inspected
  1    some records are unreadable, none was found (unless --allow-empty), or
       a given path matches nothing
  2    usage or configuration
  4    the source failed or is incomplete
  70   the counts do not balance: a defect of kreplay
  130  interrupted (143: terminated by SIGTERM, SIGHUP or SIGQUIT); kreplay
       prints what it has seen by then";

/// `kreplay inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// What to inspect.
    #[command(flatten)]
    pub source: SourceArguments,
    /// List every path that occurs, instead of the records.
    ///
    /// kreplay shows how often each path occurs, its types and a sample, for all RRPairs or for those that
    /// --filter selects. You can copy a path into any flag that takes one.
    #[arg(long, help_heading = "Output", conflicts_with_all = [
        "profile", "record", "value", "key", "headers", "timestamp", "topic_path",
        "partition_path", "offset_path", "value_encoding", "key_encoding", "header_encoding",
        "keep_duplicates", "with_aborted", "topic_id", "via", "topics", "from", "to", "clock", "sample",
        "skip", "limit", "shard",
    ])]
    pub paths: bool,
    /// The format of the output on stdout.
    #[arg(long, value_enum, default_value_t = ReportForm::Text, value_name = "FORM", help_heading = "Output")]
    pub report: ReportForm,
    /// Which RRPairs to inspect, and where to find records in them.
    #[command(flatten)]
    pub extraction: ExtractionArguments,
    /// Accept a source without a single record.
    #[arg(long, help_heading = "Output", hide_short_help = true)]
    pub allow_empty: bool,
    /// Print only errors on stderr.
    #[arg(short, long, help_heading = "Output", conflicts_with = "verbose")]
    pub quiet: bool,
    /// Also print the commands that kreplay runs, and skipped files.
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,
}
