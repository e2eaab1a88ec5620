//! The librdkafka properties that every client of kreplay has, and what it means when librdkafka refuses
//! one.

use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;

use crate::config::properties::{is_secret, security};
use crate::config::property_names::PropertyPlaces;
use crate::error::Error;

/// Properties of the connection, each with the reason why it differs from its default; the user's win.
pub(crate) const CONNECTION: [(&str, &str); 8] = [
    ("client.id", "kreplay"),
    // Asking for a misspelt topic must not create it.
    ("allow.auto.create.topics", "false"),
    // With the default of 10 s, records wait for long after a broker has come back.
    ("reconnect.backoff.max.ms", "500"),
    ("socket.connection.setup.timeout.ms", "10000"),
    ("socket.keepalive.enable", "true"),
    // Vendored OpenSSL would look in /usr/local/ssl.
    ("ssl.ca.location", "probe"),
    // A broker that hangs up shows what it expects; kreplay says so once, in its own words.
    ("log.connection.close", "true"),
    ("socket.nagle.disable", "true"),
];

/// Names the property; its value may be a secret.
pub(crate) fn refused_setting(
    config: &ClientConfig,
    places: &PropertyPlaces,
    error: &KafkaError,
) -> Error {
    match error {
        KafkaError::ClientConfig(_, reason, key, value) => {
            // librdkafka quotes a value; hiding a short secret that is not in quotes would take letters out
            // of words.
            let reason = match is_secret(key) && !value.is_empty() {
                true => reason.replace(&format!("\"{value}\""), "\"[hidden]\""),
                false => reason.clone(),
            };
            Error::config(format!(
                "{}librdkafka does not accept the property `{key}`: {reason}",
                places.before(key)
            ))
        }
        KafkaError::ClientCreation(text) => {
            let explained = security::explain(|name| config.get(name), text);
            let unexplained =
                || Error::config(format!("librdkafka does not accept the settings: {text}"));
            explained.unwrap_or_else(unexplained)
        }
        other => Error::config(format!(
            "librdkafka does not accept the settings: {}",
            other_words(other)
        )),
    }
}

fn other_words(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientCreation(reason) => reason.clone(),
        other => other.to_string(),
    }
}
