//! One pass over one RRPair: serde's events drive the plan's tree, and what the plan names goes
//! straight into the batch. No document is built, unknown members are skipped unseen.
//!
//! Fields that stand once for many records (topic, partition, base offset) may come before or after
//! those records in the text, so they are kept by scope and joined when the scope closes.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::draft::{Attributes, Draft, Shared, Trouble};
use super::plan::{FieldAt, Member, Node, Plan};
use super::profile::{Encoding, Field, Scope};
use super::topic_ids::TopicIds;
use crate::record::{Batch, CapturedTopic, Header, Mark, Span, TopicId};

/// What one line held, besides what went into the batch.
pub(super) struct Walk<'a> {
    plan: &'a Plan,
    batch: &'a mut Batch,
    ids: &'a mut TopicIds,
    pub(super) command: Command<'a>,
    pub(super) drafts: &'a mut Vec<Draft>,
    /// Open scopes, the innermost last, each with the number of drafts made before it.
    scopes: Vec<(Shared, usize)>,
    record: Draft,
    ranks: Ranks,
    header: HeaderDraft,
    known: (Option<String>, Option<TopicId>),
}

#[derive(Debug, Default)]
struct HeaderDraft {
    name: Option<Span>,
    value: Option<Span>,
    unknown_member: Option<String>,
}

/// Whether the line's command is the one that the profile replays.
pub(super) struct Command<'a> {
    wanted: &'a str,
    pub(super) matches: bool,
}

/// Which spelling gave the key and value that stand so far; a smaller rank replaces a larger.
#[derive(Debug, Clone, Copy)]
struct Ranks {
    value: u8,
    key: u8,
    header: u8,
    topic: u8,
    partition: u8,
    mark: Option<Mark>,
}

const UNRANKED: Ranks = Ranks {
    value: u8::MAX,
    key: u8::MAX,
    header: u8::MAX,
    topic: u8::MAX,
    partition: u8::MAX,
    mark: None,
};

impl<'a> Walk<'a> {
    /// Reads `line`; records land in `drafts`, their bytes in `batch`.
    ///
    /// # Errors
    /// serde_json's, with the column; the batch then holds bytes to be rolled back.
    pub(super) fn read(
        line: &str,
        plan: &'a Plan,
        command: &'a str,
        batch: &'a mut Batch,
        ids: &'a mut TopicIds,
        drafts: &'a mut Vec<Draft>,
    ) -> serde_json::Result<bool> {
        drafts.clear();
        let mut walk = Self {
            plan,
            batch,
            ids,
            command: Command {
                wanted: command,
                matches: false,
            },
            drafts,
            scopes: Vec::with_capacity(4),
            record: Draft::default(),
            ranks: UNRANKED,
            header: HeaderDraft::default(),
            known: (None, None),
        };
        let mut json = serde_json::Deserializer::from_str(line);
        NodeSeed {
            walk: &mut walk,
            node: plan.root(),
        }
        .deserialize(&mut json)?;
        json.end()?;
        Ok(walk.command.matches)
    }

    fn open(&mut self, scope: Scope) {
        match scope {
            Scope::Shared => {
                self.scopes.push((Shared::default(), self.drafts.len()));
                (self.ranks.topic, self.ranks.partition) = (u8::MAX, u8::MAX);
            }
            Scope::Record => {
                self.record = Draft::default();
                self.ranks.value = u8::MAX;
                self.ranks.key = u8::MAX;
                self.ranks.mark = Some(self.batch.mark());
            }
            Scope::Header => {
                self.header = HeaderDraft::default();
                self.ranks.header = u8::MAX;
            }
            Scope::KnownTopic => self.known = (None, None),
        }
    }

    fn close(&mut self, scope: Scope) {
        match scope {
            Scope::Shared => {
                if let Some((shared, first)) = self.scopes.pop() {
                    self.drafts[first..]
                        .iter_mut()
                        .for_each(|draft| draft.shared.join(&shared));
                }
            }
            Scope::Record => self.close_record(),
            Scope::Header => self.close_header(),
            Scope::KnownTopic => {
                if let (Some(name), Some(id)) = std::mem::take(&mut self.known) {
                    self.ids.learn(id, name);
                }
            }
        }
    }

    fn close_header(&mut self) {
        let header = std::mem::take(&mut self.header);
        if (header.name.is_none() || header.value.is_none())
            && let Some(name) = header.unknown_member
        {
            self.record.trouble(Trouble::UnknownHeaderMember(name));
        }
        // Protobuf's JSON mapping leaves an empty name out.
        let name = header.name.unwrap_or_else(|| self.batch.push_bytes(b""));
        self.batch.push_header(Header {
            name,
            value: header.value,
        });
    }

    fn close_record(&mut self) {
        let mut record = std::mem::take(&mut self.record);
        if let Some(mark) = self.ranks.mark.take() {
            record.headers = self.batch.headers_since(mark);
        }
        if self.ranks.value == u8::MAX
            && let Some(name) = record.unknown_member.take()
        {
            record.trouble(Trouble::NoKnownValue(name));
        }
        self.drafts.push(record);
    }

    fn shared(&mut self) -> Option<&mut Shared> {
        self.scopes.last_mut().map(|(shared, _)| shared)
    }

    /// A string at a node of the plan.
    fn text<E: de::Error>(&mut self, at: FieldAt, text: &str) -> Result<(), E> {
        match at.field {
            Field::Value(encoding) => {
                if let Some(bytes) = self.bytes(at, encoding, text, |ranks| &mut ranks.value) {
                    self.record.value = Some(bytes);
                }
            }
            Field::Key(encoding) => {
                if let Some(bytes) = self.bytes(at, encoding, text, |ranks| &mut ranks.key) {
                    self.record.key = Some(bytes);
                }
            }
            Field::HeaderValue(encoding) => {
                if let Some(bytes) = self.bytes(at, encoding, text, |ranks| &mut ranks.header) {
                    self.header.value = Some(bytes);
                }
            }
            Field::HeaderName => self.header.name = Some(self.batch.push_bytes(text.as_bytes())),
            Field::Topic => self.topic_name(at, text),
            Field::TopicId => {
                let topic = TopicId::parse(text).map(CapturedTopic::Id);
                let index = topic.map(|topic| self.batch.topic_index(&topic));
                if let Some(shared) = self.shared() {
                    shared.topic_id = index;
                }
            }
            Field::Command => self.command.matches = text == self.command.wanted,
            Field::KnownName => self.known.0 = Some(text.to_string()),
            Field::KnownId => self.known.1 = TopicId::parse(text),
            Field::Attributes => match text.parse() {
                Ok(bits) => self.attributes(Attributes::from_bits(bits)),
                Err(_) => self.attributes(Attributes::from_name(text)),
            },
            _ => {
                // 64-bit integers are strings in protobuf's JSON mapping.
                let number = text.parse().map_err(|_| {
                    E::invalid_value(de::Unexpected::Str(text), &"an integer of 64 bits")
                })?;
                self.number(at, number)?;
            }
        }
        Ok(())
    }

    /// The bytes of a key or value, unless a spelling that goes before gave them already.
    fn bytes(
        &mut self,
        at: FieldAt,
        encoding: Encoding,
        text: &str,
        rank: impl Fn(&mut Ranks) -> &mut u8,
    ) -> Option<Span> {
        if at.rank >= *rank(&mut self.ranks) {
            return None;
        }
        *rank(&mut self.ranks) = at.rank;
        match encoding {
            Encoding::Text => Some(self.batch.push_bytes(text.as_bytes())),
            Encoding::Base64 => {
                let bytes = self.batch.push_base64(text);
                if bytes.is_none() {
                    self.record.trouble(Trouble::NotBase64);
                }
                bytes
            }
        }
    }

    fn topic_name(&mut self, at: FieldAt, text: &str) {
        if at.rank >= self.ranks.topic || text.is_empty() {
            return;
        }
        self.ranks.topic = at.rank;
        let index = self.batch.topic_index_of_name(text);
        if let Some(shared) = self.shared() {
            shared.topic = Some(index);
        }
    }

    fn attributes(&mut self, seen: Attributes) {
        if let Some(shared) = self.shared() {
            shared.attributes = shared.attributes.with(seen);
        }
    }

    /// An integer at a node of the plan.
    fn number<E: de::Error>(&mut self, at: FieldAt, number: i64) -> Result<(), E> {
        match at.field {
            Field::OffsetDelta => self.record.offset_delta = number,
            Field::TimeDelta => self.record.time_delta_ms = number,
            Field::Attributes => self.attributes(Attributes::from_bits(number)),
            Field::Partition if at.rank < self.ranks.partition => {
                self.ranks.partition = at.rank;
                let partition = i32::try_from(number)
                    .ok()
                    .filter(|partition| *partition >= 0);
                let partition = partition.ok_or_else(|| {
                    E::invalid_value(de::Unexpected::Signed(number), &"a partition's index")
                })?;
                if let Some(shared) = self.shared() {
                    shared.partition = Some(partition);
                }
            }
            Field::OffsetBase | Field::TimeBase | Field::TimeMax => {
                if let Some(shared) = self.shared() {
                    match at.field {
                        Field::OffsetBase => shared.offset_base = Some(number),
                        Field::TimeBase => shared.time_base_ms = Some(number),
                        _ => shared.time_max_ms = Some(number),
                    }
                }
            }
            Field::Value(_) | Field::Key(_) | Field::HeaderValue(_) | Field::HeaderName => {
                self.record.trouble(Trouble::NotAString);
            }
            _ => {}
        }
        Ok(())
    }

    /// Something that is neither string, integer nor null, where the plan has a field.
    fn odd<E: de::Error>(&mut self, at: FieldAt, what: de::Unexpected<'_>) -> Result<(), E> {
        match at.field {
            Field::Value(_) | Field::Key(_) | Field::HeaderValue(_) | Field::HeaderName => {
                self.record.trouble(Trouble::NotAString);
                Ok(())
            }
            _ => Err(E::invalid_type(what, &"a string or an integer")),
        }
    }
}

/// Reads the node of the line that corresponds to `node` of the plan.
struct NodeSeed<'w, 'a> {
    walk: &'w mut Walk<'a>,
    node: &'a Node,
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { walk, node } = self;
        if let Some(at) = node.field {
            walk.odd(at, de::Unexpected::Map)?;
        }
        if let Some(scope) = node.scope {
            walk.open(scope);
        }
        while let Some(member) = map.next_key_seed(MemberSeed { walk, node })? {
            match member {
                Member::Node(index) => {
                    let node = walk.plan.node(index);
                    map.next_value_seed(NodeSeed { walk, node })?;
                }
                Member::Ignored | Member::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if let Some(scope) = node.scope {
            walk.close(scope);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { walk, node } = self;
        let Some(elements) = walk.plan.elements(node) else {
            if let Some(at) = node.field
                && at.field != Field::Attributes
            {
                walk.odd(at, de::Unexpected::Seq)?;
            }
            // A list of attributes: each element is one.
            while seq.next_element_seed(NodeSeed { walk, node })?.is_some() {}
            return Ok(());
        };
        while seq
            .next_element_seed(NodeSeed {
                walk,
                node: elements,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.node
            .field
            .map_or(Ok(()), |at| self.walk.text(at, text))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        self.node
            .field
            .map_or(Ok(()), |at| self.walk.number(at, number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => self.visit_f64(number as f64),
        }
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<(), E> {
        self.node.field.map_or(Ok(()), |at| {
            self.walk.odd(at, de::Unexpected::Float(number))
        })
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<(), E> {
        self.node
            .field
            .map_or(Ok(()), |at| self.walk.odd(at, de::Unexpected::Bool(truth)))
    }

    /// A null member is an absent one.
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Reads a member's name and looks it up.
struct MemberSeed<'w, 'a> {
    walk: &'w mut Walk<'a>,
    node: &'a Node,
}

impl<'de> DeserializeSeed<'de> for MemberSeed<'_, '_> {
    type Value = Member;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Member, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for MemberSeed<'_, '_> {
    type Value = Member;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Member, E> {
        let member = self.walk.plan.member(self.node, name);
        if member == Member::Unknown {
            let unknown = match self.node.scope {
                Some(Scope::Record) => &mut self.walk.record.unknown_member,
                Some(Scope::Header) => &mut self.walk.header.unknown_member,
                _ => return Ok(member),
            };
            unknown.get_or_insert_with(|| name.to_string());
        }
        Ok(member)
    }
}
