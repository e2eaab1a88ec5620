//! A start at a given time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{AT_ONCE, TOPIC, at_once, mock, replay, report_of, run, sent};
use crate::harness::report::ledger::ledger;
use crate::harness::run::kreplay;
use crate::harness::verdict::readback::count;
use nix::sys::signal::Signal::SIGINT;

#[test]
fn a_replay_starts_at_the_requested_time() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let now = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
    };
    let start = now() + Duration::from_millis(1500);
    let text = humantime::format_rfc3339_millis(UNIX_EPOCH + start).to_string();
    let report = report_of(&replay(&brokers, &["--start-at", &text], at_once(3)), 0);
    assert_eq!(ledger(&report), "3 = 3 delivered");
    let first = sent(&brokers)[0].timestamp_ms;
    assert!(
        i128::from(first) >= start.as_millis() as i128,
        "{first} for {start:?}"
    );

    let over = [
        "replay",
        "-",
        "--rehearse",
        "--start-at",
        "2020-01-01T00:00:00Z",
    ];
    let output = kreplay(over);
    assert_eq!(output.code, 2, "{output:#?}");
    let said = output.stderr.lines().next().unwrap_or_default();
    assert!(
        said.starts_with("kreplay: `--start-at` is ") && said.ends_with(" in the past"),
        "{output:#?}"
    );
}

#[test]
fn a_replay_that_waits_for_its_start_ends_at_once_when_it_is_interrupted() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let start = SystemTime::now() + Duration::from_secs(3600);
    let start = humantime::format_rfc3339_millis(start).to_string();
    let mut run = run(&brokers, &["--start-at", &start]).stdin_open().spawn();
    run.write_stdin(at_once(3).as_bytes());
    run.close_stdin();
    run.wait_until("the destination was looked at", |run| {
        run.stderr_so_far().contains("orders (1 partition)")
    });
    let begin = Instant::now();
    run.signal(SIGINT);
    let output = run.wait_within(AT_ONCE * 4);
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    assert_eq!(ledger(&report_of(&output, 130)), "3 = 3 unsent");
    assert_eq!(count(&brokers, TOPIC), Ok(0));
}
