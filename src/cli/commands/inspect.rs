//! `kreplay inspect`: its flags and exit codes.

use clap::Args;

use crate::cli::output::ReportForm;
use crate::cli::source::{ExtractionArguments, SourceArguments};

pub(super) const INSPECT_EXIT_CODES: &str = "\
Exit codes:
  0    everything was looked at
  1    some records are unreadable, none was found (unless --allow-empty), or
       a path given matches nothing
  2    usage or configuration
  4    the source failed or is incomplete
  70   the counts do not balance: a defect of kreplay
  130  interrupted (143: terminated by SIGTERM, SIGHUP or SIGQUIT); what was
       seen by then is printed";

/// `kreplay inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// What is looked at.
    #[command(flatten)]
    pub source: SourceArguments,
    /// List every path that occurs, instead of the records.
    ///
    /// Each path is shown with how often it occurs, its types and a sample; of all RRPairs unless
    /// --filter chooses. A path can be copied into any flag that takes one.
    #[arg(long, help_heading = "Output", conflicts_with_all = [
        "profile", "record", "value", "key", "headers", "timestamp", "topic_path",
        "partition_path", "offset_path", "value_encoding", "key_encoding", "header_encoding",
        "keep_duplicates", "with_aborted", "topic_id", "via", "topics", "from", "to", "clock", "sample",
        "skip", "limit", "shard",
    ])]
    pub paths: bool,
    /// The form of what is printed on stdout.
    #[arg(long, value_enum, default_value_t = ReportForm::Text, value_name = "FORM", help_heading = "Output")]
    pub report: ReportForm,
    /// Which RRPairs are looked at, and where in them records are.
    #[command(flatten)]
    pub extraction: ExtractionArguments,
    /// A source without a single record is no failure.
    #[arg(long, help_heading = "Output", hide_short_help = true)]
    pub allow_empty: bool,
    /// Print nothing on stderr but errors.
    #[arg(short, long, help_heading = "Output", conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print the commands that are run, and skipped files.
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,
}
