//! Records to the broker.
//!
//! ```text
//! channel -> order/ -> session/pass/, send.rs -> routing/ -> cluster/native/ -> librdkafka -> broker
//!                             ^---------- delivery/budget.rs --- delivery/ <----'
//! ```
//!
//! | question | file |
//! |---|---|
//! | what is asked of a replay | `job.rs` |
//! | from the first look to the last delivery | `session/mod.rs`, and the files beside it |
//! | in which order records go out | `order/` |
//! | when each goes (pure), and how well that was kept | `schedule/` |
//! | librdkafka's settings, producers and their events | `connection/client/`, `connection/context.rs`; tokens `cluster/token/` |
//! | what kreplay checks before the first record | `connection/preflight.rs`, `routing/checks.rs` (topics, partitions, renamings), `routing/placement/captured.rs` (what is known about the source then), `routing/originals.rs` (whether the original times are too old), `cluster/guard.rs` (whether it is the captured cluster), `connection/announce.rs` (the line that says where records go) |
//! | what a topic is and allows | `connection/topics.rs`, `routing/acceptance.rs`, `routing/sizes.rs`, `routing/warnings.rs` |
//! | where a record goes | `routing/placement/renamings.rs` (the topic), `routing/placement/partition.rs` (the partition), both pure, `routing/route/mod.rs` (with the topics that the cluster has) |
//! | what is in flight, and how much of it | `record/batch/in_flight.rs`, `delivery/budget.rs` |
//! | what the sending thread waits for | `session/wait.rs` |
//! | when a record has waited for too long, and who sends the others then | `connection/timeouts.rs`, `delivery/ages.rs`, `session/recovery/renewal.rs` |
//! | what kreplay says when its process was stopped | `session/watches/pause.rs` |
//! | the outcome of a record | `delivery/mod.rs`, `delivery/counts.rs`, `delivery/rejects.rs` |
//! | what happens to a batch that a broker refuses | `delivery/refusals.rs`, `session/recovery/isolation.rs` |
//! | what a resumed run needs to know | `delivery/journal/` |
//! | what a replay would do, without its sending | `plan/` |
//! | when a silent cluster is given up, and why it is silent | `session/watches/stall.rs`, `cluster/reasons.rs` |
//! | calls that may block | `host/patience.rs` |
//! | librdkafka's C API | `cluster/native/` |

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

use crate::config::Repetition;
use crate::record::channel::Receiver;

/// Starts to send what `passes` give: each is a reading of the source. They are asked for the first one
/// when the destination was found good, on the sending thread, and for the next one when the one before
/// was read to a good end. Must be called on a tokio runtime, which they are called on, too. The outcome
/// comes when everything is delivered or accounted for; an error instead is a defect.
pub(crate) fn start(
    job: Job,
    passes: impl FnMut() -> Option<Receiver> + Send + 'static,
) -> oneshot::Receiver<ReplayOutcome> {
    let (tell_outcome, outcome) = oneshot::channel();
    let runtime = Handle::current();
    thread::spawn(move || {
        let _runtime = runtime.enter();
        // Nobody listens only when the run was left at once, which needs no outcome.
        _ = tell_outcome.send(session::run(&job, passes));
    });
    outcome
}

/// Starts to plan what `passes` give, on the same terms as [`start`]; nothing is sent.
pub(crate) fn start_plan(
    job: Job,
    repetition: Repetition,
    passes: impl FnMut() -> Option<Receiver> + Send + 'static,
) -> oneshot::Receiver<PlanOutcome> {
    let (tell_outcome, outcome) = oneshot::channel();
    let runtime = Handle::current();
    thread::spawn(move || {
        let _runtime = runtime.enter();
        // Nobody listens only when the run was left at once, which needs no outcome.
        _ = tell_outcome.send(plan::run(job, repetition, passes));
    });
    outcome
}
