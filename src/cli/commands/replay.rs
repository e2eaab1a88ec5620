//! `kreplay snapshot` and `kreplay replay`, the commands that send records: their flags and exit codes.

use clap::Args;

use crate::cli::comparison::ExpectationArguments;
use crate::cli::delivery::{DeliveryArguments, GroupArguments, RepetitionArguments};
use crate::cli::destination::DestinationArguments;
use crate::cli::output::OutputArguments;
use crate::cli::source::{ExtractionArguments, SourceArguments, SpeedctlArguments};
use crate::cli::timing::TimingArguments;

pub(in crate::cli) const EXIT_CODES: &str = "\
Exit codes:
  0    everything found was delivered, or left out on purpose and counted
  1    the replay ran, but some records failed, are unreadable, are out of
       order or lost part of their content; none was found (unless
       --allow-empty); a group of --wait-group has not read them all; the
       output is not as expected; --fail-on-redacted met a redacted text; or a
       report was not written
  2    usage or configuration
  3    the cluster: unreachable, not authorised, a topic or partition missing,
       the captured cluster, or silent for too long
  4    the source failed or is incomplete
  70   the ledger does not balance: a defect of kreplay
  130  interrupted by SIGINT (143: by SIGTERM, SIGHUP or SIGQUIT); the report
       still says what was delivered";

/// `kreplay snapshot`.
#[derive(Debug, Args)]
pub(crate) struct SnapshotArguments {
    /// The snapshot's id.
    pub id: String,
    /// How speedctl is run.
    #[command(flatten)]
    pub speedctl: SpeedctlArguments,
    /// Which RRPairs to replay, and where to find records in them.
    #[command(flatten)]
    pub extraction: ExtractionArguments,
    /// Where records go, and what is reported.
    #[command(flatten)]
    pub sending: SendingArguments,
}

/// `kreplay replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// What to replay.
    #[command(flatten)]
    pub source: SourceArguments,
    /// Which RRPairs to replay, and where to find records in them.
    #[command(flatten)]
    pub extraction: ExtractionArguments,
    /// Where records go, and what is reported.
    #[command(flatten)]
    pub sending: SendingArguments,
    /// Also send the records of a rejects file that may be in the log already.
    ///
    /// The earlier run got no answer for them (outcome `unknown`), so they may then be in the log twice.
    /// Without this flag, kreplay leaves them out.
    #[arg(long, help_heading = "Delivery", hide_short_help = true)]
    pub send_unknown: bool,
}

/// The flags of every command that sends records.
#[derive(Debug, Args)]
pub(crate) struct SendingArguments {
    /// Where records go.
    #[command(flatten)]
    pub destination: DestinationArguments,
    /// When they are sent.
    #[command(flatten)]
    pub timing: TimingArguments,
    /// What to do about records that are not delivered.
    #[command(flatten)]
    pub delivery: DeliveryArguments,
    /// What kreplay expects the service behind the destination to write.
    #[command(flatten)]
    pub expectation: ExpectationArguments,
    /// How often, and for how long.
    #[command(flatten)]
    pub repetition: RepetitionArguments,
    /// What to wait for afterwards.
    #[command(flatten)]
    pub groups: GroupArguments,
    /// What to print.
    #[command(flatten)]
    pub output: OutputArguments,
}
