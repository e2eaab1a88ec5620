//! What `-h`, `--help` and `completions` print: one screen for every day, and everything.
//!
//! Apart because clap says what there is, so that a new flag is in these tests by itself.

mod harness;

use clap::{Arg, Command, CommandFactory};
use harness::run::{Run, kreplay};
use kreplay::cli::Cli;

/// The commands that people see, with none for kreplay itself.
fn commands() -> Vec<Option<Command>> {
    let all = Cli::command();
    let seen = all
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    let commands: Vec<_> = seen.cloned().map(Some).collect();
    assert!(commands.len() > 5, "{commands:?}");
    [vec![None], commands].concat()
}

/// What a command prints on a terminal of this width.
fn printed(command: Option<&Command>, flag: &str, columns: usize) -> String {
    let words = command.map(Command::get_name).into_iter().chain([flag]);
    let output = Run::new(words).env("COLUMNS", columns.to_string()).output();
    assert_eq!((output.code, &*output.stderr), (0, ""), "{output:?}");
    output.stdout
}

fn spellings(flag: &Arg) -> Vec<String> {
    let short = flag.get_short().map(|short| format!("-{short}"));
    let long = flag.get_long().map(|long| format!("--{long}"));
    short.into_iter().chain(long).collect()
}

/// The lines that begin with a flag, as help has them.
fn flags(help: &str) -> Vec<&str> {
    let lines = help.lines().filter(|line| line.starts_with(' '));
    lines
        .filter(|line| line.trim_start().starts_with('-'))
        .collect()
}

#[test]
fn the_short_help_fits_on_one_screen() {
    for command in commands() {
        for columns in [80, 100] {
            let help = printed(command.as_ref(), "-h", columns);
            let name = command.as_ref().map_or("", Command::get_name);
            assert!(help.lines().count() < 50, "{name}:\n{help}");
            let longest = help.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(columns), "{name}:\n{help}");
            assert!(flags(&help).len() <= 24, "{name}:\n{help}");
            assert!(!help.contains("Exit codes"), "{name}:\n{help}");
        }
    }
}

#[test]
fn the_short_help_has_what_people_use_daily() {
    let command = Cli::command();
    let help = printed(command.find_subcommand("replay"), "-h", 80);
    for flag in [
        "-b, --brokers",
        "-t, --topic",
        "--map",
        "--rehearse",
        "--create-topics",
        "--rejects",
        "--resume",
        "--report",
        "--filter",
        "-X",
        "-F",
    ] {
        let starts = |line: &&str| line.trim_start().starts_with(&format!("{flag} "));
        let short = flags(&help);
        let is_there = short.iter().any(|line| starts(line) || line.trim() == flag);
        assert!(is_there, "{flag} is not in\n{help}");
    }
    for flag in [
        "--value-encoding",
        "--oauth-command",
        "--speedctl-arg",
        "--no-idempotence",
    ] {
        assert!(!help.contains(flag), "{flag} is in\n{help}");
    }
}

#[test]
fn the_long_help_has_every_flag_under_a_heading() {
    for command in commands() {
        let help = printed(command.as_ref(), "--help", 100);
        let known = command.clone().unwrap_or_else(Cli::command);
        for flag in known.get_arguments() {
            for spelling in spellings(flag) {
                let whole = |line: &&str| {
                    let names = line.trim_start().split([' ', ',']);
                    names.into_iter().any(|name| name == spelling)
                };
                let name = known.get_name();
                assert!(flags(&help).iter().any(whole), "{name} {spelling}:\n{help}");
            }
        }
        // What is left under `Options` belongs to no group.
        let options = help.split("\nOptions:\n").nth(1).unwrap_or_default();
        let options: Vec<&str> = options
            .lines()
            .take_while(|line| line.starts_with(' ') || line.is_empty())
            .collect();
        let alone = flags(&options.join("\n")).len();
        assert!(alone <= 2, "{options:?}");
        let has_codes = !["profile", "completions"].contains(&known.get_name());
        assert_eq!(help.contains("Exit codes:\n  0  "), has_codes, "{help}");
    }
}

#[test]
fn completions_name_the_commands_and_their_flags() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = kreplay(["completions", shell]);
        assert_eq!((output.code, &*output.stderr), (0, ""), "{shell}");
        for word in ["snapshot", "replay", "extract", "rehearse", "give-up-after"] {
            assert!(output.stdout.contains(word), "{shell}: {word}");
        }
    }
    let script = kreplay(["completions", "bash"]).stdout;
    let ask = format!(
        "{script}\nCOMP_WORDS=(kreplay replay --rehe); COMP_CWORD=2; \
         _kreplay kreplay --rehe replay; echo \"${{COMPREPLY[@]}}\""
    );
    let shell = Run::program("bash", ["-c", &ask]).output();
    assert_eq!(
        (shell.code, &*shell.stdout),
        (0, "--rehearse\n"),
        "{shell:?}"
    );
}
