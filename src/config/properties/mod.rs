//! librdkafka properties: where the user's come from, which of them would break the promise, and which are
//! secret.

pub(super) mod brokers;
mod file;
pub(crate) mod security;

use std::sync::{Arc, Mutex, PoisonError};

use self::file::FileProperties;
pub(crate) use self::file::{NoPlugins, PropertyFile, check_plugins};
pub(crate) use super::property_names::Properties;
use super::property_names::{
    PropertyPlaces, are_same, check_obeyed, last_words, take_consumers, without_prefix,
};
use super::{Idempotence, PartitionChoice};
use crate::error::Error;

/// A property whose other values would break the promise that a record reported as delivered is in the log
/// once and in order (librdkafka CONFIGURATION.md).
struct Promised {
    name: &'static str,
    keeps: fn(&str) -> bool,
    /// The values that keep the promise, in words.
    values: &'static str,
    /// `On` if the property belongs to the promise of idempotence alone, which the user may do without.
    only_with: Option<Idempotence>,
}

const fn idempotent(name: &'static str, keeps: fn(&str) -> bool, values: &'static str) -> Promised {
    let only_with = Some(Idempotence::On);
    Promised {
        name,
        keeps,
        values,
        only_with,
    }
}

const fn always(name: &'static str, keeps: fn(&str) -> bool, values: &'static str) -> Promised {
    Promised {
        name,
        keeps,
        values,
        only_with: None,
    }
}

const PROMISED: [Promised; 11] = [
    idempotent("enable.idempotence", |v| v == "true", "true"),
    idempotent("acks", is_all, "all, -1"),
    idempotent("request.required.acks", is_all, "all, -1"),
    idempotent("max.in.flight", is_1_to_5, "1 to 5"),
    idempotent("max.in.flight.requests.per.connection", is_1_to_5, "1 to 5"),
    idempotent("retries", is_positive, "1 and more"),
    idempotent("message.send.max.retries", is_positive, "1 and more"),
    idempotent("queuing.strategy", |v| v == "fifo", "fifo"),
    always("delivery.report.only.error", |v| v == "false", "false"),
    always("allow.auto.create.topics", |v| v == "false", "false"),
    always("transactional.id", |_| false, ""),
];

fn is_all(value: &str) -> bool {
    matches!(value, "all" | "-1")
}

fn is_1_to_5(value: &str) -> bool {
    value.parse().is_ok_and(|n: u32| (1..=5).contains(&n))
}

fn is_positive(value: &str) -> bool {
    value.parse().is_ok_and(|n: u64| n > 0)
}

/// The user's librdkafka properties.
#[derive(Debug)]
pub(crate) struct ResolvedProperties {
    /// Each property once, by the name under which it was last given.
    pub(crate) properties: Properties,
    /// Names of properties of consumers that a file holds, which kreplay leaves out.
    pub(crate) unused: Vec<String>,
    /// Where the properties of the file are.
    pub(crate) places: PropertyPlaces,
}

/// The properties of `file`, and after them those of `flags`.
///
/// # Errors
/// Returns [`Error::Config`] for a file that cannot be read, for properties that break the promise, and for
/// those that would have no effect.
pub(crate) fn resolve(
    file: &PropertyFile,
    flags: Properties,
    idempotence: Idempotence,
    partition: PartitionChoice,
) -> Result<ResolvedProperties, Error> {
    let FileProperties {
        mut properties,
        mut places,
    } = file.read()?;
    let unused = take_consumers(&mut properties);
    for (key, value) in flags {
        let key = without_prefix(&key);
        places.forget(&key);
        properties.push((key, value));
    }
    let properties = last_words(properties);
    check_promise(&properties, &places, idempotence)?;
    check_obeyed(&properties, &places, partition)?;
    Ok(ResolvedProperties {
        properties,
        unused,
        places,
    })
}

fn check_promise(
    properties: &Properties,
    places: &PropertyPlaces,
    idempotence: Idempotence,
) -> Result<(), Error> {
    if idempotence == Idempotence::Off
        && value(properties, "enable.idempotence").is_some_and(|v| v.eq_ignore_ascii_case("true"))
    {
        let message = "`--no-idempotence` and `enable.idempotence=true` contradict each other";
        return Err(Error::config(message));
    }
    for (key, value) in properties {
        let Some(promised) = PROMISED.iter().find(|promised| promised.name == key) else {
            continue;
        };
        let applies = promised.only_with.is_none_or(|with| with == idempotence);
        if !applies || (promised.keeps)(value.trim().to_ascii_lowercase().as_str()) {
            continue;
        }
        let hint = match promised.values {
            "" => format!("leave `{key}` out"),
            values => format!("leave it out, or set it to {values}"),
        };
        let hint = match promised.only_with {
            Some(_) => format!("{hint}; `--no-idempotence` replays without it"),
            None => hint,
        };
        return Err(Error::Config {
            message: format!(
                "{}`{key}={value}` would break kreplay's promise that every record delivered is in \
                 the log once and in order",
                places.before(key)
            ),
            hint: Some(hint),
        });
    }
    Ok(())
}

/// The last value of a property, by whatever name it was set.
pub(crate) fn value<'a>(properties: &'a Properties, name: &str) -> Option<&'a str> {
    let set = properties.iter().rev();
    let mut set = set.filter(|(known, _)| are_same(known, name));
    set.next().map(|(_, value)| value.as_str())
}

/// Parts of the names of properties whose values are secret. There are more than librdkafka has today, to
/// cover those that it may gain.
const SECRET_PARTS: [&str; 8] = [
    "password",
    "secret",
    "token",
    "key.pem",
    "certificate.pem",
    "oauthbearer.config",
    "assertion.private.key",
    "passphrase",
];
/// Properties that match but are not secret.
const NO_SECRETS: [&str; 2] = [
    "sasl.oauthbearer.token.endpoint.url",
    "sasl.oauthbearer.assertion.private.key.file",
];
/// Hiding shorter values would protect nothing, and would hide half of every text.
const SHORTEST_SECRET: usize = 3;

pub(crate) fn is_secret(name: &str) -> bool {
    !NO_SECRETS.contains(&name) && SECRET_PARTS.iter().any(|part| name.contains(part))
}

/// What must not appear in any output; shared, because new tokens arrive during a run.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<Mutex<Vec<String>>>);

impl Secrets {
    /// The values of those `properties` that are secret.
    pub(crate) fn of(properties: &Properties) -> Self {
        let secrets = Self::default();
        let secret = properties.iter().filter(|(name, _)| is_secret(name));
        secret.for_each(|(_, value)| secrets.add(value));
        secrets
    }

    /// Hides `secret` from now on, and each of its lines and parts.
    pub(crate) fn add(&self, secret: &str) {
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = secret.split([' ', '\n', '\r', '\t', '"', ',']);
        let parts = parts.filter(|part| part.len() > 2 * SHORTEST_SECRET);
        for text in [secret, secret.trim()].into_iter().chain(parts) {
            if text.len() >= SHORTEST_SECRET && !secrets.iter().any(|known| known == text) {
                secrets.push(text.into());
            }
        }
        // A secret that is part of another one must not leave the rest of it visible.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// `text` without the secrets.
    pub(crate) fn hide(&self, text: &str) -> String {
        let secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hidden = |text: String, secret: &String| match text.contains(secret.as_str()) {
            true => text.replace(secret.as_str(), "[hidden]"),
            false => text,
        };
        secrets.iter().fold(text.into(), hidden)
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_that_is_part_of_the_property_name_stays() {
        for (key, expected) in [
            ("topic.acks", "acks"),
            (
                "topic.metadata.propagation.max.ms",
                "topic.metadata.propagation.max.ms",
            ),
            (
                "topic.metadata.refresh.sparse",
                "topic.metadata.refresh.sparse",
            ),
            ("topic.blacklist", "topic.blacklist"),
        ] {
            assert_eq!(without_prefix(key), expected);
        }
    }

    #[test]
    fn a_property_that_breaks_a_guarantee_is_refused_with_a_hint() {
        let check = |key: &str, value: &str, idempotence| {
            check_promise(
                &vec![(key.into(), value.into())],
                &PropertyPlaces::default(),
                idempotence,
            )
        };
        let error = check("retries", "0", Idempotence::On).expect_err("no retries");
        assert_eq!(
            (error.to_string().as_str(), error.hint().as_deref()),
            (
                "`retries=0` would break kreplay's promise that every record delivered is in the \
                 log once and in order",
                Some(
                    "leave it out, or set it to 1 and more; \
                     `--no-idempotence` replays without it"
                )
            )
        );
        for (key, value) in [("acks", "1"), ("max.in.flight", "6"), ("retries", "0")] {
            assert_eq!(check(key, value, Idempotence::Off), Ok(()), "{key}");
        }
        assert!(check("delivery.report.only.error", "true", Idempotence::Off).is_err());
    }

    #[test]
    fn secrets_are_hidden_wherever_they_occur() {
        let properties = [
            ("sasl.username", "alice"),
            ("sasl.password", "hunter2"),
            (
                "ssl.key.pem",
                "-----BEGIN-----\nMIIEvQIBADANBgkq\n-----END-----",
            ),
            ("ssl.key.password", "a"),
        ];
        let secrets = Secrets::of(&properties.map(|(k, v)| (k.into(), v.into())).to_vec());
        secrets.add("hunter2-and-more");
        let text = "alice hunter2, hunter2-and-more: MIIEvQIBADANBgkq";
        assert_eq!(secrets.hide(text), "alice [hidden], [hidden]: [hidden]");
    }

    #[test]
    fn every_secret_property_of_librdkafka_is_treated_as_secret() {
        for secret in [
            "sasl.password",
            "ssl.key.password",
            "ssl.keystore.password",
            "ssl.key.pem",
            "sasl.oauthbearer.client.secret",
            "sasl.oauthbearer.config",
            "sasl.oauthbearer.client.credentials.client.secret",
            "sasl.oauthbearer.assertion.private.key.pem",
            "sasl.oauthbearer.assertion.private.key.passphrase",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
        for open in ["sasl.username", "ssl.key.location", "sasl.mechanism"] {
            assert!(!is_secret(open), "{open}");
        }
    }
}
