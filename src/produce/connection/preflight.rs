//! Checks the cluster before anything is sent.

use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::thread;
use std::time::{Duration, Instant};

use super::client::{ASK_LIMIT, CONNECT_LIMIT, Connection};
use crate::cluster::native::{Code, Metadata};
use crate::cluster::reasons::{ADVERTISED_HINT, Clarity, Reason, advertised_fails};
use crate::error::{Error, reason};
use crate::host::control::Control;
use crate::host::patience;
use crate::report::rendering::figures::count;

/// The most brokers of a cluster. librdkafka starts a thread for each broker that an answer names, before
/// anyone can check the answer, and keeps about 68 KB; it refuses answers with more than 10,000. The largest
/// clusters have some hundreds.
const MOST_BROKERS: usize = 2000;
/// How long to retry refused connections: a broker may just be starting.
const REFUSED_LIMIT: Duration = Duration::from_secs(3);
/// How long a single connection may take before it counts as possible.
const CONNECTING_LIMIT: Duration = Duration::from_secs(1);

impl Connection {
    /// Waits until a broker answers.
    ///
    /// # Errors
    /// Returns [`Error::Unreachable`] with the cause, within seconds.
    pub(in crate::produce) fn check_reachable(&self, control: &Control) -> Result<(), Error> {
        let started = Instant::now();
        loop {
            let asked = self.ask(|client| client.brokers(ASK_LIMIT));
            let code = match asked.unwrap_or(Err(Code::TIMED_OUT)) {
                Ok(metadata) => {
                    self.check_broker_count(&metadata)?;
                    self.met(&metadata);
                    return self.check_advertised(&metadata, control);
                }
                Err(code) => code,
            };
            let client_errors = self.deliveries().client_errors();
            let reason = client_errors.authentication.or(client_errors.connection);
            let is_final = reason
                .as_ref()
                .is_some_and(|reason| reason.clarity == Clarity::Certain);
            let hopeless = is_final
                || (client_errors.all_down && started.elapsed() > REFUSED_LIMIT)
                || started.elapsed() > CONNECT_LIMIT;
            if hopeless || control.is_stopping() {
                let reason = reason.unwrap_or_else(|| Reason::of(&code.words()));
                return Err(Error::Unreachable {
                    brokers: self.brokers.clone(),
                    reason: reason.text,
                    hint: reason.hint,
                });
            }
            if client_errors.all_down {
                thread::sleep(Duration::from_millis(100));
            }
        }
    }

    /// Checks that the cluster names no more brokers than allowed.
    ///
    /// # Errors
    /// Returns [`Error::Unreachable`] if it does.
    fn check_broker_count(&self, metadata: &Metadata) -> Result<(), Error> {
        let brokers = metadata.brokers.len();
        match brokers > MOST_BROKERS {
            true => Err(Error::Unreachable {
                brokers: self.brokers.clone(),
                reason: format!(
                    "it has {}, but kreplay works with {} at most",
                    count(brokers as u64, "broker"),
                    count(MOST_BROKERS as u64, "broker")
                ),
                hint: None,
            }),
            false => Ok(()),
        }
    }

    /// Checks that one of the addresses that the cluster advertises accepts connections. If the cluster
    /// sends clients to a port that nobody listens on, librdkafka tries for minutes.
    ///
    /// # Errors
    /// Returns [`Error::Unreachable`] with the address and its cause, within seconds.
    fn check_advertised(&self, metadata: &Metadata, control: &Control) -> Result<(), Error> {
        let advertised = metadata.brokers.iter();
        let advertised: Vec<_> = advertised.map(|b| (b.host.clone(), b.port)).collect();
        // The broker that was asked has answered already.
        let asked = |(host, port): &(String, i32)| {
            let named = self.brokers.split(',').map(str::trim);
            let mut named = named.map(|text| text.split_once("://").map_or(text, |(_, rest)| rest));
            named.any(|named| named == format!("{host}:{port}"))
        };
        if self.is_rehearsal() || advertised.is_empty() || advertised.iter().any(asked) {
            return Ok(());
        }
        let started = Instant::now();
        loop {
            let addresses = advertised.clone();
            let refused = patience::unless_stopping(control, move || refusal_of_all(&addresses));
            let Some(Some(why)) = refused else {
                return Ok(());
            };
            if started.elapsed() > REFUSED_LIMIT || control.is_stopping() {
                return Err(Error::Unreachable {
                    brokers: self.brokers.clone(),
                    reason: why,
                    hint: Some(ADVERTISED_HINT.into()),
                });
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Why none of these addresses accepts a connection; `None` if one does, or may.
fn refusal_of_all(addresses: &[(String, i32)]) -> Option<String> {
    let mut first = None;
    for (host, port) in addresses {
        let why = refusal_of(host, u16::try_from(*port).ok()?)?;
        first.get_or_insert(advertised_fails(&format!("{host}:{port}"), &why));
    }
    first
}

/// Why this address accepts no connection, if that is certain: a slow one may just be far away.
fn refusal_of(host: &str, port: u16) -> Option<String> {
    let resolved = match (host, port).to_socket_addrs() {
        Ok(resolved) => resolved,
        Err(error) => return Some(format!("its name cannot be resolved: {}", reason(&error))),
    };
    let mut refused = None;
    for address in resolved {
        match TcpStream::connect_timeout(&address, CONNECTING_LIMIT) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                refused = Some(reason(&error));
            }
            Ok(_) | Err(_) => return None,
        }
    }
    refused
}
