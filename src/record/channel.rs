//! The bounded channel between both halves: extraction waits when it is full, production when it is empty. It
//! is bounded in records and in bytes, and carries batches, because a hand-over per record would cost more
//! than the record.
//!
//! It is our own and not tokio's because of its gate: a source that may turn out to be unusable (speedctl can
//! fail after its first rows) is held back until it has ended well or has filled the channel, and until then
//! it can be taken back as a whole.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Batch;
use super::select::OtherShards;
use super::substitutes::Substitutes;
use crate::error::Error;
use crate::report::Tally;

/// One hand-over: records, and what extraction counted since the last one.
#[derive(Debug, Default)]
pub(crate) struct SourceBatch {
    pub(crate) batch: Batch,
    pub(crate) tally: Tally,
    /// Which records differ from what the application received.
    pub(crate) substitutes: Substitutes,
    /// What other machines send, if this one sends a share.
    pub(crate) others: OtherShards,
}

impl SourceBatch {
    /// Bytes of memory that it takes, with or without records: an input without records for a long time
    /// yields many of these.
    fn weight(&self) -> usize {
        let beside = self.tally.weight() + self.substitutes.weight() + self.others.weight();
        size_of::<Self>() + self.batch.weight() + beside
    }
}

/// When the receiver gets the first batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    AtOnce,
    /// After the source has ended, well or not, or the channel is full, or a moment has passed: the receiver
    /// looks at what is there before the first record.
    WhenKnown,
    /// After the source has ended, well or not, or the channel is full, or it is certain which record is the
    /// first of all machines: that must not depend on how fast this one reads.
    WhenStartKnown,
    /// After the source has ended well or the channel is full, whichever comes first.
    WhenSure,
}

/// How much of the source is known before the first record is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it: the source has ended well and fits into the channel.
    Whole,
    /// What the channel holds, because the source has failed, or comes slowly, or the run is ending.
    Beginning,
}

/// How long to wait for a slow source before its beginning has to be enough.
const LONGEST_LOOK: Duration = Duration::from_millis(500);
/// The interval of a wait that must not be a busy loop.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);

/// How much may wait in the channel. It always holds one batch, however large.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

/// What [`Receiver::recv_within`] returns.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart where it comes, once for a whole batch"
)]
pub(crate) enum Received {
    Batch(SourceBatch),
    /// No batch yet.
    Nothing,
    /// No batch will come any more.
    End,
}

/// The receiver has gone: the run is ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

#[derive(Debug)]
struct ChannelState {
    queue: VecDeque<SourceBatch>,
    records: usize,
    bytes: usize,
    gate: Gate,
    /// Whether the sender has said how the source ended.
    is_ended: bool,
    end: Option<Result<(), Error>>,
    /// Whether the source has more than was sent.
    ends_early: bool,
    closed: bool,
}

#[derive(Debug)]
struct SharedChannel {
    limits: Limits,
    state: Mutex<ChannelState>,
    /// Signalled when the sender may go on.
    room: Condvar,
    /// Signalled when the receiver may go on.
    news: Condvar,
}

impl SharedChannel {
    fn lock(&self) -> MutexGuard<'_, ChannelState> {
        // The state is consistent between any two statements that change it, also after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait<'a>(
    condvar: &Condvar,
    state: MutexGuard<'a, ChannelState>,
) -> MutexGuard<'a, ChannelState> {
    condvar.wait(state).unwrap_or_else(PoisonError::into_inner)
}

/// Makes a channel.
pub(crate) fn bounded(limits: Limits, gate: Gate) -> (Sender, Receiver) {
    let shared = Arc::new(SharedChannel {
        limits,
        state: Mutex::new(ChannelState {
            queue: VecDeque::new(),
            records: 0,
            bytes: 0,
            gate,
            is_ended: false,
            end: None,
            ends_early: false,
            closed: false,
        }),
        room: Condvar::new(),
        news: Condvar::new(),
    });
    (Sender(shared.clone()), Receiver(shared))
}

/// Extraction's end. If it is dropped without [`Sender::finish`], it reports a defect.
#[derive(Debug)]
pub(crate) struct Sender(Arc<SharedChannel>);

impl Sender {
    /// Sends a batch; blocks while the channel is full.
    pub(crate) fn send(&self, source_batch: SourceBatch) -> Result<(), Closed> {
        let (records, bytes) = (source_batch.batch.records.len(), source_batch.weight());
        let Limits {
            records: most_records,
            bytes: most_bytes,
        } = self.0.limits;
        let mut state = self.0.lock();
        while !state.closed
            && !state.queue.is_empty()
            && (state.records + records > most_records || state.bytes + bytes > most_bytes)
        {
            state.gate = Gate::AtOnce;
            self.0.news.notify_one();
            state = wait(&self.0.room, state);
        }
        if state.closed {
            return Err(Closed);
        }
        if state.gate == Gate::WhenStartKnown && source_batch.others.is_first_certain {
            state.gate = Gate::AtOnce;
        }
        state.records += records;
        state.bytes += bytes;
        state.queue.push_back(source_batch);
        self.0.news.notify_one();
        Ok(())
    }

    /// Takes back everything sent, as if it had never been; `false` if the gate has opened and it is too
    /// late.
    pub(crate) fn take_back(&self) -> bool {
        let mut state = self.0.lock();
        if state.gate != Gate::WhenSure {
            return false;
        }
        state.queue.clear();
        state.records = 0;
        state.bytes = 0;
        true
    }

    /// Says how the source ended.
    pub(crate) fn finish(self, end: Result<(), Error>) {
        self.end(end);
    }

    /// Like [`Sender::finish`], for a source that was not read to its end because nobody wants more of it.
    pub(crate) fn finish_early(self) {
        self.0.lock().ends_early = true;
        self.end(Ok(()));
    }

    fn end(&self, end: Result<(), Error>) {
        let mut state = self.0.lock();
        if !std::mem::replace(&mut state.is_ended, true) {
            // However an interrupted extraction ends, that is not the end of the source.
            let stopped = state.closed && !matches!(end, Err(Error::Defect { .. }));
            if end.is_ok() || state.gate != Gate::WhenSure {
                state.gate = Gate::AtOnce;
            }
            state.end = (!stopped).then_some(end);
        }
        self.0.news.notify_one();
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let what = "extraction ended without saying how".into();
        self.end(Err(Error::Defect { what }));
    }
}

/// Production's end.
#[derive(Debug)]
pub(crate) struct Receiver(Arc<SharedChannel>);

impl Receiver {
    /// Blocks until the gate is open and shows everything that waits behind it, or nothing if the source has
    /// failed before. So the channel's limits bound what is known before the first record, and half a second
    /// does for a slow source, unless the gate waits for more.
    pub(crate) fn look_ahead(&self, mut look: impl FnMut(&SourceBatch)) -> Extent {
        let mut state = self.0.lock();
        let started = Instant::now();
        while state.gate != Gate::AtOnce && state.end.is_none() && !state.closed {
            let left = LONGEST_LOOK.saturating_sub(started.elapsed());
            if state.gate == Gate::WhenKnown && left.is_zero() {
                state.gate = Gate::AtOnce;
                break;
            }
            let waited = self.0.news.wait_timeout(state, left.max(SHORTEST_WAIT));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.gate == Gate::AtOnce {
            state.queue.iter().for_each(&mut look);
        }
        match state.end {
            Some(Ok(())) if !state.closed && !state.ends_early => Extent::Whole,
            _ => Extent::Beginning,
        }
    }

    /// The next batch; blocks until there is one. `None` if the source has ended, or failed while the gate
    /// was closed, or the channel was closed.
    pub(crate) fn recv(&self) -> Option<SourceBatch> {
        loop {
            match self.recv_within(Duration::MAX) {
                Received::Batch(source_batch) => return Some(source_batch),
                Received::End => return None,
                Received::Nothing => {}
            }
        }
    }

    /// Like [`Receiver::recv`], but waits at most `limit`.
    pub(crate) fn recv_within(&self, limit: Duration) -> Received {
        let started = Instant::now();
        let mut state = self.0.lock();
        loop {
            if state.closed {
                return Received::End;
            }
            if state.gate == Gate::AtOnce
                && let Some(source_batch) = state.queue.pop_front()
            {
                state.records -= source_batch.batch.records.len();
                state.bytes -= source_batch.weight();
                self.0.room.notify_one();
                return Received::Batch(source_batch);
            }
            if state.end.is_some() {
                return Received::End;
            }
            let left = limit.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Received::Nothing;
            }
            let waited = self.0.news.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits up to `limit` for something to receive, or for the end.
    pub(crate) fn wait(&self, limit: Duration) {
        let state = self.0.lock();
        let nothing = |state: &mut ChannelState| {
            let gives = state.gate == Gate::AtOnce && !state.queue.is_empty();
            !(gives || state.closed || state.end.is_some())
        };
        let waited = self.0.news.wait_timeout_while(state, limit, nothing);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// A handle with which another thread can close the channel.
    pub(crate) fn closer(&self) -> Closer {
        Closer(self.0.clone())
    }

    /// Ends the receiving: returns how the source ended, as far as is known, and what was never received.
    pub(crate) fn close(&self) -> (Option<Result<(), Error>>, Vec<SourceBatch>) {
        Closer(self.0.clone()).close();
        let mut state = self.0.lock();
        (state.end.clone(), state.queue.drain(..).collect())
    }
}

/// Closes a channel from outside: nothing more is sent into it or received from it.
#[derive(Debug, Clone)]
pub(crate) struct Closer(Arc<SharedChannel>);

impl Closer {
    pub(crate) fn close(&self) {
        self.0.lock().closed = true;
        self.0.room.notify_all();
        self.0.news.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn source_batch(bytes: usize) -> SourceBatch {
        let mut source_batch = SourceBatch::default();
        source_batch.batch.push_bytes(&vec![0; bytes]);
        source_batch.tally.found = 1;
        source_batch
    }

    const SMALL: Limits = Limits {
        records: 100,
        // Two batches of 100 bytes together.
        bytes: 100 + 2 * size_of::<SourceBatch>(),
    };

    #[test]
    fn what_is_sent_arrives_in_order_and_then_the_end() {
        let (sender, receiver) = bounded(SMALL, Gate::AtOnce);
        let thread = thread::spawn(move || {
            for bytes in 1..60 {
                sender
                    .send(source_batch(bytes))
                    .expect("the receiver is there");
            }
            sender.finish(Ok(()));
        });
        let sizes: Vec<usize> = std::iter::from_fn(|| receiver.recv())
            .map(|p| p.batch.weight())
            .collect();
        assert_eq!(sizes, (1..60).collect::<Vec<_>>());
        assert_eq!(receiver.close().0, Some(Ok(())));
        thread.join().expect("the sender does not panic");
    }

    #[test]
    fn a_gate_opens_when_the_channel_is_full() {
        let (sender, receiver) = bounded(SMALL, Gate::WhenSure);
        sender.send(source_batch(60)).expect("there is room");
        assert!(sender.take_back());
        sender.send(source_batch(70)).expect("there is room");
        let thread = thread::spawn(move || {
            sender
                .send(source_batch(60))
                .expect("the receiver is there");
            assert!(!sender.take_back(), "the gate was opened by a full channel");
            sender.finish(Err(Error::config("too late")));
        });
        assert_eq!(receiver.recv().map(|p| p.batch.weight()), Some(70));
        assert_eq!(receiver.recv().map(|p| p.batch.weight()), Some(60));
        assert!(receiver.recv().is_none());
        thread.join().expect("the sender does not panic");
    }

    /// An endless line yields batches without records, faster than anybody takes them.
    #[test]
    fn batches_without_a_record_fill_the_channel_as_well() {
        let (sender, receiver) = bounded(SMALL, Gate::WhenSure);
        let thread = thread::spawn(move || {
            for _ in 0..1000 {
                sender
                    .send(SourceBatch::default())
                    .expect("the receiver is there");
            }
            assert!(!sender.take_back(), "the gate was opened by a full channel");
            sender.finish(Ok(()));
        });
        let mut received = 0;
        while receiver.recv().is_some() {
            received += 1;
            assert!(receiver.0.lock().queue.len() <= 3, "it is bounded");
        }
        assert_eq!(received, 1000);
        thread.join().expect("the sender does not panic");
    }

    #[test]
    fn a_source_that_fails_behind_the_gate_delivers_nothing() {
        let (sender, receiver) = bounded(SMALL, Gate::WhenSure);
        sender.send(source_batch(10)).expect("there is room");
        sender.finish(Err(Error::config("no")));
        let extent = receiver.look_ahead(|_| panic!("nothing is to be seen of a failed source"));
        assert_eq!(extent, Extent::Beginning);
        assert!(receiver.recv().is_none());
        let (end, rest) = receiver.close();
        assert_eq!((end, rest.len()), (Some(Err(Error::config("no"))), 1));
    }

    #[test]
    fn a_gate_for_a_common_start_waits_until_that_is_certain_however_slowly_the_source_comes() {
        let (sender, receiver) = bounded(SMALL, Gate::WhenStartKnown);
        let looks = thread::spawn(move || {
            let mut seen = 0;
            receiver.look_ahead(|_| seen += 1);
            seen
        });
        let mut batch = source_batch(10);
        sender.send(batch).expect("there is room");
        thread::sleep(LONGEST_LOOK + SHORTEST_WAIT);
        assert!(!looks.is_finished(), "half a second is not enough");
        batch = source_batch(10);
        batch.others.is_first_certain = true;
        sender.send(batch).expect("there is room");
        assert_eq!(looks.join().expect("it does not panic"), 2);
        for end in [Ok(()), Err(Error::config("no"))] {
            let (sender, receiver) = bounded(SMALL, Gate::WhenStartKnown);
            sender.send(source_batch(10)).expect("there is room");
            sender.finish(end);
            let mut seen = 0;
            receiver.look_ahead(|_| seen += 1);
            assert_eq!(seen, 1, "the end of the source opens it, too");
        }
    }

    #[test]
    fn a_gate_for_reading_ahead_opens_also_when_the_source_fails() {
        let (sender, receiver) = bounded(SMALL, Gate::WhenKnown);
        sender.send(source_batch(10)).expect("there is room");
        sender.finish(Err(Error::config("cut off")));
        let mut seen = 0;
        let extent = receiver.look_ahead(|source_batch| seen += source_batch.batch.weight());
        assert_eq!(extent, Extent::Beginning);
        assert_eq!(
            (seen, receiver.recv().is_some(), receiver.recv().is_none()),
            (10, true, true)
        );
    }

    #[test]
    fn a_source_is_known_as_a_whole_when_it_has_ended_well_within_the_channel() {
        let (sender, receiver) = bounded(SMALL, Gate::WhenKnown);
        sender.send(source_batch(10)).expect("there is room");
        sender.send(source_batch(20)).expect("there is room");
        sender.finish(Ok(()));
        let mut seen = 0;
        assert_eq!(
            receiver.look_ahead(|p| seen += p.batch.weight()),
            Extent::Whole
        );
        assert_eq!(seen, 30);
    }

    #[test]
    fn the_beginning_of_a_source_larger_than_the_channel_is_known() {
        let (sender, receiver) = bounded(SMALL, Gate::WhenKnown);
        sender.send(source_batch(60)).expect("there is room");
        let thread = thread::spawn(move || {
            sender
                .send(source_batch(70))
                .expect("the receiver is there");
            sender.finish(Ok(()));
        });
        let mut seen = 0;
        let extent = receiver.look_ahead(|p| seen += p.batch.weight());
        assert_eq!((seen, extent), (60, Extent::Beginning));
        assert_eq!(receiver.recv().map(|p| p.batch.weight()), Some(60));
        thread.join().expect("the sender does not panic");
    }

    #[test]
    fn a_source_that_ends_well_after_the_channel_was_closed_has_not_reached_its_end() {
        let (sender, receiver) = bounded(SMALL, Gate::AtOnce);
        receiver.closer().close();
        assert_eq!(sender.send(source_batch(1)), Err(Closed));
        sender.finish(Ok(()));
        assert_eq!(receiver.close().0, None);
    }

    #[test]
    fn a_wait_ends_when_there_is_something_to_receive_and_when_nothing_more_will_come() {
        // Each of these waits would last for minutes if nothing ended it.
        let limit = Duration::from_secs(600);
        let (sender, receiver) = bounded(SMALL, Gate::AtOnce);
        thread::scope(|scope| {
            scope.spawn(|| sender.send(source_batch(7)).expect("the receiver is there"));
            receiver.wait(limit);
            let received = receiver.recv_within(Duration::ZERO);
            assert!(matches!(received, Received::Batch(p) if p.batch.weight() == 7));
        });
        receiver.wait(Duration::ZERO);
        let received = receiver.recv_within(Duration::ZERO);
        assert!(matches!(received, Received::Nothing));
        thread::scope(|scope| {
            scope.spawn(|| sender.finish(Ok(())));
            receiver.wait(limit);
            let received = receiver.recv_within(Duration::ZERO);
            assert!(matches!(received, Received::End));
        });
    }

    #[test]
    fn closing_wakes_both_sides() {
        let (sender, receiver) = bounded(SMALL, Gate::AtOnce);
        let closer = receiver.closer();
        sender.send(source_batch(90)).expect("there is room");
        let sending = thread::spawn(move || sender.send(source_batch(90)));
        closer.close();
        assert_eq!(
            sending.join().expect("the sender does not panic"),
            Err(Closed)
        );
        assert!(receiver.recv().is_none());
        assert_eq!(receiver.close().1.len(), 1);
    }
}
