//! What is done about records that are not delivered, and how often and for how long records are sent.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, PossibleValue};
use clap::{Args, ValueEnum};

use super::values::duration;
use crate::record::substitutes::DateForm;

/// What is kept for when not everything is delivered.
#[derive(Debug, Args)]
#[command(next_help_heading = "Delivery")]
pub(crate) struct DeliveryArguments {
    /// Keep what is found and not delivered in a file.
    ///
    /// The file gets record lines with `outcome` and `reason`: `kreplay replay FILE` sends them again.
    /// It must be empty or not exist, unless --resume says that all of it is tried again.
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Keep a journal, and go on where it ends.
    ///
    /// The same command continues after an interruption, a crash or a kill. At most the records that
    /// were in flight are sent twice; how many is printed at the start.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rehearse", "passes"])]
    pub resume: Option<PathBuf>,
    /// What becomes of a batch that the broker refuses for one record.
    ///
    /// `isolate`: it is sent again in halves until that record stands alone, so that only it is missing;
    /// what is in the log behind later records then is named. `leave`: all of it stays in the rejects.
    #[arg(long, value_enum, default_value_t = OnRefused::Isolate, value_name = "HOW", hide_short_help = true)]
    pub on_refused: OnRefused,
    /// Stop when no record was acknowledged for so long while some were in flight.
    ///
    /// The rest is named. Time in which kreplay itself is stopped does not count.
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration, allow_hyphen_values = true, hide_short_help = true)]
    pub give_up_after: Duration,
    /// Records that came too late to be sent in the order of their partition are no failure.
    ///
    /// They are counted and named, and do not change the exit code.
    #[arg(long, hide_short_help = true)]
    pub allow_reordered: bool,
    /// What becomes of records that hold what was not captured.
    #[command(flatten)]
    pub substitutes: SubstituteArguments,
    /// A source without a single record is no failure.
    #[arg(long, hide_short_help = true)]
    pub allow_empty: bool,
}

/// What is done about records that hold other texts than the application was given.
#[derive(Debug, Args)]
#[command(next_help_heading = "Delivery")]
pub(crate) struct SubstituteArguments {
    /// End the run where a record holds a text that data-loss prevention has replaced.
    ///
    /// Such texts begin with `REDACTED-`: a key, a value, the value of a header, or a string of the JSON in
    /// it. Nothing is sent where the first is found before the first record goes, and never the record
    /// itself; the exit code is 1. Without this flag they are sent, counted and named.
    #[arg(long, hide_short_help = true)]
    pub fail_on_redacted: bool,
    /// Send dates in the place of `{speedscale_date(...)}`, by the time at which the replay begins.
    ///
    /// Speedscale's `date` transform leaves how long before the recording a date was. Such texts in keys,
    /// values and headers become that long before the replay, in this FORM, because the capture does not
    /// keep their own. Without this flag a run with such records is refused before it sends the first.
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

/// What becomes of the batch of a record that a broker refuses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnRefused {
    #[default]
    Isolate,
    Leave,
}

/// What is awaited of the services that read the topics.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "After the replay")]
pub(crate) struct GroupArguments {
    /// Wait until this consumer group has committed past every record of the run; repeatable.
    ///
    /// kreplay watches the group from the first record on, without joining it. The report says how long the
    /// group took, how far it lagged, how fast it read, and which partitions it is stuck at. A group that is
    /// not drained in the end is exit code 1.
    #[arg(
        long = "wait-group",
        value_name = "GROUP",
        value_parser = NonEmptyStringValueParser::new(),
        conflicts_with = "rehearse",
        hide_short_help = true
    )]
    pub names: Vec<String>,
    /// Wait for the groups no longer than this after the last delivery.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "5m",
        value_parser = humantime::parse_duration,
        requires = "names",
        conflicts_with = "rehearse",
        hide_short_help = true
    )]
    pub drain_timeout: Duration,
    /// Hold the group's lag near N records, by pacing: the rate is then what the service can do.
    ///
    /// N should be more than the service reads between two commits. The report has the rate that the group
    /// committed while its lag was steady, and says whether the service was the limit. `--loop` gives enough
    /// input, and with `--for` the last third of the time confirms the rate: 0.95 of it is sent, and the lag is
    /// not to grow. Of several groups it is that which lags most.
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

/// How often the source is read, and for how long records are sent.
#[derive(Debug, Args)]
#[command(next_help_heading = "Timing")]
pub(crate) struct RepetitionArguments {
    /// Replay the source N times in all, without N until the run is stopped. It is read anew for each
    /// pass, over one connection; duplicates are looked for within a pass.
    #[arg(
        long = "loop",
        value_name = "N",
        num_args = 0..=1,
        value_parser = passes,
        hide_short_help = true
    )]
    pub passes: Option<Option<NonZeroU64>>,
    /// Stop sending so long after the first record, and wait for what is in flight. What was read and not
    /// sent by then is not counted, and that the source goes on is no failure.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, hide_short_help = true)]
    pub sends_for: Option<Duration>,
}

/// A number of passes.
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
