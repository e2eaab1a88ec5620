//! Where records go.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::{PropertyParser, pair, renaming, topic_name};
use crate::record::MOST_CREATED_PARTITIONS;

/// Where records go and how they get there.
#[derive(Debug, Args)]
#[command(next_help_heading = "Destination")]
pub(crate) struct DestinationArguments {
    /// The cluster, and how kreplay connects to it.
    #[command(flatten)]
    pub connection: ConnectionArguments,
    /// Send everything to this topic.
    ///
    /// Without this flag, each record goes to the topic that it was captured from.
    #[arg(short, long, value_name = "NAME", conflicts_with = "map", value_parser = topic_name)]
    pub topic: Option<String>,
    /// Rename a topic (repeatable); `*` renames all others.
    ///
    /// FROM is a captured name, or `*` for all others; kreplay replaces `{topic}` in TO with the captured
    /// name. A FROM that matches nothing is an error.
    #[arg(long, value_name = "FROM=TO", value_parser = renaming)]
    pub map: Vec<(String, String)>,
    /// Which partition a record goes to.
    ///
    /// `auto` keeps the captured partition if the destination has it, and otherwise places by key (murmur2,
    /// as Java clients do). `keep` fails if the destination lacks the captured partition. `key` always
    /// places by key. `any` leaves the choice to librdkafka.
    #[arg(long, value_enum, default_value_t = PartitionChoice::Auto, value_name = "HOW", hide_short_help = true)]
    pub partition: PartitionChoice,
    /// Which timestamp a record gets.
    ///
    /// `now` is the time of sending, `original` the captured timestamp. `shift` keeps the distances between
    /// the captured timestamps, divided by --speed; the first record gets the time at which the replay begins.
    #[arg(long, value_enum, default_value_t = Timestamps::Now, value_name = "WHICH")]
    pub timestamps: Timestamps,
    /// Add a header to every record (repeatable).
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, hide_short_help = true)]
    pub header: Vec<(String, String)>,
    /// Send without idempotence.
    ///
    /// -X may then set acks, retries and requests in flight to any value. A record that is reported as
    /// delivered may be in the log twice, be out of order, or be lost.
    #[arg(long, hide_short_help = true)]
    pub no_idempotence: bool,
    /// Create missing topics with the captured partitions.
    #[arg(long)]
    pub create_topics: bool,
    /// Create topics with up to N partitions.
    ///
    /// Without this flag, kreplay refuses to create a topic with more than 300 partitions, or with more than
    /// 32 if that is more than twice the number of partitions with captured records: a single wrong number
    /// in a capture would create thousands.
    #[arg(
        long,
        value_name = "N",
        requires = "create_topics",
        hide_short_help = true
    )]
    #[arg(value_parser = clap::value_parser!(i32).range(1..=i64::from(MOST_CREATED_PARTITIONS)))]
    pub create_partitions_up_to: Option<i32>,
    /// Send even if the destination is the cluster that the records were captured from.
    #[arg(long, hide_short_help = true)]
    pub yes: bool,
    /// Replay into brokers inside this process.
    ///
    /// Everything else runs as usual, and nothing leaves the machine.
    #[arg(long)]
    pub rehearse: bool,
}

/// A cluster, and how kreplay connects to it.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConnectionArguments {
    /// Bootstrap servers, separated by commas.
    ///
    /// Without this flag, kreplay takes `bootstrap.servers` from -X, -F or kcat's config file.
    #[arg(
        short,
        long,
        env = "KREPLAY_BROKERS",
        hide_env_values = true,
        value_name = "HOST:PORT"
    )]
    pub brokers: Option<String>,
    /// Set a librdkafka property (repeatable).
    ///
    /// Put passwords in a file for -F: other users can see a command line.
    #[arg(short = 'X', value_name = "KEY=VALUE", value_parser = PropertyParser)]
    pub property: Vec<(String, String)>,
    /// Read librdkafka properties from a file.
    ///
    /// The file has KEY=VALUE lines, as kcat's does. Without this flag, kreplay reads kcat's own file
    /// ($KCAT_CONFIG or ~/.config/kcat.conf) if it exists. With `none`, and in a rehearsal, it reads no
    /// file.
    #[arg(short = 'F', value_name = "FILE")]
    pub property_file: Option<PathBuf>,
    /// Authenticate with the OAUTHBEARER token that this shell command prints.
    ///
    /// The command prints the token alone, or a JSON object with an `access_token`. kreplay runs it again
    /// before the token expires. The flag implies sasl.mechanism=OAUTHBEARER and, unless -X sets it,
    /// security.protocol=SASL_SSL.
    #[arg(
        long,
        value_name = "COMMAND",
        conflicts_with = "oauth_file",
        hide_short_help = true
    )]
    pub oauth_command: Option<String>,
    /// Authenticate with the OAUTHBEARER token in a file.
    ///
    /// kreplay reads the file again before the token expires.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub oauth_file: Option<PathBuf>,
}

/// How kreplay chooses the partition of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PartitionChoice {
    Auto,
    Keep,
    Key,
    Any,
}

/// Which timestamp a record gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Timestamps {
    Now,
    Original,
    Shift,
}
