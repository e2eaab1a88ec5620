//! librdkafka's properties of the producer: kreplay's defaults, which the user's properties override.

use std::time::Duration;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};

use crate::cluster::settings::CONNECTION;
use crate::config::property_names::are_same;
use crate::config::{Cluster, Destination, Idempotence, Timing, Verbosity};
use crate::produce::connection::timeouts::{self, TimeOuts};

/// The producer's properties besides those of every client, each with the reason why it differs from librdkafka's
/// default.
const SETTINGS: [(&str, &str); 6] = [
    // acks=all, at most 5 requests in flight, retries that neither reorder nor duplicate.
    ("enable.idempotence", "true"),
    // Java's placement; librdkafka's own default is CRC32.
    ("partitioner", "murmur2_random"),
    // Flat out, larger batches cost less than waiting for them does.
    ("linger.ms", "20"),
    ("compression.type", "lz4"),
    // The in-flight budget is the bound that counts; these only have to be above it.
    ("queue.buffering.max.messages", "200000"),
    ("queue.buffering.max.kbytes", "262144"),
];

/// How long librdkafka, after it has met a topic, does not believe an answer that lacks the topic, in milliseconds.
/// This is the longest that it can count, because the product with 1000 has to fit into 32 bits
/// (rd_kafka_topic_set_notexists). After that time, librdkafka would give up at once what it holds for the topic,
/// even what a broker may have in its log; and a broker that has just started may answer before it knows its
/// topics.
const LONGEST_PROPAGATION_MS: &str = "2147483";

/// The properties that differ if records have a due time: they must not wait for others then.
const TIMED: [(&str, &str); 2] = [
    ("linger.ms", "1"),
    // How long records without a key go to one partition; the default is 10.
    ("sticky.partitioning.linger.ms", "2"),
];

/// Properties of a real cluster that a rehearsal does without.
const CLUSTER_ONLY: [&str; 3] = ["security.protocol", "sasl.", "ssl."];

/// How many brokers a rehearsal has. With only one, librdkafka would go through all partitions for each request, as
/// it does for each broker of a cluster with the partitions of that broker.
pub(in crate::produce) const REHEARSAL_BROKERS: i32 = 32;

/// The properties of every producer of the run, except for its sizes.
pub(super) fn settings(
    destination: &Destination,
    timing: &Timing,
    verbosity: Verbosity,
) -> ClientConfig {
    let mut config = ClientConfig::new();
    let timed: &[(&str, &str)] = if timing.is_timed() { &TIMED } else { &[] };
    for (key, value) in CONNECTION.iter().chain(&SETTINGS).chain(timed).copied() {
        config.set(key, value);
    }
    match destination.idempotence {
        Idempotence::On => config.set("topic.metadata.propagation.max.ms", LONGEST_PROPAGATION_MS),
        // librdkafka then times out each record by itself: if a topic is gone, every window of its records would
        // take as long as this.
        Idempotence::Off => config.set("enable.idempotence", "false"),
    };
    let rehearsal = destination.cluster == Cluster::Rehearsal;
    for (key, value) in &destination.properties {
        if !(rehearsal && CLUSTER_ONLY.iter().any(|start| key.starts_with(start))) {
            // librdkafka gets each property once: the crate hands them over in no order.
            let defaults = CONNECTION.iter().chain(&SETTINGS);
            for (default, _) in defaults.filter(|(name, _)| are_same(name, key)) {
                config.remove(default);
            }
            config.set(key, value);
        }
    }
    match &destination.cluster {
        Cluster::Brokers(brokers) => config.set("bootstrap.servers", brokers),
        Cluster::Rehearsal => config.set("test.mock.num.brokers", REHEARSAL_BROKERS.to_string()),
    };
    config.set_log_level(match verbosity {
        Verbosity::Verbose => RDKafkaLogLevel::Debug,
        // Not shown; it says why brokers hang up.
        Verbosity::Normal | Verbosity::Quiet => RDKafkaLogLevel::Info,
    });
    config
}

/// Switches librdkafka's `message.timeout.ms` off where kreplay watches it itself (see `ages.rs`). Returns how long
/// a record may then wait, if that is limited.
pub(super) fn watch_time(config: &mut ClientConfig, destination: &Destination) -> Option<Duration> {
    if TimeOuts::of(destination) == TimeOuts::Librdkafka {
        return None;
    }
    for name in timeouts::TIMEOUT_NAMES {
        config.remove(name);
    }
    config.set(timeouts::TIMEOUT_NAMES[0], "0");
    timeouts::limit_of(&destination.properties)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;
    use crate::config::Config;

    /// librdkafka's value for `name` after kreplay has set everything.
    fn effective(words: &[&str], name: &str) -> String {
        let words = [&["kreplay", "replay", "x", "-b", "x:1"], words].concat();
        let cli = Cli::try_parse_from(words).expect("the flags are known");
        let config = Config::from_cli(cli).expect("a sound configuration");
        let config = settings(&config.destination, &config.timing, Verbosity::Normal);
        let native = config.create_native_config();
        let native = native.expect("librdkafka takes the settings");
        native.get(name).expect("the property is known")
    }

    #[test]
    fn a_topic_is_kept_that_a_starting_broker_does_not_know() {
        let name = "topic.metadata.propagation.max.ms";
        let ms: i32 = effective(&[], name).parse().expect("a number");
        // The 30 s of librdkafka's default are over early in a replay.
        assert!(ms > 30 * 60 * 1000);
        assert!(ms.checked_mul(1000).is_some(), "librdkafka's microseconds");
        let set = format!("{name}=5000");
        assert_eq!(effective(&["-X", &set], name), "5000");
        assert_eq!(effective(&["--no-idempotence"], name), "30000");
    }

    #[test]
    fn the_users_last_setting_wins_over_the_defaults_under_any_alias() {
        assert_eq!(effective(&[], "compression.codec"), "lz4");
        for (words, name, expected) in [
            (
                &["-X", "compression.codec=gzip"][..],
                "compression.codec",
                "gzip",
            ),
            (
                &["-X", "compression.type=gzip"],
                "compression.codec",
                "gzip",
            ),
            (&["-X", "queue.buffering.max.ms=7"], "linger.ms", "7"),
            (
                &["-X", "linger.ms=7", "-X", "queue.buffering.max.ms=8"],
                "linger.ms",
                "8",
            ),
            (
                &["-X", "queue.buffering.max.ms=8", "-X", "linger.ms=7"],
                "linger.ms",
                "7",
            ),
            (&[], "linger.ms", "20"),
            (&["--rate", "5"], "linger.ms", "1"),
            (&["--speed", "2x"], "sticky.partitioning.linger.ms", "2"),
            (
                &["--speed", "2x", "-X", "queue.buffering.max.ms=8"],
                "linger.ms",
                "8",
            ),
        ] {
            // The crate's map has another order each time.
            for _ in 0..20 {
                assert_eq!(effective(words, name), expected, "{words:?}");
            }
        }
    }
}
