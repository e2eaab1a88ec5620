//! Reads a token, its expiry and its owner, from a file or from the output of a command.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::runtime::Handle;

use super::command::{COMMAND_LIMIT, INTERRUPTED, MOST_OUTPUT, run};
use crate::cluster::native::Token;
use crate::config::TokenSource;
use crate::error::reason;
use crate::report::rendering::figures::whole_mib;

/// The lifetime of a token that does not state its own.
pub(super) const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);

/// # Errors
/// Returns why there is no token, in words that do not show what a command wrote to stdout.
pub(super) fn fetch(source: &TokenSource, over: &dyn Fn() -> bool) -> Result<Token, String> {
    let (text, whose) = match source {
        TokenSource::Command(command) => (
            Handle::current().block_on(run(command, over))?,
            "the output of --oauth-command",
        ),
        TokenSource::File(path) => (read_file(path, over)?, "the file of --oauth-file"),
    };
    read(&text, now_ms()).map_err(|why| format!("{whose} {why}"))
}

/// Reads a file on its own thread: it may be a FIFO that nobody writes to.
pub(super) fn read_file(path: &Path, over: &dyn Fn() -> bool) -> Result<String, String> {
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
            // Nobody waits for a result that comes too late.
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

/// Reads a token alone, or in the JSON object of a token endpoint (RFC 6749, section 5.1).
pub(super) fn read(text: &str, now_ms: i64) -> Result<Token, &'static str> {
    let text = text.trim();
    let answer: Option<serde_json::Value> = text
        .starts_with('{')
        .then(|| serde_json::from_str(text).ok())
        .flatten();
    let (token, expires_in) = match &answer {
        Some(answer) => (
            answer["access_token"]
                .as_str()
                .ok_or("is JSON without an `access_token`")?,
            answer["expires_in"].as_i64(),
        ),
        None => (text, None),
    };
    if token.is_empty() {
        return Err("contains no token");
    }
    // RFC 6750, section 2.1; anything else is probably an error message.
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    if !token.chars().all(allowed) {
        return Err("is not a token");
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
        return Err("contains a token that has expired");
    }
    Ok(Token {
        text: token.into(),
        expires_ms,
        principal: claims["sub"].as_str().unwrap_or("kreplay").into(),
    })
}

/// The claims of a JWT (RFC 7519); null for any other token.
pub(super) fn claims(token: &str) -> serde_json::Value {
    let payload = token.split('.').nth(1);
    let bytes = payload.and_then(|p| URL_SAFE_NO_PAD.decode(p.trim_end_matches('=')).ok());
    let claims = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    claims.unwrap_or_default()
}

pub(super) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}
