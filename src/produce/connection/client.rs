//! The connection: librdkafka's settings, its producers, and the threads that poll them.

use std::cell::{Cell, OnceCell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};

use super::context::ProducerEvents;
use super::timeouts;
use super::timeouts::TimeOuts;
use crate::cluster::guard::ClusterIdentity;
use crate::cluster::native::{Client, Code, Metadata, MockBrokers, most_descriptors};
use crate::cluster::settings::{CONNECTION, refused_setting};
use crate::cluster::token::Tokens;
use crate::config::properties::Secrets;
use crate::config::property_names::{PropertyPlaces, are_same};
use crate::config::{Cluster, Destination, Idempotence, Timing, Verbosity};
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

/// librdkafka properties of the producer beside those of every client, each with why it is not left at its
/// default; the user's win.
const SETTINGS: [(&str, &str); 6] = [
    // acks=all, at most 5 requests in flight, retries that neither reorder nor duplicate.
    ("enable.idempotence", "true"),
    // Java's placement; librdkafka's own default is CRC32.
    ("partitioner", "murmur2_random"),
    // Flat out, larger batches cost less than waiting for them does.
    ("linger.ms", "20"),
    ("compression.type", "lz4"),
    // The window in delivery.rs is the bound that counts; these only have to be above it.
    ("queue.buffering.max.messages", "200000"),
    ("queue.buffering.max.kbytes", "262144"),
];
/// The same where records have a time at which they go: they are not to wait for others then.
const TIMED: [(&str, &str); 2] = [
    ("linger.ms", "1"),
    // How long records without a key go to one partition; the default is 10.
    ("sticky.partitioning.linger.ms", "2"),
];
/// Brokers of a rehearsal. With one, librdkafka would go through all partitions for each request, as it
/// does for each broker of a cluster with its own.
pub(in crate::produce) const REHEARSAL_BROKERS: i32 = 32;
/// Properties that belong to a real cluster and not to the rehearsal's.
const CLUSTER_ONLY: [&str; 3] = ["security.protocol", "sasl.", "ssl."];
/// How long a cluster may take to answer for the first time.
pub(in crate::produce) const CONNECT_LIMIT: Duration = Duration::from_secs(8);
/// One question to the cluster; short, so that an interruption is noticed.
pub(in crate::produce) const ASK_LIMIT: Duration = Duration::from_millis(1000);
/// Topics that one producer gets as long as there may be more producers: librdkafka searches all topics of
/// a client for each one that is made known to it, and looks at all their partitions before each request.
const TOPICS_OF_PRODUCER: usize = 500;
/// Producers of the same sizes at most, and threads that they may have together: each has one for each
/// broker of the cluster.
const MOST_PRODUCERS: usize = 8;
const MOST_BROKER_THREADS: usize = 128;
/// Descriptors for each of these threads: a pipe, a connection and, in a rehearsal, the other end of that.
/// Twice as many leave half of what the process may have open to all else.
const DESCRIPTORS_OF_THREAD: usize = 8;
/// How long the threads of librdkafka and its pollers may take to end.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);
/// How often a polling thread looks whether it is to end.
const POLL_STEP: Duration = Duration::from_millis(10);

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
    // Before the producers, so that no token comes to one that is going.
    tokens: Option<Tokens>,
    producers: Producers,
    /// Of the cluster, since its first answer.
    known: OnceCell<ClusterIdentity>,
}

/// Producers by what they send at most, several of the same where topics are many. The first one is there
/// from the beginning and answers questions, too.
struct Producers {
    first: Producer,
    /// It only answers questions.
    is_first_retired: Cell<bool>,
    more: RefCell<Vec<Producer>>,
    /// The ends of others.
    ending: RefCell<Vec<JoinHandle<()>>>,
    control: Control,
}

impl Producers {
    /// Does `what` with all of them.
    fn each(&self, mut what: impl FnMut(&Client)) {
        what(self.first.client());
        self.more
            .borrow()
            .iter()
            .for_each(|producer| what(producer.client()));
    }

    /// The client of a producer of these sizes that gets one more topic; none where another one is to be
    /// started, of which there may be `most`.
    fn with_room(&self, sizes: Sizes, most: usize) -> Option<Arc<Client>> {
        let more = self.more.borrow();
        let first = Some(&self.first).filter(|_| !self.is_first_retired.get());
        let all = first.into_iter().chain(more.iter());
        let alike: Vec<&Producer> = all.filter(|producer| producer.sizes == sizes).collect();
        let emptiest = alike.iter().min_by_key(|producer| producer.topics.get())?;
        let topics = emptiest.topics.get();
        let has_room = topics < TOPICS_OF_PRODUCER || alike.len() >= most;
        has_room.then(|| {
            emptiest.topics.set(topics + 1);
            emptiest.client().clone()
        })
    }
}

impl Drop for Producers {
    /// Ends all of them at once, and waits for that: a thread that outlives the run may be inside of a
    /// library while that is taken down. A thread that hangs is left behind after a while.
    fn drop(&mut self) {
        let producers = self.more.get_mut().iter_mut();
        let ending = producers.chain([&mut self.first]).filter_map(Producer::end);
        let ending = ending.chain(self.ending.take());
        patience::join(ending.collect(), &self.control, CLOSE_LIMIT);
    }
}

impl Connection {
    /// Makes the first producer; nothing is known of the brokers yet.
    ///
    /// # Errors
    /// [`Error::Config`] for properties that librdkafka does not take, [`Error::NoToken`].
    pub(in crate::produce) fn open(job: &Job, rejects: Rejects) -> Result<Self, Error> {
        let destination = &job.destination;
        let mut config = settings(destination, &job.timing, job.verbosity);
        // What the user has set is looked at before `sizes` changes any of it.
        config
            .create_native_config()
            .map_err(|e| refused_setting(&config, &destination.property_places, &e))?;
        let may_wait = watch_time(&mut config, destination);
        let added = destination.headers.iter();
        let added_bytes = added.map(|(name, value)| name.len() + value.len()).sum();
        let window = match job.journal {
            Some(_) => InFlightBudget::NARROW,
            None => InFlightBudget::WIDE,
        };
        let deliveries = Deliveries::new(
            job.counters.clone(),
            rejects,
            InFlightBudget::of(window, timeouts::timeout_of(&destination.properties)),
            InFlightAges::new(may_wait),
            added_bytes,
            (!job.groups.names.is_empty()).then(|| Arc::new(SentTimes::new())),
        );
        let deliveries = Arc::new(deliveries);
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
            producers: Producers {
                first,
                is_first_retired: Cell::new(false),
                more: RefCell::default(),
                ending: RefCell::default(),
                control: job.control.clone(),
            },
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

    /// How far the run has been told to stop.
    pub(in crate::produce) fn control(&self) -> &Control {
        &self.control
    }

    /// What `question` returns, which blocks; none when the run is told to stop before that.
    pub(in crate::produce) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Client) -> T + Send + 'static,
    ) -> Option<T> {
        let client = self.client().clone();
        patience::unless_stopping(&self.control, move || question(&client))
    }

    /// The client that questions are asked through.
    pub(in crate::produce) fn client(&self) -> &Arc<Client> {
        self.producers.first.client()
    }

    /// The sizes for a topic with this `max.message.bytes`: librdkafka has them once for each client,
    /// and a batch that is too large for its topic would be refused with all records in it.
    pub(in crate::produce) fn sizes_for(&self, topic: &str, limit: Option<usize>) -> Sizes {
        self.deliveries.limit(topic, self.sizes.describe(limit));
        self.sizes.for_limit(limit)
    }

    /// The sizes by which a larger record than Kafka's default is offered to the brokers, where so far
    /// `sizes` are used for `topic` and its limit is not known: none where the user has set one.
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
    /// [`Error::Config`] for properties that librdkafka does not take.
    pub(in crate::produce) fn client_of(
        &self,
        topic: &str,
        sizes: Sizes,
    ) -> Result<Arc<Client>, Error> {
        let known = self.producers.with_room(sizes, self.most_producers());
        if let Some(client) = known {
            return Ok(client);
        }
        let producer = self.start_producer(topic, sizes)?;
        let client = producer.client().clone();
        producer.topics.set(1);
        self.producers.more.borrow_mut().push(producer);
        Ok(client)
    }

    /// How many producers may share the topics of the same sizes.
    fn most_producers(&self) -> usize {
        let brokers = self.known().map_or(usize::MAX, |known| known.broker_count);
        let threads = MOST_BROKER_THREADS.min(most_descriptors() / DESCRIPTORS_OF_THREAD);
        (threads / brokers.max(1)).clamp(1, MOST_PRODUCERS)
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
            // The brokers of the first one, and none of its own.
            config.remove("test.mock.num.brokers");
            config.set("bootstrap.servers", &self.brokers);
        }
        let producer = Producer::start(&config, sizes, context)?;
        if let Some(tokens) = &self.tokens {
            tokens.supply(producer.client())?;
        }
        // Without a connection librdkafka waits half a second before it asks for its producer id
        // again. What comes of it is not used: records are patient.
        let (asked, name) = (producer.client().clone(), topic.to_owned());
        let call = move || asked.metadata(&name, ASK_LIMIT).is_ok();
        patience::unless_stopping(&self.control, call);
        Ok(producer)
    }

    /// Ends the producers, which must hold nothing any more: others take their place, with other
    /// producer ids.
    pub(in crate::produce) fn retire_producers(&self) {
        self.producers.is_first_retired.set(true);
        let more = self.producers.more.take();
        let mut ending = self.producers.ending.borrow_mut();
        ending.retain(|thread| !thread.is_finished());
        ending.extend(more.into_iter().filter_map(|mut producer| producer.end()));
    }

    /// Sends what is queued without lingering and waits for deliveries, up to `limit` for each
    /// producer that has some to come.
    pub(in crate::produce) fn flush(&self, limit: Duration) {
        self.producers.each(|client| client.flush(limit));
    }

    /// Gives up what librdkafka holds: it reports of each record how far that came.
    pub(in crate::produce) fn purge(&self) {
        self.producers.each(Client::purge);
    }

    /// Sends nothing more of these topics, given with their numbers of partitions.
    pub(in crate::produce) fn pause(&self, topics: &[(String, i32)]) {
        self.producers.each(|client| {
            let of_all = topics.iter();
            of_all.for_each(|(topic, partitions)| client.pause(topic, *partitions));
        });
    }

    /// Why a producer cannot go on; none as long as all can.
    pub(in crate::produce) fn fatal_error(&self) -> Option<Error> {
        let mut fatal = None;
        self.producers.each(|client| {
            fatal = fatal.take().or(client.fatal_error());
        });
        fatal.map(|(code, reason)| match code {
            // The answer to InitProducerId: a producer asks for nothing else that is a right on the
            // cluster (Kafka protocol guide).
            Code::CLUSTER_AUTHORIZATION_FAILED => Error::RightMissing {
                right: Right::IdempotentWrite,
                brokers: self.brokers.clone(),
            },
            _ => Error::ProducerFatal { reason },
        })
    }

    /// By what the cluster is known again; none before its first answer.
    pub(in crate::produce) fn known(&self) -> Option<&ClusterIdentity> {
        self.known.get()
    }

    /// Takes note of the cluster's first answer.
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
    /// [`Error::Defect`] when it should be there and is not.
    pub(in crate::produce) fn mock(&self) -> Result<Option<MockBrokers<'_>>, Error> {
        if !self.is_rehearsal() {
            return Ok(None);
        }
        rehearsal_broker(self.client()).map(Some)
    }
}

/// The mock cluster inside the client of a rehearsal.
///
/// # Errors
/// [`Error::Defect`] when there is none.
pub(super) fn rehearsal_broker(client: &Client) -> Result<MockBrokers<'_>, Error> {
    client.mock().ok_or_else(|| Error::Defect {
        what: "the rehearsal has no mock cluster".into(),
    })
}

/// A producer with its polling thread.
struct Producer {
    sizes: Sizes,
    /// Topics that were given to it.
    topics: Cell<usize>,
    /// None at the end.
    running: Option<(Arc<Client>, JoinHandle<()>)>,
    stop_polling: Arc<AtomicBool>,
}

impl Producer {
    fn start(config: &ClientConfig, sizes: Sizes, context: ProducerEvents) -> Result<Self, Error> {
        let mut config = config.clone();
        config.set("message.max.bytes", sizes.message_max_bytes.to_string());
        config.set("batch.size", sizes.batch_size.to_string());
        // Each property was taken when the connection was opened.
        let places = PropertyPlaces::default();
        let client = Client::new(&config).map_err(|e| refused_setting(&config, &places, &e))?;
        let client = Arc::new(client);
        let stop_polling = Arc::new(AtomicBool::new(false));
        let polling = thread::spawn({
            let (client, stop) = (client.clone(), stop_polling.clone());
            move || poll(&client, &stop, &context)
        });
        Ok(Self {
            sizes,
            topics: Cell::new(0),
            running: Some((client, polling)),
            stop_polling,
        })
    }

    fn client(&self) -> &Arc<Client> {
        let (client, _) = self.running.as_ref().expect("only the end takes it");
        client
    }

    /// Begins to end it; the thread is through when polling is, and the client with it.
    fn end(&mut self) -> Option<JoinHandle<()>> {
        self.stop_polling.store(true, Ordering::Relaxed);
        let (client, polling) = self.running.take()?;
        Some(thread::spawn(move || {
            // A panic there has been caught.
            _ = polling.join();
            drop(client);
        }))
    }
}

/// Takes events until it is told to stop. A panic on the way is not the end of kreplay, which reports
/// what was delivered until then.
fn poll(client: &Client, stop: &AtomicBool, context: &ProducerEvents) {
    let polled = catch_unwind(AssertUnwindSafe(|| {
        while !stop.load(Ordering::Relaxed) {
            client.poll(POLL_STEP, |event| context.take(event));
        }
    }));
    if polled.is_err() {
        context.polling_panicked();
    }
}

fn settings(destination: &Destination, timing: &Timing, verbosity: Verbosity) -> ClientConfig {
    let mut config = ClientConfig::new();
    let timed: &[(&str, &str)] = if timing.is_timed() { &TIMED } else { &[] };
    for (key, value) in CONNECTION.iter().chain(&SETTINGS).chain(timed).copied() {
        config.set(key, value);
    }
    if destination.idempotence == Idempotence::Off {
        config.set("enable.idempotence", "false");
    }
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

/// Takes `message.timeout.ms` into kreplay's own hands, where something is promised: see `ages.rs`. Gives
/// how long a record may wait, where that is so and has a limit.
fn watch_time(config: &mut ClientConfig, destination: &Destination) -> Option<Duration> {
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
    use crate::produce::delivery::Ending;

    /// What librdkafka has for `name` after kreplay has set everything.
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

    /// What takes librdkafka's events panics at the first line of its log.
    #[test]
    fn a_panic_while_polling_is_noted_and_does_not_hang_the_run() {
        let mut config = ClientConfig::new();
        config.set("test.mock.num.brokers", "1");
        config.set("debug", "broker");
        let client = Client::new(&config).expect("a client");
        let budget = InFlightBudget::of(1 << 20, CLOSE_LIMIT);
        let ages = InFlightAges::new(None);
        let deliveries = Deliveries::new(Arc::default(), Rejects::default(), budget, ages, 0, None);
        let deliveries = Arc::new(deliveries);
        let console = Console::new(Verbosity::Verbose);
        console.print_through(Some(Box::new(|line| panic!("no place for `{line}`"))));
        let secrets = Secrets::of(&Vec::new());
        let context = ProducerEvents::new(console, deliveries.clone(), secrets);
        assert_eq!(deliveries.ending(), None);
        poll(&client, &AtomicBool::new(false), &context);
        assert_eq!(deliveries.ending(), Some(Ending::PollingPanicked));
    }
}
