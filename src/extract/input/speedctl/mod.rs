//! speedctl as a child process. It is a closed program that may fail, hang, write without end or leave
//! children behind: it gets its own process group, its stderr is drained while its stdout is read, and every
//! wait for it has a limit. Its exit code alone does not show that its output is whole: one of its children
//! may still write.

mod pump;

use std::convert::Infallible;
use std::io;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub(in crate::extract) use self::pump::Until;
use self::pump::{ExitFailure, MOST_STDERR, Pump, Stderr, drain};
use super::encoding::open;
use crate::cluster::native::keep_descriptors;
use crate::config::Snapshot;
use crate::error::Error;
use crate::host::process::ChildProcess;
use crate::report::rendering::figures::whole_mib;

/// From this many bytes on, a value may be secret; a shorter one is part of many words.
const SHORTEST_HIDDEN: usize = 4;
/// How many chunks may wait for the reader; the rest stays in the pipe.
const WAITING_CHUNKS: usize = 4;

/// A speedctl command, ready to run.
#[derive(Debug, Clone)]
pub(in crate::extract) struct Speedctl {
    program: PathBuf,
    arguments: Vec<String>,
    /// How many of the last arguments are the user's own, which may be secret.
    own: usize,
    /// For messages: `extract data`, `pull snapshot`.
    action: &'static str,
    timeout: Duration,
}

impl Speedctl {
    /// `speedctl <action> ...` with the settings of `snapshot`.
    pub(in crate::extract) fn new(
        snapshot: &Snapshot,
        action: &'static str,
        arguments: Vec<String>,
    ) -> Self {
        let words = action.split(' ').map(String::from);
        let arguments = words
            .chain(arguments)
            .chain(snapshot.arguments.iter().cloned())
            .collect();
        let program = snapshot
            .speedctl
            .clone()
            .unwrap_or_else(|| "speedctl".into());
        Self {
            program,
            arguments,
            own: snapshot.arguments.len(),
            action,
            timeout: snapshot.timeout,
        }
    }

    /// The command quoted for a shell.
    pub(in crate::extract) fn command_line(&self) -> String {
        let program = self.program.to_string_lossy().into_owned();
        shell_words::join(std::iter::once(&program).chain(&self.arguments))
    }

    /// The same line without the values of the user's own arguments, for logs.
    pub(in crate::extract) fn shown_line(&self) -> String {
        let (ours, own) = self.arguments.split_at(self.arguments.len() - self.own);
        let program = self.program.to_string_lossy().into_owned();
        let shown = shell_words::join(std::iter::once(&program).chain(ours));
        own.iter().fold(shown, |shown, argument| {
            let hidden = match argument.split_once('=') {
                Some((name, _)) if name.starts_with('-') => format!("{name}=..."),
                None if argument.starts_with('-') => argument.clone(),
                _ => "...".into(),
            };
            format!("{shown} {hidden}")
        })
    }

    /// The values of the user's own arguments.
    fn own_values(&self) -> impl Iterator<Item = &str> {
        let own = self.arguments[self.arguments.len() - self.own..].iter();
        own.filter_map(|argument| match argument.split_once('=') {
            Some((name, value)) if name.starts_with('-') => Some(value),
            None if argument.starts_with('-') => None,
            _ => Some(argument.as_str()),
        })
    }

    /// The first path in the command, which heads the first column of the CSV.
    pub(in crate::extract) fn first_path(&self) -> Option<&str> {
        let flag = self
            .arguments
            .iter()
            .position(|argument| argument == "--path")?;
        self.arguments.get(flag + 1).map(String::as_str)
    }

    /// Starts speedctl. `stop` ends it, and what it started, at any time.
    ///
    /// # Errors
    /// Returns [`Error::SpeedctlNotStarted`] with the reason.
    pub(in crate::extract) fn start(
        &self,
        stop: watch::Receiver<bool>,
    ) -> Result<SpeedctlProcess, Error> {
        let not_started = |reason| Error::SpeedctlNotStarted {
            program: self.program.clone(),
            reason,
        };
        let program = find(&self.program).map_err(not_started)?;
        keep_descriptors();
        let child = ChildProcess::spawn(Command::new(program).args(&self.arguments));
        let (child, out, err) = child.map_err(|e| not_started(open::reason(&e)))?;
        let stderr = Arc::new(Mutex::new(Stderr::new()));
        let drained = tokio::spawn(drain(err, stderr.clone()));
        let (chunks, receiver) = mpsc::channel(WAITING_CHUNKS);
        let (until, stop_at) = oneshot::channel();
        let (enough, has_enough) = oneshot::channel();
        let pump = Pump {
            child,
            out,
            chunks,
            until: stop_at,
            enough: has_enough,
            drained,
            stderr: stderr.clone(),
            timeout: self.timeout,
            stop,
        };
        let ended = tokio::spawn(pump.run());
        Ok(SpeedctlProcess {
            output: SpeedctlOutput {
                chunks: receiver,
                chunk: Vec::new(),
                given: 0,
            },
            ended: Ended {
                pump: ended,
                until: Some(until),
                enough: Some(enough),
                action: self.action,
                stderr,
                hidden: self.own_values().map(String::from).collect(),
            },
        })
    }
}

/// A name is searched on PATH, a path is used as it is; the system says what is wrong with it.
fn find(program: &Path) -> Result<PathBuf, String> {
    if program.components().count() > 1 {
        return Ok(program.into());
    }
    which::which(program).map_err(|_| "it is not on PATH".into())
}

/// A speedctl that has been started.
pub(in crate::extract) struct SpeedctlProcess {
    /// What it writes to stdout.
    pub(in crate::extract) output: SpeedctlOutput,
    pub(in crate::extract) ended: Ended,
}

/// stdout as a blocking reader. Dropping it breaks speedctl's pipe.
pub(in crate::extract) struct SpeedctlOutput {
    chunks: mpsc::Receiver<Vec<u8>>,
    chunk: Vec<u8>,
    given: usize,
}

impl Read for SpeedctlOutput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.chunk.len() {
            let Some(chunk) = self.chunks.blocking_recv() else {
                return Ok(0);
            };
            (self.chunk, self.given) = (chunk, 0);
        }
        let n = buffer.len().min(self.chunk.len() - self.given);
        buffer[..n].copy_from_slice(&self.chunk[self.given..][..n]);
        self.given += n;
        Ok(n)
    }
}

/// How a speedctl ended.
pub(in crate::extract) struct Ended {
    pump: JoinHandle<Result<ExitStatus, ExitFailure>>,
    until: Option<oneshot::Sender<Until>>,
    /// Dropped when nothing more is needed.
    enough: Option<oneshot::Sender<Infallible>>,
    action: &'static str,
    stderr: Arc<Mutex<Stderr>>,
    /// What kreplay hides in its output.
    hidden: Vec<String>,
}

impl Ended {
    /// Waits for the end; call it once, after the output was read to its end or dropped.
    ///
    /// # Errors
    /// Returns [`Error::SpeedctlFailed`] with the end of stderr, unless speedctl exited with 0 and its
    /// output ended.
    pub(in crate::extract) async fn well(&mut self, until: Until) -> Result<(), Error> {
        if let Some(sender) = self.until.take() {
            // The pump has already ended if it does not wait for this message.
            _ = sender.send(until);
        }
        let ended = (&mut self.pump).await;
        let how = match ended {
            Ok(Ok(status)) if status.success() => return Ok(()),
            Ok(Ok(status)) => match status.code() {
                Some(code) => format!("exited with code {code}"),
                None => format!("was ended by {status}"),
            },
            Ok(Err(ExitFailure::Silent(_) | ExitFailure::HeldOpen(_))) if self.is_flooded() => {
                format!(
                    "wrote more than {} to stderr and was stopped",
                    whole_mib(MOST_STDERR)
                )
            }
            Ok(Err(ExitFailure::Stopped)) => "was stopped".into(),
            Ok(Err(ExitFailure::Silent(limit))) => format!(
                "wrote nothing for {} and was stopped (see --speedctl-timeout)",
                humantime::format_duration(limit)
            ),
            Ok(Err(ExitFailure::HeldOpen(limit))) => format!(
                "exited with code 0, but a process that it started keeps its output open and wrote \
                 nothing for {}: what it extracts may be incomplete (see --speedctl-timeout)",
                humantime::format_duration(limit)
            ),
            Ok(Err(ExitFailure::Wait(e))) => format!("has an unknown exit status: {e}"),
            Err(e) => {
                return Err(Error::Defect {
                    what: format!("the task that watches speedctl ended: {e}"),
                });
            }
        };
        Err(self.failed(how))
    }

    /// Stops speedctl and what it started, because nothing more is needed. How it ends does not matter.
    pub(in crate::extract) async fn left(&mut self) {
        drop(self.enough.take());
        _ = (&mut self.pump).await;
    }

    fn is_flooded(&self) -> bool {
        let stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        stderr.is_flood()
    }

    /// An error about this run of speedctl.
    pub(in crate::extract) fn failed(&self, how: String) -> Error {
        Error::SpeedctlFailed {
            action: self.action,
            how,
            stderr: self.shown_stderr(),
        }
    }

    /// The end of stderr without the values that the user gave: speedctl may repeat its arguments.
    fn shown_stderr(&self) -> String {
        let values = self
            .hidden
            .iter()
            .filter(|value| value.len() >= SHORTEST_HIDDEN);
        values.fold(self.stderr_tail(), |text, value| text.replace(value, "..."))
    }

    /// The end of what it wrote to stderr.
    pub(in crate::extract) fn stderr_tail(&self) -> String {
        self.stderr
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .text()
    }
}
