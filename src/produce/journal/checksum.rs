//! Whether the records of a source are those that a journal was written over.

use std::collections::VecDeque;

use crate::record::Batch;

/// Places that are remembered with the checksum there.
const MOST_PLACES: usize = 1024;

/// A running checksum (CRC-32) over the source's records, with what it was at a few places.
#[derive(Debug)]
pub(super) struct Checksum {
    hasher: crc32fast::Hasher,
    pub(super) seen: u64,
    /// Where an earlier run has left its checksum, and what that was.
    expected: (u64, u32),
    /// After batches of which records are not delivered yet.
    later: VecDeque<(u64, u32)>,
    /// The last place before which everything is delivered.
    passed: (u64, u32),
}

impl Checksum {
    pub(super) fn upto(checked: u64, crc: u32) -> Self {
        Self {
            hasher: crc32fast::Hasher::new(),
            seen: 0,
            expected: (checked, crc),
            later: VecDeque::new(),
            passed: (checked, crc),
        }
    }

    /// Whether the records are those that are expected.
    pub(super) fn add(&mut self, batch: &Batch) -> bool {
        for record in &batch.records {
            if let Some(topic) = batch.topic(record) {
                self.hasher.update(topic.to_string().as_bytes());
            }
            let numbers = [
                record.partition.map_or(-1, i64::from),
                record.offset.unwrap_or(-1),
                record.timestamp_ms.unwrap_or(-1),
            ];
            numbers
                .iter()
                .for_each(|n| self.hasher.update(&n.to_le_bytes()));
            for bytes in [record.key, record.value] {
                self.hasher
                    .update(bytes.map_or(&[][..], |bytes| batch.slice(bytes)));
            }
            self.seen += 1;
            let (checked, crc) = self.expected;
            if self.seen == checked && self.hasher.clone().finalize() != crc {
                return false;
            }
        }
        if self.seen > self.passed.0 {
            if self.later.len() >= MOST_PLACES {
                // What is not delivered may hold the first place back for the rest of the run.
                let mut is_kept = false;
                self.later.retain(|_| {
                    is_kept = !is_kept;
                    is_kept
                });
            }
            self.later
                .push_back((self.seen, self.hasher.clone().finalize()));
        }
        true
    }

    /// The last known place not behind `low`, and the checksum there.
    pub(super) fn at(&mut self, low: u64) -> (u64, u32) {
        while let Some(next) = self.later.front().filter(|(seen, _)| *seen <= low) {
            self.passed = *next;
            self.later.pop_front();
        }
        self.passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;
    use crate::record_line;

    /// A batch of records with these offsets.
    fn batch(offsets: impl IntoIterator<Item = u64>) -> Batch {
        let mut batch = Batch::default();
        for offset in offsets {
            let line = format!(r#"{{"topic":"t","partition":0,"offset":{offset},"value":"v"}}"#);
            let origin = Origin { input: 0, line: 1 };
            record_line::read(line.as_bytes(), origin, &mut batch).expect("a record line");
        }
        batch
    }

    /// What a run leaves that has seen these batches and delivered all of them.
    fn left(batches: &[Batch]) -> (u64, u32) {
        let mut checksum = Checksum::upto(0, 0);
        assert!(batches.iter().all(|batch| checksum.add(batch)));
        checksum.at(checksum.seen)
    }

    #[test]
    fn the_same_records_are_known_again_whatever_batches_they_come_in() {
        let (checked, crc) = left(&[batch(0..3), batch(3..10)]);
        assert_eq!(checked, 10);
        for batches in [vec![batch(0..10)], vec![batch(0..9), batch(9..20)]] {
            let mut checksum = Checksum::upto(checked, crc);
            assert!(batches.iter().all(|batch| checksum.add(batch)));
        }
    }

    #[test]
    fn another_record_is_told_when_the_last_checked_one_comes() {
        let (checked, crc) = left(&[batch(0..10)]);
        let mut checksum = Checksum::upto(checked, crc);
        assert!(checksum.add(&batch([0, 1, 2, 3, 99])), "not checked yet");
        assert!(!checksum.add(&batch(5..10)));
    }

    #[test]
    fn what_is_checked_never_goes_beyond_what_is_delivered() {
        let mut checksum = Checksum::upto(0, 0);
        (0..50).for_each(|i| assert!(checksum.add(&batch(i * 10..i * 10 + 10))));
        for (low, checked) in [(0, 0), (9, 0), (10, 10), (127, 120), (499, 490), (500, 500)] {
            assert_eq!(checksum.at(low).0, checked, "{low}");
        }
    }

    #[test]
    fn places_are_bounded_when_a_record_is_never_delivered() {
        let mut checksum = Checksum::upto(0, 0);
        for i in 0..5 * MOST_PLACES as u64 {
            assert!(checksum.add(&batch([i])));
            assert_eq!(checksum.at(0).0, 0);
            assert!(checksum.later.len() <= MOST_PLACES);
        }
    }
}
