//! One pass over one RRPair, which merges it with the outline.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::tree::{Child, OutlineBudget, OutlineNode, Type};

/// The most characters of a sample.
pub(super) const SAMPLE: usize = 40;

/// A node of the outline that corresponds to one of the line.
pub(super) struct OutlineSeed<'o> {
    pub(super) node: &'o mut OutlineNode,
    pub(super) room: &'o mut OutlineBudget,
}

impl<'de> DeserializeSeed<'de> for OutlineSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.node.count += 1;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OutlineSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { node, room } = self;
        node.is(Type::Object);
        let mut next = 0;
        while let Some(child) = map.next_key_seed(MemberOf { node, next, room })? {
            let Some(child) = child else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if let Child::Member(at) = child {
                next = at + 1;
            }
            let node = node.child(child);
            map.next_value_seed(OutlineSeed { node, room })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { node, room } = self;
        node.is(Type::Array);
        // An array's node for its elements represents them: an empty array has none.
        loop {
            let element = ElementOf { node, room };
            if seq.next_element_seed(element)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.node.is_scalar(Type::String, || sample_of(text));
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        self.node.is_scalar(Type::Number, || number.to_string());
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        self.node.is_scalar(Type::Number, || number.to_string());
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<(), E> {
        let sample = || serde_json::Value::from(number).to_string();
        self.node.is_scalar(Type::Number, sample);
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<(), E> {
        self.node.is_scalar(Type::Boolean, || truth.to_string());
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.node.is(Type::Null);
        Ok(())
    }
}

/// Finds the child for an element, if there is one.
struct ElementOf<'o> {
    node: &'o mut OutlineNode,
    room: &'o mut OutlineBudget,
}

impl<'de> DeserializeSeed<'de> for ElementOf<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { node, room } = self;
        match node.each(room) {
            Some(child) => {
                let node = node.child(child);
                OutlineSeed { node, room }.deserialize(deserializer)
            }
            None => deserializer
                .deserialize_ignored_any(IgnoredAny)
                .map(|IgnoredAny| ()),
        }
    }
}

/// Reads a member's name and finds the child for it.
struct MemberOf<'o> {
    node: &'o mut OutlineNode,
    next: usize,
    room: &'o mut OutlineBudget,
}

impl<'de> DeserializeSeed<'de> for MemberOf<'_> {
    type Value = Option<Child>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for MemberOf<'_> {
    type Value = Option<Child>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.node.member(name, self.next, self.room))
    }
}

/// The beginning of a text as JSON.
fn sample_of(text: &str) -> String {
    let cut = text.char_indices().nth(SAMPLE).map(|(at, _)| at);
    let shown = serde_json::Value::from(&text[..cut.unwrap_or(text.len())]).to_string();
    match cut {
        Some(_) => format!("{}…\"", &shown[..shown.len() - 1]),
        None => shown,
    }
}
