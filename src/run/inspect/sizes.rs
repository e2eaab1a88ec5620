//! The sizes of values: percentiles in memory that does not grow with the records. They are exact for few
//! different sizes; beyond that a percentile is at most 0.1 % above the true one.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::report::SizeSummary;
use crate::report::rendering::percentile::nearest_rank;

/// How many different sizes are counted one by one: about 64 KiB for each topic.
const MOST_EXACT: usize = 4096;
/// The precision of the histogram beyond them: three digits are 0.1 %, in about 100 KiB for sizes up to 64
/// MiB.
const SIGNIFICANT_DIGITS: u8 = 3;

/// The sizes of a topic's values.
#[derive(Debug, Default)]
pub(super) struct ValueSizes {
    counts: SizeCounts,
    values: u64,
    max: u64,
}

#[derive(Debug)]
enum SizeCounts {
    Exact(BTreeMap<u64, u64>),
    Near(Histogram<u64>),
}

impl Default for SizeCounts {
    fn default() -> Self {
        Self::Exact(BTreeMap::new())
    }
}

impl ValueSizes {
    pub(super) fn add(&mut self, size: u64) {
        self.values += 1;
        self.max = self.max.max(size);
        match &mut self.counts {
            SizeCounts::Exact(counts) => {
                *counts.entry(size).or_default() += 1;
                if counts.len() > MOST_EXACT {
                    let near = near(counts);
                    self.counts = SizeCounts::Near(near);
                }
            }
            SizeCounts::Near(histogram) => record(histogram, size, 1),
        }
    }

    /// `None` if no record has a value.
    pub(super) fn summary(&self) -> Option<SizeSummary> {
        (self.values > 0).then(|| SizeSummary {
            p50: self.percentile(50),
            p99: self.percentile(99),
            max: self.max,
        })
    }

    fn percentile(&self, percent: u64) -> u64 {
        let index = nearest_rank(self.values, percent);
        match &self.counts {
            SizeCounts::Exact(counts) => {
                let mut below = 0;
                let mut counts = counts.iter();
                let at = counts.find(|(_, count)| {
                    below += **count;
                    below > index
                });
                at.map_or(self.max, |(size, _)| *size)
            }
            SizeCounts::Near(histogram) => histogram
                .value_at_quantile(percent as f64 / 100.0)
                .min(self.max),
        }
    }
}

fn near(counts: &BTreeMap<u64, u64>) -> Histogram<u64> {
    let mut histogram =
        Histogram::new(SIGNIFICANT_DIGITS).expect("3 is a number of digits it takes");
    // Otherwise it keeps the range that it was created for, and counts larger sizes as its end.
    histogram.auto(true);
    for (size, count) in counts {
        record(&mut histogram, *size, *count);
    }
    histogram
}

fn record(histogram: &mut Histogram<u64>, size: u64, count: u64) {
    let recorded = histogram.record_n(size, count);
    recorded.expect("a histogram that grows takes every size of a value in memory");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Computed by sorting all of them.
    fn sorted(mut sizes: Vec<u64>) -> Option<[u64; 3]> {
        sizes.sort_unstable();
        let at = |percent: usize| sizes[(sizes.len() * percent).div_ceil(100) - 1];
        (!sizes.is_empty()).then(|| [at(50), at(99), at(100)])
    }

    fn summed_up(sizes: &[u64]) -> Option<[u64; 3]> {
        let mut all = ValueSizes::default();
        sizes.iter().for_each(|size| all.add(*size));
        let all = all.summary();
        all.map(|sizes| [sizes.p50, sizes.p99, sizes.max])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn few_sizes_are_summarised_exactly(sizes in prop::collection::vec(0_u64..64 << 20, 0..2000)) {
            prop_assert_eq!(summed_up(&sizes), sorted(sizes));
        }
    }

    #[test]
    fn many_sizes_are_summarised_to_a_thousandth() {
        let sizes: Vec<u64> = (0..100_000).map(|i: u64| i * i % 67_108_859).collect();
        let estimates = summed_up(&sizes).expect("there are sizes");
        let exact = sorted(sizes).expect("there are sizes");
        for (estimates, exact) in estimates.into_iter().zip(exact) {
            assert!(
                (exact..=exact + exact / 1000 + 1).contains(&estimates),
                "{estimates} for {exact}"
            );
        }
        assert_eq!(estimates[2], exact[2], "the largest one is exact");
    }
}
