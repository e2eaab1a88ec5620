//! Several nodes of a real Apache Kafka that replicate to each other, one of which can be killed.
//!
//! Most tests do without: one node suffices for them, and starts in a third of the time.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::metadata::{Metadata, MetadataPartition};

use super::settings::Quorum;
use super::{Kafka, KafkaOptions, Ports, StartError, distribution, metadata_client, no_port};

/// The longest that nodes may take to find each other, or to follow again after a restart.
const LIMIT: Duration = Duration::from_secs(60);

/// The settings of a test cluster: it notices a dead broker within seconds, because the test waits for its
/// successor.
const PROPERTIES: [(&str, &str); 3] = [
    ("broker.session.timeout.ms", "3000"),
    ("broker.heartbeat.interval.ms", "500"),
    ("replica.lag.time.max.ms", "3000"),
];

/// Running nodes, each broker and controller at once; dropping it ends them and removes their data.
#[derive(Debug)]
pub(crate) struct KafkaCluster {
    nodes: Vec<Kafka>,
}

impl KafkaCluster {
    /// Starts this many nodes and returns once they know each other.
    ///
    /// # Errors
    /// Returns why the nodes could not start.
    pub(crate) fn start(nodes: usize, properties: &[(&str, &str)]) -> Result<Self, String> {
        distribution::available()?;
        let libs = distribution::fetch()?;
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let options = KafkaOptions {
            properties: PROPERTIES.iter().chain(properties).map(own).collect(),
            heap_mb: Some(256),
            ..KafkaOptions::default()
        };
        let ports: Result<Vec<Ports>, _> = (0..nodes).map(|_| Ports::choose(&options)).collect();
        let ports = ports.map_err(no_port).map_err(StartError::into_text)?;
        let quorums = Quorum::of(&ports);
        // A node answers when the quorum has a leader, which takes more than one node: all at once.
        let started: Vec<Result<Kafka, StartError>> = thread::scope(|scope| {
            let begin = |(ports, quorum): (Ports, Quorum)| {
                let (options, libs) = (&options, &libs);
                scope.spawn(move || Kafka::begin(options, ports, &quorum, libs))
            };
            let starts: Vec<_> = ports.into_iter().zip(quorums).map(begin).collect();
            let join = |start: thread::ScopedJoinHandle<'_, _>| start.join();
            let ended = starts.into_iter().map(join);
            ended
                .map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        let nodes: Result<Vec<Kafka>, StartError> = started.into_iter().collect();
        let cluster = Self {
            nodes: nodes.map_err(StartError::into_text)?,
        };
        cluster.wait_until_whole()?;
        Ok(cluster)
    }

    /// The bootstrap servers, all of them.
    pub(crate) fn brokers(&self) -> String {
        let brokers: Vec<String> = self.nodes.iter().map(Kafka::brokers).collect();
        brokers.join(",")
    }

    /// One node, by its place from 0 on.
    pub(crate) fn node(&self, place: usize) -> &Kafka {
        &self.nodes[place]
    }

    /// The place of the node that leads a partition.
    ///
    /// # Errors
    /// Returns an error if the cluster does not say, or the partition has no leader.
    pub(crate) fn leader(&self, topic: &str, partition: i32) -> Result<usize, String> {
        let metadata = self.ask(Some(topic))?;
        let mut partitions = partitions(&metadata);
        let found = partitions.find(|found| found.id() == partition);
        let leader = found.map_or(-1, MetadataPartition::leader);
        // Node 1 is the first one.
        let place = usize::try_from(leader - 1);
        place.map_err(|_| format!("{topic}/{partition} has no leader"))
    }

    /// Waits until every node is up and every partition has all its replicas in sync.
    ///
    /// # Errors
    /// Returns an error if that takes too long.
    pub(crate) fn wait_until_whole(&self) -> Result<(), String> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let answer = self.ask(None);
            let is_whole = |metadata: &Metadata| {
                let in_sync = |found: &MetadataPartition| {
                    found.leader() >= 0 && found.isr().len() == found.replicas().len()
                };
                metadata.brokers().len() == self.nodes.len() && partitions(metadata).all(in_sync)
            };
            match answer {
                Ok(metadata) if is_whole(&metadata) => return Ok(()),
                _ if Instant::now() < deadline => thread::sleep(Duration::from_millis(50)),
                Ok(_) => return Err("the cluster did not become whole".to_owned()),
                Err(why) => return Err(why),
            }
        }
    }

    fn ask(&self, topic: Option<&str>) -> Result<Metadata, String> {
        let client = metadata_client(&self.brokers())?;
        client
            .fetch_metadata(topic, Duration::from_secs(5))
            .map_err(|error| format!("the cluster does not answer: {error}"))
    }
}

fn partitions(metadata: &Metadata) -> impl Iterator<Item = &MetadataPartition> {
    let topics = metadata.topics().iter();
    topics.flat_map(|topic| topic.partitions())
}
