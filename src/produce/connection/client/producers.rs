//! The producers of a run, each with the thread that polls it: which one sends a topic, and how they end.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rdkafka::config::ClientConfig;

use crate::cluster::native::{Client, most_descriptors};
use crate::cluster::settings::refused_setting;
use crate::config::property_names::PropertyPlaces;
use crate::error::Error;
use crate::host::control::Control;
use crate::host::patience;
use crate::produce::connection::context::ProducerEvents;
use crate::produce::routing::sizes::Sizes;

/// How many topics one producer gets as long as there may be more producers: librdkafka searches all topics of a
/// client for each new one, and visits all their partitions before each request.
const TOPICS_OF_PRODUCER: usize = 500;

/// The most producers of the same sizes, and the most threads that these may have together: each producer has a
/// thread for each broker of the cluster.
const MOST_PRODUCERS: usize = 8;
const MOST_BROKER_THREADS: usize = 128;

/// Descriptors for each of these threads: a pipe, a connection and, in a rehearsal, the other end of that connection.
/// The number is twice as high, so that half of what the process may open is left for everything else.
const DESCRIPTORS_OF_THREAD: usize = 8;

/// How long the threads of librdkafka and its pollers may take to end.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// How often a polling thread checks whether it has to end.
const POLL_STEP: Duration = Duration::from_millis(10);

/// Producers by the sizes that they send, several of the same sizes if there are many topics. The first one exists
/// from the beginning, and kreplay also asks the cluster through it.
pub(super) struct Producers {
    first: Producer,
    /// Whether the first one only asks the cluster, and sends nothing more.
    is_first_retired: Cell<bool>,
    more: RefCell<Vec<Producer>>,
    /// The threads that end others.
    ending: RefCell<Vec<JoinHandle<()>>>,
    control: Control,
}

impl Producers {
    /// The producers of a run that begins with `first`.
    pub(super) fn new(first: Producer, control: Control) -> Self {
        Self {
            first,
            is_first_retired: Cell::new(false),
            more: RefCell::default(),
            ending: RefCell::default(),
            control,
        }
    }

    /// The client of the first producer.
    pub(super) fn first(&self) -> &Arc<Client> {
        self.first.client()
    }

    /// Calls `what` for each producer.
    pub(super) fn each(&self, mut what: impl FnMut(&Client)) {
        what(self.first.client());
        self.more
            .borrow()
            .iter()
            .for_each(|producer| what(producer.client()));
    }

    /// The client of a producer of these sizes, which gets one more topic; `None` if another one has to be started.
    /// The cluster has this many `brokers`.
    pub(super) fn with_room(&self, sizes: Sizes, brokers: usize) -> Option<Arc<Client>> {
        let more = self.more.borrow();
        let first = Some(&self.first).filter(|_| !self.is_first_retired.get());
        let all = first.into_iter().chain(more.iter());
        let alike: Vec<&Producer> = all.filter(|producer| producer.sizes == sizes).collect();
        let emptiest = alike.iter().min_by_key(|producer| producer.topics.get())?;
        let topics = emptiest.topics.get();
        let has_room = topics < TOPICS_OF_PRODUCER || alike.len() >= most_producers(brokers);
        has_room.then(|| {
            emptiest.topics.set(topics + 1);
            emptiest.client().clone()
        })
    }

    /// Adds a producer, which gets its first topic, and returns its client.
    pub(super) fn add(&self, producer: Producer) -> Arc<Client> {
        let client = producer.client().clone();
        producer.topics.set(1);
        self.more.borrow_mut().push(producer);
        client
    }

    /// Begins to end all producers but the first, through which kreplay from now on only asks the cluster.
    pub(super) fn retire(&self) {
        self.is_first_retired.set(true);
        let more = self.more.take();
        let mut ending = self.ending.borrow_mut();
        ending.retain(|thread| !thread.is_finished());
        ending.extend(more.into_iter().filter_map(|mut producer| producer.end()));
    }
}

/// How many producers may share the topics of the same sizes, in a cluster with this many `brokers`.
fn most_producers(brokers: usize) -> usize {
    let threads = MOST_BROKER_THREADS.min(most_descriptors() / DESCRIPTORS_OF_THREAD);
    (threads / brokers.max(1)).clamp(1, MOST_PRODUCERS)
}

impl Drop for Producers {
    /// Ends all producers at once and waits for them: a thread that outlives the run may be inside a library while
    /// the process unloads it. A thread that hangs is left behind after a while.
    fn drop(&mut self) {
        let producers = self.more.get_mut().iter_mut();
        let ending = producers.chain([&mut self.first]).filter_map(Producer::end);
        let ending = ending.chain(self.ending.take());
        patience::join(ending.collect(), &self.control, CLOSE_LIMIT);
    }
}

/// A producer with its polling thread.
pub(super) struct Producer {
    sizes: Sizes,
    /// How many topics it sends.
    topics: Cell<usize>,
    /// `None` once the producer is ending.
    running: Option<(Arc<Client>, JoinHandle<()>)>,
    stop_polling: Arc<AtomicBool>,
}

impl Producer {
    /// Starts a producer that sends these sizes.
    ///
    /// # Errors
    /// Returns [`Error::Config`] for properties that librdkafka does not accept.
    pub(super) fn start(
        config: &ClientConfig,
        sizes: Sizes,
        context: ProducerEvents,
    ) -> Result<Self, Error> {
        let mut config = config.clone();
        config.set("message.max.bytes", sizes.message_max_bytes.to_string());
        config.set("batch.size", sizes.batch_size.to_string());
        // librdkafka accepted each property when the connection was opened.
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

    pub(super) fn client(&self) -> &Arc<Client> {
        let (client, _) = self.running.as_ref().expect("only the end takes it");
        client
    }

    /// Begins to end the producer. The returned thread ends once polling has ended and the client is closed.
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

/// Takes events until `stop` is set. A panic meanwhile does not end kreplay, which then reports what was delivered.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Verbosity;
    use crate::config::properties::Secrets;
    use crate::host::console::Console;
    use crate::produce::delivery::ages::InFlightAges;
    use crate::produce::delivery::budget::InFlightBudget;
    use crate::produce::delivery::rejects::Rejects;
    use crate::produce::delivery::{Deliveries, Ending};

    /// The console panics at the first line of librdkafka's log.
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
