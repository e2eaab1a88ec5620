//! The guard against the wrong target: kreplay does not replay records into the cluster that they were
//! captured from, unless the user asks for it.
//!
//! Cluster ids decide if both are known. Otherwise a broker address in common does, unless it is a loopback
//! address: `localhost:9092` of a developer's machine is not the `localhost:9092` that a capture was made at.
//! A common loopback address is only worth a note.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::native::Metadata;
use crate::record::CapturedFrom;

/// Kafka's port, for addresses without one (librdkafka, `bootstrap.servers`).
const DEFAULT_PORT: u16 = 9092;
/// Names that a machine has for itself (those for IPv6 are from Debian's `/etc/hosts`).
const LOCALHOST: [&str; 4] = [
    LOOPBACK,
    "localhost.localdomain",
    "ip6-localhost",
    "ip6-loopback",
];
/// The spelling that replaces all of them.
const LOOPBACK: &str = "localhost";

/// What identifies the destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ClusterIdentity {
    cluster_id: Option<String>,
    brokers: BTreeSet<(String, u16)>,
    /// How many brokers the cluster has.
    pub(crate) broker_count: usize,
    /// The id of one of them.
    pub(crate) any_broker: Option<i32>,
}

impl ClusterIdentity {
    /// Identifies the cluster at `bootstrap`, which answered with `metadata`.
    pub(crate) fn of(bootstrap: &str, metadata: &Metadata) -> Self {
        let named = bootstrap.split(',').filter_map(address);
        let advertised = metadata.brokers.iter().filter_map(|broker| {
            let port = u16::try_from(broker.port).ok()?;
            Some((host(&broker.host), port))
        });
        Self {
            cluster_id: None,
            brokers: named.chain(advertised).collect(),
            broker_count: metadata.brokers.len(),
            any_broker: metadata.brokers.first().map(|broker| broker.id),
        }
    }

    pub(crate) fn with_cluster_id(self, cluster_id: Option<String>) -> Self {
        Self { cluster_id, ..self }
    }

    pub(crate) fn cluster_id(&self) -> Option<&str> {
        self.cluster_id.as_deref()
    }

    fn has_broker(&self, address: &(String, u16)) -> bool {
        self.brokers.contains(address)
    }
}

/// What the capture has shown of its cluster so far, compared with the destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ClusterComparison {
    /// The cluster id, if both have the same.
    same_id: Option<String>,
    /// Whether the capture has shown an id that is not the destination's.
    has_other_id: bool,
    /// A broker that both have, at an address that means the same everywhere.
    broker: Option<String>,
    /// A broker that both have, at a loopback address.
    loopback: Option<String>,
    has_noted: bool,
}

impl ClusterComparison {
    /// Compares one more thing that the capture shows.
    pub(crate) fn look_at(&mut self, destination: &ClusterIdentity, captured: &CapturedFrom) {
        match captured {
            CapturedFrom::Cluster(id) => match &destination.cluster_id {
                Some(own) if own == id => self.same_id = Some(id.clone()),
                Some(_) => self.has_other_id = true,
                None => {}
            },
            CapturedFrom::Broker(text) => {
                let shared = address(text).filter(|broker| destination.has_broker(broker));
                let Some((host, _)) = shared else {
                    return;
                };
                let found = match is_loopback(&host) {
                    true => &mut self.loopback,
                    false => &mut self.broker,
                };
                found.get_or_insert_with(|| text.clone());
            }
        }
    }

    /// Says what shows that the destination is the captured cluster; `None` if it is another cluster, or if
    /// nothing shows that it is the same.
    pub(crate) fn shared(&self) -> Option<String> {
        if let Some(id) = &self.same_id {
            return Some(format!("the cluster id `{id}`"));
        }
        let broker = self.broker.as_ref().filter(|_| !self.has_other_id);
        broker.map(|broker| format!("the broker `{broker}`"))
    }

    /// Takes what is worth a note although it proves nothing; each note is given once.
    pub(crate) fn take_note(&mut self) -> Option<String> {
        let is_due = !self.has_other_id && !self.has_noted;
        let loopback = self.loopback.as_ref().filter(|_| is_due)?;
        self.has_noted = true;
        Some(format!(
            "the records were captured at `{loopback}`, an address that every machine has; kreplay \
             cannot know whether it was this cluster"
        ))
    }
}

/// Parses `HOST:PORT`, also after a protocol, as `bootstrap.servers` allows.
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

/// Gives one spelling for one host.
fn host(name: &str) -> String {
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    match is_loopback(&name) {
        true => LOOPBACK.into(),
        false => name,
    }
}

/// Whether a host name or address refers to the machine that uses it (RFC 6761, RFC 5735, RFC 4291). The
/// unspecified address does, because it refers to all addresses of that machine.
fn is_loopback(host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        let address = address.to_canonical();
        return address.is_loopback() || address.is_unspecified();
    }
    LOCALHOST.contains(&host) || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(brokers: &[&str]) -> ClusterIdentity {
        ClusterIdentity {
            cluster_id: Some("abc".into()),
            brokers: brokers.iter().filter_map(|text| address(text)).collect(),
            broker_count: 1,
            any_broker: None,
        }
    }

    fn compared(destination: &ClusterIdentity, captured: &[CapturedFrom]) -> ClusterComparison {
        let mut comparison = ClusterComparison::default();
        for captured in captured {
            comparison.look_at(destination, captured);
        }
        comparison
    }

    fn broker(address: &str) -> CapturedFrom {
        CapturedFrom::Broker(address.into())
    }

    fn cluster(id: &str) -> CapturedFrom {
        CapturedFrom::Cluster(id.into())
    }

    #[test]
    fn a_broker_is_recognised_however_its_address_is_written() {
        let destination = identity(&["Kafka-0.example.:9092", "SSL://10.0.0.7:9093", "[fe80::1]"]);
        for (captured, shared) in [
            ("kafka-0.EXAMPLE:9092", true),
            ("kafka-0.example", true),
            ("kafka-0.example:9093", false),
            ("kafka-1.example:9092", false),
            ("10.0.0.7:9093", true),
            ("[FE80::1]:9092", true),
            ("10.0.0.7:9094", false),
            ("kafka-0.example:port", false),
            ("", false),
        ] {
            let expected = shared.then(|| format!("the broker `{captured}`"));
            let comparison = compared(&destination, &[broker(captured)]);
            assert_eq!(comparison.shared(), expected, "{captured}");
        }
    }

    #[test]
    fn a_loopback_address_gives_one_note_and_no_refusal() {
        let destination = identity(&["127.0.0.1:9092"]);
        for captured in [
            "127.0.0.1:9092",
            "localhost:9092",
            "LOCALHOST",
            "[::1]:9092",
            "[::ffff:127.0.0.1]:9092",
            "127.0.1.1:9092",
            "0.0.0.0:9092",
            "kafka.localhost:9092",
            "ip6-localhost:9092",
        ] {
            let mut comparison = compared(&destination, &[broker(captured)]);
            assert_eq!(comparison.shared(), None, "{captured}");
            let note = comparison.take_note().unwrap_or_default();
            assert!(
                note.contains(&format!("`{captured}`")),
                "{captured}: {note}"
            );
            comparison.look_at(&destination, &broker(captured));
            assert_eq!(comparison.take_note(), None, "{captured}");
        }
        let mut elsewhere = compared(&destination, &[broker("localhost:9093")]);
        assert_eq!((elsewhere.shared(), elsewhere.take_note()), (None, None));
    }

    #[test]
    fn equal_cluster_ids_mean_the_same_cluster() {
        let destination = identity(&[]);
        let shared = Some("the cluster id `abc`".to_string());
        assert_eq!(compared(&destination, &[cluster("abc")]).shared(), shared);
        assert_eq!(compared(&destination, &[cluster("ABC")]).shared(), None);
    }

    #[test]
    fn different_cluster_ids_mean_different_clusters_whatever_the_addresses() {
        let destination = identity(&["kafka:9092", "localhost:9092"]);
        let orders = [
            [broker("kafka:9092"), broker("localhost"), cluster("other")],
            [cluster("other"), broker("localhost"), broker("kafka:9092")],
        ];
        for captured in &orders {
            let mut comparison = compared(&destination, captured);
            assert_eq!((comparison.shared(), comparison.take_note()), (None, None));
        }
        // A capture may show two clusters, of which this is one.
        let both = compared(&destination, &[cluster("other"), cluster("abc")]);
        assert_eq!(both.shared(), Some("the cluster id `abc`".into()));
        // If the destination does not reveal its id, only addresses remain.
        let without_id = identity(&["kafka:9092"]).with_cluster_id(None);
        let by_broker = compared(&without_id, &[cluster("other"), broker("kafka:9092")]);
        assert_eq!(by_broker.shared(), Some("the broker `kafka:9092`".into()));
    }
}
