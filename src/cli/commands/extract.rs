//! `kreplay extract`: its flags and exit codes.

use clap::Args;

use crate::cli::source::{ExtractionArguments, SourceArguments};

pub(super) const EXTRACT_EXIT_CODES: &str = "\
Exit codes:
  0    every record was printed, or left out on purpose and counted, or the
       reader of stdout closed the pipe
  1    some records are unreadable, none was found (unless --allow-empty), or
       writing to stdout failed
  2    usage or configuration
  4    the source failed or is incomplete
  70   the counts do not balance: a defect of kreplay
  130  interrupted (143: terminated by SIGTERM, SIGHUP or SIGQUIT)";

/// `kreplay extract`.
#[derive(Debug, Args)]
pub(crate) struct ExtractArguments {
    /// What to read.
    #[command(flatten)]
    pub source: SourceArguments,
    /// Which RRPairs are read, and where to find records in them.
    #[command(flatten)]
    pub extraction: ExtractionArguments,
    /// Accept a source without a single record.
    #[arg(long, help_heading = "Output", hide_short_help = true)]
    pub allow_empty: bool,
    /// Print only errors and problems on stderr.
    #[arg(short, long, help_heading = "Output", conflicts_with = "verbose")]
    pub quiet: bool,
    /// Also print the commands that kreplay runs.
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,
}
