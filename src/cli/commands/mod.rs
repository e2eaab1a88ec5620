//! The commands. A command with flags of its own has a file with them and its exit codes; the groups of flags that
//! several commands take are in the files beside this folder.

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
    /// One step: speedctl extracts a snapshot, kreplay sends its records.
    #[command(after_long_help = EXIT_CODES)]
    Snapshot(SnapshotArguments),
    /// Replay files: RRPairs, a CSV of speedctl, or record lines.
    #[command(after_long_help = EXIT_CODES)]
    Replay(ReplayArguments),
    /// Say what a replay would do: checks, a forecast and a verdict. Nothing is sent.
    ///
    /// Records are read, put in order, selected, scheduled and routed as `kreplay replay` does it with the
    /// same flags, in no time: the schedule is not waited for. With brokers kreplay looks at the cluster:
    /// topics, partitions, settings, rights as far as they can be seen, and whether it is the captured one;
    /// it writes nothing and creates no topic. Without brokers, or with --rehearse, it says what it assumes.
    /// The hottest key is counted exactly while there are up to 65,536 keys, beyond that to within one in
    /// 32,768 records.
    #[command(after_long_help = PLAN_EXIT_CODES)]
    Plan(PlanArguments),
    /// Print the records of a source as record lines; nothing is sent.
    ///
    /// A line is {"topic":"orders","partition":0,"offset":12,"timestamp":1764787375659,"key":"k1",
    /// "value":"..","headers":[["trace","abc"],["empty",null]]}. The timestamp is in milliseconds.
    /// Bytes that are not UTF-8 stand in `key_base64` and `value_base64`, in headers as
    /// {"base64":".."}; what the capture does not contain is left out; a topic known only by its id is
    /// a `topic_id`. `kreplay replay` reads the lines back and no byte changes on the way.
    #[command(after_long_help = EXTRACT_EXIT_CODES)]
    Extract(ExtractArguments),
    /// Describe what is in a source, or list its paths; nothing is sent.
    ///
    /// One screen: what was read, what a replay would send, what a CSV would lose of it, and for each
    /// topic its partitions, records, keys and sizes. Different keys are counted exactly up to 1,024,
    /// beyond that to about 2 %; percentiles of sizes are exact up to 4,096 different sizes in a topic,
    /// beyond that at most 0.1 % too high. `--report json` contains all of it, also partition by
    /// partition. With --paths: every path that occurs in the RRPairs.
    #[command(after_long_help = INSPECT_EXIT_CODES)]
    Inspect(InspectArguments),
    /// Say whether two sources hold the same records, and where they differ. Nothing is sent.
    ///
    /// Records of one topic and key are compared in their order; records without a key have none.
    /// Values that are JSON are compared as JSON: the order of members does not count. Each record is
    /// equal, changed, missing, extra, repeated (equal to one that was matched already) or reordered.
    /// Memory: about 100 bytes for each record, 400 where each has a key of its own, and 64 MiB of
    /// contents.
    #[command(after_long_help = COMPARE_EXIT_CODES)]
    Compare(CompareArguments),
    /// Print a built-in profile as TOML, to begin one of your own with.
    Profile(ProfileArguments),
    /// Print completions of commands and flags for a shell.
    Completions(CompletionsArguments),
    /// The commands that `replay` takes the place of.
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

/// Whatever follows a former command.
#[derive(Debug, Args)]
pub(crate) struct FormerArguments {
    /// The words.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<OsString>,
}
