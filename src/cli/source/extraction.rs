//! Which RRPairs are read, and where in them records are.

use clap::{Args, ValueEnum};

use super::selection::SelectionArguments;
use crate::cli::values::naming;

/// Which RRPairs are replayed, and where in them records are. A PATH is JSONPath (begins with `$`)
/// or speedctl's dotted notation.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Extraction")]
pub(crate) struct ExtractionArguments {
    /// Read the RRPairs for which this holds.
    ///
    /// EXPR is in Speedscale's filter language. Without this flag the profile's own filter chooses, such
    /// as `(command IS "Fetch")`.
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<String>,
    /// A set of paths by its name, or from a file.
    ///
    /// The names are `fetch` (default), `produce` and `byoc`. A file is TOML; `kreplay profile` prints one
    /// to begin with. The paths of the flags below
    /// replace those of the profile.
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// The node of one record. One that exists without a value is a tombstone.
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub record: Option<String>,
    /// A record's value. Without --record each node that it matches is a record.
    #[arg(
        long,
        visible_alias = "path",
        value_name = "PATH",
        hide_short_help = true
    )]
    pub value: Option<String>,
    /// A record's key.
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub key: Option<String>,
    /// A record's headers: a list of objects with `key` and `value...`, or one object.
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub headers: Option<String>,
    /// A record's time: milliseconds since 1970, or RFC 3339.
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub timestamp: Option<String>,
    /// The topic that a record was captured from.
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub topic_path: Option<String>,
    /// The partition that a record was captured from.
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub partition_path: Option<String>,
    /// A record's offset in its partition.
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub offset_path: Option<String>,
    /// How a value becomes bytes.
    ///
    /// `auto`: a string is its text, anything else its JSON text; base64 below names that end in `Bytes`
    /// or `Base64`.
    #[arg(long, value_enum, value_name = "HOW", hide_short_help = true)]
    pub value_encoding: Option<Encoding>,
    /// How a key becomes bytes.
    #[arg(long, value_enum, value_name = "HOW", hide_short_help = true)]
    pub key_encoding: Option<Encoding>,
    /// How a header's value becomes bytes.
    ///
    /// `valueString`, `valueBytes` and `valueBase64` of a header object say it by their names. A `value`
    /// is base64 in the built-in profiles, `auto` elsewhere.
    #[arg(long, value_enum, value_name = "HOW", hide_short_help = true)]
    pub header_encoding: Option<Encoding>,
    /// Replay a record as often as it was captured; else once per topic, partition and offset.
    #[arg(long, hide_short_help = true)]
    pub keep_duplicates: bool,
    /// Replay records of aborted transactions too.
    #[arg(long, hide_short_help = true)]
    pub with_aborted: bool,
    /// The name of a topic that the capture knows only by its id, repeatable.
    ///
    /// ID is a UUID, or Kafka's base64 of one. NAME is the topic's captured name from then on:
    /// duplicates, order and --map see it. The report lists the ids that nothing names.
    #[arg(long, value_name = "ID=NAME", value_parser = naming, hide_short_help = true)]
    pub topic_id: Vec<(String, String)>,
    /// Which part of the capture is used.
    #[command(flatten)]
    pub selection: SelectionArguments,
}

/// How what a path leads to becomes bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    #[default]
    Auto,
    Text,
    Base64,
    Json,
}
