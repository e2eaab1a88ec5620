//! What a percentile of several values is, wherever one is reported: lateness and latency, sizes, and rates.

/// The index, among this many sorted values, of the smallest that at least `percent` of 100 of them do not exceed
/// (the nearest rank, which is always one of the values).
pub(crate) fn nearest_rank(values: u64, percent: u64) -> u64 {
    let rank = (u128::from(values) * u128::from(percent)).div_ceil(100);
    let index = rank.saturating_sub(1);
    u64::try_from(index).unwrap_or(u64::MAX)
}

/// The value at a percentile of `sorted` ones; `None` without any.
pub(crate) fn percentile<T: Copy>(sorted: &[T], percent: u64) -> Option<T> {
    let index = nearest_rank(sorted.len() as u64, percent);
    sorted.get(usize::try_from(index).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() {
        for count in [1, 2, 3, 4, 10, 99, 100, 101, 1000] {
            let sorted: Vec<u64> = (1..=count).collect();
            for percent in [1, 10, 50, 90, 95, 99, 100] {
                // Counted one by one, without any rounding.
                let not_above = |value: &&u64| {
                    let below = sorted.iter().filter(|other| other <= value).count();
                    below * 100 >= sorted.len() * usize::try_from(percent).expect("small")
                };
                let expected = sorted.iter().find(not_above).copied();
                assert_eq!(
                    percentile(&sorted, percent),
                    expected,
                    "{percent} of {count}"
                );
            }
        }
        assert_eq!(percentile::<u64>(&[], 50), None);
        assert_eq!(nearest_rank(u64::MAX, 100), u64::MAX - 1);
    }
}
