//! The nodes that are open during a walk: where the fields found below them are kept, and what becomes of these when
//! the node ends.

use serde::de;

use super::found::{MOST_RECORDS, MOST_TOPICS, MemberSet, PartialRecord, Scope};
use super::{Excess, Walk};
use crate::extract::rrpair::automaton::{AutomatonState, FieldAt, Group};
use crate::extract::rrpair::fields::{Attributes, Bad, FieldSet, Slot, SlotClaim};

impl Walk<'_> {
    fn count(&self, group: Group) -> usize {
        match group {
            Group::Record => self.found.records.len(),
            Group::AbortedTransaction => self.found.aborted.len(),
            Group::Answer => self.found.answers.len(),
            Group::KnownTopic => 0,
        }
    }

    #[inline]
    pub(super) fn enter(&mut self, state: &AutomatonState) {
        for at in &state.fields {
            self.found.matched[at.source] = true;
        }
        if state.keeps_fields() {
            self.open(state);
        }
    }

    fn open(&mut self, state: &AutomatonState) {
        for (group, item) in &state.anchors {
            self.push_scope(state.depth, *group, *item, 0);
        }
        for item in &state.items {
            self.found.matched[item.source] = true;
            self.push_scope(state.depth, item.group, item.source, item.order);
            if item.group == Group::Record {
                self.unknown = MemberSet::default();
            }
        }
    }

    fn push_scope(&mut self, depth: usize, group: Group, item: usize, order: usize) {
        let before = self.count(group);
        self.found.scopes.push(Scope {
            depth,
            group,
            item,
            fields: FieldSet::default(),
            order,
            before,
        });
    }

    #[inline]
    pub(super) fn leave(&mut self, state: &AutomatonState) {
        if state.keeps_fields() {
            self.close(state);
        }
    }

    fn close(&mut self, state: &AutomatonState) {
        let unknown = match state.items.is_empty() {
            true => MemberSet::default(),
            false => std::mem::take(&mut self.unknown),
        };
        for _ in &state.items {
            let Some(scope) = self.found.scopes.pop() else {
                return;
            };
            match scope.group {
                Group::Record => self.finish_record(scope, unknown),
                Group::AbortedTransaction => {
                    if self.has_room(self.found.aborted.len(), "aborted transaction") {
                        self.found.aborted.push(scope.fields);
                    }
                }
                Group::Answer => {
                    if self.has_room(self.found.answers.len(), "answer") {
                        self.found.answers.push(scope.fields);
                    }
                }
                Group::KnownTopic => {
                    let topic = |slot| scope.fields.topic(slot);
                    let pair = topic(Slot::TopicId).zip(topic(Slot::Topic));
                    self.found.known_topics.extend(pair);
                }
            }
        }
        for _ in &state.anchors {
            let Some(Scope {
                group,
                item,
                fields,
                before,
                ..
            }) = self.found.scopes.pop()
            else {
                return;
            };
            if fields.is_empty() {
                continue;
            }
            match group {
                Group::Record => {
                    let partials = self.found.records[before..].iter_mut();
                    for partial in partials.filter(|partial| partial.item == item) {
                        partial.fields.join(&fields);
                        self.ambiguous = self.ambiguous.or(partial.fields.ambiguous());
                    }
                }
                Group::AbortedTransaction => {
                    join_all(&mut self.found.aborted[before..], &fields);
                }
                Group::Answer => join_all(&mut self.found.answers[before..], &fields),
                Group::KnownTopic => {}
            }
        }
    }

    fn finish_record(&mut self, scope: Scope, unknown: MemberSet) {
        self.ambiguous = self.ambiguous.or(scope.fields.ambiguous());
        if !self.has_room(self.found.records.len(), "record") {
            return;
        }
        self.found.records.push(PartialRecord {
            fields: scope.fields,
            item: scope.item,
            order: scope.order,
            unknown,
        });
    }

    /// Whether one more may be kept beside `kept`.
    fn has_room(&mut self, kept: usize, what: &'static str) -> bool {
        if kept >= MOST_RECORDS {
            let most = MOST_RECORDS;
            self.excess = Some(Excess { most, what });
        }
        kept < MOST_RECORDS
    }

    /// Whether one more topic may be kept.
    pub(super) fn has_room_for_topic(&mut self) -> bool {
        let has_room = self.batch.topics.len() < MOST_TOPICS;
        if !has_room {
            let most = MOST_TOPICS;
            self.excess = Some(Excess {
                most,
                what: "topic",
            });
        }
        has_room
    }

    /// Notes an unknown member of a record.
    pub(super) fn note_unknown(&mut self, name: &str) {
        self.unknown.add(self.found.unknown.number(name));
    }

    /// Notes that the field at `at` is present and unreadable.
    pub(super) fn spoil(&mut self, at: &FieldAt, bad: Bad) {
        let all = self.found.kept_for(at);
        all.for_each(|fields| fields.spoil(bad));
    }

    /// Calls `set` for every set of fields that the field at `at` belongs to and may be put in.
    pub(super) fn set<E: de::Error>(
        &mut self,
        at: &FieldAt,
        mut set: impl FnMut(&mut FieldSet),
    ) -> Result<(), E> {
        for fields in self.found.kept_for(at) {
            match fields.claim(at.slot, at.rank) {
                SlotClaim::Take => set(fields),
                SlotClaim::Leave => {}
            }
        }
        Ok(())
    }

    /// Adds attributes to those already there: they may be a list.
    pub(super) fn add_attributes(&mut self, at: &FieldAt, attributes: Attributes) {
        let all = self.found.kept_for(at);
        all.for_each(|fields| fields.add_attributes(attributes));
    }
}

/// Gives each of `inner` the fields of `outer` that it lacks.
fn join_all(inner: &mut [FieldSet], outer: &FieldSet) {
    inner.iter_mut().for_each(|inner| inner.join(outer));
}
