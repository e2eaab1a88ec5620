//! The guard against the wrong target: records are not replayed into the cluster that they were
//! captured from, unless the user says so.

use std::collections::BTreeSet;

use rdkafka::metadata::{Metadata, MetadataBroker};

use crate::record::CapturedFrom;

/// Kafka's port, where none is named (librdkafka, `bootstrap.servers`).
const DEFAULT_PORT: u16 = 9092;
/// Names of this machine, which are one host.
const LOCALHOST: [&str; 4] = ["localhost", "localhost.localdomain", "127.0.0.1", "::1"];

/// By what the destination is known again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    cluster_id: Option<String>,
    brokers: BTreeSet<(String, u16)>,
    /// How many brokers the cluster has.
    pub(super) broker_count: usize,
    /// The id of one of them.
    pub(super) any_broker: Option<i32>,
}

impl Known {
    /// Of the cluster at `bootstrap`, which answered with `metadata`.
    pub(super) fn of(bootstrap: &str, metadata: &Metadata) -> Self {
        let named = bootstrap.split(',').filter_map(address);
        let advertised = metadata.brokers().iter().filter_map(|broker| {
            let port = u16::try_from(broker.port()).ok()?;
            Some((host(broker.host()), port))
        });
        Self {
            cluster_id: None,
            brokers: named.chain(advertised).collect(),
            broker_count: metadata.brokers().len(),
            any_broker: metadata.brokers().first().map(MetadataBroker::id),
        }
    }

    pub(super) fn with_cluster_id(self, cluster_id: Option<String>) -> Self {
        Self { cluster_id, ..self }
    }

    pub(super) fn cluster_id(&self) -> Option<&str> {
        self.cluster_id.as_deref()
    }

    /// What the destination and the captured cluster have in common, in words; none when they differ.
    pub(super) fn shares(&self, captured: &CapturedFrom) -> Option<String> {
        match captured {
            CapturedFrom::Cluster(id) => {
                (self.cluster_id.as_ref() == Some(id)).then(|| format!("the cluster id `{id}`"))
            }
            CapturedFrom::Broker(text) => address(text)
                .is_some_and(|broker| self.brokers.contains(&broker))
                .then(|| format!("the broker `{text}`")),
        }
    }
}

/// `HOST:PORT`, also with a protocol before it, as `bootstrap.servers` allows.
fn address(text: &str) -> Option<(String, u16)> {
    let text = text.trim();
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let is_bare_v6 = !text.starts_with('[') && text.matches(':').count() > 1;
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !is_bare_v6 && !port.ends_with(']') => (name, port.parse().ok()?),
        _ => (text, DEFAULT_PORT),
    };
    (!name.is_empty()).then(|| (host(name), port))
}

/// One spelling for one host.
fn host(name: &str) -> String {
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    match LOCALHOST.contains(&name.as_str()) {
        true => "localhost".into(),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(brokers: &[&str]) -> Known {
        Known {
            cluster_id: Some("abc".into()),
            brokers: brokers.iter().filter_map(|text| address(text)).collect(),
            broker_count: 1,
            any_broker: None,
        }
    }

    #[test]
    fn a_broker_is_known_again_however_it_is_written() {
        let destination = identity(&["Kafka-0.example.:9092", "SSL://127.0.0.1:9093", "[::1]"]);
        for (captured, shared) in [
            ("kafka-0.EXAMPLE:9092", true),
            ("kafka-0.example", true),
            ("kafka-0.example:9093", false),
            ("kafka-1.example:9092", false),
            ("localhost:9093", true),
            ("[::1]:9092", true),
            ("127.0.0.1:9094", false),
            ("kafka-0.example:port", false),
            ("", false),
        ] {
            let broker = CapturedFrom::Broker(captured.into());
            let expected = shared.then(|| format!("the broker `{captured}`"));
            assert_eq!(destination.shares(&broker), expected, "{captured}");
        }
    }

    #[test]
    fn a_cluster_is_known_by_its_id() {
        let destination = identity(&[]);
        let id = |id: &str| CapturedFrom::Cluster(id.into());
        let shared = Some("the cluster id `abc`".to_string());
        assert_eq!(destination.shares(&id("abc")), shared);
        assert_eq!(destination.shares(&id("ABC")), None);
    }
}
