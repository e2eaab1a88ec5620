//! A replay without its sending: what `kreplay plan` forecasts. Records go through the same order, the
//! same schedule and the same routing as those of a replay; the schedule is given a clock that jumps to
//! the next due time, and kreplay reads the destination, or assumes it, and never writes to it.
//!
//! `topics.rs` and `target.rs` do what the router does in a replay; `outcome.rs` is what a plan hands over.

mod forecast;
mod keys;
mod outcome;
mod peaks;
mod target;
mod topics;

use self::forecast::Planner;
pub(crate) use self::outcome::PlanOutcome;
use self::topics::PlannedTopics;
use super::connection::client::Connection;
use super::delivery::rejects::Rejects;
use super::job::Job;
use super::routing::route::Router;
use crate::config::property_names::are_same;
use crate::config::{Cluster, Idempotence};
use crate::record::channel::Receiver;

/// Plans everything that `passes` give. It asks for the first one once the destination has passed its checks.
pub(super) fn run(job: Job, passes: impl FnMut() -> Option<Receiver>) -> PlanOutcome {
    let destination = job.destination.clone();
    if destination.cluster == Cluster::Rehearsal {
        let topics = PlannedTopics::new(&destination, None);
        return Planner::new(&job, topics).plan(passes);
    }
    let job = without_idempotence(job);
    let connection = match Connection::open(&job, Rejects::default()) {
        Ok(connection) => connection,
        Err(error) => {
            return PlanOutcome::failed(error, destination.cluster.bootstrap_servers());
        }
    };
    if let Err(error) = connection.check_reachable(&job.control) {
        return PlanOutcome::failed(error, &connection.brokers);
    }
    let router = Router::new(&connection, &destination, &job.control);
    let topics = PlannedTopics::new(&destination, Some(router));
    let mut outcome = Planner::new(&job, topics).plan(passes);
    outcome.forecast.brokers = Some(connection.brokers.clone());
    outcome
}

/// A job whose producers request no producer id: that would leave a trace in the cluster.
fn without_idempotence(mut job: Job) -> Job {
    let destination = &mut job.destination;
    destination.idempotence = Idempotence::Off;
    let promises = ["enable.idempotence", "enable.gapless.guarantee"];
    destination
        .properties
        .retain(|(name, _)| !promises.iter().any(|promise| are_same(promise, name)));
    job
}
