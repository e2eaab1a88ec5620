//! What others have chosen, shown or used without harm: names and texts on a terminal, secrets in the wrong
//! place, ids that become arguments and folders, links that lead elsewhere, what child processes inherit.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::harness::paths::{fixture, standin};
use crate::harness::run::{Run, RunOutput, kreplay, report};
use serde_json::json;
use tempfile::TempDir;

/// A password, wherever one is needed.
const SECRET: &str = "hunter2-hunter2";

fn folder() -> TempDir {
    tempfile::tempdir().expect("the system's temporary folder is writable")
}

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("the folder is writable");
    path.display().to_string()
}

/// Neither a character that controls a terminal nor a line that only looks as if kreplay had begun it.
#[track_caller]
fn assert_harmless(output: &RunOutput, forged: &str) {
    let said = format!("{}{}", output.stdout, output.stderr);
    let is_obeyed = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!said.contains(is_obeyed), "{said:?}");
    let begins = |line: &str| line.starts_with(&format!("kreplay: {forged}"));
    assert!(!said.lines().any(begins), "{said}");
}

#[track_caller]
fn assert_hidden(output: &RunOutput) {
    assert!(!output.stdout.contains(SECRET), "{output:#?}");
    assert!(!output.stderr.contains(SECRET), "{output:#?}");
}

// What a person sees.

#[test]
fn a_name_with_line_ends_and_colours_forges_no_line() {
    let folder = folder();
    let name = "\u{1b}[31mx\u{202e}\nkreplay: 21 records delivered\nhint: all is well";
    let missing = folder.path().join(name).display().to_string();
    let missing = missing.as_str();
    for args in [
        &["replay", "-", "-b", "127.0.0.1:1", "-F", missing][..],
        &["replay", missing, "--rehearse"],
        &["replay", "-", "--rehearse", "--profile", missing],
        &[
            "replay",
            "-",
            "--rehearse",
            "--report-file",
            missing,
            "--rejects",
            missing,
        ],
        &["replay", "-", "--rehearse", "--resume", missing],
        &["replay", "-", "--rehearse", "-t", missing],
        &["replay", "-", "--rehearse", "--from", missing],
        &[missing],
        &["snapshot", "demo", "--rehearse", "--speedctl", missing],
    ] {
        let output = kreplay(args);
        assert_harmless(&output, "21 records delivered");
        let hints = output
            .stderr
            .lines()
            .filter(|line| line.starts_with("hint: all"));
        assert_eq!(hints.count(), 0, "{output:#?}");
    }
}

#[test]
fn output_of_speedctl_and_of_a_token_command_forges_no_line() {
    let folder = folder();
    let said = "printf '\\033]0;title\\007\\nkreplay: all delivered\\n\\302\\233x' >&2; exit 3";
    let script = write(folder.path(), "speedctl", format!("#!/bin/sh\n{said}\n"));
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    let output = kreplay(["snapshot", "demo", "--rehearse", "--speedctl", &script]);
    assert_eq!(output.code, 4, "{output:#?}");
    assert!(output.stderr.contains("all delivered"), "{output:#?}");
    assert_harmless(&output, "all delivered");
    let output = with_token_command(said).output();
    assert_eq!(output.code, 3, "{output:#?}");
    assert!(output.stderr.contains("all delivered"), "{output:#?}");
    assert_harmless(&output, "all delivered");
}

/// The reason repeats the value that is not a partition.
#[test]
fn a_reason_that_repeats_a_value_of_the_capture_is_cut() {
    let partition =
        json!({ "partitionIndex": "9".repeat(3_000_000), "records": { "records": [{}] } });
    let topics = json!([{ "name": "t", "partitions": [partition] }]);
    let pair = json!({ "command": "Fetch", "kafka": { "response": { "FetchResponse": { "topics": topics } } } });
    for form in ["json", "text"] {
        let args = ["replay", "-", "--rehearse", "--report", form];
        let output = Run::new(args).stdin(format!("{pair}\n")).output();
        assert_eq!(output.code, 1, "{:.500}", output.stderr);
        let longest = output
            .stdout
            .lines()
            .chain(output.stderr.lines())
            .map(str::len)
            .max();
        assert!(
            longest.is_some_and(|longest| longest < 4_000),
            "{form}: {longest:?}"
        );
    }
}

#[test]
fn the_hottest_key_of_a_plan_is_shown_without_harm() {
    let key = "\u{1b}[31mx\u{202e}\nkreplay: all is well\nhint: all".to_owned();
    for key in [key.clone(), key + &"y".repeat(100_000)] {
        let line = json!({ "topic": "t", "key": key, "value": "v" });
        let output = Run::new(["plan", "-"]).stdin(format!("{line}\n")).output();
        assert_eq!(output.code, 0, "{output:#?}");
        assert!(output.stdout.contains("[31mx"), "{output:#?}");
        assert_harmless(&output, "all is well");
        let longest = output.stdout.lines().map(str::len).max();
        assert!(longest.is_some_and(|longest| longest < 400), "{longest:?}");
    }
}

/// Keys and values that begin with a line end, values that are JSON with such names, and headers.
#[test]
fn what_a_comparison_shows_of_records_forges_no_line_and_is_cut() {
    let folder = folder();
    let evil = "\u{1b}[31mx\u{202e}\u{9b}\nkreplay: all is well\nhint: all";
    let long = format!("{evil}{}", "y".repeat(100_000));
    let lines = |end: &str| {
        let json = json!({ &long: end, "list": [{ "in": format!("{evil}{end}") }] }).to_string();
        let record = |key: &str, value: String| {
            let headers = json!([[&long, format!("{evil}{end}")]]);
            json!({ "topic": "t", "key": key, "value": value, "headers": headers }).to_string()
        };
        let records = [
            record(evil, format!("{evil}{end}")),
            record(&long, format!("{long}{end}")),
            record("json", json),
        ];
        records.join("\n") + "\n"
    };
    let (expected, observed) = (
        write(folder.path(), "a\nkreplay: all is well", lines("1")),
        write(folder.path(), "b\nhint: all", lines("2")),
    );
    for flags in [&[][..], &["--expect-headers"], &["--ignore", evil]] {
        let args = ["compare", &expected, &observed];
        let output = kreplay([&args[..], flags].concat());
        assert!(output.stderr.is_empty() || output.code == 2, "{output:#?}");
        assert_harmless(&output, "all is well");
        let said = output.stdout.lines().chain(output.stderr.lines());
        let longest = said.clone().map(str::len).max();
        assert!(
            longest.is_some_and(|longest| longest < 4_000),
            "{longest:?}"
        );
        let hints = said.filter(|line| line.starts_with("hint: all"));
        assert_eq!(hints.count(), 0, "{output:#?}");
    }
    // A report for programs has no more of the values, and both are whole in the file of differences.
    let file = folder.path().join("differences").display().to_string();
    let args = [
        "compare",
        &expected,
        &observed,
        "--report",
        "json",
        "--expect-diff",
        &file,
    ];
    let output = kreplay(args);
    assert_eq!(report(&output)["total"]["changed"], 3, "{output:#?}");
    assert!(output.stdout.len() < 30_000, "{}", output.stdout.len());
    let whole = fs::read_to_string(file).expect("it is written");
    assert!(whole.lines().any(|line| line.len() > 200_000));
}

#[test]
fn a_path_in_a_suggested_command_is_quoted_for_a_shell() {
    let folder = folder();
    let path = write(folder.path(), "a; rm -r b.xz", b"\xfd7zXZ\0rest of it");
    let output = kreplay(["replay", &path, "--rehearse"]);
    assert_eq!(output.code, 4, "{output:#?}");
    let expected = format!("xz -dc '{path}'");
    assert!(output.stderr.contains(&expected), "{output:#?}");
}

// Secrets.

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

// TLS and code.

/// What kreplay says about TLS, and the report's account of it.
fn tls_warnings(brokers: &str, settings: &[&str]) -> (String, serde_json::Value) {
    let capture = fixture("demo.jsonl").display().to_string();
    let args = [
        "replay", &capture, "-b", brokers, "-F", "none", "--report", "json",
    ];
    let settings = settings.iter().flat_map(|setting| ["-X", setting]);
    let output = Run::new(args.into_iter().chain(settings)).output();
    assert_eq!(output.code, 3, "{output:#?}");
    let unchecked = report(&output)["destination"]["tls_unchecked"].clone();
    (output.stderr, unchecked)
}

#[test]
fn a_disabled_tls_check_is_warned_about_and_reported() {
    let (verification, name) = (
        "enable.ssl.certificate.verification=false",
        "ssl.endpoint.identification.algorithm=none",
    );
    let ssl = "security.protocol=SSL";
    let said = "kreplay does not check that the brokers are who they say they are";
    for (brokers, settings, expected) in [
        (
            "localhost:1",
            &[ssl, verification, name][..],
            json!([verification, name]),
        ),
        ("localhost:1", &[ssl, name], json!([name])),
        (
            "127.0.0.1:1",
            &[ssl, verification, name],
            json!([verification]),
        ),
        ("127.0.0.1:1,[::1]:1", &[ssl, name], json!([])),
        ("127.0.0.1:1", &[ssl], json!([])),
        (
            "127.0.0.1:1",
            &["security.protocol=PLAINTEXT", verification],
            json!([]),
        ),
    ] {
        let (stderr, unchecked) = tls_warnings(brokers, settings);
        assert_eq!(unchecked, expected, "{brokers} {settings:?}");
        assert_eq!(stderr.contains(said), expected != json!([]), "{stderr}");
    }
}

#[test]
fn code_is_loaded_only_from_a_file_that_is_named() {
    let home = folder();
    fs::create_dir(home.path().join(".config")).expect("the folder is writable");
    let file = write(
        home.path(),
        ".config/kcat.conf",
        "plugin.library.paths=/nowhere/evil\n",
    );
    let run = |args: &[&str]| Run::new(args).env("HOME", home.path()).output();
    let output = run(&["replay", "-", "-b", "127.0.0.1:1"]);
    let expected = format!(
        "kreplay: {file}:1: `plugin.library.paths` loads code, so kreplay does not take it from a file that you did not name\n\
         hint: name the file with `-F {file}`, or read no file with `-F none`\n"
    );
    assert_eq!((output.code, output.stderr), (2, expected));
    let output = run(&["replay", "-", "-b", "127.0.0.1:1", "-F", &file]);
    assert!(
        output.stderr.contains("/nowhere/evil"),
        "librdkafka tries: {output:#?}"
    );
    let output = run(&[
        "replay",
        "-",
        "--rehearse",
        "-X",
        "plugin.library.paths=/nowhere/evil",
    ]);
    let expected = "kreplay: `plugin.library.paths` loads code, which a rehearsal does not allow\n";
    assert_eq!((output.code, output.stderr.as_str()), (2, expected));
}

// Children.

/// A replay that needs a token from this command.
fn with_token_command(command: &str) -> Run {
    let capture = fixture("demo.jsonl").display().to_string();
    let args = [
        "replay",
        &capture,
        "-b",
        "127.0.0.1:1",
        "-F",
        "none",
        "-X",
        "security.protocol=SASL_PLAINTEXT",
        "-X",
        "sasl.mechanism=OAUTHBEARER",
        "--oauth-command",
        command,
    ];
    Run::new(args)
}

fn script(folder: &Path, lines: &str) -> String {
    let script = write(folder, "speedctl", format!("#!/bin/sh\n{lines}\n"));
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    script
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
    let expected = "kreplay: `speedctl extract data` wrote more than 64 KiB to stdout that is not CSV, and was stopped";
    assert_eq!(output.code, 4, "{output:#?}");
    assert!(output.stderr.contains(expected), "{:.500}", output.stderr);
}

// Snapshots and links.

#[test]
fn an_invalid_snapshot_id_reaches_neither_speedctl_nor_another_folder() {
    let folder = folder();
    let called = folder.path().join("called");
    let script = write(
        folder.path(),
        "speedctl",
        format!("#!/bin/sh\ntouch '{}'\n", called.display()),
    );
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    for id in [
        "",
        "--help",
        "-x",
        "../../etc",
        "a/b",
        "..",
        ".",
        "a\\b",
        "a b",
        "a\nb",
    ] {
        let source = format!("snapshot:{id}");
        for args in [
            &["snapshot", "--rehearse", "--speedctl", &script, "--", id][..],
            &["inspect", "--speedctl", &script, &source],
        ] {
            let output = kreplay(args);
            assert_eq!(output.code, 2, "{id:?}: {output:#?}");
            assert!(!called.exists(), "{id:?}");
        }
    }
    let output = kreplay(["snapshot", "demo|1", "--rehearse", "--speedctl", &script]);
    assert!(called.exists(), "an id of the documentation: {output:#?}");
}

#[test]
fn links_are_followed_inside_a_folder_and_not_out_of_it() {
    let (inside, outside) = (folder(), folder());
    let capture = fs::read(fixture("demo.jsonl")).expect("the fixture is there");
    write(outside.path(), "private.jsonl", &capture);
    let data = inside.path().join("data");
    fs::create_dir(&data).expect("the folder is writable");
    let second = fs::read(fixture("tombstone.jsonl")).expect("the fixture is there");
    write(inside.path(), ".hidden.jsonl", &second);
    symlink("../.hidden.jsonl", data.join("seen.jsonl")).expect("links can be made");
    symlink(
        outside.path().join("private.jsonl"),
        data.join("file.jsonl"),
    )
    .expect("links can be made");
    symlink(outside.path(), data.join("folder")).expect("links can be made");
    let path = inside.path().display().to_string();
    let output = kreplay(["replay", &path, "--rehearse", "--report", "json"]);
    // Three records of the hidden file, none of the 21 outside.
    assert_eq!(report(&output)["ledger"]["found"], 3, "{output:#?}");
    let first = data.join("file.jsonl");
    let expected = format!(
        "kreplay: did not follow 2 links out of the folder, such as {}; name the target to read it",
        first.display()
    );
    assert!(
        output.stderr.lines().any(|line| line == expected),
        "{output:#?}"
    );
    // A link that the user names is followed.
    let path = first.display().to_string();
    let output = kreplay(["replay", &path, "--rehearse", "--report", "json"]);
    assert_eq!(report(&output)["ledger"]["found"], 21, "{output:#?}");
}

// What SECURITY.md promises.

/// The text of all files below `folder` that Rust reads.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("a folder of the project") {
        let path = entry.expect("it is readable").path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &fs::read_to_string(&path).expect("it is text");
        }
    }
    text
}

#[test]
fn each_promise_of_security_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let promises = fs::read_to_string(root.join("SECURITY.md")).expect("it is there");
    let (_, promises) = promises.split_once("## Promises").expect("its section");
    let code = sources(&root.join("tests")) + &sources(&root.join("src"));
    let rows = promises.lines().filter(|line| line.starts_with("| "));
    let rows: Vec<&str> = rows.filter(|line| *line != "| promise | test |").collect();
    assert!(rows.len() > 20, "{rows:?}");
    for row in rows {
        let (_, tests) = row.trim_end_matches(" |").rsplit_once(" | ").expect(row);
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{row}");
        for name in named {
            match name.contains('/') {
                true => assert!(root.join(name).exists(), "{name}: {row}"),
                false => assert!(code.contains(&format!("fn {name}(")), "{name}: {row}"),
            }
        }
    }
}
