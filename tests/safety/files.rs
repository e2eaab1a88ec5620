//! kreplay destroys no file of the user's: what a run reads, what another run has left, and files that are
//! not kreplay's stay as they are, whatever name names them.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::paths::{fixture, standin};
use crate::harness::run::{Run, RunOutput, kreplay};
use rdkafka::mocking::MockCluster;
use tempfile::TempDir;

const CAPTURE: &str = "{\"topic\":\"t\",\"value\":\"kept\"}\n";

/// A folder with a capture of one record line.
struct FilesFolder(TempDir);

impl FilesFolder {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().expect("a temporary folder"));
        fs::write(files.path("cap"), CAPTURE).expect("the folder is writable");
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        let path = self.path(name);
        path.to_str()
            .expect("the paths of the tests are text")
            .into()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("the file is still there")
    }

    /// Replays the capture with more arguments into a rehearsal.
    fn rehearse(&self, more: &[&str]) -> RunOutput {
        let capture = self.text("cap");
        kreplay([&["replay", &capture, "--rehearse"], more].concat())
    }

    /// Runs a shell command in which `$K` is kreplay, in the folder.
    fn shell(&self, command: &str) -> (i32, String) {
        let output = Command::new("sh")
            .args(["-c", command])
            .env("K", env!("CARGO_BIN_EXE_kreplay"))
            .env("HOME", self.0.path())
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .output()
            .expect("there is a shell");
        let said = String::from_utf8(output.stderr).expect("stderr is text");
        (output.status.code().unwrap_or(-1), said)
    }
}

fn refused(output: &RunOutput) -> &str {
    let (code, stdout) = (output.code, output.stdout.as_str());
    assert_eq!((code, stdout), (2, ""), "{output:#?}");
    &output.stderr
}

#[test]
fn rejects_that_a_new_journal_does_not_know_are_kept() {
    let files = FilesFolder::new();
    let cluster = MockCluster::new(1).expect("a mock cluster");
    let brokers = cluster.bootstrap_servers();
    let reject = "{\"value\":\"lost\",\"outcome\":\"unsent\",\"reason\":\"of another replay\"}\n";
    fs::write(files.path("rej"), reject).expect("the folder is writable");
    let (capture, rej, new) = (files.text("cap"), files.text("rej"), files.text("new"));
    let run = kreplay([
        "replay",
        &capture,
        "-b",
        &brokers,
        "--rejects",
        &rej,
        "--resume",
        &new,
    ]);
    let expected = format!(
        "kreplay: the rejects file {rej} already holds rejects, which the new journal {new} does \
         not know\n\
         hint: send them with `kreplay replay {rej}`, name another file, or remove it\n"
    );
    assert_eq!(refused(&run), expected);
    assert_eq!(files.read("rej"), reject);
}

#[test]
fn a_journal_that_goes_on_empties_rejects_and_nothing_else() {
    let files = FilesFolder::new();
    let cluster = MockCluster::new(1).expect("a mock cluster");
    let brokers = cluster.bootstrap_servers();
    let (capture, rej, journal) = (files.text("cap"), files.text("rej"), files.text("journal"));
    let args = [
        "replay",
        &capture,
        "-b",
        &brokers,
        "--rejects",
        &rej,
        "--resume",
        &journal,
    ];
    // The topic is missing: the one record becomes a reject.
    let run = kreplay(args);
    assert_eq!(run.code, 3, "{run:#?}");
    assert_eq!(files.read("rej").lines().count(), 1);
    fs::copy(files.path("rej"), files.path("kept")).expect("the folder is writable");
    fs::write(files.path("rej"), "my notes\n").expect("the folder is writable");
    let run = kreplay(args);
    let expected = format!(
        "kreplay: the rejects file {rej} holds something that is not a reject\n\
         hint: name another file, or remove it\n"
    );
    assert_eq!(refused(&run), expected);
    assert_eq!(files.read("rej"), "my notes\n");
    fs::copy(files.path("kept"), files.path("rej")).expect("the folder is writable");
    cluster.create_topic("t", 1, 1).expect("a topic");
    let run = kreplay(args);
    assert_eq!(run.code, 0, "{run:#?}");
    assert_eq!(files.read("rej"), "");
}

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
            "kreplay: `--rejects` and stdout name one file\n".into(),
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
fn two_names_of_one_file_are_one_file_also_when_it_is_new() {
    let files = FilesFolder::new();
    symlink("new", files.path("link")).expect("a link");
    let (new, link) = (files.text("new"), files.text("link"));
    let run = files.rehearse(&["--rejects", &new, "--report-file", &link]);
    let expected = "kreplay: `--rejects` and `--report-file` name one file\n";
    assert_eq!(refused(&run), expected);
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

#[test]
fn a_report_file_replaces_only_an_earlier_report_file() {
    let files = FilesFolder::new();
    let file = files.text("file");
    for text in ["my notes\n", CAPTURE, "{\"kreplay_journal\":1}\n"] {
        fs::write(&file, text).expect("the folder is writable");
        let run = files.rehearse(&["--report-file", &file]);
        let expected = format!(
            "kreplay: cannot write the report to {file}: it does not hold a report of \
             kreplay\n"
        );
        assert_eq!(refused(&run), expected);
        assert_eq!(files.read("file"), text);
    }
    fs::write(&file, "").expect("the folder is writable");
    for _ in 0..2 {
        let run = files.rehearse(&["--report-file", &file]);
        assert_eq!(run.code, 0, "{run:#?}");
        let report: serde_json::Value = serde_json::from_str(&files.read("file")).expect("JSON");
        assert_eq!(report["ledger"]["delivered"], 1);
    }
}

#[test]
fn a_device_or_pipe_is_written_to_and_not_replaced() {
    let files = FilesFolder::new();
    for flag in ["--rejects", "--report-file"] {
        let before = inode("/dev/null");
        let run = files.rehearse(&[flag, "/dev/null"]);
        assert_eq!(run.code, 0, "{run:#?}");
        assert_eq!(inode("/dev/null"), before, "{flag}");
        let device = fs::metadata("/dev/null").expect("it is there");
        assert!(device.file_type().is_char_device(), "{flag}");
    }
    // Into a pipe, as `>(...)` of a shell gives one.
    let piped = "mkfifo pipe; cat pipe > got & \
                 \"$K\" replay cap --rehearse --report none --report-file pipe; wait";
    assert_eq!(files.shell(piped), (0, String::new()));
    let report: serde_json::Value = serde_json::from_str(&files.read("got")).expect("JSON");
    assert_eq!(report["exit_code"], 0);
    let pipe = fs::metadata(files.path("pipe")).expect("it is there");
    assert!(pipe.file_type().is_fifo());
}

fn inode(path: &str) -> u64 {
    fs::metadata(path).expect("it is there").ino()
}

#[test]
fn the_second_of_two_runs_on_one_rejects_file_is_refused() {
    let files = FilesFolder::new();
    let rej = files.text("rej");
    let args = ["replay", "-", "--rehearse", "--rejects", &rej];
    let mut first = Run::new(args).stdin_open().spawn();
    first.wait_until("it has its rejects file", |_| Path::new(&rej).exists());
    // Made a moment before it is locked.
    first.write_stdin(CAPTURE.repeat(20_000).as_bytes());
    let second = files.rehearse(&["--rejects", &rej]);
    let expected = format!("kreplay: cannot write the rejects to {rej}: another run is using it\n");
    assert_eq!(refused(&second), expected);
    let first = first.wait();
    assert_eq!(first.code, 0, "{first:#?}");
}

#[test]
fn new_files_are_readable_by_their_owner_alone() {
    let files = FilesFolder::new();
    let (rej, file) = (files.text("rej"), files.text("file"));
    let run = files.rehearse(&["--rejects", &rej, "--report-file", &file]);
    assert_eq!(run.code, 0, "{run:#?}");
    for name in ["rej", "file"] {
        let mode = fs::metadata(files.path(name))
            .expect("it is there")
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
    }
    let names = fs::read_dir(files.0.path()).expect("it is a folder");
    let mut names: Vec<_> = names
        .map(|entry| entry.expect("it is readable").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["cap", "file", "rej"], "nothing else is left");
}

#[test]
fn a_link_is_followed_to_a_file_that_is_there_and_no_new_one_is_made_through_it() {
    for (name, flag) in [("rej", "--rejects"), ("file", "--report-file")] {
        let files = FilesFolder::new();
        fs::create_dir(files.path("elsewhere")).expect("the folder is writable");
        let target = files.path("elsewhere").join(name);
        symlink(Path::new("elsewhere").join(name), files.path(name)).expect("a link");
        let link = files.text(name);
        let run = files.rehearse(&[flag, &link]);
        assert_eq!(run.code, 2, "{run:#?}");
        let why = "it is a link to a file that does not exist, and kreplay creates no file through a link";
        assert!(run.stderr.contains(why), "{run:#?}");
        assert!(!target.exists(), "{name}");
        fs::write(&target, "").expect("the folder is writable");
        let run = files.rehearse(&[flag, &link]);
        assert_eq!(run.code, 0, "{run:#?}");
        assert!(files.path(name).is_symlink() && target.is_file(), "{name}");
    }
}

#[test]
fn a_run_that_fails_early_leaves_no_report_file() {
    let files = FilesFolder::new();
    let file = files.text("file");
    let run = files.rehearse(&["--report-file", &file, "-X", "nonsense=1"]);
    assert_eq!(run.code, 2, "{run:#?}");
    assert!(!files.path("file").exists());
}
