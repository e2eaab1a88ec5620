//! Where records go.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::{PropertyParser, pair, renaming, topic_name};

/// Where records go and how they get there.
#[derive(Debug, Args)]
#[command(next_help_heading = "Destination")]
pub(crate) struct DestinationArguments {
    /// The cluster, and how it is spoken to.
    #[command(flatten)]
    pub connection: ConnectionArguments,
    /// Send everything to this topic.
    ///
    /// Without this flag a record goes to the topic that it was captured from.
    #[arg(short, long, value_name = "NAME", conflicts_with = "map", value_parser = topic_name)]
    pub topic: Option<String>,
    /// Rename a topic, repeatable; `*` is any other one.
    ///
    /// FROM is a captured name, or `*` for all others; `{topic}` in TO stands for the captured name. A
    /// FROM that matches nothing is an error.
    #[arg(long, value_name = "FROM=TO", value_parser = renaming)]
    pub map: Vec<(String, String)>,
    /// Which partition a record goes to.
    ///
    /// `auto`: the captured one where the destination has it, else by key (murmur2, as Java clients do);
    /// `keep`: the captured one, or an error; `key`: by key; `any`: the client's own choice.
    #[arg(long, value_enum, default_value_t = PartitionChoice::Auto, value_name = "HOW", hide_short_help = true)]
    pub partition: PartitionChoice,
    /// The time that records get.
    ///
    /// `now` is the time of sending, `original` the captured one; with `shift` the distances of the captured
    /// ones are kept, divided by --speed, and the first record gets the time at which the replay begins.
    #[arg(long, value_enum, default_value_t = Timestamps::Now, value_name = "WHICH")]
    pub timestamps: Timestamps,
    /// Add a header to every record, repeatable.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, hide_short_help = true)]
    pub header: Vec<(String, String)>,
    /// Send without idempotence.
    ///
    /// -X may then set acks, retries and requests in flight to anything. A record that is called
    /// delivered may be in the log twice, out of order, or be lost.
    #[arg(long, hide_short_help = true)]
    pub no_idempotence: bool,
    /// Create missing topics with the captured partitions.
    #[arg(long)]
    pub create_topics: bool,
    /// The most partitions that a created topic gets.
    ///
    /// Without it, more than 300 partitions, or more than 32 and than twice as many as hold captured
    /// records, are refused: one wrong number in a capture would make thousands.
    #[arg(
        long,
        value_name = "N",
        requires = "create_topics",
        hide_short_help = true
    )]
    #[arg(value_parser = clap::value_parser!(i32).range(1..=100_000))]
    pub create_partitions_up_to: Option<i32>,
    /// Send although the destination is the cluster that the records were captured from.
    #[arg(long, hide_short_help = true)]
    pub yes: bool,
    /// Replay into a broker inside this process.
    ///
    /// Everything runs, and nothing leaves the machine.
    #[arg(long)]
    pub rehearse: bool,
}

/// A cluster, and how it is spoken to.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConnectionArguments {
    /// Bootstrap servers, separated by commas.
    ///
    /// Without this flag they are `bootstrap.servers` of -X, -F or kcat's config file.
    #[arg(
        short,
        long,
        env = "KREPLAY_BROKERS",
        hide_env_values = true,
        value_name = "HOST:PORT"
    )]
    pub brokers: Option<String>,
    /// Set a librdkafka property, repeatable.
    ///
    /// A password is better in a file for -F: others can see a command line.
    #[arg(short = 'X', value_name = "KEY=VALUE", value_parser = PropertyParser)]
    pub property: Vec<(String, String)>,
    /// Read librdkafka properties from a file.
    ///
    /// It has KEY=VALUE lines, as kcat's files do. Without this flag kreplay reads kcat's own file
    /// ($KCAT_CONFIG or ~/.config/kcat.conf) where there is one. `none` reads no file. A rehearsal
    /// never reads one.
    #[arg(short = 'F', value_name = "FILE")]
    pub property_file: Option<PathBuf>,
    /// Authenticate by OAUTHBEARER with the token that this shell command prints.
    ///
    /// It prints the token as it is, or as the `access_token` of a JSON object. kreplay runs it again
    /// before the token expires. The flag implies sasl.mechanism=OAUTHBEARER and, unless it is set,
    /// security.protocol=SASL_SSL.
    #[arg(
        long,
        value_name = "COMMAND",
        conflicts_with = "oauth_file",
        hide_short_help = true
    )]
    pub oauth_command: Option<String>,
    /// Authenticate by OAUTHBEARER with the token in a file.
    ///
    /// kreplay reads the file again before the token expires.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub oauth_file: Option<PathBuf>,
}

/// How a record comes to its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PartitionChoice {
    Auto,
    Keep,
    Key,
    Any,
}

/// The time that records get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Timestamps {
    Now,
    Original,
    Shift,
}
