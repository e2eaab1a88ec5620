//! Records to the broker. `replay.rs` is the loop; `client.rs` connects, with tokens of `token.rs`;
//! `preflight.rs` looks at the cluster, whose silence `reasons.rs` explains, `guard.rs` knows the
//! captured cluster again, `announce.rs` tells of it all; `topics.rs` looks at topics, of which
//! `warnings.rs` tells what an operator should know and whose limits `sizes.rs` turns into a
//! producer's; `route.rs` says where a record goes, `context.rs` hears what librdkafka tells,
//! `delivery.rs` counts what came of a record, `native/` holds the calls of librdkafka's C API,
//! `progress.rs` shows how far it is.
//!
//! ```text
//! channel -> replay.rs -> route.rs -> native/ -> librdkafka -> broker
//!                ^---- window ---- delivery.rs <------'
//! ```

mod announce;
mod client;
mod context;
mod control;
mod counts;
mod delivery;
mod drain;
mod guard;
mod in_flight;
mod journal;
mod keeper;
mod native;
mod order;
mod outcome;
mod preflight;
mod progress;
mod reasons;
mod rejects;
mod replay;
mod room;
mod route;
mod sizes;
mod token;
mod topics;
mod warnings;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

pub(crate) use control::{Control, Pace};
pub(crate) use journal::Identity;
pub(crate) use order::Order;
pub(crate) use outcome::Outcome;
pub(crate) use progress::{Counters, Progress, TICK};

use crate::channel::Receiver;
use crate::config::{Destination, Verbosity};
use crate::console::Console;

/// What production needs to know of the run.
pub(crate) struct Job {
    pub(crate) destination: Destination,
    pub(crate) order: Order,
    /// Where what is not delivered goes.
    pub(crate) rejects: Option<PathBuf>,
    /// Where what is delivered is written down, and what it belongs to.
    pub(crate) journal: Option<(PathBuf, Identity)>,
    pub(crate) verbosity: Verbosity,
    pub(crate) console: Console,
    pub(crate) control: Control,
    pub(crate) counters: Arc<Counters>,
}

/// Production at work on a thread of its own.
pub(crate) struct Production {
    /// Comes true when the destination was looked at and found good; an error means that it was
    /// not, and the outcome says why.
    pub(crate) ready: oneshot::Receiver<()>,
    /// Comes when everything is delivered or accounted for; an error is a defect.
    pub(crate) outcome: oneshot::Receiver<Outcome>,
}

/// Starts to send what `receiver` gives. Must be called on a tokio runtime.
pub(crate) fn start(job: Job, receiver: Receiver) -> Production {
    let (tell_ready, ready) = oneshot::channel();
    let (tell_outcome, outcome) = oneshot::channel();
    let runtime = Handle::current();
    thread::spawn(move || {
        let _runtime = runtime.enter();
        // Nobody listens only when the run was left at once, which needs no outcome.
        _ = tell_outcome.send(replay::run(&job, receiver, tell_ready));
    });
    Production { ready, outcome }
}
