//! A speedctl that fails, misbehaves, is silent or is missing.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::{LIMIT, Play, is_alive, play, side_by_side};
use nix::sys::signal::Signal;

#[test]
fn a_speedctl_that_cannot_be_started_is_an_error_with_a_hint_how_to_name_one() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let plain = folder.path().join("speedctl");
    fs::write(&plain, "no program\n").expect("the folder is writable");
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).expect("the file is ours");
    let plain = plain.display().to_string();
    let hint = "hint: install speedctl, or name it with `--speedctl PATH` or KREPLAY_SPEEDCTL";
    let here = folder.path().display().to_string();
    for via in ["auto", "csv", "raw"] {
        for (name, why) in [
            ("no-such-speedctl", "it is not on PATH"),
            ("/no/such/speedctl", "no such file or directory"),
            (&plain, "permission denied"),
            (&here, "permission denied"),
            ("./speedctl", "no such file or directory"),
        ] {
            let played = play("demo", "", &["--via", via, "--speedctl", name]).end();
            played.assert_refused(name, &[&format!("`{name}`"), why, hint]);
        }
        // A file on PATH that is not executable counts as missing.
        let played = play("demo", "", &["--via", via, "--speedctl", "speedctl"])
            .env("PATH", &here)
            .end();
        played.assert_refused("PATH", &["`speedctl`: it is not on PATH", hint]);
    }
}

/// Faults, the way, and what kreplay says about them.
const FAILURES: [(&str, &str, &[&str]); 19] = [
    (
        "exit-early=3",
        "auto",
        &[
            "`speedctl extract data` exited with code 3",
            "Error: snapshot not found",
        ],
    ),
    (
        "exit-early=3",
        "csv",
        &[
            "`speedctl extract data` exited with code 3",
            "Error: snapshot not found",
        ],
    ),
    (
        "exit-early=3",
        "raw",
        &[
            "`speedctl pull snapshot` exited with code 3",
            "Error: snapshot not found",
        ],
    ),
    ("exit=5", "auto", &["exited with code 5", FAILED]),
    ("exit=5", "csv", &["exited with code 5", FAILED]),
    ("exit=5", "raw", &["exited with code 5", FAILED]),
    ("exit=255", "auto", &["exited with code 255", FAILED]),
    ("kill-self", "auto", &["SIGKILL", "wrote nothing to stderr"]),
    ("kill-self=7", "auto", &["SIGKILL"]),
    ("kill-self=7", "csv", &["SIGKILL"]),
    ("kill-self=7", "raw", &["SIGKILL"]),
    ("kill-self=100000", "auto", &["SIGKILL"]),
    (
        "stderr=1000000,exit=6",
        "auto",
        &["exited with code 6", FAILED, "INFO"],
    ),
    (
        "stderr=1000000,exit-early=6",
        "raw",
        &["exited with code 6", "snapshot not found"],
    ),
    ("no-output,exit=7", "auto", &["exited with code 7", FAILED]),
    ("no-output,exit=7", "raw", &["exited with code 7", FAILED]),
    ("names-file,exit=7", "auto", &["exited with code 7", FAILED]),
    (
        "names-file-stderr,exit=7",
        "auto",
        &["exited with code 7", FAILED],
    ),
    ("child,exit=3", "auto", &["exited with code 3", FAILED]),
];

/// The last words of the simulated speedctl.
const FAILED: &str = "Error: the extraction failed";

#[test]
fn a_speedctl_that_fails_sends_nothing_and_its_last_words_are_shown() {
    for (faults, via, words) in FAILURES {
        let what = format!("{faults} --via {via}");
        let played = play("demo", faults, &["--via", via]).end();
        played.assert_refused(&what, words);
        let lines = played.output.stderr.lines().count();
        assert!(
            lines <= 10,
            "{what}: the end of stderr is {lines} lines long"
        );
        assert_eq!(played.ledger("found"), played.ledger("unsent"), "{what}");
    }
}

#[test]
fn the_last_words_of_speedctl_are_never_lost() {
    // speedctl writes them just before it exits, so that a reader that stops too early misses them.
    for round in 0..15 {
        let early = |via| play("demo", "exit-early=3", &["--via", via]);
        let cases = ["auto", "csv", "raw", "auto"].map(|via| (early(via), via));
        side_by_side(cases.into(), |played, via| {
            let what = format!("round {round} --via {via}");
            played.assert_refused(&what, &["Error: snapshot not found"]);
        });
        let named = || play("demo", "names-file-stderr", &[]);
        side_by_side([(named(), ()), (named(), ())].into(), |played, ()| {
            played.assert_whole_demo(&format!("round {round}, a file named on stderr"));
        });
    }
}

#[test]
fn an_unknown_snapshot_is_refused_in_the_words_of_speedctl() {
    for via in ["auto", "csv", "raw"] {
        let played = play("no-such-id", "", &["--via", via]).end();
        played.assert_refused(via, &["Error: snapshot not found: no-such-id"]);
    }
}

#[test]
fn a_silent_speedctl_is_stopped_with_all_that_it_started() {
    let mut cases = Vec::new();
    for faults in [
        "silent",
        "silent-after=0",
        "silent-after=5",
        "silent,ignore-term",
        "silent-after=5,ignore-term",
        "silent,child",
        "silent-after=5,child,ignore-term",
        // All rows are there, and no end.
        "child",
        "silent-after=100000",
        "stderr=100000,silent-after=5",
    ] {
        for via in ["auto", "raw"] {
            let args = ["--via", via, "--speedctl-timeout", "1s"];
            cases.push((play("demo", faults, &args), format!("{faults} --via {via}")));
        }
    }
    side_by_side(cases, |played, what| {
        played.assert_refused(&what, &["wrote nothing for 1s", "--speedctl-timeout"]);
        assert!(played.output.elapsed >= Duration::from_secs(1), "{what}");
    });
}

/// Every fault of the simulated speedctl that is a misbehaviour, with a value if it takes one.
const MISBEHAVIOURS: [&str; 19] = [
    "exit=3",
    "exit-early=3",
    "kill-self=7",
    "silent",
    "silent-after=5",
    "stderr=300000",
    "no-header",
    "bom",
    "crlf",
    "no-output",
    "cut=5000",
    "cut-fail=5000",
    "names-file",
    "names-file-stderr",
    "child",
    "late-child=200",
    "ignore-term",
    "slow=5",
    "object-uuid-suffix",
];

#[test]
fn any_two_misbehaviours_end_with_code_4_and_nothing_sent_or_do_no_harm() {
    let mut cases = Vec::new();
    for (i, one) in MISBEHAVIOURS.iter().enumerate() {
        // With itself is alone.
        for other in &MISBEHAVIOURS[i..] {
            let via = ["csv", "raw", "auto"][cases.len() % 3];
            cases.push((format!("{one},{other}"), via));
        }
    }
    for some in cases.chunks(24) {
        let begin = |(faults, via): &(String, &'static str)| {
            let args = ["--via", via, "--speedctl-timeout", "1s"];
            (play("demo", faults, &args), format!("{faults} --via {via}"))
        };
        side_by_side(
            some.iter().map(begin).collect(),
            |played, what| match played.output.code {
                0 => played.assert_whole_demo(&what),
                _ => played.assert_refused(&what, &[]),
            },
        );
    }
}

#[test]
fn every_fault_of_the_stand_in_is_tried() {
    let listed = include_str!("../../../tools/speedctl/src/faults.rs");
    let rows = listed.lines().filter(|line| line.starts_with("//! | `"));
    // Every second part is between backticks; the value after `=` or `[` does not belong to the name.
    let first = |row: &'static str| row.split(" | ").nth(1).unwrap_or_default();
    let names = rows.flat_map(|row| first(row).split('`').skip(1).step_by(2));
    let names = names.map(|name| name.split(['=', '[']).next().unwrap_or_default());
    let notes = ["pid-file", "args-file"];
    let tried = MISBEHAVIOURS.map(|fault| fault.split('=').next().unwrap_or_default());
    let listed: Vec<&str> = names.filter(|name| !notes.contains(name)).collect();
    let missing: Vec<&&str> = listed.iter().filter(|name| !tried.contains(name)).collect();
    assert_eq!((listed.len(), missing), (tried.len(), Vec::new()));
}

#[test]
fn a_slow_speedctl_is_not_a_silent_one() {
    let slow = play("demo", "slow=60", &["--speedctl-timeout", "1s"]).end();
    slow.assert_whole_demo("slow");
    assert!(
        slow.output.elapsed > Duration::from_secs(1),
        "it took longer than the limit of silence"
    );
}

#[test]
fn harmless_faults_of_speedctl_change_nothing() {
    for faults in [
        "",
        "bom",
        "crlf",
        "bom,crlf",
        "stderr=1000000",
        "names-file",
        "names-file-stderr",
        "names-file,bom,crlf",
        "names-file,stderr=100000",
        "names-file-stderr,stderr=1000000",
        "object-uuid-suffix",
        "ignore-term",
    ] {
        let played = play("demo", faults, &[]).end();
        played.assert_whole_demo(faults);
        assert_eq!(played.report["source"]["via"], "csv", "{faults}");
        assert_eq!(played.calls.len(), 1, "{faults}");
    }
    for faults in ["stderr=1000000", "slow=5"] {
        let played = play("demo", faults, &["--via", "raw"]).end();
        played.assert_whole_demo(faults);
        assert_eq!(played.report["source"]["via"], "raw", "{faults}");
    }
}

#[test]
fn what_a_child_of_speedctl_writes_after_the_end_of_speedctl_is_read() {
    // Longer than any time after which an exit code of 0 could count as the end of the output.
    let (late, late_name) = ("late-child=3000", "late-child=3000,names-file");
    let late_stderr = "late-child=3000,names-file-stderr,stderr=1000";
    let cases = [
        (late, "csv"),
        (late_name, "csv"),
        (late_stderr, "auto"),
        (late, "raw"),
    ];
    let begin = |(faults, via): &(&'static str, &'static str)| {
        let what = format!("{faults} --via {via}");
        (play("demo", faults, &["--via", via]), what)
    };
    side_by_side(cases.iter().map(begin).collect(), |played, what| {
        played.assert_whole_demo(&what);
    });
}

#[test]
fn output_that_stays_open_in_silence_is_incomplete_whatever_the_exit_code() {
    let mut cases = Vec::new();
    for faults in [
        "child,exit=0",
        "child,exit=0,ignore-term",
        "child,exit=0,names-file",
        "late-child=600000",
    ] {
        for via in ["csv", "raw"] {
            let args = ["--via", via, "--speedctl-timeout", "1s"];
            cases.push((play("demo", faults, &args), format!("{faults} --via {via}")));
        }
    }
    let words = [
        "exited with code 0, but a process that it started keeps its output open and wrote nothing for 1s",
        "--speedctl-timeout",
    ];
    side_by_side(cases, |played, what| played.assert_refused(&what, &words));
}

#[test]
fn speedctl_and_what_it_started_end_with_a_kreplay_that_is_killed() {
    for faults in [
        "silent,child",
        "silent-after=5,child,ignore-term",
        "exit=0,child",
    ] {
        let Play { run, notes } = play("demo", faults, &[]);
        let pids = || {
            let text = fs::read_to_string(notes.path().join("pids")).unwrap_or_default();
            text.lines().map(String::from).collect::<Vec<_>>()
        };
        let mut running = run.spawn();
        running.wait_until("speedctl has started its child", |_| pids().len() == 2);
        running.signal(Signal::SIGKILL);
        let output = running.wait();
        assert_eq!(output.code, -9, "{faults}");
        let patience = Instant::now() + LIMIT;
        while pids().iter().any(|pid| is_alive(pid)) {
            assert!(Instant::now() < patience, "{faults}: {:?} live on", pids());
            thread::sleep(Duration::from_millis(5));
        }
    }
}
