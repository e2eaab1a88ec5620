//! What the user typed. The doc comments here and in the files below are the manual that `--help` prints;
//! `config/resolve/` decides what the flags mean together. Each command is described in `commands/`, each group of
//! flags in a file of its own.

mod commands;
mod comparison;
mod delivery;
mod destination;
mod output;
mod source;
mod timing;
mod values;

use std::env;
use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser};
pub(crate) use clap_complete::Shell;

use crate::error::Error;
use crate::host::visible::visible;

use self::commands::EXIT_CODES;
pub(crate) use self::commands::{
    Command, CompareArguments, ExtractArguments, InspectArguments, PlanArguments, SendingArguments,
};
pub(crate) use self::comparison::{ComparisonArguments, ExpectationArguments};
pub(crate) use self::delivery::{
    DeliveryArguments, GroupArguments, OnRefused, RepetitionArguments, SubstituteArguments,
};
pub(crate) use self::destination::{
    ConnectionArguments, DestinationArguments, PartitionChoice, Timestamps,
};
pub(crate) use self::output::{OutputArguments, ReportForm, When};
pub(crate) use self::source::{
    Encoding, ExtractionArguments, InputKind, SelectionArguments, SourceArguments,
    SpeedctlArguments, Via,
};
pub(crate) use self::timing::{Speed, TimingArguments};

const SHORTLY: &str = "\
The most common calls:
  kreplay snapshot <ID> -b localhost:9092     replay a Speedscale snapshot
  kreplay replay captures/ -b localhost:9092  replay the captures in a folder
  kreplay snapshot <ID> --rehearse            try it without Kafka

`kreplay --help` lists the exit codes, and `kreplay <COMMAND> --help` lists every flag.";

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
    /// Parses the command line. `--version` prints `versions` besides kreplay's own version, `-V` only the latter.
    /// Ends the process where clap does: for `--help`, `--version` and a wrong command line.
    #[must_use]
    pub(crate) fn typed(versions: &str) -> Self {
        let version = format!("{}\n{versions}", env!("CARGO_PKG_VERSION"));
        // This happens once per process, and clap needs the text until the process ends.
        let version: &'static str = Box::leak(version.into_boxed_str());
        let mut command = Self::command().long_version(version);
        let words: Vec<OsString> = env::args_os().collect();
        let typed = command.try_get_matches_from_mut(&words);
        let typed = typed.and_then(|matches| Self::from_arg_matches(&matches));
        typed.unwrap_or_else(|error| {
            // The error repeats words that somebody else may have chosen, so it shows them escaped.
            let shown = words.iter().map(|word| word.to_string_lossy());
            let shown = shown.map(|word| visible(&word).into_owned());
            let again = command.try_get_matches_from_mut(shown);
            again.err().unwrap_or(error).exit()
        })
    }
}

/// Reads the command line. Ends the process after it has printed help or a version, or if the words make no sense.
pub(crate) fn parse_or_exit(versions: &str) -> Cli {
    Cli::typed(versions)
}

/// Reads the words of a command line; the first is the program's name.
///
/// # Errors
/// Returns [`Error::Config`] if the words make no sense or ask for help.
pub(crate) fn parse(words: impl Iterator<Item = OsString>) -> Result<Cli, Error> {
    Cli::try_parse_from(words).map_err(|error| {
        let text = error.to_string();
        Error::config(text.trim().trim_start_matches("error: "))
    })
}

/// The flags of kreplay itself, under an empty name, and of each visible command. For tests.
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

/// The completions for `shell`, as a script.
pub(crate) fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kreplay", &mut script);
    String::from_utf8_lossy(&script).into_owned()
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
