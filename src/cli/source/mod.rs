//! Where records come from: files, folders, stdin, or a snapshot that speedctl gets; and which of them are taken.

mod extraction;
mod selection;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

pub(crate) use self::extraction::{Encoding, ExtractionArguments};
pub(crate) use self::selection::SelectionArguments;
use super::values::duration;

/// What is read.
#[derive(Debug, Args)]
pub(crate) struct SourceArguments {
    /// Files, folders, `-` for stdin, or `snapshot:<ID>`, in this order.
    ///
    /// The content decides what a source is, never its name: RRPairs, a CSV of `speedctl extract data`,
    /// or record lines (what `kreplay extract` and `kcat -J` print, or a rejects file). All sources of
    /// a run are of one kind.
    ///
    /// RRPairs may be JSON lines (raw.jsonl), JSON (one RRPair, several, or an array of them), the
    /// Markdown that proxymock writes, or an export of BYOC (OTLP JSON); in UTF-8 or UTF-16, and
    /// compressed with gzip or zstd. A folder is read for RRPairs, its files in the order of the times
    /// in their names, or else of their first `ts`; files without RRPairs are skipped and counted, and
    /// -v lists them. With paths of your own and an empty --filter any JSON is input.
    ///
    /// Each CSV has a header row; columns are found by their headers, in any order.
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,
    /// Read the sources as this kind, whatever their content looks like.
    #[arg(
        long = "as",
        value_enum,
        value_name = "KIND",
        help_heading = "Extraction",
        hide_short_help = true
    )]
    pub kind: Option<InputKind>,
    /// How speedctl is run.
    #[command(flatten)]
    pub speedctl: SpeedctlArguments,
}

/// A kind of input that kreplay reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputKind {
    #[value(name = "rrpairs")]
    RrPairs,
    Csv,
    Records,
}

/// How a snapshot is read, and how speedctl is run for it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Snapshots")]
pub(crate) struct SpeedctlArguments {
    /// How to get at a snapshot's records; `auto` where they are sent, else `raw`.
    ///
    /// `csv` runs `speedctl extract data`; `raw` runs `speedctl pull snapshot` and reads its RRPairs;
    /// `auto` begins with csv and changes to raw when the CSV cannot carry what is there and nothing
    /// has been sent yet.
    #[arg(long, value_enum, value_name = "WAY", hide_short_help = true)]
    pub via: Option<Via>,
    /// Which speedctl to run; else the one on PATH.
    #[arg(
        long,
        env = "KREPLAY_SPEEDCTL",
        value_name = "PATH",
        hide_short_help = true
    )]
    pub speedctl: Option<PathBuf>,
    /// One more argument for speedctl, repeatable.
    #[arg(
        long,
        value_name = "ARG",
        allow_hyphen_values = true,
        hide_short_help = true
    )]
    pub speedctl_arg: Vec<String>,
    /// The longest silence of speedctl before it counts as hung.
    ///
    /// What speedctl has started counts as speedctl.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration, hide_short_help = true)]
    pub speedctl_timeout: Duration,
    /// Print the speedctl command that would run, quoted for a shell, and stop.
    #[arg(long, hide_short_help = true)]
    pub print_command: bool,
}

/// How a snapshot is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Via {
    Auto,
    Csv,
    Raw,
}
