//! The hottest key of each topic, in memory that does not grow with the keys: a limited number of counters,
//! of which the lowest are dropped when others need the place (Misra and Gries, 1982).

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::host::visible::shortened;
use crate::report::HottestKey;

/// How many counters are kept when some are dropped. With twice as many, the next are dropped: a key that has
/// more than one in 32,768 records is always among them.
const KEPT: usize = 1 << 15;
/// How many bytes of a key are kept, to show it.
const SHOWN: usize = 64;

/// Counts of the keys of all topics.
#[derive(Debug, Default)]
pub(super) struct KeyCounters {
    hasher: RandomState,
    counters: HashMap<u64, KeyCounter>,
    /// How many records its counter may lack for any key.
    missed: u64,
}

#[derive(Debug)]
struct KeyCounter {
    topic: usize,
    /// The key, or its beginning plus a byte that shows the cut.
    key: Box<[u8]>,
    count: u64,
}

impl KeyCounters {
    /// Notes a record of the topic with this number.
    pub(super) fn add(&mut self, topic: usize, key: &[u8]) {
        let hash = self.hasher.hash_one((topic, key));
        if let Some(counter) = self.counters.get_mut(&hash) {
            counter.count += 1;
            return;
        }
        if self.counters.len() >= 2 * KEPT {
            self.give_up_the_least();
        }
        let counter = KeyCounter {
            topic,
            key: key[..key.len().min(SHOWN + 1)].into(),
            count: 1,
        };
        self.counters.insert(hash, counter);
    }

    /// Subtracts from all counters the largest of those that are dropped.
    fn give_up_the_least(&mut self) {
        let mut counts: Vec<u64> = self.counters.values().map(|known| known.count).collect();
        let (_, least, _) = counts.select_nth_unstable_by(KEPT, |a, b| b.cmp(a));
        let least = *least;
        self.missed += least;
        self.counters.retain(|_, known| {
            known.count = known.count.saturating_sub(least);
            known.count > 0
        });
    }

    /// The hottest key of each topic that has keys, by the topic's number; of equal ones the first by its
    /// bytes.
    pub(super) fn hottest(&self) -> HashMap<usize, HottestKey> {
        let mut hottest: HashMap<usize, &KeyCounter> = HashMap::new();
        for counter in self.counters.values() {
            let known = hottest.entry(counter.topic).or_insert(counter);
            let is_hotter = (counter.count, &known.key) > (known.count, &counter.key);
            if is_hotter {
                *known = counter;
            }
        }
        let missed = self.missed;
        let shown = hottest.into_iter().map(|(topic, counter)| {
            let key = String::from_utf8_lossy(&counter.key);
            let key = shortened(&key, SHOWN).into_owned();
            let (at_least, at_most) = (counter.count, counter.count + missed);
            let hottest = HottestKey {
                key,
                at_least,
                at_most,
            };
            (topic, hottest)
        });
        shown.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_keys_are_counted_exactly_and_topics_apart() {
        let mut counters = KeyCounters::default();
        for (topic, key, times) in [(0, "a", 3), (0, "b", 5), (1, "a", 4), (1, "c", 4)] {
            (0..times).for_each(|_| counters.add(topic, key.as_bytes()));
        }
        let hottest = counters.hottest();
        let count = |key: &str, n| HottestKey {
            key: key.into(),
            at_least: n,
            at_most: n,
        };
        assert_eq!(hottest[&0], count("b", 5));
        assert_eq!(hottest[&1], count("a", 4), "of equals the first");
        assert_eq!(hottest.len(), 2);
    }

    #[test]
    fn a_hot_key_among_more_keys_than_counters_is_found_and_its_count_is_within_bounds() {
        let mut counters = KeyCounters::default();
        let others = 10 * KEPT as u64;
        for n in 0..others {
            counters.add(0, &n.to_be_bytes());
            // Every eighth record has the hot key.
            if n % 7 == 0 {
                counters.add(0, b"hot");
            }
        }
        let hot = others.div_ceil(7);
        let found = &counters.hottest()[&0];
        assert_eq!(found.key, "hot");
        assert!(found.at_least <= hot && hot <= found.at_most, "{found:?}");
        let records = others + hot;
        assert!(found.at_most - found.at_least <= records / KEPT as u64);
        assert!(counters.counters.len() <= 2 * KEPT);
    }
}
