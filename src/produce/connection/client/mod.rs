//! The connection to the destination: what kreplay asks the cluster, and through which client it sends a topic.

mod producers;
mod settings;

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::config::ClientConfig;

use self::producers::{Producer, Producers};
pub(in crate::produce) use self::settings::REHEARSAL_BROKERS;
use self::settings::{settings, watch_time};
use super::context::ProducerEvents;
use super::timeouts;
use crate::cluster::guard::ClusterIdentity;
use crate::cluster::native::{Client, Code, Metadata, MockBrokers};
use crate::cluster::settings::refused_setting;
use crate::cluster::token::Tokens;
use crate::config::Cluster;
use crate::config::properties::Secrets;
use crate::error::{Error, Right};
use crate::host::console::Console;
use crate::host::control::Control;
use crate::host::patience;
use crate::produce::delivery::Deliveries;
use crate::produce::delivery::ages::InFlightAges;
use crate::produce::delivery::budget::InFlightBudget;
use crate::produce::delivery::rejects::Rejects;
use crate::produce::job::Job;
use crate::produce::routing::sizes::{SizeWishes, Sizes};
use crate::verify::group::sent::SentTimes;

/// How long a cluster may take to answer for the first time.
pub(in crate::produce) const CONNECT_LIMIT: Duration = Duration::from_secs(8);

/// How long one request to the cluster may take; short, so that an interruption is noticed.
pub(in crate::produce) const ASK_LIMIT: Duration = Duration::from_millis(1000);

/// The connection to the destination: one producer, and more where topics have limits of their own.
pub(in crate::produce) struct Connection {
    pub(in crate::produce) brokers: String,
    pub(in crate::produce) console: Console,
    cluster: Cluster,
    control: Control,
    config: ClientConfig,
    sizes: SizeWishes,
    deliveries: Arc<Deliveries>,
    secrets: Secrets,
    // Before the producers, so that no token arrives at one that is being closed.
    tokens: Option<Tokens>,
    producers: Producers,
    /// The cluster's identity, once it has answered for the first time.
    known: OnceCell<ClusterIdentity>,
}

impl Connection {
    /// Starts the first producer, which asks the brokers nothing.
    ///
    /// # Errors
    /// Returns [`Error::Config`] for properties that librdkafka does not accept, and [`Error::NoToken`] without a
    /// token.
    pub(in crate::produce) fn open(job: &Job, rejects: Rejects) -> Result<Self, Error> {
        let destination = &job.destination;
        let mut config = settings(destination, &job.timing, job.verbosity);
        // The user's properties are checked before `sizes` changes any of them.
        config
            .create_native_config()
            .map_err(|e| refused_setting(&config, &destination.property_places, &e))?;
        let may_wait = watch_time(&mut config, destination);
        let deliveries = Arc::new(deliveries_of(job, rejects, may_wait));
        let sizes = SizeWishes::of(&destination.properties);
        let secrets = Secrets::of(&destination.properties);
        let context = ProducerEvents::new(job.console.clone(), deliveries.clone(), secrets.clone());
        let first = Producer::start(&config, sizes.for_limit(None), context)?;
        let source = destination.token.as_ref();
        let source = source.filter(|_| destination.cluster != Cluster::Rehearsal);
        let tokens =
            source.map(|s| Tokens::start(s, job.console.clone(), secrets.clone(), &job.control));
        let tokens = tokens.transpose()?;
        if let Some(tokens) = &tokens {
            tokens.supply(first.client())?;
        }
        let mut connection = Self {
            brokers: String::new(),
            console: job.console.clone(),
            cluster: destination.cluster.clone(),
            control: job.control.clone(),
            config,
            sizes,
            deliveries,
            secrets,
            tokens,
            producers: Producers::new(first, job.control.clone()),
            known: OnceCell::new(),
        };
        connection.brokers = match &destination.cluster {
            Cluster::Brokers(brokers) => brokers.clone(),
            Cluster::Rehearsal => {
                let mock = connection.mock()?;
                mock.map_or_else(String::new, |mock| mock.bootstrap_servers())
            }
        };
        Ok(connection)
    }

    pub(in crate::produce) fn deliveries(&self) -> &Deliveries {
        &self.deliveries
    }

    /// Whether the run has to stop, and how quickly.
    pub(in crate::produce) fn control(&self) -> &Control {
        &self.control
    }

    /// Asks `question`, which blocks; `None` if the run is stopped before the answer.
    pub(in crate::produce) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Client) -> T + Send + 'static,
    ) -> Option<T> {
        let client = self.client().clone();
        patience::unless_stopping(&self.control, move || question(&client))
    }

    /// The client through which kreplay asks the cluster.
    pub(in crate::produce) fn client(&self) -> &Arc<Client> {
        self.producers.first()
    }

    /// The sizes for a topic with this `max.message.bytes`: librdkafka has them once for each client,
    /// and a batch that is too large for its topic would be refused with all records in it.
    pub(in crate::produce) fn sizes_for(&self, topic: &str, limit: Option<usize>) -> Sizes {
        self.deliveries.limit(topic, self.sizes.describe(limit));
        self.sizes.for_limit(limit)
    }

    /// The sizes with which kreplay offers the brokers a larger record than Kafka's default, if it has used
    /// `sizes` for `topic` and does not know its limit; `None` if the user has set one.
    pub(in crate::produce) fn sizes_for_offer(&self, topic: &str, sizes: Sizes) -> Option<Sizes> {
        if self.is_rehearsal() {
            return None;
        }
        let sizes = self.sizes.for_offer(sizes)?;
        let limit = "its max.message.bytes, which the cluster does not report";
        self.deliveries.limit(topic, limit.into());
        Some(sizes)
    }

    /// A client that sends `topic` with these sizes.
    ///
    /// # Errors
    /// Returns [`Error::Config`] for properties that librdkafka does not accept.
    pub(in crate::produce) fn client_of(
        &self,
        topic: &str,
        sizes: Sizes,
    ) -> Result<Arc<Client>, Error> {
        let brokers = self.known().map_or(usize::MAX, |known| known.broker_count);
        match self.producers.with_room(sizes, brokers) {
            Some(client) => Ok(client),
            None => Ok(self.producers.add(self.start_producer(topic, sizes)?)),
        }
    }

    /// Starts another producer, which will send `topic`.
    fn start_producer(&self, topic: &str, sizes: Sizes) -> Result<Producer, Error> {
        let context = ProducerEvents::new(
            self.console.clone(),
            self.deliveries.clone(),
            self.secrets.clone(),
        );
        let mut config = self.config.clone();
        if self.is_rehearsal() {
            // It uses the brokers of the first one and has none of its own.
            config.remove("test.mock.num.brokers");
            config.set("bootstrap.servers", &self.brokers);
        }
        let producer = Producer::start(&config, sizes, context)?;
        if let Some(tokens) = &self.tokens {
            tokens.supply(producer.client())?;
        }
        // Without a connection librdkafka waits half a second before it asks for its producer id again. The answer
        // is not used, because records can wait.
        let (asked, name) = (producer.client().clone(), topic.to_owned());
        let call = move || asked.metadata(&name, ASK_LIMIT).is_ok();
        patience::unless_stopping(&self.control, call);
        Ok(producer)
    }

    /// Ends the producers, which must hold no record any more: others replace them, with other producer ids.
    pub(in crate::produce) fn retire_producers(&self) {
        self.producers.retire();
    }

    /// Sends what is queued without lingering and waits for deliveries, up to `limit` for each
    /// producer with records in flight.
    pub(in crate::produce) fn flush(&self, limit: Duration) {
        self.producers.each(|client| client.flush(limit));
    }

    /// Gives up the records that librdkafka holds; it reports how far each of them came.
    pub(in crate::produce) fn purge(&self) {
        self.producers.each(Client::purge);
    }

    /// Stops sending to these topics, given with their numbers of partitions.
    pub(in crate::produce) fn pause(&self, topics: &[(String, i32)]) {
        self.producers.each(|client| {
            let of_all = topics.iter();
            of_all.for_each(|(topic, partitions)| client.pause(topic, *partitions));
        });
    }

    /// Why a producer cannot go on; `None` as long as all can.
    pub(in crate::produce) fn fatal_error(&self) -> Option<Error> {
        let mut fatal = None;
        self.producers.each(|client| {
            fatal = fatal.take().or(client.fatal_error());
        });
        fatal.map(|(code, reason)| match code {
            // The answer to InitProducerId, the only request of a producer that needs a right on the
            // cluster (Kafka protocol guide).
            Code::CLUSTER_AUTHORIZATION_FAILED => Error::RightMissing {
                right: Right::IdempotentWrite,
                brokers: self.brokers.clone(),
            },
            _ => Error::ProducerFatal { reason },
        })
    }

    /// The signs by which the cluster is recognised; `None` before its first answer.
    pub(in crate::produce) fn known(&self) -> Option<&ClusterIdentity> {
        self.known.get()
    }

    /// Notes the cluster's first answer.
    pub(in crate::produce) fn met(&self, metadata: &Metadata) {
        let id = self.ask(|client| client.cluster_id(ASK_LIMIT));
        let known = ClusterIdentity::of(&self.brokers, metadata).with_cluster_id(id.flatten());
        // A second meeting says nothing new.
        _ = self.known.set(known);
    }

    pub(in crate::produce) fn is_rehearsal(&self) -> bool {
        self.cluster == Cluster::Rehearsal
    }

    /// The broker inside this process, in a rehearsal.
    ///
    /// # Errors
    /// Returns [`Error::Defect`] if it should exist and does not.
    pub(in crate::produce) fn mock(&self) -> Result<Option<MockBrokers<'_>>, Error> {
        if !self.is_rehearsal() {
            return Ok(None);
        }
        rehearsal_broker(self.client()).map(Some)
    }
}

/// The deliveries of a run, none of which has arrived; `may_wait` is how long a record may wait for its own.
fn deliveries_of(job: &Job, rejects: Rejects, may_wait: Option<Duration>) -> Deliveries {
    let destination = &job.destination;
    let added = destination.headers.iter();
    let added_bytes = added.map(|(name, value)| name.len() + value.len()).sum();
    let window = match job.journal {
        Some(_) => InFlightBudget::NARROW,
        None => InFlightBudget::WIDE,
    };
    Deliveries::new(
        job.counters.clone(),
        rejects,
        InFlightBudget::of(window, timeouts::timeout_of(&destination.properties)),
        InFlightAges::new(may_wait),
        added_bytes,
        (!job.groups.names.is_empty()).then(|| Arc::new(SentTimes::new())),
    )
}

/// The mock cluster inside the client of a rehearsal.
///
/// # Errors
/// Returns [`Error::Defect`] if there is none.
pub(super) fn rehearsal_broker(client: &Client) -> Result<MockBrokers<'_>, Error> {
    client.mock().ok_or_else(|| Error::Defect {
        what: "the rehearsal has no mock cluster".into(),
    })
}
