//! A session with the destination, from the first check to the last delivery: opened once, then a pass for
//! each reading of the source, then closed.
//!
//! `open.rs` holds what outlives a pass, `pass/` reads and sends the source once, `recovery/` sends records
//! again, `watches/` notice a silent cluster or a stopped process, and `outcome.rs` adds everything up.

mod drain;
mod open;
pub(super) mod outcome;
pub(super) mod pass;
mod recovery;
pub(super) mod send;
mod wait;
mod watches;

use std::sync::atomic::Ordering;

use self::open::Session;
use self::outcome::ReplayOutcome;
use self::pass::PassEnd;
use self::watches::pause::PauseWatch;
use super::job::Job;
use crate::host::clock;
use crate::record::channel::Receiver;

/// Checks the destination and sends everything that `passes` returns. Calls it for the first pass once
/// preflight has passed, and for the next one when the source of the last one has ended well.
pub(super) fn run(job: &Job, mut passes: impl FnMut() -> Option<Receiver>) -> ReplayOutcome {
    let connection = match open::connect(job) {
        Ok(connection) => connection,
        Err(error) => {
            let brokers = job.destination.cluster.bootstrap_servers();
            return ReplayOutcome::failed(error, brokers.to_string());
        }
    };
    let _watch = PauseWatch::start(job.console.clone(), &job.destination);
    if job.timing.is_timed() {
        clock::wake_exactly();
    }
    let mut session = match Session::open(job, &connection) {
        Ok(session) => session,
        Err(error) => return ReplayOutcome::failed(error, connection.brokers.clone()),
    };
    let mut end = PassEnd::NOTHING_READ;
    while let Some(receiver) = passes() {
        let handed = session.waiter.handed;
        end = session.pass(&receiver);
        // A source with nothing to send has nothing the next time either.
        if !end.is_whole() || session.waiter.handed == handed {
            break;
        }
    }
    job.counters.complete.store(true, Ordering::Relaxed);
    session.close(end)
}
