//! Turns input into records. `source/` has a file for each kind of input, `csv/` the CSV of `speedctl extract
//! data`; both open and recognise what they read through `input/`. `profile/` says where the records are in
//! an RRPair, `rrpair/` finds them, `keep/` decides which of them are replayed, and `census/` collects what
//! `inspect` shows.
//!
//! ```text
//! bytes -> input/ -> rrpair/ <- profile/ -> keep/ -> keep/sink.rs -> channel       RRPairs
//! bytes -> input/ -> csv/    <- profile/ ----------> keep/sink.rs -> channel       a CSV
//! bytes -> input/ -> source/records.rs ------------> keep/sink.rs -> channel       record lines
//! ```

mod census;
mod context;
mod csv;
mod input;
mod keep;
mod profile;
mod rrpair;
mod source;

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

pub(crate) use self::census::Census;
pub(crate) use self::context::{Description, Purpose};
use self::context::{ExtractionContext, InputFailures, ReadStop};
use self::csv::rows::OnLoss;
use self::input::encoding::opener::Opener;
use self::keep::deduplicator::Deduplicator;
use self::keep::sink::Outlet;
pub(crate) use self::profile::built_in_text;
pub(crate) use self::profile::path::{Path, PathStep, jsonpath_text};
pub(crate) use self::source::check::{check, kind};
pub(crate) use self::source::expecting::{ExpectedBatch, Expecting, written};
pub(crate) use self::source::trial::try_input;

use crate::config::{
    Extraction as Options, Input, InputKind, Inputs, Snapshot, Source, TopicNames,
};
use crate::error::Error;
use crate::host::console::Console;
use crate::record::Origin;
use crate::record::channel::{Gate, Sender};
use crate::report::place;

/// Extraction that runs on its own thread.
pub(crate) struct ExtractionThread {
    description: Arc<Mutex<Description>>,
    stop: watch::Sender<bool>,
    ended: oneshot::Receiver<()>,
}

/// When the first record of `source` may be sent: what speedctl writes is sent only when it is known to be
/// good.
pub(crate) fn gate(source: &Source) -> Gate {
    match source {
        Source::Snapshot(_) => Gate::WhenSure,
        Source::Inputs(_) => Gate::WhenKnown,
    }
}

/// The speedctl command that a replay of `snapshot` would run first, quoted for a shell.
///
/// # Errors
/// Returns [`Error::Config`] for paths and filters that do not parse.
pub(crate) fn command_line(snapshot: &Snapshot, options: &Options) -> Result<String, Error> {
    source::snapshot::command_line(snapshot, options)
}

/// The files in `folders` that are read.
pub(crate) fn files_in(folders: &[PathBuf]) -> Vec<PathBuf> {
    let folders: Vec<Input> = folders.iter().cloned().map(Input::File).collect();
    let found = input::files::find(&folders).found.into_iter();
    let paths = found.map(|found| match found.input {
        Input::File(path) => Some(path),
        Input::Stdin => None,
    });
    paths.flatten().collect()
}

/// The file in which `speedctl pull snapshot` leaves a snapshot.
pub(crate) fn pulled(id: &str) -> Option<PathBuf> {
    source::snapshot::pulled(id)
}

/// What is read in addition to the records.
#[derive(Default)]
pub(crate) struct Aside {
    /// Filled with counts; only for RRPairs.
    pub(crate) census: Census,
    /// Receives what the application wrote.
    pub(crate) expecting: Option<Expecting>,
}

/// Starts to read `source` into `sender`, together with what `aside` asks for. Must be called on a tokio
/// runtime.
///
/// # Errors
/// Returns [`Error::SpeedctlNotStarted`] if there is no speedctl. Inputs are opened later.
pub(crate) fn start(
    source: Source,
    options: Options,
    (topics, purpose): (TopicNames, Purpose),
    console: Console,
    sender: Sender,
    aside: Aside,
) -> ExtractionThread {
    let (stop, stopped) = watch::channel(false);
    let (ended, when_ended) = oneshot::channel();
    let description = Arc::new(Mutex::new(Description::default()));
    let context = ExtractionContext {
        options,
        census: aside.census,
        expecting: aside.expecting,
        topics,
        purpose,
        console,
        runtime: Handle::current(),
        stop: stopped,
        description: description.clone(),
    };
    thread::spawn(move || {
        let outlet = Outlet::new(sender, &context.options.selection);
        let end = read(source, &context, &outlet);
        outlet.finish(end);
        // Nobody waits any more if the run has ended without this thread.
        _ = ended.send(());
    });
    ExtractionThread {
        description,
        stop,
        ended: when_ended,
    }
}

fn read(source: Source, context: &ExtractionContext, sender: &Outlet) -> Result<(), ReadStop> {
    match source {
        Source::Inputs(inputs) => read_inputs(&inputs, context, sender),
        Source::Snapshot(snapshot) => source::snapshot::read(&snapshot, context, sender),
    }
}

/// Reads inputs as what they are, or as what the user says they are.
fn read_inputs(
    inputs: &Inputs,
    context: &ExtractionContext,
    sender: &Outlet,
) -> Result<(), ReadStop> {
    context.describe_inputs(&inputs.all);
    let opener = Opener::of(inputs, context).map_err(ReadStop::Failed)?;
    let kind = opener.kind();
    source::check::check_found(kind, inputs, context).map_err(ReadStop::Failed)?;
    if let Some(expecting) = &context.expecting {
        expecting.check_kind(kind).map_err(ReadStop::Failed)?;
    }
    context.describe().kind = Some(kind.reported());
    let all = &inputs.all;
    match kind {
        InputKind::RrPairs => source::rrpairs::read_inputs(all, opener, context, sender),
        InputKind::Csv => read_csvs(all, opener, context, sender),
        InputKind::Records => {
            let (uncertain, given) = (inputs.uncertain, &context.options.topic_ids);
            source::records::read(all, opener, uncertain, given, &context.console, sender)
        }
    }
}

/// Reads CSVs one after another, each under its own header; one damaged CSV does not keep the others
/// from being read.
fn read_csvs(
    inputs: &[Input],
    mut opener: Opener,
    context: &ExtractionContext,
    sender: &Outlet,
) -> Result<(), ReadStop> {
    let deduplicator = RefCell::new(Deduplicator::new(&context.options));
    let topics = context.topics_of_rows();
    let mut failures = InputFailures::new(&context.console);
    for (number, input) in (0..).zip(inputs) {
        let opened = opener.open(input).map_err(ReadStop::Failed);
        let end = opened.and_then(|opened| {
            if opened.is_empty {
                return Ok(());
            }
            let source = csv::CsvSource {
                bytes: opened.reader,
                name: &input.name(),
                input: number,
                options: &context.options,
                topics: &topics,
                on_loss: OnLoss::Count,
                deduplicator: &deduplicator,
            };
            csv::read(source, sender)
        });
        failures.take(end)?;
    }
    csv::finish(&deduplicator, sender)?;
    failures.finish()
}

impl ExtractionThread {
    /// What is known about the source so far.
    pub(crate) fn description(&self) -> Description {
        self.description
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns a function that names places by what is known about the source when it is called.
    pub(crate) fn input_names(&self) -> impl Fn(Origin) -> String + Send + 'static {
        let description = self.description.clone();
        move |origin| {
            let known = description.lock().unwrap_or_else(PoisonError::into_inner);
            place(&known.names, origin)
        }
    }

    /// Makes the reading stop; speedctl stops with everything that it started.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until the reading has ended. A read of stdin cannot be interrupted: limit the time of this call.
    pub(crate) async fn ended(&mut self) {
        // An error means that the thread has gone, which is an end as well.
        _ = (&mut self.ended).await;
    }
}
