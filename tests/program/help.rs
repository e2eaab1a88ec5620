//! What `-h`, `--help` and `completions` print: the everyday flags on one screen, and everything.
//!
//! clap provides the list of flags, so that these tests include a new flag by themselves.

use crate::harness::run::{Run, kreplay};

/// The commands that people see, each with its flags; the name of kreplay itself is empty.
fn commands() -> Vec<(String, Vec<String>)> {
    let commands = kreplay::flags_by_command();
    assert!(commands.len() > 6, "{commands:?}");
    commands
}

/// What a command prints on a terminal of this width.
fn printed(command: &str, flag: &str, columns: usize) -> String {
    let words = [command, flag].into_iter().filter(|word| !word.is_empty());
    let output = Run::new(words).env("COLUMNS", columns.to_string()).output();
    assert_eq!((output.code, &*output.stderr), (0, ""), "{output:?}");
    output.stdout
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
    for (name, _) in commands() {
        for columns in [80, 100] {
            let help = printed(&name, "-h", columns);
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
    let help = printed("replay", "-h", 80);
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
    for (name, known) in commands() {
        let help = printed(&name, "--help", 100);
        for spelling in known {
            let whole = |line: &&str| {
                let names = line.trim_start().split([' ', ',', '[']);
                names.into_iter().any(|name| name == spelling)
            };
            assert!(flags(&help).iter().any(whole), "{name} {spelling}:\n{help}");
        }
        // A flag left under `Options` belongs to no group.
        let options = help.split("\nOptions:\n").nth(1).unwrap_or_default();
        let options: Vec<&str> = options
            .lines()
            .take_while(|line| line.starts_with(' ') || line.is_empty())
            .collect();
        let alone = flags(&options.join("\n")).len();
        assert!(alone <= 2, "{options:?}");
        let has_codes = !["profile", "completions"].contains(&&*name);
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

/// librdkafka's log gives OpenSSL's version, and the library gives its own to the test, which is linked with
/// the same one.
#[test]
fn the_long_version_names_the_libraries_that_are_linked() {
    let short = kreplay(["-V"]);
    let own = format!("kreplay {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((short.code, &*short.stdout), (0, &*own));
    let args = "replay - -t t -b 127.0.0.1:1 -F none -v -X debug=security -X security.protocol=ssl --give-up-after 1s";
    let log = Run::new(args.split(' '))
        .stdin("{\"value\":\"v\"}\n")
        .output();
    let openssl = log.stderr.split("Using OpenSSL version ").nth(1);
    let openssl = openssl.and_then(|rest| rest.split(" (0x").next());
    let openssl = openssl.unwrap_or_else(|| panic!("librdkafka names no OpenSSL: {log:#?}"));
    assert!(openssl.starts_with("OpenSSL 3."), "{openssl}");
    let (_, librdkafka) = rdkafka::util::get_rdkafka_version();
    let long = kreplay(["--version"]);
    let expected = format!("{own}librdkafka {librdkafka}\n{openssl}\n");
    assert_eq!((long.code, &*long.stdout), (0, &*expected));
}
