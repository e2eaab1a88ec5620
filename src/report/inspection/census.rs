//! What the RRPairs of a capture show besides their records: who talked to whom, and by which commands. Its
//! memory is bounded whatever the input, because only a limited number of names is kept.

use std::collections::HashMap;

use crate::host::visible::beginning;

/// How many distinct names of one kind are kept. A capture has more only if a path leads to something that is
/// not a name.
const MOST_NAMES: usize = 1000;
/// How many bytes of a name are kept; longer names count as one if they begin alike. Kafka's protocol has
/// room for 32,767 bytes, and people choose names that can be read.
const LONGEST_NAME: usize = 1 << 10;

/// What an entry of a map costs besides its name: the text's own fields, the count, and free slots.
const NAME_OVERHEAD: usize = 64;

/// What was counted of the RRPairs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CensusReport {
    /// Commands of all RRPairs.
    pub commands: NameCounts,
    /// Brokers that the RRPairs which pass the filter went to.
    pub brokers: NameCounts,
    /// Clients (`client.id`) of the RRPairs that pass the filter.
    pub clients: NameCounts,
    /// Consumer groups named by any RRPair.
    pub groups: NameCounts,
    /// Isolation levels of the Fetches.
    pub isolation: NameCounts,
    /// Fetches that would lose something in a CSV.
    pub several: Several,
}

/// Fetches that hold more than one record. A CSV has one row for each, and so one record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Several {
    /// How many there are.
    pub fetches: u64,
    /// How many records they hold.
    pub records: u64,
}

/// Names with how often each occurred.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameCounts {
    counts: HashMap<String, u64>,
    /// Occurrences of names that were not kept.
    others: u64,
}

impl NameCounts {
    /// Counts `name` once.
    pub fn add(&mut self, name: &str) {
        let name = beginning(name, LONGEST_NAME);
        if let Some(count) = self.counts.get_mut(name) {
            *count += 1;
        } else if self.counts.len() < MOST_NAMES {
            self.counts.insert(name.into(), 1);
        } else {
            self.others += 1;
        }
    }

    /// Adds what another part of the input has counted.
    pub(in crate::report) fn merge(&mut self, later: Self) {
        self.others += later.others;
        for (name, count) in later.counts {
            if let Some(known) = self.counts.get_mut(&name) {
                *known += count;
            } else if self.counts.len() < MOST_NAMES {
                self.counts.insert(name, count);
            } else {
                self.others += count;
            }
        }
    }

    /// About how many bytes of memory they take besides their own size.
    pub(in crate::report) fn weight(&self) -> usize {
        let names = self.counts.keys();
        names.map(|name| name.len() + NAME_OVERHEAD).sum()
    }

    /// How often any name occurred.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum::<u64>() + self.others
    }

    /// The names kept, the most frequent first.
    #[must_use]
    pub fn by_count(&self) -> Vec<(&str, u64)> {
        let names = self.counts.iter();
        let mut names: Vec<(&str, u64)> = names.map(|(name, n)| (name.as_str(), *n)).collect();
        names.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        names
    }

    /// Occurrences of names that were not kept.
    #[must_use]
    pub fn others(&self) -> u64 {
        self.others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_and_bounded() {
        let mut names = NameCounts::default();
        for i in 0..MOST_NAMES + 5 {
            names.add(&i.to_string());
        }
        names.add("7");
        names.add("no room");
        assert_eq!(names.by_count()[..2], [("7", 2), ("0", 1)]);
        assert_eq!((names.by_count().len(), names.others()), (MOST_NAMES, 6));
        let mut more = NameCounts::default();
        for name in ["7", "beyond", "0"] {
            more.add(name);
        }
        names.merge(more);
        assert_eq!(names.by_count()[..2], [("7", 3), ("0", 2)]);
        assert_eq!((names.by_count().len(), names.others()), (MOST_NAMES, 7));
        assert_eq!(names.total(), MOST_NAMES as u64 + 10);
    }
}
