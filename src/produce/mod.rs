//! Sends records to the broker.
//!
//! ```text
//! channel -> order/ -> session/pass/, send.rs -> routing/ -> cluster/native/ -> librdkafka -> broker
//!                             ^---------- delivery/budget.rs --- delivery/ <----'
//! ```
//!
//! | question | file |
//! |---|---|
//! | what is asked of a replay | `Job` in `job.rs` |
//! | from the first look at the destination to the last pass | `run` in `session/mod.rs`; what outlives a pass: `session/open.rs`; one pass: `session/pass/mod.rs` |
//! | in which order records go out | `take_first` in `order/window/release.rs`; the receiving end: `order/mod.rs` |
//! | when each record goes (pure) | `Scheduler` in `schedule/mod.rs`; by the system's clock, and how well that was kept: `schedule/turns.rs` |
//! | librdkafka's settings | `settings` in `connection/client/settings.rs` |
//! | how many producers there are, and which one sends a topic | `with_room` in `connection/client/producers.rs` |
//! | librdkafka's log, errors and deliveries | `take` in `connection/context.rs` |
//! | whether the cluster can be used | `check_reachable` in `connection/preflight.rs`; calls that may block: `host/patience.rs` |
//! | what is checked of topics before the first record | `look` in `routing/checks.rs`; what is known of the source then: `routing/placement/captured.rs`; original times: `routing/originals.rs` |
//! | whether the destination is the captured cluster | `shared` in `cluster/guard.rs`, asked in `routing/route/guard.rs` |
//! | what a topic is | `topic_states` in `connection/topics.rs` |
//! | what a topic accepts | `objection` in `routing/acceptance.rs`; sizes: `routing/sizes.rs`; warnings: `routing/warnings.rs` |
//! | the line that says where records go | `print` in `connection/announce.rs` |
//! | the topic of a record (pure) | `destination` in `routing/placement/renamings.rs` |
//! | the partition of a record (pure) | `choose` in `routing/placement/partition.rs`; with the topics that the cluster has: `routing/route/mod.rs` |
//! | how a record is handed to librdkafka | `hand_over` in `session/send.rs`; its bytes meanwhile: `record/batch/in_flight.rs`; librdkafka's C API: `cluster/native/` |
//! | how much may be in flight | `next_window` in `delivery/budget.rs` |
//! | what the sending thread waits for | `wait` in `session/wait.rs` |
//! | when a record has waited for too long | `look` in `delivery/ages.rs`; whose clock counts: `connection/timeouts.rs` |
//! | who sends the other records then | `renew_when_overdue` in `session/recovery/renewal.rs` |
//! | what kreplay says when its process was stopped | `note` in `session/watches/pause.rs` |
//! | the outcome of a record | `answer` in `delivery/answers.rs`; counts: `delivery/counts.rs`; the rejects file: `delivery/rejects.rs` |
//! | which record of a refused batch is to blame | `judge` in `delivery/refusals.rs`; what is sent again: `session/recovery/isolation/mod.rs` |
//! | how long a missing topic is waited for | `look` in `session/recovery/absence.rs`; how it is looked for: `session/recovery/reappearance.rs` |
//! | what a resumed run needs to know | `read` in `delivery/journal/line.rs`; when it is written: `delivery/journal/writer/mod.rs` |
//! | when a silent cluster is given up | `look` in `session/watches/stall.rs`; why it is silent: `cluster/reasons.rs` |
//! | the end of a run | `run` in `session/drain.rs`; added up in `session/outcome.rs` |
//! | what a replay would do, without its sending | `plan_record` in `plan/forecast/record.rs`; all of it: `plan/forecast/mod.rs` |

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
    let (tell_outcome, outcome) = oneshot::channel();
    let runtime = Handle::current();
    thread::spawn(move || {
        let _runtime = runtime.enter();
        // The receiver is gone only if the run ended at once, which needs no outcome.
        _ = tell_outcome.send(session::run(&job, passes));
    });
    outcome
}

/// Starts to plan what `passes` returns, on the same terms as [`start`]; sends nothing.
pub(crate) fn start_plan(
    job: Job,
    passes: impl FnMut() -> Option<Receiver> + Send + 'static,
) -> oneshot::Receiver<PlanOutcome> {
    let (tell_outcome, outcome) = oneshot::channel();
    let runtime = Handle::current();
    thread::spawn(move || {
        let _runtime = runtime.enter();
        // The receiver is gone only if the run ended at once, which needs no outcome.
        _ = tell_outcome.send(plan::run(job, passes));
    });
    outcome
}
