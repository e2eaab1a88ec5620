//! The simulated speedctl as a process, called as kreplay calls it.
//!
//! Cargo builds a program along with the tests that run it, so `cargo test` leaves an up-to-date program for the
//! tests of kreplay. Unit tests alone would not.

use std::path::Path;
use std::process::{Command, Output};

fn speedctl(args: &[&str]) -> Output {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    Command::new(env!("CARGO_BIN_EXE_speedctl"))
        .args(args)
        .env("STANDIN_DATA", fixtures)
        .env_remove("STANDIN_FAULT")
        .env_remove("STANDIN_OBJECTS")
        .output()
        .expect("cargo has built it")
}

#[test]
fn a_row_is_printed_for_every_rrpair_of_the_snapshot() {
    let output = speedctl(&["extract", "data", "demo", "--path", ".ts"]);
    let pairs = include_str!("../../../fixtures/demo.jsonl").lines().count();
    assert_eq!(output.status.code(), Some(0));
    // The header is one more.
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).lines().count(),
        pairs + 1
    );
}

#[test]
fn an_unknown_snapshot_is_an_error() {
    let output = speedctl(&["extract", "data", "nobody", "--path", ".ts"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "Error: snapshot not found: nobody\n"
    );
}

#[test]
fn an_unknown_command_is_an_error() {
    let output = speedctl(&["replay", "demo"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "Error: unknown command `replay demo` for `speedctl`\n"
    );
}
