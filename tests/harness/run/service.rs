//! The service behind a topic, `tools/service`, as a process: it reads one topic and writes another.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

use super::super::paths::tool;

/// A running service; it ends when this is dropped.
pub(crate) struct RunningService {
    child: Child,
    /// The service ends when its stdin does.
    stdin: Option<ChildStdin>,
}

impl RunningService {
    /// Starts a service in `group` that reads `from`, and waits until it has its partitions.
    ///
    /// # Panics
    /// When it does not start.
    pub(crate) fn start(brokers: &str, group: &str, from: &str, flags: &[&str]) -> Self {
        let mut child = Command::new(tool("service"))
            .args(["--brokers", brokers, "--group", group, "--from", from])
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let stdout = child.stdout.take().expect("it is a pipe");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        assert!(
            read.is_ok() && line == "ready\n",
            "the service said {line:?}"
        );
        let stdin = child.stdin.take();
        Self { child, stdin }
    }

    /// Ends the service, which commits and leaves its group.
    ///
    /// # Panics
    /// When it fails.
    pub(crate) fn stop(mut self) {
        self.stdin = None;
        let status = self.child.wait().expect("it is a child of ours");
        assert!(status.success(), "the service ended with {status}");
    }
}

impl Drop for RunningService {
    fn drop(&mut self) {
        self.stdin = None;
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
