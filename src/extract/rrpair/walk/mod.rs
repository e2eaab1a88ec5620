//! The walk through one RRPair: what the automaton names goes straight into the batch. No document is built,
//! unknown members are skipped unseen. `visit.rs` takes serde's events and drives this.

pub(crate) mod found;
pub(super) mod pass;
mod visit;

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Unexpected};

use self::found::{LineFindings, MOST_RECORDS, MOST_TOPICS, MemberSet, PartialRecord, Scope};
use super::automaton::{AutomatonState, FieldAt, Group, NodeShape, PathAutomaton};
use super::fields::{Attributes, Bad, FieldSet, Slot, SlotClaim};
use super::headers::HeadersSeed;
use crate::extract::profile::Encoding;
use crate::record::{Batch, CapturedTopic, NameFault, TopicId};
use crate::report::rendering::figures::count;

/// What a node is to the one around it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum Nesting {
    /// The whole line.
    Root,
    Member,
    Element,
}

/// A pass over a line while it goes on.
pub(in crate::extract) struct Walk<'a> {
    pub(in crate::extract) automaton: &'a PathAutomaton,
    pub(in crate::extract) batch: &'a mut Batch,
    found: &'a mut LineFindings,
    /// Members of the record that is open which nobody knows.
    unknown: MemberSet,
    /// A node was met whose JSON text is needed: the line is read once more.
    pub(in crate::extract) again: bool,
    pub(in crate::extract) ambiguous: Option<Slot>,
    /// What the line has more of than is read.
    pub(in crate::extract) excess: Option<Excess>,
}

/// More of something than is read of one RRPair, which is then not read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) struct Excess {
    most: usize,
    what: &'static str,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "it holds more than {}",
            count(self.most as u64, self.what)
        )
    }
}

impl<'a> Walk<'a> {
    pub(in crate::extract) fn new(
        automaton: &'a PathAutomaton,
        batch: &'a mut Batch,
        found: &'a mut LineFindings,
    ) -> Self {
        found.clear();
        Self {
            automaton,
            batch,
            found,
            unknown: MemberSet::default(),
            again: false,
            ambiguous: None,
            excess: None,
        }
    }
}

impl Walk<'_> {
    pub(in crate::extract) fn count(&self, group: Group) -> usize {
        match group {
            Group::Record => self.found.records.len(),
            Group::AbortedTransaction => self.found.aborted.len(),
            Group::Answer => self.found.answers.len(),
            Group::KnownTopic => 0,
        }
    }

    #[inline]
    pub(in crate::extract) fn enter(&mut self, state: &AutomatonState) {
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

    pub(in crate::extract) fn push_scope(
        &mut self,
        depth: usize,
        group: Group,
        item: usize,
        order: usize,
    ) {
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
    pub(in crate::extract) fn leave(&mut self, state: &AutomatonState) {
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

    /// The same for a topic.
    fn has_room_for_topic(&mut self) -> bool {
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

    /// Takes note of a record's member that nobody knows.
    pub(in crate::extract) fn note_unknown(&mut self, name: &str) {
        self.unknown.add(self.found.unknown.number(name));
    }

    /// The field at `at` is there and cannot be read.
    pub(in crate::extract) fn spoil(&mut self, at: &FieldAt, bad: Bad) {
        let all = self.found.kept_for(at);
        all.for_each(|fields| fields.spoil(bad));
    }

    /// Calls `set` for every set of fields that the field at `at` belongs to and may be put in.
    pub(in crate::extract) fn set<E: de::Error>(
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

    /// A string at a node of the automaton.
    pub(in crate::extract) fn text<E: de::Error>(
        &mut self,
        state: &AutomatonState,
        text: &str,
    ) -> Result<(), E> {
        for filter in &state.filters {
            self.found.filtered_on.add(*filter, text);
        }
        state
            .fields
            .iter()
            .try_for_each(|at| self.text_field(at, text))
    }

    pub(in crate::extract) fn text_field<E: de::Error>(
        &mut self,
        at: &FieldAt,
        text: &str,
    ) -> Result<(), E> {
        match at.slot {
            Slot::Value | Slot::Key => {
                let bytes = match at.encoding {
                    Encoding::Base64 => self.batch.push_base64(text),
                    Encoding::Auto | Encoding::Text | Encoding::Json => {
                        Some(self.batch.push_bytes(text.as_bytes()))
                    }
                };
                match bytes {
                    Some(_) => self.set(at, |fields| fields.set_bytes(at.slot, bytes)),
                    None => {
                        self.spoil(at, Bad::NotBase64(at.slot));
                        Ok(())
                    }
                }
            }
            Slot::Topic if text.is_empty() => Ok(()),
            Slot::Topic => {
                if let Some(fault) = NameFault::of(text) {
                    self.spoil(at, Bad::NoTopicName(fault));
                    return Ok(());
                }
                if !self.has_room_for_topic() {
                    return Ok(());
                }
                let index = self.batch.topic_index_of_name(text);
                self.set(at, |fields| fields.set_topic(at.slot, index))
            }
            Slot::TopicId => {
                let Some(id) = TopicId::parse(text) else {
                    return Ok(());
                };
                if !self.has_room_for_topic() {
                    return Ok(());
                }
                let index = self.batch.topic_index(&CapturedTopic::Id(id));
                self.set(at, |fields| fields.set_topic(at.slot, index))
            }
            Slot::Attributes => {
                self.add_attributes(at, Attributes::from_text(text));
                Ok(())
            }
            Slot::Headers => {
                self.spoil(at, Bad::NotAString(at.slot));
                Ok(())
            }
            slot => {
                // 64-bit integers are strings in protobuf's JSON mapping.
                let number = number_of(slot, text);
                let wrong = || E::invalid_value(Unexpected::Str(text), &"an integer of 64 bits");
                self.number_field(at, number.ok_or_else(wrong)?)
            }
        }
    }

    /// An integer at a node of the automaton.
    pub(in crate::extract) fn number<E: de::Error>(
        &mut self,
        state: &AutomatonState,
        number: i64,
    ) -> Result<(), E> {
        for filter in &state.filters {
            self.found.filtered_on.add(*filter, &number.to_string());
        }
        state.fields.iter().try_for_each(|at| match at.slot {
            Slot::Value | Slot::Key => {
                self.not_a_string(state, at);
                Ok(())
            }
            Slot::Topic => self.text_field(at, &number.to_string()),
            _ => self.number_field(at, number),
        })
    }

    pub(in crate::extract) fn number_field<E: de::Error>(
        &mut self,
        at: &FieldAt,
        number: i64,
    ) -> Result<(), E> {
        match at.slot {
            Slot::Attributes => {
                self.add_attributes(at, Attributes::from_bits(number));
                Ok(())
            }
            Slot::Partition if i32::try_from(number).is_ok_and(|partition| partition >= 0) => {
                self.set(at, |fields| fields.set_number(at.slot, number))
            }
            Slot::Partition => Err(E::invalid_value(
                Unexpected::Signed(number),
                &"a partition's index",
            )),
            Slot::Topic | Slot::TopicId | Slot::Value | Slot::Key | Slot::Headers => {
                Err(E::invalid_value(
                    Unexpected::Signed(number),
                    &"what the profile says is there",
                ))
            }
            slot => self.set(at, |fields| fields.set_number(slot, number)),
        }
    }

    /// Attributes add up: they may be a list.
    pub(in crate::extract) fn add_attributes(&mut self, at: &FieldAt, attributes: Attributes) {
        let all = self.found.kept_for(at);
        all.for_each(|fields| fields.add_attributes(attributes));
    }

    /// A key or value that is no string: its JSON text is wanted, or it is wrong.
    pub(in crate::extract) fn not_a_string(&mut self, state: &AutomatonState, at: &FieldAt) {
        match at.encoding {
            Encoding::Auto | Encoding::Json => {
                state.raw.set(true);
                self.again = true;
            }
            Encoding::Text | Encoding::Base64 => self.spoil(at, Bad::NotAString(at.slot)),
        }
    }

    /// Something that is neither string, integer nor null.
    pub(in crate::extract) fn odd<E: de::Error>(
        &mut self,
        state: &AutomatonState,
        what: Unexpected<'_>,
    ) -> Result<(), E> {
        let scalar = match what {
            Unexpected::Bool(truth) => Some(truth.to_string()),
            Unexpected::Float(number) => Some(number.to_string()),
            _ => None,
        };
        if let Some(scalar) = scalar {
            for filter in &state.filters {
                self.found.filtered_on.add(*filter, &scalar);
            }
        }
        for at in &state.fields {
            match (at.slot, what) {
                (Slot::Value | Slot::Key, _) => self.not_a_string(state, at),
                // Elements and members are looked at by themselves.
                (Slot::Attributes, Unexpected::Seq)
                | (Slot::Headers, Unexpected::Seq | Unexpected::Map) => {}
                (Slot::Headers, _) => self.spoil(at, Bad::NotAString(at.slot)),
                // It is the answer that is odd, and not the request.
                (Slot::ErrorCode, _) => {}
                _ => return Err(E::invalid_type(what, &"a string or an integer")),
            }
        }
        Ok(())
    }

    /// The JSON text of a node.
    pub(in crate::extract) fn raw<E: de::Error>(
        &mut self,
        state: &AutomatonState,
        json: &str,
    ) -> Result<(), E> {
        for filter in &state.filters {
            self.found.filtered_on.add(*filter, json);
        }
        let text: Option<Cow<'_, str>> = match json.starts_with('"') {
            true => Some(
                Deserialize::deserialize(&mut serde_json::Deserializer::from_str(json))
                    .map_err(E::custom)?,
            ),
            false => None,
        };
        for at in &state.fields {
            match (&text, at.slot, at.encoding) {
                (_, Slot::Value | Slot::Key, Encoding::Json) => {
                    let bytes = Some(self.batch.push_bytes(json.as_bytes()));
                    self.set(at, |fields| fields.set_bytes(at.slot, bytes))?;
                }
                (Some(text), ..) => self.text_field(at, text)?,
                (None, ..) if json == "null" => {}
                (None, Slot::Value | Slot::Key, Encoding::Auto) => {
                    let bytes = Some(self.batch.push_bytes(json.as_bytes()));
                    self.set(at, |fields| fields.set_bytes(at.slot, bytes))?;
                }
                (None, Slot::Headers, _) => self.headers_of_text(at, json)?,
                (None, Slot::Value | Slot::Key, _) => self.spoil(at, Bad::NotAString(at.slot)),
                (None, ..) => match json.parse::<i64>() {
                    Ok(_) if at.slot == Slot::Topic => self.text_field(at, json)?,
                    Ok(number) => self.number_field(at, number)?,
                    Err(_) if at.slot == Slot::Attributes => {
                        self.add_attributes(at, Attributes::from_text(json));
                    }
                    Err(_) => {
                        return Err(E::invalid_type(
                            Unexpected::Other(json),
                            &"a string or an integer",
                        ));
                    }
                },
            }
        }
        Ok(())
    }

    /// A node of another shape than the profile's would hide its records in silence. Only a profile
    /// that lists what its records may hold is so sure of the shapes.
    pub(in crate::extract) fn check_shape<E: de::Error>(
        &self,
        state: &AutomatonState,
        place: Nesting,
        shape: NodeShape,
    ) -> Result<(), E> {
        if place == Nesting::Root && shape != NodeShape::Object {
            return Err(E::custom("expected an RRPair, which is a JSON object"));
        }
        let absent = shape == NodeShape::Null && place == Nesting::Member;
        if absent || self.automaton.known.is_none() {
            return Ok(());
        }
        match state.misses(shape) {
            Some(wanted) => Err(E::custom(format!(
                "expected {wanted} on the way to records"
            ))),
            None => Ok(()),
        }
    }

    pub(in crate::extract) fn headers_field(state: &AutomatonState) -> Option<&FieldAt> {
        state.fields.iter().find(|at| at.slot == Slot::Headers)
    }

    /// Reads the headers that `read` finds at a node.
    pub(in crate::extract) fn headers<E: de::Error>(
        &mut self,
        at: &FieldAt,
        read: impl FnOnce(HeadersSeed<'_>) -> Result<Option<Bad>, E>,
    ) -> Result<(), E> {
        let mark = self.batch.mark();
        let bad = read(HeadersSeed {
            batch: self.batch,
            unknown: &mut self.found.unknown,
            encoding: at.encoding,
        })?;
        if let Some(bad) = bad {
            self.spoil(at, bad);
        }
        let headers = self.batch.headers_since(mark);
        self.set(at, |fields| fields.set_headers(headers))
    }

    /// The same of a node whose JSON text was asked for by somebody else.
    fn headers_of_text<E: de::Error>(&mut self, at: &FieldAt, json: &str) -> Result<(), E> {
        if !json.starts_with(['{', '[']) {
            self.spoil(at, Bad::NotAString(at.slot));
            return Ok(());
        }
        let mut json = serde_json::Deserializer::from_str(json);
        self.headers(at, |seed| json.deserialize_any(seed).map_err(E::custom))
    }
}

/// Gives each of `inner` what `outer` has and it has not.
fn join_all(inner: &mut [FieldSet], outer: &FieldSet) {
    inner.iter_mut().for_each(|inner| inner.join(outer));
}

/// An integer, or RFC 3339 where a time is wanted: then in milliseconds. Errors have names, too.
pub(in crate::extract) fn number_of(slot: Slot, text: &str) -> Option<i64> {
    let instant = || {
        text.parse::<jiff::Timestamp>()
            .ok()
            .map(jiff::Timestamp::as_millisecond)
    };
    let other = || match slot {
        Slot::Time => instant(),
        // An error by its name: only `NONE` is none (Kafka protocol guide, Error Codes).
        Slot::ErrorCode => Some(if text.ends_with("NONE") { 0 } else { -1 }),
        _ => None,
    };
    text.parse().ok().or_else(other)
}
