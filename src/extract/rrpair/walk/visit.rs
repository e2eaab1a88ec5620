//! Leads serde's events of one RRPair along the automaton: decides which state a member or element corresponds to,
//! and which call of the walk it becomes.

use std::fmt;

use serde::de::{
    self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

use super::{Nesting, Walk};
use crate::extract::rrpair::automaton::{AutomatonState, FieldAt, Group, NextState, NodeShape};
use crate::extract::rrpair::fields::Slot;
use crate::extract::rrpair::json;
use crate::extract::rrpair::json::{JsonText, LenientNode};

/// Reads the whole line.
pub(super) fn read<'de, D: Deserializer<'de>>(
    walk: &mut Walk<'_>,
    json: D,
) -> Result<(), D::Error> {
    let place = Nesting::Root;
    NodeSeed {
        walk,
        state: 0,
        place,
    }
    .deserialize(json)
}

/// Reads the node of the line that corresponds to a state of the automaton.
struct NodeSeed<'w, 'a> {
    walk: &'w mut Walk<'a>,
    state: usize,
    place: Nesting,
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { walk, state, place } = self;
        let automaton = walk.automaton;
        let state = automaton.state(state);
        walk.enter(state);
        let inside = |walk, raw| NodeVisitor {
            walk,
            state,
            place,
            raw,
        };
        if state.raw.get() {
            let text = json::text(deserializer)?;
            let json = text.json();
            walk.raw(state, json)?;
            if state.leads_on() && json.starts_with(['{', '[']) {
                let inside = inside(&mut *walk, Raw::Taken);
                let read = match text {
                    JsonText::Strict(_) => {
                        serde_json::Deserializer::from_str(json).deserialize_any(inside)
                    }
                    JsonText::Lenient(_) => LenientNode::given(json).deserialize_any(inside),
                };
                read.map_err(de::Error::custom)?;
            }
        } else if state.is_way() {
            let inside = inside(&mut *walk, Raw::NotTaken);
            deserializer.deserialize_newtype_struct(json::INSIDE, inside)?;
        } else {
            deserializer.deserialize_any(inside(&mut *walk, Raw::NotTaken))?;
        }
        walk.leave(state);
        Ok(())
    }
}

/// Whether a node's own fields have its JSON text already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Raw {
    Taken,
    NotTaken,
}

/// Visits the inside of an entered node.
struct NodeVisitor<'w, 'a> {
    walk: &'w mut Walk<'a>,
    state: &'a AutomatonState,
    place: Nesting,
    raw: Raw,
}

impl<'de> Visitor<'de> for NodeVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, node: D) -> Result<(), D::Error> {
        node.deserialize_any(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self {
            walk,
            state,
            place,
            raw,
        } = self;
        if let (Some(at), Raw::NotTaken) = (Walk::headers_field(state), raw) {
            return walk.headers(at, |seed| seed.visit_map(map));
        }
        walk.check_shape(state, place, NodeShape::Object)?;
        if raw == Raw::NotTaken {
            walk.odd(state, Unexpected::Map)?;
        }
        let mut met = Met::default();
        while let Some(next) = map.next_key_seed(StateMemberSeed {
            walk,
            state,
            met: &mut met,
        })? {
            match next {
                NextState::To { state, .. } => {
                    let place = Nesting::Member;
                    map.next_value_seed(NodeSeed { walk, state, place })?;
                }
                NextState::Nowhere => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self {
            walk,
            state,
            place,
            raw,
        } = self;
        if let (Some(at), Raw::NotTaken) = (Walk::headers_field(state), raw) {
            return walk.headers(at, |seed| seed.visit_seq(seq));
        }
        walk.check_shape(state, place, NodeShape::List)?;
        if raw == Raw::NotTaken {
            walk.odd(state, Unexpected::Seq)?;
            if state.fields.iter().any(|at| at.slot == Slot::Attributes) {
                while seq
                    .next_element_seed(AttributeSeed { walk, state })?
                    .is_some()
                {}
                return Ok(());
            }
        }
        for index in 0.. {
            let more = match walk.automaton.element(state, index) {
                Some(state) => seq
                    .next_element_seed(NodeSeed {
                        walk,
                        state,
                        place: Nesting::Element,
                    })?
                    .is_some(),
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.walk
            .check_shape(self.state, self.place, NodeShape::Scalar)?;
        self.walk.text(self.state, text)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        self.walk
            .check_shape(self.state, self.place, NodeShape::Scalar)?;
        self.walk.number(self.state, number)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => self.visit_f64(number as f64),
        }
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<(), E> {
        // A number beyond the range of floats can still be a text.
        if number.is_infinite() && !self.state.fields.iter().any(FieldAt::takes_texts) {
            return Err(E::custom("number out of range"));
        }
        self.walk
            .check_shape(self.state, self.place, NodeShape::Scalar)?;
        self.walk.odd(self.state, Unexpected::Float(number))
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<(), E> {
        self.walk
            .check_shape(self.state, self.place, NodeShape::Scalar)?;
        self.walk.odd(self.state, Unexpected::Bool(truth))
    }

    /// A null member is an absent one.
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.walk
            .check_shape(self.state, self.place, NodeShape::Null)
    }
}

/// One element of a list of attributes.
struct AttributeSeed<'w, 'a> {
    walk: &'w mut Walk<'a>,
    state: &'a AutomatonState,
}

impl<'de> DeserializeSeed<'de> for AttributeSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(NodeVisitor {
            walk: self.walk,
            state: self.state,
            place: Nesting::Member,
            raw: Raw::NotTaken,
        })
    }
}

/// The named members met in an object.
#[derive(Default)]
struct Met {
    /// As bits.
    all: u64,
    last: Option<usize>,
}

/// Reads a member's name and looks it up.
struct StateMemberSeed<'w, 'a, 's> {
    walk: &'w mut Walk<'a>,
    state: &'a AutomatonState,
    met: &'s mut Met,
}

impl<'de> DeserializeSeed<'de> for StateMemberSeed<'_, '_, '_> {
    type Value = NextState;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<NextState, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for StateMemberSeed<'_, '_, '_> {
    type Value = NextState;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<NextState, E> {
        let next = self.walk.automaton.member(self.state, self.met.last, name);
        match next {
            NextState::To {
                named: Some(named), ..
            } => {
                self.met.last = Some(named);
                let bit = 1_u64
                    .checked_shl(u32::try_from(named).unwrap_or(u32::MAX))
                    .unwrap_or(0);
                if self.met.all & bit != 0 {
                    return Err(E::custom(format!(
                        "the member `{name}` occurs twice in one object"
                    )));
                }
                self.met.all |= bit;
            }
            NextState::To { .. } => {}
            NextState::Nowhere => self.note_unknown(name),
        }
        Ok(next)
    }
}

impl StateMemberSeed<'_, '_, '_> {
    /// Notes a member that the profile does not list for a record: it may be the record's value.
    fn note_unknown(self, name: &str) {
        let is_record = self
            .state
            .items
            .iter()
            .any(|item| item.group == Group::Record);
        if let Some(known) = self.walk.automaton.known.as_ref().filter(|_| is_record)
            && known.iter().all(|known| known != name)
        {
            self.walk.note_unknown(name);
        }
    }
}
