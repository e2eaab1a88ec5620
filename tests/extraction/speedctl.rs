//! `kreplay snapshot` with a speedctl that behaves, misbehaves or is missing. `tools/speedctl` plays all of
//! them; its `faults.rs` describes its misbehaviours.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::paths::{fixture, standin};
use crate::harness::run::{Run, RunOutput, Running, kreplay, report};
use crate::harness::verdict::readback::{self, LoggedRecord};
use nix::sys::signal::Signal;
use rdkafka::mocking::MockCluster;
use serde_json::Value;
use tempfile::TempDir;

/// No run here may come near this; a deadlock does.
const LIMIT: Duration = Duration::from_secs(20);
/// Records of `demo.jsonl`.
const DEMO: u64 = 21;

/// A run of `kreplay snapshot` with the simulated speedctl, and where that notes what it did.
struct Play {
    run: Run,
    notes: TempDir,
}

/// Prepares `kreplay snapshot ID` with a list of faults.
fn play(id: &str, faults: &str, args: &[&str]) -> Play {
    let notes = tempfile::tempdir().expect("the system's temporary folder is writable");
    let pids = notes.path().join("pids").display().to_string();
    let typed = notes.path().join("args").display().to_string();
    let run = Run::new(
        ["snapshot", id, "--rehearse", "--report", "json"]
            .iter()
            .chain(args),
    )
    .env("KREPLAY_SPEEDCTL", standin())
    .env("STANDIN_DATA", fixtures())
    .env("STANDIN_OBJECTS", "json")
    .env(
        "STANDIN_FAULT",
        format!("{faults},pid-file={pids},args-file={typed}"),
    )
    .limit(LIMIT);
    Play { run, notes }
}

impl Play {
    fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.run = self.run.env(name, value);
        self
    }

    /// Runs to the end.
    fn end(self) -> Played {
        let Self { run, notes } = self;
        played(run.spawn(), &notes)
    }
}

/// A finished run.
struct Played {
    output: RunOutput,
    report: Value,
    /// The arguments of each call of speedctl.
    calls: Vec<Vec<String>>,
}

/// Waits for the end of a run and checks that it left no process behind.
fn played(running: Running, notes: &TempDir) -> Played {
    let output = running.wait();
    let read = |name| fs::read_to_string(notes.path().join(name)).unwrap_or_default();
    for pid in read("pids").lines() {
        assert!(!is_alive(pid), "process {pid} is left behind\n{output:#?}");
    }
    let calls = read("args")
        .lines()
        .map(|line| serde_json::from_str(line).expect("the stand-in writes JSON"))
        .collect();
    let report = report(&output);
    assert_sound(&output, &report);
    Played {
        output,
        report,
        calls,
    }
}

/// What holds for every run: no panic, the exit code of the report, a ledger that balances.
fn assert_sound(output: &RunOutput, report: &Value) {
    assert!(!output.stderr.contains("panicked"), "{output:#?}");
    assert_eq!(report["exit_code"], output.code, "{output:#?}");
    let ledger = report["ledger"]
        .as_object()
        .expect("the report has a ledger");
    let total: u64 = ledger.values().filter_map(Value::as_u64).sum();
    assert_eq!(
        report["ledger"]["found"].as_u64(),
        Some(total / 2),
        "{output:#?}"
    );
}

/// A process that has ended may stay as a zombie where nobody inherits it, as in a container.
fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

fn fixtures() -> PathBuf {
    fixture("demo.jsonl").with_file_name("")
}

impl Played {
    fn ledger(&self, name: &str) -> u64 {
        self.report["ledger"][name]
            .as_u64()
            .expect("the ledger has this member")
    }

    /// What kreplay prints on stderr, both notes and errors.
    fn said(&self) -> Vec<&str> {
        let lines = self.output.stderr.lines();
        lines.filter(|line| line.starts_with("kreplay: ")).collect()
    }

    /// Checks that the source failed with one error that contains `words`, and nothing was sent.
    fn assert_refused(&self, what: &str, words: &[&str]) {
        let RunOutput { code, stderr, .. } = &self.output;
        assert_eq!(*code, 4, "{what}: {stderr}");
        assert_eq!(self.ledger("delivered"), 0, "{what}");
        assert_eq!(self.report["source"]["complete"], false, "{what}");
        assert_eq!(self.said().len(), 1, "{what}: one error, not {stderr}");
        for word in words {
            assert!(stderr.contains(word), "{what}: `{word}` is not in {stderr}");
        }
    }

    /// Checks that all of `demo` was delivered and nothing was printed on stderr.
    fn assert_whole_demo(&self, what: &str) {
        let RunOutput { code, stderr, .. } = &self.output;
        assert_eq!(*code, 0, "{what}: {stderr}");
        assert_eq!(
            (self.ledger("found"), self.ledger("delivered")),
            (DEMO, DEMO),
            "{what}"
        );
        assert_eq!(self.report["source"]["complete"], true, "{what}");
        assert_eq!(self.report["problems"], serde_json::json!([]), "{what}");
        assert_eq!(stderr, "", "{what}");
    }
}

/// Begins all runs at once and checks each at its end; most of their time is waiting.
fn side_by_side<C>(cases: Vec<(Play, C)>, check: impl Fn(Played, C)) {
    let running: Vec<_> = cases
        .into_iter()
        .map(|(Play { run, notes }, case)| (run.spawn(), notes, case))
        .collect();
    for (run, notes, case) in running {
        check(played(run, &notes), case);
    }
}

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
    // They are written just before the exit, so that a reader that looks too early misses them.
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
    let listed = include_str!("../../tools/speedctl/src/faults.rs");
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

#[test]
fn output_without_a_csv_in_it_is_refused() {
    let nothing = "printed no CSV header and named no CSV file";
    for (faults, words) in [
        ("no-header", nothing),
        ("no-header,stderr=1000", nothing),
        ("no-output", nothing),
        ("cut=0", nothing),
        ("cut=5", nothing),
        (
            "names-file,no-header",
            "demo.csv, which does not have a CSV header",
        ),
    ] {
        for via in ["auto", "csv"] {
            let played = play("demo", faults, &["--via", via]).end();
            played.assert_refused(faults, &[words]);
        }
    }
    let played = play("demo", "no-output", &["--via", "raw"]).end();
    played.assert_refused("no-output --via raw", &["wrote no ", "/demo/raw.jsonl"]);
}

#[test]
fn a_csv_file_that_is_named_but_missing_is_refused() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    for (to, text) in [
        ("1", "wrote 27 rows to /no/such/out.csv"),
        ("2", "result: no-such.csv"),
    ] {
        let script = folder.path().join("speedctl");
        let lines = format!("#!/bin/sh\necho '{text}' >&{to}\n");
        fs::write(&script, lines).expect("the folder is writable");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("the file is ours");
        let script = script.display().to_string();
        let played = play("demo", "", &["--speedctl", &script]).end();
        played.assert_refused(text, &["`speedctl extract data` ", "CSV"]);
    }
}

#[test]
fn a_truncated_csv_sends_nothing_whatever_the_exit_code_of_speedctl() {
    // The header ends after 2,721 bytes, the last row after 12,347.
    for bytes in [2722, 3000, 5000, 12_000, 12_346] {
        for via in ["auto", "csv"] {
            let cut = |fault| play("demo", &format!("{fault}={bytes}"), &["--via", via]).end();
            let what = format!("{bytes} bytes --via {via}");
            cut("cut").assert_refused(&what, &["snapshot demo:", "the input is cut off"]);
            let words = [
                "exited with code 1",
                "stream error: connection reset by peer",
            ];
            cut("cut-fail").assert_refused(&what, &words);
            cut("names-file,cut").assert_refused(&what, &["demo.csv:", "the input is cut off"]);
            cut("names-file,cut-fail").assert_refused(&what, &words);
        }
    }
    for bytes in [1, 2000, 60_000, 64_067] {
        let cut = |fault| play("demo", &format!("{fault}={bytes}"), &["--via", "raw"]).end();
        let what = format!("{bytes} bytes --via raw");
        cut("cut").assert_refused(&what, &["raw.jsonl:", "the input is cut off"]);
        let words = [
            "exited with code 1",
            "stream error: connection reset by peer",
        ];
        cut("cut-fail").assert_refused(&what, &words);
    }
}

#[test]
fn a_csv_that_is_cut_off_inside_its_header_is_refused() {
    for bytes in [100, 1000, 2000, 2700, 2720] {
        let played = play("demo", &format!("cut={bytes}"), &[]).end();
        played.assert_refused(&format!("{bytes} bytes"), &["snapshot demo"]);
    }
}

/// What a CSV cannot carry: the fixture, a part of the note on stderr, and the result with `--via csv`:
/// records delivered and the problem reported.
const SENTINELS: [(&str, &str, u64, Option<&str>); 7] = [
    (
        "second-record",
        "more than one element of `records`",
        3,
        Some("lost_by_csv"),
    ),
    (
        "second-partition",
        "more than one element of `partitions`",
        3,
        Some("lost_by_csv"),
    ),
    (
        "second-topic",
        "more than one element of `topics`",
        3,
        Some("lost_by_csv"),
    ),
    ("headers", "headers", 3, Some("headers_lost")),
    ("tombstone", "value cell is empty", 2, Some("lost_by_csv")),
    ("topic-id", "known only by its id", 2, Some("lost_by_csv")),
    // Markers are never replayed, so nothing is lost.
    ("control", "transaction markers", 3, None),
];

#[test]
fn content_that_a_csv_cannot_carry_changes_auto_to_raw_with_a_note() {
    for (id, why, ..) in SENTINELS {
        let path = fixture(&format!("{id}.jsonl")).display().to_string();
        let raw = report(&kreplay([
            "replay",
            &path,
            "--rehearse",
            "--report",
            "json",
        ]));
        for objects in ["json", "empty"] {
            let what = format!("{id}, objects {objects}");
            let played = play(id, "", &[]).env("STANDIN_OBJECTS", objects).end();
            assert_eq!(played.output.code, 0, "{what}: {}", played.output.stderr);
            assert_eq!(played.report["source"]["via"], "raw", "{what}");
            for member in ["ledger", "topics", "placement", "problems"] {
                assert_eq!(played.report[member], raw[member], "{what}");
            }
            let [note] = played.said()[..] else {
                panic!("{what}: one note, not {}", played.output.stderr)
            };
            assert!(
                note.contains(why) && note.contains("RRPairs instead"),
                "{what}: {note}"
            );
            let actions: Vec<&str> = played.calls.iter().map(|call| call[0].as_str()).collect();
            assert_eq!(actions, ["extract", "pull"], "{what}");
        }
    }
}

#[test]
fn content_that_a_csv_cannot_carry_is_counted_and_named_with_via_csv() {
    for (id, _, delivered, problem) in SENTINELS {
        for objects in ["json", "empty"] {
            let what = format!("{id}, objects {objects}");
            let played = play(id, "", &["--via", "csv"])
                .env("STANDIN_OBJECTS", objects)
                .end();
            let code = i32::from(problem.is_some());
            assert_eq!(played.output.code, code, "{what}: {}", played.output.stderr);
            assert_eq!(played.ledger("delivered"), delivered, "{what}");
            let problems = played.report["problems"].as_array().expect("a list");
            let kinds: Vec<&str> = problems.iter().filter_map(|p| p["what"].as_str()).collect();
            assert_eq!(kinds, problem.as_slice(), "{what}");
            for problem in problems {
                assert_eq!(
                    (&problem["count"], &problem["first"]["line"]),
                    (&1.into(), &4.into()),
                    "{what}"
                );
                let input = format!("snapshot {id}");
                assert_eq!(problem["first"]["input"], input, "{what}");
            }
            assert_eq!(played.calls.len(), 1, "{what}");
        }
    }
}

#[test]
fn losses_of_via_csv_are_reported_with_a_hint_at_via_raw() {
    for (id, _, _, problem) in SENTINELS {
        if problem.is_some() && id != "topic-id" {
            assert_hints_at_raw(id);
        }
    }
}

#[test]
fn a_topic_known_only_by_id_in_a_csv_is_reported_with_a_hint_at_via_raw() {
    assert_hints_at_raw("topic-id");
}

fn assert_hints_at_raw(id: &str) {
    let text = Run::new(["snapshot", id, "--rehearse", "--via", "csv"])
        .env("KREPLAY_SPEEDCTL", standin())
        .env("STANDIN_DATA", fixtures())
        .output();
    assert_eq!(text.code, 1, "{id}: {}", text.stderr);
    let hint = text.stdout.lines().find(|line| line.contains("hint: "));
    assert!(
        hint.is_some_and(|hint| hint.contains("--via raw")),
        "{id}: {}",
        text.stdout
    );
}

/// Records of the long capture; with 1,000 bytes each they are more than the channel holds.
const MANY: u64 = 42_000;

/// A folder with `long.jsonl`: plain records, one in each Fetch, and two in the last Fetch.
fn long_capture() -> TempDir {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let file = fs::File::create(folder.path().join("long.jsonl")).expect("the folder is writable");
    let mut file = std::io::BufWriter::new(file);
    let pad = "x".repeat(1000);
    for offset in 0..MANY {
        let second = if offset + 1 == MANY {
            r#",{"offsetDelta":1,"valueString":"last"}"#
        } else {
            ""
        };
        writeln!(
            file,
            r#"{{"ts":"2026-01-05T09:00:00Z","uuid":"dTKLshJQTEGWBa+9varISw==","command":"Fetch","kafka":{{"response":{{"FetchResponse":{{"topics":[{{"name":"orders","partitions":[{{"records":{{"baseOffset":"{offset}","baseTimestamp":"1767603600000","records":[{{"keyString":"k{offset}","valueString":"{pad}"}}{second}]}}}}]}}]}}}}}}}}"#
        )
        .expect("the disk has room");
    }
    file.flush().expect("the disk has room");
    folder
}

#[test]
fn losses_found_after_the_channel_was_full_are_counted_and_named() {
    let folder = long_capture();
    for objects in ["json", "empty"] {
        let played = play("long", "", &[])
            .env("STANDIN_DATA", folder.path())
            .env("STANDIN_OBJECTS", objects)
            .end();
        assert_eq!(played.output.code, 1, "{}", played.output.stderr);
        assert!(played.report["source"]["bytes"].as_u64() > Some(40_000_000));
        assert_eq!(played.report["source"]["via"], "csv");
        assert_eq!(
            (played.ledger("delivered"), played.ledger("unreadable")),
            (MANY, 1)
        );
        assert_eq!(played.report["problems"][0]["what"], "lost_by_csv");
        assert_eq!(played.report["problems"][0]["first"]["line"], MANY + 1);
        assert_eq!(played.calls.len(), 1);
    }
    let raw = play("long", "", &["--via", "raw"])
        .env("STANDIN_DATA", folder.path())
        .end();
    assert_eq!((raw.output.code, raw.ledger("delivered")), (0, MANY + 1));
}

#[test]
fn a_speedctl_failure_after_the_channel_was_full_is_reported_with_what_was_sent() {
    let folder = long_capture();
    for (faults, how) in [
        ("kill-self=41000", "SIGKILL"),
        ("exit=9", "exited with code 9"),
        ("cut-fail=40000000", "exited with code 1"),
        ("cut=40000001", "the input is cut off"),
        ("silent-after=41000", "wrote nothing for 1s"),
    ] {
        let played = play(
            "long",
            faults,
            &["--via", "csv", "--speedctl-timeout", "1s"],
        )
        .env("STANDIN_DATA", folder.path())
        .end();
        let RunOutput { code, stderr, .. } = &played.output;
        assert_eq!(*code, 4, "{faults}: {stderr}");
        assert!(stderr.contains(how), "{faults}: {stderr}");
        assert_eq!(played.report["source"]["complete"], false, "{faults}");
        // What was read was good, and the gate was open.
        assert!(
            played.ledger("delivered") > 30_000,
            "{faults}: {}",
            played.report["ledger"]
        );
    }
}

/// The first column of the CSV that kreplay asks for.
const VALUE: &str =
    "kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString,";

/// A name that a shell splits unless it is quoted.
const ODD: &str = "it's $HOME; `id` \\ \"x\"";

#[test]
fn print_command_prints_what_a_shell_runs_as_it_is() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let speedctl = folder
        .path()
        .join(format!("speed ctl {}", ODD.replace('/', "")));
    symlink(standin(), &speedctl).expect("the folder is writable");
    let speedctl = speedctl.display().to_string();
    let odd = format!("--note={ODD}");
    for (via, first) in [
        ("auto", VALUE),
        ("csv", VALUE),
        ("raw", "Downloading snapshot demo ..."),
    ] {
        let printed = kreplay([
            "snapshot",
            "demo",
            "--via",
            via,
            "--speedctl",
            &speedctl,
            "--speedctl-arg",
            &odd,
            "--print-command",
        ]);
        assert_eq!((printed.code, printed.stderr.as_str()), (0, ""), "{via}");
        assert_eq!(
            printed.stdout.lines().count(),
            1,
            "{via}: {}",
            printed.stdout
        );
        let typed = folder
            .path()
            .join(format!("{via}.args"))
            .display()
            .to_string();
        let shell = Run::program("sh", ["-c", printed.stdout.as_str()])
            .env("STANDIN_DATA", fixtures())
            .env("STANDIN_OBJECTS", "json")
            .env("STANDIN_FAULT", format!("args-file={typed}"))
            .output();
        assert_eq!((shell.code, shell.stderr.as_str()), (0, ""), "{via}");
        assert!(shell.stdout.starts_with(first), "{via}: {}", shell.stdout);
        let typed = fs::read_to_string(typed).expect("the stand-in wrote its arguments");
        let typed: Vec<String> = serde_json::from_str(&typed).expect("as JSON");
        assert_eq!(typed.last(), Some(&odd), "{via}");
        let same = play("demo", "", &["--via", via, "--speedctl-arg", &odd]).end();
        assert_eq!(
            same.calls,
            [typed],
            "{via}: the command that is printed is the one that runs"
        );
        // Rows of the replay are those of the shell.
        if via != "raw" {
            assert_eq!(same.report["source"]["bytes"], shell.stdout.len(), "{via}");
        }
    }
}

#[test]
fn print_command_needs_neither_brokers_nor_a_speedctl() {
    let printed = kreplay(["snapshot", "demo", "--print-command"]);
    assert_eq!((printed.code, printed.stderr.as_str()), (0, ""));
    assert!(
        printed
            .stdout
            .starts_with("speedctl extract data demo --path "),
        "{}",
        printed.stdout
    );
    assert!(
        printed
            .stdout
            .ends_with(" --filter '(command IS \"Fetch\")'\n"),
        "{}",
        printed.stdout
    );
}

#[test]
fn verbose_prints_the_command_with_the_values_of_the_users_own_arguments_hidden() {
    let speedctl = standin().display().to_string();
    for via in ["csv", "raw"] {
        let args = [
            "--via",
            via,
            "--speedctl",
            &speedctl,
            "--speedctl-arg",
            "--note=it's",
        ];
        let printed = kreplay(["snapshot", "demo", "--print-command"].iter().chain(&args));
        let played = play("demo", "", &[&args[..], &["-v"]].concat()).end();
        assert_eq!(played.output.code, 0, "{}", played.output.stderr);
        let printed = printed.stdout.trim_end();
        let own = printed
            .find("'--note=it")
            .expect("it is quoted for a shell");
        let expected = format!("running {}--note=...", &printed[..own]);
        let mut said = played.output.stderr.lines();
        assert!(
            said.any(|line| line.ends_with(&expected)),
            "{}",
            played.output.stderr
        );
        let plain = play("demo", "", &["--via", via]).end();
        assert_eq!(plain.output.stderr, "");
    }
}

#[test]
fn extra_arguments_reach_speedctl_unchanged_and_in_order() {
    let arguments = [
        "--speedctl-arg",
        "--config",
        "--speedctl-arg",
        ODD,
        "--speedctl-arg=--verbose",
        "--speedctl-arg=",
    ];
    for (via, action) in [
        ("csv", ["extract", "data", "demo"]),
        ("raw", ["pull", "snapshot", "demo"]),
    ] {
        let played = play("demo", "", &[&["--via", via], &arguments[..]].concat()).end();
        let [call] = &played.calls[..] else {
            panic!("{via}: one call, not {:?}", played.calls)
        };
        assert_eq!(call[..3], action, "{via}");
        // The simulated speedctl takes the empty argument for a second snapshot, which shows that it arrives.
        let tail: Vec<&str> = call[call.len() - 4..].iter().map(String::as_str).collect();
        assert_eq!(tail, ["--config", ODD, "--verbose", ""], "{via}");
        played.assert_refused(via, &["more than one snapshot id"]);
    }
}

#[test]
fn speedctl_is_found_by_flag_then_environment_then_path() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    symlink(standin(), folder.path().join("speedctl")).expect("the folder is writable");
    let path = folder.path().as_os_str();
    let standin = standin().display().to_string();
    let run = |args: &[&str]| {
        Run::new(
            ["snapshot", "demo", "--rehearse", "--report", "json"]
                .iter()
                .chain(args),
        )
        .env("STANDIN_DATA", fixtures())
        .env("PATH", path)
    };
    let demo = |what: &str, output: &RunOutput| {
        assert_eq!(output.code, 0, "{what}: {}", output.stderr);
        assert_eq!(report(output)["ledger"]["delivered"], DEMO, "{what}");
    };
    demo("PATH", &run(&[]).output());
    demo(
        "environment",
        &run(&[])
            .env("PATH", "/no/such")
            .env("KREPLAY_SPEEDCTL", &standin)
            .output(),
    );
    demo(
        "flag",
        &run(&["--speedctl", &standin])
            .env("KREPLAY_SPEEDCTL", "/no/such/speedctl")
            .output(),
    );
    demo(
        "a name on PATH",
        &run(&["--speedctl", "speedctl"])
            .env("KREPLAY_SPEEDCTL", "/no/such")
            .output(),
    );
    let nowhere = run(&[])
        .env("KREPLAY_SPEEDCTL", "/no/such/speedctl")
        .output();
    assert_eq!(
        nowhere.code, 4,
        "the environment goes before PATH: {}",
        nowhere.stderr
    );
    let relative = run(&["--speedctl", "./speedctl"])
        .cwd(folder.path())
        .output();
    demo("a relative path", &relative);
}

/// Replays `demo` into a cluster of its own and reads it back.
fn replayed(via: &str) -> Vec<LoggedRecord> {
    let cluster = MockCluster::new(1).expect("a mock cluster needs nothing");
    for (topic, partitions) in [("orders", 3), ("payments", 2)] {
        cluster
            .create_topic(topic, partitions, 1)
            .expect("the topic is new");
    }
    let brokers = cluster.bootstrap_servers();
    let output = Run::new([
        "snapshot",
        "demo",
        "--via",
        via,
        "--timestamps",
        "original",
        "-q",
        "-b",
        &brokers,
    ])
    .env("KREPLAY_SPEEDCTL", standin())
    .env("STANDIN_DATA", fixtures())
    .output();
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{via}");
    assert!(output.stdout.contains("21"), "{via}: {}", output.stdout);
    let read = |topic| readback::read(&brokers, topic).expect("the mock cluster answers");
    [read("orders"), read("payments")].concat()
}

#[test]
fn the_demo_arrives_the_same_via_csv_and_via_raw() {
    let (auto, csv, raw) = (replayed("auto"), replayed("csv"), replayed("raw"));
    assert_eq!(auto.len() as u64, DEMO);
    assert_eq!(csv, raw);
    assert_eq!(auto, raw);
    let counts = [
        ("orders", 0),
        ("orders", 1),
        ("orders", 2),
        ("payments", 0),
        ("payments", 1),
    ]
    .map(|(topic, partition)| {
        let there = |seen: &&LoggedRecord| seen.topic == topic && seen.partition == partition;
        raw.iter().filter(there).count()
    });
    assert_eq!(counts, [6, 4, 3, 3, 5]);
}
