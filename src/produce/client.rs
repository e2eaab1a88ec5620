//! The connection: librdkafka's settings, the thread that polls it, and what the cluster says of
//! topics before anything is sent to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::Producer as _;
use rdkafka::types::RDKafkaErrorCode;
use tokio::runtime::Handle;

use super::Job;
use super::control::Control;
use super::delivery::Deliveries;
use super::native::Client;
use crate::config::{Cluster, Destination, Verbosity};
use crate::error::Error;

/// librdkafka properties, each with why it is not left at its default; the user's win.
const SETTINGS: [(&str, &str); 14] = [
    ("client.id", "kreplay"),
    // acks=all, at most 5 requests in flight, retries that neither reorder nor duplicate.
    ("enable.idempotence", "true"),
    // Java's placement; librdkafka's own default is CRC32.
    ("partitioner", "murmur2_random"),
    // A look at a misspelt topic must not create it.
    ("allow.auto.create.topics", "false"),
    // The default of 10 s makes records wait long after a broker came back.
    ("reconnect.backoff.max.ms", "500"),
    // Flat out, larger batches cost less than waiting for them does.
    ("linger.ms", "20"),
    ("compression.type", "lz4"),
    // The window in delivery.rs is the bound that counts; these only have to be above it.
    ("queue.buffering.max.messages", "200000"),
    ("queue.buffering.max.kbytes", "262144"),
    ("socket.connection.setup.timeout.ms", "10000"),
    ("socket.keepalive.enable", "true"),
    // Vendored OpenSSL would look in /usr/local/ssl.
    ("ssl.ca.location", "probe"),
    // Trouble is told once by kreplay, in its own words.
    ("log.connection.close", "false"),
    ("socket.nagle.disable", "true"),
];
/// Properties that belong to a real cluster and not to the rehearsal's.
const CLUSTER_ONLY: [&str; 3] = ["security.protocol", "sasl.", "ssl."];
/// How long a cluster may take to answer for the first time.
const CONNECT_LIMIT: Duration = Duration::from_secs(8);
/// How long refused connections are tried again: a broker may just be starting.
const REFUSED_LIMIT: Duration = Duration::from_secs(3);
/// One question to the cluster; short, so that an interruption is noticed.
const ASK_LIMIT: Duration = Duration::from_millis(1000);
/// How long new topics may take to show up.
const CREATE_LIMIT: Duration = Duration::from_secs(15);

/// A producer with its polling thread.
pub(super) struct Connection {
    pub(super) client: Arc<Client>,
    pub(super) brokers: String,
    cluster: Cluster,
    config: ClientConfig,
    runtime: Handle,
    polling: Option<JoinHandle<()>>,
    stop_polling: Arc<AtomicBool>,
}

/// What the cluster says of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TopicState {
    Missing,
    /// With this many partitions.
    Present(i32),
}

impl Connection {
    /// Makes the producer; nothing is known of the brokers yet.
    ///
    /// # Errors
    /// [`Error::Config`] for properties that librdkafka does not take.
    pub(super) fn open(job: &Job) -> Result<Self, Error> {
        let destination = &job.destination;
        let config = settings(destination, job.verbosity);
        let deliveries = Deliveries::new(job.console.clone(), job.counters.clone());
        let client: Client = config
            .create_with_context(deliveries)
            .map_err(|e| refused_setting(&e))?;
        let client = Arc::new(client);
        let brokers = match &destination.cluster {
            Cluster::Brokers(brokers) => brokers.clone(),
            Cluster::Rehearsal => mock(&client)?.bootstrap_servers(),
        };
        let stop_polling = Arc::new(AtomicBool::new(false));
        let polling = thread::spawn({
            let (client, stop) = (client.clone(), stop_polling.clone());
            move || {
                while !stop.load(Ordering::Relaxed) {
                    // The crate's poll returns at its deadline, not at the first event.
                    client.poll(Duration::from_millis(10));
                }
            }
        });
        Ok(Self {
            client,
            brokers,
            cluster: destination.cluster.clone(),
            config,
            runtime: Handle::current(),
            polling: Some(polling),
            stop_polling,
        })
    }

    pub(super) fn deliveries(&self) -> &Deliveries {
        self.client.context()
    }

    /// Waits until a broker answers.
    ///
    /// # Errors
    /// [`Error::Unreachable`] with the reason that librdkafka gives, within seconds.
    pub(super) fn check_reachable(&self, control: &Control) -> Result<(), Error> {
        let started = Instant::now();
        loop {
            // The name of no topic asks about the brokers alone.
            let asked = self.client.client().fetch_metadata(Some(""), ASK_LIMIT);
            let error = match asked {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            let troubles = self.deliveries().troubles();
            let hopeless = troubles.authentication.is_some()
                || (troubles.all_down && started.elapsed() > REFUSED_LIMIT)
                || started.elapsed() > CONNECT_LIMIT;
            if hopeless || control.is_stopping() {
                let reason = troubles.authentication.or(troubles.connection);
                let reason = reason.unwrap_or_else(|| words(&error));
                // librdkafka adds its timing: `(after 0ms in state CONNECT, ...)`.
                let reason = reason
                    .split(" (after ")
                    .next()
                    .unwrap_or_default()
                    .to_string();
                return Err(Error::Unreachable {
                    brokers: self.brokers.clone(),
                    reason,
                });
            }
            if !troubles.all_down {
                continue;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// What the cluster says of `topic`.
    ///
    /// # Errors
    /// [`Error::TopicRefused`] when it says nothing, or that we may not know.
    pub(super) fn topic_state(&self, topic: &str, control: &Control) -> Result<TopicState, Error> {
        let refused = |reason| Error::TopicRefused {
            topic: topic.into(),
            action: "look at",
            reason,
        };
        let started = Instant::now();
        loop {
            let code = match self.client.client().fetch_metadata(Some(topic), ASK_LIMIT) {
                Ok(metadata) => {
                    let Some(found) = metadata.topics().iter().find(|found| found.name() == topic)
                    else {
                        return Ok(TopicState::Missing);
                    };
                    match found.error().map(RDKafkaErrorCode::from) {
                        None if !found.partitions().is_empty() => {
                            let partitions = i32::try_from(found.partitions().len());
                            return Ok(TopicState::Present(partitions.unwrap_or(i32::MAX)));
                        }
                        None => RDKafkaErrorCode::LeaderNotAvailable,
                        Some(code) => code,
                    }
                }
                Err(error) => error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail),
            };
            match code {
                RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => {
                    return Ok(TopicState::Missing);
                }
                RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::InvalidTopic => {
                    return Err(refused(code_words(code)));
                }
                _ if started.elapsed() > CONNECT_LIMIT || control.is_stopping() => {
                    return Err(refused(code_words(code)));
                }
                _ => thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Creates `topic` with `partitions` and waits until it can be written to.
    ///
    /// # Errors
    /// [`Error::TopicRefused`] with the cluster's reason.
    pub(super) fn create_topic(
        &self,
        topic: &str,
        partitions: i32,
        control: &Control,
    ) -> Result<(), Error> {
        let refused = |reason| Error::TopicRefused {
            topic: topic.into(),
            action: "create",
            reason,
        };
        match self.cluster {
            Cluster::Rehearsal => {
                let created = mock(&self.client)?.create_topic(topic, partitions, 1);
                created.map_err(|e| refused(words(&e)))?;
            }
            Cluster::Brokers(_) => {
                let new = [NewTopic::new(
                    topic,
                    partitions,
                    TopicReplication::Fixed(-1),
                )];
                let admin = self.admin()?;
                let results = self
                    .runtime
                    .block_on(admin.create_topics(&new, &admin_options()));
                let result = results.map_err(|e| refused(words(&e)))?.into_iter().next();
                match result {
                    // Somebody else was faster: as good.
                    Some(Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists))) | None => {}
                    Some(Err((_, code))) => return Err(refused(code_words(code))),
                }
            }
        }
        self.wait_for_partitions(topic, partitions, control)
    }

    /// Gives `topic`, which this run has created, more partitions; `false` when it cannot have more.
    ///
    /// # Errors
    /// [`Error::TopicRefused`] with the cluster's reason.
    pub(super) fn grow_topic(
        &self,
        topic: &str,
        partitions: i32,
        control: &Control,
    ) -> Result<bool, Error> {
        let refused = |reason| Error::TopicRefused {
            topic: topic.into(),
            action: "add partitions to",
            reason,
        };
        if self.cluster == Cluster::Rehearsal {
            return Ok(false);
        }
        let count = usize::try_from(partitions).unwrap_or(usize::MAX);
        let new = [NewPartitions::new(topic, count)];
        let admin = self.admin()?;
        let results = self
            .runtime
            .block_on(admin.create_partitions(&new, &admin_options()));
        if let Some(Err((_, code))) = results.map_err(|e| refused(words(&e)))?.into_iter().next() {
            return Err(refused(code_words(code)));
        }
        self.wait_for_partitions(topic, partitions, control)?;
        Ok(true)
    }

    fn wait_for_partitions(
        &self,
        topic: &str,
        partitions: i32,
        control: &Control,
    ) -> Result<(), Error> {
        let started = Instant::now();
        loop {
            if let TopicState::Present(present) = self.topic_state(topic, control)?
                && present >= partitions
            {
                return Ok(());
            }
            if started.elapsed() > CREATE_LIMIT || control.is_stopping() {
                let reason = "it was created and does not show up".into();
                return Err(Error::TopicRefused {
                    topic: topic.into(),
                    action: "use",
                    reason,
                });
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn admin(&self) -> Result<AdminClient<DefaultClientContext>, Error> {
        self.config.create().map_err(|e| refused_setting(&e))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.stop_polling.store(true, Ordering::Relaxed);
        if let Some(polling) = self.polling.take() {
            // A panic there has been reported by the panic itself.
            _ = polling.join();
        }
    }
}

fn admin_options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(Duration::from_secs(10)))
}

fn mock(client: &Client) -> Result<MockCluster<'_, Deliveries>, Error> {
    let what = || "the rehearsal has no mock cluster".to_string();
    client
        .client()
        .mock_cluster()
        .ok_or_else(|| Error::Defect { what: what() })
}

fn settings(destination: &Destination, verbosity: Verbosity) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (key, value) in SETTINGS {
        config.set(key, value);
    }
    let rehearsal = destination.cluster == Cluster::Rehearsal;
    for (key, value) in &destination.properties {
        if !(rehearsal && CLUSTER_ONLY.iter().any(|start| key.starts_with(start))) {
            config.set(key, value);
        }
    }
    match &destination.cluster {
        Cluster::Brokers(brokers) => config.set("bootstrap.servers", brokers),
        Cluster::Rehearsal => config.set("test.mock.num.brokers", "1"),
    };
    config.set_log_level(match verbosity {
        Verbosity::Verbose => RDKafkaLogLevel::Debug,
        Verbosity::Normal | Verbosity::Quiet => RDKafkaLogLevel::Emerg,
    });
    config
}

/// Names the property; its value may be a secret.
fn refused_setting(error: &KafkaError) -> Error {
    match error {
        KafkaError::ClientConfig(_, reason, key, value) => {
            let reason = match value.is_empty() {
                true => reason.clone(),
                false => reason.replace(value.as_str(), "..."),
            };
            Error::config(format!(
                "librdkafka does not take the property `{key}`: {reason}"
            ))
        }
        other => Error::config(format!(
            "librdkafka does not take the settings: {}",
            words(other)
        )),
    }
}

fn words(error: &KafkaError) -> String {
    error
        .rdkafka_error_code()
        .map_or_else(|| error.to_string(), code_words)
}

/// librdkafka's own text; the crate puts its name before it.
pub(super) fn code_words(code: RDKafkaErrorCode) -> String {
    let text = code.to_string();
    text.split_once('(')
        .map_or(text.as_str(), |(_, words)| words.trim_end_matches(')'))
        .to_string()
}
