//! Waiting records gathered by partition, for hundreds of partitions. librdkafka makes a request of the
//! records of one partition, and looks at all partitions of a broker before each request, so the number of
//! records in a request matters.
//!
//! The partition whose first record has waited longest goes first. Each then goes with about twice the
//! records that it has on average, and nothing waits for ever. The latest records stay: something that
//! belongs before them may follow.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::batch::{MOST_BYTES, MOST_RECORDS};
use super::chunk::{Chunk, PartitionRecords};
use super::partitions::{KnownPartitions, PartitionIndex};
use crate::record::in_flight::{NumberedBatch, Positions};
use crate::record::{Batch, Record};
use crate::report::Tally;

/// The bytes that may wait for each of many partitions, on average: some 100 small records. A request costs
/// about as much as that many.
const FOR_PARTITION: usize = 24 << 10;
/// Bytes that may wait for all of them.
const MOST_GATHERED: usize = 128 << 20;

/// The records that came last and stay, and their bytes, as long as older ones can go.
const YOUNG_RECORDS: usize = MOST_RECORDS / 2;
const YOUNG_BYTES: usize = MOST_BYTES / 2;

/// How long a record waits for others if the source is slower than the broker, counted in time spent waiting
/// for the source. A request costs as much as a hundred records: a shorter wait would send only some in each.
pub(super) const GATHERING_WAIT: Duration = Duration::from_secs(1);

/// A batch that was gathered.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    /// The position of its first record.
    first: u64,
    records: usize,
    bytes: usize,
    /// The time spent waiting for the source until it came.
    since: Duration,
}

/// Which records may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    /// All of them: nothing more comes that would belong before one.
    All,
    /// Those that have waited long enough, after this much time spent waiting for the source.
    Waited(Duration),
    /// Also those that are not among the last: others need the room.
    Room(Duration),
}

/// Records of one partition, in order, that go next.
#[derive(Debug)]
pub(super) struct ReleasedRecords {
    pub(super) partition: PartitionIndex,
    pub(super) chunk: Chunk,
}

/// Records gathered by partition.
#[derive(Debug, Default)]
pub(super) struct GatheredRecords {
    /// By the index of the partition; `None` for partitions without waiting records.
    of_partitions: Vec<Option<Box<PartitionRecords>>>,
    /// Partitions by the positions of their first waiting records.
    by_age: BTreeMap<u64, PartitionIndex>,
    /// Partitions with more than one chunk, by the position of the first one's last record.
    full: VecDeque<(u64, PartitionIndex)>,
    released: VecDeque<ReleasedRecords>,
    /// What holds waiting records.
    arrivals: VecDeque<Arrival>,
    /// The last of them, their records and their bytes.
    young: VecDeque<Arrival>,
    young_records: usize,
    young_bytes: usize,
    records: usize,
    bytes: usize,
    /// What extraction counted, until a batch takes it along.
    tally: Tally,
}

impl GatheredRecords {
    pub(super) fn is_empty(&self) -> bool {
        self.records == 0
    }

    pub(super) fn records(&self) -> usize {
        self.records
    }

    /// Whether something has to go: more waits than allowed for the known partitions, or more of one
    /// partition than a batch is made of.
    pub(super) fn is_over_full(&mut self, partitions: usize) -> bool {
        let most = partitions.saturating_mul(FOR_PARTITION);
        self.bytes > most.clamp(MOST_BYTES, MOST_GATHERED) || self.first_full().is_some()
    }

    /// What extraction counted since the last call.
    pub(super) fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// Whether a batch is as it came, and each of its records has a partition and an offset: nobody knows
    /// where other records belong.
    pub(super) fn takes(numbered: &NumberedBatch) -> bool {
        let mut records = numbered.batch.records.iter();
        matches!(numbered.positions, Positions::From(_))
            && records.all(|record| {
                record.topic.is_some() && record.partition.is_some() && record.offset.is_some()
            })
    }

    /// Takes in a batch that [`GatheredRecords::takes`] has allowed.
    pub(super) fn add(
        &mut self,
        numbered: &NumberedBatch,
        tally: Tally,
        since: Duration,
        partitions: &mut KnownPartitions,
    ) {
        self.tally.merge(tally);
        let NumberedBatch {
            batch, positions, ..
        } = numbered;
        let mut finder = partitions.finder(batch);
        for (index, record) in batch.records.iter().enumerate() {
            if let Some((partition, _)) = partitions.place(&mut finder, record) {
                self.add_record(partition, batch, record, positions.of(index));
            }
        }
        if batch.records.is_empty() {
            return;
        }
        let arrival = Arrival {
            first: positions.of(0),
            records: batch.records.len(),
            bytes: batch.weight(),
            since,
        };
        self.arrivals.push_back(arrival);
        self.young.push_back(arrival);
        self.young_records += arrival.records;
        self.young_bytes += arrival.bytes;
        while let Some(oldest) = self.young.front()
            && (self.young_records - oldest.records > YOUNG_RECORDS
                || self.young_bytes - oldest.bytes > YOUNG_BYTES)
        {
            self.young_records -= oldest.records;
            self.young_bytes -= oldest.bytes;
            self.young.pop_front();
        }
    }

    fn add_record(
        &mut self,
        partition: PartitionIndex,
        batch: &Batch,
        record: &Record,
        position: u64,
    ) {
        let index = partition as usize;
        if index >= self.of_partitions.len() {
            self.of_partitions.resize_with(index + 1, Default::default);
        }
        let records = self.of_partitions[index].get_or_insert_default();
        if records.is_empty() {
            self.by_age.insert(position, partition);
        }
        let before = records.weight();
        if let Some(last) = records.push(batch, record, position) {
            self.full.push_back((last, partition));
        }
        self.bytes += records.weight() - before;
        self.records += 1;
    }

    /// Whether the first records have waited for long enough.
    pub(super) fn is_due(&self, waited: Duration) -> bool {
        let first = self.arrivals.front();
        first.is_some_and(|first| has_waited(first, waited))
    }

    /// The next records that may go; `None` if nothing waits.
    pub(super) fn take(&mut self, release: Release) -> Option<ReleasedRecords> {
        if self.released.is_empty() {
            let (partition, settled) = self.next_partition(release)?;
            self.release(partition, settled);
        }
        let released = self.released.pop_front()?;
        self.records -= released.chunk.records();
        self.bytes -= released.chunk.weight();
        Some(released)
    }

    /// The partition that goes next, and the position up to which its records go.
    fn next_partition(&mut self, release: Release) -> Option<(PartitionIndex, u64)> {
        if let (Release::Room(_), Some((last, partition))) = (release, self.first_full()) {
            return Some((partition, last + 1));
        }
        let (first, partition) = self.by_age.first_key_value()?;
        let (first, partition) = (*first, *partition);
        let settled = match release {
            Release::All => u64::MAX,
            Release::Waited(waited) => self.settled_by_time(waited),
            Release::Room(waited) => self.settled_by_time(waited).max(self.oldest_young()),
        };
        // Even if all records are young, some have to go to make room.
        Some((partition, if first < settled { settled } else { u64::MAX }))
    }

    /// The first partition with a whole chunk that is not young, and the position of that chunk's last
    /// record.
    fn first_full(&mut self) -> Option<(u64, PartitionIndex)> {
        let young = self.oldest_young();
        while let Some((last, partition)) = self.full.front().copied() {
            let records = self.of_partitions[partition as usize].as_ref();
            let first = records.and_then(|records| records.first());
            if first.is_some_and(|first| first <= last) {
                return (last < young).then_some((last, partition));
            }
            // The chunk has already gone with others.
            self.full.pop_front();
        }
        None
    }

    /// The position of the first record among those that came last.
    fn oldest_young(&self) -> u64 {
        self.young.front().map_or(u64::MAX, |young| young.first)
    }

    fn settled_by_time(&self, waited: Duration) -> u64 {
        let arrivals = &self.arrivals;
        let settled = arrivals.partition_point(|arrival| has_waited(arrival, waited));
        arrivals.get(settled).map_or(u64::MAX, |next| next.first)
    }

    /// Releases the records of a partition that are below the position `settled`.
    fn release(&mut self, partition: PartitionIndex, settled: u64) {
        let place = &mut self.of_partitions[partition as usize];
        let Some(mut records) = place.take() else {
            return;
        };
        let first = records.first();
        first.map(|first| self.by_age.remove(&first));
        self.bytes -= records.weight();
        for chunk in records.release(settled) {
            self.bytes += chunk.weight();
            self.released
                .push_back(ReleasedRecords { partition, chunk });
        }
        if let Some(first) = records.first() {
            self.bytes += records.weight();
            self.by_age.insert(first, partition);
            *place = Some(records);
        }
        let oldest = self.by_age.first_key_value();
        let oldest = oldest.map_or(u64::MAX, |(first, _)| *first);
        while let Some(arrival) = self.arrivals.front()
            && arrival.first + arrival.records as u64 <= oldest
        {
            self.arrivals.pop_front();
        }
    }
}

fn has_waited(arrival: &Arrival, waited: Duration) -> bool {
    waited.saturating_sub(arrival.since) >= GATHERING_WAIT
}
