//! Reads topics from given offsets, outside of any consumer group, with the settings, certificates and tokens
//! of the producer.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};

use super::native::offsets::{LogEnd, log_ends};
use super::native::topic_ids::{self, FoundTopic, TopicAccess, TopicRight};
use super::native::{Client, Code, Event, FetchQueue, Fetched};
use super::reasons::{Clarity, Reason};
use super::settings::{CONNECTION, refused_setting};
use super::token::Tokens;
use crate::config::properties::Secrets;
use crate::config::property_names::are_same;
use crate::config::{Cluster, Destination};
use crate::error::Error;
use crate::host::console::Console;
use crate::host::control::Control;
use crate::host::patience;

/// The librdkafka properties of a reader, which override all others.
const READING: [(&str, &str); 4] = [
    ("enable.partition.eof", "true"),
    // There is no group to commit for.
    ("enable.auto.commit", "false"),
    // An offset that no longer exists is an error, not a reason to begin elsewhere.
    ("auto.offset.reset", "error"),
    // Limits what is read ahead, for all partitions together.
    ("queued.max.messages.kbytes", "16384"),
];
/// How long a cluster may take to answer a question, over all attempts.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// One attempt; short, so that an interruption is noticed.
const ASK_LIMIT: Duration = Duration::from_millis(1000);
/// One attempt at a request about many partitions, which itself notices an interruption.
const ASK_ALL_LIMIT: Duration = Duration::from_secs(5);
/// How long librdkafka's threads may take to end.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// Which records of transactions a reader gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// Committed records only.
    Committed,
    /// All records, also those of aborted transactions.
    Uncommitted,
}

impl Isolation {
    /// The value of librdkafka's `isolation.level`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Committed => "read_committed",
            Self::Uncommitted => "read_uncommitted",
        }
    }
}

/// A reader of partitions.
pub(crate) struct LogReader {
    brokers: String,
    // Before the client, so that no token reaches a client that is ending.
    tokens: Option<Tokens>,
    client: Arc<Client>,
    /// `None` once the reader is closing.
    queue: Option<FetchQueue>,
    secrets: Secrets,
    console: Console,
    control: Control,
    /// The clearest reason why brokers cannot be used.
    clearest: Option<Reason>,
    /// A broker to ask, once the cluster has named its brokers.
    any_broker: Option<i32>,
}

impl LogReader {
    /// Creates a reader; it knows nothing about the brokers yet.
    ///
    /// # Errors
    /// Returns [`Error::Config`] for properties that librdkafka does not accept, and [`Error::NoToken`] without a
    /// token.
    pub(crate) fn open(
        destination: &Destination,
        isolation: Isolation,
        (console, control): (&Console, &Control),
    ) -> Result<Self, Error> {
        let config = settings(destination, isolation);
        let client = Client::consumer(&config)
            .map_err(|e| refused_setting(&config, &destination.property_places, &e))?;
        let client = Arc::new(client);
        let secrets = Secrets::of(&destination.properties);
        let tokens = destination.token.as_ref();
        let tokens = tokens.map(|s| Tokens::start(s, console.clone(), secrets.clone(), control));
        let tokens = tokens.transpose()?;
        if let Some(tokens) = &tokens {
            tokens.supply(&client)?;
        }
        let queue = FetchQueue::new(client.clone()).ok_or_else(|| Error::Defect {
            what: "librdkafka returned no queue for a reader".into(),
        })?;
        Ok(Self {
            brokers: destination.cluster.bootstrap_servers().to_owned(),
            tokens,
            client,
            queue: Some(queue),
            secrets,
            console: console.clone(),
            control: control.clone(),
            clearest: None,
            any_broker: None,
        })
    }

    /// The topics of the cluster with their numbers of partitions.
    ///
    /// # Errors
    /// Returns [`Error::Unreachable`] if the cluster does not answer in time or the run has to stop first.
    pub(crate) fn topics(&mut self) -> Result<Vec<(String, i32)>, Error> {
        let metadata = self.ask(|client| client.topics(ASK_LIMIT))?;
        self.any_broker = metadata.brokers.first().map(|broker| broker.id);
        let readable = metadata.topics.into_iter().filter(|t| !t.code.is_error());
        Ok(readable
            .map(|topic| (topic.name, count(topic.partitions.len())))
            .collect())
    }

    /// Those of `topics` that the user may not read, as far as the cluster says; clusters before Apache Kafka 2.3
    /// do not.
    pub(crate) fn denied(&self, topics: &[&str]) -> Vec<String> {
        if topics.is_empty() {
            return Vec::new();
        }
        let (client, control) = (&self.client, &self.control);
        let wanted = (self.any_broker, TopicRight::Read);
        match topic_ids::access(client, control, wanted, topics, ASK_ALL_LIMIT) {
            Ok(topics) => {
                let denied = topics.into_iter();
                let denied = denied.filter(|(_, access)| *access == TopicAccess::Refused);
                denied.map(|(name, _)| name).collect()
            }
            // The brokers say so when the first record is requested.
            Err(refusal) => {
                let why = self.secrets.hide(&refusal.text);
                let note = format!("it is unknown whether the user may read the topics: {why}");
                self.console.verbose(&note);
                Vec::new()
            }
        }
    }

    /// What the cluster says about the ids of `topics`, as far as it answers now.
    pub(crate) fn ids(&self, topics: &[&str]) -> Vec<(String, FoundTopic)> {
        let (client, control) = (&self.client, &self.control);
        let found = topic_ids::find(client, control, self.any_broker, topics, ASK_LIMIT);
        found.unwrap_or_default()
    }

    /// Where the logs of `partitions` begin or end, in their order.
    ///
    /// # Errors
    /// Returns [`Error::Unreachable`] if the cluster does not answer for all of them in time.
    pub(crate) fn offsets(
        &mut self,
        partitions: &[(String, i32)],
        end: LogEnd,
    ) -> Result<Vec<i64>, Error> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let (wanted, control) = (partitions.to_vec(), self.control.clone());
        self.ask(move |client| {
            let found = log_ends(client, &control, &wanted, end, ASK_ALL_LIMIT);
            let found = found.map_err(|refusal| refusal.code)?.into_iter();
            let found = found.map(|(topic, partition, offset)| ((topic, partition), offset));
            let found: HashMap<_, _> = found.collect();
            let offsets = wanted.iter().map(|partition| *found.get(partition)?);
            let offsets: Option<Vec<i64>> = offsets.collect();
            offsets.ok_or(Code::LEADER_NOT_AVAILABLE)
        })
    }

    /// Where a partition ended at the last read, open transactions included; below zero before that.
    pub(crate) fn high_watermark(&self, topic: &str, partition: i32) -> i64 {
        let queue = self.queue.as_ref();
        queue.map_or(-1, |queue| queue.high_watermark(topic, partition))
    }

    /// The number of partitions of a topic.
    ///
    /// # Errors
    /// Returns [`Error::OutputsMissing`] if there is no such topic, [`Error::TopicRefused`], or
    /// [`Error::Unreachable`].
    pub(crate) fn partitions(&mut self, topic: &str) -> Result<i32, Error> {
        let name = topic.to_owned();
        let metadata = self.ask(move |client| client.metadata(&name, ASK_LIMIT))?;
        let found = metadata
            .topics
            .into_iter()
            .find(|known| known.name == topic);
        let code = found
            .as_ref()
            .map_or(Code::UNKNOWN_TOPIC, |known| known.code);
        match (found, code) {
            (Some(found), Code::NONE) => Ok(count(found.partitions.len())),
            (_, Code::UNKNOWN_TOPIC | Code::UNKNOWN_TOPIC_OR_PARTITION | Code::NONE) => {
                Err(Error::OutputsMissing {
                    topics: vec![topic.to_owned()],
                    brokers: self.brokers.clone(),
                })
            }
            (_, code) => Err(self.unread(topic, &code.words())),
        }
    }

    /// Begins to read a partition at `offset`.
    ///
    /// # Errors
    /// Returns [`Error::TopicRefused`] if the partition cannot be read.
    pub(crate) fn start(&mut self, topic: &str, partition: i32, offset: i64) -> Result<(), Error> {
        let Some(queue) = &mut self.queue else {
            return Ok(());
        };
        let started = queue.start(topic, partition, offset);
        started.map_err(|code| self.unread(topic, &code.words()))
    }

    /// Waits up to `limit` for what comes next and passes it on. Returns whether something came.
    pub(crate) fn poll(&mut self, limit: Duration, take: impl FnOnce(Fetched<'_>)) -> bool {
        self.take_events();
        let queue = self.queue.as_ref();
        queue.is_some_and(|queue| queue.poll(limit, take))
    }

    /// Why a topic cannot be read.
    pub(crate) fn unread(&self, topic: &str, why: &str) -> Error {
        Error::TopicRefused {
            topic: topic.to_owned(),
            action: "read",
            reason: self.secrets.hide(why),
        }
    }

    /// Asks the cluster until it answers.
    fn ask<T: Send + 'static>(
        &mut self,
        question: impl Fn(&Client) -> Result<T, Code> + Clone + Send + 'static,
    ) -> Result<T, Error> {
        let started = Instant::now();
        loop {
            let (client, question) = (self.client.clone(), question.clone());
            let answer = patience::unless_stopping(&self.control, move || question(&client));
            let code = match answer.unwrap_or(Err(Code::TIMED_OUT)) {
                Ok(answer) => return Ok(answer),
                Err(code) => code,
            };
            self.take_events();
            let is_hopeless = self.clearest.as_ref();
            let is_hopeless = is_hopeless.is_some_and(|known| known.clarity == Clarity::Certain);
            if is_hopeless || self.control.is_stopping() || started.elapsed() > ANSWER_LIMIT {
                let reason = self.clearest.clone();
                let reason = reason.unwrap_or_else(|| Reason::of(&code.words()));
                return Err(Error::Unreachable {
                    brokers: self.brokers.clone(),
                    reason: reason.text,
                    hint: reason.hint,
                });
            }
            // The attempt may have failed at once.
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Notes what librdkafka says about the brokers.
    fn take_events(&mut self) {
        let Self {
            client,
            secrets,
            console,
            clearest,
            ..
        } = self;
        loop {
            let mut came = false;
            client.poll(Duration::ZERO, |event| {
                came = true;
                let reason = match event {
                    Event::Error { code, .. } if code == Code::ALL_BROKERS_DOWN => return,
                    Event::Error { text, .. } => Reason::of(&secrets.hide(text)),
                    Event::Log { text, .. } => {
                        let text = secrets.hide(text);
                        console.verbose(&format!("librdkafka: reader: {text}"));
                        return;
                    }
                    Event::Delivery(_) => return,
                };
                let is_clearer = |known: &Reason| reason.clarity >= known.clarity;
                if clearest.as_ref().is_none_or(is_clearer) {
                    *clearest = Some(reason);
                }
            });
            if !came {
                return;
            }
        }
    }
}

impl Drop for LogReader {
    /// Ends librdkafka's threads, and leaves behind one that hangs for too long.
    fn drop(&mut self) {
        let (queue, client) = (self.queue.take(), self.client.clone());
        drop(self.tokens.take());
        let ending = thread::spawn(move || drop((queue, client)));
        patience::join(vec![ending], &self.control, CLOSE_LIMIT);
    }
}

fn count(partitions: usize) -> i32 {
    i32::try_from(partitions).unwrap_or(i32::MAX)
}

fn settings(destination: &Destination, isolation: Isolation) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (key, value) in CONNECTION {
        config.set(key, value);
    }
    for (key, value) in &destination.properties {
        // librdkafka gets each property once: the crate hands them over in no order.
        for (default, _) in CONNECTION.iter().filter(|(name, _)| are_same(name, key)) {
            config.remove(default);
        }
        config.set(key, value);
    }
    for (key, value) in READING {
        config.set(key, value);
    }
    config.set("isolation.level", isolation.name());
    if let Cluster::Brokers(brokers) = &destination.cluster {
        config.set("bootstrap.servers", brokers);
    }
    config.set_log_level(RDKafkaLogLevel::Info);
    config
}
