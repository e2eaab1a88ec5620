//! How long a replay takes, and its peaks: speeds, rates, passes and a time for sending.

use super::{START_MS, SourceRecord, every, lines, plan};
use serde_json::json;

#[test]
fn the_duration_and_the_peaks_are_those_of_the_speed_with_gaps_cut() {
    // 40 records 50 ms apart, an hour, 30 at once, and one 5 ms later.
    let mut records = every(50, 40);
    let burst = START_MS + 39 * 50 + 3_600_000;
    for n in 0..31 {
        records.push(SourceRecord {
            offset: Some(40 + n),
            time_ms: Some(if n < 30 { burst } else { burst + 5 }),
            value: "0123456789".into(),
            ..records[0].clone()
        });
    }
    let flags = ["--clock", "record", "--max-gap", "3s", "--speed"];
    let planned = plan(&lines(&records), &[&flags[..], &["1x"]].concat(), 0);
    let schedule = &planned["schedule"];
    // 39 gaps of 50 ms, one of 3 s and one of 5 ms.
    assert_eq!(schedule["duration_s"], 1.95 + 3.0 + 0.005);
    assert_eq!(
        schedule["peak_second"],
        json!({ "records": 31, "bytes": 310, "at_s": 4.95 })
    );
    assert_eq!(
        schedule["peak_10ms"],
        json!({ "records": 31, "bytes": 310, "at_s": 4.95 })
    );
    assert_eq!(
        (
            &schedule["timing"]["gaps"],
            &schedule["timing"]["gaps_cut_s"]
        ),
        (&1.into(), &3597.0.into())
    );
    // At 10x a gap of an hour takes the longest pause of the capture's time: 3 s of it.
    let planned = plan(&lines(&records), &[&flags[..], &["10x"]].concat(), 0);
    let duration = planned["schedule"]["duration_s"]
        .as_f64()
        .expect("a number");
    assert!((duration - 0.4955).abs() < 1e-9, "{duration}");
    let second = &planned["schedule"]["peak_second"];
    assert_eq!(
        (&second["records"], &second["at_s"]),
        (&71.into(), &0.0.into())
    );
}

#[test]
fn a_rate_takes_its_time_and_goes_on_over_passes() {
    let text = lines(&every(0, 50));
    let rated = plan(&text, &["--rate", "100"], 0);
    assert_eq!(rated["schedule"]["duration_s"], 0.49);
    assert_eq!(rated["schedule"]["peak_second"]["records"], 50);
    assert_eq!(rated["schedule"]["peak_10ms"]["records"], 1);
    let again = plan(&text, &["--rate", "100", "--loop", "3"], 0);
    assert_eq!(
        (&again["ledger"]["to_send"], &again["passes"]),
        (&150.into(), &3.into())
    );
    assert_eq!(again["schedule"]["duration_s"], 1.49);
    assert_eq!(again["schedule"]["peak_second"]["records"], 100);
    let bytes = plan(&text, &["--byte-rate", "10"], 0);
    assert_eq!(bytes["schedule"]["duration_s"], 4.9);
}

#[test]
fn the_time_for_sending_ends_the_forecast_and_an_endless_loop_is_forecast_once() {
    let text = lines(&every(100, 30));
    let flags = ["--speed", "1x", "--clock", "record"];
    let cut = plan(&text, &[&flags[..], &["--for", "1s"]].concat(), 0);
    // Those at 0, 100, ... 900 ms; the one at 1 s is after the end.
    assert_eq!(
        (&cut["ledger"]["to_send"], &cut["ledger"]["found"]),
        (&10.into(), &10.into())
    );
    assert_eq!(
        (&cut["reach"], &cut["schedule"]["duration_s"]),
        (&"until_time_is_over".into(), &0.9.into())
    );
    // Each pass takes 2.9 s and begins with the end of the one before: three are whole, and of the fourth
    // the records at 8.7, 8.8, ... 10.1 s go.
    let looped = plan(
        &text,
        &[&flags[..], &["--loop", "--for", "10150ms"]].concat(),
        0,
    );
    assert_eq!(
        (&looped["passes"], &looped["ledger"]["to_send"]),
        (&3.into(), &105.into())
    );
    let endless = plan(&text, &[&flags[..], &["--loop"]].concat(), 0);
    assert_eq!(
        (&endless["passes"], &endless["reach"]),
        (&1.into(), &"one_pass".into())
    );
    // All of one time: no number of passes fills an hour.
    let text = lines(&every(0, 3));
    let flat = plan(&text, &[&flags[..], &["--loop", "--for", "1h"]].concat(), 0);
    assert_eq!(
        (&flat["passes"], &flat["reach"]),
        (&1.into(), &"one_pass".into())
    );
    let unknown = plan(&text, &["--for", "1h"], 0);
    assert_eq!(unknown["reach"], "time_unknown");
}
