//! The flags for records that are not delivered, for repetition, and for what kreplay waits for afterwards.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, PossibleValue};
use clap::{Args, ValueEnum};

use super::values::{duration, duration_or_zero};
use crate::record::substitutes::DateForm;

/// What kreplay does about records that are not delivered.
#[derive(Debug, Args)]
#[command(next_help_heading = "Delivery")]
pub(crate) struct DeliveryArguments {
    /// Write undelivered records to a file.
    ///
    /// The file gets record lines with `outcome` and `reason`; `kreplay replay FILE` sends them again. It
    /// must be empty or not exist, unless a run with --resume continues it and tries all of its records
    /// again.
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Keep a journal, and continue where it ends.
    ///
    /// The same command continues after an interruption, a crash or a kill. It may send the records that
    /// were in flight twice; kreplay prints how many at the start.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rehearse", "passes"])]
    pub resume: Option<PathBuf>,
    /// What to do with a batch that the broker refuses because of one record.
    ///
    /// `isolate` sends the batch again in halves until the refused record is alone, so that only this record
    /// is missing. The report names records that end up behind later ones. `leave` puts the whole batch
    /// into the rejects.
    #[arg(long, value_enum, default_value_t = OnRefused::Isolate, value_name = "HOW", hide_short_help = true)]
    pub on_refused: OnRefused,
    /// Stop after no record has been acknowledged for this long while some were in flight.
    ///
    /// The report names the rest. Time in which the kreplay process is stopped does not count.
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration, allow_hyphen_values = true, hide_short_help = true)]
    pub give_up_after: Duration,
    /// Accept records that come too late to be sent in the order of their partition.
    ///
    /// The report counts and names them; they do not change the exit code.
    #[arg(long, hide_short_help = true)]
    pub allow_reordered: bool,
    /// What becomes of records with redacted texts or date placeholders.
    #[command(flatten)]
    pub substitutes: SubstituteArguments,
    /// Accept a source without a single record.
    #[arg(long, hide_short_help = true)]
    pub allow_empty: bool,
}

/// What kreplay does about records whose texts differ from what the application received.
#[derive(Debug, Args)]
#[command(next_help_heading = "Delivery")]
pub(crate) struct SubstituteArguments {
    /// End the run at a record with a text that data-loss prevention has replaced.
    ///
    /// Such a text begins with `REDACTED-`: a key, a value, the value of a header, or a string in their JSON.
    /// kreplay never sends the record itself, and sends nothing if it finds the record before the first one
    /// goes out. The exit code is 1. Without this flag, kreplay sends, counts and names such records.
    #[arg(long, hide_short_help = true)]
    pub fail_on_redacted: bool,
    /// Replace `{speedscale_date(...)}` with a date, counted from the time at which the replay begins.
    ///
    /// Speedscale's `date` transform records how long before the recording a date was. kreplay replaces such
    /// placeholders in keys, values and headers with a date that is as long before the replay. It is written
    /// in this FORM, because the capture does not keep the original one. Without this flag, kreplay refuses a
    /// run with such records before it sends the first of them.
    #[arg(
        long,
        value_enum,
        value_name = "FORM",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "rfc3339",
        hide_short_help = true
    )]
    pub resolve_dates: Option<DateForm>,
}

/// What to do with the batch of a record that a broker refuses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnRefused {
    #[default]
    Isolate,
    Leave,
}

/// What kreplay waits for in the services that read the topics.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "After the replay")]
pub(crate) struct GroupArguments {
    /// Wait until this consumer group has committed past every record of the run (repeatable).
    ///
    /// kreplay watches the group from the first record on, without joining it. The report says how long the
    /// group took, how far it lagged, how fast it read, and at which partitions it is stuck. The exit code
    /// is 1 if the group is not drained in the end.
    #[arg(
        long = "wait-group",
        value_name = "GROUP",
        value_parser = NonEmptyStringValueParser::new(),
        conflicts_with = "rehearse",
        hide_short_help = true
    )]
    pub names: Vec<String>,
    /// Wait for the groups at most this long after the last delivery; with `0s`, look once and do not wait.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "5m",
        value_parser = duration_or_zero,
        allow_hyphen_values = true,
        requires = "names",
        conflicts_with = "rehearse",
        hide_short_help = true
    )]
    pub drain_timeout: Duration,
    /// Hold the group's lag near N records by pacing, to measure what the service can do.
    ///
    /// Choose N above what the service reads between two commits. The report has the rate that the group
    /// committed while its lag was steady, and says whether the service was the limit. `--loop` provides
    /// enough input. With `--for`, the last third of the time confirms the rate: kreplay sends at 0.95 of
    /// it, and the lag must not grow. With several groups, the one that lags most counts.
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..),
        requires = "names",
        conflicts_with = "rehearse",
        hide_short_help = true
    )]
    pub max_lag: Option<u64>,
}

impl ValueEnum for DateForm {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Rfc3339, Self::Date, Self::Epoch, Self::EpochMs]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Rfc3339 => "rfc3339",
            Self::Date => "date",
            Self::Epoch => "epoch",
            Self::EpochMs => "epoch-ms",
        }))
    }
}

/// How often kreplay reads the source, and for how long it sends.
#[derive(Debug, Args)]
#[command(next_help_heading = "Timing")]
pub(crate) struct RepetitionArguments {
    /// Replay the source N times in all, or without N until the run is stopped. kreplay reads the source
    /// again for each pass, keeps the connection, and looks for duplicates within a pass.
    #[arg(
        long = "loop",
        value_name = "N",
        num_args = 0..=1,
        value_parser = passes,
        hide_short_help = true
    )]
    pub passes: Option<Option<NonZeroU64>>,
    /// Stop sending this long after the first record, and wait for what is in flight. kreplay does not count
    /// records that it has read and not sent by then; the exit code can be 0 even if the source has more.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, hide_short_help = true)]
    pub sends_for: Option<Duration>,
}

/// Reads a number of passes.
fn passes(text: &str) -> Result<NonZeroU64, String> {
    text.parse().map_err(|_| {
        "expected a number of passes above 0; without one, another flag follows `--loop`".into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_passes_are_refused() {
        assert_eq!(passes("3").map(NonZeroU64::get), Ok(3));
        for wrong in ["0", "-1", "1.5", "x.jsonl", ""] {
            assert!(passes(wrong).is_err(), "{wrong}");
        }
    }
}
