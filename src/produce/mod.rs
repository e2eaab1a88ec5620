//! Records to the broker.
//!
//! ```text
//! channel -> order/ -> session/send.rs -> routing/ -> cluster/native/ -> librdkafka -> broker
//!                             ^---------- delivery/budget.rs --- delivery/ <----'
//! ```
//!
//! | question | file |
//! |---|---|
//! | the loop, from the first record to the last delivery | `session/replay.rs`, then `send.rs`, `drain.rs`, `outcome.rs` beside it |
//! | in which order records go out | `order/` |
//! | librdkafka's settings, producers and their events | `connection/client.rs`, `connection/context.rs`; tokens `cluster/token.rs` |
//! | what is looked at before the first record | `connection/preflight.rs`, `routing/looks.rs` (topics, partitions, renamings), `routing/captured.rs` (what is known of the source then), `routing/originals.rs` (whether the original times are too old), `cluster/guard.rs` (whether it is the captured cluster), `connection/announce.rs` (the line that says where records go) |
//! | what a topic is and allows | `connection/topics.rs`, `routing/acceptance.rs`, `routing/sizes.rs`, `routing/warnings.rs` |
//! | where a record goes | `routing/route.rs`, `routing/renamings.rs` (`--map`) |
//! | what is in flight, and how much of it | `record/in_flight.rs`, `delivery/budget.rs` |
//! | when a record has waited for too long, and who sends the others then | `delivery/ages.rs`, `connection/renewal.rs` |
//! | what a process says that was stopped | `session/pause.rs` |
//! | what came of a record | `delivery/mod.rs`, `delivery/counts.rs`, `delivery/rejects.rs` |
//! | what happens to a batch that a broker refuses | `delivery/refusals.rs`, `session/isolation.rs` |
//! | what a resumed run needs to know | `journal/` |
//! | how far it is | `progress.rs` |
//! | when a silent cluster is given up, and why it is silent | `session/stall.rs`, `cluster/reasons.rs` |
//! | calls that may block | `host/patience.rs` |
//! | librdkafka's C API | `cluster/native/` |

mod connection;
pub(crate) mod delivery;
mod journal;
mod order;
mod progress;
mod routing;
mod session;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

pub(crate) use self::journal::Identity;
pub(crate) use self::order::Order;
pub(crate) use self::progress::{Counters, Progress, TICK};
pub(crate) use self::session::outcome::Outcome;
pub(crate) use crate::host::control::{Control, Pace};

use crate::config::{Destination, OnRefused, Verbosity};
use crate::host::console::Console;
use crate::record::channel::Receiver;

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
        _ = tell_outcome.send(session::replay::run(&job, receiver, tell_ready));
    });
    Production { ready, outcome }
}
