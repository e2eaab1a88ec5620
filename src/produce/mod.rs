//! Records to the broker.
//!
//! ```text
//! channel -> order/ -> send.rs -> route.rs -> native/ -> librdkafka -> broker
//!                        ^---------- budget.rs --- delivery.rs <----'
//! ```
//!
//! | question | file |
//! |---|---|
//! | the loop, from the first record to the last delivery | `replay.rs`, then `send.rs`, `drain.rs`, `outcome.rs` |
//! | in which order records go out | `order/` |
//! | librdkafka's settings, producers and tokens | `client.rs`, `token.rs`, `context.rs` |
//! | what is looked at before the first record | `preflight.rs`, `looks.rs` (topics, partitions, renamings), `captured.rs` (what is known of the source then), `reasons.rs` (why a cluster is silent), `originals.rs` (whether the original times are too old), `guard.rs` (whether it is the captured one), `announce.rs` (the line that tells) |
//! | what a topic is and allows | `topics.rs`, `acceptance.rs`, `sizes.rs`, `warnings.rs` |
//! | where a record goes | `route.rs`, `renamings.rs` (`--map`) |
//! | what is in flight, and how much of it | `in_flight.rs`, `budget.rs` |
//! | when a record has waited for too long, and who sends the others then | `ages.rs`, `renewal.rs` |
//! | what a process says that was stopped | `pause.rs` |
//! | what came of a record | `delivery.rs`, `counts.rs`, `rejects.rs` |
//! | what happens to a batch that a broker refuses | `refusals.rs`, `isolation.rs` |
//! | what a resumed run needs to know | `journal/` |
//! | how far it is | `progress.rs` |
//! | when a silent cluster is given up | `stall.rs` |
//! | calls that may block | `patience.rs` |
//! | librdkafka's C API | `native/` |

mod acceptance;
mod ages;
mod announce;
mod budget;
mod captured;
mod client;
mod context;
mod control;
mod counts;
mod delivery;
mod drain;
mod guard;
mod in_flight;
mod isolation;
mod journal;
mod looks;
mod native;
mod order;
mod originals;
mod outcome;
mod patience;
mod pause;
mod preflight;
mod progress;
mod reasons;
mod refusals;
mod rejects;
mod renamings;
mod renewal;
mod replay;
mod route;
mod send;
mod sizes;
mod stall;
mod token;
mod topics;
mod warnings;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

pub(crate) use control::{Control, Pace};
pub(crate) use journal::Identity;
pub(crate) use order::Order;
pub(crate) use outcome::Outcome;
pub(crate) use progress::{Counters, Progress, TICK};

use crate::channel::Receiver;
use crate::config::{Destination, OnRefused, Verbosity};
use crate::console::Console;

/// What production needs to know of the run.
pub(crate) struct Job {
    pub(crate) destination: Destination,
    pub(crate) order: Order,
    /// Where what is not delivered goes.
    pub(crate) rejects: Option<PathBuf>,
    /// Where what is delivered is written down, and what it belongs to.
    pub(crate) journal: Option<(PathBuf, Identity)>,
    /// What becomes of the batch of a record that a broker refuses.
    pub(crate) on_refused: OnRefused,
    /// How long no record may be acknowledged while some are in flight.
    pub(crate) give_up_after: Duration,
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
