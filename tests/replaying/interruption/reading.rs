//! Signals while kreplay reads, and signals that it inherits as ignored.

use super::{AT_ONCE, MockBroker, SIGNALS, TOPIC, end, interrupted};
use crate::harness::capture::numbered_lines;
use crate::harness::report::ledger::{entry, ledger};
use crate::harness::run::{Run, report};
use crate::harness::verdict::readback::{LoggedRecord, read};
use nix::sys::signal::Signal::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

#[test]
fn a_replay_of_an_endless_stdin_ends_at_once_with_a_report() {
    for (signal, code) in SIGNALS {
        let mock = MockBroker::start();
        let run = mock.replay(300);
        run.signal(signal);
        let (output, _) = end(run, AT_ONCE);
        let report = interrupted(&output, code);
        assert_eq!(ledger(&report), "300 = 300 delivered");
        assert_eq!(report["source"]["complete"], false);
    }
}

#[test]
fn the_text_report_of_an_interrupted_replay_begins_with_that() {
    for (signal, word) in [(SIGINT, "interrupted"), (SIGTERM, "terminated")] {
        let mock = MockBroker::start();
        let args = ["replay", "-", "-b", &mock.brokers()];
        let mut run = Run::new(args).stdin_open().spawn();
        run.write_stdin(numbered_lines(TOPIC, 0..50).as_bytes());
        run.wait_until("its records are there", |_| mock.holds(50));
        run.signal(signal);
        let (output, _) = end(run, AT_ONCE);
        let begin = format!(
            "{word}: delivered 50 of 50 records to {} in ",
            mock.brokers()
        );
        assert!(output.stdout.starts_with(&begin), "{}", output.stdout);
        assert!(
            output.stdout.contains("\nfound      50 = 50 delivered\n"),
            "{}",
            output.stdout
        );
        assert!(
            output.stdout.contains("; not read to its end\n"),
            "{}",
            output.stdout
        );
    }
}

#[test]
fn a_csv_from_stdin_hands_over_each_whole_row_without_the_next_one() {
    let mock = MockBroker::start();
    let brokers = mock.brokers();
    let args = [
        "replay", "-", "-b", &brokers, "-t", TOPIC, "--report", "json",
    ];
    let mut run = Run::new(args).stdin_open().spawn();
    let value = "kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString";
    // What is written at once, and how many whole rows are written by then.
    let pieces = [
        (format!("{value},RRPair UUID\n"), 0),
        ("one,u1\n".into(), 1),
        ("two,u2\n\"th\"\"re\ne\",u3\n\n\n".into(), 3),
        ("four,u4\nfi".into(), 4),
        ("ve,u5".into(), 4),
        ("\n\"si\nx\"".into(), 5),
        (",u6\n\"se\n".into(), 6),
        ("ven\",u7\n".into(), 7),
    ];
    for (piece, whole) in pieces {
        run.write_stdin(piece.as_bytes());
        let what = format!("{whole} rows are delivered after {piece:?}");
        run.wait_until(&what, |_| mock.holds(whole));
    }
    let output = run.wait();
    assert_eq!(output.code, 0, "{output:#?}");
    let seen = read(&brokers, TOPIC).expect("the topic is readable");
    let texts: Vec<&str> = seen.iter().map(LoggedRecord::text).collect();
    let expected = [
        "one",
        "two",
        "th\"re\ne",
        "four",
        "five",
        "si\nx",
        "se\nven",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn an_interrupted_rehearsal_of_an_endless_stdin_counts_what_was_not_sent() {
    let args = ["replay", "-", "--rehearse", "--report", "json"];
    let mut run = Run::new(args).stdin_open().spawn();
    // More than a pipe holds: when this returns, kreplay has begun to read.
    let lines = numbered_lines(TOPIC, 0..5000);
    assert!(lines.len() > 256 << 10, "{}", lines.len());
    run.write_stdin(lines.as_bytes());
    run.signal(SIGINT);
    let (output, _) = end(run, AT_ONCE);
    let report = interrupted(&output, 130);
    ledger(&report);
    assert!((1..=5000).contains(&entry(&report, "found")), "{report:#}");
}

#[test]
fn a_hangup_and_a_quit_report_as_sigterm_does() {
    for signal in [SIGHUP, SIGQUIT] {
        let mock = MockBroker::start();
        let run = mock.replay(300);
        run.signal(signal);
        let (output, _) = end(run, AT_ONCE);
        let report = interrupted(&output, 143);
        assert_eq!(ledger(&report), "300 = 300 delivered");
    }
}

#[test]
fn a_hangup_that_is_ignored_stays_so() {
    let mock = MockBroker::start();
    let brokers = mock.brokers();
    let script = r#"trap "" HUP; exec "$@""#;
    let kreplay = env!("CARGO_BIN_EXE_kreplay");
    let args = ["-c", script, "sh", kreplay, "replay", "-", "-b", &brokers];
    let args = args.into_iter().chain(["--report", "json"]);
    let mut run = Run::program("sh", args).stdin_open().spawn();
    run.write_stdin(numbered_lines(TOPIC, 0..100).as_bytes());
    run.wait_until("its first records are there", |_| mock.holds(100));
    run.signal(SIGHUP);
    run.write_stdin(numbered_lines(TOPIC, 100..200).as_bytes());
    run.close_stdin();
    let output = run.wait();
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(ledger(&report(&output)), "200 = 200 delivered");
}
