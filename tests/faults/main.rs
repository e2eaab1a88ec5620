//! Faults: brokers that die, hang or refuse, networks that lose answers, signals at any moment. After each of
//! them, what kreplay reports must match the log, see `harness/verdict`.
//!
//! `cargo test` runs the quick ones; those that take longer are counted as ignored there, and
//! `cargo test --release --test faults -- --include-ignored` runs them too. So are those that need a
//! real Kafka where Java or Maven is missing; `KREPLAY_TEST_KAFKA=required` makes that a failure.

mod cluster;
#[path = "../harness/mod.rs"]
mod harness;
mod process;
mod self_test;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use serde_json::Value;

use crate::harness::kafka::Kafka;
use crate::harness::run::{Run, RunOutput};

/// A hang is reported after this time; no trial comes near it.
const LIMIT: Duration = Duration::from_secs(240);

/// A trial: its name, a sentence, what it takes, and what it does.
type FaultTrial = (&'static str, Takes, fn());

/// What a trial needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// Milliseconds, and only this process.
    Nothing,
    /// A real Kafka for some seconds.
    Seconds,
    /// A real Kafka for as long as a fault lasts: not in every run.
    Patience,
}

fn main() -> ExitCode {
    let mut args = Arguments::from_args();
    let unavailable = Kafka::available().err();
    if let Some(why) = &unavailable {
        let required = std::env::var("KREPLAY_TEST_KAFKA").is_ok_and(|wish| wish == "required");
        let verdict = if required {
            "required"
        } else {
            "the tests with a broker are ignored"
        };
        writeln!(io::stderr(), "no Kafka can be run here ({verdict}): {why}").ok();
        if required {
            return ExitCode::FAILURE;
        }
        // What cannot run stays ignored.
        (args.ignored, args.include_ignored) = (false, false);
    }
    let reason = unavailable.as_deref().and_then(|why| why.lines().next());
    // Brokers are many processes on few cores: those that need one wait for each other.
    let turn = Arc::new(Mutex::new(()));
    let cases = [
        self_test::CASES,
        cluster::mock::CASES,
        cluster::mock::absence::CASES,
        cluster::broker::CASES,
        process::chain::CASES,
        cluster::changes::CASES,
        cluster::epochs::CASES,
        process::interruption::CASES,
        cluster::network::CASES,
        cluster::failover::CASES,
        cluster::quota::CASES,
        cluster::refusal::CASES,
        process::combined::CASES,
    ];
    let trials = cases.concat().into_iter().map(|(name, takes, case)| {
        let turn = Arc::clone(&turn);
        let trial = Trial::test(name, move || {
            let guard = turn.lock().unwrap_or_else(PoisonError::into_inner);
            let _turn = (takes != Takes::Nothing).then_some(guard);
            case();
            Ok(())
        });
        match (takes, reason) {
            (Takes::Nothing, _) | (Takes::Seconds, None) => trial,
            (Takes::Patience, None) => trial.with_ignored_flag(true),
            (_, Some(why)) => trial.with_ignored_flag(true).with_kind(why),
        }
    });
    libtest_mimic::run(&args, trials.collect()).exit_code()
}

/// Prepares a replay with a JSON report.
fn replay(brokers: &str, args: &[&str]) -> Run {
    let more = ["-b", brokers, "--report", "json"];
    let args = args.iter().chain(&more).map(|arg| (*arg).to_owned());
    Run::new(args).limit(LIMIT)
}

/// The report of a run that ended with this code.
///
/// # Panics
/// Panics if the code is another one.
fn report_of(output: &RunOutput, code: i32) -> Value {
    assert_eq!(output.code, code, "{output:#?}");
    let report = crate::harness::run::report(output);
    assert_eq!(report["exit_code"], code, "{report:#}");
    report
}
