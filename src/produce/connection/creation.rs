//! Creates topics that the destination lacks, and adds partitions to them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use super::client::{Connection, REHEARSAL_BROKERS, rehearsal_broker};
use super::topics::{TopicShape, TopicState};
use crate::cluster::native::{Client, Code, admin};
use crate::error::Error;
use crate::host::control::Control;
use crate::record::MOST_CREATED_PARTITIONS;

/// How long new topics may take to appear.
const CREATE_LIMIT: Duration = Duration::from_secs(15);
/// How long the cluster may take to change something.
const ADMIN_LIMIT: Duration = Duration::from_secs(10);

/// How many topics the broker of a rehearsal creates between two requests.
const CREATED_AT_ONCE: usize = 16;

impl Connection {
    /// Creates topics, given with their numbers of partitions, and waits until they can be written to.
    /// Returns their sizes, in the same order.
    ///
    /// # Errors
    /// Returns [`Error::TopicRefused`] with the cluster's reason.
    pub(in crate::produce) fn create_topics(
        &self,
        topics: &[(&str, i32)],
        control: &Control,
    ) -> Result<Vec<TopicShape>, Error> {
        match self.is_rehearsal() {
            true => self.create_for_rehearsal(topics, control)?,
            false => {
                for (topic, partitions) in topics {
                    self.create_topic(topic, *partitions, control)?;
                }
            }
        }
        let listed = self.list_for(topics.len()).unwrap_or_default();
        let shapes = topics.iter().map(|(topic, partitions)| {
            let listed = listed.get(*topic).copied();
            match listed.filter(|shape| shape.partitions >= *partitions) {
                Some(shape) => Ok(shape),
                None => self.wait_for_partitions(topic, *partitions, control),
            }
        });
        shapes.collect()
    }

    /// Creates topics in the broker of a rehearsal, which handles new ones once a second unless it answers a
    /// request between them (librdkafka, rd_kafka_mock_cluster_io_poll). So one request after another asks
    /// for the first topic, and each answer lets it create what waits by then.
    fn create_for_rehearsal(&self, topics: &[(&str, i32)], control: &Control) -> Result<(), Error> {
        let Some(((first, partitions), others)) = topics.split_first() else {
            return Ok(());
        };
        let client = &**self.client();
        create_in_mock(client, first, *partitions)?;
        let next = AtomicUsize::new(0);
        let create = || -> Result<(), Error> {
            while let Some((topic, partitions)) = others.get(next.fetch_add(1, Ordering::Relaxed))
                && !control.is_stopping()
            {
                create_in_mock(client, topic, *partitions)?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let creators = (0..others.len().min(CREATED_AT_ONCE)).map(|_| scope.spawn(create));
            let creators: Vec<_> = creators.collect();
            while !creators.iter().all(ScopedJoinHandle::is_finished) {
                self.topic_state(first, control)?;
            }
            let created = creators.into_iter().map(ScopedJoinHandle::join);
            created.into_iter().try_for_each(|created| {
                created.unwrap_or_else(|_| {
                    Err(Error::Defect {
                        what: "creating a topic for the rehearsal panicked".into(),
                    })
                })
            })
        })
    }

    fn create_topic(&self, topic: &str, partitions: i32, control: &Control) -> Result<(), Error> {
        check_creation(topic, partitions)?;
        let client = self.client();
        match admin::create_topic(client, control, topic, partitions, ADMIN_LIMIT) {
            // Somebody else was faster, which is just as good.
            Err(e) if e.code != Code::TOPIC_ALREADY_EXISTS => Err(creation_refused(topic, e.text)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Adds partitions to `topic`, which this run has created; `false` if it cannot have more.
    ///
    /// # Errors
    /// Returns [`Error::TopicRefused`] with the cluster's reason.
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
    ) -> Result<TopicShape, Error> {
        let started = Instant::now();
        loop {
            if let TopicState::Present(present) = self.topic_state(topic, control)?
                && present.partitions >= partitions
            {
                return Ok(present);
            }
            if started.elapsed() > CREATE_LIMIT || control.is_stopping() {
                let reason = "it was created but has not appeared".into();
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

/// Creates a topic in the broker of a rehearsal.
fn create_in_mock(client: &Client, topic: &str, partitions: i32) -> Result<(), Error> {
    check_creation(topic, partitions)?;
    // The mock cluster assigns partitions to brokers by their numbers and replicas; a random one of the
    // replicas is the leader.
    let replicas = match partitions {
        0..REHEARSAL_BROKERS => REHEARSAL_BROKERS,
        _ => 1,
    };
    let created = rehearsal_broker(client)?.create_topic(topic, partitions, replicas);
    created.map_err(|code| creation_refused(topic, code.words()))
}

fn creation_refused(topic: &str, reason: String) -> Error {
    Error::TopicRefused {
        topic: topic.into(),
        action: "create",
        reason,
    }
}

/// Checks that a topic can be created with this many partitions.
///
/// # Errors
/// Returns [`Error::TopicRefused`] if it cannot.
pub(in crate::produce) fn check_creation(topic: &str, partitions: i32) -> Result<(), Error> {
    checked(partitions).map_err(|reason| creation_refused(topic, reason))
}

/// Checks a number of partitions; the error says why no topic is created with it.
fn checked(partitions: i32) -> Result<(), String> {
    match partitions {
        ..=MOST_CREATED_PARTITIONS => Ok(()),
        more => Err(format!(
            "the capture names partition {}, but kreplay creates topics with at most {MOST_CREATED_PARTITIONS} \
             partitions",
            more - 1
        )),
    }
}
