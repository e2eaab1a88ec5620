//! The end of a replay: waits for what librdkafka holds. If the run was interrupted, the wait has several
//! steps, each bounded in time: deliveries, then only those in flight, then everything is given up. The queue
//! is given up together with what is in flight and not before: librdkafka would otherwise continue under a
//! new epoch, and send again what a broker has taken if the answer is lost.

use std::time::{Duration, Instant};

use super::open::Session;
use super::wait::{SendStop, WaitFor};
use crate::error::Error;
use crate::host::control::Shutdown;
use crate::produce::delivery::Ending;
use crate::produce::delivery::counts::DeliveryCounts;
use crate::report::Drain;

/// How long a first interruption waits for what librdkafka holds.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// How long it then waits for what is in flight, while nothing else is sent.
const IN_FLIGHT_LIMIT: Duration = Duration::from_secs(3);
/// How long it may take until purged records are reported.
const PURGE_LIMIT: Duration = Duration::from_secs(2);
/// The same limit when the run ends at once: within a second of the second signal.
const IMMEDIATE_LIMIT: Duration = Duration::from_millis(400);

/// The result of a drain.
pub(super) struct Drained {
    /// What became of the records in flight; `None` if nothing stopped the run while there were some.
    pub(super) drain: Option<Drain>,
    /// The first failure during the drain.
    pub(super) failure: Option<Error>,
}

/// The wait for the answers to all records that were handed over.
struct Draining<'s, 'a> {
    session: &'s mut Session<'a>,
    failure: Option<Error>,
}

/// What is known about the records that librdkafka has, at one moment.
#[derive(Debug, Clone, Copy)]
struct Answered {
    all: u64,
    given_up: u64,
    purged_from_queue: u64,
    purged_in_flight: u64,
}

impl Answered {
    fn of(counts: &DeliveryCounts) -> Self {
        Self {
            all: counts.answered(),
            given_up: counts.given_up,
            purged_from_queue: counts.purged_from_queue,
            purged_in_flight: counts.purged_in_flight,
        }
    }
}

/// How a wait reacts to a request to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heeds {
    /// It continues until its time is over, which is then short.
    Nothing,
    /// It ends if the run has to end at once.
    ImmediateShutdown,
}

impl Session<'_> {
    /// Waits for all deliveries; if the run was interrupted, no longer than the steps allow.
    pub(super) fn drain(&mut self) -> Drained {
        let mut draining = Draining {
            session: self,
            failure: None,
        };
        let drain = draining.run();
        Drained {
            drain,
            failure: draining.failure,
        }
    }
}

impl Draining<'_, '_> {
    fn run(&mut self) -> Option<Drain> {
        while self.is_waiting() && !self.is_stopping() {
            self.step();
        }
        if !self.is_waiting() {
            return None;
        }
        let before = self.answered();
        let ending = self.session.deliveries.ending();
        // A producer that cannot continue delivers nothing more.
        if ending.is_none() {
            self.wait(DRAIN_LIMIT, Heeds::ImmediateShutdown);
        }
        if self.is_waiting() && ending.is_none() && self.shutdown() != Shutdown::Immediate {
            let targets = self.session.router.targets.iter();
            let topics = targets.map(|target| (target.name.clone(), target.partitions.count));
            let topics: Vec<(String, i32)> = topics.collect();
            self.session.connection.pause(&topics);
            self.wait(IN_FLIGHT_LIMIT, Heeds::ImmediateShutdown);
        }
        // If nobody takes answers, those for purged records do not arrive either.
        if self.is_waiting() && ending != Some(Ending::PollingPanicked) {
            self.session.connection.purge();
            self.wait(PURGE_LIMIT, Heeds::Nothing);
        }
        Some(self.since(before))
    }

    /// The result of the wait, compared with what was known `before`.
    fn since(&self, before: Answered) -> Drain {
        let now = self.answered();
        // Counts only rise, so that no difference is below zero.
        let given_up = now.given_up - before.given_up;
        let purged_from_queue = now.purged_from_queue - before.purged_from_queue;
        let purged_in_flight = now.purged_in_flight - before.purged_in_flight;
        Drain {
            answered: now.all - before.all - given_up - purged_from_queue - purged_in_flight,
            given_up,
            purged_from_queue,
            purged_in_flight,
            // More answers than records are a defect, which the outcome reports.
            unanswered: self.session.waiter.handed.saturating_sub(now.all),
        }
    }

    fn wait(&mut self, limit: Duration, heeds: Heeds) {
        let started = Instant::now();
        // Purged records take milliseconds, unless a thread of librdkafka hangs.
        let patience = match heeds {
            Heeds::ImmediateShutdown => Duration::ZERO,
            Heeds::Nothing => IMMEDIATE_LIMIT,
        };
        let is_over = |limit| started.elapsed() >= limit;
        while self.is_waiting() && !is_over(limit) {
            if self.shutdown() == Shutdown::Immediate && is_over(patience) {
                return;
            }
            self.step();
        }
    }

    fn step(&mut self) {
        self.session.waiter.wait(WaitFor::Answers);
        let isolated = match self.session.isolate() {
            Err(SendStop::Failed(error)) if self.session.deliveries.ending().is_none() => {
                Some(error)
            }
            _ => None,
        };
        let written = self.session.waiter.failure.take();
        self.failure = self.failure.take().or(isolated).or(written);
    }

    fn answered(&self) -> Answered {
        Answered::of(&self.session.deliveries.account().counts)
    }

    fn shutdown(&self) -> Shutdown {
        self.session.job.control.shutdown()
    }

    fn is_waiting(&self) -> bool {
        self.answered().all < self.session.waiter.handed
    }

    fn is_stopping(&self) -> bool {
        self.session.job.control.is_stopping() || self.session.deliveries.ending().is_some()
    }
}
