//! What child processes inherit, and how much they may write.

use std::fs;

use super::{SECRET, folder, script, with_token_command};
use crate::harness::run::kreplay;

#[test]
fn a_token_command_gets_only_the_environment_it_needs() {
    let folder = folder();
    let out = folder.path().join("environment");
    let command = format!("env > '{}'; exit 1", out.display());
    with_token_command(&command)
        .env("DATABASE_PASSWORD", SECRET)
        .env("OAUTH_CLIENT", "mine")
        .env("AWS_PROFILE", "prod")
        .output();
    let given = fs::read_to_string(&out).expect("the command has written it");
    for name in ["PATH=", "HOME=", "OAUTH_CLIENT=mine", "AWS_PROFILE=prod"] {
        assert!(
            given.lines().any(|line| line.starts_with(name)),
            "{name}: {given}"
        );
    }
    assert!(!given.contains(SECRET), "{given}");
}

/// `ls` has its own descriptor for the folder that it lists.
#[cfg(target_os = "linux")]
#[test]
fn child_processes_inherit_only_their_three_streams() {
    let folder = folder();
    let list = folder.path().join("descriptors");
    let command = format!("ls /proc/self/fd > '{}'; exit 1", list.display());
    let given = || {
        let text = fs::read_to_string(&list).expect("the command has written it");
        text.split_whitespace()
            .map(String::from)
            .collect::<Vec<_>>()
    };
    with_token_command(&command).output();
    assert_eq!(given(), ["0", "1", "2", "3"], "the command of a token");
    let speedctl = script(folder.path(), &command);
    kreplay(["snapshot", "demo", "--rehearse", "--speedctl", &speedctl]);
    assert_eq!(given(), ["0", "1", "2", "3"], "speedctl");
}

#[test]
fn a_child_process_that_never_stops_writing_is_ended_at_a_stated_bound() {
    let folder = folder();
    for (command, stream) in [("exec yes", "stdout"), ("exec yes >&2", "stderr")] {
        let output = with_token_command(command).output();
        let expected = "kreplay: could not get a token: the command of --oauth-command wrote more than 1 MiB\n";
        assert_eq!(
            (output.code, output.stderr.as_str()),
            (3, expected),
            "{stream}"
        );
        let speedctl = script(folder.path(), command);
        let output = kreplay([
            "snapshot",
            "demo",
            "--rehearse",
            "--via",
            "raw",
            "--speedctl",
            &speedctl,
        ]);
        let expected = format!(
            "kreplay: `speedctl pull snapshot` wrote more than 64 MiB to {stream} and was stopped"
        );
        assert_eq!(output.code, 4, "{output:#?}");
        assert!(
            output.stderr.contains(&expected),
            "{stream}: {:.500}",
            output.stderr
        );
    }
    let speedctl = script(folder.path(), "exec yes");
    let args = ["snapshot", "demo", "--rehearse", "--via", "csv"];
    let output = kreplay([&args[..], &["--speedctl", &speedctl]].concat());
    let expected = "kreplay: `speedctl extract data` wrote more than 64 KiB of text that is not CSV to \
                    stdout, and was stopped";
    assert_eq!(output.code, 4, "{output:#?}");
    assert!(output.stderr.contains(expected), "{:.500}", output.stderr);
}
