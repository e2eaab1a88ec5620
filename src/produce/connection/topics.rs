//! The destination's topics: whether they are there, what they are set to, and making them.

use std::thread;
use std::time::{Duration, Instant};

use super::client::{ASK_LIMIT, CONNECT_LIMIT, Connection, REHEARSAL_BROKERS};
use crate::cluster::native::topic_ids::{FoundTopic, Writing};
use crate::cluster::native::{Code, TopicMetadata, admin, topic_ids};
use crate::error::{Error, Right};
use crate::host::control::Control;
use crate::produce::routing::acceptance::TopicRules;

/// How long new topics may take to show up.
const CREATE_LIMIT: Duration = Duration::from_secs(15);
/// How long the cluster may take to change something.
const ADMIN_LIMIT: Duration = Duration::from_secs(10);
/// How long the cluster may take to tell the settings of a topic.
const SETTINGS_LIMIT: Duration = Duration::from_secs(3);

/// The most partitions that a topic is made with (librdkafka, RD_KAFKAP_PARTITIONS_MAX).
const MOST_PARTITIONS: i32 = 100_000;

/// What the cluster says of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::produce) enum TopicState {
    Missing,
    Present(Shape),
}

/// The size of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::produce) struct Shape {
    pub(in crate::produce) partitions: i32,
    /// The fewest replicas that one of its partitions has.
    pub(in crate::produce) replicas: usize,
}

impl Shape {
    fn of(topic: &TopicMetadata) -> Self {
        let replicas = topic.partitions.iter().map(|partition| partition.replicas);
        Self {
            partitions: i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX),
            replicas: replicas.min().unwrap_or_default(),
        }
    }
}

/// The settings of a topic that matter for sending to it; none where the cluster does not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::produce) struct TopicSettings {
    /// `max.message.bytes`: the largest batch that the brokers take.
    pub(in crate::produce) max_message_bytes: Option<usize>,
    /// Whether the brokers replace the times of records (`message.timestamp.type`).
    pub(in crate::produce) log_append_time: bool,
    /// How many replicas an acknowledged record has at least.
    pub(in crate::produce) min_insync_replicas: Option<usize>,
    /// Which records it does not take.
    pub(in crate::produce) rules: TopicRules,
}

impl TopicSettings {
    fn of(settings: &[(String, String)]) -> Self {
        let get = |name: &str| settings.iter().find(|(known, _)| known == name);
        let number = |name| get(name).and_then(|(_, value)| value.parse().ok());
        Self {
            max_message_bytes: number("max.message.bytes"),
            log_append_time: get("message.timestamp.type")
                .is_some_and(|(_, value)| value == "LogAppendTime"),
            min_insync_replicas: number("min.insync.replicas"),
            rules: TopicRules::of(settings),
        }
    }
}

impl Connection {
    /// The settings of `topic`. A cluster need not tell them: they make a replay better, and it does
    /// without.
    pub(in crate::produce) fn topic_settings(&self, topic: &str) -> TopicSettings {
        if self.is_rehearsal() {
            return TopicSettings::default();
        }
        let broker = self.known().and_then(|known| known.any_broker);
        match admin::topic_settings(self.client(), self.control(), broker, topic, SETTINGS_LIMIT) {
            Ok(settings) => TopicSettings::of(&settings),
            Err(refusal) => {
                let why = refusal.text;
                let note = format!("the settings of topic `{topic}` are not known: {why}");
                self.console.verbose(&note);
                TopicSettings::default()
            }
        }
    }

    /// The ids of the topics called `names`, as far as the cluster says: without them a journal does
    /// without.
    pub(in crate::produce) fn topic_ids(&self, names: &[&str]) -> Vec<(String, FoundTopic)> {
        if names.is_empty() {
            return Vec::new();
        }
        let broker = self.known().and_then(|known| known.any_broker);
        let found = topic_ids::find(self.client(), self.control(), broker, names, SETTINGS_LIMIT);
        found.unwrap_or_else(|refusal| {
            let why = refusal.text;
            self.console
                .verbose(&format!("the ids of the topics are not known: {why}"));
            Vec::new()
        })
    }

    /// Checks that the user may write to the topics called `names`, as far as the cluster says.
    ///
    /// # Errors
    /// [`Error::RightMissing`] that names all to which they may not.
    pub(in crate::produce) fn check_writing(&self, names: &[&str]) -> Result<(), Error> {
        if names.is_empty() || self.is_rehearsal() {
            return Ok(());
        }
        let broker = self.known().and_then(|known| known.any_broker);
        let asked =
            topic_ids::writing(self.client(), self.control(), broker, names, SETTINGS_LIMIT);
        match asked {
            Ok(topics) => {
                let refused = topics.into_iter().filter(|(_, w)| *w == Writing::Refused);
                let refused: Vec<String> = refused.map(|(name, _)| name).collect();
                match refused.is_empty() {
                    true => Ok(()),
                    false => Err(self.writing_refused(refused)),
                }
            }
            // The brokers say it when they are sent the first record.
            Err(refusal) => {
                let why = refusal.text;
                let note = format!("whether the user may write to the topics is not known: {why}");
                self.console.verbose(&note);
                Ok(())
            }
        }
    }

    /// That the user may not write to `topics`.
    pub(in crate::produce) fn writing_refused(&self, topics: Vec<String>) -> Error {
        Error::RightMissing {
            right: Right::Write { topics },
            brokers: self.brokers.clone(),
        }
    }

    /// The names of the topics that there are, as far as the cluster says, without Kafka's own.
    pub(in crate::produce) fn topic_names(&self) -> Vec<String> {
        let asked = self.ask(|client| client.topics(ASK_LIMIT));
        let Some(Ok(metadata)) = asked else {
            return Vec::new();
        };
        let names = metadata.topics.into_iter().map(|topic| topic.name);
        names.filter(|name| !name.starts_with("__")).collect()
    }

    /// What the cluster says of `topic`.
    ///
    /// # Errors
    /// [`Error::TopicRefused`] when it says nothing, or that we may not know.
    pub(in crate::produce) fn topic_state(
        &self,
        topic: &str,
        control: &Control,
    ) -> Result<TopicState, Error> {
        let refused = |reason| Error::TopicRefused {
            topic: topic.into(),
            action: "look at",
            reason,
        };
        let started = Instant::now();
        loop {
            let name = topic.to_owned();
            let asked = self.ask(move |client| client.metadata(&name, ASK_LIMIT));
            let code = match asked.unwrap_or(Err(Code::TIMED_OUT)) {
                Ok(metadata) => {
                    let Some(found) = metadata.topics.iter().find(|found| found.name == topic)
                    else {
                        return Ok(TopicState::Missing);
                    };
                    match found.code {
                        Code::NONE if !found.partitions.is_empty() => {
                            return Ok(TopicState::Present(Shape::of(found)));
                        }
                        Code::NONE => Code::LEADER_NOT_AVAILABLE,
                        code => code,
                    }
                }
                Err(code) => code,
            };
            match code {
                Code::UNKNOWN_TOPIC_OR_PARTITION | Code::UNKNOWN_TOPIC => {
                    return Ok(TopicState::Missing);
                }
                Code::TOPIC_AUTHORIZATION_FAILED | Code::INVALID_TOPIC => {
                    return Err(refused(code.words()));
                }
                _ if started.elapsed() > CONNECT_LIMIT || control.is_stopping() => {
                    return Err(refused(code.words()));
                }
                _ => thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Creates `topic` with `partitions` and waits until it can be written to.
    ///
    /// # Errors
    /// [`Error::TopicRefused`] with the cluster's reason.
    pub(in crate::produce) fn create_topic(
        &self,
        topic: &str,
        partitions: i32,
        control: &Control,
    ) -> Result<Shape, Error> {
        let refused = |reason| Error::TopicRefused {
            topic: topic.into(),
            action: "create",
            reason,
        };
        checked(partitions).map_err(refused)?;
        match self.mock()? {
            Some(mock) => {
                let created = mock.create_topic(topic, partitions, REHEARSAL_BROKERS);
                created.map_err(|code| refused(code.words()))?;
            }
            None => {
                let client = self.client();
                match admin::create_topic(client, control, topic, partitions, ADMIN_LIMIT) {
                    // Somebody else was faster: as good.
                    Err(e) if e.code != Code::TOPIC_ALREADY_EXISTS => return Err(refused(e.text)),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        self.wait_for_partitions(topic, partitions, control)
    }

    /// Gives `topic`, which this run has created, more partitions; `false` when it cannot have more.
    ///
    /// # Errors
    /// [`Error::TopicRefused`] with the cluster's reason.
    pub(in crate::produce) fn grow_topic(
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
        if self.mock()?.is_some() {
            return Ok(false);
        }
        checked(partitions).map_err(refused)?;
        let client = self.client();
        let grown = admin::grow_topic(client, control, topic, partitions, ADMIN_LIMIT);
        grown.map_err(|e| refused(e.text))?;
        self.wait_for_partitions(topic, partitions, control)?;
        Ok(true)
    }

    fn wait_for_partitions(
        &self,
        topic: &str,
        partitions: i32,
        control: &Control,
    ) -> Result<Shape, Error> {
        let started = Instant::now();
        loop {
            if let TopicState::Present(present) = self.topic_state(topic, control)?
                && present.partitions >= partitions
            {
                return Ok(present);
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
}

/// Refuses a number of partitions that no topic is made with.
fn checked(partitions: i32) -> Result<(), String> {
    match partitions {
        ..=MOST_PARTITIONS => Ok(()),
        more => Err(format!(
            "the capture names partition {}, and kreplay makes topics of at most {MOST_PARTITIONS} \
             partitions",
            more - 1
        )),
    }
}
