//! The memory of a batch: what it weighs in the channel, and how much room it makes for more records.

use super::Batch;
use super::captured::CaptureTimes;
use crate::record::{CapturedFrom, CapturedTopic, Header, Record};

impl Batch {
    /// Bytes of memory that one record costs besides its contents; an estimate for the channel's bound.
    const RECORD_OVERHEAD: usize = size_of::<Record>();

    /// Bytes that one topic costs besides its name: both entries, and a free slot of the index.
    const TOPIC_OVERHEAD: usize = 3 * size_of::<CapturedTopic>();

    /// Bytes that a batch reserves at most for each of its parts when it begins; larger ones are rare.
    const MOST_ROOM: usize = 1 << 20;

    /// Hands over the contents and begins anew, with room for about as much again.
    pub(crate) fn hand_over(&mut self) -> Self {
        let fits = |len: usize, size: usize| len.min(Self::MOST_ROOM / size);
        let next = Self {
            records: Vec::with_capacity(fits(self.records.len(), size_of::<Record>())),
            headers: Vec::with_capacity(fits(self.headers.len(), size_of::<Header>())),
            bytes: Vec::with_capacity(fits(self.bytes.len(), 1)),
            capture_times: CaptureTimes::with_room(fits(self.capture_times.len(), 16)),
            not_captured: self.not_captured,
            ..Self::default()
        };
        std::mem::replace(self, next)
    }

    /// Makes room for one more record of `bytes`, and for a quarter of what is in the batch. Doubling it would be too
    /// much where thousands of batches wait.
    pub(crate) fn reserve_closely(&mut self, bytes: usize) {
        let records = &mut self.records;
        if records.len() == records.capacity() {
            records.reserve_exact((records.len() / 4).max(4));
        }
        let held = &mut self.bytes;
        if held.len() + bytes > held.capacity() {
            held.reserve_exact(bytes.max(held.len() / 4));
        }
    }

    /// Bytes of memory that the batch takes for records, with the room for more of them.
    pub(crate) fn room(&self) -> usize {
        self.bytes.capacity()
            + self.records.capacity() * Self::RECORD_OVERHEAD
            + self.headers.capacity() * size_of::<Header>()
            + self.capture_times.weight()
            + self.topics.len() * Self::TOPIC_OVERHEAD
            + self.topic_numbers.bytes * 2
    }

    /// Bytes of memory that the batch counts for in the channel.
    pub(crate) fn weight(&self) -> usize {
        self.bytes.len()
            + self.records.len() * Self::RECORD_OVERHEAD
            + self.headers.len() * size_of::<Header>()
            + self.topics.len() * Self::TOPIC_OVERHEAD
            + self.capture_times.weight()
            // Once in the list, once as the key of its index.
            + self.topic_numbers.bytes * 2
            + self
                .captured_from
                .iter()
                .map(CapturedFrom::weight)
                .sum::<usize>()
    }
}

impl CapturedFrom {
    fn weight(&self) -> usize {
        let (Self::Broker(text) | Self::Cluster(text)) = self;
        size_of::<Self>() + text.len()
    }
}
