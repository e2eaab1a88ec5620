//! The programs that kreplay runs, speedctl and the command for tokens: how each is started and ended. What
//! is read of them, and for how long they are waited for, is theirs.

mod group;

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;

use self::group::ProcessGroup;

/// What a program gets between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// A program that runs in a process group of its own, which ends with kreplay.
#[derive(Debug)]
pub(crate) struct ChildProcess {
    child: Child,
    group: ProcessGroup,
}

/// How a program is ended, with all that it has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChildEnding {
    /// It is asked to end, and killed when it does not.
    Asked,
    /// It has ended by itself, or nobody waits for it: what is left is killed.
    AtOnce,
}

impl ChildProcess {
    /// Starts `command` with nothing to read and pipes to write into. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// The system's.
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

    /// Waits until it ends by itself. May be called again after that.
    ///
    /// # Errors
    /// The system's.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Ends it, and what it has started. What moved to a group of its own may still hold its pipes open.
    pub(crate) async fn end(mut self, ending: ChildEnding) {
        if ending == ChildEnding::Asked {
            self.group.signal(Signal::SIGTERM);
            // Whether it went by itself or not, the whole group gets the last word below.
            _ = timeout(GRACE, self.child.wait()).await;
        }
        self.group.end().await;
        _ = self.child.wait().await;
    }
}
