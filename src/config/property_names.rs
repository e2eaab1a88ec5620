//! The names of librdkafka's properties: those that mean the same, and those that kreplay decides itself.
//! This file is separate from `properties/`, because these are facts about librdkafka 2.12
//! (CONFIGURATION.md).

use std::collections::BTreeMap;

use super::PartitionChoice;
use crate::error::Error;

/// Names and values; the later one of a name wins.
pub(crate) type Properties = Vec<(String, String)>;

/// Aliases, each with the property that it sets.
pub(crate) const ALIASES: [(&str, &str); 11] = [
    ("acks", "request.required.acks"),
    ("bootstrap.servers", "metadata.broker.list"),
    ("compression.type", "compression.codec"),
    ("delivery.timeout.ms", "message.timeout.ms"),
    ("linger.ms", "queue.buffering.max.ms"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
    ("retries", "message.send.max.retries"),
    ("sasl.mechanism", "sasl.mechanisms"),
    (
        "sasl.oauthbearer.client.credentials.client.id",
        "sasl.oauthbearer.client.id",
    ),
    (
        "sasl.oauthbearer.client.credentials.client.secret",
        "sasl.oauthbearer.client.secret",
    ),
];

/// Properties of consumers only.
pub(crate) const CONSUMERS: [&str; 34] = [
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "check.crcs",
    "consume.callback.max.messages",
    "consume_cb",
    "coordinator.query.interval.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "fetch.error.backoff.ms",
    "fetch.max.bytes",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "fetch.queue.backoff.ms",
    "fetch.wait.max.ms",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "group.protocol.type",
    "group.remote.assignor",
    "heartbeat.interval.ms",
    "isolation.level",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "offset.store.method",
    "offset.store.path",
    "offset.store.sync.interval.ms",
    "offset_commit_cb",
    "partition.assignment.strategy",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "rebalance_cb",
    "session.timeout.ms",
];

/// Properties that librdkafka would accept but that would have no effect, each with what to use instead.
const OVERRULED: [(&str, &str); 4] = [
    (
        "log_level",
        "`-v` shows librdkafka's log, and `-X debug=...` adds to it",
    ),
    ("log.queue", "`-v` shows librdkafka's log"),
    ("enabled_events", "kreplay needs the events that it sets"),
    (
        "test.mock.num.brokers",
        "`--rehearse` sends to a broker inside this process",
    ),
];

/// Whether two names set the same property.
pub(crate) fn are_same(one: &str, other: &str) -> bool {
    one == other || aliased(one) == aliased(other)
}

fn aliased(name: &str) -> &str {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
    alias.map_or(name, |(_, aliased)| aliased)
}

/// The last value of each property, under the name by which it was given, in the order of these last
/// values.
pub(crate) fn last_words(properties: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut last: Vec<(String, String)> = Vec::new();
    for (name, value) in properties {
        last.retain(|(known, _)| !are_same(known, &name));
        last.push((name, value));
    }
    last
}

/// Where properties are in a file, by their names, so that an error can say so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PropertyPlaces(BTreeMap<String, String>);

impl PropertyPlaces {
    /// Notes that `name` is at `place`; the last of several places counts.
    pub(crate) fn note(&mut self, name: String, place: String) {
        self.0.insert(name, place);
    }

    /// Forgets `name`, which something other than the file has set.
    pub(crate) fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The beginning of an error text about `name`: `kcat.conf:3: `, or nothing.
    pub(crate) fn before(&self, name: &str) -> String {
        self.0
            .get(name)
            .map_or_else(String::new, |place| format!("{place}: "))
    }
}

/// Whether a property is one of consumers. kreplay leaves it out of a file, which consumers may read as well,
/// and names it ([`take_consumers`]); it refuses it as a flag ([`check_obeyed`]).
fn is_of_consumers(name: &str) -> bool {
    CONSUMERS.contains(&name)
}

/// Takes out the properties of consumers, which a file that consumers read as well may hold; returns their
/// names.
pub(crate) fn take_consumers(properties: &mut Vec<(String, String)>) -> Vec<String> {
    let taken = properties.extract_if(.., |(name, _)| is_of_consumers(name));
    taken.map(|(name, _)| name).collect()
}

/// # Errors
/// Returns [`Error::Config`] for a property that librdkafka would accept and kreplay would override.
pub(crate) fn check_obeyed(
    properties: &[(String, String)],
    places: &PropertyPlaces,
    partition: PartitionChoice,
) -> Result<(), Error> {
    for (name, _) in properties {
        let (message, hint) = match OVERRULED.iter().find(|(known, _)| known == name) {
            Some((_, instead)) => (
                format!("`{name}` would have no effect: kreplay sets it itself"),
                (*instead).to_string(),
            ),
            None if name == "partitioner" && partition != PartitionChoice::Any => (
                "`partitioner` would have no effect: kreplay chooses the partition".to_string(),
                "`--partition any` leaves the choice to librdkafka".to_string(),
            ),
            None if is_of_consumers(name) => (
                format!("`{name}` would have no effect: it is a property of consumers"),
                "leave it out: kreplay only produces".to_string(),
            ),
            None => continue,
        };
        return Err(Error::Config {
            message: format!("{}{message}", places.before(name)),
            hint: Some(hint),
        });
    }
    Ok(())
}

/// kcat marks topic properties with a prefix; librdkafka finds them without it. A few global properties
/// have the same prefix as a part of their names (librdkafka, CONFIGURATION.md).
pub(super) fn without_prefix(key: &str) -> String {
    let is_whole = ["topic.metadata.", "topic.blacklist"];
    if is_whole.iter().any(|whole| key.starts_with(whole)) {
        return key.to_string();
    }
    key.strip_prefix("topic.").unwrap_or(key).to_string()
}

#[cfg(test)]
mod tests {
    use rdkafka::ClientConfig;

    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        owned.collect()
    }

    #[test]
    fn every_alias_sets_the_property_that_our_table_names() {
        for (alias, aliased) in ALIASES {
            let value = match alias {
                "acks" | "max.in.flight" => "3",
                "compression.type" => "gzip",
                "sasl.mechanism" => "PLAIN",
                _ => "12345",
            };
            let mut config = ClientConfig::new();
            let native = config.set(alias, value).create_native_config();
            match native {
                Ok(native) => assert_eq!(native.get(aliased).as_deref(), Ok(value), "{alias}"),
                // Not built in: librdkafka names the property that the alias would set.
                Err(error) => {
                    let named = format!("Configuration property \"{aliased}\" not supported");
                    assert!(error.to_string().contains(&named), "{alias}: {error}");
                }
            }
        }
    }

    #[test]
    fn the_last_setting_wins_under_any_alias() {
        let given = [
            ("compression.codec", "gzip"),
            ("linger.ms", "1"),
            ("compression.type", "zstd"),
            ("queue.buffering.max.ms", "2"),
            ("acks", "1"),
            ("acks", "all"),
        ];
        let expected = [
            ("compression.type", "zstd"),
            ("queue.buffering.max.ms", "2"),
            ("acks", "all"),
        ];
        assert_eq!(last_words(pairs(&given)), pairs(&expected));
    }

    #[test]
    fn a_property_that_kreplay_would_override_is_refused() {
        let check = |name: &str, partition| {
            check_obeyed(
                &pairs(&[(name, "x")]),
                &PropertyPlaces::default(),
                partition,
            )
        };
        for (name, _) in OVERRULED {
            assert!(check(name, PartitionChoice::Any).is_err(), "{name}");
        }
        for partition in [
            PartitionChoice::Auto,
            PartitionChoice::Key,
            PartitionChoice::Keep,
        ] {
            let error = check("partitioner", partition).expect_err("kreplay chooses");
            let hint = "`--partition any` leaves the choice to librdkafka";
            assert_eq!(error.hint().as_deref(), Some(hint));
        }
        for name in ["group.id", "auto.offset.reset", "max.partition.fetch.bytes"] {
            let error = check(name, PartitionChoice::Auto).expect_err("kreplay is no consumer");
            let said = format!("`{name}` would have no effect: it is a property of consumers");
            assert_eq!(error.to_string(), said);
        }
        assert_eq!(check("partitioner", PartitionChoice::Any), Ok(()));
        assert_eq!(check("linger.ms", PartitionChoice::Auto), Ok(()));
    }
}
