//! Runs the kreplay binary as a user would, under a time limit and without the tester's environment.
//!
//! Cargo names the binary only to the tests of its package, so `tools/broker` cannot use this module.

mod guard;
mod running;
pub(crate) mod service;

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use guard::Guard;
use running::PipeContents;
pub(crate) use running::Running;

use super::report::schema::fault_of_report;

/// The longest that one run may take unless a test says otherwise.
const LIMIT: Duration = Duration::from_secs(60);

/// Variables that would change what kreplay does, beside all that begin with `KREPLAY_`.
const SCRUBBED: [&str; 9] = [
    "KCAT_CONFIG",
    "KAFKACAT_CONFIG",
    "XDG_CONFIG_HOME",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "RUST_LOG",
    "RUST_BACKTRACE",
];

/// What a finished run left.
#[derive(Debug)]
pub(crate) struct RunOutput {
    /// The exit code; minus the signal's number when a signal ended kreplay.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) elapsed: Duration,
}

/// What a run has on stdin.
enum RunStdin {
    Null,
    Bytes(Vec<u8>),
    /// A pipe that the test writes to and closes.
    Open,
}

/// A run in preparation.
#[must_use]
pub(crate) struct Run {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    cwd: Option<PathBuf>,
    input: RunStdin,
    stderr: Option<File>,
    limit: Duration,
}

/// Runs kreplay with these arguments and nothing on stdin.
///
/// # Panics
/// Panics if it takes longer than 60 s; its whole process group is killed then.
pub(crate) fn kreplay<I: IntoIterator<Item: Into<OsString>>>(args: I) -> RunOutput {
    Run::new(args).output()
}

impl Run {
    /// Prepares a run of kreplay.
    pub(crate) fn new<I: IntoIterator<Item: Into<OsString>>>(args: I) -> Self {
        Self::program(env!("CARGO_BIN_EXE_kreplay"), args)
    }

    /// Prepares a run of another program under the same rules.
    pub(crate) fn program<I: IntoIterator<Item: Into<OsString>>>(
        program: impl Into<OsString>,
        args: I,
    ) -> Self {
        Self {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            cwd: None,
            input: RunStdin::Null,
            stderr: None,
            limit: LIMIT,
        }
    }

    /// Gives these bytes on stdin, then its end.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = RunStdin::Bytes(bytes.into());
        self
    }

    /// Keeps stdin open until [`Running::close_stdin`].
    pub(crate) fn stdin_open(mut self) -> Self {
        self.input = RunStdin::Open;
        self
    }

    /// Uses this file as stderr, so that the run's output does not have it.
    pub(crate) fn stderr(mut self, file: File) -> Self {
        self.stderr = Some(file);
        self
    }

    /// Sets an environment variable; this one is not scrubbed.
    pub(crate) fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Sets the working directory, which is a new empty folder otherwise.
    pub(crate) fn cwd(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cwd = Some(folder.into());
        self
    }

    /// Sets how long the run may take from its start.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs to the end.
    ///
    /// # Panics
    /// Panics as [`Running::wait`].
    pub(crate) fn output(self) -> RunOutput {
        self.spawn().wait()
    }

    /// Starts the run and returns at once.
    pub(crate) fn spawn(self) -> Running {
        let home = tempfile::Builder::new()
            .prefix("kreplay-home-")
            .tempdir()
            .expect("the system's temporary folder is writable");
        let mut command = Command::new(&self.program);
        command.args(&self.args);
        for (name, _) in std::env::vars_os() {
            if is_scrubbed(&name) {
                command.env_remove(&name);
            }
        }
        command
            .env("HOME", home.path())
            .envs(self.env)
            .current_dir(self.cwd.as_deref().unwrap_or(home.path()))
            .stdin(match self.input {
                RunStdin::Null => Stdio::null(),
                RunStdin::Bytes(_) | RunStdin::Open => Stdio::piped(),
            })
            .stdout(Stdio::piped())
            .stderr(self.stderr.map_or_else(Stdio::piped, Stdio::from))
            .process_group(0);
        let started = Instant::now();
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", self.program.display()));
        let guard = Guard::over(child.id(), home.path());
        let mut stdin = child.stdin.take();
        if let RunStdin::Bytes(bytes) = self.input {
            feed(stdin.take(), bytes);
        }
        let stdout = PipeContents::from(child.stdout.take());
        let stderr = PipeContents::from(child.stderr.take());
        let deadline = started + self.limit;
        Running {
            child,
            stdin,
            stdout,
            stderr,
            started,
            deadline,
            status: None,
            signalled: Cell::new(false),
            guard,
            home,
        }
    }
}

/// Writes all of stdin from a thread of its own; kreplay may stop reading before the end.
fn feed(pipe: Option<ChildStdin>, bytes: Vec<u8>) {
    if let Some(mut pipe) = pipe {
        thread::spawn(move || pipe.write_all(&bytes).ok());
    }
}

fn is_scrubbed(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("KREPLAY_") || SCRUBBED.contains(&name.as_ref())
}

/// Parses the JSON report on stdout.
///
/// # Panics
/// Panics if stdout is not one JSON value.
pub(crate) fn report(output: &RunOutput) -> serde_json::Value {
    let report = serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("stdout is no JSON report: {error}\n{output:#?}"));
    let fault = fault_of_report(&report);
    assert_eq!(fault, None, "{report:#}");
    report
}
