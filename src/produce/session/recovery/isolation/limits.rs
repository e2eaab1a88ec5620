//! The limit of a topic for its records, learned from refusals: smaller batches where one was too large, larger records
//! where nobody knows the limit.

use crate::error::Error;
use crate::produce::routing::route::Target;
use crate::produce::session::open::Session;
use crate::produce::session::wait::SendStop;

impl Session<'_> {
    /// Makes batches smaller: by the topic's limit where the cluster reports it now, else by half of the refused batch.
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
        // Powers of two: topics share their producers.
        let half = 1_usize << (refused / 2).max(1).ilog2();
        if half >= sizes.batch_size {
            return Ok(());
        }
        sizes.batch_size = half;
        self.router.change_sizes(target, sizes)
    }

    /// Lets the brokers judge a record that is larger than Kafka's default, where they do not report the topic's limit;
    /// `false` where they do, or the user has set one.
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
