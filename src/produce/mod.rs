//! Sends records to the broker.
//!
//! ```text
//! channel -> order/ -> session/pass/, send.rs -> routing/ -> cluster/native/ -> librdkafka -> broker
//!                             ^---------- delivery/budget.rs --- delivery/ <----'
//! ```
//!
//! Behaviours that a user can see stand in the map of `lib.rs`; this one says how the parts meet.
//!
//! | question | file |
//! |---|---|
//! | what is asked of a replay | `Job` in `job.rs` |
//! | from the first look at the destination to the last pass | `run` in `session/mod.rs`; what outlives a pass: `session/open.rs`; one pass: `session/pass/mod.rs` |
//! | the receiving end of the channel | `Ordered` in `order/mod.rs` |
//! | the schedule by the system's clock, and how well it was kept | `Turns` in `schedule/turns.rs`; the pure part: `schedule/mod.rs` |
//! | librdkafka's log, errors and deliveries | `take` in `connection/context.rs` |
//! | which producer sends a topic | `with_room` in `connection/client/producers.rs` |
//! | calls that may block | `unless_stopping` in `host/patience.rs` |
//! | what is known of the source before the first record | `CapturedTopics` in `routing/placement/captured.rs` |
//! | what a topic is | `topic_states` in `connection/topics.rs` |
//! | the topics that records go to, as the cluster has them | `Router` in `routing/route/mod.rs` |
//! | how a record is handed to librdkafka | `hand_over` in `session/send.rs`; its bytes meanwhile: `record/batch/in_flight.rs`; the C API: `cluster/native/` |
//! | whose clock limits how long a record waits | `TimeOuts` in `connection/timeouts.rs` |
//! | the account of all deliveries | `Account` in `delivery/mod.rs`; added up: `session/outcome.rs` |

mod connection;
pub(crate) mod delivery;
mod job;
mod order;
mod plan;
pub(crate) mod routing;
mod schedule;
mod session;

use std::thread;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

pub(crate) use self::delivery::journal::{Identity, try_journal};
pub(crate) use self::job::{Counters, Job, SendingWatch};
pub(crate) use self::order::Order;
pub(crate) use self::plan::PlanOutcome;
pub(crate) use self::session::outcome::ReplayOutcome;
pub(crate) use crate::host::control::{Control, Shutdown};

use crate::record::channel::Receiver;

/// Starts to send what `passes` returns: one reading of the source for each call. The sending thread calls
/// it for the first reading once preflight has passed, and for the next one after the one before was read
/// to a good end. Must be called on a tokio runtime; `passes` is called on it as well. The outcome comes
/// when everything is delivered or accounted for; an error instead is a defect.
pub(crate) fn start(
    job: Job,
    passes: impl FnMut() -> Option<Receiver> + Send + 'static,
) -> oneshot::Receiver<ReplayOutcome> {
    let (sender, outcome) = oneshot::channel();
    let runtime = Handle::current();
    thread::spawn(move || {
        let _runtime = runtime.enter();
        // The receiver is gone only if the run ended at once, which needs no outcome.
        _ = sender.send(session::run(&job, passes));
    });
    outcome
}

/// Starts to plan what `passes` returns, on the same terms as [`start`]; sends nothing.
pub(crate) fn start_plan(
    job: Job,
    passes: impl FnMut() -> Option<Receiver> + Send + 'static,
) -> oneshot::Receiver<PlanOutcome> {
    let (sender, outcome) = oneshot::channel();
    let runtime = Handle::current();
    thread::spawn(move || {
        let _runtime = runtime.enter();
        // The receiver is gone only if the run ended at once, which needs no outcome.
        _ = sender.send(plan::run(job, passes));
    });
    outcome
}
