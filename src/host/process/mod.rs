//! The programs that kreplay runs, speedctl and the command for tokens: how each is started and ended. Their
//! callers decide what to read from them, and how long to wait.

mod group;

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;

use self::group::ProcessGroup;

/// How long a program has between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// A program in its own process group, which ends with kreplay.
#[derive(Debug)]
pub(crate) struct ChildProcess {
    child: Child,
    group: ProcessGroup,
}

/// How to end a program and everything that it has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChildEnding {
    /// Ask it to end, and kill it if it does not.
    Asked,
    /// It has ended by itself, or nobody waits for it: kill what is left.
    AtOnce,
}

impl ChildProcess {
    /// Starts `command` with no input and with pipes for its output. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// Returns the system's error.
    pub(crate) fn spawn(command: &mut Command) -> io::Result<(Self, ChildStdout, ChildStderr)> {
        let mut group = ProcessGroup::open();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = group.spawn(command)?;
        let stdout = child.stdout.take().expect("stdout was asked for as a pipe");
        let stderr = child.stderr.take().expect("stderr was asked for as a pipe");
        Ok((Self { child, group }, stdout, stderr))
    }

    /// Waits until the program ends by itself. May be called again after that.
    ///
    /// # Errors
    /// Returns the system's error.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Ends the program and what it has started. A process that moved to another group may still hold its
    /// pipes open.
    pub(crate) async fn end(mut self, ending: ChildEnding) {
        if ending == ChildEnding::Asked {
            self.group.signal(Signal::SIGTERM);
            // Whether it ended by itself or not, the whole group is killed below.
            _ = timeout(GRACE, self.child.wait()).await;
        }
        self.group.end().await;
        _ = self.child.wait().await;
    }
}
