//! The flags that select a part of a capture.

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::record::select::{Clock, Moment, Sample};

/// Which part of the capture is replayed, counted in the order of the source. The flags apply one after
/// another, in the order of this list; the report counts what they leave out as `unselected`.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct SelectionArguments {
    /// Select captured topics by globs; `!GLOB` excludes.
    ///
    /// `*` matches any characters, `?` matches one. If every glob excludes, all other topics are selected.
    #[arg(long, value_name = "GLOB,...", value_delimiter = ',')]
    pub topics: Vec<String>,
    /// Select records from this time on: RFC 3339, or `+5m` after the first record of the capture.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<Moment>,
    /// Select records before this time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<Moment>,
    /// The time that --from, --to and --speed go by: `capture`, the default, is when the application
    /// received a record (RRPair `ts` plus `duration`); `record` is the record's own timestamp.
    #[arg(long, value_enum, value_name = "WHICH", hide_short_help = true)]
    pub clock: Option<Clock>,
    /// Select one key in N by its hash, with all its records, and every Nth record without a key.
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
    /// Stop reading after N records, not counting --skip.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..), value_name = "N", allow_negative_numbers = true)]
    pub limit: Option<u64>,
    /// Select the share of the Ith of N machines. Together they replay each record once; a captured
    /// partition belongs to one of them. With --speed and the same --start-at they share one schedule.
    /// `auto` reads JOB_COMPLETION_INDEX and KREPLAY_SHARDS, as in an Indexed Job of Kubernetes.
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
