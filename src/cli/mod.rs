//! What the user typed. The doc comments here and in the files below are the manual that `--help` prints;
//! `config/resolve/` decides what the flags mean together. A group of flags has a file of its own.

mod comparison;
mod delivery;
mod destination;
mod extraction;
mod output;
mod source;
mod timing;
mod values;

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
pub(crate) use clap_complete::Shell;

use crate::error::Error;
use crate::host::visible::visible;

pub(crate) use self::comparison::{ComparisonArguments, ExpectationArguments};
pub(crate) use self::delivery::{
    DeliveryArguments, GroupArguments, OnRefused, RepetitionArguments, SubstituteArguments,
};
pub(crate) use self::destination::{
    ConnectionArguments, DestinationArguments, PartitionChoice, Timestamps,
};
pub(crate) use self::extraction::{Encoding, ExtractionArguments, SelectionArguments};
pub(crate) use self::output::{OutputArguments, ReportForm, When};
pub(crate) use self::source::{InputKind, SourceArguments, SpeedctlArguments, Via};
pub(crate) use self::timing::{Speed, TimingArguments};

const SHORTLY: &str = "\
The commonest calls:
  kreplay snapshot <ID> -b localhost:9092     replay a Speedscale snapshot
  kreplay replay captures/ -b localhost:9092  replay what is in files
  kreplay snapshot <ID> --rehearse            try it without a Kafka

`kreplay --help` lists the exit codes, `kreplay <COMMAND> --help` every flag.";

const EXIT_CODES: &str = "\
Exit codes:
  0    everything found was delivered, or left out on purpose and counted
  1    the replay ran; some records failed, are unreadable, out of order or
       lost a part, none was found (unless --allow-empty), a group of
       --wait-group has not read them all, the output is not as expected,
       --fail-on-redacted met a redacted text, or a report was not written
  2    usage or configuration
  3    the cluster: unreachable, not authorised, a topic or partition missing,
       the captured cluster, or silent for too long
  4    the source failed or is incomplete
  70   the ledger does not balance: a defect of kreplay
  130  interrupted by SIGINT (143: by SIGTERM, SIGHUP or SIGQUIT); the report
       still says what was delivered";

const PLAN_EXIT_CODES: &str = "\
Exit codes:
  0    a replay would deliver everything to where it belongs
  1    it would lose or misplace something: records unreadable, refused by
       their topic, deleted by retention, out of order, or in another partition
       than the captured one; none was found (unless --allow-empty);
       --fail-on-redacted met a redacted text, or the plan was not written
  2    usage or configuration
  3    the cluster: unreachable, not authorised, a topic or partition missing,
       or the captured cluster
  4    the source failed or is incomplete
  70   the counts do not balance: a defect of kreplay
  130  interrupted (143: terminated by SIGTERM, SIGHUP or SIGQUIT); what was
       planned by then is printed";

const EXTRACT_EXIT_CODES: &str = "\
Exit codes:
  0    every record was printed, or left out on purpose and counted, or the
       reader of stdout left
  1    some records are unreadable, none was found (unless --allow-empty), or
       stdout took no more
  2    usage or configuration
  4    the source failed or is incomplete
  70   the counts do not balance: a defect of kreplay
  130  interrupted (143: terminated by SIGTERM, SIGHUP or SIGQUIT)";

const COMPARE_EXIT_CODES: &str = "\
Exit codes:
  0    both sides are the same, but for what a flag allows
  1    they differ; or some records are unreadable, a side has none (unless --allow-empty), or an
       --ignore matches nothing
  2    usage or configuration
  3    the cluster: unreachable, not authorised, or a topic missing
  4    a source failed or is incomplete
  130  interrupted (143: terminated by SIGTERM, SIGHUP or SIGQUIT)";

const INSPECT_EXIT_CODES: &str = "\
Exit codes:
  0    everything was looked at
  1    some records are unreadable, none was found (unless --allow-empty), or
       a path given matches nothing
  2    usage or configuration
  4    the source failed or is incomplete
  70   the counts do not balance: a defect of kreplay
  130  interrupted (143: terminated by SIGTERM, SIGHUP or SIGQUIT); what was
       seen by then is printed";

/// Replays captured Kafka traffic into Kafka: every record delivered, or named.
#[derive(Debug, Parser)]
#[command(version, about, after_long_help = EXIT_CODES, max_term_width = 100)]
#[command(arg_required_else_help = true, before_help = SHORTLY)]
pub(crate) struct Cli {
    /// What to replay.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// What was typed. `--version` says `versions` besides kreplay's own, `-V` that alone. Ends the program
    /// where clap does: for what cannot be understood, `--help` and `--version`.
    #[must_use]
    pub(crate) fn typed(versions: &str) -> Self {
        let version = format!("{}\n{versions}", env!("CARGO_PKG_VERSION"));
        // Once in a process, and needed to its end.
        let version: &'static str = Box::leak(version.into_boxed_str());
        let mut command = Self::command().long_version(version);
        let words: Vec<OsString> = env::args_os().collect();
        let typed = command.try_get_matches_from_mut(&words);
        let typed = typed.and_then(|matches| Self::from_arg_matches(&matches));
        typed.unwrap_or_else(|error| {
            // It repeats words, which others may have chosen: what is shown of them is harmless.
            let shown = words.iter().map(|word| word.to_string_lossy());
            let shown = shown.map(|word| visible(&word).into_owned());
            let again = command.try_get_matches_from_mut(shown);
            again.err().unwrap_or(error).exit()
        })
    }
}

/// Reads the command line. Ends the process where help or a version is asked for, or the words make no sense.
pub(crate) fn parse_or_exit(versions: &str) -> Cli {
    Cli::typed(versions)
}

/// Reads the words of a command line, of which the first is the program's name.
///
/// # Errors
/// [`Error::Config`] for words that make no sense, or that ask for help.
pub(crate) fn parse(words: impl Iterator<Item = OsString>) -> Result<Cli, Error> {
    Cli::try_parse_from(words).map_err(|error| {
        let text = error.to_string();
        Error::config(text.trim().trim_start_matches("error: "))
    })
}

/// The flags of kreplay itself, whose name is empty, and of each command that people see. For tests.
#[doc(hidden)]
pub fn flags_by_command() -> Vec<(String, Vec<String>)> {
    let spellings = |flag: &clap::Arg| {
        let short = flag.get_short().map(|short| format!("-{short}"));
        let long = flag.get_long().map(|long| format!("--{long}"));
        short.into_iter().chain(long).collect::<Vec<_>>()
    };
    let flags = |command: &clap::Command| command.get_arguments().flat_map(spellings).collect();
    let all = Cli::command();
    let seen = all
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    let seen = seen.map(|command| (command.get_name().to_owned(), flags(command)));
    std::iter::once((String::new(), flags(&all)))
        .chain(seen)
        .collect()
}

/// The completions for `shell`, as a script of its own.
pub(crate) fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kreplay", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

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

/// `kreplay snapshot`.
#[derive(Debug, Args)]
pub(crate) struct SnapshotArguments {
    /// The snapshot's id.
    pub id: String,
    /// How speedctl is run.
    #[command(flatten)]
    pub speedctl: SpeedctlArguments,
    /// Which RRPairs are replayed, and where in them records are.
    #[command(flatten)]
    pub extraction: ExtractionArguments,
    /// Where records go, and what is told of it.
    #[command(flatten)]
    pub sending: SendingArguments,
}

/// `kreplay replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// What is replayed.
    #[command(flatten)]
    pub source: SourceArguments,
    /// Which RRPairs are replayed, and where in them records are.
    #[command(flatten)]
    pub extraction: ExtractionArguments,
    /// Where records go, and what is told of it.
    #[command(flatten)]
    pub sending: SendingArguments,
    /// Send also the records of a rejects file that may be in the log already.
    ///
    /// The earlier run could not tell whether they are (outcome `unknown`). They may then be in the log
    /// twice. Without this flag they are left out.
    #[arg(long, help_heading = "Delivery", hide_short_help = true)]
    pub send_unknown: bool,
}

/// `kreplay plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// What would be replayed.
    #[command(flatten)]
    pub source: SourceArguments,
    /// Which RRPairs are replayed, and where in them records are.
    #[command(flatten)]
    pub extraction: ExtractionArguments,
    /// Where records would go.
    #[command(flatten)]
    pub destination: DestinationArguments,
    /// When they would be sent.
    #[command(flatten)]
    pub timing: TimingArguments,
    /// How often, and for how long.
    #[command(flatten)]
    pub again: RepetitionArguments,
    /// Plan also for the records of a rejects file that may be in the log already.
    #[arg(long, help_heading = "Delivery", hide_short_help = true)]
    pub send_unknown: bool,
    /// Records that come too late to be sent in the order of their partition are no failure.
    #[arg(long, help_heading = "Delivery", hide_short_help = true)]
    pub allow_reordered: bool,
    /// What would become of records that hold what was not captured.
    #[command(flatten)]
    pub substitutes: SubstituteArguments,
    /// A source without a single record is no failure.
    #[arg(long, help_heading = "Delivery", hide_short_help = true)]
    pub allow_empty: bool,
    /// The form of what is printed on stdout.
    #[arg(long, value_enum, default_value_t = ReportForm::Text, value_name = "FORM", help_heading = "Output")]
    pub report: ReportForm,
    /// Also write the plan as JSON to a file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub report_file: Option<PathBuf>,
    /// Print nothing on stderr but errors.
    #[arg(short, long, help_heading = "Output", conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print commands, skipped files, librdkafka's log.
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,
}

/// Whatever follows a former command.
#[derive(Debug, Args)]
pub(crate) struct FormerArguments {
    /// The words.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<std::ffi::OsString>,
}

/// `kreplay extract`.
#[derive(Debug, Args)]
pub(crate) struct ExtractArguments {
    /// What is read.
    #[command(flatten)]
    pub source: SourceArguments,
    /// Which RRPairs are read, and where in them records are.
    #[command(flatten)]
    pub extraction: ExtractionArguments,
    /// A source without a single record is no failure.
    #[arg(long, help_heading = "Output", hide_short_help = true)]
    pub allow_empty: bool,
    /// Print nothing on stderr but errors and problems.
    #[arg(short, long, help_heading = "Output", conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print what is run to get at the records.
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,
}

/// `kreplay inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// What is looked at.
    #[command(flatten)]
    pub source: SourceArguments,
    /// List every path that occurs, instead of the records.
    ///
    /// Each path is shown with how often it occurs, its types and a sample; of all RRPairs unless
    /// --filter chooses. A path can be copied into any flag that takes one.
    #[arg(long, help_heading = "Output", conflicts_with_all = [
        "profile", "record", "value", "key", "headers", "timestamp", "topic_path",
        "partition_path", "offset_path", "value_encoding", "key_encoding", "header_encoding",
        "keep_duplicates", "with_aborted", "topic_id", "via", "topics", "from", "to", "sample", "skip",
        "limit", "shard",
    ])]
    pub paths: bool,
    /// The form of what is printed on stdout.
    #[arg(long, value_enum, default_value_t = ReportForm::Text, value_name = "FORM", help_heading = "Output")]
    pub report: ReportForm,
    /// Which RRPairs are looked at, and where in them records are.
    #[command(flatten)]
    pub extraction: ExtractionArguments,
    /// A source without a single record is no failure.
    #[arg(long, help_heading = "Output", hide_short_help = true)]
    pub allow_empty: bool,
    /// Print nothing on stderr but errors.
    #[arg(short, long, help_heading = "Output", conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print the commands that are run, and skipped files.
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,
}

/// `kreplay compare`.
#[derive(Debug, Args)]
#[command(mut_arg("ignore", |arg| arg.hide_short_help(false)))]
#[command(mut_arg("allow_new", |arg| arg.hide_short_help(false)))]
#[command(mut_arg("allow_repeated", |arg| arg.hide_short_help(false)))]
#[command(mut_arg("expect_diff", |arg| arg.hide_short_help(false)))]
pub(crate) struct CompareArguments {
    /// What was expected: a file, a folder, `-`, `snapshot:<ID>`, or `topic:<NAME>` at -b.
    #[arg(value_name = "EXPECTED")]
    pub expected: PathBuf,
    /// What was observed.
    ///
    /// A topic is read to the end that it has when the reading begins, as committed records and without a
    /// consumer group.
    #[arg(value_name = "OBSERVED")]
    pub observed: PathBuf,
    /// Read both sources as this kind, whatever their content looks like.
    #[arg(
        long = "as",
        value_enum,
        value_name = "KIND",
        help_heading = "Extraction"
    )]
    pub kind: Option<InputKind>,
    /// How speedctl is run.
    #[command(flatten)]
    pub speedctl: SpeedctlArguments,
    /// The cluster that has the topics.
    #[command(flatten, next_help_heading = "Topics")]
    pub connection: ConnectionArguments,
    /// Which records are compared, and where they are.
    #[command(flatten)]
    pub extraction: ExtractionArguments,
    /// What counts as the same.
    #[command(flatten)]
    pub comparison: ComparisonArguments,
    /// Records of a key that come in another order do not differ.
    #[arg(long, help_heading = "Comparison")]
    pub allow_reordered: bool,
    /// The form of the result on stdout.
    #[arg(long, value_enum, default_value_t = ReportForm::Text, value_name = "FORM")]
    pub report: ReportForm,
    /// A source without a single record is no failure.
    #[arg(long, hide_short_help = true)]
    pub allow_empty: bool,
    /// Print nothing on stderr but errors.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print what is run to get at the records.
    #[arg(short, long)]
    pub verbose: bool,
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

/// What all commands that send records take.
#[derive(Debug, Args)]
pub(crate) struct SendingArguments {
    /// Where records go.
    #[command(flatten)]
    pub destination: DestinationArguments,
    /// When they are sent.
    #[command(flatten)]
    pub timing: TimingArguments,
    /// What is kept for when not everything is delivered.
    #[command(flatten)]
    pub delivery: DeliveryArguments,
    /// What the service behind the destination is expected to write.
    #[command(flatten)]
    pub expectation: ExpectationArguments,
    /// How often, and for how long.
    #[command(flatten)]
    pub again: RepetitionArguments,
    /// What is awaited afterwards.
    #[command(flatten)]
    pub groups: GroupArguments,
    /// What is printed.
    #[command(flatten)]
    pub output: OutputArguments,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_flag_that_names_no_topic_is_a_usage_error() {
        let longer = "a".repeat(250);
        for (flag, text) in [
            ("-t", longer.clone()),
            ("-t", "a b".into()),
            ("--map", "orders=..".into()),
            ("--map", format!("*={{topic}}{longer}")),
        ] {
            let words = ["kreplay", "replay", "x", flag, &text];
            assert!(Cli::try_parse_from(words).is_err(), "{flag} {text}");
        }
        let words = ["kreplay", "replay", "x", "--map", "*={topic}-copy"];
        assert!(Cli::try_parse_from(words).is_ok());
    }
}
