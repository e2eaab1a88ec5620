//! What to replay: inputs, or a snapshot that speedctl fetches.

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use crate::cli::{InputKind, Via};
use crate::error::Error;

/// What to replay.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// Files, folders and stdin.
    Inputs(Inputs),
    /// A snapshot that speedctl extracts.
    Snapshot(Snapshot),
}

impl Source {
    /// Whether to only print a command.
    pub(crate) fn prints_command(&self) -> bool {
        match self {
            Self::Inputs(_) => false,
            Self::Snapshot(snapshot) => snapshot.action == SnapshotAction::PrintCommand,
        }
    }

    /// What a report calls the source before it is read; `None` if only its content can show that.
    pub(crate) fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Inputs(inputs) => inputs.forced.map(InputKind::reported),
            Self::Snapshot(_) => Some("snapshot"),
        }
    }
}

/// Files, folders and stdin, all of one kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inputs {
    /// They are read in this order.
    pub all: Vec<Input>,
    /// The kind that the user says they are; `None` lets the content decide.
    pub forced: Option<InputKind>,
    /// What to do with records whose delivery an earlier run calls unknown.
    pub uncertain: Uncertain,
}

impl InputKind {
    /// What a report and a journal call the kind.
    pub(crate) fn reported(self) -> &'static str {
        match self {
            Self::RrPairs => "rrpairs",
            Self::Csv => "csv",
            Self::Records => crate::report::SourceReport::RECORDS,
        }
    }

    /// The kind with its article.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RrPairs => "RRPairs",
            Self::Csv => "a CSV of speedctl",
            Self::Records => "record lines",
        }
    }
}

/// What to do with records whose delivery an earlier run calls unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Uncertain {
    #[default]
    /// Count them as filtered.
    LeaveOut,
    /// Send them, although they may then be in the log twice.
    Send,
}

impl Uncertain {
    /// Checks that `--send-unknown` is used with record lines; `kind` is `None` for a snapshot.
    ///
    /// # Errors
    /// Returns [`Error::Config`] for any other kind.
    pub(crate) fn check(self, kind: Option<InputKind>) -> Result<(), Error> {
        let source = match (self, kind) {
            (Self::LeaveOut, _) | (Self::Send, Some(InputKind::Records)) => return Ok(()),
            (Self::Send, Some(kind)) => kind.name(),
            (Self::Send, None) => "a snapshot",
        };
        Err(Error::Config {
            message: format!("`--send-unknown` is for record lines, but the source is {source}"),
            hint: Some(
                "the records of which an earlier run is unsure are in its rejects file".into(),
            ),
        })
    }
}

/// One input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// Standard input.
    Stdin,
    /// A file, or a folder of RRPairs.
    File(PathBuf),
}

impl Input {
    /// The name by which reports and errors call it.
    #[must_use]
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "stdin".into(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

impl From<PathBuf> for Input {
    fn from(path: PathBuf) -> Self {
        if path.as_os_str() == "-" {
            Self::Stdin
        } else {
            Self::File(path)
        }
    }
}

/// A snapshot and the speedctl that fetches it.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    /// The snapshot's id.
    pub id: String,
    /// How to read it.
    pub via: Via,
    /// The speedctl to run; `None` is the one on PATH.
    pub speedctl: Option<PathBuf>,
    /// More arguments for it.
    pub arguments: Vec<String>,
    /// How long it may be silent before it counts as hung.
    pub timeout: Duration,
    /// Whether to run the command, or only print it.
    pub action: SnapshotAction,
}

/// What to do with the speedctl command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SnapshotAction {
    /// Run it and replay.
    Replay,
    /// Print it and stop.
    PrintCommand,
}
