//! Decides which time of a record counts, and which times say nothing. This file is separate from the selection
//! because the schedule uses it as well: `--from +5m` and `--speed 1x` begin at the same record.

use crate::record::{Batch, Record};

/// Which time of a record counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Clock {
    /// When the application received it, or sent it.
    #[default]
    Capture,
    /// Its own timestamp.
    Record,
}

impl Clock {
    /// The value of `--clock`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Record => "record",
        }
    }

    /// The time of `record` by this clock, in nanoseconds since 1970; `None` if it is not known. One beyond the
    /// year 2262 becomes the last that 64 bits hold.
    pub(crate) fn time_ns(self, batch: &Batch, record: &Record) -> Option<i64> {
        match self {
            Self::Capture => batch.captured_ns(record).and_then(known),
            Self::Record => known_timestamp_ms(record).map(|ms| ms.saturating_mul(1_000_000)),
        }
    }
}

/// A timestamp as a capture writes it, in milliseconds since 1970. Kafka writes -1 for one that it does not know
/// (Kafka protocol guide, Record Batch), and its clients refuse any other below 0.
pub(crate) fn captured_timestamp_ms(timestamp_ms: i64) -> Option<i64> {
    Some(timestamp_ms).filter(|ms| *ms >= 0)
}

/// The timestamp of `record`, if it says when the record was written.
pub(crate) fn known_timestamp_ms(record: &Record) -> Option<i64> {
    record.timestamp_ms.and_then(known)
}

/// A time since 1970, in any unit. 0 says nothing: Kafka's clients take it for the time of sending, and a field
/// that nobody has set is 0.
fn known(time: i64) -> Option<i64> {
    Some(time).filter(|time| *time > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Headers, Origin};

    #[test]
    fn a_time_that_is_not_after_the_beginning_of_1970_is_none_by_both_clocks() {
        let mut batch = Batch::default();
        for (time, expected) in [
            (i64::MIN, None),
            (-1, None),
            (0, None),
            (1, Some(1)),
            (1_764_787_375_659, Some(1_764_787_375_659)),
        ] {
            let record = Record {
                topic: None,
                partition: None,
                offset: None,
                timestamp_ms: Some(time),
                key: None,
                value: None,
                headers: Headers::default(),
                origin: Origin { input: 0, line: 1 },
                capture: Some(batch.capture_index(time)),
            };
            assert_eq!(known_timestamp_ms(&record), expected, "{time}");
            assert_eq!(Clock::Capture.time_ns(&batch, &record), expected, "{time}");
            let expected = expected.map(|ms: i64| ms * 1_000_000);
            assert_eq!(Clock::Record.time_ns(&batch, &record), expected, "{time}");
        }
    }

    #[test]
    fn a_captured_timestamp_below_0_is_none_and_0_is_kept() {
        let kept = [i64::MIN, -2, -1, 0, 1, i64::MAX].map(captured_timestamp_ms);
        assert_eq!(kept, [None, None, None, Some(0), Some(1), Some(i64::MAX)]);
    }
}
