//! A kreplay that runs: a test can watch it, signal it and wait for it; it is killed when it overstays.
//!
//! Most tests want only the end of a run and never use this; `mod.rs` prepares the runs.

use std::cell::Cell;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::RunOutput;
use super::guard::Guard;

/// How long output may stay open after kreplay's end before that counts as a process left behind.
const GRACE: Duration = Duration::from_secs(5);

/// How often a wait looks again.
const TICK: Duration = Duration::from_millis(2);

/// A run that has begun; dropping it kills its process group.
pub(crate) struct Running {
    pub(super) child: Child,
    /// Open only when the test asked for that.
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: PipeContents,
    pub(super) stderr: PipeContents,
    pub(super) started: Instant,
    pub(super) deadline: Instant,
    pub(super) status: Option<ExitStatus>,
    /// Whether a signal has asked it to end: then the test is about that, and not about the end of stdin.
    pub(super) signalled: Cell<bool>,
    /// Released after `drop` below has run.
    pub(super) guard: Guard,
    /// The working directory unless the test gave one; removed when the run is over.
    pub(super) home: TempDir,
}

impl Running {
    /// The process id of kreplay, which is also its process group.
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("process ids fit in pid_t")
    }

    /// Sends a signal to kreplay alone, as `kill PID` does; nothing happens once it has been reaped.
    pub(crate) fn signal(&self, signal: Signal) {
        self.note(signal);
        if self.status.is_none() {
            kill(Pid::from_raw(self.pid()), signal).expect("the child is not reaped yet");
        }
    }

    /// Sends a signal to kreplay and its children, as Ctrl-C in a terminal does.
    pub(crate) fn signal_group(&self, signal: Signal) {
        self.note(signal);
        if self.status.is_none() {
            killpg(Pid::from_raw(self.pid()), signal).expect("the child is not reaped yet");
        }
    }

    fn note(&self, signal: Signal) {
        let pauses = [Signal::SIGSTOP, Signal::SIGCONT];
        self.signalled
            .set(self.signalled.get() || !pauses.contains(&signal));
    }

    /// Writes to an open stdin; kreplay may have closed it, which is not an error.
    pub(crate) fn write_stdin(&mut self, bytes: &[u8]) {
        let pipe = self
            .stdin
            .as_mut()
            .expect("the test asked for an open stdin");
        pipe.write_all(bytes).and_then(|()| pipe.flush()).ok();
    }

    /// Closes an open stdin.
    pub(crate) fn close_stdin(&mut self) {
        drop(self.stdin.take());
    }

    /// Hands over an open stdin, for a thread that writes to it while the test does something else.
    pub(crate) fn take_stdin(&mut self) -> ChildStdin {
        self.stdin.take().expect("the test asked for an open stdin")
    }

    /// The most memory that kreplay has had so far, in bytes (`VmHWM` of proc(5)); 0 once it has ended.
    pub(crate) fn peak_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.pid());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.map_or(0, |kib| kib.parse::<u64>().expect("a number of KiB") << 10)
    }

    /// What stdout has carried so far.
    pub(crate) fn stdout_so_far(&self) -> String {
        String::from_utf8_lossy(&self.stdout.bytes()).into_owned()
    }

    /// What stderr has carried so far.
    pub(crate) fn stderr_so_far(&self) -> String {
        String::from_utf8_lossy(&self.stderr.bytes()).into_owned()
    }

    /// Waits until a condition holds, such as a line on stderr or records in a topic.
    ///
    /// # Panics
    /// Panics if kreplay ends or the run's limit passes before it holds.
    pub(crate) fn wait_until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        while !holds(self) {
            if self.has_ended() {
                // What it did last may have made the condition true.
                assert!(
                    holds(self),
                    "kreplay ended before {what}\n{}",
                    self.describe()
                );
                return;
            }
            self.check_limit(what);
            thread::sleep(TICK);
        }
    }

    /// Whether kreplay has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        if self.status.is_none() {
            self.status = self
                .child
                .try_wait()
                .expect("the child is ours to wait for");
        }
        self.status.is_some()
    }

    /// Waits for the end, closing stdin first unless a signal has asked it to end.
    ///
    /// # Panics
    /// Panics if the run's limit passes, if kreplay leaves a process behind that holds its output
    /// open, or if stdout is not UTF-8.
    pub(crate) fn wait(mut self) -> RunOutput {
        if !self.signalled.get() {
            self.close_stdin();
        }
        while !self.has_ended() {
            self.check_limit("its end");
            thread::sleep(TICK);
        }
        let elapsed = self.started.elapsed();
        let patience = Instant::now() + GRACE;
        while !(self.stdout.is_closed() && self.stderr.is_closed()) {
            if Instant::now() > patience {
                let said = self.describe();
                panic!("kreplay ended and left a process behind that holds its output\n{said}");
            }
            thread::sleep(TICK);
        }
        let status = self.status.expect("the loop above ends with a status");
        let signal = status.signal().unwrap_or_default();
        let stdout = self.stdout.bytes().clone();
        RunOutput {
            code: status.code().unwrap_or(-signal),
            stdout: String::from_utf8(stdout).expect("kreplay's stdout is UTF-8"),
            stderr: self.stderr_so_far(),
            elapsed,
        }
    }

    /// Waits for the end, and returns the most memory that kreplay was measured to hold, in bytes; 0 if it
    /// was over before it was measured.
    ///
    /// # Panics
    /// Panics as [`Running::wait`].
    pub(crate) fn wait_measured(mut self) -> (RunOutput, u64) {
        let mut peak = 0;
        while !self.has_ended() {
            peak = peak.max(self.peak_memory());
            self.check_limit("its end");
            thread::sleep(TICK);
        }
        (self.wait(), peak)
    }

    /// Waits for the end at most this long from now.
    ///
    /// # Panics
    /// Panics as [`Running::wait`].
    pub(crate) fn wait_within(mut self, limit: Duration) -> RunOutput {
        self.deadline = Instant::now() + limit;
        self.wait()
    }

    fn check_limit(&self, what: &str) {
        // The panic drops `self`, which kills the process group.
        assert!(
            Instant::now() <= self.deadline,
            "kreplay ran {:?} without {what}, and is killed\n{}",
            self.started.elapsed(),
            self.describe()
        );
    }

    fn describe(&self) -> String {
        let (stdout, stderr) = (self.stdout_so_far(), self.stderr_so_far());
        format!("--- stdout\n{stdout}--- stderr\n{stderr}")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A finished run whose output is closed has nothing left, and its group id may be reused.
        if self.status.is_some() && self.stdout.is_closed() && self.stderr.is_closed() {
            return;
        }
        killpg(Pid::from_raw(self.pid()), Signal::SIGKILL).ok();
        self.child.wait().ok();
    }
}

/// A pipe read by a thread of its own, so that kreplay never waits for its reader.
pub(super) struct PipeContents {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl PipeContents {
    pub(super) fn from(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let reader = pipe.map(|mut pipe| {
            thread::spawn(move || {
                let mut chunk = vec![0; 64 * 1024];
                while let Ok(read @ 1..) = pipe.read(&mut chunk) {
                    let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
                    sink.extend_from_slice(&chunk[..read]);
                }
            })
        });
        Self { bytes, reader }
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.reader.as_ref().is_none_or(JoinHandle::is_finished)
    }
}
