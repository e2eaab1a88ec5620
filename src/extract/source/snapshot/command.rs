//! The speedctl commands for a snapshot.

use crate::config::{Extraction, Snapshot};
use crate::error::Error;
use crate::extract::context::{ExtractionContext, ReadStop};
use crate::extract::csv::columns::generated_paths;
use crate::extract::csv::rows::engine;
use crate::extract::input::speedctl::{Speedctl, SpeedctlProcess};
use crate::extract::profile::Profile;
use crate::host::visible::{shortened, visible};

/// The most bytes of a snapshot's id, which becomes the name of a folder (NAME_MAX of Linux).
pub(super) const LONGEST_ID: usize = 255;

/// Refuses what cannot be a snapshot's id. An id is both an argument of speedctl, which would take `-x`
/// for an option, and the name of a folder among those of other snapshots.
///
/// # Errors
/// Returns [`Error::Config`] for such an id.
pub(super) fn check_id(id: &str) -> Result<(), Error> {
    let why = match id {
        "" => "it is empty",
        id if id.starts_with('-') => "it begins with `-`",
        id if id.contains(['/', '\\']) => "it holds a slash",
        "." => "it is the folder of all snapshots",
        id if id.contains("..") => "it holds `..`",
        id if id.contains(|c: char| c.is_whitespace() || c.is_control()) => "it holds a blank",
        id if id.len() > LONGEST_ID => "it is longer than 255 bytes",
        _ => return Ok(()),
    };
    let shown = shortened(id, LONGEST_ID);
    Err(Error::Config {
        message: format!("`{}` is not the id of a snapshot: {why}", visible(&shown)),
        hint: Some("an id looks like 6f1f7c3e-3b1a-4a55-8f0e-2d5c1f8a9b7d".into()),
    })
}

pub(super) fn extract_data(snapshot: &Snapshot, options: &Extraction) -> Result<Speedctl, Error> {
    let mut arguments = vec![snapshot.id.clone()];
    for path in generated_paths(&engine(options)?) {
        arguments.extend(["--path".into(), path]);
    }
    arguments.extend(["--filter".into(), Profile::chosen(options)?.filter]);
    Ok(Speedctl::new(snapshot, "extract data", arguments))
}

pub(super) fn pull_snapshot(snapshot: &Snapshot) -> Speedctl {
    Speedctl::new(snapshot, "pull snapshot", vec![snapshot.id.clone()])
}

pub(super) fn start(
    speedctl: &Speedctl,
    context: &ExtractionContext,
) -> Result<SpeedctlProcess, ReadStop> {
    context
        .console
        .verbose(&format!("running {}", speedctl.shown_line()));
    let _runtime = context.runtime.enter();
    speedctl
        .start(context.stop.clone())
        .map_err(ReadStop::Failed)
}
