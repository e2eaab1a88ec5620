//! The commands. Each command with flags of its own has a file here with them and its exit codes; the groups of
//! flags that several commands share are in the files beside this folder.

mod compare;
mod extract;
mod inspect;
mod plan;
mod replay;

use std::ffi::OsString;

use clap::{Args, Subcommand};
use clap_complete::Shell;

use self::compare::COMPARE_EXIT_CODES;
pub(crate) use self::compare::CompareArguments;
use self::extract::EXTRACT_EXIT_CODES;
pub(crate) use self::extract::ExtractArguments;
use self::inspect::INSPECT_EXIT_CODES;
pub(crate) use self::inspect::InspectArguments;
use self::plan::PLAN_EXIT_CODES;
pub(crate) use self::plan::PlanArguments;
pub(in crate::cli) use self::replay::EXIT_CODES;
pub(crate) use self::replay::{ReplayArguments, SendingArguments, SnapshotArguments};

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Extract a snapshot with speedctl and replay its records.
    #[command(after_long_help = EXIT_CODES)]
    Snapshot(SnapshotArguments),
    /// Replay files: RRPairs, a CSV of speedctl, or record lines.
    #[command(after_long_help = EXIT_CODES)]
    Replay(ReplayArguments),
    /// Say what a replay would do: checks, a forecast and a verdict. Sends nothing.
    ///
    /// kreplay reads, orders, selects, schedules and routes records as `kreplay replay` does with the same
    /// flags, but does not wait for the schedule. With brokers, it checks the cluster: topics, partitions,
    /// settings, rights as far as the user may see them, and whether it is the captured one; it writes
    /// nothing and creates no topic. Without brokers, or with --rehearse, it says what it assumes. The count
    /// of the hottest key is exact for up to 65,536 keys, and within one in 32,768 records beyond that.
    #[command(after_long_help = PLAN_EXIT_CODES)]
    Plan(PlanArguments),
    /// Print the records of a source as record lines. Sends nothing.
    ///
    /// A line is {"topic":"orders","partition":0,"offset":12,"timestamp":1764787375659,"key":"k1",
    /// "value":"..","headers":[["trace","abc"],["empty",null]]}. The timestamp is in milliseconds.
    /// Bytes that are not UTF-8 are in `key_base64` and `value_base64`, and in headers in
    /// {"base64":".."}. kreplay leaves out what the capture does not contain; a topic known only by its id
    /// is a `topic_id`. `kreplay replay` reads the lines back, and no byte changes.
    #[command(after_long_help = EXTRACT_EXIT_CODES)]
    Extract(ExtractArguments),
    /// Describe what is in a source, or list its paths. Sends nothing.
    ///
    /// One screen shows what was read, what a replay would send, what a CSV would lose of it, and the
    /// partitions, records, keys and sizes of each topic. The number of different keys is exact up to 1,024,
    /// and within about 2 % beyond that. Percentiles of sizes are exact up to 4,096 different sizes in a
    /// topic, and at most 0.1 % too high beyond that. `--report json` prints all of it, also partition by
    /// partition. With --paths, kreplay lists every path that occurs in the RRPairs.
    #[command(after_long_help = INSPECT_EXIT_CODES)]
    Inspect(InspectArguments),
    /// Say whether two sources hold the same records, and where they differ. Sends nothing.
    ///
    /// kreplay compares records of one topic and key in their order; records without a key have no order. It
    /// compares JSON values as JSON: the order of members does not count. Each record is equal, changed,
    /// missing, extra, repeated (equal to one that was already matched) or reordered. A comparison takes
    /// about 100 bytes of memory for each record, or 400 if each has a key of its own, and 64 MiB of
    /// contents.
    #[command(after_long_help = COMPARE_EXIT_CODES)]
    Compare(CompareArguments),
    /// Print a built-in profile as TOML, as a start for your own.
    Profile(ProfileArguments),
    /// Print completions for a shell.
    Completions(CompletionsArguments),
    /// The commands that `replay` has replaced.
    #[command(name = "raw", aliases = ["csv", "records"], hide = true, disable_help_flag = true)]
    Former(FormerArguments),
}

/// `kreplay profile`.
#[derive(Debug, Args)]
pub(crate) struct ProfileArguments {
    /// The profile's name: `fetch`, `produce` or `byoc`.
    #[arg(default_value = "fetch", value_name = "NAME")]
    pub name: String,
}

/// `kreplay completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell that reads them.
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// The arguments of a former command.
#[derive(Debug, Args)]
pub(crate) struct FormerArguments {
    /// The words after the command.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<OsString>,
}
