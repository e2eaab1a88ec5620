//! Outputs: what another run has left is kept, and new files are for their owner alone.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use super::{CAPTURE, FilesFolder, refused};
use crate::harness::run::{Run, kreplay};
use rdkafka::mocking::MockCluster;

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
        "kreplay: the rejects file {rej} already holds rejects that the new journal {new} does \
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
fn two_names_of_one_file_are_one_file_also_when_it_is_new() {
    let files = FilesFolder::new();
    symlink("new", files.path("link")).expect("a link");
    let (new, link) = (files.text("new"), files.text("link"));
    let run = files.rehearse(&["--rejects", &new, "--report-file", &link]);
    let expected = "kreplay: `--rejects` and `--report-file` name the same file\n";
    assert_eq!(refused(&run), expected);
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
