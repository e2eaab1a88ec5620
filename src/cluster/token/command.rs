//! The command that prints a token: its environment, its limits and its end.

use std::ffi::OsStr;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::cluster::native::keep_descriptors;
use crate::error::reason;
use crate::host::process::{ChildEnding, ChildProcess};
use crate::report::rendering::figures::whole_mib;

/// How much of stderr is shown.
pub(super) const SHOWN: usize = 500;
/// How long a command may take: a run that cannot connect says so within 10 s.
pub(super) const COMMAND_LIMIT: Duration = Duration::from_secs(8);

/// How long a renewal may take to notice that the run has ended: the file may be a pipe without a writer.
pub(super) const END_LIMIT: Duration = Duration::from_secs(2);

/// How long kreplay waits for the rest of a command's output after the command has ended.
pub(super) const DRAIN_LIMIT: Duration = Duration::from_millis(500);

/// How often kreplay checks whether a command is still needed.
pub(super) const LOOK: Duration = Duration::from_millis(5);

/// How much of a command's output kreplay keeps, of each stream.
pub(super) const MOST_OUTPUT: u64 = 1 << 20;

/// The reason for having no token when the run was interrupted first.
pub(super) const INTERRUPTED: &str = "the run was interrupted before the token came";

/// Runs a shell command and returns what it prints.
pub(super) async fn run(command: &str, over: &dyn Fn() -> bool) -> Result<String, String> {
    let whose = "the command of --oauth-command";
    keep_descriptors();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| is_for_command(name)));
    // In its own process group: Ctrl-C is for kreplay, which ends the command itself.
    let child = ChildProcess::spawn(&mut shell);
    let (mut child, stdout, stderr) =
        child.map_err(|e| format!("{whose} could not be started: {}", reason(&e)))?;
    let (mut stdout, mut stderr) = (PipeReader::start(stdout), PipeReader::start(stderr));
    let is_over = || over() || stdout.is_full() || stderr.is_full();
    let ended = tokio::select! {
        status = child.wait() => Some(status),
        () = sleep(COMMAND_LIMIT) => None,
        () = until(&is_over) => None,
    };
    child.end(ChildEnding::AtOnce).await;
    stdout.drain().await;
    stderr.drain().await;
    // The command may have ended because nobody reads its output any more.
    if stdout.is_full() || stderr.is_full() {
        return Err(format!(
            "{whose} wrote more than {}",
            whole_mib(MOST_OUTPUT)
        ));
    }
    match ended {
        Some(Ok(status)) if status.success() => Ok(stdout.text()),
        Some(Ok(status)) => Err(failure(whose, status, &stderr.text())),
        Some(Err(e)) => Err(format!(
            "{whose} has an unknown exit status: {}",
            reason(&e)
        )),
        None if over() => Err(INTERRUPTED.into()),
        None => Err(format!(
            "{whose} took longer than {} s",
            COMMAND_LIMIT.as_secs()
        )),
    }
}

/// Returns once `holds` returns true.
pub(super) async fn until(holds: &dyn Fn() -> bool) {
    while !holds() {
        sleep(LOOK).await;
    }
}

/// Variables that a command for tokens inherits: what a program needs to start, and what the command line
/// tools of clouds need to authenticate. Other variables may hold secrets that do not concern it.
pub(super) const GIVEN: [&str; 21] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "TZ",
    "TMPDIR",
    "KUBECONFIG",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "KRB5CCNAME",
    "KRB5_CONFIG",
];

/// Prefixes of such variables; `OAUTH_` is for those that the user wants to pass.
pub(super) const GIVEN_ALIKE: [&str; 8] = [
    "LC_",
    "XDG_",
    "AWS_",
    "AZURE_",
    "GOOGLE_",
    "CLOUDSDK_",
    "VAULT_",
    "OAUTH_",
];

pub(super) fn is_for_command(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let is_alike = |beginning: &&str| name.starts_with(beginning.as_bytes());
    GIVEN.iter().any(|given| name == given.as_bytes()) || GIVEN_ALIKE.iter().any(is_alike)
}

pub(super) fn failure(whose: &str, status: ExitStatus, stderr: &str) -> String {
    let how = match status.code() {
        Some(code) => format!("ended with exit status {code}"),
        None => "was ended by a signal".to_string(),
    };
    let words: Vec<&str> = stderr.split_whitespace().collect();
    let words = words.join(" ");
    let from = words.len().saturating_sub(SHOWN);
    let from = (from..).find(|i| words.is_char_boundary(*i)).unwrap_or(0);
    match words.is_empty() {
        true => format!("{whose} {how} and wrote nothing to stderr"),
        false => format!("{whose} {how}: {}", &words[from..]),
    }
}

/// What a command writes into one of its pipes, up to [`MOST_OUTPUT`].
pub(super) struct PipeReader {
    task: tokio::task::JoinHandle<()>,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl PipeReader {
    fn start(pipe: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let read = bytes.clone();
        let task = tokio::spawn(async move {
            let mut pipe = pipe.take(MOST_OUTPUT);
            let mut piece = [0; 4096];
            while let Ok(n @ 1..) = pipe.read(&mut piece).await {
                let mut bytes = read.lock().unwrap_or_else(PoisonError::into_inner);
                bytes.extend_from_slice(&piece[..n]);
            }
        });
        Self { task, bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        // The text is consistent between any two pieces, also after a panic.
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the command wrote as much as kreplay keeps.
    fn is_full(&self) -> bool {
        self.lock().len() as u64 >= MOST_OUTPUT
    }

    /// Reads what is left after the command has ended. What it has started may hold the pipe open, in another
    /// process group: kreplay does not wait for that any longer.
    async fn drain(&mut self) {
        _ = timeout(DRAIN_LIMIT, &mut self.task).await;
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.lock()).into_owned()
    }
}
