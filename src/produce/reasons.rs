//! Why no broker could be used, in words: librdkafka tells what it saw on a socket, and most of that
//! has a cause which the user can remove.

/// What librdkafka told, put into words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) text: String,
    pub(super) hint: Option<String>,
    /// Whether trying again cannot help.
    pub(super) is_final: bool,
}

/// What librdkafka says of a cause, its name, and what to do.
const CAUSES: [(&[&str], &str, &str); 5] = [
    (
        &["connecting to a SSL listener"],
        "the broker closed the connection at once: its port seems to be one for TLS",
        "`-X security.protocol=SSL`, or SASL_SSL where a user is wanted, too",
    ),
    (
        &[
            "connecting to a PLAINTEXT broker listener",
            "wrong version number",
        ],
        "the TLS handshake failed: the broker's port seems to be one without TLS",
        "`-X security.protocol=PLAINTEXT`, or SASL_PLAINTEXT where a user is wanted",
    ),
    (
        &["certificate verify failed"],
        "the TLS handshake failed: the broker's certificate could not be verified",
        "name the authority's certificate with `-X ssl.ca.location=FILE`, and the host as the \
         broker's certificate does",
    ),
    (
        &[
            "alert bad certificate",
            "certificate required",
            "alert certificate",
            "client SSL authentication might be required",
        ],
        "the TLS handshake failed: the broker wants a client certificate that it knows",
        "`-X ssl.keystore.location=FILE` (PKCS#12) with `ssl.keystore.password`, or \
         `ssl.certificate.location` and `ssl.key.location`",
    ),
    (
        &["broker might require SASL authentication"],
        "the broker closed the connection at once: it may want a user",
        "`-X security.protocol=SASL_SSL` or SASL_PLAINTEXT, with `sasl.mechanism`, \
         `sasl.username` and `sasl.password`",
    ),
];

impl Reason {
    /// Puts librdkafka's text into words.
    pub(super) fn of(text: &str) -> Self {
        let text = bare(text);
        for (signs, cause, hint) in CAUSES {
            if signs.iter().any(|sign| text.contains(sign)) {
                return Self::last(cause.into(), Some(hint));
            }
        }
        if let Some(why) = text.strip_prefix("SASL authentication error: ") {
            return authentication(why);
        }
        if let Some((mechanism, others)) = unsupported(text) {
            return Self::last(
                format!("the broker does not take the mechanism {mechanism}, only {others}"),
                Some("choose one with `-X sasl.mechanism=...`"),
            );
        }
        let unresolved = text.strip_prefix("Failed to resolve '");
        if let Some((host, why)) = unresolved.and_then(|rest| rest.split_once("': ")) {
            let why = why.to_lowercase();
            return Self {
                text: format!("`{host}` cannot be resolved: {why}"),
                hint: None,
                is_final: false,
            };
        }
        let (text, hint) = match text {
            _ if text.ends_with("failed: Connection refused") => ("connection refused", None),
            _ if text.starts_with("Disconnected") || text.ends_with("failed: Broken pipe") => {
                let hint = "it may want another `security.protocol`: SSL, SASL_SSL, SASL_PLAINTEXT";
                ("the broker closes the connection", Some(hint))
            }
            text => (text, None),
        };
        Self {
            text: text.into(),
            hint: hint.map(str::to_owned),
            is_final: false,
        }
    }

    fn last(text: String, hint: Option<&str>) -> Self {
        Self {
            text,
            hint: hint.map(str::to_owned),
            is_final: true,
        }
    }
}

/// Without the broker that is named before and the timing that is named behind.
fn bare(text: &str) -> &str {
    let text = match text
        .strip_prefix("[thrd:")
        .and_then(|rest| rest.split_once("]: "))
    {
        Some((_, text)) => text,
        None => text,
    };
    // `sasl_ssl://host:9093/bootstrap: ...`, and without the protocol where that is plain.
    let rest = match text.split_once(": ") {
        Some((broker, rest)) if broker.contains('/') && !broker.contains(' ') => rest,
        _ => text,
    };
    rest.split(" (after ").next().unwrap_or(rest)
}

/// What a broker says when it does not believe a client; words of Apache Kafka where they are known.
fn authentication(why: &str) -> Reason {
    let user = Some("look at `sasl.username` and `sasl.password`");
    let why = why.strip_prefix("Authentication failed: ").unwrap_or(why);
    if why.contains("invalid credentials") || why.contains("Invalid username or password") {
        return Reason::last("authentication failed: wrong user or password".into(), user);
    }
    match why.contains("invalid_token") {
        true => Reason::last(
            "authentication failed: the broker does not take the token".into(),
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

    /// What librdkafka 2.12.1 said of Apache Kafka 4.2.0.
    #[test]
    fn what_librdkafka_saw_becomes_a_cause() {
        for (seen, cause) in [
            (
                "127.0.0.1:44403/bootstrap: Connect to ipv4#127.0.0.1:44403 failed: Connection \
                 refused (after 0ms in state CONNECT)",
                "connection refused",
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
                "authentication failed: the broker does not take the token",
            ),
            (
                "sasl_plaintext://127.0.0.1:1/bootstrap: SASL SCRAM-SHA-1 mechanism handshake \
                 failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: \
                 PLAIN,OAUTHBEARER",
                "the broker does not take the mechanism SCRAM-SHA-1, only PLAIN, OAUTHBEARER",
            ),
            (
                "ssl://127.0.0.1:45457/bootstrap: Receive failed: error:0A000412:SSL \
                 routines::ssl/tls alert bad certificate: SSL alert number 42",
                "the TLS handshake failed: the broker wants a client certificate that it knows",
            ),
            (
                "[thrd:127.0.0.1:1/1]: 127.0.0.1:1/1: Send failed: Broken pipe",
                "the broker closes the connection",
            ),
        ] {
            assert_eq!(Reason::of(seen).text, cause);
        }
    }
}
