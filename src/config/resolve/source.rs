//! Resolves what to replay: the inputs that are named, or a snapshot.

use std::path::PathBuf;

use crate::cli;
use crate::config::{Input, Inputs, Snapshot, SnapshotAction, Source, Uncertain, Via};
use crate::error::Error;

/// What a source is read for. This decides how to read a snapshot unless `--via` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadFor {
    Sending,
    Looking,
}

/// Paths, or one snapshot by its id.
pub(super) fn resolve_source(
    args: cli::SourceArguments,
    read_for: ReadFor,
) -> Result<Source, Error> {
    let cli::SourceArguments {
        sources,
        kind,
        speedctl,
    } = args;
    let id = |path: &PathBuf| Some(path.to_str()?.strip_prefix("snapshot:")?.to_string());
    let Some(id) = sources.iter().find_map(id) else {
        check_snapshot_flags(&speedctl)?;
        return Ok(Source::Inputs(Inputs {
            all: resolve_inputs(sources)?,
            forced: kind,
            uncertain: Uncertain::LeaveOut,
        }));
    };
    match (sources.len(), id.as_str()) {
        (_, "") => Err(Error::config(
            "`snapshot:` must be followed by the snapshot's id",
        )),
        (1, _) if kind.is_some() => Err(Error::Config {
            message: format!("`--as` cannot be used with `snapshot:{id}`"),
            hint: Some("use `--via` to choose how the snapshot is read".into()),
        }),
        (1, _) => Ok(Source::Snapshot(resolve_snapshot(id, read_for, speedctl))),
        _ => Err(Error::config(format!(
            "`snapshot:{id}` cannot be read together with other sources"
        ))),
    }
}

/// Applies `--send-unknown`, which makes sense only for record lines; the inputs show later what they are.
pub(super) fn send_unknown(source: &mut Source) -> Result<(), Error> {
    match source {
        Source::Inputs(inputs) => {
            inputs.uncertain = Uncertain::Send;
            Ok(())
        }
        Source::Snapshot(_) => Uncertain::Send.check(None),
    }
}

fn resolve_inputs(paths: Vec<PathBuf>) -> Result<Vec<Input>, Error> {
    let inputs: Vec<Input> = paths.into_iter().map(Input::from).collect();
    let stdin = inputs.iter().filter(|input| **input == Input::Stdin);
    match stdin.count() {
        0 | 1 => Ok(inputs),
        _ => Err(Error::config("`-` (stdin) can be read only once")),
    }
}

/// Refuses flags that make sense only for a snapshot. speedctl itself may be named even if it does not run:
/// its name may come from the environment.
fn check_snapshot_flags(speedctl: &cli::SpeedctlArguments) -> Result<(), Error> {
    let flag = match (speedctl.print_command, speedctl.via) {
        (true, _) => "--print-command",
        (false, Some(_)) => "--via",
        (false, None) => return Ok(()),
    };
    Err(Error::Config {
        message: format!("`{flag}` is for snapshots, but no source is a snapshot"),
        hint: Some("name a snapshot as `snapshot:<ID>`".into()),
    })
}

pub(super) fn resolve_snapshot(
    id: String,
    read_for: ReadFor,
    speedctl: cli::SpeedctlArguments,
) -> Snapshot {
    Snapshot {
        id,
        via: speedctl.via.unwrap_or(match read_for {
            ReadFor::Sending => Via::Auto,
            ReadFor::Looking => Via::Raw,
        }),
        speedctl: speedctl.speedctl,
        arguments: speedctl.speedctl_arg,
        timeout: speedctl.speedctl_timeout,
        action: match speedctl.print_command {
            true => SnapshotAction::PrintCommand,
            false => SnapshotAction::Replay,
        },
    }
}
