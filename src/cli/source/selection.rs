//! Which part of a capture is used.

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::record::select::{Clock, Moment, Sample};

/// Which part of the capture is used, counted in the order of the source: the flags choose one after another as
/// they are listed here, and what they leave out is `unselected` in the report.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct SelectionArguments {
    /// Only captured topics that one of these globs matches; `!GLOB` excludes.
    ///
    /// `*` is any characters, `?` one. Where all globs exclude, the other topics are taken.
    #[arg(long, value_name = "GLOB,...", value_delimiter = ',')]
    pub topics: Vec<String>,
    /// Only records from this time on: RFC 3339, or `+5m` after the first record of the capture.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<Moment>,
    /// Only records before this time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<Moment>,
    /// Which time of a record --from, --to and --speed go by: `capture`, the default, is when the application
    /// was given it (RRPair `ts` plus `duration`); `record` is its own timestamp.
    #[arg(long, value_enum, value_name = "WHICH", hide_short_help = true)]
    pub clock: Option<Clock>,
    /// One key in N, chosen by a hash, with all of its records; of records without a key each Nth.
    #[arg(long, value_name = "1/N", hide_short_help = true)]
    pub sample: Option<Sample>,
    /// Leave out the first N records.
    #[arg(
        long,
        default_value_t = 0,
        hide_default_value = true,
        allow_negative_numbers = true,
        value_name = "N",
        hide_short_help = true
    )]
    pub skip: u64,
    /// Stop reading after N records, behind those of --skip.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..), value_name = "N", allow_negative_numbers = true)]
    pub limit: Option<u64>,
    /// The share of the Ith of N machines, which together use each record once; a captured partition
    /// belongs to one of them. With --speed and one --start-at all of them keep one time. `auto` reads
    /// JOB_COMPLETION_INDEX and KREPLAY_SHARDS, as in an Indexed Job of Kubernetes.
    #[arg(long, value_name = "I/N|auto", hide_short_help = true)]
    pub shard: Option<String>,
}

impl ValueEnum for Clock {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Capture, Self::Record]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}
