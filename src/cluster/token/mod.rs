//! OAUTHBEARER tokens from a command or a file, set on every producer and renewed before they expire. They
//! have their own thread: a command may take seconds, and deliveries go on meanwhile.

mod command;
mod read;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Handle;

use self::command::END_LIMIT;
use self::read::{fetch, now_ms};
use super::native::{Client, Token};
use crate::config::TokenSource;
use crate::config::properties::Secrets;
use crate::error::Error;
use crate::host::console::Console;
use crate::host::control::Control;
use crate::host::patience;

/// The shortest time between two tokens, and how long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(10);

/// Supplies all producers of a run with tokens.
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
    /// Signalled when the run has ended.
    over: Condvar,
}

struct TokenState {
    token: Token,
    clients: Vec<Weak<Client>>,
    over: bool,
}

impl SharedTokens {
    fn lock(&self) -> MutexGuard<'_, TokenState> {
        // The token and the list of clients are consistent between any two statements, also after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tokens {
    /// Gets the first token, unless the run is `over` before that. Must be called on a tokio runtime, by a
    /// thread that may block.
    ///
    /// # Errors
    /// Returns [`Error::NoToken`], which says what is wrong with the command or the file.
    pub(crate) fn start(
        source: &TokenSource,
        console: Console,
        secrets: Secrets,
        control: &Control,
    ) -> Result<Self, Error> {
        // `fetch` ends what the command has started before it returns.
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

    /// Gives `client` the current token, and all later ones.
    ///
    /// # Errors
    /// Returns [`Error::NoToken`] if librdkafka does not accept it.
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

/// Renews the token until the run has ended.
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
                let note =
                    format!("the token could not be renewed, and kreplay tries again: {reason}");
                shared.console.note(&note);
                PAUSE
            }
        };
    }
}

/// After four fifths of its remaining lifetime, as librdkafka does.
fn until_renewal(expires_ms: i64) -> Duration {
    let left = u64::try_from(expires_ms.saturating_sub(now_ms())).unwrap_or(0);
    Duration::from_millis(left / 5 * 4)
        .max(PAUSE.min(Duration::from_millis(left / 2)))
        .max(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::read::read;
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
            ("", "contains no token"),
            ("error: no such user", "is not a token"),
            (r#"{"error":"x"}"#, "is JSON without an `access_token`"),
        ] {
            assert_eq!(read(text, 0), Err(why));
        }
        let old = jwt(r#"{"exp":1}"#);
        assert_eq!(read(&old, 2000), Err("contains a token that has expired"));
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
