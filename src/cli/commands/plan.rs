//! `kreplay plan`: its flags and exit codes.

use std::path::PathBuf;

use clap::Args;

use crate::cli::delivery::{RepetitionArguments, SubstituteArguments};
use crate::cli::destination::DestinationArguments;
use crate::cli::output::{ReportForm, When};
use crate::cli::source::{ExtractionArguments, SourceArguments};
use crate::cli::timing::TimingArguments;

pub(super) const PLAN_EXIT_CODES: &str = "\
Exit codes:
  0    a replay would deliver everything to where it belongs
  1    it would lose or misplace records that are unreadable, refused by their
       topic, deleted by retention, out of order, or in another partition than
       the captured one; none was found (unless --allow-empty);
       --fail-on-redacted met a redacted text; or the plan was not written
  2    usage or configuration
  3    the cluster: unreachable, not authorised, a topic or partition missing,
       or the captured cluster
  4    the source failed or is incomplete
  70   the counts do not balance: a defect of kreplay
  130  interrupted (143: terminated by SIGTERM, SIGHUP or SIGQUIT); kreplay
       prints the plan up to then";

/// `kreplay plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// What to plan for.
    #[command(flatten)]
    pub source: SourceArguments,
    /// Which RRPairs to replay, and where to find records in them.
    #[command(flatten)]
    pub extraction: ExtractionArguments,
    /// Where records would go.
    #[command(flatten)]
    pub destination: DestinationArguments,
    /// When they would be sent.
    #[command(flatten)]
    pub timing: TimingArguments,
    /// How often, and for how long.
    #[command(flatten)]
    pub repetition: RepetitionArguments,
    /// Include the records of a rejects file that may be in the log already.
    #[arg(long, help_heading = "Delivery", hide_short_help = true)]
    pub send_unknown: bool,
    /// Accept records that come too late to be sent in the order of their partition.
    #[arg(long, help_heading = "Delivery", hide_short_help = true)]
    pub allow_reordered: bool,
    /// What would become of records with redacted texts or date placeholders.
    #[command(flatten)]
    pub substitutes: SubstituteArguments,
    /// Accept a source without a single record.
    #[arg(long, help_heading = "Delivery", hide_short_help = true)]
    pub allow_empty: bool,
    /// The format of the plan on stdout.
    #[arg(long, value_enum, default_value_t = ReportForm::Text, value_name = "FORM", help_heading = "Output")]
    pub report: ReportForm,
    /// Also write the plan as JSON to a file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub report_file: Option<PathBuf>,
    /// Progress on stderr: a bar on a terminal, else a line every 10 s.
    #[arg(long, value_enum, default_value_t = When::Auto, value_name = "WHEN", help_heading = "Output", hide_short_help = true)]
    pub progress: When,
    /// Print only errors on stderr.
    #[arg(short, long, help_heading = "Output", conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print commands, skipped files and librdkafka's log.
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,
}
