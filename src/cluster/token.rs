//! OAUTHBEARER tokens from a command or a file, set on every producer and renewed before they
//! expire. On a thread of its own: a command may take seconds, in which deliveries go on.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitStatus;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use super::native::{Client, Token, keep_descriptors};
use crate::config::TokenSource;
use crate::config::properties::Secrets;
use crate::error::{Error, reason};
use crate::host::console::Console;
use crate::host::control::Control;
use crate::host::patience;
use crate::host::process::{ChildEnding, ChildProcess};
use crate::report::rendering::figures::whole_mib;

/// How long a command may take. A run that cannot connect says so within 10 s.
const COMMAND_LIMIT: Duration = Duration::from_secs(8);
/// The lifetime of a token that does not tell its own.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);
/// The shortest time between two tokens, and how long to wait after one could not be had.
const PAUSE: Duration = Duration::from_secs(10);
/// How long a renewal may take to notice that the run is over: the file may be a pipe without a writer.
const END_LIMIT: Duration = Duration::from_secs(2);
/// How long the rest of a command's output is waited for once it has ended.
const DRAIN_LIMIT: Duration = Duration::from_millis(500);
/// How often kreplay checks whether a command is still wanted.
const LOOK: Duration = Duration::from_millis(5);
/// How much of what a command writes is kept, of each stream.
const MOST_OUTPUT: u64 = 1 << 20;
/// Why there is no token when the run was told to stop first.
const INTERRUPTED: &str = "the run was interrupted before there was one";
/// How much of stderr is shown.
const SHOWN: usize = 500;

/// Keeps all producers of a run supplied.
pub(crate) struct Tokens {
    shared: Arc<SharedTokens>,
    control: Control,
    renewing: Option<JoinHandle<()>>,
}

struct SharedTokens {
    source: TokenSource,
    console: Console,
    secrets: Secrets,
    state: Mutex<TokenState>,
    /// Signalled when the run is over.
    over: Condvar,
}

struct TokenState {
    token: Token,
    clients: Vec<Weak<Client>>,
    over: bool,
}

impl SharedTokens {
    fn lock(&self) -> MutexGuard<'_, TokenState> {
        // A token and a list of clients are whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tokens {
    /// Gets the first token, unless the run is `over` before there is one. Must be called on a tokio runtime,
    /// by a thread that may wait.
    ///
    /// # Errors
    /// [`Error::NoToken`] with what the command or the file lacks.
    pub(crate) fn start(
        source: &TokenSource,
        console: Console,
        secrets: Secrets,
        control: &Control,
    ) -> Result<Self, Error> {
        // Ends what a command has started before it returns.
        let token = fetch(source, &|| control.is_stopping());
        let token = token.map_err(|reason| Error::NoToken {
            reason: secrets.hide(&reason),
        })?;
        secrets.add(&token.text);
        let shared = Arc::new(SharedTokens {
            source: source.clone(),
            console,
            secrets,
            state: Mutex::new(TokenState {
                token,
                clients: Vec::new(),
                over: false,
            }),
            over: Condvar::new(),
        });
        let runtime = Handle::current();
        let renewing = thread::spawn({
            let shared = shared.clone();
            move || {
                let _runtime = runtime.enter();
                renew(&shared);
            }
        });
        Ok(Self {
            shared,
            control: control.clone(),
            renewing: Some(renewing),
        })
    }

    /// Gives `client` the present token, and all that follow.
    ///
    /// # Errors
    /// [`Error::NoToken`] when librdkafka does not take it.
    pub(crate) fn supply(&self, client: &Arc<Client>) -> Result<(), Error> {
        let mut state = self.shared.lock();
        state.clients.push(Arc::downgrade(client));
        client
            .set_token(&state.token)
            .map_err(|reason| Error::NoToken {
                reason: self.shared.secrets.hide(&reason),
            })
    }
}

impl Drop for Tokens {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.over.notify_all();
        if let Some(renewing) = self.renewing.take() {
            patience::join(vec![renewing], &self.control, END_LIMIT);
        }
    }
}

/// Renews the token until the run is over.
fn renew(shared: &SharedTokens) {
    let mut wait = until_renewal(shared.lock().token.expires_ms);
    loop {
        let state = shared.lock();
        let waited = shared
            .over
            .wait_timeout_while(state, wait, |state| !state.over);
        if waited.unwrap_or_else(PoisonError::into_inner).0.over {
            return;
        }
        let fetched = fetch(&shared.source, &|| shared.lock().over);
        let mut state = shared.lock();
        if state.over {
            return;
        }
        let set = fetched.and_then(|token| {
            shared.secrets.add(&token.text);
            state.token = token;
            let clients = state.clients.iter().filter_map(Weak::upgrade);
            clients
                .map(|client| client.set_token(&state.token))
                .fold(Ok(()), Result::and)
        });
        wait = match set {
            Ok(()) => until_renewal(state.token.expires_ms),
            Err(reason) => {
                let reason = shared.secrets.hide(&reason);
                let note = format!("the token could not be renewed, and is tried again: {reason}");
                shared.console.note(&note);
                PAUSE
            }
        };
    }
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

/// At four fifths of what is left, as librdkafka does.
fn until_renewal(expires_ms: i64) -> Duration {
    let left = u64::try_from(expires_ms.saturating_sub(now_ms())).unwrap_or(0);
    Duration::from_millis(left / 5 * 4)
        .max(PAUSE.min(Duration::from_millis(left / 2)))
        .max(Duration::from_secs(1))
}

/// # Errors
/// Why there is no token, in words that do not show what a command wrote to stdout.
fn fetch(source: &TokenSource, over: &dyn Fn() -> bool) -> Result<Token, String> {
    let (text, whose) = match source {
        TokenSource::Command(command) => (
            Handle::current().block_on(run(command, over))?,
            "the command of --oauth-command",
        ),
        TokenSource::File(path) => (read_file(path, over)?, "the file of --oauth-file"),
    };
    read(&text, now_ms()).map_err(|why| format!("{whose} {why}"))
}

/// Reads a file on a thread of its own: it may be a FIFO into which nobody writes.
fn read_file(path: &Path, over: &dyn Fn() -> bool) -> Result<String, String> {
    let failed = |why: &str| format!("cannot read {}: {why}", path.display());
    let (hand_over, text) = mpsc::channel();
    thread::spawn({
        let path = path.to_path_buf();
        move || {
            let mut text = String::new();
            let read = File::open(path).and_then(|file| {
                let mut file = file.take(MOST_OUTPUT + 1);
                file.read_to_string(&mut text)
            });
            let read = read.and_then(|length| match length as u64 > MOST_OUTPUT {
                true => Err(io::Error::other(format!(
                    "it is larger than {}",
                    whole_mib(MOST_OUTPUT)
                ))),
                false => Ok(()),
            });
            // Nobody waits for what comes too late.
            _ = hand_over.send(read.map(|_| text));
        }
    });
    let started = Instant::now();
    loop {
        match text.recv_timeout(Duration::from_millis(5)) {
            Ok(text) => return text.map_err(|e| failed(&reason(&e))),
            Err(_) if over() => return Err(INTERRUPTED.into()),
            Err(_) if started.elapsed() > COMMAND_LIMIT => {
                let limit = COMMAND_LIMIT.as_secs();
                return Err(failed(&format!("nothing came within {limit} s")));
            }
            Err(_) => {}
        }
    }
}

/// A token as it is, or in the JSON object of a token endpoint (RFC 6749, section 5.1).
fn read(text: &str, now_ms: i64) -> Result<Token, &'static str> {
    let text = text.trim();
    let answer: Option<serde_json::Value> = text
        .starts_with('{')
        .then(|| serde_json::from_str(text).ok())
        .flatten();
    let (token, expires_in) = match &answer {
        Some(answer) => (
            answer["access_token"]
                .as_str()
                .ok_or("gives JSON without an `access_token`")?,
            answer["expires_in"].as_i64(),
        ),
        None => (text, None),
    };
    if token.is_empty() {
        return Err("gives no token");
    }
    // RFC 6750, section 2.1; anything else is rather an error message.
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    if !token.chars().all(allowed) {
        return Err("gives something that is no token");
    }
    let claims = claims(token);
    let claimed = claims["exp"].as_f64();
    let default_s = i64::try_from(DEFAULT_LIFETIME.as_secs()).unwrap_or(i64::MAX);
    let expires_ms = match claimed {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a time beyond i64 becomes its last millisecond"
        )]
        Some(seconds) => (seconds * 1000.0) as i64,
        None => now_ms.saturating_add(expires_in.unwrap_or(default_s).saturating_mul(1000)),
    };
    if expires_ms <= now_ms {
        return Err("gives a token that has expired");
    }
    Ok(Token {
        text: token.into(),
        expires_ms,
        principal: claims["sub"].as_str().unwrap_or("kreplay").into(),
    })
}

/// The claims of a JWT (RFC 7519); null for a token that is none.
fn claims(token: &str) -> serde_json::Value {
    let payload = token.split('.').nth(1);
    let bytes = payload.and_then(|p| URL_SAFE_NO_PAD.decode(p.trim_end_matches('=')).ok());
    let claims = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    claims.unwrap_or_default()
}

/// Runs a shell command; what it prints.
async fn run(command: &str, over: &dyn Fn() -> bool) -> Result<String, String> {
    let whose = "the command of --oauth-command";
    keep_descriptors();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| is_for_command(name)));
    // In a process group of its own: Ctrl-C is for kreplay, which ends the command itself.
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
    // It may have ended by that, as nobody reads on.
    if stdout.is_full() || stderr.is_full() {
        return Err(format!(
            "{whose} wrote more than {}",
            whole_mib(MOST_OUTPUT)
        ));
    }
    match ended {
        Some(Ok(status)) if status.success() => Ok(stdout.text()),
        Some(Ok(status)) => Err(failure(whose, status, &stderr.text())),
        Some(Err(e)) => Err(format!("{whose} cannot be waited for: {}", reason(&e))),
        None if over() => Err(INTERRUPTED.into()),
        None => Err(format!(
            "{whose} took longer than {} s",
            COMMAND_LIMIT.as_secs()
        )),
    }
}

/// Returns once `holds` does.
async fn until(holds: &dyn Fn() -> bool) {
    while !holds() {
        sleep(LOOK).await;
    }
}

/// Variables that a command for tokens is given: what a program needs to start, and what the command line
/// tools of clouds need to authenticate. Others may hold secrets that are none of its business.
const GIVEN: [&str; 21] = [
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
/// Beginnings of their names; `OAUTH_` is for what the user wants to give.
const GIVEN_ALIKE: [&str; 8] = [
    "LC_",
    "XDG_",
    "AWS_",
    "AZURE_",
    "GOOGLE_",
    "CLOUDSDK_",
    "VAULT_",
    "OAUTH_",
];

fn is_for_command(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let is_alike = |beginning: &&str| name.starts_with(beginning.as_bytes());
    GIVEN.iter().any(|given| name == given.as_bytes()) || GIVEN_ALIKE.iter().any(is_alike)
}

fn failure(whose: &str, status: ExitStatus, stderr: &str) -> String {
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
struct PipeReader {
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
        // Whole between any two pieces.
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether as much was written as is kept.
    fn is_full(&self) -> bool {
        self.lock().len() as u64 >= MOST_OUTPUT
    }

    /// Reads what is left once the command has ended. What it has started may hold the pipe open, in a
    /// group of its own: that is waited for no longer.
    async fn drain(&mut self) {
        _ = timeout(DRAIN_LIMIT, &mut self.task).await;
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.lock()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn expiry_and_principal_are_read_from_a_jwt() {
        let token = jwt(r#"{"sub":"alice","exp":2000}"#);
        let read = read(&format!(" {token}\n"), 1_000_000).expect("a sound token");
        assert_eq!(read.text, token);
        assert_eq!(
            (read.expires_ms, read.principal.as_str()),
            (2_000_000, "alice")
        );
    }

    #[test]
    fn an_opaque_token_is_taken_to_last_five_minutes() {
        let opaque = read("abc-123", 1_000_000).expect("a sound token");
        assert_eq!(
            (opaque.expires_ms, opaque.principal.as_str()),
            (1_300_000, "kreplay")
        );
    }

    #[test]
    fn the_json_response_of_a_token_endpoint_is_understood() {
        let answer = r#"{"access_token":"abc","expires_in":60,"token_type":"Bearer"}"#;
        let token = read(answer, 1_000_000).expect("a sound answer");
        assert_eq!((token.text.as_str(), token.expires_ms), ("abc", 1_060_000));
    }

    #[test]
    fn an_invalid_token_is_reported_without_showing_it() {
        for (text, why) in [
            ("", "gives no token"),
            ("error: no such user", "gives something that is no token"),
            (r#"{"error":"x"}"#, "gives JSON without an `access_token`"),
        ] {
            assert_eq!(read(text, 0), Err(why));
        }
        let old = jwt(r#"{"exp":1}"#);
        assert_eq!(read(&old, 2000), Err("gives a token that has expired"));
    }

    #[test]
    fn a_failing_token_command_shows_only_the_end_of_its_stderr() {
        let source = TokenSource::Command("echo secret; echo 'no login' >&2; exit 3".into());
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let _runtime = runtime.enter();
        assert_eq!(
            fetch(&source, &|| false),
            Err("the command of --oauth-command ended with exit status 3: no login".into())
        );
    }
}
