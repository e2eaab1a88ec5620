//! Tests of the schedule with a clock of their own.

use proptest::prelude::*;

use super::*;

const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_764_787_375 * SECOND;

fn at(time_ns: i64) -> ScheduledRecord {
    ScheduledRecord {
        time_ns: Some(START + time_ns),
        partition: 0,
        bytes: 100,
    }
}

fn speed(factor: f64) -> Timing {
    Timing {
        speed: Speed::Factor(factor),
        ..Timing::default()
    }
}

fn rate(per_second: f64) -> Timing {
    Timing {
        rate: Some(per_second),
        ..Timing::default()
    }
}

/// Sends all of `records` with a clock that wakes `late` after each due time; returns when each was sent and
/// when it was due.
fn run(
    scheduler: &mut Scheduler,
    records: &[ScheduledRecord],
    late: Duration,
) -> Vec<(Duration, Duration)> {
    run_late(scheduler, records, || late)
}

/// Like `run`, with a clock that wakes late by what `late` yields.
fn run_late(
    scheduler: &mut Scheduler,
    records: &[ScheduledRecord],
    mut late: impl FnMut() -> Duration,
) -> Vec<(Duration, Duration)> {
    let (mut now, mut sent) = (Duration::ZERO, Vec::new());
    for record in records {
        loop {
            match scheduler.next(record, now) {
                Decision::Send { due } => {
                    sent.push((now, due));
                    break;
                }
                Decision::WaitUntil(due) => {
                    assert!(due > now, "a wait ends");
                    now = due + late();
                }
            }
        }
    }
    sent
}

/// Milliseconds at which `records` are sent by a clock that is never late.
fn sent_ms(timing: &Timing, records: &[ScheduledRecord]) -> Vec<u128> {
    let sent = run(&mut Scheduler::new(timing), records, Duration::ZERO);
    sent.iter().map(|(sent, _)| sent.as_millis()).collect()
}

#[test]
fn without_timing_every_record_goes_at_once() {
    let records: Vec<ScheduledRecord> = (0..100).map(|n| at(n * SECOND)).collect();
    assert_eq!(sent_ms(&Timing::default(), &records), [0; 100]);
}

#[test]
fn a_record_that_waits_is_no_part_of_the_speed_that_was_reached() {
    let mut scheduler = Scheduler::new(&speed(2.0));
    run(&mut scheduler, &[at(0), at(SECOND)], Duration::ZERO);
    let now = Duration::from_millis(500);
    let turn = scheduler.next(&at(3600 * SECOND), now);
    assert_eq!(turn, Decision::WaitUntil(Duration::from_secs(1800)));
    let reached = scheduler.reached();
    assert_eq!((reached.speed, reached.by_rhythm), (Some(2.0), 0.5));
}

#[test]
fn the_slower_of_speed_and_rate_wins() {
    let timing = Timing {
        rate: Some(2.0),
        ..speed(1.0)
    };
    // Four records at once, then one after ten seconds.
    let records = [0, 0, 0, 0, 10].map(|s| at(s * SECOND));
    assert_eq!(sent_ms(&timing, &records), [0, 500, 1000, 1500, 10_000]);
}

#[test]
fn bytes_are_counted_where_they_are_limited() {
    let timing = Timing {
        byte_rate: Some(200.0),
        ..Timing::default()
    };
    let mut scheduler = Scheduler::new(&timing);
    let sent = run(&mut scheduler, &[at(0); 5], Duration::ZERO);
    let sent: Vec<u128> = sent.iter().map(|(sent, _)| sent.as_millis()).collect();
    assert_eq!(sent, [0, 500, 1000, 1500, 2000]);
    assert_eq!(scheduler.reached().byte_rate, Some(200.0));
}

#[test]
fn a_ramp_of_a_rate_sends_half_as_many_records_while_it_lasts() {
    let timing = Timing {
        ramp: Duration::from_secs(10),
        ..rate(1000.0)
    };
    let mut scheduler = Scheduler::new(&timing);
    let sent = run(&mut scheduler, &[at(0); 10_000], Duration::ZERO);
    let ramp = Duration::from_secs(10);
    let while_growing = sent.iter().filter(|(sent, _)| *sent < ramp).count();
    assert!(while_growing.abs_diff(5000) <= 1, "{while_growing}");
    // The user asked for the ramp, so it does not count as slow.
    let reached = scheduler.reached().rate.expect("many records");
    assert!((reached - 1000.0).abs() < 1e-6, "{reached}");
}

#[test]
fn a_ramp_of_a_speed_stretches_the_beginning_and_nothing_else() {
    let timing = Timing {
        ramp: Duration::from_secs(4),
        ..speed(1.0)
    };
    let records = [0, 2, 3, 4].map(|s| at(s * SECOND));
    // Two seconds of the capture take the four of the ramp.
    assert_eq!(sent_ms(&timing, &records), [0, 4000, 5000, 6000]);
}

#[test]
fn a_rate_goes_on_over_passes_and_a_rhythm_begins_anew() {
    let mut scheduler = Scheduler::new(&rate(2.0));
    let now = Duration::ZERO;
    assert_eq!(scheduler.next(&at(0), now), Decision::Send { due: now });
    scheduler.end_pass();
    let due = Duration::from_millis(500);
    assert_eq!(scheduler.next(&at(0), now), Decision::WaitUntil(due));

    let mut scheduler = Scheduler::new(&speed(1.0));
    run(&mut scheduler, &[at(0), at(SECOND)], Duration::ZERO);
    scheduler.end_pass();
    let now = Duration::from_secs(7);
    assert_eq!(scheduler.next(&at(0), now), Decision::Send { due: now });
    let due = Duration::from_secs(8);
    assert_eq!(scheduler.next(&at(SECOND), now), Decision::WaitUntil(due));
}

#[test]
fn the_achieved_rate_is_what_was_sent_divided_by_the_time() {
    let mut scheduler = Scheduler::new(&speed(10.0));
    let records: Vec<ScheduledRecord> = (0..=100).map(|n| at(n * SECOND)).collect();
    run(&mut scheduler, &records[..100], Duration::ZERO);
    // 99 s of the capture in 9.9 s; then the sender sleeps until twice that time has passed.
    assert!((scheduler.reached().speed.expect("sent") - 10.0).abs() < 1e-9);
    let late = scheduler.next(&records[100], Duration::from_secs(20));
    assert_eq!(
        late,
        Decision::Send {
            due: Duration::from_secs(10)
        }
    );
    let reached = scheduler.reached();
    assert_eq!(reached.speed, Some(5.0));
    assert_eq!(
        (reached.took, reached.by_rhythm, reached.by_rate),
        (20.0, 10.0, 0.0)
    );
}

proptest! {
    /// Rates from one record a second to 200,000 and more: if the sender is late by no more than it may make up
    /// for, every window has its share, give or take one record and those that were late.
    #[test]
    fn a_rate_is_smooth_over_every_window(
        per_second in prop_oneof![Just(1.0), Just(200_000.0), 0.1..300_000.0_f64],
        late_us in prop::collection::vec(prop_oneof![3 => Just(0), 1 => 0_u64..10_000], 1..50),
        records in 2_usize..4_000,
    ) {
        let mut lateness = late_us.iter().cycle();
        let late = || Duration::from_micros(*lateness.next().expect("a cycle has no end"));
        let records = vec![at(0); records];
        let sent = run_late(&mut Scheduler::new(&rate(per_second)), &records, late);
        let most_late = late_us.iter().max().map_or(0.0, |us| *us as f64 / 1e6);
        // By how much each is behind its place; a window is off by the difference of its ends.
        let places = (0_u32..).map(|n| f64::from(n) / per_second);
        let behind = sent.iter().zip(places).map(|((sent, _), place)| sent.as_secs_f64() - place);
        let (mut most, mut least) = (f64::NEG_INFINITY, f64::INFINITY);
        for behind in behind {
            (most, least) = (behind.max(most), behind.min(least));
            let (ahead, slow) = (most - behind, behind - least);
            prop_assert!(ahead <= most_late + 1e-5, "a window is {ahead} s ahead");
            prop_assert!(slow <= most_late + 1e-5, "a window is {slow} s behind");
        }
    }

    /// A sender that always wakes late is no later at the end than at the beginning, and the whole takes as
    /// long as the schedule says.
    #[test]
    fn lateness_does_not_add_up(
        factor in 0.1..100.0_f64,
        late_us in 0u64..5_000,
        steps in prop::collection::vec(0i64..100_000_000, 1..200),
    ) {
        let mut records = vec![at(0)];
        let mut time = 0;
        for step in steps {
            time += step;
            records.push(at(time));
        }
        let late = Duration::from_micros(late_us);
        let sent = run(&mut Scheduler::new(&speed(factor)), &records, late);
        for (sent, due) in &sent {
            prop_assert!(sent >= due, "sent before it was due");
            prop_assert!(*sent - *due <= late, "{:?} after it was due", *sent - *due);
        }
        let (last, whole) = (sent[sent.len() - 1].0.as_secs_f64(), time as f64 / 1e9 / factor);
        prop_assert!((whole - 1e-6..=whole + late.as_secs_f64() + 1e-6).contains(&last));
    }

    /// Whatever limits there are, records go in the order in which they are asked about, none before its
    /// time, and no window holds more than its share and a burst.
    #[test]
    fn all_limits_hold_at_the_same_time(
        factor in prop::option::of(0.1..100.0_f64),
        per_second in prop::option::of(1.0..100_000.0_f64),
        ramp_ms in 0u64..2_000,
        late_us in 0u64..50_000,
        records in prop::collection::vec((0i64..2_000_000_000, 0usize..3, 1u64..1000), 1..150),
    ) {
        let timing = Timing {
            speed: factor.map_or(Speed::Max, Speed::Factor),
            rate: per_second,
            ramp: Duration::from_millis(ramp_ms),
            ..Timing::default()
        };
        let records: Vec<ScheduledRecord> = records.into_iter().map(|(time, partition, bytes)| {
            ScheduledRecord { partition, bytes, ..at(time) }
        }).collect();
        let sent = run(&mut Scheduler::new(&timing), &records, Duration::from_micros(late_us));
        prop_assert!(sent.iter().all(|(sent, due)| sent >= due));
        prop_assert!(sent.is_sorted_by_key(|(sent, _)| *sent));
        if let Some(per_second) = per_second {
            for from in 0..sent.len() {
                for to in from..sent.len() {
                    let window = (sent[to].0 - sent[from].0).as_secs_f64();
                    let most = per_second * (window + rate::BURST) + 1.0;
                    prop_assert!((to - from + 1) as f64 <= most + 1e-3);
                }
            }
        }
    }
}
