//! Reads a snapshot that speedctl has pulled as RRPairs.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use super::command::{check_id, pull_snapshot, start};
use super::csv::MOST_SAID;
use crate::config::{Input, InputKind, Inputs, Snapshot};
use crate::extract::context::{ExtractionContext, ReadStop};
use crate::extract::input::encoding::opener::Opener;
use crate::extract::input::speedctl::{SpeedctlProcess, Until};
use crate::extract::keep::sink::Outlet;
use crate::report::rendering::figures::whole_mib;

/// Where speedctl puts a pulled snapshot, as its documentation says.
pub(in crate::extract) fn pulled(id: &str) -> Option<PathBuf> {
    check_id(id).ok()?;
    let snapshots = std::env::home_dir()?.join(".speedscale/data/snapshots");
    Some(snapshots.join(id).join("raw.jsonl"))
}

pub(super) fn read_pulled(
    snapshot: &Snapshot,
    context: &ExtractionContext,
    sender: &Outlet,
) -> Result<(), ReadStop> {
    let pull = pull_snapshot(snapshot);
    let mut description = context.describe();
    description.of_one(format!("snapshot {}", snapshot.id));
    description.via = Some("raw");
    drop(description);
    let SpeedctlProcess {
        mut output,
        mut ended,
    } = start(&pull, context)?;
    let started = SystemTime::now();
    // The text is for people; kreplay reads it so that speedctl does not wait for its reader.
    let written = io::copy(&mut (&mut output).take(MOST_SAID), &mut io::sink());
    drop(output);
    if matches!(written, Ok(MOST_SAID)) {
        // kreplay ended it because of that, which is not why it failed.
        _ = context.runtime.block_on(ended.well(Until::StdoutEnds));
        let how = format!(
            "wrote more than {} to stdout and was stopped",
            whole_mib(MOST_SAID)
        );
        return Err(ReadStop::Failed(ended.failed(how)));
    }
    context
        .runtime
        .block_on(ended.well(Until::AllOutputEnds))
        .map_err(ReadStop::Failed)?;
    let Some(path) = pulled(&snapshot.id) else {
        return Err(ReadStop::Failed(
            ended.failed("has no home directory to write to".into()),
        ));
    };
    if !path.is_file() {
        let how = format!("succeeded but wrote no {}", path.display());
        return Err(ReadStop::Failed(ended.failed(how)));
    }
    if let Some(age) = age_at(&path, started) {
        let (path, age) = (path.display(), humantime::format_duration(age));
        let note =
            format!("speedctl did not change {path}, written {age} before; replaying that file");
        context.console.note(&note);
    }
    let inputs = Inputs {
        all: vec![Input::File(path)],
        forced: Some(InputKind::RrPairs),
        ..Inputs::default()
    };
    let opener = Opener::of(&inputs, context).map_err(ReadStop::Failed)?;
    crate::extract::source::rrpairs::read_inputs(&inputs.all, opener, context, sender)
}

/// How much older than `started` a file is, in whole seconds; `None` if it is newer.
pub(super) fn age_at(path: &Path, started: SystemTime) -> Option<Duration> {
    let written = fs::metadata(path).ok()?.modified().ok()?;
    let age = started.duration_since(written).ok()?.as_secs();
    (age > 1).then(|| Duration::from_secs(age))
}
