//! Handles topics and partitions that the cluster's metadata lacks in the middle of a run: their records wait until
//! they are there again, and kreplay gives them up if that takes as long as `message.timeout.ms`. A broker that has
//! just started may answer before it knows its topics; a topic may also have been deleted.
//!
//! As long as librdkafka does not believe such an answer (`LONGEST_PROPAGATION_MS` in
//! `connection/client/settings.rs`), it keeps the records, and sends again what a broker may have taken, in a way
//! that the broker recognises. This file handles the rest: records that librdkafka gives back nevertheless, and
//! topics that are still missing when their records time out.

use std::mem;
use std::time::{Duration, Instant};

use super::absence::Sighting;
use crate::produce::connection::timeouts::{limit_of, timeout_of};
use crate::produce::session::open::Session;
use crate::produce::session::wait::{SendStop, WaitFor};
use crate::report::rendering::figures::count;

/// How often kreplay asks the cluster for what is missing.
const ASK_EVERY: Duration = Duration::from_millis(250);

impl Session<'_> {
    /// Waits until the cluster again knows the topics and partitions for which librdkafka has given records back, and
    /// lets other producers send these: the sequence numbers of the earlier producers now have a gap. By now
    /// everything else is answered.
    ///
    /// # Errors
    /// Returns [`SendStop`] if the run ends before that.
    pub(super) fn await_absent(&mut self) -> Result<(), SendStop> {
        let absent = self.deliveries.account().refusals.absent();
        if absent.is_empty() {
            return Ok(());
        }
        loop {
            self.pause_for(ASK_EVERY)?;
            if self.look_for(&absent) {
                break;
            }
        }
        self.deliveries.account().refusals.since_renewal = 0;
        self.connection.retire_producers();
        Ok(self.router.change_producers()?)
    }

    fn pause_for(&mut self, time: Duration) -> Result<(), SendStop> {
        let began = Instant::now();
        while began.elapsed() < time {
            if self.job.control.is_stopping() {
                return Err(SendStop::Interrupted);
            }
            self.check_alive()?;
            self.waiter.wait(WaitFor::Queue);
        }
        Ok(())
    }

    /// Asks the cluster for topics, each with the highest partition that records wait for. Returns `true` if each is
    /// there, or if kreplay has waited for it long enough.
    fn look_for(&mut self, absent: &[(String, i32)]) -> bool {
        let names: Vec<&str> = absent.iter().map(|(topic, _)| topic.as_str()).collect();
        let there = self.connection.partitions_of(&names);
        let now = self.deliveries.account().ages.clock();
        let limit = limit_of(&self.job.destination.properties);
        let mut is_settled = true;
        for ((topic, highest), there) in absent.iter().zip(there) {
            let Some(target) = self.router.index_of(topic) else {
                continue;
            };
            let was_given_up = self.absences.given_up(target, *highest).is_some();
            let sighting = self.absences.look(target, *highest, there, (now, limit));
            match sighting {
                Sighting::Missed => {
                    let what = missing_words(topic, there.unwrap_or_default());
                    let note = format!("{what}: its records wait until it is there again");
                    self.job.console.note(&note);
                    self.deliveries.missing(what);
                }
                Sighting::GivenUp if !was_given_up => self.note_given_up(topic, there),
                Sighting::GivenUp | Sighting::StillMissed | Sighting::There => {}
            }
            is_settled &= matches!(sighting, Sighting::There | Sighting::GivenUp);
        }
        is_settled
    }

    /// Gives up the topics and partitions of records that have waited for too long, if they are missing: further
    /// records for them must not wait as long.
    pub(super) fn give_up_missing(&mut self) {
        let overdue = self.deliveries.account().take_overdue();
        let names: Vec<&str> = overdue.iter().map(|(topic, _)| topic.as_str()).collect();
        let there = self.connection.partitions_of(&names);
        let now = self.deliveries.account().ages.clock();
        for ((topic, highest), there) in overdue.iter().zip(there) {
            let target = self.router.index_of(topic);
            let missing = there.filter(|there| *there <= (*highest).max(0));
            if let (Some(target), Some(there)) = (target, missing)
                && self.absences.given_up(target, *highest).is_none()
            {
                self.absences.give_up(target, there, now);
                self.note_given_up(topic, Some(there));
            }
        }
    }

    fn note_given_up(&self, topic: &str, there: Option<i32>) {
        let there = there.unwrap_or_default();
        let (what, waited) = (missing_words(topic, there), self.waited_words());
        let which = match there {
            0 => "its records",
            _ => "records for others",
        };
        let note = format!("{what}, {waited}: {which} are not sent");
        self.job.console.note(&note);
    }

    /// Why records for a partition of a target are not sent because the run has given up waiting for the
    /// partition; `None` if they may be sent. Asks the cluster again from time to time.
    pub(in crate::produce) fn given_up(&mut self, target: usize, partition: i32) -> Option<String> {
        self.absences.given_up(target, partition)?;
        let now = self.deliveries.account().ages.clock();
        if self.absences.is_question_due(target, now) {
            let name = &self.router.targets[target].name;
            let there = self.connection.partitions_of(&[name]).pop().flatten();
            self.absences.learn(target, there, now);
        }
        let there = self.absences.given_up(target, partition)?;
        let waited = self.waited_words();
        Some(match there {
            0 => format!("the cluster's metadata does not contain the topic, {waited}"),
            there => {
                let partitions = count(there.unsigned_abs().into(), "partition");
                format!("the cluster's metadata has only {partitions} of the topic, {waited}")
            }
        })
    }

    fn waited_words(&self) -> String {
        let limit = timeout_of(&self.job.destination.properties).as_millis();
        format!("even after `message.timeout.ms` ({limit} ms)")
    }

    /// Looks for missing topics after the cluster has fallen silent. If there are any, they are the reason, and the
    /// next line about the silence says so.
    pub(super) fn explain_silence(&mut self) {
        if !mem::take(&mut self.waiter.is_unexplained) {
            return;
        }
        let targets = &self.router.targets;
        let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        let there = self.connection.partitions_of(&names);
        let missing = targets.iter().zip(there).filter_map(|(target, there)| {
            let there = there.filter(|there| *there < target.partitions.count)?;
            Some(missing_words(&target.name, there))
        });
        let missing: Vec<String> = missing.collect();
        if let Some(first) = missing.first() {
            let text = match missing.len() {
                1 => first.clone(),
                2 => format!("{first}; another topic is missing or incomplete"),
                all => format!("{first}; {} more topics are missing or incomplete", all - 1),
            };
            self.job.console.note(&text);
            self.deliveries.missing(text);
        }
    }
}

/// Says that the cluster names only `there` partitions of a topic.
fn missing_words(topic: &str, there: i32) -> String {
    match there {
        0 => format!("topic `{topic}` is missing from the cluster's metadata"),
        there => {
            let partitions = count(there.unsigned_abs().into(), "partition");
            format!("topic `{topic}` has only {partitions} in the cluster's metadata")
        }
    }
}
