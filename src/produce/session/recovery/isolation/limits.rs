//! Learns from refusals how large the records of a topic may be: makes batches smaller after one that was too large,
//! and offers larger records if nobody knows the limit.

use crate::error::Error;
use crate::produce::routing::route::Target;
use crate::produce::session::open::Session;
use crate::produce::session::wait::SendStop;

impl Session<'_> {
    /// Makes batches smaller: the topic's limit if the cluster now reports a lower one, otherwise half of the refused
    /// batch.
    pub(super) fn learn_limit(
        &mut self,
        topic: &str,
        bytes: usize,
        one: usize,
    ) -> Result<(), Error> {
        let Some(target) = self.router.index_of(topic) else {
            return Ok(());
        };
        let limit = self.connection.topic_settings(topic).max_message_bytes;
        let known = self.router.targets[target].limit;
        if let Some(limit) = limit.filter(|limit| known.is_none_or(|known| *limit < known)) {
            if let Some(known) = known {
                self.job.console.note(&format!(
                    "topic `{topic}` has a max.message.bytes of {limit} now, and had {known} when the run began"
                ));
            }
            let changed = &mut self.router.targets[target];
            changed.former_limit = changed.former_limit.or(known);
            changed.limit = Some(limit);
            let sizes = self.connection.sizes_for(topic, Some(limit));
            return self.router.change_sizes(target, sizes);
        }
        let mut sizes = self.router.targets[target].sizes;
        let refused = bytes.min(sizes.batch_size).max(one);
        // A power of two, because topics share their producers.
        let half = 1_usize << (refused / 2).max(1).ilog2();
        if half >= sizes.batch_size {
            return Ok(());
        }
        sizes.batch_size = half;
        self.router.change_sizes(target, sizes)
    }

    /// Lets the brokers judge a record that is larger than Kafka's default, if they do not report the topic's limit.
    /// Returns `false` if they do, or if the user has set one.
    pub(in crate::produce) fn offer_larger(&mut self, target: usize) -> Result<bool, SendStop> {
        let Target {
            name, limit, sizes, ..
        } = &self.router.targets[target];
        let offered = match limit {
            Some(_) => None,
            None => self.connection.sizes_for_offer(name, *sizes),
        };
        let Some(sizes) = offered else {
            return Ok(false);
        };
        // Records in flight must not be overtaken by those of another producer.
        self.wait_for_answers(0)?;
        self.isolate()?;
        self.router.change_sizes(target, sizes)?;
        Ok(true)
    }
}
