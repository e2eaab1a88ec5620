//! Signals while a token command or speedctl runs: no process of theirs is left.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::{AT_ONCE, SIGNALS, WITH_GRACE, end, fifo, interrupted, threads};
use crate::harness::paths::{fixture, standin};
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::run::Run;
use nix::sys::signal::Signal::{self, SIGINT};

#[test]
fn a_wait_for_a_token_can_be_interrupted_and_leaves_no_process() {
    for (signal, code) in SIGNALS {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (file, pid_file) = (fifo(&folder), folder.path().join("pid"));
        let command = format!("echo $$ > {}; sleep 100", pid_file.display());
        for token in [["--oauth-file", &file], ["--oauth-command", &command]] {
            // Nobody is asked before there is a token.
            let args = ["replay", "-", "-b", "127.0.0.1:9", "--report", "json"];
            let mut run = Run::new(args.into_iter().chain(token)).stdin_open().spawn();
            match token[0] {
                "--oauth-file" => run.wait_until("its threads are there", |run| threads(run) > 3),
                _ => run.wait_until("the command runs", |_| pids(&pid_file).len() == 1),
            }
            run.signal(signal);
            let (output, _) = end(run, AT_ONCE);
            let report = interrupted(&output, code);
            assert_eq!(ledger(&report), "0 = ");
            let said =
                "kreplay: could not get a token: the run was interrupted before the token came\n";
            assert_eq!(output.stderr, said);
        }
        assert!(pids(&pid_file).iter().all(|pid| is_gone(pid)));
    }
}

/// Whether a process has ended; one that nobody has waited for counts as ended.
fn is_gone(pid: &str) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
    let state = String::from_utf8(state.expect("every Unix has `ps`").stdout);
    let state = state.expect("a state is text");
    state.trim().is_empty() || state.trim().starts_with('Z')
}

/// The process ids that the simulated speedctl has written.
fn pids(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// How a signal arrives.
#[derive(Clone, Copy)]
enum SignalRoute {
    /// To kreplay alone, as `kill` does.
    Alone,
    /// To its process group, as Ctrl-C in a terminal does.
    ToGroup,
}

/// Interrupts a replay of a snapshot while the simulated speedctl misbehaves like this; checks that no
/// process of it is left.
fn interrupt_speedctl(
    fault: &str,
    via: &str,
    (signal, code): (Signal, i32),
    sent: SignalRoute,
    limit: Duration,
) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pid_file = folder.path().join("pids");
    let fixtures = fixture("demo.jsonl").parent().map(Path::to_path_buf);
    let args = [
        "snapshot",
        "shop",
        "--via",
        via,
        "--rehearse",
        "--report",
        "json",
    ];
    let mut run = Run::new(args)
        .env("KREPLAY_SPEEDCTL", standin())
        .env(
            "STANDIN_DATA",
            fixtures.expect("a fixture stands in a folder"),
        )
        .env(
            "STANDIN_FAULT",
            format!("{fault},pid-file={}", pid_file.display()),
        )
        .spawn();
    let processes = if fault.contains("child") { 2 } else { 1 };
    run.wait_until("speedctl runs", |_| pids(&pid_file).len() == processes);
    // Some of its first rows may be there, or none.
    thread::sleep(Duration::from_millis(150));
    match sent {
        SignalRoute::Alone => run.signal(signal),
        SignalRoute::ToGroup => run.signal_group(signal),
    }
    let (output, _) = end(run, limit);
    let left: Vec<String> = pids(&pid_file)
        .into_iter()
        .filter(|pid| !is_gone(pid))
        .collect();
    assert!(
        left.is_empty(),
        "{fault}, {via}: {left:?} are left\n{output:#?}"
    );
    let report = interrupted(&output, code);
    ledger(&report);
    assert_eq!(entry(&report, "delivered"), 0, "{report:#}");
    assert_eq!(report["source"]["complete"], false, "{report:#}");
}

#[test]
fn nothing_is_left_of_a_speedctl_that_is_interrupted() {
    for fault in [
        "slow=50",
        "silent",
        "silent-after=3",
        "slow=50,child",
        "silent,child",
        "stderr=100000,slow=50",
    ] {
        for via in ["csv", "raw", "auto"] {
            for signal in SIGNALS {
                interrupt_speedctl(fault, via, signal, SignalRoute::Alone, AT_ONCE);
            }
        }
    }
}

#[test]
fn nothing_is_left_of_a_speedctl_that_ignores_sigterm() {
    for (fault, via) in [
        ("silent,ignore-term", "csv"),
        ("slow=50,child,ignore-term", "raw"),
    ] {
        interrupt_speedctl(fault, via, (SIGINT, 130), SignalRoute::Alone, WITH_GRACE);
    }
}

#[test]
fn nothing_is_left_of_a_speedctl_after_ctrl_c() {
    for fault in ["slow=50", "silent,child", "slow=50,child,ignore-term"] {
        interrupt_speedctl(
            fault,
            "csv",
            (SIGINT, 130),
            SignalRoute::ToGroup,
            WITH_GRACE,
        );
    }
}

#[test]
fn nothing_is_left_of_a_speedctl_when_a_second_signal_comes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pid_file = folder.path().join("pids");
    let fault = format!("silent,child,ignore-term,pid-file={}", pid_file.display());
    let mut run = Run::new(["snapshot", "demo", "--rehearse", "--report", "json"])
        .env("KREPLAY_SPEEDCTL", standin())
        .env("STANDIN_FAULT", fault)
        .spawn();
    run.wait_until("speedctl runs", |_| pids(&pid_file).len() == 2);
    run.signal(SIGINT);
    thread::sleep(Duration::from_millis(200));
    run.signal(SIGINT);
    let (output, _) = end(run, WITH_GRACE);
    let left: Vec<String> = pids(&pid_file)
        .into_iter()
        .filter(|pid| !is_gone(pid))
        .collect();
    assert!(left.is_empty(), "{left:?} are left\n{output:#?}");
    assert_eq!(ledger(&interrupted(&output, 130)), "0 = ");
}
