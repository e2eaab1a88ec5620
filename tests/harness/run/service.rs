//! The service behind a topic, `tools/service`, as a process: it reads one topic and writes another.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use super::super::paths::tool;

/// How long a service may take to get its partitions, and to end. A busy machine needs a part of it.
const LIMIT: Duration = Duration::from_secs(60);

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
    /// Panics if it does not start, or gets no partitions within [`LIMIT`].
    pub(crate) fn start(brokers: &str, group: &str, from: &str, flags: &[&str]) -> Self {
        let mut child = Command::new(tool("service"))
            .args(["--brokers", brokers, "--group", group, "--from", from])
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let stdout = child.stdout.take().expect("it is a pipe");
        let stdin = child.stdin.take();
        // From here on it ends with this, also when the test fails.
        let service = Self { child, stdin };
        let (tell, told) = channel();
        thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(stdout).read_line(&mut line);
            // Nobody listens any more when it took too long.
            tell.send(read.map(|_| line)).ok();
        });
        let said = told.recv_timeout(LIMIT);
        let is_ready = matches!(&said, Ok(Ok(line)) if line == "ready\n");
        assert!(is_ready, "the service of {group} said {said:?}");
        service
    }

    /// Ends the service, which commits and leaves its group.
    ///
    /// # Panics
    /// Panics if it fails, or does not end within [`LIMIT`].
    pub(crate) fn stop(mut self) {
        self.stdin = None;
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.ended() {
                break status;
            }
            assert!(began.elapsed() < LIMIT, "the service does not end");
            thread::sleep(Duration::from_millis(5));
        };
        assert!(status.success(), "the service ended with {status}");
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it is a child of ours")
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
