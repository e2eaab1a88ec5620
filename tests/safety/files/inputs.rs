//! What a run reads, however it is named, is never an output of that run.

use std::fs;
use std::os::unix::fs::symlink;

use super::{CAPTURE, FilesFolder, refused};
use crate::harness::paths::{fixture, standin};
use crate::harness::run::{Run, kreplay};

#[test]
fn a_file_on_stdin_is_an_input() {
    let files = FilesFolder::new();
    let (code, said) = files.shell("\"$K\" replay - --rehearse --rejects cap < cap");
    let expected = "kreplay: `--rejects cap` is the file on stdin and would be overwritten\n";
    assert_eq!((code, said.as_str()), (2, expected));
    assert_eq!(files.read("cap"), CAPTURE);
}

#[test]
fn a_file_on_stdout_or_stderr_may_not_be_an_input_or_another_output() {
    let files = FilesFolder::new();
    let path = files.text("cap");
    for (command, expected) in [
        (
            format!("\"$K\" extract {path} >> cap"),
            format!("kreplay: stdout goes to {path}, which this run reads\n"),
        ),
        (
            "\"$K\" extract - < cap >> cap".into(),
            "kreplay: stdout goes to the file on stdin, which this run reads\n".into(),
        ),
        (
            "\"$K\" replay cap --rehearse --rejects out > out".into(),
            "kreplay: `--rejects` and stdout name the same file\n".into(),
        ),
    ] {
        assert_eq!(files.shell(&command), (2, expected), "{command}");
        assert_eq!(files.read("cap"), CAPTURE);
    }
    // Naming the stream itself is a request to write there.
    let both = "\"$K\" replay cap --rehearse --report none --report-file /dev/stdout > out";
    assert_eq!(files.shell(both), (0, String::new()));
    let report: serde_json::Value = serde_json::from_str(&files.read("out")).expect("JSON");
    assert_eq!(report["ledger"]["delivered"], 1);
}

#[test]
fn a_file_in_a_folder_that_is_read_is_an_input() {
    let files = FilesFolder::new();
    fs::create_dir(files.path("d")).expect("the folder is writable");
    fs::copy(fixture("demo.jsonl"), files.path("d/capture.jsonl")).expect("a copy");
    let before = files.read("d/capture.jsonl");
    symlink(files.path("d"), files.path("link")).expect("a link");
    fs::hard_link(files.path("d/capture.jsonl"), files.path("other")).expect("a link");
    let folder = files.text("d");
    for flag in ["--report-file", "--rejects"] {
        for name in ["d/capture.jsonl", "link/capture.jsonl", "other"] {
            let file = files.text(name);
            let run = kreplay(["replay", &folder, "--rehearse", flag, &file]);
            let expected = match name {
                "d/capture.jsonl" => format!(
                    "kreplay: `{flag} {file}` is an input of this run and would be overwritten\n"
                ),
                _ => format!(
                    "kreplay: `{flag} {file}` is {folder}/capture.jsonl, an input of this run, \
                     and would be overwritten\n"
                ),
            };
            assert_eq!(refused(&run), expected);
            assert_eq!(files.read("d/capture.jsonl"), before);
        }
        let file = files.text("d/new");
        let run = kreplay(["replay", &folder, "--rehearse", flag, &file]);
        let expected = format!(
            "kreplay: `{flag} {file}` is in the folder {folder}, which this run reads\n\
             hint: choose a file elsewhere, or one whose name begins with a dot\n"
        );
        assert_eq!(refused(&run), expected);
        assert!(!files.path("d/new").exists());
    }
    let hidden = files.text("d/.report");
    let run = kreplay(["replay", &folder, "--rehearse", "--report-file", &hidden]);
    assert_eq!(run.code, 0, "{run:#?}");
}

#[test]
fn a_link_or_a_hard_link_of_an_input_is_the_input() {
    let files = FilesFolder::new();
    symlink(files.path("cap"), files.path("soft")).expect("a link");
    fs::hard_link(files.path("cap"), files.path("hard")).expect("a link");
    for flag in ["--rejects", "--report-file"] {
        for name in ["soft", "hard"] {
            let (link, capture) = (files.text(name), files.text("cap"));
            let run = files.rehearse(&[flag, &link]);
            let expected = format!(
                "kreplay: `{flag} {link}` is {capture}, an input of this run, and would be \
                 overwritten\n"
            );
            assert_eq!(refused(&run), expected);
            assert_eq!(files.read("cap"), CAPTURE);
        }
    }
}

#[test]
fn files_named_by_flags_and_properties_count_as_inputs() {
    let files = FilesFolder::new();
    let profile = kreplay(["profile", "fetch"]).stdout;
    for (name, text) in [
        ("conf", "linger.ms=1\n"),
        ("profile", &profile),
        ("ca", "x\n"),
    ] {
        fs::write(files.path(name), text).expect("the folder is writable");
    }
    let capture = fixture("demo.jsonl");
    let capture = capture.to_str().expect("a path of text");
    let ca = format!("ssl.ca.location={}", files.text("ca"));
    for (flag, value, name) in [
        ("-F", files.text("conf"), "conf"),
        ("--profile", files.text("profile"), "profile"),
        ("-X", ca, "ca"),
    ] {
        let file = files.text(name);
        let before = files.read(name);
        let args = ["replay", capture, "--rehearse", flag, &value];
        let run = kreplay([&args[..], &["--rejects", &file]].concat());
        let named = match flag {
            "-X" => "-X ssl.ca.location",
            flag => flag,
        };
        let expected = format!(
            "kreplay: `--rejects {file}` is the file of `{named}` and would be overwritten\n"
        );
        assert_eq!(refused(&run), expected);
        assert_eq!(files.read(name), before);
    }
}

#[test]
fn a_pulled_snapshot_is_an_input() {
    let files = FilesFolder::new();
    let folder = files.path(".speedscale/data/snapshots/demo");
    fs::create_dir_all(&folder).expect("the folder is writable");
    let pulled = folder.join("raw.jsonl");
    fs::write(&pulled, "before\n").expect("the folder is writable");
    let args = [
        "snapshot",
        "demo",
        "--rehearse",
        "--via",
        "raw",
        "--rejects",
    ];
    let run = Run::new(
        args.into_iter()
            .map(Into::into)
            .chain([pulled.clone().into_os_string()]),
    )
    .env("KREPLAY_SPEEDCTL", standin())
    .env("HOME", files.0.path())
    .output();
    assert!(
        refused(&run).contains("is an input of this run"),
        "{run:#?}"
    );
    assert_eq!(fs::read(&pulled).expect("it is there"), b"before\n");
}
