//! Where records come from: files, folders, stdin, or a snapshot that speedctl fetches; and which of them to take.

mod extraction;
mod selection;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

pub(crate) use self::extraction::{Encoding, ExtractionArguments};
pub(crate) use self::selection::SelectionArguments;
use super::values::duration;

/// What kreplay reads.
#[derive(Debug, Args)]
pub(crate) struct SourceArguments {
    /// Files, folders, `-` for stdin, or `snapshot:<ID>`, in this order.
    ///
    /// The content decides what a source is, never its name: RRPairs, a CSV of `speedctl extract data`,
    /// or record lines (what `kreplay extract` and `kcat -J` print, or a rejects file). All sources of
    /// a run must be of one kind.
    ///
    /// RRPairs may be JSON lines (raw.jsonl), JSON (one RRPair, several, or an array of them), the Markdown that
    /// proxymock writes, or an export of BYOC (OTLP JSON), in UTF-8 or UTF-16, and compressed with gzip or zstd.
    /// kreplay reads the RRPairs of a folder in the order of the times in the file names, or else of the first
    /// `ts` in each file. It skips and counts files without RRPairs; -v lists them. With your own paths and an
    /// empty --filter, kreplay accepts any JSON.
    ///
    /// Each CSV has a header row; kreplay finds columns by their headers, in any order.
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
    /// How to run speedctl.
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

/// How to read a snapshot, and how to run speedctl for it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Snapshots")]
pub(crate) struct SpeedctlArguments {
    /// How to read a snapshot. The default is `auto` for a replay and `raw` otherwise.
    ///
    /// `csv` runs `speedctl extract data`. `raw` runs `speedctl pull snapshot` and reads its RRPairs.
    /// `auto` begins with csv, and changes to raw if the CSV would lose something and nothing has been
    /// sent yet.
    #[arg(long, value_enum, value_name = "WAY", hide_short_help = true)]
    pub via: Option<Via>,
    /// The speedctl to run. The default is the one on PATH.
    #[arg(
        long,
        env = "KREPLAY_SPEEDCTL",
        value_name = "PATH",
        hide_short_help = true
    )]
    pub speedctl: Option<PathBuf>,
    /// Pass an additional argument to speedctl (repeatable).
    #[arg(
        long,
        value_name = "ARG",
        allow_hyphen_values = true,
        hide_short_help = true
    )]
    pub speedctl_arg: Vec<String>,
    /// Stop speedctl after it has printed nothing for this long.
    ///
    /// Output of the processes that speedctl started counts as well.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration, hide_short_help = true)]
    pub speedctl_timeout: Duration,
    /// Print the speedctl command, quoted for a shell, without running it.
    #[arg(long, hide_short_help = true)]
    pub print_command: bool,
}

/// How to read a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Via {
    Auto,
    Csv,
    Raw,
}
