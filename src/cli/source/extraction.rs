//! Which RRPairs are read, and where to find records in them.

use clap::{Args, ValueEnum};

use super::selection::SelectionArguments;
use crate::cli::values::naming;

/// Which RRPairs to replay, and where to find records in them. A PATH is JSONPath (begins with `$`) or
/// speedctl's dotted notation.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Extraction")]
pub(crate) struct ExtractionArguments {
    /// Use only the RRPairs that match this expression.
    ///
    /// EXPR is in Speedscale's filter language. The default is the filter of the profile, such as
    /// `(command IS "Fetch")`.
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<String>,
    /// Take the paths from a profile: `fetch` (default), `produce`, `byoc`, or a file.
    ///
    /// A file is TOML; `kreplay profile` prints one to begin with. The flags below replace single paths of
    /// the profile.
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// Path to a record. A record without a value is a tombstone.
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub record: Option<String>,
    /// Path to a record's value. Without --record, each node that it matches is a record.
    #[arg(
        long,
        visible_alias = "path",
        value_name = "PATH",
        hide_short_help = true
    )]
    pub value: Option<String>,
    /// Path to a record's key.
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub key: Option<String>,
    /// Path to a record's headers: a list of objects with `key` and `value...`, or one object.
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub headers: Option<String>,
    /// Path to a record's timestamp: milliseconds since 1970, or RFC 3339.
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub timestamp: Option<String>,
    /// Path to the topic that a record was captured from.
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub topic_path: Option<String>,
    /// Path to the partition that a record was captured from.
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub partition_path: Option<String>,
    /// Path to a record's offset in its partition.
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub offset_path: Option<String>,
    /// How a value becomes bytes.
    ///
    /// With `auto`, a string becomes its text and anything else its JSON text; members whose names end in
    /// `Bytes` or `Base64` are decoded as base64.
    #[arg(long, value_enum, value_name = "HOW", hide_short_help = true)]
    pub value_encoding: Option<Encoding>,
    /// How a key becomes bytes.
    #[arg(long, value_enum, value_name = "HOW", hide_short_help = true)]
    pub key_encoding: Option<Encoding>,
    /// How a header's value becomes bytes.
    ///
    /// In a header object, the names `valueString`, `valueBytes` and `valueBase64` determine the encoding.
    /// A `value` is base64 in the built-in profiles and `auto` elsewhere.
    #[arg(long, value_enum, value_name = "HOW", hide_short_help = true)]
    pub header_encoding: Option<Encoding>,
    /// Keep every copy of a record, not just one for each topic, partition and offset.
    #[arg(long, hide_short_help = true)]
    pub keep_duplicates: bool,
    /// Keep the records of aborted transactions.
    #[arg(long, hide_short_help = true)]
    pub with_aborted: bool,
    /// Name a topic that the capture knows only by its id (repeatable).
    ///
    /// ID is a UUID, or Kafka's base64 of one. kreplay takes NAME for the topic's captured name, for
    /// duplicates, order and --map alike. The report lists the ids that have no name.
    #[arg(long, value_name = "ID=NAME", value_parser = naming, hide_short_help = true)]
    pub topic_id: Vec<(String, String)>,
    /// Which part of the capture is replayed.
    #[command(flatten)]
    pub selection: SelectionArguments,
}

/// How the node that a path matches becomes bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    #[default]
    Auto,
    Text,
    Base64,
    Json,
}
