//! Secrets in the wrong place: files, lists of brokers, arguments and the environment.

use super::{SECRET, folder, write};
use crate::harness::paths::standin;
use crate::harness::run::{Run, RunOutput, kreplay};

#[track_caller]
fn assert_hidden(output: &RunOutput) {
    assert!(!output.stdout.contains(SECRET), "{output:#?}");
    assert!(!output.stderr.contains(SECRET), "{output:#?}");
}

#[test]
fn an_error_about_the_wrong_file_shows_none_of_its_lines() {
    let folder = folder();
    let properties = format!("bootstrap.servers=b:9092\nsasl.password={SECRET}\n");
    let quoted = format!("sasl_password = \"{SECRET}\"\nrecord = 1\n");
    let value = format!("record = {{ x = \"{SECRET}\" }}\n");
    for text in [
        properties.clone(),
        format!("sasl.password={SECRET}\n"),
        format!("{SECRET}\n"),
        quoted,
        value,
        format!("partition-default = \"{SECRET}\"\n"),
    ] {
        let path = write(folder.path(), "secret.txt", &text);
        for args in [
            &["replay", "-", "--rehearse", "--profile", &path][..],
            &["replay", &path, "--as", "csv", "-t", "t", "--rehearse"],
            &["inspect", &path],
            &["replay", "-", "-b", "127.0.0.1:1", "-F", &path],
        ] {
            assert_hidden(&kreplay(args));
        }
    }
}

#[test]
fn a_password_in_the_list_of_brokers_is_not_shown() {
    for brokers in [
        format!("user:{SECRET}@b:9092"),
        format!("user:{SECRET},more@b:9092"),
        format!("b:9092,user:{SECRET}@c"),
    ] {
        let output = kreplay(["replay", "-", "-b", &brokers]);
        assert_eq!(output.code, 2, "{output:#?}");
        assert_hidden(&output);
    }
}

#[test]
fn values_of_speedctl_arguments_are_hidden_where_the_command_is_shown() {
    let with_equals = format!("--api-key={SECRET}");
    let args = [
        "snapshot",
        "demo",
        "--rehearse",
        "-v",
        "--speedctl-arg",
        &with_equals,
        "--speedctl-arg=--token",
        "--speedctl-arg",
        SECRET,
    ];
    let output = Run::new(args).env("KREPLAY_SPEEDCTL", standin()).output();
    assert!(
        output.stderr.contains("--api-key=... --token ..."),
        "{output:#?}"
    );
    assert_hidden(&output);
}

#[test]
fn the_variable_of_the_brokers_is_named_in_the_help_without_its_value() {
    let brokers = format!("{SECRET}.internal:9092");
    for command in ["replay", "snapshot"] {
        let output = Run::new([command, "--help"])
            .env("KREPLAY_BROKERS", &brokers)
            .output();
        assert_eq!(output.code, 0, "{output:#?}");
        assert!(output.stdout.contains("KREPLAY_BROKERS"), "{output:#?}");
        assert_hidden(&output);
    }
}
