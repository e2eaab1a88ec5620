//! Pauses of the capture: cut, waited for, or named.

use std::time::Instant;

use super::{AT_ONCE, TOPIC, after_first, latest_ms, lines, mock, replay, report_of, run, sent};
use crate::harness::report::ledger::ledger;
use crate::harness::run::Run;
use crate::harness::verdict::readback::count;
use nix::sys::signal::Signal::SIGINT;
use serde_json::json;

const HOUR_MS: i64 = 3_600_000;

const YEAR_MS: i64 = 365 * 24 * HOUR_MS;

#[test]
fn a_pause_is_cut_and_the_report_says_by_how_much() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let input = lines([
        (0, 0, 0),
        (0, 1, 100),
        (0, 2, HOUR_MS),
        (0, 3, HOUR_MS + 50),
    ]);
    let flags = ["--speed", "1x", "--clock", "record", "--max-gap", "300ms"];
    let report = report_of(&replay(&brokers, &flags, input.clone()), 0);
    let timing = &report["timing"];
    // 3,600 s - 0.1 s are one pause, of which 0.3 s are kept.
    assert_eq!(
        (&timing["gaps"], &timing["gaps_cut_s"]),
        (&json!(1), &json!(3599.6))
    );
    let after = after_first(&sent(&brokers));
    let late = latest_ms(&report);
    assert!(after[3] >= 450 - late - 1, "{after:?}");
    let args = ["replay", "-", "--rehearse", "--create-topics"];
    let text = Run::new(args.iter().chain(&flags).map(|arg| (*arg).to_owned()));
    let text = text.stdin(input).output();
    let said = "\ngaps       1 cut by 3599.6 s in all\n";
    assert!(text.stdout.contains(said), "{}", text.stdout);
    assert!(
        text.stdout.contains("\ntiming     asked 1x, reached "),
        "{}",
        text.stdout
    );
}

#[test]
fn a_wait_of_an_hour_ends_at_once_when_it_is_interrupted() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let mut run = run(&brokers, &["--speed", "1x", "--clock", "record"])
        .stdin_open()
        .spawn();
    let records = [(0, 0, 0), (0, 1, 200), (0, 2, HOUR_MS), (0, 3, HOUR_MS)];
    run.write_stdin(lines(records).as_bytes());
    run.close_stdin();
    run.wait_until("the first records are there", |_| {
        count(&brokers, TOPIC) == Ok(2)
    });
    let begin = Instant::now();
    run.signal(SIGINT);
    let output = run.wait_within(AT_ONCE * 4);
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    let report = report_of(&output, 130);
    assert_eq!(ledger(&report), "4 = 2 delivered + 2 unsent");
    assert_eq!(report["timing"]["asked"], "1x");
    // The hour that kreplay did not wait for is not part of it.
    let reached = report["timing"]["reached"].as_f64().expect("a speed");
    assert!(reached > 0.0 && reached < 1.01, "{reached}");
}

#[test]
fn a_time_that_jumps_by_years_is_named_with_the_flag_that_cuts_it() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let input = lines([(0, 0, 0), (0, 1, 3 * YEAR_MS), (0, 2, 10)]);
    let flags = ["--speed", "1x", "--clock", "record"];
    let mut run = run(&brokers, &flags).stdin_open().spawn();
    run.write_stdin(input.as_bytes());
    run.close_stdin();
    run.wait_until("it says what it waits for", |run| {
        run.stderr_so_far()
            .contains("orders [0] @ 1 is due in 1094 days")
    });
    assert!(
        run.stderr_so_far().contains("`--max-gap 5s`"),
        "{}",
        run.stderr_so_far()
    );
    run.signal(SIGINT);
    let report = report_of(&run.wait_within(AT_ONCE * 4), 130);
    assert_eq!(ledger(&report), "3 = 1 delivered + 2 unsent");

    let flags = [&flags[..], &["--max-gap", "100ms"]].concat();
    let report = report_of(&replay(&brokers, &flags, input), 0);
    assert_eq!(ledger(&report), "3 = 3 delivered");
    // There and back.
    assert_eq!(report["timing"]["jumps"], 2);
    let problem = &report["problems"][0];
    assert_eq!(
        (&problem["what"], &problem["count"]),
        (&json!("time_jump"), &json!(2))
    );
}
