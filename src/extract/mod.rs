//! Input to records. `rrpair.rs` reads RRPairs, `csv.rs` the CSV of `speedctl extract data`,
//! `snapshot.rs` runs speedctl (`speedctl.rs`) and hands what it gives to one of these two.
//! `files.rs` finds the files below a folder, `open.rs` opens and unpacks one.
//!
//! ```text
//! bytes -> texts/ -> walk.rs (plan.rs <- profile.rs <- path.rs) -> draft.rs -> sink.rs -> channel
//! bytes -> csv.rs (columns.rs <- path.rs) ----------------------------------> sink.rs -> channel
//! ```

mod columns;
mod csv;
mod draft;
mod files;
mod lines;
mod open;
mod path;
mod plan;
mod profile;
mod rrpair;
mod sink;
mod snapshot;
mod speedctl;
mod texts;
mod topic_ids;
mod unpack;
mod walk;
mod window;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

use crate::channel::{Closed, Gate, Sender};
use crate::config::{Input, Snapshot, Source, TopicNames};
use crate::console::Console;
use crate::error::Error;

/// Why reading ended before the end of the input.
#[derive(Debug)]
enum Stop {
    /// Production takes no more.
    Closed,
    /// The CSV cannot carry what is there, and nothing has been sent yet.
    NeedsRaw(String),
    Failed(Error),
}

impl From<Closed> for Stop {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

/// What is known of the source while it is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Description {
    /// The inputs as they were asked for.
    pub(crate) inputs: Vec<String>,
    /// Names of what is read for them, more where an input is a folder; origins point into them.
    pub(crate) names: Arc<[String]>,
    /// For a snapshot, how it is read.
    pub(crate) via: Option<&'static str>,
    /// Bytes of input, where they are known.
    pub(crate) total_bytes: Option<u64>,
}

impl Description {
    /// One input, which is read as it is.
    fn of_one(&mut self, name: String) {
        self.names = [name.clone()].into();
        self.inputs = vec![name];
    }
}

/// Extraction at work on a thread of its own.
pub(crate) struct Extraction {
    description: Arc<Mutex<Description>>,
    stop: watch::Sender<bool>,
    ended: oneshot::Receiver<()>,
}

/// What extraction needs to know of the run.
#[derive(Clone)]
struct Context {
    topics: TopicNames,
    console: Console,
    runtime: Handle,
    stop: watch::Receiver<bool>,
    description: Arc<Mutex<Description>>,
}

impl Context {
    fn describe(&self) -> MutexGuard<'_, Description> {
        self.description
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the first record of `source` may be sent: what speedctl writes is sent only when it is
/// known to be good.
pub(crate) fn gate(source: &Source) -> Gate {
    match source {
        Source::Snapshot(_) => Gate::WhenSure,
        Source::Csv(_) | Source::Raw(_) => Gate::AtOnce,
    }
}

/// The speedctl command that a replay of `snapshot` would run first, quoted for a shell.
///
/// # Errors
/// [`Error::SpeedctlNotStarted`] when there is no speedctl.
pub(crate) fn command_line(snapshot: &Snapshot) -> String {
    snapshot::command_line(snapshot)
}

/// Starts to read `source` into `sender`. Must be called on a tokio runtime.
///
/// # Errors
/// [`Error::SpeedctlNotStarted`] when there is no speedctl; inputs are opened later.
pub(crate) fn start(
    source: Source,
    topics: TopicNames,
    console: Console,
    sender: Sender,
) -> Extraction {
    let (stop, stopped) = watch::channel(false);
    let (ended, when_ended) = oneshot::channel();
    let description = Arc::new(Mutex::new(Description::default()));
    let context = Context {
        topics,
        console,
        runtime: Handle::current(),
        stop: stopped,
        description: description.clone(),
    };
    thread::spawn(move || {
        let end = match read(source, &context, &sender) {
            Ok(()) | Err(Stop::Closed) => Ok(()),
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::NeedsRaw(why)) => Err(Error::Defect {
                what: format!("nothing reads raw after: {why}"),
            }),
        };
        sender.finish(end);
        // Nobody waits any more when the run has ended without this thread.
        _ = ended.send(());
    });
    Extraction {
        description,
        stop,
        ended: when_ended,
    }
}

fn read(source: Source, context: &Context, sender: &Sender) -> Result<(), Stop> {
    match source {
        Source::Raw(inputs) => read_raw(&inputs, context, sender),
        Source::Csv(input) => {
            let mut description = context.describe();
            description.of_one(input.name());
            description.total_bytes = open::total_size([&input]);
            drop(description);
            let opened = open::open(&input).map_err(Stop::Failed)?;
            csv::read(
                opened.reader,
                &input.name(),
                csv::OnLoss::Count,
                &context.topics,
                sender,
            )
        }
        Source::Snapshot(snapshot) => snapshot::read(&snapshot, context, sender),
    }
}

fn read_raw(inputs: &[Input], context: &Context, sender: &Sender) -> Result<(), Stop> {
    let files = files::find(inputs);
    let names: Arc<[String]> = files.found.iter().map(|found| found.input.name()).collect();
    let total_bytes = open::total_size(files.found.iter().map(|found| &found.input));
    let mut description = context.describe();
    description.inputs = inputs.iter().map(Input::name).collect();
    description.names = names.clone();
    description.total_bytes = total_bytes;
    drop(description);
    for folder in &files.empty {
        let folder = folder.display();
        context.console.note(&format!("no RRPairs in {folder}"));
    }
    rrpair::read(&files, &names, &profile::FETCH, &context.console, sender)
}

impl Extraction {
    /// What is known of the source by now.
    pub(crate) fn description(&self) -> Description {
        self.description
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Tells it to stop; speedctl is stopped with all that it started.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until it has ended. A read of stdin cannot be interrupted: bound this in time.
    pub(crate) async fn ended(&mut self) {
        // An error means that the thread has gone, which is an end as well.
        _ = (&mut self.ended).await;
    }
}
