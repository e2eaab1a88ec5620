//! Says in words why no broker could be used: librdkafka reports what it saw on a socket, and most of that
//! has a cause that the user can remove.

/// librdkafka's report, put into words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) text: String,
    pub(crate) hint: Option<String>,
    pub(crate) clarity: Clarity,
}

/// How certain a cause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Clarity {
    /// It may be anything, and may pass.
    Vague,
    /// A broker that hangs up mostly expects something else, but may only be starting.
    Likely,
    /// Trying again does not help.
    Certain,
}

const NEEDS_TLS: (&str, &str) = (
    "the broker closed the connection at once: its port seems to expect TLS",
    "`-X security.protocol=SSL`, or SASL_SSL if the cluster also asks for a user",
);
const HAS_NO_TLS: (&str, &str) = (
    "the TLS handshake failed: the broker's port seems not to use TLS",
    "`-X security.protocol=PLAINTEXT`, or SASL_PLAINTEXT if the cluster asks for a user",
);
const NEEDS_USER: (&str, &str) = (
    "the broker closed the connection at once: it may require a user",
    "`-X security.protocol=SASL_SSL` or SASL_PLAINTEXT, with `sasl.mechanism`, `sasl.username` and \
     `sasl.password`",
);
const UNVERIFIED: (&str, &str) = (
    "the TLS handshake failed: the broker's certificate could not be verified",
    "name the authority's certificate with `-X ssl.ca.location=FILE`, and the host as the broker's \
     certificate does",
);
const NEEDS_CERTIFICATE: (&str, &str) = (
    "the TLS handshake failed: the broker requires a client certificate that it trusts",
    "`-X ssl.keystore.location=FILE` (PKCS#12) with `ssl.keystore.password`, or \
     `ssl.certificate.location` and `ssl.key.location`",
);
const HANGS_UP: (&str, &str) = (
    "the broker closes the connection",
    "it may need another `security.protocol`: SSL, SASL_SSL, SASL_PLAINTEXT",
);

/// What OpenSSL and librdkafka say about a handshake, and its cause.
const HANDSHAKES: [(&str, (&str, &str), Clarity); 7] = [
    (
        "connecting to a PLAINTEXT broker listener",
        HAS_NO_TLS,
        Clarity::Likely,
    ),
    ("wrong version number", HAS_NO_TLS, Clarity::Certain),
    ("certificate verify failed", UNVERIFIED, Clarity::Certain),
    ("alert bad certificate", NEEDS_CERTIFICATE, Clarity::Certain),
    ("alert certificate", NEEDS_CERTIFICATE, Clarity::Certain),
    ("certificate required", NEEDS_CERTIFICATE, Clarity::Certain),
    (
        "client SSL authentication might be required",
        NEEDS_CERTIFICATE,
        Clarity::Certain,
    ),
];

/// The cause of a broker that hung up, by the protocol used and the state that librdkafka was in.
fn hung_up(text: &str) -> ((&'static str, &'static str), Clarity) {
    let has_tls = text.contains("ssl://");
    let has_user = text.contains("sasl_");
    if !has_tls && text.contains("in state APIVERSION_QUERY") {
        (NEEDS_TLS, Clarity::Likely)
    } else if !has_user && text.contains("in state UP") {
        (NEEDS_USER, Clarity::Likely)
    } else {
        (HANGS_UP, Clarity::Vague)
    }
}

impl Reason {
    /// Puts librdkafka's text into words.
    pub(crate) fn of(text: &str) -> Self {
        for (sign, cause, clarity) in HANDSHAKES {
            if text.contains(sign) {
                return Self::known(cause, clarity);
            }
        }
        let whole = text;
        let text = bare(text);
        if text.starts_with("Disconnected") || text.ends_with("failed: Broken pipe") {
            let (cause, clarity) = hung_up(whole);
            return Self::known(cause, clarity);
        }
        if let Some(why) = text.strip_prefix("SASL authentication error: ") {
            return authentication(why);
        }
        if let Some((mechanism, others)) = unsupported(text) {
            return Self::last(
                format!("the broker does not accept the mechanism {mechanism}, only {others}"),
                Some("choose one with `-X sasl.mechanism=...`"),
            );
        }
        let unresolved = text.strip_prefix("Failed to resolve '");
        let text = match unresolved.and_then(|rest| rest.split_once("': ")) {
            Some((host, why)) => format!("`{host}` cannot be resolved: {}", why.to_lowercase()),
            None if text.ends_with("failed: Connection refused") => "connection refused".into(),
            None => text.into(),
        };
        let clarity = Clarity::Vague;
        match advertised(whole) {
            Some(address) => Self {
                text: advertised_fails(address, &text),
                hint: Some(ADVERTISED_HINT.into()),
                clarity,
            },
            None => Self {
                text,
                hint: None,
                clarity,
            },
        }
    }

    fn known((text, hint): (&str, &str), clarity: Clarity) -> Self {
        Self {
            text: text.into(),
            hint: Some(hint.into()),
            clarity,
        }
    }

    fn last(text: String, hint: Option<&str>) -> Self {
        Self {
            text,
            hint: hint.map(str::to_owned),
            clarity: Clarity::Certain,
        }
    }
}

/// The hint for an address that a cluster advertises and that fails.
pub(crate) const ADVERTISED_HINT: &str = "see `advertised.listeners` of the brokers";

/// Says that the failing address was named by the cluster, and not by the user.
pub(crate) fn advertised_fails(address: &str, why: &str) -> String {
    format!("{address} (advertised by the cluster): {why}")
}

/// The address of the broker that a text is about, if a cluster named it: librdkafka then puts the broker's
/// id after it, and `bootstrap` otherwise.
fn advertised(text: &str) -> Option<&str> {
    let thread = text
        .strip_prefix("[thrd:")
        .and_then(|rest| rest.split_once("]: "));
    let (broker, _) = thread.map_or(text, |(_, text)| text).split_once(": ")?;
    let (address, id) = broker.rsplit_once('/')?;
    let address = address
        .split_once("://")
        .map_or(address, |(_, address)| address);
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    (is_id && !address.contains(' ')).then_some(address)
}

/// The text without the broker before it and the timing after it.
fn bare(text: &str) -> &str {
    let text = match text
        .strip_prefix("[thrd:")
        .and_then(|rest| rest.split_once("]: "))
    {
        Some((_, text)) => text,
        None => text,
    };
    // `sasl_ssl://host:9093/bootstrap: ...`; plain connections have no protocol there.
    let rest = match text.split_once(": ") {
        Some((broker, rest)) if broker.contains('/') && !broker.contains(' ') => rest,
        _ => text,
    };
    rest.split(" (after ").next().unwrap_or(rest)
}

/// What a broker says when authentication fails; Apache Kafka's words if they are known.
fn authentication(why: &str) -> Reason {
    let user = Some("check `sasl.username` and `sasl.password`");
    let why = why.strip_prefix("Authentication failed: ").unwrap_or(why);
    if why.contains("invalid credentials") || why.contains("Invalid username or password") {
        return Reason::last("authentication failed: wrong user or password".into(), user);
    }
    match why.contains("invalid_token") {
        true => Reason::last(
            "authentication failed: the broker does not accept the token".into(),
            None,
        ),
        false => Reason::last(format!("authentication failed: {why}"), None),
    }
}

/// The mechanism that the broker lacks, and those that it has.
fn unsupported(text: &str) -> Option<(&str, String)> {
    let (mechanism, rest) = text
        .strip_prefix("SASL ")?
        .split_once(" mechanism handshake failed: ")?;
    let (_, others) = rest.split_once("supported mechanisms: ")?;
    Some((mechanism, others.replace(',', ", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What librdkafka 2.12.1 said about Apache Kafka 4.2.0.
    #[test]
    fn a_log_line_of_librdkafka_becomes_a_cause() {
        for (seen, cause) in [
            (
                "127.0.0.1:44403/bootstrap: Connect to ipv4#127.0.0.1:44403 failed: Connection \
                 refused (after 0ms in state CONNECT)",
                "connection refused",
            ),
            (
                "sasl_ssl://127.0.0.1:36199/1: Connect to ipv4#127.0.0.1:36199 failed: Connection \
                 refused (after 0ms in state CONNECT)",
                "127.0.0.1:36199 (advertised by the cluster): connection refused",
            ),
            (
                "kafka.invalid:9092/bootstrap: Failed to resolve 'kafka.invalid:9092': Name or \
                 service not known (after 11ms in state CONNECT)",
                "`kafka.invalid:9092` cannot be resolved: name or service not known",
            ),
            (
                "sasl_plaintext://127.0.0.1:44403/bootstrap: SASL authentication error: \
                 Authentication failed: Invalid username or password (after 2ms in state AUTH_REQ)",
                "authentication failed: wrong user or password",
            ),
            (
                "sasl_ssl://127.0.0.1:46017/bootstrap: SASL authentication error: \
                 {\"status\":\"invalid_token\"}",
                "authentication failed: the broker does not accept the token",
            ),
            (
                "sasl_plaintext://127.0.0.1:1/bootstrap: SASL SCRAM-SHA-1 mechanism handshake \
                 failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: \
                 PLAIN,OAUTHBEARER",
                "the broker does not accept the mechanism SCRAM-SHA-1, only PLAIN, OAUTHBEARER",
            ),
            (
                "ssl://127.0.0.1:45457/bootstrap: Receive failed: error:0A000412:SSL \
                 routines::ssl/tls alert bad certificate: SSL alert number 42",
                "the TLS handshake failed: the broker requires a client certificate that it trusts",
            ),
            (
                "[thrd:127.0.0.1:1/1]: 127.0.0.1:1/1: Send failed: Broken pipe (after 1ms in state \
                 UP)",
                "the broker closed the connection at once: it may require a user",
            ),
            (
                "[thrd:127.0.0.1:1/1]: 127.0.0.1:1/1: Disconnected: connection reset by peer (after \
                 2ms in state APIVERSION_QUERY)",
                "the broker closed the connection at once: its port seems to expect TLS",
            ),
            (
                "sasl_ssl://127.0.0.1:1/1: Disconnected: connection reset by peer",
                "the broker closes the connection",
            ),
        ] {
            assert_eq!(Reason::of(seen).text, cause);
        }
    }

    /// librdkafka and kreplay's own check of the address give the same hint, whichever finds the refusal
    /// first.
    #[test]
    fn a_failing_advertised_address_comes_with_its_hint() {
        let refused = "failed: Connection refused (after 0ms in state CONNECT)";
        let hint_for = |broker: &str| {
            Reason::of(&format!(
                "{broker}: Connect to ipv4#127.0.0.1:9092 {refused}"
            ))
            .hint
        };
        assert_eq!(hint_for("127.0.0.1:9092/bootstrap"), None);
        assert_eq!(
            hint_for("127.0.0.1:9092/1").as_deref(),
            Some("see `advertised.listeners` of the brokers")
        );
    }
}
