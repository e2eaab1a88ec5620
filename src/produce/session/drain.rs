//! The end of a replay: the wait for what librdkafka holds. When the run was told to stop the wait is
//! a ladder, each step of it bounded in time: deliveries, then only those in flight, then everything is
//! given up. The queue is given up with what is in flight and not before: librdkafka would go on under a
//! new epoch then, and send what a broker has taken again when its answer is lost.

use std::time::{Duration, Instant};

use crate::host::control::{Control, Pace};
use crate::produce::connection::client::Connection;
use crate::produce::delivery::counts::Counts;
use crate::produce::delivery::{Deliveries, Ending};
use crate::report::Drain;

/// How long a first interruption waits for what librdkafka holds.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// How long it waits then for what is in flight, while nothing else is sent.
const IN_FLIGHT_LIMIT: Duration = Duration::from_secs(3);
/// How long purged records may take to be told as such.
const PURGE_LIMIT: Duration = Duration::from_secs(2);
/// How long that is when the run is left at once: within a second of the second signal.
const LEAVING_LIMIT: Duration = Duration::from_millis(400);
/// How often a wait looks whether it was told to stop, and the journal is brought up to date.
pub(in crate::produce) const STEP: Duration = Duration::from_millis(10);

/// The wait for the answers to `handed` records.
pub(in crate::produce) struct Draining<'a> {
    pub(in crate::produce) connection: &'a Connection,
    pub(in crate::produce) deliveries: &'a Deliveries,
    pub(in crate::produce) control: &'a Control,
    pub(in crate::produce) handed: u64,
    /// The topics that are sent to, and how many partitions each has.
    pub(in crate::produce) topics: Vec<(String, i32)>,
}

/// What is known at a moment of records that librdkafka was given.
#[derive(Debug, Clone, Copy)]
struct Answers {
    all: u64,
    given_up: u64,
    purged_from_queue: u64,
    purged_in_flight: u64,
}

impl Answers {
    fn of(counts: &Counts) -> Self {
        Self {
            all: counts.answered(),
            given_up: counts.given_up,
            purged_from_queue: counts.purged_from_queue,
            purged_in_flight: counts.purged_in_flight,
        }
    }
}

/// What a wait does about an end that is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heeds {
    /// It goes on until its time is over, which is then short.
    Nothing,
    /// It ends when the run is to be left at once.
    Leaving,
}

impl Draining<'_> {
    /// Waits for all deliveries; when told to stop, no longer than the ladder allows. `step` is called
    /// now and then. Tells what became of the records on their way when something stopped the run.
    pub(in crate::produce) fn run(&self, mut step: impl FnMut()) -> Option<Drain> {
        while self.is_waiting() && !self.is_told() {
            self.connection.flush(STEP);
            step();
        }
        if !self.is_waiting() {
            return None;
        }
        let before = Answers::of(&self.deliveries.account().counts);
        let ending = self.deliveries.ending();
        // A producer that cannot go on delivers nothing more.
        if ending.is_none() {
            self.wait(DRAIN_LIMIT, Heeds::Leaving, &mut step);
        }
        if self.is_waiting() && ending.is_none() && self.control.pace() != Pace::Leaving {
            self.connection.pause(&self.topics);
            self.wait(IN_FLIGHT_LIMIT, Heeds::Leaving, &mut step);
        }
        // Where nobody takes answers, none of these come either.
        if self.is_waiting() && ending != Some(Ending::PollingPanicked) {
            self.connection.purge();
            self.wait(PURGE_LIMIT, Heeds::Nothing, &mut step);
        }
        Some(self.since(before))
    }

    /// What the wait has given, `before` which so much was known.
    fn since(&self, before: Answers) -> Drain {
        let now = Answers::of(&self.deliveries.account().counts);
        // Counts only rise, so that no difference is below zero.
        let given_up = now.given_up - before.given_up;
        let purged_from_queue = now.purged_from_queue - before.purged_from_queue;
        let purged_in_flight = now.purged_in_flight - before.purged_in_flight;
        Drain {
            answered: now.all - before.all - given_up - purged_from_queue - purged_in_flight,
            given_up,
            purged_from_queue,
            purged_in_flight,
            // More answers than records are a defect, which the outcome tells.
            unanswered: self.handed.saturating_sub(now.all),
        }
    }

    fn wait(&self, limit: Duration, heeds: Heeds, step: &mut impl FnMut()) {
        let started = Instant::now();
        // Purged records take milliseconds, unless a thread of librdkafka's hangs.
        let patience = match heeds {
            Heeds::Leaving => Duration::ZERO,
            Heeds::Nothing => LEAVING_LIMIT,
        };
        let is_over = |limit| started.elapsed() >= limit;
        let leaves = || self.control.pace() == Pace::Leaving && is_over(patience);
        while self.is_waiting() && !is_over(limit) && !leaves() {
            self.connection.flush(STEP);
            step();
        }
    }

    fn is_waiting(&self) -> bool {
        self.deliveries.account().counts.answered() < self.handed
    }

    fn is_told(&self) -> bool {
        self.control.is_stopping() || self.deliveries.ending().is_some()
    }
}
