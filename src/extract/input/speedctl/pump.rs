//! Carries the output of a running speedctl to its reader, keeps the end of its stderr, and ends it when it
//! is silent for too long.

use std::convert::Infallible;
use std::io;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::process::{ChildStderr, ChildStdout};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep_until, timeout};

use crate::host::process::{ChildEnding, ChildProcess};

/// How much of the end of stderr is kept for an error message.
pub(super) const STDERR_TAIL: usize = 4096;

/// The most bytes that speedctl may write to stderr: notes for people and hours of a progress bar take less.
pub(super) const MOST_STDERR: u64 = 64 << 20;

/// How often kreplay checks this limit.
pub(super) const FLOOD_STEP: Duration = Duration::from_millis(200);

/// Bytes read from stdout at once.
pub(super) const CHUNK: usize = 64 << 10;

/// How long to wait for the output of a speedctl that has failed: one of its children may hold it open.
pub(super) const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// What has to end before a speedctl that exited with 0 counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum Until {
    /// stdout, which held the result.
    StdoutEnds,
    /// stderr as well: the result is in a file, and a process that holds stderr may still write to it.
    AllOutputEnds,
}

/// Why there is no exit status to judge by.
#[derive(Debug)]
pub(super) enum ExitFailure {
    Stopped,
    Silent(Duration),
    /// It exited with 0; what it started holds the output open and writes nothing.
    HeldOpen(Duration),
    Wait(io::Error),
}

/// The end of stderr, and when something last came.
pub(super) struct Stderr {
    tail: Vec<u8>,
    /// The number of bytes that came.
    total: u64,
    last: Instant,
}

impl Stderr {
    pub(super) fn new() -> Self {
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

    pub(super) fn is_flood(&self) -> bool {
        self.total > MOST_STDERR
    }

    pub(super) fn text(&self) -> String {
        const MOST_LINES: usize = 8;
        let text = String::from_utf8_lossy(&self.tail);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        lines[lines.len().saturating_sub(MOST_LINES)..].join("\n")
    }
}

pub(super) async fn drain(mut err: ChildStderr, stderr: Arc<Mutex<Stderr>>) {
    let mut buffer = vec![0; 8 << 10];
    while let Ok(n @ 1..) = err.read(&mut buffer).await {
        stderr
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(&buffer[..n]);
    }
}

/// Carries stdout to the reader and watches over the child.
pub(super) struct Pump {
    pub(super) child: ChildProcess,
    pub(super) out: ChildStdout,
    pub(super) chunks: mpsc::Sender<Vec<u8>>,
    /// What the reader makes the end depend on, once it has seen the end of stdout.
    pub(super) until: oneshot::Receiver<Until>,
    pub(super) enough: oneshot::Receiver<Infallible>,
    /// Ends with stderr.
    pub(super) drained: JoinHandle<()>,
    pub(super) stderr: Arc<Mutex<Stderr>>,
    pub(super) timeout: Duration,
    pub(super) stop: watch::Receiver<bool>,
}

impl Pump {
    pub(super) async fn run(mut self) -> Result<ExitStatus, ExitFailure> {
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
        // Its last words may still be in the pipe, which a process in another group may hold open.
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
        // A reader that has gone without a word needs nothing more.
        let until = (&mut self.until).await.unwrap_or(Until::StdoutEnds);
        if status.success() && until == Until::AllOutputEnds && !self.drained.is_finished() {
            tokio::select! {
                _ = &mut self.drained => {}
                () = silence(&self.stderr, self.timeout) => return Err(ExitFailure::HeldOpen(self.timeout)),
            }
        }
        Ok(status)
    }

    /// Carries stdout to its end, and returns the exit status if that came first.
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
                // The reader has gone and needs no more.
                return Err(ExitFailure::Stopped);
            }
            self.stderr
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .last = Instant::now();
        }
    }
}

/// Returns when nothing has come for `limit`, or when more has come on stderr than any useful message needs.
pub(super) async fn silence(stderr: &Mutex<Stderr>, limit: Duration) {
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
