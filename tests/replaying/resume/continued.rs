//! A run that was interrupted or killed, and the one that continues it.

use std::thread;
use std::time::Duration;

use super::{SLOWLY, Scene, TOPIC};
use crate::harness::capture::numbered_lines;
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::run::report;
use nix::sys::signal::Signal::{SIGINT, SIGKILL};
use serde_json::json;

#[test]
fn an_interrupted_run_resumes_and_sends_nothing_twice() {
    const ALL: u64 = 5000;
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..ALL));
    scene.delay(Duration::from_millis(3));
    let mut run = scene.replay(&input, &SLOWLY).spawn();
    run.wait_until("its first records are there", |_| scene.there() > 100);
    run.signal(SIGINT);
    let output = run.wait();
    scene.delay(Duration::ZERO);
    assert_eq!(output.code, 130, "{output:#?}");
    let first = entry(&report(&output), "delivered");
    let output = scene.replay(&input, &[]).output();
    assert_eq!(output.code, 0, "{output:#?}");
    let report = report(&output);
    let rest = ALL - first;
    assert_eq!(ledger(&report), format!("{rest} = {rest} delivered"));
    let journal = scene.file("journal");
    let expected = json!({ "journal": journal, "skipped": first, "may_repeat": 0, "uncertain": 0 });
    assert_eq!(report["resume"], expected);
    let said = format!(
        "kreplay: continuing after {journal}: {first} records are already delivered, nothing is sent twice\n"
    );
    assert!(output.stderr.contains(&said), "{}", output.stderr);
    assert_eq!(scene.numbers(), (0..ALL).collect::<Vec<_>>());
}

#[test]
fn after_a_kill_of_a_timed_run_only_records_that_were_due_are_uncertain() {
    const ALL: u64 = 40;
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..ALL));
    let mut run = scene.replay(&input, &["--rate", "5"]).spawn();
    run.wait_until("its records are there", |_| scene.there() > 2);
    run.signal(SIGKILL);
    run.wait();
    let before = scene.there().cast_unsigned();
    let output = scene.replay(&input, &[]).output();
    let report = report(&output);
    assert_eq!(output.code, 0, "{report:#}");
    // What was answered in the last moments, and one that was due: of 40 that were read.
    let may_repeat = report["resume"]["may_repeat"].as_u64().expect("a number");
    assert!(may_repeat <= 5 && before < ALL / 2, "{before}: {report:#}");
    let mut numbers = scene.numbers();
    assert!(numbers.len() as u64 <= ALL + may_repeat, "{report:#}");
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, (0..ALL).collect::<Vec<_>>());
}

#[test]
fn a_killed_run_resumes_and_repeats_no_more_than_it_says() {
    const ALL: u64 = 5000;
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..ALL));
    scene.delay(Duration::from_millis(3));
    for there in [1, 1000, 2000] {
        let mut run = scene.replay(&input, &SLOWLY).spawn();
        run.wait_until("its records are there", |_| scene.there() > there);
        run.signal(SIGKILL);
        run.wait();
    }
    scene.delay(Duration::ZERO);
    let before = scene.there().cast_unsigned();
    let output = scene.replay(&input, &[]).output();
    let report = report(&output);
    let may_repeat = report["resume"]["may_repeat"].as_u64().expect("a number");
    let skipped = report["resume"]["skipped"].as_u64().expect("a number");
    assert_eq!(output.code, 0, "{report:#}");
    assert_eq!(skipped + entry(&report, "delivered"), ALL, "{report:#}");
    assert!(skipped <= before && skipped > 1000, "{before}: {report:#}");
    let mut numbers = scene.numbers();
    let twice = numbers.len() as u64 - ALL;
    // At most the queue of 100 was in flight, and at most 512 were about to be.
    const MOST: u64 = 612;
    assert!((1..=MOST).contains(&may_repeat), "{report:#}");
    assert!(twice <= 3 * MOST, "{twice} twice: {report:#}");
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, (0..ALL).collect::<Vec<_>>());
}

#[test]
fn a_complete_run_has_nothing_to_resume() {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..50));
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    let output = scene.replay(&input, &[]).output();
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(ledger(&report(&output)), "0 = ");
    assert_eq!(report(&output)["resume"]["skipped"], 50);
    assert_eq!(scene.there(), 50);
}

#[test]
fn what_is_read_from_stdin_can_be_piped_in_again() {
    let scene = Scene::new();
    let mut run = scene.replay("-", &[]).stdin_open().spawn();
    run.write_stdin(numbered_lines(TOPIC, 0..100).as_bytes());
    run.wait_until("its records are there", |_| scene.there() == 100);
    // The broker's answer comes after the records can be read.
    thread::sleep(Duration::from_millis(100));
    run.signal(SIGKILL);
    run.wait();
    let all = numbered_lines(TOPIC, 0..250);
    let output = scene.replay("-", &[]).stdin(all).output();
    assert_eq!(ledger(&report(&output)), "150 = 150 delivered");
    assert_eq!(scene.numbers(), (0..250).collect::<Vec<_>>());
}

#[test]
fn an_input_that_has_grown_is_resumed_where_it_ended() {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..100));
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    scene.write("input.jsonl", &numbered_lines(TOPIC, 0..130));
    let output = scene.replay(&input, &[]).output();
    assert_eq!(ledger(&report(&output)), "30 = 30 delivered");
}
