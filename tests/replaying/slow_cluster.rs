//! Clusters that are healthy but slow, a partition whose leader does not answer, and a process that is
//! stopped: what is in flight stays bounded in time and in memory.

use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

use crate::harness::MockKafka;
use crate::harness::run::{Run, report};
use nix::sys::signal::Signal;
use rdkafka::mocking::MockCluster;

fn mock(brokers: i32, partitions: i32) -> MockKafka {
    let mock = MockCluster::new(brokers).expect("a mock cluster");
    let created = mock.create_topic("t", partitions, 1);
    created.expect("a topic");
    mock
}

/// Record lines `from..to`, one partition after the other.
fn lines(from: u64, to: u64, partitions: u64, bytes: usize) -> String {
    let value = "x".repeat(bytes);
    let mut lines = String::new();
    for i in from..to {
        let (partition, offset) = (i % partitions, i / partitions);
        let line = format!(
            r#"{{"topic":"t","partition":{partition},"offset":{offset},"value":"{value}"}}"#
        );
        writeln!(lines, "{line}").expect("a string takes everything");
    }
    lines
}

fn replay(mock: &MockKafka, properties: &[&str]) -> Run {
    let brokers = mock.bootstrap_servers();
    let mut args = vec!["replay", "-", "-b", &brokers, "--report", "json"];
    properties.iter().for_each(|x| args.extend(["-X", x]));
    Run::new(args)
}

#[test]
fn at_a_slow_cluster_no_record_times_out_before_it_is_sent() {
    const RECORDS: u64 = 120;
    let mock = mock(1, 1);
    let slow = [
        "message.timeout.ms=4000",
        "batch.num.messages=10",
        "max.in.flight=1",
    ];
    let mut run = replay(&mock, &slow).stdin_open().spawn();
    run.write_stdin(lines(0, 1, 1, 100).as_bytes());
    run.wait_until("kreplay knows the cluster", |run| {
        run.stderr_so_far().contains("cluster")
    });
    let delayed = mock.broker_round_trip_time(1, Duration::from_millis(200));
    delayed.expect("the broker is there");
    run.write_stdin(lines(1, RECORDS, 1, 100).as_bytes());
    run.close_stdin();
    let output = run.wait();
    let report = report(&output);
    assert_eq!(report["ledger"]["delivered"], RECORDS, "{report:#}");
    assert_eq!(output.code, 0);
    // A record waits a fraction of its time for its turn.
    let longest = report["latency_ms"]["max"].as_f64().expect("a latency");
    assert!((200.0..4000.0).contains(&longest), "{longest}");
}

/// Bytes that the binary itself, its threads and librdkafka take beside the records.
const BASE: u64 = 64 << 20;
/// docs/performance.md: the window, what it keeps in memory, the channel and the order window.
const BOUND: u64 = 150 << 20;

#[test]
fn a_partition_that_stalls_keeps_its_own_records_in_memory_and_holds_up_no_other() {
    const RECORDS: u64 = 300_000;
    const PARTITIONS: u64 = 100;
    let mock = mock(2, 100);
    for partition in 0..100 {
        let leader = if partition == 7 { 2 } else { 1 };
        let led = mock.partition_leader("t", partition, Some(leader));
        led.expect("the partition and the broker are there");
    }
    // The feeder is ahead of what is read by at most a pipe.
    let delayed = mock.broker_round_trip_time(2, Duration::from_secs(3600));
    delayed.expect("the broker is there");
    let mut run = replay(&mock, &["message.timeout.ms=8000"])
        .stdin_open()
        .spawn();
    let mut stdin = run.take_stdin();
    let feeding = thread::spawn(move || {
        use std::io::Write as _;
        // 300 MB, a hundredth of it for the partition that stalls.
        for from in (0..RECORDS).step_by(10_000) {
            let lines = lines(from, from + 10_000, PARTITIONS, 1000);
            if stdin.write_all(lines.as_bytes()).is_err() {
                return;
            }
        }
    });
    let mut peak = 0;
    run.wait_until("everything is read", |run| {
        peak = peak.max(run.peak_memory());
        feeding.is_finished()
    });
    peak = peak.max(run.peak_memory());
    feeding.join().expect("the feeder does not panic");
    let output = run.wait();
    let report = report(&output);
    let ledger = &report["ledger"];
    assert_eq!(ledger["found"], RECORDS);
    let others = RECORDS - RECORDS / PARTITIONS;
    let delivered = ledger["delivered"].as_u64().expect("a count");
    assert!(
        (others / 100 * 95..=others).contains(&delivered),
        "{report:#}"
    );
    assert!((1..BASE + BOUND).contains(&peak), "{peak} bytes at most");
}

#[test]
fn a_process_stopped_for_longer_than_the_message_timeout_loses_nothing() {
    const RECORDS: u64 = 2000;
    let mock = mock(1, 1);
    let mut run = replay(&mock, &["message.timeout.ms=1500"])
        .stdin_open()
        .spawn();
    run.write_stdin(lines(0, RECORDS / 2, 1, 100).as_bytes());
    run.wait_until("the source is being read", |run| {
        run.stderr_so_far().contains("cluster")
    });
    run.signal(Signal::SIGSTOP);
    thread::sleep(Duration::from_millis(2500));
    run.signal(Signal::SIGCONT);
    run.write_stdin(lines(RECORDS / 2, RECORDS, 1, 100).as_bytes());
    run.close_stdin();
    let output = run.wait();
    let said = output
        .stderr
        .lines()
        .find(|line| line.contains("kreplay was stopped for"))
        .unwrap_or_else(|| panic!("nothing says so: {}", output.stderr));
    let expected = "that time does not count for the records that were waiting (`message.timeout.ms` is \
                    1500 ms)";
    assert!(said.ends_with(expected), "{said}");
    let report = report(&output);
    let count = |name: &str| report["ledger"][name].as_u64().expect("a count");
    assert_eq!(count("found"), RECORDS);
    // Those that had waited had not been waiting while the process was stopped.
    assert_eq!(count("delivered"), RECORDS, "{report:#}");
    assert_eq!(output.code, 0);
}
