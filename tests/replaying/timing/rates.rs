//! Rates of records and bytes, and a ramp.

use super::{TOPIC, after_first, at_once, lateness_ms, lines, mock, replay, report_of, sent};
use crate::harness::report::ledger::ledger;
use serde_json::json;

/// Checks that no window of sendings, in milliseconds, has more units than its share and the burst of 10 ms.
/// A sending is known to the millisecond.
fn assert_rate(sent_ms: &[i64], per_second: f64, unit: f64) {
    let most = 0.010 + 0.001 + unit / per_second;
    // By how much a sending is behind the share of its place. A window is ahead by what its beginning is more
    // behind than its end.
    let mut most_behind = f64::NEG_INFINITY;
    for (n, ms) in (0_u32..).zip(sent_ms) {
        let behind = *ms as f64 / 1000.0 - f64::from(n) * unit / per_second;
        most_behind = most_behind.max(behind);
        let ahead = most_behind - behind;
        assert!(ahead <= most, "{ahead} s ahead at {n}: {sent_ms:?}");
    }
}

#[test]
fn a_rate_holds_over_every_window_and_nothing_is_dropped() {
    for (asked, per_second, records) in [
        ("1/s", 1.0, 4),
        ("200/s", 200.0, 301),
        ("200k/s", 200_000.0, 60_001),
    ] {
        let mock = mock(1);
        let brokers = mock.bootstrap_servers();
        let report = report_of(&replay(&brokers, &["--rate", asked], at_once(records)), 0);
        assert_eq!(ledger(&report), format!("{records} = {records} delivered"));
        let after = after_first(&sent(&brokers));
        assert_eq!(i64::try_from(after.len()), Ok(records));
        assert_rate(&after, per_second, 1.0);
        let rate = &report["timing"]["rate"];
        assert_eq!(rate["asked"], per_second);
        // The whole may be made up for by the burst of 10 ms.
        let whole_s = (records - 1) as f64 / per_second;
        let most = per_second * (1.0 + 0.010 / whole_s) * 1.001;
        let reached = rate["reached"].as_f64().expect("a rate");
        assert!(reached <= most, "{report:#}");
        assert_eq!(report["timing"]["asked"], "max");
    }
}

#[test]
fn a_rate_of_bytes_counts_keys_values_and_headers() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let line = json!({
        "topic": TOPIC, "partition": 0, "key": "k".repeat(200), "value": "v".repeat(250),
        "headers": [["name", "h".repeat(46)]],
    });
    let input = format!("{line}\n").repeat(31);
    let report = report_of(&replay(&brokers, &["--byte-rate", "10kB/s"], input), 0);
    assert_eq!(ledger(&report), "31 = 31 delivered");
    // 500 bytes each: 20 records a second.
    assert_rate(&after_first(&sent(&brokers)), 10_000.0, 500.0);
    let reached = report["timing"]["byte_rate"]["reached"].as_f64();
    assert!(
        reached.is_some_and(|reached| reached <= 10_150.0),
        "{report:#}"
    );
}

#[test]
fn the_slower_of_speed_and_rate_wins_and_is_named() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let input = lines((0..=20).map(|i| (0, i, i * 10)));
    let flags = ["--speed", "1x", "--clock", "record", "--rate", "20"];
    let report = report_of(&replay(&brokers, &flags, input), 0);
    assert_rate(&after_first(&sent(&brokers)), 20.0, 1.0);
    assert_eq!(report["timing"]["limited_by"], "rate", "{report:#}");
}

#[test]
fn a_ramp_lets_a_rate_grow_from_zero() {
    let mock = mock(1);
    let brokers = mock.bootstrap_servers();
    let flags = ["--rate", "100", "--ramp", "2s"];
    let report = report_of(&replay(&brokers, &flags, at_once(121)), 0);
    let after = after_first(&sent(&brokers));
    let late = lateness_ms(&report, "max").ceil();
    for (n, after) in (0..).zip(after) {
        // After t seconds of the ramp 25 t² records are due, which are 100 after 2 s; then 100 a second. A
        // hundredth of a second of them may be made up for.
        let n = f64::from(n) - 1.0;
        let due = if n < 100.0 {
            (n.max(0.0) / 25.0).sqrt()
        } else {
            2.0 + (n - 100.0) / 100.0
        };
        assert!(
            after as f64 >= due * 1000.0 - late - 2.0,
            "record {n} after {after} ms"
        );
    }
}
