//! The ids in a topic's log, how often they occur there, and in which order.
//!
//! This file only reads; the verdict compares.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::time::Duration;

use rdkafka::message::Message;

use super::index;
use super::readback::scan;

/// The longest that reading a log may take; a million records on a busy machine need a part of it.
const READ_LIMIT: Duration = Duration::from_secs(90);

/// The id in a value that begins with `{"id":N`.
pub(crate) fn id_of(value: &[u8]) -> Option<u64> {
    let digits = value.strip_prefix(br#"{"id":"#)?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

/// The ids in a topic's log, in the order of each partition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(BTreeMap<i32, Vec<u64>>);

impl Log {
    /// A log with these ids in its partitions 0, 1, ...
    pub(crate) fn of(partitions: &[&[u64]]) -> Self {
        let partitions = (0..).zip(partitions.iter().map(|ids| ids.to_vec()));
        Self(partitions.collect())
    }

    /// Reads what a topic holds now.
    ///
    /// # Errors
    /// Returns an error if the log cannot be read to its end, or holds a value without an id.
    pub(crate) fn read(bootstrap: &str, topic: &str) -> Result<Self, String> {
        let mut log = Self::default();
        let mut strange = None;
        scan(bootstrap, topic, READ_LIMIT, |message| {
            match message.payload().and_then(id_of) {
                Some(id) => log.0.entry(message.partition()).or_default().push(id),
                None => strange = Some((message.partition(), message.offset())),
            }
        })?;
        match strange {
            Some((partition, offset)) => Err(format!(
                "the value at {topic}/{partition}, offset {offset}, has no id"
            )),
            None => Ok(log),
        }
    }

    /// How many records are in it, repeated ones included.
    pub(crate) fn len(&self) -> u64 {
        self.0.values().map(|ids| ids.len() as u64).sum()
    }

    /// All ids, rising.
    pub(crate) fn ids(&self) -> Vec<u64> {
        let mut ids: Vec<u64> = self.0.values().flatten().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// How often each id of a range is in it, and the ids that are outside the range.
    pub(super) fn census(&self, ids: &Range<u64>) -> (Vec<u32>, Vec<u64>) {
        let mut times = vec![0; index(ids, ids.end).unwrap_or_default()];
        let mut strangers = Vec::new();
        for id in self.0.values().flatten() {
            match index(ids, *id) {
                Some(at) if at < times.len() => times[at] += 1,
                _ => strangers.push(*id),
            }
        }
        (times, strangers)
    }

    /// For each partition the ids that come after a larger one, repetitions aside.
    pub(super) fn out_of_order(&self) -> Vec<u64> {
        let mut found = Vec::new();
        for ids in self.0.values() {
            let mut known = HashSet::new();
            let mut highest = None;
            for id in ids {
                if known.insert(*id) {
                    if highest.is_some_and(|highest| *id < highest) {
                        found.push(*id);
                    }
                    highest = highest.max(Some(*id));
                }
            }
        }
        found
    }
}
