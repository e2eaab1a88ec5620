//! The flags for what kreplay prints.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What kreplay prints.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArguments {
    /// The format of the report on stdout.
    #[arg(long, value_enum, default_value_t = ReportForm::Text, value_name = "FORM")]
    pub report: ReportForm,
    /// Also write the report as JSON to a file.
    #[arg(long, value_name = "FILE")]
    pub report_file: Option<PathBuf>,
    /// Show progress on stderr: a bar on a terminal, otherwise a line every 10 s.
    #[arg(long, value_enum, default_value_t = When::Auto, value_name = "WHEN", hide_short_help = true)]
    pub progress: When,
    /// Print only errors and the report.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print commands, skipped files and librdkafka's log.
    #[arg(short, long)]
    pub verbose: bool,
}

/// The format of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportForm {
    Text,
    Json,
    None,
}

/// When kreplay shows something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}
