//! Making topics that the destination lacks, and more partitions of those.

use std::thread;
use std::time::{Duration, Instant};

use super::client::{Connection, REHEARSAL_BROKERS};
use super::topics::{Shape, TopicState};
use crate::cluster::native::{Code, admin};
use crate::error::Error;
use crate::host::control::Control;

/// How long new topics may take to show up.
const CREATE_LIMIT: Duration = Duration::from_secs(15);
/// How long the cluster may take to change something.
const ADMIN_LIMIT: Duration = Duration::from_secs(10);

/// The most partitions that a topic is made with (librdkafka, RD_KAFKAP_PARTITIONS_MAX).
pub(in crate::produce) const MOST_PARTITIONS: i32 = 100_000;

impl Connection {
    /// Creates topics, given with their numbers of partitions, and waits until they can be written to.
    /// Gives their sizes, in the same order.
    ///
    /// # Errors
    /// [`Error::TopicRefused`] with the cluster's reason.
    pub(in crate::produce) fn create_topics(
        &self,
        topics: &[(&str, i32)],
        control: &Control,
    ) -> Result<Vec<Shape>, Error> {
        if self.is_rehearsal() {
            // Its broker looks at creations once a second, unless it is asked something between them.
            let shapes = topics.iter().map(|(topic, partitions)| {
                self.create_topic(topic, *partitions, control)?;
                self.wait_for_partitions(topic, *partitions, control)
            });
            return shapes.collect();
        }
        for (topic, partitions) in topics {
            self.create_topic(topic, *partitions, control)?;
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

    fn create_topic(&self, topic: &str, partitions: i32, control: &Control) -> Result<(), Error> {
        let refused = |reason| Error::TopicRefused {
            topic: topic.into(),
            action: "create",
            reason,
        };
        checked(partitions).map_err(refused)?;
        if let Some(mock) = self.mock()? {
            let created = mock.create_topic(topic, partitions, REHEARSAL_BROKERS);
            return created.map_err(|code| refused(code.words()));
        }
        let client = self.client();
        match admin::create_topic(client, control, topic, partitions, ADMIN_LIMIT) {
            // Somebody else was faster: as good.
            Err(e) if e.code != Code::TOPIC_ALREADY_EXISTS => Err(refused(e.text)),
            Ok(()) | Err(_) => Ok(()),
        }
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
