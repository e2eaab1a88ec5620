//! speedctl as a child process. It is a closed program that may fail, hang, write without end or
//! leave children of its own behind: it gets a process group of its own, its stderr is drained
//! while its stdout is read, and it is never waited for without a limit. Its exit code alone does
//! not say that its output is whole: a child of its own may still write.

use std::convert::Infallible;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::process::{ChildStderr, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep_until, timeout};

use super::encoding::open;
use crate::cluster::native::keep_descriptors;
use crate::config::Snapshot;
use crate::error::Error;
use crate::host::process::{ChildEnding, ChildProcess};
use crate::report::rendering::figures::whole_mib;

/// How much of the end of stderr is kept for an error message.
const STDERR_TAIL: usize = 4096;
/// Bytes from which on a value counts as one that may be secret; a shorter one is part of many words.
const SHORTEST_HIDDEN: usize = 4;
/// What it may write to stderr: notes for people and a progress bar for hours are less.
const MOST_STDERR: u64 = 64 << 20;
/// How often that is looked at.
const FLOOD_STEP: Duration = Duration::from_millis(200);
/// Bytes read from stdout at once.
const CHUNK: usize = 64 << 10;
/// Chunks that may wait for the reader; what is beyond stays in the pipe.
const WAITING_CHUNKS: usize = 4;
/// How long the output of a speedctl that has failed is waited for: a child of its own may hold it open.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// What has to have ended before a speedctl that exited with 0 counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum Until {
    /// stdout, which held the result.
    StdoutEnds,
    /// stderr as well: the result is in a file, and whoever holds stderr may still write to it.
    AllOutputEnds,
}

/// A speedctl command, ready to run.
#[derive(Debug, Clone)]
pub(in crate::extract) struct Speedctl {
    program: PathBuf,
    arguments: Vec<String>,
    /// How many of the last arguments are the user's own, which may hold secrets.
    own: usize,
    /// For messages: `extract data`, `pull snapshot`.
    action: &'static str,
    timeout: Duration,
}

impl Speedctl {
    /// `speedctl <action> ...` as `snapshot` wants it run.
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

    /// The same, without the values of the user's own arguments: for what is kept in logs.
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

    /// The first path that it is asked for, which heads the CSV's first column.
    pub(in crate::extract) fn first_path(&self) -> Option<&str> {
        let flag = self
            .arguments
            .iter()
            .position(|argument| argument == "--path")?;
        self.arguments.get(flag + 1).map(String::as_str)
    }

    /// Starts it. `stop` ends it, and what it started, at any time.
    ///
    /// # Errors
    /// [`Error::SpeedctlNotStarted`] with the reason.
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

/// A name is looked for on PATH, a path is taken as it is; the system says what is wrong with it.
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

/// stdout as a blocking reader. Dropping it makes speedctl's pipe break.
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
    /// Dropped when nothing more is wanted.
    enough: Option<oneshot::Sender<Infallible>>,
    action: &'static str,
    stderr: Arc<Mutex<Stderr>>,
    /// What is not shown of what it says.
    hidden: Vec<String>,
}

/// Why there is no exit status to judge by.
#[derive(Debug)]
enum ExitFailure {
    Stopped,
    Silent(Duration),
    /// It exited with 0; what it started holds the output open and writes nothing.
    HeldOpen(Duration),
    Wait(io::Error),
}

impl Ended {
    /// Waits for the end; call it once, after the output was read to its end or dropped.
    ///
    /// # Errors
    /// [`Error::SpeedctlFailed`] with the end of stderr, unless it exited with 0 and its output ended.
    pub(in crate::extract) async fn well(&mut self, until: Until) -> Result<(), Error> {
        if let Some(tell) = self.until.take() {
            // The pump has ended already where it waits for no word.
            _ = tell.send(until);
        }
        let ended = (&mut self.pump).await;
        let how = match ended {
            Ok(Ok(status)) if status.success() => return Ok(()),
            Ok(Ok(status)) => match status.code() {
                Some(code) => format!("exited with code {code}"),
                None => format!("was ended by a {status}"),
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
                "exited with code 0, but a process that it started holds its output open and wrote \
                 nothing for {}: what it extracts may be incomplete (see --speedctl-timeout)",
                humantime::format_duration(limit)
            ),
            Ok(Err(ExitFailure::Wait(e))) => format!("could not be waited for: {e}"),
            Err(e) => {
                return Err(Error::Defect {
                    what: format!("the task that watches speedctl ended: {e}"),
                });
            }
        };
        Err(self.failed(how))
    }

    /// Stops it, and what it started: nothing more is wanted of it. How it ends does not matter.
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

    /// The same without the values that the user gave it: it may repeat its arguments.
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

/// The end of stderr, and when something last came.
struct Stderr {
    tail: Vec<u8>,
    /// Bytes that came in all.
    total: u64,
    last: Instant,
}

impl Stderr {
    fn new() -> Self {
        Self {
            tail: Vec::new(),
            total: 0,
            last: Instant::now(),
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.last = Instant::now();
        self.total += bytes.len() as u64;
        self.tail.extend_from_slice(bytes);
        let surplus = self.tail.len().saturating_sub(STDERR_TAIL);
        self.tail.drain(..surplus);
    }

    fn is_flood(&self) -> bool {
        self.total > MOST_STDERR
    }

    fn text(&self) -> String {
        const MOST_LINES: usize = 8;
        let text = String::from_utf8_lossy(&self.tail);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        lines[lines.len().saturating_sub(MOST_LINES)..].join("\n")
    }
}

async fn drain(mut err: ChildStderr, stderr: Arc<Mutex<Stderr>>) {
    let mut buffer = vec![0; 8 << 10];
    while let Ok(n @ 1..) = err.read(&mut buffer).await {
        stderr
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(&buffer[..n]);
    }
}

/// Carries stdout to the reader and watches over the child.
struct Pump {
    child: ChildProcess,
    out: ChildStdout,
    chunks: mpsc::Sender<Vec<u8>>,
    /// What the reader makes the end depend on, once it has seen the end of stdout.
    until: oneshot::Receiver<Until>,
    enough: oneshot::Receiver<Infallible>,
    /// Ends with stderr.
    drained: JoinHandle<()>,
    stderr: Arc<Mutex<Stderr>>,
    timeout: Duration,
    stop: watch::Receiver<bool>,
}

impl Pump {
    async fn run(mut self) -> Result<ExitStatus, ExitFailure> {
        let mut stop = self.stop.clone();
        let stopped = async move {
            // The sender is dropped only when the whole run has ended.
            _ = stop.wait_for(|stop| *stop).await;
        };
        let (_, never) = oneshot::channel();
        let enough = std::mem::replace(&mut self.enough, never);
        let result = tokio::select! {
            result = self.read_to_end() => result,
            () = stopped => Err(ExitFailure::Stopped),
            _ = enough => Err(ExitFailure::Stopped),
        };
        let ending = match &result {
            Ok(_) => ChildEnding::AtOnce,
            Err(_) => ChildEnding::Asked,
        };
        self.child.end(ending).await;
        // Its last words may still be in the pipe, which a process of another group may hold open.
        if !self.drained.is_finished() {
            _ = timeout(AFTER_FAILURE, &mut self.drained).await;
        }
        result
    }

    async fn read_to_end(&mut self) -> Result<ExitStatus, ExitFailure> {
        let exited = self.carry().await?;
        let (closed, _) = mpsc::channel(1);
        self.chunks = closed;
        let status = match exited {
            Some(status) => status,
            None => tokio::select! {
                status = self.child.wait() => status.map_err(ExitFailure::Wait)?,
                () = silence(&self.stderr, self.timeout) => return Err(ExitFailure::Silent(self.timeout)),
            },
        };
        // A reader that has gone without a word wants nothing more.
        let until = (&mut self.until).await.unwrap_or(Until::StdoutEnds);
        if status.success() && until == Until::AllOutputEnds && !self.drained.is_finished() {
            tokio::select! {
                _ = &mut self.drained => {}
                () = silence(&self.stderr, self.timeout) => return Err(ExitFailure::HeldOpen(self.timeout)),
            }
        }
        Ok(status)
    }

    /// Carries stdout to its end, and returns the exit status when that came first.
    async fn carry(&mut self) -> Result<Option<ExitStatus>, ExitFailure> {
        let mut exited: Option<ExitStatus> = None;
        loop {
            let has_failed = exited.is_some_and(|status| !status.success());
            let mut chunk = vec![0; CHUNK];
            let n = tokio::select! {
                read = self.out.read(&mut chunk) => read.unwrap_or(0),
                status = self.child.wait(), if exited.is_none() => {
                    exited = Some(status.map_err(ExitFailure::Wait)?);
                    continue;
                }
                () = tokio::time::sleep(AFTER_FAILURE), if has_failed => 0,
                () = silence(&self.stderr, self.timeout) => {
                    return Err(match exited {
                        Some(_) => ExitFailure::HeldOpen(self.timeout),
                        None => ExitFailure::Silent(self.timeout),
                    });
                }
            };
            chunk.truncate(n);
            if n == 0 {
                return Ok(exited);
            }
            if self.chunks.send(chunk).await.is_err() {
                // The reader has gone and wants no more.
                return Err(ExitFailure::Stopped);
            }
            self.stderr
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .last = Instant::now();
        }
    }
}

/// Returns when nothing has come for `limit`, or more has come on stderr than anybody means to say.
async fn silence(stderr: &Mutex<Stderr>, limit: Duration) {
    loop {
        let (last, is_flood) = {
            let stderr = stderr.lock().unwrap_or_else(PoisonError::into_inner);
            (stderr.last, stderr.is_flood())
        };
        if is_flood || last.elapsed() >= limit {
            return;
        }
        let next = (last + limit).min(Instant::now() + FLOOD_STEP);
        sleep_until(next.into()).await;
    }
}
