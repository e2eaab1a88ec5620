//! Looking at the cluster before anything is sent.

use std::thread;
use std::time::{Duration, Instant};

use super::client::{ASK_LIMIT, CONNECT_LIMIT, Connection};
use super::control::Control;
use super::native::Code;
use super::reasons::{Clarity, Reason};
use crate::error::Error;

/// How long refused connections are tried again: a broker may just be starting.
const REFUSED_LIMIT: Duration = Duration::from_secs(3);

impl Connection {
    /// Waits until a broker answers.
    ///
    /// # Errors
    /// [`Error::Unreachable`] with the cause, within seconds.
    pub(super) fn check_reachable(&self, control: &Control) -> Result<(), Error> {
        let started = Instant::now();
        loop {
            let asked = self.ask(|client| client.brokers(ASK_LIMIT));
            let code = match asked.unwrap_or(Err(Code::TIMED_OUT)) {
                Ok(metadata) => {
                    self.met(&metadata);
                    return Ok(());
                }
                Err(code) => code,
            };
            let troubles = self.deliveries().troubles();
            let reason = troubles.authentication.or(troubles.connection);
            let is_final = reason
                .as_ref()
                .is_some_and(|reason| reason.clarity == Clarity::Certain);
            let hopeless = is_final
                || (troubles.all_down && started.elapsed() > REFUSED_LIMIT)
                || started.elapsed() > CONNECT_LIMIT;
            if hopeless || control.is_stopping() {
                let reason = reason.unwrap_or_else(|| Reason::of(&code.words()));
                return Err(Error::Unreachable {
                    brokers: self.brokers.clone(),
                    reason: reason.text,
                    hint: reason.hint,
                });
            }
            if troubles.all_down {
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}
