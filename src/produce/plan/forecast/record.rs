//! What one record adds to the forecast: where it goes, or why it would not be written.

use super::{PlanClock, Planner};
use crate::config::{PartitionChoice, Timestamps};
use crate::error::Error;
use crate::produce::delivery::counts::count_placement;
use crate::produce::routing::acceptance::Objection;
use crate::produce::routing::placement::{ChosenPartition, Renamings};
use crate::produce::routing::sizes::wire_size;
use crate::produce::schedule::{Turns, kept_timestamp_ms};
use crate::produce::session::send::TIMELESS;
use crate::record::select::known_timestamp_ms;
use crate::record::{Batch, Header, Record};
use crate::report::ProblemKind;

impl Planner<'_> {
    /// Plans where a record goes, and counts it, or the reason why it would not be written.
    pub(super) fn plan_record(
        &mut self,
        batch: &Batch,
        index: usize,
        position: u64,
    ) -> Result<(), Error> {
        let record = &batch.records[index];
        let Some(target) = self.topics.route(batch.topic(record))? else {
            return self.unplaceable(batch, record);
        };
        let key = record.key.map(|key| batch.slice(key));
        let timestamp_ms = self.timestamp_ms(record, position);
        let rules = &self.topics.targets[target].rules;
        if let Some(objection) = rules.objection(key, timestamp_ms, self.clock.now_ms()) {
            self.refuse(target, batch, record, objection);
            return Ok(());
        }
        let how = self.job.destination.partition;
        if let Some(partition) = self.topics.targets[target]
            .partitions
            .lacks(how, record.partition)
        {
            self.topics.grow(target, partition)?;
        }
        let planned = &mut self.topics.targets[target];
        let placed = planned.partitions.choose(how, record.partition, key);
        let added = self.job.destination.headers.iter();
        let added = added.map(|(name, value)| (name.len(), Some(value.len())));
        let headers = batch.headers(record).iter();
        let headers = headers.map(|Header { name, value }| {
            (
                batch.slice(*name).len(),
                value.map(|value| batch.slice(value).len()),
            )
        });
        let value = record.value.map_or(0, |value| batch.slice(value).len());
        let key_bytes = key.map_or(0, <[u8]>::len);
        let bytes = wire_size(key_bytes, value, headers.chain(added));
        if let ChosenPartition::Lacking(partition) = placed {
            planned.lack(partition, record.origin);
            self.lacking += 1;
            return Ok(());
        }
        if bytes > planned.sizes.message_max_bytes {
            self.too_large(target, batch, record, bytes);
            return Ok(());
        }
        planned.records += 1;
        planned.bytes += (key_bytes + value) as u64;
        self.place(target, batch, record, placed);
        if let Some(key) = key {
            self.keys.add(target, key);
        }
        self.to_send += 1;
        let (now, size) = (self.clock.now, batch.size(record) as u64);
        let shared = self.turns.as_ref().and_then(Turns::shared_start);
        let first = *self.first.get_or_insert(shared.unwrap_or(now));
        self.peaks.add(now.saturating_duration_since(first), size);
        Ok(())
    }

    /// Counts where a record goes, and whether that is where it was captured.
    fn place(&mut self, target: usize, batch: &Batch, record: &Record, placed: ChosenPartition) {
        let partition = match placed {
            ChosenPartition::Captured(partition)
            | ChosenPartition::ByKey(partition)
            | ChosenPartition::InTurn(partition) => Some(partition),
            ChosenPartition::ByLibrdkafka | ChosenPartition::Lacking(_) => None,
        };
        let how = self.job.destination.partition;
        count_placement(&mut self.placement, how, record, partition);
        let planned = &mut self.topics.targets[target];
        if let Some(partition) = partition {
            *planned.per_partition.entry(partition).or_default() += 1;
        }
        let was_to_be_kept = how == PartitionChoice::Auto;
        if was_to_be_kept && record.partition.is_some() && record.partition != partition {
            planned.displaced += 1;
            let (topic, has) = (&planned.name, planned.partitions.count);
            let why = || {
                let place = batch.captured_at(record);
                format!(
                    "{place}: topic `{topic}` has {has} partitions, so the record goes to another one"
                )
            };
            self.problems
                .add(ProblemKind::Displaced, record.origin, why);
        }
    }

    fn unplaceable(&mut self, batch: &Batch, record: &Record) -> Result<(), Error> {
        let place = self.job.counters.place(record.origin);
        let why = Renamings::why_unplaceable(batch.topic(record), self.to_send, place)?;
        self.unplaced += 1;
        let place = batch.captured_at(record);
        let why = || format!("{why}: {place}");
        self.problems
            .add(ProblemKind::TopicUnknown, record.origin, why);
        Ok(())
    }

    /// The timestamp that a record keeps; `None` if it gets the time at which it is sent.
    fn timestamp_ms(&mut self, record: &Record, position: u64) -> Option<i64> {
        let which = self.job.destination.timestamps;
        let shared = self.turns.as_ref().and_then(Turns::shared_start);
        let clock = PlanClock {
            now: shared.unwrap_or(self.clock.now),
            ..self.clock
        };
        if let Some(shifts) = &mut self.shifts {
            shifts.note(known_timestamp_ms(record), || clock.now_ms());
        }
        let kept = kept_timestamp_ms(which, self.shifts.as_ref(), record, position);
        if kept.is_none() && which != Timestamps::Now {
            let problems = &mut self.problems;
            problems.add(ProblemKind::TimestampLost, record.origin, || {
                TIMELESS.into()
            });
        }
        kept
    }

    fn refuse(&mut self, target: usize, batch: &Batch, record: &Record, objection: Objection) {
        let planned = &mut self.topics.targets[target];
        let refused = &mut planned.refused;
        let (count, about) = match objection {
            Objection::NoKey => (&mut refused.no_key, "no_key"),
            Objection::TooEarly { .. } => (&mut refused.too_early, "too_early"),
            Objection::TooLate { .. } => (&mut refused.too_late, "too_late"),
            Objection::Expired { .. } => (&mut refused.expired, "expired"),
        };
        *count += 1;
        let topic = &planned.name;
        let why = || {
            format!(
                "{}: topic `{topic}`: {objection}",
                batch.captured_at(record)
            )
        };
        let problems = &mut self.problems;
        problems.add_about(ProblemKind::NotWritten, about, record.origin, why);
        self.not_written += 1;
    }

    fn too_large(&mut self, target: usize, batch: &Batch, record: &Record, bytes: usize) {
        let limit = self.topics.describe_limit(target);
        let planned = &mut self.topics.targets[target];
        planned.refused.too_large += 1;
        let topic = &planned.name;
        let why = || {
            let place = batch.captured_at(record);
            format!("{place}: topic `{topic}`: the record of {bytes} bytes is larger than {limit}")
        };
        let problems = &mut self.problems;
        problems.add_about(ProblemKind::NotWritten, "too_large", record.origin, why);
        self.not_written += 1;
    }
}
