//! `--timestamps shift`: records keep the distances of their timestamps, divided by the speed, and the first
//! one gets the time at which its pass begins.

use std::collections::VecDeque;

use crate::config::{Speed, Timestamps};
use crate::record::Record;
use crate::record::select::{FirstRecord, known_timestamp_ms};

/// How many passes are remembered. Records of earlier ones are no longer in flight, or their topic would not
/// have taken the later ones.
const MOST_PASSES: usize = 16;

/// How the timestamps of each pass are shifted.
#[derive(Debug)]
pub(in crate::produce) struct Shifts {
    speed: f64,
    passes: VecDeque<Shift>,
    /// The timestamp of the first record of the whole capture, if this machine has a share of it.
    shared_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Shift {
    /// The position of the pass's first record.
    from: u64,
    /// When the pass began, in milliseconds since 1970; `None` before its first record.
    start_ms: Option<i64>,
    /// The timestamp of its first record that has one.
    first_ms: Option<i64>,
}

impl Shifts {
    /// How timestamps are shifted in a replay at `speed`, if they are.
    pub(in crate::produce) fn of(which: Timestamps, speed: Speed) -> Option<Self> {
        let speed = match speed {
            Speed::Max => 1.0,
            Speed::Factor(factor) => factor,
        };
        (which == Timestamps::Shift).then(|| Self::new(speed))
    }

    /// Shifts that divide distances by `speed`.
    pub(in crate::produce) fn new(speed: f64) -> Self {
        Self {
            speed,
            passes: VecDeque::new(),
            shared_ms: None,
        }
    }

    /// Keeps the distances to the first record of the whole capture, whichever machine sends it.
    pub(in crate::produce) fn share(&mut self, first: FirstRecord) {
        self.shared_ms = first.timestamp_ms;
    }

    /// Begins a pass whose records are numbered from `from` on.
    pub(in crate::produce) fn begin_pass(&mut self, from: u64) {
        self.passes.push_back(Shift {
            from,
            start_ms: None,
            first_ms: None,
        });
        if self.passes.len() > MOST_PASSES {
            self.passes.pop_front();
        }
    }

    /// Notes that a record with this timestamp is the next to go, in a pass that begins at `now_ms` at the
    /// latest.
    pub(in crate::produce) fn note(
        &mut self,
        timestamp_ms: Option<i64>,
        now_ms: impl FnOnce() -> i64,
    ) {
        let timestamp_ms = self.shared_ms.or(timestamp_ms);
        if let Some(shift) = self.passes.back_mut() {
            shift.start_ms.get_or_insert_with(now_ms);
            shift.first_ms = shift.first_ms.or(timestamp_ms);
        }
    }

    /// The time that the record at `position` with this timestamp gets; `None` if nothing is known about its
    /// pass.
    pub(in crate::produce) fn shifted(&self, timestamp_ms: i64, position: u64) -> Option<i64> {
        let mut passes = self.passes.iter().rev();
        let shift = passes.find(|shift| shift.from <= position)?;
        let (start, first) = (shift.start_ms?, shift.first_ms?);
        let distance = (i128::from(timestamp_ms) - i128::from(first)) as f64 / self.speed;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what is beyond the range of times becomes its end"
        )]
        let distance = distance.round() as i64;
        // No time is before 1970: librdkafka takes 0 for the time of sending.
        Some(start.saturating_add(distance).max(1))
    }
}

/// The time that the record at `position` keeps, or whose distances it keeps; `None` if it gets the time of
/// sending.
pub(in crate::produce) fn kept_timestamp_ms(
    which: Timestamps,
    shifts: Option<&Shifts>,
    record: &Record,
    position: u64,
) -> Option<i64> {
    let known = known_timestamp_ms(record);
    match which {
        Timestamps::Now => None,
        Timestamps::Original => known,
        Timestamps::Shift => known.and_then(|ms| shifts?.shifted(ms, position)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    #[test]
    fn distances_are_kept_and_divided_by_the_speed() {
        let mut shifts = Shifts::new(4.0);
        shifts.begin_pass(0);
        shifts.note(Some(1_000_000), || NOW);
        shifts.note(Some(1_000_400), || NOW + 7);
        let shifted = [1_000_000, 1_000_400, 999_990].map(|ms| shifts.shifted(ms, 3));
        assert_eq!(shifted, [Some(NOW), Some(NOW + 100), Some(NOW - 3)]);
    }

    #[test]
    fn each_pass_has_a_start_of_its_own_and_records_stay_with_theirs() {
        let mut shifts = Shifts::new(1.0);
        shifts.begin_pass(0);
        assert_eq!(shifts.shifted(5_000, 0), None);
        // The pass begins with its first record, even if that has no timestamp.
        shifts.note(None, || NOW);
        shifts.note(Some(5_000), || NOW + 9);
        shifts.begin_pass(10);
        shifts.note(Some(5_000), || NOW + 60_000);
        let shifted = [9, 10].map(|position| shifts.shifted(6_000, position));
        assert_eq!(shifted, [Some(NOW + 1_000), Some(NOW + 61_000)]);
    }

    #[test]
    fn timestamps_out_of_range_are_clamped() {
        let mut shifts = Shifts::new(0.001);
        shifts.begin_pass(0);
        shifts.note(Some(1), || NOW);
        assert_eq!(shifts.shifted(i64::MAX, 0), Some(i64::MAX));
        assert_eq!(shifts.shifted(i64::MIN, 0), Some(1));
    }
}
