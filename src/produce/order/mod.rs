//! The order in which records are sent: in each captured partition by ascending offset. RRPairs overlap in
//! time (several consumers, several pods, refetches), so a bounded window of what comes next puts neighbours
//! in order (`window/`). Records later than the window allows are sent anyway, and counted.

mod batch;
mod by_time;
mod chunk;
mod files;
mod gathered;
mod partitions;
mod slots;
mod window;

use std::collections::VecDeque;
use std::mem;
use std::time::{Duration, Instant};

pub(crate) use self::batch::Order;
pub(super) use self::batch::OrderedBatch;
use self::window::OrderWindow;
use crate::config::Clock;
use crate::error::Error;
use crate::record::channel::{Received, Receiver, SourceBatch};
use crate::record::in_flight::{NumberedBatch, Positions};
use crate::report::Problems;
use crate::report::rendering::figures::count;

/// The most captured partitions of a run: each takes about 300 bytes, and Kafka's largest clusters are
/// planned for a million (KIP-500).
const MOST_PARTITIONS: usize = 1_000_000;

/// What comes next.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart where it comes, once for a whole batch"
)]
pub(super) enum NextBatch {
    Batch(OrderedBatch),
    /// Nothing yet: the caller can do something else for a moment.
    Nothing,
    End,
}

/// The receiving end of the channel, in order.
pub(super) struct Ordered<'a> {
    receiver: &'a Receiver,
    order: Order,
    window: OrderWindow,
    /// Time spent waiting for the source.
    waited: Duration,
    /// What is not confirmed yet.
    unconfirmed: VecDeque<SourceBatch>,
    /// Records confirmed so far.
    confirmed: u64,
    ended: bool,
}

impl<'a> Ordered<'a> {
    pub(super) fn new(receiver: &'a Receiver, order: Order) -> Self {
        Self {
            receiver,
            order,
            window: OrderWindow::default(),
            waited: Duration::ZERO,
            unconfirmed: VecDeque::new(),
            confirmed: 0,
            ended: false,
        }
    }

    /// Numbers the records from `position` on, because others were sent before.
    pub(super) fn numbered_from(self, position: u64) -> Self {
        Self {
            confirmed: position,
            ..self
        }
    }

    /// The position after the last record that was received.
    pub(super) fn received(&self) -> u64 {
        self.confirmed
    }

    /// How many records wait, once all of the source has come.
    pub(super) fn left(&self) -> Option<usize> {
        self.ended.then(|| self.window.records())
    }

    /// Checks that the records do not belong to more captured partitions than allowed.
    ///
    /// # Errors
    /// Returns [`Error::Config`] if they do.
    pub(super) fn check_bound(&self) -> Result<(), Error> {
        match self.window.known_partitions() > MOST_PARTITIONS {
            true => Err(Error::Config {
                message: format!(
                    "the records belong to more than {}",
                    count(MOST_PARTITIONS as u64, "partition")
                ),
                hint: Some("`--topics` and `--shard` select some of them".into()),
            }),
            false => Ok(()),
        }
    }

    /// Waits up to `limit` for the source to yield something, or to end.
    pub(super) fn wait(&mut self, limit: Duration) {
        let started = Instant::now();
        self.receiver.wait(limit);
        self.waited += started.elapsed();
    }

    /// The next records that are there. `note` sees each batch as it is received, in the order of the source,
    /// before any of its records is passed on, and confirms a number of records from the source's beginning:
    /// none after them is passed on.
    ///
    /// # Errors
    /// Returns the error of `note`.
    pub(super) fn next<E>(
        &mut self,
        mut note: impl FnMut(&mut SourceBatch) -> Result<u64, E>,
    ) -> Result<NextBatch, E> {
        loop {
            if self.ended || self.is_due() {
                return Ok(match self.window.take_first(self.waited) {
                    Some(batch) => NextBatch::Batch(batch),
                    None => NextBatch::End,
                });
            }
            match self.receiver.recv_within(Duration::ZERO) {
                Received::End => {
                    self.ended = true;
                    self.window.complete();
                }
                Received::Nothing => return Ok(NextBatch::Nothing),
                Received::Batch(mut source_batch) => {
                    let confirmed = note(&mut source_batch);
                    self.unconfirmed.push_back(source_batch);
                    self.admit(confirmed?);
                }
            }
        }
    }

    /// Passes what is confirmed into the window.
    fn admit(&mut self, confirmed: u64) {
        while let Some(batch) = self.unconfirmed.front() {
            let (first, records) = (self.confirmed, batch.batch.records.len() as u64);
            if first + records > confirmed {
                return;
            }
            self.confirmed += records;
            let batch = self.unconfirmed.pop_front();
            let batch = batch.expect("it was looked at above");
            self.window.add(batch, first, self.waited, self.order);
        }
    }

    /// Whether the first batch has waited long enough.
    fn is_due(&mut self) -> bool {
        let at_once = self.order == Order::AsCaptured && !self.window.is_empty();
        at_once || self.window.is_over_full() || self.window.is_due(self.waited)
    }

    /// Sends records by time across partitions from now on.
    pub(super) fn merge_by(&mut self, clock: Clock) {
        self.window.merge_by(clock);
    }

    /// Sends records partition by partition from now on, because this many `destinations` make requests
    /// expensive.
    pub(super) fn gather_for(&mut self, destinations: usize) {
        self.window.gather_for(destinations);
    }

    /// The files of the source in the order of their records, if they were read in another one.
    pub(super) fn better_order(&self) -> Vec<u32> {
        self.window.better_order()
    }

    /// What waits when the run ends before it is sent; `queued` waits in the channel after it.
    pub(super) fn take_rest(&mut self, queued: Vec<SourceBatch>) -> Vec<OrderedBatch> {
        let mut received = self.confirmed;
        let waiting = mem::take(&mut self.window).into_batches();
        let unconfirmed = mem::take(&mut self.unconfirmed);
        let queued = unconfirmed.into_iter().chain(queued);
        let queued = queued.map(|SourceBatch { batch, tally, .. }| {
            let positions = Positions::From(received);
            received += batch.records.len() as u64;
            OrderedBatch {
                numbered: NumberedBatch::new(batch, positions),
                tally,
                problems: Problems::default(),
                partitions: Vec::new(),
            }
        });
        waiting.chain(queued).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::batch::MOST_RECORDS;
    use super::window::{LONGEST_WAIT, MANY_PARTITIONS};
    use super::*;
    use crate::record::Origin;
    use crate::record::channel;
    use crate::record::channel::{Gate, Limits};
    use crate::record::lines;
    use proptest::prelude::*;

    const ROOM: Limits = Limits {
        records: 1 << 20,
        bytes: 1 << 30,
    };

    /// A batch of records of topic `t`, by partition and offset; their lines count from `line`.
    fn source_batch(line: u64, records: &[(i32, i64)]) -> SourceBatch {
        let mut source_batch = SourceBatch::default();
        for (line, (partition, offset)) in (line..).zip(records) {
            let text =
                format!(r#"{{"topic":"t","partition":{partition},"offset":{offset},"value":"v"}}"#);
            let origin = Origin { input: 0, line };
            lines::read(text.as_bytes(), origin, &mut source_batch.batch).expect("a record line");
        }
        source_batch.tally.found = records.len() as u64;
        source_batch
    }

    /// What is sent of these batches: partition, offset and position; and how many are late.
    fn sent(batches: &[Vec<(i32, i64)>], order: Order) -> (Vec<(i32, i64, u64)>, u64) {
        sent_to(0, batches, order)
    }

    /// Like `sent`, with this many partitions at the destination.
    fn sent_to(
        destinations: usize,
        batches: &[Vec<(i32, i64)>],
        order: Order,
    ) -> (Vec<(i32, i64, u64)>, u64) {
        let (sender, receiver) = channel::bounded(ROOM, Gate::AtOnce);
        let mut line = 1;
        for records in batches {
            sender
                .send(source_batch(line, records))
                .expect("there is room");
            line += records.len() as u64;
        }
        sender.finish(Ok(()));
        let mut ordered = Ordered::new(&receiver, order);
        ordered.gather_for(destinations);
        let (mut sent, mut late, mut found) = (Vec::new(), 0, 0);
        while let Ok(NextBatch::Batch(ordered)) = ordered.next(|_| Ok::<_, ()>(u64::MAX)) {
            late += ordered
                .problems
                .iter()
                .map(|problem| problem.count)
                .sum::<u64>();
            found += ordered.tally.found;
            let NumberedBatch {
                batch, positions, ..
            } = &ordered.numbered;
            for (i, record) in batch.records.iter().enumerate() {
                let position = positions.of(i);
                assert_eq!(record.origin.line, position + 1, "lines give the position");
                sent.push((
                    record.partition.unwrap_or(-1),
                    record.offset.unwrap_or(-1),
                    position,
                ));
            }
        }
        assert_eq!(found, sent.len() as u64);
        (sent, late)
    }

    #[test]
    fn records_of_more_than_a_million_partitions_are_refused() {
        let (sender, receiver) = channel::bounded(ROOM, Gate::AtOnce);
        let records: Vec<(i32, i64)> = (0..1_000_001).map(|partition| (partition, 0)).collect();
        let (most, last) = records.split_at(1_000_000);
        let mut ordered = Ordered::new(&receiver, Order::ByOffset);
        for (records, refused) in [(most, false), (last, true)] {
            sender
                .send(source_batch(1, records))
                .expect("there is room");
            while let Ok(NextBatch::Batch(_)) = ordered.next(|_| Ok::<_, ()>(u64::MAX)) {}
            assert_eq!(ordered.check_bound().is_err(), refused);
        }
    }

    #[test]
    fn neighbours_are_reordered_and_partitions_stay_interleaved() {
        let batches = [
            vec![(0, 3), (1, 7), (0, 4)],
            vec![(1, 8), (0, 1)],
            vec![(0, 2)],
        ];
        let (got, late) = sent(&batches, Order::ByOffset);
        let expected = [
            (0, 1, 4),
            (1, 7, 1),
            (0, 2, 5),
            (1, 8, 3),
            (0, 3, 0),
            (0, 4, 2),
        ];
        assert_eq!((got, late), (expected.to_vec(), 0));
    }

    #[test]
    fn order_captured_changes_nothing() {
        let batches = [vec![(0, 3), (0, 4)], vec![(0, 3)]];
        let (got, late) = sent(&batches, Order::AsCaptured);
        assert_eq!((got, late), (vec![(0, 3, 0), (0, 4, 1), (0, 3, 2)], 0));
    }

    /// Batches with one record of each of this many partitions.
    fn rounds(partitions: usize, rounds: i64) -> Vec<Vec<(i32, i64)>> {
        let partitions = i32::try_from(partitions).expect("a small number");
        let round = |offset| (0..partitions).map(|p| (p, offset)).collect();
        (0..rounds).map(round).collect()
    }

    /// Stretches of records of one partition.
    fn stretches(sent: &[(i32, i64, u64)]) -> usize {
        sent.chunk_by(|one, next| one.0 == next.0).count()
    }

    /// librdkafka makes a request of what it has of one partition, and looks at all partitions before each
    /// request: a stretch for each record would make that quadratic.
    #[test]
    fn of_many_partitions_each_is_sent_in_one_stretch_whatever_their_number() {
        for partitions in [MANY_PARTITIONS, 4 * MANY_PARTITIONS] {
            // 24 KiB of each partition wait, which is more than 20 of these records.
            let batches = rounds(partitions, 20);
            let (got, late) = sent_to(partitions, &batches, Order::ByOffset);
            assert_eq!((got.len(), late), (20 * partitions, 0));
            assert_eq!(stretches(&got), partitions);
            assert!(got.is_sorted(), "by partition and offset");
        }
    }

    #[test]
    fn records_stay_interleaved_where_partitions_are_few_or_become_one_or_order_is_as_captured() {
        let many = MANY_PARTITIONS;
        for (partitions, destinations, order) in [
            (many - 1, many - 1, Order::ByOffset),
            (many, many - 1, Order::ByOffset),
            (many, many, Order::AsCaptured),
        ] {
            let (got, _) = sent_to(destinations, &rounds(partitions, 3), order);
            assert_eq!(stretches(&got), 3 * partitions, "{partitions} {order:?}");
        }
    }

    #[test]
    fn gathered_records_wait_in_bounded_memory_and_in_parts_that_are_free_before_the_rest() {
        let (sender, receiver) = channel::bounded(ROOM, Gate::AtOnce);
        let mut ordered = Ordered::new(&receiver, Order::ByOffset);
        ordered.gather_for(MANY_PARTITIONS);
        let batches = rounds(MANY_PARTITIONS, 300);
        let (mut line, mut taken, mut most, mut largest) = (1, 0, 0, 0);
        for records in &batches {
            sender
                .send(source_batch(line, records))
                .expect("there is room");
            line += records.len() as u64;
            while let Ok(NextBatch::Batch(batch)) = ordered.next(|_| Ok::<_, ()>(u64::MAX)) {
                taken += batch.numbered.batch.records.len() as u64;
                largest = largest.max(batch.numbered.batch.weight());
            }
            most = most.max(line - 1 - taken);
        }
        // A record of this test takes more than 64 bytes, and 8 MiB wait at least.
        assert!((1..(8 << 20) / 64).contains(&most), "{most}");
        assert!(taken > 0 && largest < 2 << 20, "{largest}");
    }

    /// A record of these tests takes less than 200 bytes, with the room that its batch has for more.
    const MOST_BYTES_OF_RECORD: usize = 200;

    #[test]
    fn of_a_long_source_each_partition_goes_with_more_than_its_share_of_what_waits() {
        let of_each = 600;
        let (got, late) = sent_to(
            MANY_PARTITIONS,
            &rounds(MANY_PARTITIONS, of_each),
            Order::ByOffset,
        );
        assert_eq!(late, 0);
        // On average 24 KiB of each partition wait, so twice as much of the first one goes: the partitions
        // take turns, and one more turn takes what is left at the end.
        let share = (24 << 10) / MOST_BYTES_OF_RECORD;
        let turns = usize::try_from(of_each).expect("a small number") / (share * 3 / 2) + 1;
        let stretches = stretches(&got);
        assert!(
            stretches <= MANY_PARTITIONS * turns,
            "{stretches} of {turns} turns"
        );
    }

    #[test]
    fn neighbours_are_put_right_also_where_others_need_the_room() {
        let mut batches = rounds(MANY_PARTITIONS, 600);
        // Each record comes before the one that belongs before it.
        batches.chunks_mut(2).for_each(<[_]>::reverse);
        let (got, late) = sent_to(MANY_PARTITIONS, &batches, Order::ByOffset);
        assert_eq!((got.len(), late), (600 * MANY_PARTITIONS, 0));
        let mut next = vec![0; MANY_PARTITIONS];
        for (partition, offset, _) in got {
            let next = &mut next[usize::try_from(partition).expect("a partition")];
            assert_eq!(offset, *next, "of partition {partition}");
            *next += 1;
        }
    }

    /// A partition that has most of the records is sent while the others wait for more of theirs.
    #[test]
    fn a_partition_with_many_records_is_sent_in_parts_and_does_not_wait_for_the_rest() {
        let (sender, receiver) = channel::bounded(ROOM, Gate::AtOnce);
        let mut ordered = Ordered::new(&receiver, Order::ByOffset);
        ordered.gather_for(MANY_PARTITIONS);
        let mut batches = rounds(MANY_PARTITIONS, 1);
        batches.extend((1..40_i64).map(|part| {
            let offsets = part * 1000..(part + 1) * 1000;
            offsets.map(|offset| (7, offset)).collect()
        }));
        let (mut line, mut sent) = (1, Vec::new());
        for records in &batches {
            sender
                .send(source_batch(line, records))
                .expect("there is room");
            line += records.len() as u64;
            while let Ok(NextBatch::Batch(batch)) = ordered.next(|_| Ok::<_, ()>(u64::MAX)) {
                assert!(batch.numbered.weight() < 1 << 19);
                let records = batch.numbered.batch.records.iter();
                sent.extend(records.map(|record| (record.partition, record.offset)));
            }
        }
        // All except for the last 16,384 and an incomplete chunk, and nothing of the others.
        assert!((19_000..23_000).contains(&sent.len()), "{}", sent.len());
        assert!(sent.iter().all(|(partition, _)| *partition == Some(7)) && sent.is_sorted());
    }

    #[test]
    fn what_is_gathered_goes_before_a_record_that_nobody_knows_the_place_of() {
        let (sender, receiver) = channel::bounded(ROOM, Gate::AtOnce);
        let mut unplaced = SourceBatch::default();
        let origin = Origin { input: 0, line: 1 };
        lines::read(br#"{"topic":"t","value":"v"}"#, origin, &mut unplaced.batch).expect("a line");
        let first = rounds(MANY_PARTITIONS, 2).concat();
        let batches = [
            source_batch(1, &first),
            unplaced,
            source_batch(1, &[(3, 2)]),
        ];
        for batch in batches {
            sender.send(batch).expect("there is room");
        }
        sender.finish(Ok(()));
        let mut ordered = Ordered::new(&receiver, Order::ByOffset);
        ordered.gather_for(MANY_PARTITIONS);
        let mut positions = Vec::new();
        while let Ok(NextBatch::Batch(batch)) = ordered.next(|_| Ok::<_, ()>(u64::MAX)) {
            let records = batch.numbered.batch.records.len();
            positions.extend((0..records).map(|index| batch.numbered.positions.of(index)));
        }
        let (before, behind) = positions.split_at(first.len());
        assert!(before.iter().all(|position| *position < first.len() as u64));
        assert_eq!(behind, [1000, 1001]);
    }

    #[test]
    fn of_what_is_gathered_the_rest_is_there_when_the_run_ends() {
        let (sender, receiver) = channel::bounded(ROOM, Gate::AtOnce);
        for records in rounds(MANY_PARTITIONS, 5) {
            sender
                .send(source_batch(1, &records))
                .expect("there is room");
        }
        let mut ordered = Ordered::new(&receiver, Order::ByOffset);
        ordered.gather_for(MANY_PARTITIONS);
        let next = ordered.next(|_| Ok::<_, ()>(u64::MAX));
        assert!(matches!(next, Ok(NextBatch::Nothing)));
        let rest = ordered.take_rest(vec![source_batch(1, &[(0, 5)])]);
        let records = rest.iter().map(|batch| batch.numbered.batch.records.len());
        let found = rest.iter().map(|batch| batch.tally.found);
        let all = 5 * MANY_PARTITIONS + 1;
        assert_eq!(
            (records.sum::<usize>(), found.sum::<u64>()),
            (all, all as u64)
        );
    }

    #[test]
    fn gathered_records_of_a_slow_source_wait_for_a_second_of_waiting() {
        let half = Duration::from_millis(500);
        let mut window = OrderWindow::default();
        window.gather_for(MANY_PARTITIONS);
        let mut first = 0;
        for (step, records) in (0..).zip(rounds(MANY_PARTITIONS, 3)) {
            window.add(
                source_batch(1, &records),
                first,
                step * half,
                Order::ByOffset,
            );
            first += records.len() as u64;
        }
        assert!(!window.is_due(half * 2 - Duration::from_millis(1)));
        for (waited, offset) in [(half * 2, 0), (half * 3, 1)] {
            let mut sent = 0;
            while window.is_due(waited) {
                let batch = window.take_first(waited).expect("something is due");
                let records = &batch.numbered.batch.records;
                assert!(records.iter().all(|record| record.offset == Some(offset)));
                sent += records.len();
            }
            assert_eq!(sent, MANY_PARTITIONS);
        }
    }

    #[test]
    fn a_record_later_than_the_window_is_sent_and_counted() {
        let mut batches: Vec<Vec<(i32, i64)>> =
            vec![(10..1000).map(|offset| (0, offset)).collect()];
        batches.extend(
            (0..MOST_RECORDS as i64 / 500 + 2)
                .map(|i| (i * 500..i * 500 + 500).map(|offset| (1, offset)).collect()),
        );
        batches.push(vec![(0, 8), (0, 9), (0, 1000)]);
        let (got, late) = sent(&batches, Order::ByOffset);
        let of_first: Vec<i64> = got
            .iter()
            .filter(|(p, ..)| *p == 0)
            .map(|(_, offset, _)| *offset)
            .collect();
        assert_eq!(of_first, (10..1000).chain([8, 9, 1000]).collect::<Vec<_>>());
        assert_eq!(late, 2);
    }

    #[test]
    fn a_slow_source_is_waited_for_only_briefly() {
        let (sender, receiver) = channel::bounded(ROOM, Gate::AtOnce);
        sender
            .send(source_batch(1, &[(0, 1)]))
            .expect("there is room");
        let mut ordered = Ordered::new(&receiver, Order::ByOffset);
        let (started, mut waits) = (Instant::now(), 0);
        while let Ok(NextBatch::Nothing) = ordered.next(|_| Ok::<_, ()>(u64::MAX)) {
            ordered.wait(LONGEST_WAIT / 10);
            waits += 1;
        }
        // A busy machine makes single waits longer, and so fewer; none is ever shorter.
        assert!((1..=11).contains(&waits), "{waits}");
        assert!(started.elapsed() >= LONGEST_WAIT);
        assert_eq!(ordered.take_rest(Vec::new()).len(), 0);
    }

    #[test]
    fn unconfirmed_batches_are_withheld_and_counted_as_rest() {
        let (sender, receiver) = channel::bounded(ROOM, Gate::AtOnce);
        for line in [1_u64, 3, 5] {
            let offset = line.cast_signed();
            let batch = source_batch(line, &[(0, offset), (0, offset + 1)]);
            sender.send(batch).expect("there is room");
        }
        sender.finish(Ok(()));
        let mut ordered = Ordered::new(&receiver, Order::ByOffset);
        let mut given = Vec::new();
        while let Ok(NextBatch::Batch(batch)) = ordered.next(|_| Ok::<_, ()>(3)) {
            given.push(batch.numbered.positions);
        }
        assert_eq!(
            given,
            [Positions::From(0)],
            "3 of 4 records are not all of them"
        );
        let rest = ordered
            .take_rest(vec![source_batch(7, &[(0, 7)])])
            .into_iter();
        let rest: Vec<Positions> = rest.map(|batch| batch.numbered.positions).collect();
        assert_eq!(rest, [2, 4, 6].map(Positions::From));
    }

    #[test]
    fn a_later_pass_numbers_its_records_behind_those_of_the_one_before() {
        let mut positions = Vec::new();
        let mut received = 0;
        for _ in 0..2 {
            let (sender, receiver) = channel::bounded(ROOM, Gate::AtOnce);
            sender
                .send(source_batch(1, &[(0, 1), (0, 2)]))
                .expect("there is room");
            sender
                .send(source_batch(3, &[(0, 3)]))
                .expect("there is room");
            sender.finish(Ok(()));
            let mut ordered = Ordered::new(&receiver, Order::ByOffset).numbered_from(received);
            while let Ok(NextBatch::Batch(batch)) = ordered.next(|_| Ok::<_, ()>(u64::MAX)) {
                positions.push(batch.numbered.positions);
            }
            received = ordered.received();
        }
        assert_eq!(positions, [0, 2, 3, 5].map(Positions::From));
        assert_eq!(received, 6);
    }

    proptest! {
        #[test]
        fn records_within_the_window_are_sent_once_and_in_order(
            batches in prop::collection::vec(prop::collection::vec((0_i32..3, 0_i64..50), 0..12), 0..12),
            gathered in any::<bool>(),
        ) {
            // With records of so many other partitions, all are gathered.
            let others = match gathered {
                true => rounds(MANY_PARTITIONS, 1).concat().into_iter().map(|(p, offset)| (3 + p, offset)).collect(),
                false => Vec::new(),
            };
            let batches = [vec![others], batches].concat();
            let (got, late) = sent_to(2 * MANY_PARTITIONS, &batches, Order::ByOffset);
            prop_assert_eq!(late, 0);
            let mut positions: Vec<u64> = got.iter().map(|(.., position)| *position).collect();
            for partition in 0..3 {
                let of: Vec<_> = got.iter().filter(|(p, ..)| *p == partition).collect();
                prop_assert!(of.is_sorted_by_key(|(_, offset, position)| (*offset, *position)), "{:?}", of);
            }
            positions.sort_unstable();
            prop_assert_eq!(positions, (0..got.len() as u64).collect::<Vec<_>>());
        }
    }
}
