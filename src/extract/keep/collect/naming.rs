//! Handles topics that are known by their ids, and names that the profile does not know.

use super::{Collector, learn};
use crate::extract::census::unmatched::{Beginning, unmatched};
use crate::extract::keep::pending::PendingRecords;
use crate::extract::keep::sink::Sink;
use crate::extract::keep::topic_ids::TopicIds;
use crate::extract::rrpair::walk::found::PartialRecord;
use crate::record::{Batch, CapturedTopic, Origin, Record, TopicId};
use crate::report::ProblemKind;

impl Collector {
    /// Notes which of the paths have matched. It watches only the user's own: the built-in ones are
    /// alternatives.
    pub(super) fn note_matched(&mut self) {
        if self.overrides.paths().next().is_none() {
            return;
        }
        let now = &self.found.matched;
        let so_far = self.matched.get_or_insert_with(|| vec![false; now.len()]);
        so_far
            .iter_mut()
            .zip(now)
            .for_each(|(any, now)| *any |= now);
    }

    /// Names the user's paths that matched nothing. If no RRPair passed the filter, none could match.
    pub(super) fn name_unmatched(&self, sink: &mut Sink<'_>) {
        let Some(matched) = &self.matched else {
            return;
        };
        let flags = unmatched(&self.overrides, self.engine.sources(), matched);
        if flags.is_empty() {
            return;
        }
        let Self {
            inputs,
            envelope,
            engine,
            filter,
            ..
        } = self;
        let beginning = Beginning::of(inputs, envelope, engine, filter);
        let why: Vec<String> = flags.iter().map(|flag| beginning.explain(*flag)).collect();
        let why = why.join("; ");
        // Paths apply to the whole input.
        let origin = Origin { input: 0, line: 0 };
        for _ in flags {
            let problems = &mut sink.tally.problems;
            problems.add(ProblemKind::PathUnmatched, origin, || why.clone());
        }
    }

    /// Passes on records that waited for the name of their topic.
    pub(super) fn release_named(&mut self, sink: &mut Sink<'_>) {
        while let Some((id, pending)) = self.pending.take_known(&self.ids) {
            let name = self.ids.known(id).map(String::from);
            self.release(&pending, name.as_deref(), sink);
        }
    }

    /// Names members that the profile does not know: one may be the key or the headers, whose
    /// spellings are assumptions.
    pub(super) fn name_unknown_members(
        &self,
        partial: &PartialRecord,
        origin: Origin,
        sink: &mut Sink<'_>,
    ) {
        for number in partial.unknown.numbers() {
            let name = self.found.unknown.name(number);
            let problems = &mut sink.tally.problems;
            problems.add_about(ProblemKind::MemberUnknown, name, origin, || {
                format!("a record has a member called `{name}`, which the profile does not know")
            });
        }
    }

    /// Finds the name of the topic, if the capture has only its id.
    pub(super) fn name(&mut self, record: &mut Record, sink: &mut Sink<'_>) {
        if let Some(CapturedTopic::Id(id)) = sink.batch.topic(record) {
            let id = *id;
            self.deduplicator.identities.observe_id(id);
            if let Some(name) = self.name_of(id) {
                record.topic = Some(sink.batch.topic_index_of_name(&name));
            }
        }
    }

    pub(super) fn name_of(&mut self, id: TopicId) -> Option<String> {
        let Self {
            envelope,
            engine,
            ids,
            ..
        } = self;
        let learn_from = |text: &str, ids: &mut TopicIds| {
            envelope.for_each(text, |rrpair| {
                let (mut batch, mut found) = (Batch::default(), engine.found());
                // A damaged line is reported when it is actually read.
                if engine.read(rrpair, &mut batch, &mut found).is_ok() {
                    learn(&found, &batch, ids);
                }
            });
        };
        ids.name(id, learn_from).map(String::from)
    }

    /// Passes on records that waited for the name of their topic, whether or not there is one.
    pub(super) fn release(
        &mut self,
        pending: &PendingRecords,
        name: Option<&str>,
        sink: &mut Sink<'_>,
    ) {
        for (record, visibility) in pending.records() {
            let topic = name.map(|name| CapturedTopic::Name(name.into()));
            let topic = topic.as_ref().or_else(|| pending.batch.topic(record));
            if !self
                .deduplicator
                .try_claim(topic, record, visibility, &mut sink.tally)
            {
                continue;
            }
            sink.batch.push_copy(&pending.batch, record);
            if let (Some(name), Some(copy)) = (name, sink.batch.records.len().checked_sub(1)) {
                let topic = sink.batch.topic_index_of_name(name);
                sink.batch.records[copy].topic = Some(topic);
            }
        }
    }
}
