//! Checks that the records of a source are those that a journal was written for.

use std::collections::VecDeque;

use crate::record::{Batch, CapturedTopic, Record};

/// What was read up to a position: records, bytes, and the checksum over them.
pub(super) type Checkpoint = (u64, u64, u32);

/// How many positions are remembered with their checksums: more than records are ever in flight or wait to be
/// put in order, unless nothing is delivered for long.
const MOST_PLACES: usize = 48 << 10;
/// Checkpoints are this far apart, in records or bytes, whichever comes first: this much of a source waits
/// for the next one to be compared.
const APART: (u64, u64) = (4096, 4 << 20);

/// Adds a checkpoint to those known, if it comes after them. The last one is always kept; of the others only
/// as many as [`APART`] allows.
pub(super) fn push(known: &mut Vec<Checkpoint>, at: Checkpoint) {
    if known.last().is_some_and(|last| at.0 <= last.0) {
        return;
    }
    if let [.., before, last] = &mut known[..]
        && at.0 - before.0 < APART.0
        && at.1 - before.1 < APART.1
    {
        *last = at;
        return;
    }
    known.push(at);
}

/// A running checksum (CRC-32) over the source's records, with its values at the positions that may have to
/// be written down.
#[derive(Debug)]
pub(super) struct Checksum {
    hasher: crc32fast::Hasher,
    records: u64,
    bytes: u64,
    /// What earlier runs have read, as far as this one has not reached it yet.
    expected: VecDeque<Checkpoint>,
    /// Up to where the records are the expected ones.
    compared: u64,
    /// Positions that this run has passed, after everything expected.
    places: VecDeque<Checkpoint>,
}

impl Checksum {
    pub(super) fn expecting(read: &[Checkpoint]) -> Self {
        Self {
            hasher: crc32fast::Hasher::new(),
            records: 0,
            bytes: 0,
            expected: read.iter().copied().collect(),
            compared: 0,
            places: VecDeque::new(),
        }
    }

    /// Adds the next records; `false` if they are not the expected ones.
    pub(super) fn add(&mut self, batch: &Batch) -> bool {
        batch
            .records
            .iter()
            .all(|record| self.add_one(batch, record))
    }

    fn add_one(&mut self, batch: &Batch, record: &Record) -> bool {
        hash(&mut self.hasher, batch, record);
        self.records += 1;
        self.bytes += batch.size(record) as u64;
        let here = || {
            let crc = self.hasher.clone().finalize();
            (self.records, self.bytes, crc)
        };
        match self.expected.front() {
            Some(expected) if expected.0 == self.records => {
                if *expected != here() {
                    return false;
                }
                self.compared = self.records;
                self.expected.pop_front();
            }
            Some(_) => {}
            None => {
                let here = here();
                self.remember(here);
            }
        }
        true
    }

    fn remember(&mut self, place: Checkpoint) {
        if self.places.len() >= MOST_PLACES {
            // Nothing was delivered for long: every second position has to be enough.
            let mut is_kept = false;
            self.places.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
        }
        self.places.push_back(place);
    }

    /// The number of records read.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// How many records from the beginning are those of the journal, or come after everything that it knows.
    pub(super) fn confirmed(&self) -> u64 {
        match self.expected.is_empty() {
            true => u64::MAX,
            false => self.compared,
        }
    }

    /// The first known position that is not before `low`; `None` if that is not after what earlier runs have
    /// read. The caller asks with ascending numbers.
    pub(super) fn at(&mut self, low: u64) -> Option<Checkpoint> {
        while self.places.front().is_some_and(|place| place.0 < low) {
            self.places.pop_front();
        }
        self.places.front().copied()
    }
}

/// Hashes everything that makes a record, so that no two different records yield the same bytes.
fn hash(hasher: &mut crc32fast::Hasher, batch: &Batch, record: &Record) {
    let id;
    let topic = match batch.topic(record) {
        None => None,
        Some(CapturedTopic::Name(name)) => Some(name.as_bytes()),
        Some(CapturedTopic::Id(topic)) => {
            id = topic.to_string();
            Some(id.as_bytes())
        }
    };
    let headers = batch.headers(record);
    let (key, value) = (
        record.key.map(|span| batch.slice(span)),
        record.value.map(|span| batch.slice(span)),
    );
    let numbers = [
        record.partition.map_or(-1, i64::from),
        record.offset.unwrap_or(-1),
        record.timestamp_ms.unwrap_or(i64::MIN),
        headers.len() as i64,
    ];
    numbers.iter().for_each(|n| hasher.update(&n.to_le_bytes()));
    for bytes in [topic, key, value] {
        hash_bytes(hasher, bytes);
    }
    for header in headers {
        hash_bytes(hasher, Some(batch.slice(header.name)));
        hash_bytes(hasher, header.value.map(|span| batch.slice(span)));
    }
}

/// The length precedes the bytes; a missing field has a length that no bytes have.
fn hash_bytes(hasher: &mut crc32fast::Hasher, bytes: Option<&[u8]>) {
    let length = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
    hasher.update(&length.to_le_bytes());
    hasher.update(bytes.unwrap_or_default());
}
