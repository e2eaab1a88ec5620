//! How long something took, record by record: exact for a thousand records, a histogram beyond.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::report::Latency;
use crate::report::rendering::percentile::percentile;

/// How many times are kept one by one.
const EXACT: usize = 1_000;
/// The longest time that the histogram resolves: an hour, in microseconds.
const LONGEST_US: u64 = 3_600_000_000;

/// Times in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Distribution {
    /// All times, as long as there are few.
    exact: Vec<u64>,
    /// The histogram that replaces them when there are more.
    histogram: Option<Histogram<u64>>,
}

impl Distribution {
    pub(crate) fn record(&mut self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(histogram) = &mut self.histogram {
            return histogram.saturating_record(us);
        }
        self.exact.push(us);
        if self.exact.len() > EXACT {
            let mut histogram =
                Histogram::new_with_max(LONGEST_US, 3).expect("the bounds are in order");
            for us in self.exact.drain(..) {
                histogram.saturating_record(us);
            }
            self.exact = Vec::new();
            self.histogram = Some(histogram);
        }
    }

    /// `None` if nothing was recorded.
    pub(crate) fn summary(&self) -> Option<Latency> {
        let mut sorted = self.exact.clone();
        sorted.sort_unstable();
        let us = |percent| match &self.histogram {
            Some(histogram) if percent == 100 => Some(histogram.max()),
            Some(histogram) => Some(histogram.value_at_quantile(percent as f64 / 100.0)),
            None => percentile(&sorted, percent),
        };
        let ms = |percent| Some(us(percent)? as f64 / 1000.0);
        Some(Latency {
            p50: ms(50)?,
            p95: ms(95)?,
            p99: ms(99)?,
            max: ms(100)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The summary of this many times, of 1 ms, 2 ms and so on in some other order.
    fn of(values: u64) -> Option<Latency> {
        let mut times = Distribution::default();
        // 7,919 is prime, so that every time occurs once.
        (0..values).for_each(|i| times.record(Duration::from_millis(i * 7919 % values + 1)));
        times.summary()
    }

    #[test]
    fn few_latencies_are_summarised_exactly() {
        let latency = |p50, p95, p99, max| Some(Latency { p50, p95, p99, max });
        assert_eq!(of(0), None);
        assert_eq!(of(1), latency(1.0, 1.0, 1.0, 1.0));
        assert_eq!(of(4), latency(2.0, 4.0, 4.0, 4.0));
        assert_eq!(of(1000), latency(500.0, 950.0, 990.0, 1000.0));
    }

    #[test]
    fn many_latencies_are_summarised_to_a_thousandth() {
        let estimate = of(20_000).expect("there are some");
        for (estimate, exact) in [
            (estimate.p50, 10_000.0),
            (estimate.p95, 19_000.0),
            (estimate.p99, 19_800.0),
            (estimate.max, 20_000.0),
        ] {
            assert!(
                (estimate - exact).abs() <= exact / 1000.0,
                "{estimate} for {exact}"
            );
        }
    }
}
