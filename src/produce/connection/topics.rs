//! The destination's topics: whether they exist, and how they are set.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use super::client::{ASK_LIMIT, CONNECT_LIMIT, Connection};
use crate::cluster::native::topic_ids::{FoundTopic, TopicAccess, TopicRight};
use crate::cluster::native::{Code, Metadata, TopicMetadata, admin, topic_ids};
use crate::error::{Error, Right};
use crate::host::control::Control;
use crate::produce::routing::acceptance::TopicRules;

/// How long the cluster may take to report the settings of a topic.
const SETTINGS_LIMIT: Duration = Duration::from_secs(3);
/// From this many topics on, kreplay looks them up in a list of all that the cluster has. It asks for fewer
/// one by one, because that list may be long.
const MANY: usize = 16;
/// How long the cluster may take to list all topics.
const LIST_LIMIT: Duration = Duration::from_secs(10);
/// How many topics' settings to request at once: each takes about 4 KiB of the answer.
const SETTINGS_AT_ONCE: usize = 200;

/// What the cluster says about a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::produce) enum TopicState {
    Missing,
    Present(TopicShape),
}

/// The size of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::produce) struct TopicShape {
    pub(in crate::produce) partitions: i32,
    /// The fewest replicas that one of its partitions has.
    pub(in crate::produce) replicas: usize,
}

impl TopicShape {
    pub(in crate::produce) fn of(topic: &TopicMetadata) -> Self {
        let replicas = topic.partitions.iter().map(|partition| partition.replicas);
        Self {
            partitions: i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX),
            replicas: replicas.min().unwrap_or_default(),
        }
    }
}

/// The settings of a topic that matter for sending to it; `None` if the cluster does not report them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::produce) struct TopicSettings {
    /// `max.message.bytes`: the largest batch that the brokers accept.
    pub(in crate::produce) max_message_bytes: Option<usize>,
    /// Whether the brokers replace the timestamps of records (`message.timestamp.type`).
    pub(in crate::produce) log_append_time: bool,
    /// How many replicas an acknowledged record has at least.
    pub(in crate::produce) min_insync_replicas: Option<usize>,
    /// Which records it refuses.
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
    /// The settings of `topic`: see [`Connection::settings_of`].
    pub(in crate::produce) fn topic_settings(&self, topic: &str) -> TopicSettings {
        self.settings_of(&[topic]).pop().unwrap_or_default()
    }

    /// The settings of the topics called `names`, in that order. A cluster need not report them: a replay is
    /// better with them, but works without.
    pub(in crate::produce) fn settings_of(&self, names: &[&str]) -> Vec<TopicSettings> {
        if self.is_rehearsal() {
            return vec![TopicSettings::default(); names.len()];
        }
        let some = names.chunks(SETTINGS_AT_ONCE);
        some.flat_map(|names| self.ask_for_settings(names))
            .collect()
    }

    fn ask_for_settings(&self, names: &[&str]) -> Vec<TopicSettings> {
        let broker = self.known().and_then(|known| known.any_broker);
        let asked =
            admin::topic_settings(self.client(), self.control(), broker, names, SETTINGS_LIMIT);
        let mut asked = asked.map_err(|refusal| refusal.text);
        let settings = names.iter().map(|name| {
            let found = match &mut asked {
                Ok(topics) => topics.remove(*name),
                Err(why) => Some(Err(why.clone())),
            };
            let found =
                found.unwrap_or_else(|| Err("the cluster's answer does not contain it".into()));
            found.map_or_else(
                |why| {
                    let note = format!("the settings of topic `{name}` are unknown: {why}");
                    self.console.verbose(&note);
                    TopicSettings::default()
                },
                |settings| TopicSettings::of(&settings),
            )
        });
        settings.collect()
    }

    /// The ids of the topics called `names`, as far as the cluster names them; a journal works without them.
    pub(in crate::produce) fn topic_ids(&self, names: &[&str]) -> Vec<(String, FoundTopic)> {
        if names.is_empty() {
            return Vec::new();
        }
        let broker = self.known().and_then(|known| known.any_broker);
        let found = topic_ids::find(self.client(), self.control(), broker, names, SETTINGS_LIMIT);
        found.unwrap_or_else(|refusal| {
            let why = refusal.text;
            self.console
                .verbose(&format!("the ids of the topics are unknown: {why}"));
            Vec::new()
        })
    }

    /// Checks that the user may write to the topics called `names`, as far as the cluster says.
    ///
    /// # Errors
    /// Returns [`Error::RightMissing`], which names all topics to which the user may not write.
    pub(in crate::produce) fn check_writing(&self, names: &[&str]) -> Result<(), Error> {
        if names.is_empty() || self.is_rehearsal() {
            return Ok(());
        }
        let broker = self.known().and_then(|known| known.any_broker);
        let (client, control) = (self.client(), self.control());
        let wanted = (broker, TopicRight::Write);
        let asked = topic_ids::access(client, control, wanted, names, SETTINGS_LIMIT);
        match asked {
            Ok(topics) => {
                let refused = topics
                    .into_iter()
                    .filter(|(_, w)| *w == TopicAccess::Refused);
                let refused: Vec<String> = refused.map(|(name, _)| name).collect();
                match refused.is_empty() {
                    true => Ok(()),
                    false => Err(self.writing_refused(refused)),
                }
            }
            // The brokers then refuse the first record.
            Err(refusal) => {
                let why = refusal.text;
                let note =
                    format!("kreplay cannot check whether the user may write to the topics: {why}");
                self.console.verbose(&note);
                Ok(())
            }
        }
    }

    /// The error that the user may not write to `topics`.
    pub(in crate::produce) fn writing_refused(&self, topics: Vec<String>) -> Error {
        Error::RightMissing {
            right: Right::Write { topics },
            brokers: self.brokers.clone(),
        }
    }

    /// The names of existing topics, as far as the cluster lists them, without Kafka's own.
    pub(in crate::produce) fn topic_names(&self) -> Vec<String> {
        let asked = self.ask(|client| client.topics(ASK_LIMIT));
        let Some(Ok(metadata)) = asked else {
            return Vec::new();
        };
        let names = metadata.topics.into_iter().map(|topic| topic.name);
        names.filter(|name| !name.starts_with("__")).collect()
    }

    /// What the cluster says about the topics called `names`, in that order. Only an answer about one topic
    /// shows whether the user may know about it, so kreplay asks for those that are not in a list one by one.
    ///
    /// # Errors
    /// Fails as [`Connection::topic_state`] does.
    pub(in crate::produce) fn topic_states(
        &self,
        names: &[&str],
        control: &Control,
    ) -> Result<Vec<TopicState>, Error> {
        let listed = self.list_for(names.len());
        let states = names.iter().map(|name| match &listed {
            Some(listed) if listed.contains_key(*name) => Ok(TopicState::Present(listed[*name])),
            // The broker of a rehearsal lists all that it has.
            Some(_) if self.is_rehearsal() => Ok(TopicState::Missing),
            Some(_) | None => self.topic_state(name, control),
        });
        states.collect()
    }

    /// All usable topics of the cluster, if `wanted` of them are needed; `None` if that is few, or if the
    /// cluster returns no list. librdkafka keeps what it lists, and need not ask for each topic again.
    pub(in crate::produce) fn list_for(
        &self,
        wanted: usize,
    ) -> Option<HashMap<String, TopicShape>> {
        if wanted < MANY {
            return None;
        }
        let metadata = self.ask(|client| client.topics(LIST_LIMIT))?.ok()?;
        let topics = metadata.topics.into_iter();
        let usable =
            topics.filter(|topic| topic.code == Code::NONE && !topic.partitions.is_empty());
        let shapes = usable.map(|topic| {
            let shape = TopicShape::of(&topic);
            (topic.name, shape)
        });
        Some(shapes.collect())
    }

    /// How many partitions each topic in `names` has now: 0 if the cluster does not know the topic, `None` if
    /// it does not answer. Asks once and does not wait for topics to appear.
    pub(in crate::produce) fn partitions_of(&self, names: &[&str]) -> Vec<Option<i32>> {
        if names.len() >= MANY {
            let listed = self.ask(|client| client.topics(ASK_LIMIT));
            let Some(Ok(metadata)) = listed else {
                return vec![None; names.len()];
            };
            return names.iter().map(|name| named_in(&metadata, name)).collect();
        }
        let mut is_silent = false;
        let counts = names.iter().map(|name| {
            if is_silent {
                return None;
            }
            let topic = (*name).to_owned();
            match self.ask(move |client| client.metadata(&topic, ASK_LIMIT))? {
                Ok(metadata) => named_in(&metadata, name),
                Err(code) if code.is_missing_topic() => Some(0),
                Err(_) => {
                    is_silent = true;
                    None
                }
            }
        });
        counts.collect()
    }

    /// What the cluster says about `topic`.
    ///
    /// # Errors
    /// Returns [`Error::TopicRefused`] if the cluster does not answer, or if the user may not know about the
    /// topic.
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
                            return Ok(TopicState::Present(TopicShape::of(found)));
                        }
                        Code::NONE => Code::LEADER_NOT_AVAILABLE,
                        code => code,
                    }
                }
                Err(code) => code,
            };
            match code {
                code if code.is_missing_topic() => return Ok(TopicState::Missing),
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
}

/// How many partitions of a topic `metadata` names: 0 if it says that there is no such topic, `None` if it
/// does not say.
fn named_in(metadata: &Metadata, topic: &str) -> Option<i32> {
    let Some(found) = metadata.topics.iter().find(|found| found.name == topic) else {
        return Some(0);
    };
    match found.code {
        Code::NONE if !found.partitions.is_empty() => Some(TopicShape::of(found).partitions),
        code if code.is_missing_topic() => Some(0),
        _ => None,
    }
}
