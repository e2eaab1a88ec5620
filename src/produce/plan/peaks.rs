//! The busiest second and the busiest 10 ms of a schedule: the most records, and the most bytes, that are due
//! within any such span.

use std::collections::VecDeque;
use std::time::Duration;

use crate::report::PeakSpan;

/// The resolution of due times: a record that is due at the end of a span is not in it, whatever the last
/// digits of its due time.
const TICK_NS: u128 = 100_000;

/// What was due in each span of this length, as it moves along the schedule.
#[derive(Debug)]
pub(super) struct Peaks {
    second: Busiest,
    ten_ms: Busiest,
}

#[derive(Debug)]
struct Busiest {
    ticks: u64,
    /// What is due in the span that ends now: ticks, records and bytes.
    span: VecDeque<(u64, u64, u64)>,
    records: u64,
    bytes: u64,
    peak: PeakSpan,
}

impl Peaks {
    pub(super) fn new() -> Self {
        Self {
            second: Busiest::of(Duration::from_secs(1)),
            ten_ms: Busiest::of(Duration::from_millis(10)),
        }
    }

    /// Notes a record that goes at `due`; records come in the order of their due times.
    pub(super) fn add(&mut self, due: Duration, bytes: u64) {
        let tick = ticks(due);
        self.second.add(tick, bytes);
        self.ten_ms.add(tick, bytes);
    }

    /// The busiest second, and the busiest 10 ms.
    pub(super) fn peaks(&self) -> (PeakSpan, PeakSpan) {
        (self.second.peak, self.ten_ms.peak)
    }
}

/// The nearest tick.
fn ticks(time: Duration) -> u64 {
    let ticks = (time.as_nanos() + TICK_NS / 2) / TICK_NS;
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

impl Busiest {
    fn of(span: Duration) -> Self {
        Self {
            ticks: ticks(span),
            span: VecDeque::new(),
            records: 0,
            bytes: 0,
            peak: PeakSpan::default(),
        }
    }

    fn add(&mut self, tick: u64, bytes: u64) {
        while let Some((first, records, bytes)) = self.span.front().copied()
            && tick - first >= self.ticks
        {
            self.span.pop_front();
            self.records -= records;
            self.bytes -= bytes;
        }
        match self.span.back_mut() {
            Some((last, records, sum)) if *last == tick => {
                *records += 1;
                *sum += bytes;
            }
            _ => self.span.push_back((tick, 1, bytes)),
        }
        self.records += 1;
        self.bytes += bytes;
        self.peak.bytes = self.peak.bytes.max(self.bytes);
        if self.records > self.peak.records {
            self.peak.records = self.records;
            let first = self.span.front().map_or(tick, |(first, ..)| *first);
            self.peak.at = Duration::from_micros(first.saturating_mul(100));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn peaks(records: &[(u64, u64)]) -> (PeakSpan, PeakSpan) {
        let mut peaks = Peaks::new();
        for (ms, bytes) in records {
            peaks.add(Duration::from_millis(*ms), *bytes);
        }
        peaks.peaks()
    }

    #[test]
    fn a_span_begins_anywhere_and_ends_before_its_length() {
        let records = [(0, 1), (600, 1), (995, 1), (1004, 1), (1599, 90), (1600, 1)];
        let (second, ten_ms) = peaks(&records);
        let load = |records, bytes, ms| PeakSpan {
            records,
            bytes,
            at: Duration::from_millis(ms),
        };
        assert_eq!(second, load(4, 93, 600));
        assert_eq!(ten_ms, load(2, 91, 995));
    }

    proptest! {
        #[test]
        fn peaks_equal_those_of_an_exhaustive_search(
            gaps in prop::collection::vec((0u64..900, 0u64..100), 0..60),
        ) {
            let mut at = 0;
            let records: Vec<(u64, u64)> = gaps.into_iter().map(|(gap, bytes)| {
                at += gap;
                (at, bytes)
            }).collect();
            let (second, ten_ms) = peaks(&records);
            for (found, ms) in [(second, 1000), (ten_ms, 10)] {
                let spans = records.iter().map(|(from, _)| {
                    records.iter().filter(move |(at, _)| (*from..from + ms).contains(at))
                });
                let most = spans.clone().map(Iterator::count).max().unwrap_or(0);
                let bytes = spans.map(|span| span.map(|(_, bytes)| bytes).sum::<u64>()).max();
                prop_assert_eq!(found.records, most as u64);
                prop_assert_eq!(found.bytes, bytes.unwrap_or(0));
            }
        }
    }
}
