//! kreplay against a real Apache Kafka: what it reports as delivered is in the log, byte for byte.
//!
//! Without Java and Maven every trial is counted as ignored; `KREPLAY_TEST_KAFKA=required` makes that
//! a failure. One broker serves all trials, each with topics of its own; the trials that change a
//! broker for others share a second one, one after the other; a third one has listeners for everything.

#[path = "../harness/mod.rs"]
mod harness;
mod preparing;
mod sending;
mod service;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::harness::kafka::Kafka;
use crate::harness::kafka::on_demand::OnDemand;
use crate::harness::paths::{fixture, standin};
use crate::harness::run::{Run, RunOutput};

/// A trial: its name, a sentence, and what it does with a broker.
type KafkaTrial = (&'static str, fn(&Kafka));

/// The trials that share a broker.
const QUICK: &[&[KafkaTrial]] = &[
    service::compared::CASES,
    sending::contents::CASES,
    preparing::destination::contents::CASES,
    preparing::destination::partitions::CASES,
    service::drained::reading::CASES,
    service::drained::undrained::CASES,
    service::expected::faults::CASES,
    service::expected::noise::CASES,
    service::expected::scope::CASES,
    service::expected::ends::CASES,
    service::expected::sources::CASES,
    service::groups::CASES,
    preparing::plan::CASES,
    sending::refused::CASES,
    preparing::target::CASES,
    sending::timing::CASES,
    sending::broker_errors::CASES,
    sending::live_line::CASES,
    sending::volume::CASES,
];

/// Those that take their time.
const PATIENT: &[&[KafkaTrial]] = &[
    service::capacity::PATIENT_CASES,
    service::drained::reading::PATIENT_CASES,
    service::expected::faults::PATIENT_CASES,
];

/// The trials that need a broker with users.
const WITH_USERS: &[&[KafkaTrial]] = &[
    preparing::connecting::explained::CASES,
    preparing::connecting::mechanisms::CASES,
    preparing::connecting::rights::CASES,
    service::expected::sources::OF_USERS,
    sending::isolated::CASES,
    preparing::plan::OF_A_USER,
];

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let unavailable = Kafka::available().err();
    if let Some(why) = &unavailable {
        let required = std::env::var("KREPLAY_TEST_KAFKA").is_ok_and(|wish| wish == "required");
        let verdict = if required {
            "required"
        } else {
            "all tests are ignored"
        };
        writeln!(io::stderr(), "no Kafka can be run here ({verdict}): {why}").ok();
        if required {
            return ExitCode::FAILURE;
        }
    }
    let shared = Arc::new(OnDemand::new(&[]));
    let spare = Arc::new(OnDemand::new(&[("auto.create.topics.enable", "true")]));
    let turn = Arc::new(Mutex::new(()));
    let mut trials = Vec::new();
    // Those that share the spare broker wait for each other: the long ones begin first.
    for (name, case) in sending::broker_errors::ON_THE_SPARE_BROKER {
        let (spare, turn) = (Arc::clone(&spare), Arc::clone(&turn));
        trials.push(Trial::test(*name, move || {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            run(&spare, *case)
        }));
    }
    let quick = QUICK.concat().into_iter().map(|case| (case, false));
    let patient = PATIENT.concat().into_iter().map(|case| (case, true));
    for ((name, case), is_patient) in quick.chain(patient) {
        let shared = Arc::clone(&shared);
        let trial = Trial::test(name, move || run(&shared, case));
        trials.push(trial.with_ignored_flag(is_patient));
    }
    let guarded = Arc::new(OnDemand::with(preparing::connecting::listeners::options));
    for (name, case) in WITH_USERS.concat() {
        let guarded = Arc::clone(&guarded);
        trials.push(Trial::test(name, move || run(&guarded, case)));
    }
    if let Some(why) = unavailable {
        trials = ignored(trials, &why);
    }
    let conclusion = libtest_mimic::run(&args, trials);
    shared.stop();
    spare.stop();
    guarded.stop();
    conclusion.exit_code()
}

/// The trials, none of which can be run, and why.
fn ignored(trials: Vec<Trial>, why: &str) -> Vec<Trial> {
    let why = why.lines().next().unwrap_or_default();
    let ignored = |trial: Trial| trial.with_ignored_flag(true).with_kind(why);
    trials.into_iter().map(ignored).collect()
}

fn run(broker: &OnDemand, case: fn(&Kafka)) -> Result<(), Failed> {
    let kafka = broker.get()?;
    case(&kafka);
    Ok(())
}

/// Prepares `kreplay ARGS` against a broker with a JSON report, with the simulated speedctl.
fn replay(kafka: &Kafka, args: &[&str]) -> Run {
    replay_to(&kafka.brokers(), args)
}

/// The same, with the brokers as the case spells them.
fn replay_to(brokers: &str, args: &[&str]) -> Run {
    let more = ["-b", brokers, "--report", "json"];
    let run = Run::new(args.iter().chain(&more).map(|arg| (*arg).to_owned()));
    run.env("KREPLAY_SPEEDCTL", standin())
        .env("STANDIN_DATA", fixtures())
}

/// The folder of the fixtures, from which the simulated speedctl takes its snapshots.
fn fixtures() -> std::path::PathBuf {
    let parent = fixture("demo.jsonl").parent().map(Path::to_path_buf);
    parent.expect("a fixture stands in a folder")
}

/// The path of a fixture as an argument.
fn path(name: &str) -> String {
    fixture(name).display().to_string()
}

/// The report of a run that ended with this code.
///
/// # Panics
/// Panics if the code is another one.
fn report_of(output: &RunOutput, code: i32) -> serde_json::Value {
    assert_eq!(output.code, code, "{output:#?}");
    let report = crate::harness::run::report(output);
    assert_eq!(report["exit_code"], code, "{report:#}");
    report
}
